"""The adapter on a simulated Telphin: who is seen and how, what was lost, and what becomes of it without a quota."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.live.link import BackendStatus
from gateway.model.errors import LinkDown, NotesUnavailable
from gateway.model.ids import ParticipantId
from gateway.model.room import LeaveReason, RoomDetail, RoomState
from tests.adapters.telphin.signed_in import nowhere
from tests.adapters.telphin.telphin_gateway import STRANGER, House, adapter_for, gateway_at, house, simulated

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = {"clock": lambda: 1_714_565_700.25}
"""A clock that stands still, 2700 seconds before the end of an hour."""


def event_time(there: House, kind: str) -> datetime:
    """When the last event of a kind says it happened."""
    [*_, last] = [each.params for each in there.sim.webhooks if each.params["EventType"] == kind]
    return EPOCH + timedelta(microseconds=int(last["EventTime"]))


async def test_rooms_are_shown_with_what_telphin_keeps_of_them(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales", number="850", pin="1234", moderator_pin="4321", max_members=7, enter_sound=5)

    async with house(tmp_path, arrange=arrange) as there:
        [room] = there.sim.rooms()
        shown = there.room(room)
        assert (shown.name, shown.numbers, shown.state) == ("Sales", ("850",), RoomState.IDLE)
        assert (shown.detail, shown.pin_required, shown.locked) == (RoomDetail.SUMMARY, True, None)
        assert shown.settings is not None
        assert shown.settings.member_pins == ("1234",)
        assert shown.settings.moderator_pins == ("4321",)
        assert (shown.settings.max_participants, shown.settings.entry_tone) == (7, "5")
        assert shown.settings.native["status"] == "active"
        assert "1234" not in str(shown.settings.native)


async def test_somebody_outside_is_seen_to_come_and_go_to_the_microsecond(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales")) as there:
        [room] = there.sim.rooms()
        leg = there.join(room, number=STRANGER, name="Ann")
        await there.until_shown(room, leg)
        [ann] = there.people(room).values()
        assert (ann.number, ann.display_name, ann.user_id, ann.leg_id) == (STRANGER, "Ann", None, there.legs(room)[leg])
        assert (ann.muted, ann.role, ann.deafened, ann.talking, ann.on_hold) == (None, None, None, None, None)
        assert ann.joined_at == event_time(there, "dial-in")
        assert there.room(room).started_at == ann.joined_at
        there.leaves(room, leg)
        await there.until_shown(room)
        assert there.room(room).state is RoomState.IDLE
        assert there.joined(room) == [leg]
        assert [who for who, _ in there.left(room)] == [leg]


async def test_a_colleague_is_recognised_by_their_extension_and_a_withheld_number_is_none(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales")) as there:
        [room] = there.sim.rooms()
        leg = there.join(room, phone=there.identity)
        hidden = there.join(room, number="")
        await there.until_shown(room, leg, hidden)
        assert there.people(room)[ParticipantId(leg)].user_id == there.identity
        assert there.people(room)[ParticipantId(hidden)].number is None
        await there.read(room)
        assert there.joined(room) == [leg, hidden]


async def test_who_asks_for_a_pin_at_the_door_is_not_in(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales", pin="1234")) as there:
        [room] = there.sim.rooms()
        at_the_door = there.sim.dials(room, phone=there.identity)
        await there.read(room)
        assert there.people(room) == {}
        there.sim.press(room, at_the_door, "1234#")
        await there.until_shown(room, *there.legs(room))


async def test_who_came_before_the_gateway_is_found_if_on_a_phone_and_is_one_person_when_an_event_follows(
    tmp_path: Path,
) -> None:
    async with simulated() as (there, app):
        room = there.sim.add_room("Sales")
        leg = there.join(room, phone=there.identity)
        there.join(room, number=STRANGER)
        async with gateway_at(there, app, tmp_path) as seat:
            await seat.until_status(BackendStatus.LIVE)
            [(who, shown)] = there.people(room).items()
            assert who == leg
            assert (shown.user_id, shown.number) == (there.identity, "101")
            there.leaves(room, leg)
            await there.until_shown(room)
            assert there.joined(room) == [who]


async def test_a_phone_whose_leave_was_lost_is_found_gone_and_others_stay_until_it_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales")) as there:
        [room] = there.sim.rooms()
        phone = there.join(room, phone=there.identity)
        outside = there.join(room, number=STRANGER)
        await there.until_shown(room, phone, outside)
        there.sim.faults.lose_webhooks = True
        there.leaves(room, phone)
        there.leaves(room, outside)
        await there.read(room)
        assert set(there.people(room)) == {outside}
        assert there.left(room) == [(phone, LeaveReason.UNKNOWN)]


async def test_events_that_come_twice_and_in_any_order_are_one_coming_and_one_going(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales")) as there:
        [room] = there.sim.rooms()
        there.sim.faults.double_webhooks = there.sim.faults.shuffle_webhooks = True
        legs = [there.join(room, number=f"7999000000{each}") for each in range(4)]
        await there.until_shown(room, *legs)
        for leg in legs[:2]:
            there.leaves(room, leg)
        await there.until_shown(room, *legs[2:])
        assert sorted(there.joined(room)) == sorted(legs)
        assert sorted(who for who, _ in there.left(room)) == sorted(legs[:2])


async def test_an_event_of_a_room_that_nobody_knows_and_garbage_cost_themselves(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales")) as there:
        [room] = there.sim.rooms()
        there.sim.send(room, b"EventType=answer&SubCallID=999999-c1&CalledExtensionID=999999&CallerIDNum=7")
        there.sim.send(room, b"\xff\xfe&EventType=%zz")
        await there.until_shown(room, there.join(room, number=STRANGER))
        assert there.adapter.misunderstood == 1
        assert list(there.seat.live.links) == [there.seat.link.id]
        assert [each.key.room_id for each in there.seat.live.rooms()] == [room]


async def test_rooms_that_come_and_go_at_telphin_are_found_by_reading(tmp_path: Path) -> None:
    async with house(tmp_path, poll_interval_s=0.05) as there:
        room = there.sim.add_room("Sales")
        await there.until(lambda: there.is_known(room))
        leg = there.join(room, number=STRANGER)
        await there.until_shown(room, leg)
        there.sim.remove_room(room)
        await there.until(lambda: not there.is_known(room))
        assert there.seat.link.status is BackendStatus.LIVE


async def test_settings_are_read_once_in_a_while_and_when_the_room_is(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales"), poll_interval_s=0.02) as there:
        [room] = there.sim.rooms()
        await there.sim.until(lambda: there.asked("GET /current_calls/") >= 4)
        assert there.asked(f"GET /extension/{room}/conference/") == 1
        there.sim.configure(room, pin="9753")
        await there.read(room)
        assert there.room(room).settings is not None
        assert there.room(room).pin_required


# ---- what goes wrong ----


async def test_a_wrong_secret_is_for_the_operator_to_mend(tmp_path: Path) -> None:
    async with house(tmp_path, live=False, app_secret="wrong") as there:
        await there.seat.until_status(BackendStatus.FAILED)
        assert "secret" in str(there.seat.link.status_reason)


@pytest.mark.parametrize(
    ("reason", "asked_for"),
    [
        ("app_access_type_deny", "grant it the access level All"),
        ("user_access_type_deny", "raise the user's access type"),
        ("access_denied", "let the user manage"),
        ("user_blocked", "unblock the user"),
    ],
)
async def test_what_is_forbidden_says_what_to_ask_the_administrator_for(
    tmp_path: Path, reason: str, asked_for: str
) -> None:
    def arrange(there: House) -> None:
        there.sim.faults.forbidden = reason  # type: ignore[assignment]  # the four there are

    async with house(tmp_path, arrange=arrange, live=False) as there:
        await there.seat.until_status(BackendStatus.FAILED)
        assert asked_for in str(there.seat.link.status_reason)
        there.sim.faults.forbidden = None
        await there.seat.until_status(BackendStatus.LIVE)


async def test_without_a_quota_for_the_first_reading_there_is_no_link_and_it_says_why(tmp_path: Path) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales")
        there.sim.spend_quota()

    async with house(tmp_path, arrange=arrange, live=False, sim=NOON) as there:
        await there.until(lambda: "quota" in str(there.seat.link.status_reason))
        assert there.seat.link.status is BackendStatus.CONNECTING
        asked = len(there.sim.requests)
        for _ in range(3):
            with pytest.raises(LinkDown, match=r"quota of requests is spent: it takes another in 2[67].. s"):
                async with there.adapter.feed():
                    pass
        assert len(there.sim.requests) == asked


async def test_when_the_quota_is_spent_webhooks_go_on_and_readings_are_left_out(tmp_path: Path) -> None:
    async with house(
        tmp_path, arrange=lambda there: there.sim.add_room("Sales"), sim=NOON, poll_interval_s=0.02
    ) as there:
        [room] = there.sim.rooms()
        first = there.join(room, number=STRANGER)
        await there.until_shown(room, first)
        assert not there.adapter.troubles
        there.sim.spend_quota(leaving=6)
        await there.read(room)  # the answer says how little is left
        [trouble] = there.adapter.troubles
        assert "only its webhooks tell" in trouble
        asked = len(there.sim.requests)
        second = there.join(room, phone=there.identity)
        await there.until_shown(room, first, second)
        there.leaves(room, first)
        await there.until_shown(room, second)
        await there.read(room)
        assert set(there.people(room)) == {second}
        assert len(there.sim.requests) == asked
        assert there.seat.link.status is BackendStatus.LIVE


async def test_what_is_told_while_telphin_cannot_be_asked_is_not_lost(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=lambda there: there.sim.add_room("Sales"), poll_interval_s=0.02) as there:
        [room] = there.sim.rooms()
        stays, goes = there.join(room, number=STRANGER), there.join(room, number="79990003344")
        await there.until_shown(room, stays, goes)
        there.sim.faults.http_status = 500
        await there.seat.until_status(BackendStatus.STALE)
        told = len(there.sim.webhooks)
        there.leaves(room, goes)
        comes = there.join(room, number="79990005566")
        await there.sim.until(lambda: len(there.sim.webhooks) == told + 3)
        there.sim.faults.http_status = None
        await there.seat.until_status(BackendStatus.LIVE)
        await there.until_shown(room, stays, comes)


async def test_a_telphin_that_is_not_there_is_a_link_that_is_down(tmp_path: Path) -> None:
    async with house(tmp_path, live=False, url=nowhere()) as there:
        await there.until(lambda: "cannot connect" in str(there.seat.link.status_reason))


async def test_of_two_processes_that_make_a_secret_both_have_the_one_that_is_noted() -> None:
    class Shared:
        """Notes in which another process has the last word."""

        noted: dict[str, str]

        async def all(self) -> dict[str, str]:
            return dict(self.noted)

        async def put(self, key: str, text: str) -> None:
            self.noted[key] = "of-the-other-process-0123456789abcdefghij"

        async def drop(self, key: str) -> None:
            self.noted.pop(key, None)

    async with simulated() as (there, _):
        room = there.sim.add_room("Sales")
        adapter = adapter_for(there.sim, there.hook)
        notes = Shared()
        notes.noted = {}
        adapter.keep_notes(notes)
        async with adapter.feed():
            await there.sim.until(lambda: len(there.sim.subscriptions(room)) == 3)
        urls = {each.url for each in there.sim.subscriptions(room)}
        assert urls == {f"{there.hook}of-the-other-process-0123456789abcdefghij"}
        await adapter.aclose()


async def test_nothing_is_subscribed_with_a_secret_that_could_not_be_noted() -> None:
    class Full:
        async def all(self) -> dict[str, str]:
            return {}

        async def put(self, key: str, text: str) -> None:
            raise NotesUnavailable("the storage is full")

        async def drop(self, key: str) -> None:
            raise AssertionError

    async with simulated() as (there, _):
        there.sim.add_room("Sales")
        adapter = adapter_for(there.sim, there.hook)
        adapter.keep_notes(Full())
        with pytest.raises(NotesUnavailable):
            async with adapter.feed():
                pass
        assert not there.sim.upkeep
        with pytest.raises(LinkDown):
            await adapter.snapshot()
        await adapter.aclose()
