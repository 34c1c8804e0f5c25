"""No password, token or SIP password is in a log, an exception or a repr, whatever goes wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from adapters.xivo.simulator import XivoSimulator
from adapters.xivo.told import CallsTold
from gateway.model.errors import GatewayError
from tests.adapters.xivo.accounts import (
    PASSWORD,
    Handler,
    Seat,
    answering,
    listen,
    nowhere,
    seat_at,
    served,
    sign_on,
    talking,
    told_of,
    xivo,
)
from tests.secrecy import logged, told

pytestmark = pytest.mark.usefixtures("everything_is_logged")

SIP = "sip-secret-of-ada"
"""What the simulated XiVO says in LineConfig."""
TOKEN = "token-secret-55d1"
SIP_PASSWORD = "sip-secret-91c2"


async def shown_by(seat: Seat) -> str:
    """Sign on, be told something, and give what is shown of it all and of what goes wrong."""
    shown = [repr(seat.transport.settings)]
    try:
        account = seat.account()
        session = await seat.signed_on(account)
        shown += [repr(session), repr(account), repr(vars(account.sign_in)), repr(vars(session))]
        shown.append(repr(await told_of(session, CallsTold)))
        shown += [repr(task) for task in asyncio.all_tasks()]
        await session.send({"claz": "web", "command": "conferenceMuteMe", "numConf": "4000"})
        async for each in session:
            shown.append(repr(each))
    except GatewayError as error:
        shown.append(told(error))
    return "\n".join(shown)


def _of_sim(change: Callable[[XivoSimulator], object]) -> Callable[[XivoSimulator, Seat], Awaitable[str]]:
    async def work(sim: XivoSimulator, seat: Seat) -> str:
        change(sim)
        return await shown_by(seat)

    return work


def _once_signed_on(change: Callable[[XivoSimulator], object]) -> Callable[[XivoSimulator, Seat], Awaitable[str]]:
    async def work(sim: XivoSimulator, seat: Seat) -> str:
        showing = asyncio.create_task(shown_by(seat))
        await sim.until(lambda: len(sim.commands) == 1)
        change(sim)
        return await showing

    return work


async def _away_before_the_socket(sim: XivoSimulator, seat: Seat) -> str:
    account = seat.account()
    await account.sign_in.token()
    await sim.stop()
    with pytest.raises(GatewayError) as caught:
        await seat.signed_on(account)
    return told(caught.value)


async def _expired_before_the_socket(sim: XivoSimulator, seat: Seat) -> str:
    account = seat.account()
    await account.sign_in.token()
    sim.expire_tokens()
    sim.add_user("ada", "changed", number="1001")
    with pytest.raises(GatewayError) as caught:
        await seat.signed_on(account)
    return told(caught.value)


TROUBLES = {
    "wrong password": _of_sim(lambda sim: sim.add_user("ada", "changed", number="1001")),
    "no line": _of_sim(lambda sim: sim.add_user("ada", PASSWORD)),
    "500": _of_sim(lambda sim: setattr(sim.faults, "http_status", 500)),
    "not signed on": _of_sim(lambda sim: setattr(sim.faults, "logged_on", "error")),
    "never signed on": _of_sim(lambda sim: setattr(sim.faults, "logged_on", "silent")),
    "hangs": _of_sim(lambda sim: setattr(sim.faults, "hang", True)),
    "away before the socket": _away_before_the_socket,
    "expired before the socket": _expired_before_the_socket,
    "cut": _once_signed_on(lambda sim: sim.drop_link()),
    "goodbye": _once_signed_on(lambda sim: sim.close_session("ada")),
    "silent": _once_signed_on(lambda sim: setattr(sim.faults, "mute_pings", True)),
}


def tokens_of(sim: XivoSimulator) -> list[str]:
    return sim.tokens


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    async with xivo(token_life_s=2) as sim, seat_at(sim.url, keepalive_s=0.1, request_timeout_s=0.3) as seat:
        shown = await TROUBLES[trouble](sim, seat)
        tokens = tokens_of(sim)
        frames = "".join(frame for _, frame in sim.frames_sent)
    assert (SIP in frames) is (trouble in ("cut", "goodbye", "silent"))
    for secret in (PASSWORD, SIP, *tokens):
        assert secret not in shown
        assert secret not in logged(caplog)


async def _say_and_close(socket: web.WebSocketResponse) -> None:
    await sign_on(socket)
    calls = f'{{"msgType":"CurrentCallsPhoneEvents","ctiMessage":{{"events":[],"x":"{SIP_PASSWORD}"}}}}'
    await socket.send_str(calls)
    for frame in (
        f'{{"msgType":"LineConfig","ctiMessage":"{SIP_PASSWORD}"}}',
        f'{{"msgType":"LineConfig","ctiMessage":{{"id":{{"{SIP_PASSWORD}":1}},"password":["{SIP_PASSWORD}"]}}}}',
        f'{{"msgType":"Error","ctiMessage":{{"Error":"{TOKEN} {PASSWORD}"}}}}',
        f'{{"msgType":["{TOKEN}"]}}',
        f'"{TOKEN}',
    ):
        await socket.send_str(frame)
    await socket.close(code=1008, message=TOKEN.encode())


async def _sign_nobody_on(socket: web.WebSocketResponse) -> None:
    await socket.send_str(f'{{"msgType":"LoggedOnError","ctiMessage":{{"Error":"<{TOKEN}>"}}}}')
    await listen(socket)


def _with_status(status: int, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=f"{request.query_string} {PASSWORD} {TOKEN}", headers=headers)

    return answer


GOOD = answering({"token": TOKEN, "TTL": 100})
SERVERS: dict[str, tuple[Handler, Handler]] = {
    "login repeats the password": (answering({"error": f"wrong: <{PASSWORD}>", "message": PASSWORD}, 401), GOOD),
    "login is no JSON": (_with_status(200), GOOD),
    "login redirects": (_with_status(302, Location=f"/?{PASSWORD}"), GOOD),
    "token is no token": (answering({"token": f"{TOKEN} {PASSWORD}"}), GOOD),
    "socket 401": (GOOD, _with_status(401)),
    "socket 500": (GOOD, _with_status(500)),
    "socket redirects": (GOOD, _with_status(302, Location=f"/?token={TOKEN}")),
    "socket is a page": (GOOD, _with_status(200)),
    "strange frames": (GOOD, talking(_say_and_close)),
    "strange refusal": (GOOD, talking(_sign_nobody_on)),
    "silence": (GOOD, talking(listen)),
}


@pytest.mark.parametrize("server", SERVERS)
async def test_a_strange_server_cannot_make_us_show_a_secret(server: str, caplog: pytest.LogCaptureFixture) -> None:
    login, socket = SERVERS[server]
    async with served(login, socket) as url, seat_at(url, request_timeout_s=0.3, keepalive_s=0.1) as seat:
        shown = await shown_by(seat)
    for secret in (PASSWORD, TOKEN, SIP_PASSWORD):
        assert secret not in shown
        assert secret not in logged(caplog)


async def test_a_xivo_that_is_not_there_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with seat_at(nowhere()) as seat:
        shown = await shown_by(seat)
    assert PASSWORD not in shown + logged(caplog)


def test_this_test_would_find_a_secret_in_what_an_exception_came_from() -> None:
    error = KeyError("x")
    error.__context__ = ValueError(TOKEN)
    assert TOKEN in told(error)


async def test_this_test_would_find_a_secret_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("anything").debug("with %s", TOKEN)
    assert TOKEN in logged(caplog)
    loop = asyncio.get_running_loop()
    loop.call_soon(len, TOKEN)
    await asyncio.sleep(0)
    assert len(caplog.records) > 1
