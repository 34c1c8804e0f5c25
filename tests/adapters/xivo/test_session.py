"""One account signed on: what has to come first, what is kept meanwhile, and how it ends."""

import asyncio
import logging
from collections import Counter

import pytest
from aiohttp import web

from adapters.xivo.lane import Order
from adapters.xivo.session import Account, Session
from adapters.xivo.simulator import XivoSimulator
from adapters.xivo.told import CallsTold, ErrorTold, LineTold, RoomsListed, SignedOn
from gateway.model.errors import LinkDown, OutcomeUnknown, SignInRefused
from gateway.model.ids import RoomId
from tests.adapters.xivo.accounts import (
    LOGGED_ON,
    TOKEN,
    Seat,
    Talk,
    listen,
    seat_at,
    served,
    sign_on,
    talking,
    told_of,
    xivo,
)

NO_LINE = '{"msgType":"LineConfig","ctiMessage":{"id":"-","name":"ada"}}'


async def end_of(session: Session) -> Exception:
    with pytest.raises((LinkDown, SignInRefused)) as caught:
        async for _ in session:
            pass
    return caught.value


async def failure_of(talk: Talk, request_timeout_s: float = 5) -> Exception:
    """Give what comes of signing on where a test does the talking."""
    async with served(TOKEN, talking(talk)) as url, seat_at(url, request_timeout_s=request_timeout_s) as seat:
        with pytest.raises((LinkDown, SignInRefused)) as caught:
            await seat.signed_on()
    return caught.value


def asked(sim: XivoSimulator) -> Counter[str]:
    return Counter(request.path.rpartition("/")[2] for request in sim.requests)


async def test_a_session_asks_for_the_line_and_then_for_the_calls() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        session = await seat.signed_on()
        assert session.login == "ada"
        assert isinstance(await told_of(session, CallsTold), CallsTold)
        assert [read.frame["command"] for read in sim.reads] == ["getConfig", "getCurrentCallsPhoneEvents"]


async def test_what_comes_while_signing_on_is_told_afterwards_and_in_order() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"msgType":"ConferenceList","ctiMessage":[]}')
        await socket.send_str('{"msgType":"RightProfile","ctiMessage":{}}')
        await socket.send_str(LOGGED_ON)
        await socket.send_str('{"msgType":"Error","ctiMessage":{}}')
        await socket.receive()
        await socket.send_str('{"msgType":"CurrentCallsPhoneEvents","ctiMessage":{"events":[]}}')
        await socket.send_str('{"msgType":"LineConfig","ctiMessage":{"id":"3"}}')
        await socket.send_str('{"msgType":"ConferenceList","ctiMessage":[]}')
        await listen(socket)

    async with served(TOKEN, talking(talk)) as url, seat_at(url) as seat:
        session = await seat.signed_on()
        told = [await anext(session) for _ in range(4)]
        assert told == [RoomsListed(rooms=()), ErrorTold(), CallsTold(calls=()), RoomsListed(rooms=())]


async def test_nothing_is_sent_before_xivo_has_signed_on() -> None:
    heard = []

    async def talk(socket: web.WebSocketResponse) -> None:
        try:
            async with asyncio.timeout(0.05):
                heard.append(await socket.receive_str())
        except TimeoutError:
            heard.append("nothing")
        await socket.close()

    await failure_of(talk)
    assert heard == ["nothing"]


async def test_an_account_without_a_line_is_refused_by_name() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        sim.add_user("technician", "pw", number=None)
        with pytest.raises(SignInRefused, match="the XiVO account 'technician' has no line: conferences need one"):
            await seat.signed_on(seat.account("technician", "pw"))
        await sim.until(lambda: sim.logins == [])


async def test_a_session_that_xuc_could_not_start_is_a_link_that_is_down() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        sim.faults.logged_on = "error"
        with pytest.raises(LinkDown, match="could not start the session of 'ada': loggedOnFailed"):
            await seat.signed_on()


async def test_a_xuc_that_never_signs_on_is_given_up() -> None:
    async with xivo() as sim, seat_at(sim.url, request_timeout_s=0.1) as seat:
        sim.faults.logged_on = "silent"
        with pytest.raises(LinkDown, match="has not signed on 'ada' in time"):
            await seat.signed_on()
        sim.faults.logged_on = "ok"
        await seat.signed_on()
        assert sim.logins == ["ada"]


