"""One conference from beginning to end, over the socket and by a hook, in order, shuffled and doubled: the same."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gateway.live.results import CommandOutcome
from gateway.model.commands import Action
from gateway.model.room import LeaveReason, ParticipantRole, RoomState
from tests.adapters.ringcentral.ringcentral_gateway import WAYS, House, house

DELIVERIES: dict[str, tuple[str, ...]] = {
    "in order": (),
    "shuffled": ("shuffle_events",),
    "doubled": ("duplicate_events",),
    "shuffled and doubled": ("shuffle_events", "duplicate_events"),
}
GUEST_A, GUEST_B = "+15550100001", "+15550100002"
MOMENTS = ("at", "joined_at", "left_at", "started_at", "ended_at")

Story = list[tuple[Any, ...]]


def plain(value: Any, words: dict[str, str]) -> Any:
    """Write anything without moments, and with the same word for an id in every run."""
    if hasattr(value, "__dataclass_fields__"):
        named = {each.name: getattr(value, each.name) for each in fields(value) if each.name not in MOMENTS}
        return type(value).__name__, {name: plain(each, words) for name, each in named.items()}
    if hasattr(value, "items"):
        return {plain(name, words): plain(each, words) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(each, words) for each in value)
    return words.get(value, value) if isinstance(value, str) else value


async def call(there: House, number: str, name: str) -> str:
    """The host dials somebody and puts them on hold."""
    session = there.sim.make_call(there.host, number, name)
    there.sim.set_hold(session, there.sim.own_party_id(session), True)
    return session


async def played(there: House, faults: tuple[str, ...]) -> tuple[Story, list[Any]]:
    """Play it all; give what was told, and the room as it was shown after each step."""
    for fault in faults:
        setattr(there.sim.faults, fault, True)
    calls = [await call(there, GUEST_A, "Ben"), await call(there, GUEST_B, "Cem")]
    own_legs = [there.sim.own_party_id(each) for each in calls]
    shown: list[Any] = []

    made = await there.create("Board")
    assert made.outcome is CommandOutcome.CONFIRMED
    assert made.key is not None
    conference = made.key.room_id
    assert made.voice_call_token == there.sim.session(conference).token
    shown.append(there.room(conference))

    host = there.sim.host_dials(conference)
    await there.until_shown(conference, host)
    shown.append(there.room(conference))

    legs = [host]
    for session in calls:
        brought = await there.invite(conference, session)
        assert brought.outcome is CommandOutcome.CONFIRMED
        assert brought.participant is not None
        legs.append(brought.participant.id)
        await there.until_shown(conference, *legs)
        shown.append(there.room(conference))

    _, guest_a, guest_b = legs
    assert (await there.do_to(Action.MUTE, conference, guest_a)).outcome is CommandOutcome.CONFIRMED
    shown.append(there.room(conference))
    assert (await there.do_to(Action.KICK, conference, guest_a)).outcome is CommandOutcome.CONFIRMED
    await there.until_shown(conference, host, guest_b)
    shown.append(there.room(conference))
    assert (await there.close(conference)).outcome is CommandOutcome.CONFIRMED
    shown.append(there.room(conference))
    assert there.adapter.misunderstood == 0

    words = {
        conference: "room",
        host: "host",
        guest_a: "guest a",
        guest_b: "guest b",
        there.identity: "host's extension",
    }
    words |= dict(zip(own_legs, ("call a", "call b"), strict=True))
    told = [plain(event, words) for event in there.events(conference)]
    return told, [plain(each, words) for each in shown]


def told_of(told: Story) -> dict[str, Story]:
    """What was told, participant by participant, and of the room: who goes first when it ends is left to chance."""
    found: dict[str, Story] = {}
    for kind, what in told:
        about = what["participant"][1]["id"] if "participant" in what else "room"
        found.setdefault(about, []).append((kind, what))
    return found


def in_order(bodies: list[Any]) -> bool:
    """Whether the events of each session came in the order of their numbers."""
    numbers: dict[str, list[int]] = {}
    for body in bodies:
        numbers.setdefault(body["telephonySessionId"], []).append(body["sequence"])
    return all(each == sorted(each) for each in numbers.values())


@pytest.fixture(scope="module")
def first_run() -> dict[str, Any]:
    """What the first of the runs came to: all others have to come to the same."""
    return {}


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("way", WAYS)
async def test_the_story_is_the_same_however_it_is_delivered(
    tmp_path: Path, way: str, delivery: str, first_run: dict[str, Any]
) -> None:
    async with house(tmp_path, notifications=way) as there:
        told, shown = await played(there, DELIVERIES[delivery])
        uuids = [each.notification["uuid"] for each in there.sim.notifications]
        bodies = [each.notification["body"] for each in there.sim.notifications]
    assert (len(set(uuids)) < len(uuids)) is ("doubled" in delivery)
    assert (not in_order(bodies)) is ("shuffled" in delivery)
    first_run.setdefault("told", told_of(told))
    first_run.setdefault("shown", shown)
    assert told_of(told) == first_run["told"]
    assert shown == first_run["shown"]


async def test_the_story_is_this(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        told, shown = await played(there, ())
    assert [short(event) for event in told] == [
        ("RoomAppeared", "Board", RoomState.IDLE),
        ("RoomUpdated", "Board", RoomState.ACTIVE),
        ("ParticipantJoined", "host", "Ada Lambert", "+16505559000", ParticipantRole.MODERATOR, False),
        ("ParticipantJoined", "guest a", "Ben", GUEST_A, ParticipantRole.PARTICIPANT, False),
        ("ParticipantJoined", "guest b", "Cem", GUEST_B, ParticipantRole.PARTICIPANT, False),
        ("ParticipantUpdated", "guest a", "Ben", GUEST_A, ParticipantRole.PARTICIPANT, True),
        ("ParticipantLeft", "guest a", "Ben", GUEST_A, ParticipantRole.PARTICIPANT, True, LeaveReason.KICKED),
        (
            "ParticipantLeft",
            "host",
            "Ada Lambert",
            "+16505559000",
            ParticipantRole.MODERATOR,
            False,
            LeaveReason.ROOM_CLOSED,
        ),
        ("ParticipantLeft", "guest b", "Cem", GUEST_B, ParticipantRole.PARTICIPANT, False, LeaveReason.ROOM_CLOSED),
        ("RoomEnded", "Board", RoomState.ENDED),
    ]
    who = [list(room["participants"]) for _, room in shown]
    host, a, b = "host", "guest a", "guest b"
    assert who == [[], [host], [host, a], [host, a, b], [host, a, b], [host, b], []]


def short(event: tuple[Any, ...]) -> tuple[Any, ...]:
    """What is worth reading of an event."""
    kind, what = event
    if "room" in what:
        return kind, what["room"][1]["name"], what["room"][1]["state"]
    _, who = what["participant"]
    reason = (what["reason"],) if "reason" in what else ()
    return kind, who["id"], who["display_name"], who["number"], who["role"], who["muted"], *reason
