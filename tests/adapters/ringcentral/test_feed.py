"""The open feed: who is who, rooms found out, and what is refused, lost and comes back, by socket and by hook."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.live.link import BackendStatus
from gateway.live.results import CommandOutcome
from gateway.model.commands import Action
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.adapters.ringcentral.ringcentral_gateway import WAYS, House, gateway_at, house, simulated
from tests.adapters.ringcentral.signed_in import APP_SECRET, JWT

BEN, CEM = "+15550100001", "+15550100002"
SUBSCRIPTION = "/restapi/v1.0/subscription"


def arranged(there: House) -> None:
    """Before the gateway looks: a conference with its host and somebody who called."""
    conference = there.sim.open_conference(there.host)
    there.sim.bring_in(conference, there.sim.make_call(there.host, BEN, "Ben", inbound=True))


def legs(there: House, conference: str) -> set[str]:
    return {each.party_id for each in there.sim.people(conference)}


async def found(there: House, conference: str) -> None:
    """Wait until everybody who is in a conference is shown, and nobody else."""
    await there.until(lambda: set(there.people(conference)) == legs(there, conference))


async def posted(there: House, body: object, **headers: str) -> int:
    """Call the hook as anybody could."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as http,
        http.post(there.hook, data=json.dumps(body), headers=named, allow_redirects=False) as answer,
    ):
        return answer.status


# ---- who is who ----


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inbound", [False, True])
async def test_a_guest_is_the_other_end_of_the_call_that_was_merged(tmp_path: Path, inbound: bool, way: str) -> None:
    async with house(tmp_path, notifications=way) as there:
        conference = there.sim.open_conference(there.host)
        call = there.sim.make_call(there.host, BEN, "Ben", inbound=inbound)
        leg = there.sim.bring_in(conference, call)
        await found(there, conference)
        guest = there.people(conference)[leg]
        assert (guest.display_name, guest.number, guest.role) == ("Ben", BEN, ParticipantRole.PARTICIPANT)
        assert guest.leg_id == there.sim.own_party_id(call)
        assert there.joined(conference).count(leg) == 1
        assert there.adapter.misunderstood == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inbound", [False, True])
async def test_who_was_in_a_conference_before_the_gateway_is_found_with_their_name(
    tmp_path: Path, inbound: bool, way: str
) -> None:
    def arrange(there: House) -> None:
        conference = there.sim.open_conference(there.host)
        there.sim.bring_in(conference, there.sim.make_call(there.host, BEN, "Ben", inbound=inbound))

    async with house(tmp_path, arrange=arrange, notifications=way) as there:
        [conference] = there.sim.conferences()
        await found(there, conference)
        assert there.names(conference)[1] == ("Ben", BEN)
        assert there.room(conference).state is RoomState.ACTIVE


@pytest.mark.parametrize("inbound", [False, True])
async def test_nobody_ever_has_the_hosts_number(tmp_path: Path, inbound: bool) -> None:
    """The leg of a participant has it; neither for a moment nor where the call cannot be read may it be shown."""
    async with house(tmp_path) as there:
        there.sim.faults.emit_participant_legs = True
        there.sim.faults.shuffle_events = True
        conference = there.sim.open_conference(there.host)
        for number in (BEN, CEM):
            there.sim.bring_in(conference, there.sim.make_call(there.host, number, inbound=inbound))
        await found(there, conference)
        shown = [getattr(event, "participant", None) for event in there.events(conference)]
        guests = [each for each in shown if each is not None and each.role is ParticipantRole.PARTICIPANT]
        assert {each.number for each in guests} == {BEN, CEM}
        assert all(each.user_id != there.identity for each in guests)


async def test_a_colleague_is_known_by_their_extension(tmp_path: Path) -> None:
    async with house(tmp_path, scope="account") as there:
        colleague = there.sim.add_extension("Cem Yilmaz", "102")
        conference = there.sim.open_conference(there.host)
        leg = there.sim.bring_in(conference, there.sim.make_call(there.host, "102"))
        await found(there, conference)
        guest = there.people(conference)[leg]
        assert (guest.display_name, guest.user_id) == ("Cem Yilmaz", colleague.extension_id)


