"""A make-believe switch with one room: the truth that our picture is held against, and the reports it makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from gateway.model.events import PARTICIPANT_FIELDS
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import (
    EndReport,
    JoinReport,
    LeaveReport,
    RoomReport,
    RoomReports,
    StartReport,
    UpdateReport,
)
from gateway.model.room import NOBODY, LeaveReason, Participant, ParticipantRole, Room, RoomFacts, RoomState

ROOM = RoomId("3000")
SAID = [name for name in PARTICIPANT_FIELDS if name != "joined_at"]
FACTS = ("name", "locked", "recording", "permanent", "run_id")


@dataclass(frozen=True)
class Habits:
    """What a switch tells of itself.

    Shape: `named` runs, `indexed` presences, announced `starts`, a leave each at the end, everything said at a join;
           `ids_return` lets the same id come again later: without `indexed` nothing tells such presences apart.
    """

    named: bool = True
    indexed: bool = True
    starts: bool = True
    leaves_at_end: bool = True
    wordy: bool = True
    permanent: bool = True
    ids_return: bool = True

    @property
    def distinct(self) -> bool:
        """Whether every presence can be told from every other."""
        return self.indexed or not self.ids_return


habits = st.builds(Habits, *[st.booleans()] * 7)
Step = tuple[str, int, bool]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["start", "end", "join", "join", "leave", "muted", "deafened", "talking", "lock", "record", "rename"]
        ),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=40,
)


class Switch:
    """The room as it truly is; each step changes it and gives the reports of the change, in their true order."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.room = Room(id=ROOM, permanent=habits.permanent, name="Sales", locked=False, recording=False)
        self._runs = 0
        self._joins = 0

    def do(self, step: Step) -> list[RoomReports]:
        """Take one step; an impossible one changes nothing."""
        what, who, value = step
        match what:
            case "start" if self.room.state is not RoomState.ACTIVE and self.habits.starts:
                return self._start()
            case "end" if self.room.state is RoomState.ACTIVE:
                return self._end()
            case "join":
                return self._join(who)
            case "leave" if self._present(who):
                return [self._leave(self._present(who)[0])]
            case "lock" | "record" if self.room.state is RoomState.ACTIVE:
                return self._tell({"lock": "locked", "record": "recording"}[what], value)
            case "rename":
                return self._tell("name", f"Sales {who}")
            case "muted" | "deafened" | "talking" if self._present(who):
                return self._change(self._present(who)[0], what, value)
        return []

    def _present(self, who: int) -> list[Participant]:
        return [each for each in self.room.participants.values() if each.leg_id == f"leg {who}"]

    @property
    def _run(self) -> str | None:
        return self.room.run_id

    def _start(self) -> list[RoomReports]:
        self._runs += 1
        run_id = f"run {self._runs}" if self.habits.named else None
        self.room = replace(self.room, state=RoomState.ACTIVE, run_id=run_id, locked=False, recording=False)
        return [StartReport(room_id=ROOM, run_id=run_id)] if self.habits.starts else []

    def _end(self) -> list[RoomReports]:
        run_id = self._run
        present = list(self.room.participants.values())
        leaves: list[RoomReports] = [self._leave(each) for each in present] if self.habits.leaves_at_end else []
        state = RoomState.IDLE if self.habits.permanent else RoomState.ENDED
        self.room = replace(self.room, state=state, run_id=None, participants=NOBODY, locked=False, recording=False)
        return [*leaves, EndReport(room_id=ROOM, run_id=run_id)]

    def _join(self, who: int) -> list[RoomReports]:
        if self._present(who):
            return []
        started = self._start() if self.room.state is not RoomState.ACTIVE else []
        self._joins += 1
        one = Participant(
            id=ParticipantId(f"{who}" if self.habits.ids_return else f"{who}/{self._joins}"),
            leg_id=f"leg {who}",
            index=self._joins if self.habits.indexed else None,
            display_name=f"Person {who}",
            number=f"+3312345670{who}",
            username=f"user{who}",
            user_id=f"u-{who}",
            role=ParticipantRole.MODERATOR if who == 0 else ParticipantRole.PARTICIPANT,
            muted=False,
            deafened=False,
            on_hold=False,
            talking=False,
            floor=False,
        )
        self._put(one)
        said = one if self.habits.wordy else Participant(id=one.id, leg_id=one.leg_id, index=one.index, muted=False)
        return [*started, JoinReport(room_id=ROOM, participant=said, run_id=self._run)]

    def _leave(self, one: Participant) -> LeaveReport:
        rest = {key: each for key, each in self.room.participants.items() if key != one.id}
        self.room = replace(self.room, participants=rest)
        return LeaveReport(
            room_id=ROOM, participant_id=one.id, reason=LeaveReason.HUNG_UP, index=one.index, run_id=self._run
        )

    def _change(self, one: Participant, field: str, value: bool) -> list[RoomReports]:
        changes: dict[str, Any] = {field: value}
        self._put(replace(one, **changes))
        sparse = replace(Participant(id=one.id, index=one.index), **changes)
        return [UpdateReport(room_id=ROOM, participant=sparse, run_id=self._run)]

    def _tell(self, field: str, value: object) -> list[RoomReports]:
        changes: dict[str, Any] = {field: value}
        self.room = replace(self.room, **changes)
        return [RoomReport(room_id=ROOM, facts=replace(RoomFacts(), **changes), run_id=self._run)]

    def _put(self, one: Participant) -> None:
        self.room = replace(self.room, participants={**self.room.participants, one.id: one})


def assert_true(known: Room, truth: Room, *, all_known: bool) -> None:
    """Hold a picture against the truth; without `all_known` what the picture leaves open is passed over."""
    assert known.state is truth.state
    assert set(known.participants) == set(truth.participants)
    for name in FACTS:
        value = getattr(known, name)
        assert (value is None and not all_known) or value == getattr(truth, name), name
    for key, one in truth.participants.items():
        for name in SAID:
            value = getattr(known.participants[key], name)
            assert (value is None and not all_known) or value == getattr(one, name), (key, name)


Delivery = Sequence[Sequence[int]]
"""For each report in turn, how much later each of its copies comes: () it is lost, (0,) it comes in its place."""
copies = st.one_of(
    st.just((0,)),
    st.lists(st.integers(0, 6), max_size=3).map(tuple),
    st.lists(st.integers(0, 1000), max_size=2).map(tuple),
)
deliveries = st.lists(copies, max_size=120)


def delivered(reports: Sequence[RoomReports], delivery: Delivery) -> list[RoomReports]:
    """Put reports in the order in which they come; those without an entry in `delivery` come in their place."""
    coming = [
        (turn + late, turn, report)
        for turn, report in enumerate(reports)
        for late in (delivery[turn] if turn < len(delivery) else (0,))
    ]
    return [report for _, _, report in sorted(coming, key=lambda each: each[:2])]