async def test_a_xuc_that_never_tells_the_line_is_given_up() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str(LOGGED_ON)
        await listen(socket)

    assert "has not told its line" in str(await failure_of(talk, request_timeout_s=0.1))


async def test_a_xuc_that_talks_without_end_before_signing_on_is_given_up() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for _ in range(1001):
            await socket.send_str('{"msgType":"ConferenceList","ctiMessage":[]}')
        await listen(socket)

    assert "too much" in str(await failure_of(talk))


@pytest.mark.parametrize("frames", [[], [LOGGED_ON]])
async def test_a_link_that_is_lost_while_signing_on_is_down(frames: list[str]) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await socket.send_str(frame)
        await socket.close(code=1001)

    failure = await failure_of(talk)
    assert isinstance(failure, LinkDown)
    assert "code 1001" in str(failure)


async def test_a_token_that_opens_a_socket_and_starts_no_session_is_not_tried_again() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        sim.faults.logged_on = "error"
        for logins in (1, 2):
            with pytest.raises(LinkDown):
                await seat.signed_on(account)
            assert asked(sim)["login"] == logins


async def test_a_token_is_used_again_after_the_link_was_lost() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        first = await seat.signed_on(account)
        sim.drop_link()
        assert isinstance(await end_of(first), LinkDown)
        await seat.signed_on(account)
        assert asked(sim)["login"] == 1


# ---- the end ----


async def test_the_end_is_the_same_however_often_it_is_asked_for() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        session = await seat.signed_on(account)
        sim.close_session("ada")
        ends = [await end_of(session) for _ in range(3)]
        assert {(type(end), str(end)) for end in ends} == {(LinkDown, "XiVO closed the connection (code 1000)")}


async def test_a_command_under_way_is_open_when_the_link_is_lost() -> None:
    async with xivo() as sim, seat_at(sim.url, answer_wait_s=60) as seat:
        session = await seat.signed_on()
        sim.faults.ignore_commands = True
        reading = asyncio.create_task(end_of(session))
        command = asyncio.create_task(session.lane.do(_muting_me()))
        await sim.until(lambda: len(sim.commands) == 1)
        sim.drop_link()
        with pytest.raises(OutcomeUnknown):
            await command
        assert isinstance(await reading, LinkDown)


async def test_closing_a_session_leaves_its_command_open() -> None:
    async with xivo() as sim, seat_at(sim.url, answer_wait_s=60) as seat:
        session = await seat.signed_on()
        sim.faults.ignore_commands = True
        command = asyncio.create_task(session.lane.do(_muting_me()))
        await sim.until(lambda: len(sim.commands) == 1)
        await session.aclose()
        with pytest.raises(OutcomeUnknown):
            await command
        await sim.until(lambda: sim.logins == [])


async def test_a_session_that_goes_silent_says_so() -> None:
    async with xivo() as sim, seat_at(sim.url, keepalive_s=0.05) as seat:
        session = await seat.signed_on()
        sim.faults.mute_pings = True
        assert str(await end_of(session)) == "XiVO has sent nothing for 0.15 s"


# ---- the account is used elsewhere, too ----


async def ended_by_xivo(sim: XivoSimulator, seat: Seat, account: Account) -> Exception:
    session = await seat.signed_on(account)
    sim.close_session("ada")
    return await end_of(session)


async def test_the_second_short_session_in_a_row_is_a_quarrel_that_an_operator_has_to_end() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        assert isinstance(await ended_by_xivo(sim, seat, account), LinkDown)
        for _ in range(2):
            end = await ended_by_xivo(sim, seat, account)
            assert isinstance(end, SignInRefused)
            assert str(end) == ("XiVO ends the session of 'ada' again and again: is the account signed in elsewhere?")


async def test_a_second_client_of_the_same_account_is_found_out() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        sim.faults.double_login = "kick_first"
        ours, theirs = seat.account(), seat.account()
        for expected in (LinkDown, SignInRefused):
            session = await seat.signed_on(ours)
            await seat.signed_on(theirs)
            assert type(await end_of(session)) is expected


