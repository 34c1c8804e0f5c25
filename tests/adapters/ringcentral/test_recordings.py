"""Each recording is read byte for byte, and comes out as the right room: joined, left, and under whose number."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.kit.understanding import decoded
from adapters.ringcentral.calls import Calls
from adapters.ringcentral.events import Code, Interpreter, SessionTold, party_read, session_read
from adapters.ringcentral.wire import unwrapped
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport
from gateway.model.room import Participant, ParticipantRole, RoomState
from tests.adapters.ringcentral.told import ROOM, Clock, Watcher, host

RECORDINGS = Path(__file__).parents[2] / "recordings" / "ringcentral"
SEED_ROOM = RoomId("s-a0d7bfa2dd198z18deb4fcc72z184536c0000")
SEED_LEG = ParticipantId("p-a0d7bfa2dd198z18deb4fcc72z184536c0000-2")


def recording(name: str) -> bytes:
    return (RECORDINGS / name).read_bytes()


class Replay:
    """Recordings on their way through the interpreter and the calls."""

    def __init__(self) -> None:
        self.interpreter = Interpreter()
        self.calls = Calls(clock=Clock())
        self.watcher = Watcher()

    def tell(self, name: str) -> None:
        told = self.interpreter.read(recording(name))
        assert isinstance(told, SessionTold)
        self.watcher.take(self.calls.told(told))
        assert self.interpreter.misunderstood == 0

    def read(self, name: str) -> None:
        session = session_read(unwrapped(decoded(recording(name), name)), self.interpreter.complain)
        self.watcher.take(self.calls.read(session))
        assert self.interpreter.misunderstood == 0

    def host_is_in(self, room: RoomId) -> None:
        told = SessionTold(session_id=room, sequence=4, is_conference=True, parties=(host(Code.ANSWERED, room=room),))
        self.watcher.take(self.calls.told(told))


@pytest.fixture(name="replay")
def _replay() -> Replay:
    return Replay()


def test_every_recording_is_used_and_named_in_the_readme() -> None:
    here, readme = Path(__file__).read_text(), (RECORDINGS / "README.md").read_text()
    for path in RECORDINGS.glob("*.json"):
        assert path.name in here
        assert path.name in readme


def test_the_second_event_of_the_forum_answer_is_mended_in_one_line_only() -> None:
    broken = recording("seed-removed.json").replace(b'"parties": [\n', b'"parties": 2\n')
    assert hashlib.sha256(broken).hexdigest() == SECOND_AS_PUBLISHED
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert hashlib.sha256(recording("seed-added.json")).hexdigest() == FIRST_AS_PUBLISHED


FIRST_AS_PUBLISHED = "0dd5076360a7ccafbeeda224bba59a5123b7b3b46fa7e78bfd08538a39d60734"
SECOND_AS_PUBLISHED = "0f1faddc5af621fc846049b6f7aab3e28d1030d1a586cbdd16f7bc105ec4f57a"


def test_the_events_of_the_forum_answer_come_out_as_joined_and_left(replay: Replay) -> None:
    replay.host_is_in(SEED_ROOM)
    replay.tell("seed-added.json")
    assert replay.watcher.room(SEED_ROOM).participants[SEED_LEG] == Participant(
        id=SEED_LEG,
        leg_id="p-a0d17b82ddacdz18deb4ee132z1878e190000-1",
        display_name="Paco Vu",
        number="11119",
        user_id="622883XXXXX",
        role=ParticipantRole.PARTICIPANT,
        joined_at=datetime(2024, 2, 27, 16, 4, 52, 223000, tzinfo=UTC),
    )
    replay.tell("seed-removed.json")
    assert replay.watcher.history(SEED_ROOM)[1:] == [f"{SEED_LEG} joined as 11119", f"{SEED_LEG} left"]


@pytest.mark.parametrize(
    "names",
    [
        ("seed-removed.json", "seed-added.json"),
        ("seed-added.json", "seed-added.json", "seed-removed.json", "seed-removed.json"),
        ("seed-removed.json", "seed-added.json", "seed-removed.json", "seed-added.json"),
    ],
)
def test_late_and_doubled_they_come_out_the_same(replay: Replay, names: tuple[str, ...]) -> None:
    replay.host_is_in(SEED_ROOM)
    for name in names:
        replay.tell(name)
    assert replay.watcher.history(SEED_ROOM)[1:] == [f"{SEED_LEG} joined as 11119", f"{SEED_LEG} left"]


def test_before_anything_is_known_of_its_room_the_first_has_the_room_read(replay: Replay) -> None:
    told = replay.interpreter.read(recording("seed-added.json"))
    assert told is not None
    assert replay.calls.told(told) == [DoubtReport(room_id=SEED_ROOM)]


def test_a_created_room_is_there_before_its_host(replay: Replay) -> None:
    replay.read("created.json")
    assert replay.watcher.room().state is RoomState.IDLE


def test_a_conference_that_is_read_has_its_host_and_waits_for_the_names_of_the_others(replay: Replay) -> None:
    replay.read("session.json")
    assert set(replay.watcher.room().participants) == {"p-C-1"}
    assert replay.calls.wanted == ["s-A", "s-B"]
    assert replay.calls.host_of(ROOM) == "p-C-1"
    replay.tell("event-of-call.json")
    assert replay.calls.wanted == ["s-B"]
    shown = replay.watcher.room().participants[ParticipantId("p-C-2")]
    assert (shown.number, shown.display_name, shown.user_id, shown.muted) == ("11119", "N", "E2", False)


def test_the_answer_to_bring_in_makes_nobody_join(replay: Replay) -> None:
    replay.host_is_in(ROOM)
    answer = party_read(decoded(recording("bring-in.json"), "party"))
    assert answer.code is Code.SETUP
    assert replay.calls.party(ROOM, answer) == []
    assert set(replay.watcher.room().participants) == {"p-C-1"}