async def test_who_cannot_be_found_out_in_time_is_shown_without_a_name(tmp_path: Path) -> None:
    """RingCentral tells of a leg in the conference, and does not answer what call it carries."""
    async with house(tmp_path) as there:
        conference, (host,) = await there.meeting()
        there.sim.faults.lose_events = True
        call = there.sim.make_call(there.host, BEN, "Ben")
        leg = there.sim.bring_in(conference, call)
        there.sim.faults.hang = True
        peer = {"telephonySessionId": call, "sessionId": "7", "partyId": there.sim.own_party_id(call)}
        status = {"code": "Gone", "peerId": peer}
        party = {"id": leg, "conferenceRole": "Participant", "direction": "Inbound", "status": status}
        party["from"] = {"phoneNumber": there.host.phone_number, "name": "Ada Lambert"}
        body = {"sequence": 9, "telephonySessionId": conference, "origin": {"type": "Conference"}, "parties": [party]}
        event = {"uuid": "1", "event": "/restapi/v1.0/account/1/telephony/sessions", "body": body}
        there.sim.send_raw(json.dumps([{"type": "ServerNotification", "messageId": "1", "status": 200}, event]))
        await there.until_shown(conference, host, leg)
        assert there.names(conference)[1] == (None, None)
        there.sim.faults.hang = False


# ---- rooms are found ----


@pytest.mark.parametrize("scope", ["extension", "account"])
async def test_a_conference_is_found_by_presence_after_the_gateway_was_away(tmp_path: Path, scope: str) -> None:
    """Two gateways, one after the other, at the same RingCentral; nothing of the first is left for the second."""
    async with simulated() as (there, app):
        (tmp_path / "first").mkdir()
        (tmp_path / "second").mkdir()
        async with gateway_at(there, app, tmp_path / "first", scope=scope) as seat:
            await seat.until_status(BackendStatus.LIVE)
            conference, (_, ben) = await there.meeting(BEN)
        cem = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        async with gateway_at(there, app, tmp_path / "second", scope=scope) as seat:
            await seat.until_status(BackendStatus.LIVE)
            await found(there, conference)
            assert {ben, cem} < set(there.people(conference))
            assert {number for _, number in there.names(conference)} >= {BEN, CEM}


@pytest.mark.parametrize("way", WAYS)
async def test_a_join_into_a_room_never_seen_lets_the_room_be_read(tmp_path: Path, way: str) -> None:
    async with house(tmp_path, notifications=way) as there:
        there.sim.faults.lose_events = True
        conference = there.sim.open_conference(there.host)
        call = there.sim.make_call(there.host, BEN, "Ben")
        there.sim.faults.lose_events = False
        assert there.adapter.poll_interval_s == 60
        there.sim.bring_in(conference, call)
        await found(there, conference)
        assert there.names(conference)[1] == ("Ben", BEN)


async def test_what_no_event_told_is_found_by_polling(tmp_path: Path) -> None:
    async with house(tmp_path, poll_interval_s=0.1) as there:
        conference, (host, ben) = await there.meeting(BEN)
        there.sim.faults.lose_events = True
        other = there.sim.open_conference(there.host)
        leg = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        there.sim.set_muted(conference, ben, True)
        await there.until(lambda: set(there.people(other)) == legs(there, other))
        await there.until_shown(conference, host, ben, leg)
        await there.until(lambda: there.people(conference)[ben].muted)
        there.sim.host_hangs_up(other)
        await there.until(lambda: there.is_over(other))


@pytest.mark.parametrize("way", WAYS)
async def test_a_host_who_never_dials_in_costs_the_room(tmp_path: Path, way: str) -> None:
    async with house(tmp_path, sim={"host_wait_s": 0.3}, host_wait_s=0.3, notifications=way) as there:
        made = await there.create("Board")
        assert made.key is not None
        conference = made.key.room_id
        assert there.room(conference).state is RoomState.IDLE
        await there.until(lambda: there.is_over(conference))
        assert there.joined(conference) == []
        assert (await there.close(conference)).outcome is CommandOutcome.REJECTED


async def test_a_host_who_dials_in_late_but_in_time_keeps_the_room(tmp_path: Path) -> None:
    async with house(tmp_path, host_wait_s=0.1) as there:
        await there.create("Board")
        [conference] = there.sim.conferences()
        await there.sim.until(lambda: there.asked("GET", f"sessions/{conference}") >= 2)  # it was doubted, and is there
        there.sim.host_dials(conference)
        await found(there, conference)
        assert there.room(conference).state is RoomState.ACTIVE