async def test_a_quarrel_while_the_line_is_asked_for_counts_as_well() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str(LOGGED_ON)
        await socket.receive()
        await socket.close()

    async with served(TOKEN, talking(talk)) as url, seat_at(url) as seat:
        account = seat.account()
        for expected in (LinkDown, SignInRefused):
            with pytest.raises(expected):
                await seat.signed_on(account)


async def test_a_session_that_lasted_is_no_quarrel() -> None:
    now = [0.0]
    async with xivo() as sim, seat_at(sim.url, lambda: now[0]) as seat:
        account = seat.account()
        for lasts_s in (1, 31, 1):
            session = await seat.signed_on(account)
            now[0] += lasts_s
            sim.close_session("ada")
            assert isinstance(await end_of(session), LinkDown)


async def test_a_cut_is_no_quarrel() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        for _ in range(3):
            session = await seat.signed_on(account)
            sim.drop_link()
            assert isinstance(await end_of(session), LinkDown)


async def test_a_session_that_we_close_is_no_quarrel() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        account = seat.account()
        for _ in range(3):
            await (await seat.signed_on(account)).aclose()
        session = await seat.signed_on(account)
        sim.drop_link()
        assert isinstance(await end_of(session), LinkDown)


# ---- the token ----


async def test_the_token_is_renewed_while_the_session_lasts() -> None:
    async with xivo(token_life_s=0.4) as sim, seat_at(sim.url) as seat:
        session = await seat.signed_on()
        await sim.until(lambda: asked(sim)["check"] >= 2)
        sim.send_raw('{"msgType":"ConferenceList","ctiMessage":[]}', "ada")
        await told_of(session, RoomsListed)
        assert asked(sim)["login"] == 1


async def test_a_renewal_that_is_refused_is_logged_once_and_costs_nothing_yet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with xivo(token_life_s=0.4) as sim, seat_at(sim.url) as seat:
        session = await seat.signed_on()
        sim.add_user("ada", "changed", number="1001")
        sim.expire_tokens()
        await sim.until(lambda: asked(sim)["login"] == 2)
        assert session._renewing is not None
        done, _ = await asyncio.wait({session._renewing}, timeout=5)
        assert done
        sim.send_raw('{"msgType":"ConferenceList","ctiMessage":[]}', "ada")
        await told_of(session, RoomsListed)
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "'ada' could not be renewed" in warnings[0]


async def test_sessions_leave_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with xivo() as sim, seat_at(sim.url) as seat:
        listening = asyncio.all_tasks()
        for _ in range(3):
            session = await seat.signed_on()
            assert {"xivo: ping", "xivo: token of ada"} <= {task.get_name() for task in asyncio.all_tasks()}
            await session.aclose()
            await sim.until(lambda: sim.logins == [])
        assert not {task for task in asyncio.all_tasks() - listening if task.get_name().startswith("xivo")}
    assert asyncio.all_tasks() == before


async def test_giving_up_while_signing_on_closes_the_socket() -> None:
    async with xivo() as sim, seat_at(sim.url) as seat:
        sim.faults.logged_on = "silent"
        opening = asyncio.create_task(seat.signed_on())
        await sim.until(lambda: sim.logins == ["ada"])
        opening.cancel()
        await sim.until(lambda: sim.logins == [])
        await asyncio.wait({opening})
        assert opening.cancelled()


def test_the_line_told_later_is_still_told() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await sign_on(socket)
        await socket.send_str(NO_LINE)
        await socket.send_str(LOGGED_ON)
        await listen(socket)

    async def work() -> None:
        async with served(TOKEN, talking(talk)) as url, seat_at(url) as seat:
            session = await seat.signed_on()
            assert [await anext(session) for _ in range(2)] == [LineTold(False), SignedOn()]

    asyncio.run(work())


def _muting_me() -> Order:
    frame: dict[str, object] = {"claz": "web", "command": "conferenceMuteMe", "numConf": "4000"}
    return Order(room_id=RoomId("4000"), frame=lambda: frame, shown=lambda: False, codes=frozenset({"NotAMember"}))