async def test_what_is_no_notification_costs_itself_only(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.sim.send_raw(b'[{"type":"ServerNotification","messageId":"1"},{"event":"/x"}]')
        there.sim.send_raw(b'[{"type":"ServerNotification"},7]')
        there.sim.send_raw(b"[" * 10_000)
        await there.meeting(BEN)
        assert there.adapter.misunderstood >= 2
        assert there.seat.link.status is BackendStatus.LIVE


# ---- sign-in and permissions ----


@pytest.mark.parametrize("scope", ["CallControl", "WebSocketsSubscription", "ReadPresence", "ReadAccounts"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_permission_that_the_app_lacks_is_named(tmp_path: Path, way: str, scope: Any) -> None:
    def arrange(there: House) -> None:
        arranged(there)
        there.sim.faults.forbidden_scope = scope

    async with house(tmp_path, arrange=arrange, live=False, notifications=way) as there:
        await there.seat.until_status(BackendStatus.FAILED)
        reason = there.seat.link.status_reason or ""
        assert "permission" in reason
        assert "CMN-401" in reason
        there.sim.faults.forbidden_scope = None
        await there.seat.until_status(BackendStatus.LIVE)


async def test_a_dead_refresh_token_costs_a_sign_in_with_the_jwt(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(BEN)
        before = there.asked("POST", "oauth/token")
        there.sim.revoke_all()
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        await found(there, conference)
        assert there.asked("POST", "oauth/token") == before + 2  # the refresh token is tried first


async def test_a_jwt_that_is_no_good_any_more_is_for_an_operator_to_mend(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        object.__setattr__(there.host, "jwt", "another")
        there.sim.revoke_all()
        await there.seat.until_status(BackendStatus.FAILED)
        reason = there.seat.link.status_reason or ""
        assert "JWT" in reason
        assert JWT not in reason
        assert APP_SECRET not in reason
        object.__setattr__(there.host, "jwt", JWT)
        await there.seat.until_status(BackendStatus.LIVE)


# ---- what is lost and comes back ----


async def test_what_happened_while_the_socket_was_away_comes_after_it(tmp_path: Path) -> None:
    """The connection is taken up again, the subscription lives on, and what was missed is told."""
    async with house(tmp_path) as there:
        conference, (host, ben) = await there.meeting(BEN)
        there.sim.drop_link()
        there.sim.remote_hangs_up(there.sim.calls()[0])
        cem = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(conference, host, cem)
        assert there.asked("POST", SUBSCRIPTION) == 1
        assert there.joined(conference) == [host, ben, cem]
        assert [who for who, _ in there.left(conference)] == [ben]
        call = there.sim.make_call(there.host, "+15550100003")
        await there.until_shown(conference, host, cem, there.sim.bring_in(conference, call))


@pytest.mark.parametrize("how", ["too late", "refused"])
async def test_after_a_recovery_that_failed_everything_is_read_again(tmp_path: Path, how: str) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben) = await there.meeting(BEN)
        over, _ = await there.meeting(CEM)
        there.sim.faults.recovery_fails = how == "refused"
        there.sim.drop_link()
        if how == "too late":
            there.sim.forget_links()
        there.sim.remote_hangs_up(there.sim.calls()[0])
        there.sim.host_hangs_up(over)
        cem = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM, "Cem"))
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        assert there.asked("POST", SUBSCRIPTION) == 2
        await there.until_shown(conference, host, cem)
        assert there.left(conference) == [(ben, LeaveReason.FOUND_GONE)]
        assert ("Cem", CEM) in there.names(conference)
        assert there.is_over(over)
        there.sim.host_hangs_up(conference)
        await there.until(lambda: there.is_over(conference))


@pytest.mark.parametrize("code", ["WSG-902", "WSG-903"])
async def test_a_socket_that_ringcentral_ends_is_taken_up_again(tmp_path: Path, code: str) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(BEN)
        there.sim.close_sockets(code)
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        await found(there, conference)


@pytest.mark.parametrize("way", WAYS)
async def test_a_ringcentral_that_was_away_is_read_again(tmp_path: Path, way: str) -> None:
    async with house(tmp_path, notifications=way, poll_interval_s=0.2) as there:
        conference, (host, ben) = await there.meeting(BEN)
        await there.sim.stop()
        await there.seat.until_status(BackendStatus.STALE)
        there.sim.remote_hangs_up(there.sim.calls()[0])
        cem = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        await there.sim.start()
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(conference, host, cem)
        assert [who for who, _ in there.left(conference)] == [ben]


async def test_a_link_that_is_lost_again_and_again_keeps_to_the_limits(tmp_path: Path) -> None:
    """Each new socket costs a request of the group for signing in, which has few."""
    limits = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
    async with house(tmp_path, sim={"limits": limits, "limit_window_s": 1}) as there:
        there.sim.faults.rate_limit = True
        conference, _ = await there.meeting(BEN)
        for _ in range(8):
            there.sim.drop_link()
            await there.seat.until_status(BackendStatus.STALE)
            await there.seat.until_status(BackendStatus.LIVE)
        assert all(window.penalty_until == 0 for window in there.sim._api._limits._windows.values())
        there.sim.host_hangs_up(conference)
        await there.until(lambda: there.is_over(conference))


async def test_a_link_lost_during_a_command_does_not_lose_its_effect(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, (host, ben) = await there.meeting(BEN)
        there.sim.faults.effect_delay_s = 0.1
        kicking = asyncio.create_task(there.do_to(Action.KICK, conference, ben))
        await there.sim.until(lambda: there.sent)
        there.sim.drop_link()
        assert (await kicking).outcome in (CommandOutcome.CONFIRMED, CommandOutcome.ACCEPTED)
        await there.until_shown(conference, host)
        assert [who for who, _ in there.left(conference)] == [ben]


async def test_who_is_called_while_the_link_is_lost_comes_in_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ringcentral.commands._LOOK_AGAIN_S", 0.05)
    async with house(tmp_path) as there:
        conference, _ = await there.meeting()
        there.sim.faults.call_out = "rings"
        inviting = asyncio.create_task(there.invite(conference, BEN))
        await there.sim.until(lambda: len(there.sim.calls()) == 1)
        there.sim.drop_link()
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        there.sim.answers(there.sim.calls()[0])
        await found(there, conference)
        await there.until(lambda: (None, BEN) in there.names(conference))
        await inviting


# ---- by hook ----


def told(there: House, conference: str, host: str) -> dict[str, Any]:
    """What would end a conference, if RingCentral said it."""
    party = {"id": host, "extensionId": there.identity, "conferenceRole": "Host", "status": {"code": "Disconnected"}}
    body = {"sequence": 99, "telephonySessionId": conference, "origin": {"type": "Conference"}, "parties": [party]}
    return {"uuid": "9", "event": "/restapi/v1.0/account/1/extension/2/telephony/sessions", "body": body}


async def test_strangers_are_turned_away_and_nothing_that_they_say_is_believed(tmp_path: Path) -> None:
    async with house(tmp_path, notifications="webhook") as there:
        conference, (host, ben) = await there.meeting(BEN)
        said = told(there, conference, host)
        assert await posted(there, said) == 404
        assert await posted(there, said, Verification_Token="another") == 401
        assert await posted(there, said, Validation_Token="v") == 200  # a handshake is echoed, and its body not read
        there.sim.set_muted(conference, host, True)
        await there.until(lambda: there.people(conference)[host].muted)
        await there.until_shown(conference, host, ben)
        [subscription] = there.sim.subscriptions
        assert await posted(there, said, Verification_Token=subscription.verification_token or "") == 200
        await there.until(lambda: there.is_over(conference))  # it would have been believed


async def test_a_subscription_has_its_own_token_that_is_not_the_last_ones(tmp_path: Path) -> None:
    async with house(tmp_path, notifications="webhook", poll_interval_s=0.1) as there:
        [first] = there.sim.subscriptions
        there.sim._subscriptions.remove(first)
        await there.seat.until_status(BackendStatus.STALE)
        await there.seat.until_status(BackendStatus.LIVE)
        [second] = there.sim.subscriptions
        assert first.verification_token != second.verification_token
        assert await posted(there, {}, Verification_Token=first.verification_token or "") == 401


async def test_a_hook_that_was_blacklisted_is_subscribed_again_and_everything_read(tmp_path: Path) -> None:
    """Deliveries with a wrong token are refused, until RingCentral gives the hook up."""
    async with house(tmp_path, notifications="webhook", poll_interval_s=0.2) as there:
        conference, (host, ben) = await there.meeting(BEN)
        [first] = there.sim.subscriptions
        there.sim.faults.wrong_verification_token = True
        there.sim.remote_hangs_up(there.sim.calls()[0])
        cem = there.sim.bring_in(conference, there.sim.make_call(there.host, CEM))
        await there.sim.until(lambda: first.blacklisted_at is not None)
        there.sim.faults.wrong_verification_token = False
        await there.until(lambda: first not in there.sim.subscriptions and len(there.sim.subscriptions) == 1)
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(conference, host, cem)
        assert [who for who, _ in there.left(conference)] == [ben]
        there.sim.host_hangs_up(conference)
        await there.until(lambda: there.is_over(conference))


async def test_a_subscription_is_renewed_before_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.ringcentral.subscription._LIFE_S", 1)
    async with house(tmp_path, notifications="webhook") as there:
        [subscription] = there.sim.subscriptions
        expires_at = subscription.expires_at
        await there.sim.until(lambda: subscription.expires_at > expires_at)
        assert there.sim.subscriptions == [subscription]
        assert there.asked("POST", f"{subscription.subscription_id}/renew") == 1
        assert there.seat.link.status is BackendStatus.LIVE


async def test_a_hook_that_ringcentral_does_not_reach_is_named(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        there.hook = there.hook.replace("/hooks/", "/elsewhere/")
        async with gateway_at(there, app, tmp_path, notifications="webhook") as seat:
            await there.until(lambda: "webhook_url" in (seat.link.status_reason or ""))
            assert seat.link.status is BackendStatus.CONNECTING


async def test_nothing_is_left_at_ringcentral_when_the_gateway_stops(tmp_path: Path) -> None:
    async with simulated() as (there, app):
        for way in WAYS:
            (tmp_path / way).mkdir()
            async with gateway_at(there, app, tmp_path / way, notifications=way) as seat:
                await seat.until_status(BackendStatus.LIVE)
                assert len(there.sim.subscriptions) == 1
            if way == "websocket":
                await there.sim.until(lambda: there.sim.sockets == 0)
                there.sim.forget_links()
        assert there.sim.subscriptions == []


# ---- the whole account ----


async def test_a_conference_of_a_colleague_is_what_events_tell_of_it(tmp_path: Path) -> None:
    """Only its own host may read it: that it cannot be read does not mean that it is over."""
    async with house(tmp_path, scope="account", poll_interval_s=0.1) as there:
        colleague = there.sim.add_extension("Cem Yilmaz", "102")
        conference = there.sim.open_conference(colleague)
        await found(there, conference)
        leg = there.sim.bring_in(conference, there.sim.make_call(colleague, BEN, "Ben"))
        await found(there, conference)
        readings = there.asked("GET", "account/~/presence")
        await there.sim.until(lambda: there.asked("GET", "account/~/presence") > readings + 2)
        assert set(there.people(conference)) == legs(there, conference)
        assert (there.people(conference)[leg].display_name, there.people(conference)[leg].number) == ("Ben", BEN)
        assert there.left(conference) == []
        there.sim.faults.lose_events = True
        there.sim.host_hangs_up(conference)
        await there.until(lambda: there.is_over(conference))


async def test_a_conference_of_a_colleague_that_began_before_the_gateway_does_no_harm(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.open_conference(there.sim.add_extension("Cem Yilmaz", "102"))

    async with house(tmp_path, arrange=arrange, scope="account", poll_interval_s=0.1) as there:
        conference, _ = await there.meeting(BEN)
        [other] = {*there.sim.conferences()} - {conference}
        there.sim.set_muted(other, there.sim.people(other)[0].party_id, True)
        await found(there, other)  # the first event shows it
        assert there.seat.link.status is BackendStatus.LIVE


@pytest.mark.parametrize("delivery", [(), ("shuffle_events",), ("duplicate_events", "shuffle_events")])
async def test_a_whole_account_is_followed_in_any_order(tmp_path: Path, delivery: tuple[str, ...]) -> None:
    async with house(tmp_path, scope="account") as there:
        colleague = there.sim.add_extension("Cem Yilmaz", "102")
        for fault in delivery:
            setattr(there.sim.faults, fault, True)
        rooms = {}
        for who in (there.host, colleague):
            conference = rooms[who.name] = there.sim.open_conference(who)
            for number in (BEN, CEM):
                there.sim.bring_in(conference, there.sim.make_call(who, number))
        for conference in rooms.values():
            await found(there, conference)
            assert [number for _, number in there.names(conference)].count(BEN) == 1
            there.sim.host_hangs_up(conference)
            await there.until(lambda conference=conference: there.is_over(conference))
            assert len(there.joined(conference)) == len(there.left(conference)) == 3
