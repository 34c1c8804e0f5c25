"""What the tests of Bandwidth tell and answer, and somebody who believes nothing and folds reports into histories."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.events import CallState, CallTold, ConferenceTold, MemberTold, Told
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from gateway.model.events import ParticipantJoined, ParticipantLeft, RoomEnded
from gateway.model.history import appearance
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.repair import RoomMemory, repair
from gateway.model.reports import DoubtReport, EndReport, PictureReport, Report, RosterDoubtReport
from gateway.model.room import Participant, Room
from tests.gateway.model.invariants import Follower

START = datetime(2017, 1, 26, 1, 58, tzinfo=UTC)
CONFERENCE = "conf-1"
ROOM = RoomId(CONFERENCE)


def at_s(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def conference_json(state: str = "active", count: int = 0, **more: object) -> ConferenceJson:
    """What GET answers of a conference."""
    answer: ConferenceJson = {
        "id": CONFERENCE,
        "state": state,
        "from": "+19703255647",
        "createdTime": "2017-01-26T01:57:59Z",
        "activeMembers": count,
        "hold": False,
        "mute": False,
        "profile": "interpret_digits",
    }
    answer.update(more)  # type: ignore[typeddict-item]  # fields of ConferenceJson by name
    return answer


def member_json(n: int, *, mute: bool = False, hold: bool = False, left: bool = False) -> MemberJson:
    """What the list of members has of one of them."""
    answer: MemberJson = {
        "id": f"member-{n}",
        "state": "completed" if left else "active",
        "mute": mute,
        "hold": hold,
        "addedTime": f"2017-01-26T01:58:{n:02}Z",
        "call": f"https://api.catapult.inetwork.com/v1/users/u-1/calls/c-{n}",
    }
    if left:
        answer["removedTime"] = "2017-01-26T01:59:59Z"
    return answer


def call_json(n: int, state: str = "active") -> CallJson:
    return {"id": f"c-{n}", "direction": "in", "from": f"+1202555{n:04}", "to": "+19703255647", "state": state}


class Watcher:
    """Folds reports as the gateway's table does, and checks each event."""

    def __init__(self) -> None:
        self.follower: Follower | None = None
        self.memory = RoomMemory()
        self.doubts = 0
        self.ends = 0

    def take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            assert not isinstance(report, RosterDoubtReport)
            assert report.room_id == ROOM
            if isinstance(report, DoubtReport):
                self.doubts += 1
            elif self.follower is not None:
                assert self.follower.room is not None
                self._fold(self.follower.room, report)
            elif isinstance(report, PictureReport):
                self.follower = Follower()
                for event in appearance(report.room, START):
                    self.follower.take(event)
            self.ends += isinstance(report, EndReport)

    def _fold(self, room: Room, report: PictureReport | Report) -> None:
        assert isinstance(report, PictureReport | EndReport)
        assert self.follower is not None
        repaired = repair(room, self.memory, report, START)
        assert not repaired.doubt
        for event in repaired.events:
            assert self.follower.room is not None
            self.memory.note(self.follower.room, event)
            self.follower.take(event)

    @property
    def room(self) -> Room:
        assert self.follower is not None
        assert self.follower.room is not None
        return self.follower.room

    @property
    def people(self) -> dict[ParticipantId, Participant]:
        return dict(self.room.participants)

    def history(self) -> list[str]:
        """What happened to people, and the end."""
        said: list[str] = []
        for event in self.follower.events if self.follower else ():
            match event:
                case ParticipantJoined(_, participant):
                    said.append(f"{participant.id} joined")
                case ParticipantLeft(_, participant, _):
                    said.append(f"{participant.id} left")
                case RoomEnded():
                    said.append("over")
        return said


class Line:
    """One conference with a clock, told of by events and answers, and watched."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.conferences = Conferences()
        self.watcher = Watcher()
        self.conferences.serve(CONFERENCE, "Board")

    def tell(self, told: Told) -> list[Report]:
        self.now_s += 1
        reports = self.conferences.told(told, at_s(self.now_s))
        self.watcher.take(reports)
        return reports

    def member(
        self,
        n: int,
        *,
        present: bool = True,
        mute: bool | None = False,
        hold: bool | None = False,
        count: int | None = None,
        at: float | None = -1.0,
    ) -> list[Report]:
        """Tell of a member, as happening now unless said otherwise; -1 is now."""
        when = self.now_s + 1 if at == -1.0 else at
        return self.tell(
            MemberTold(
                conference_id=CONFERENCE,
                member_id=f"member-{n}",
                call_id=f"c-{n}",
                present=present,
                muted=mute,
                on_hold=hold,
                active_members=count,
                at=None if when is None else at_s(when),
            )
        )

    def completed(self) -> list[Report]:
        return self.tell(ConferenceTold(conference_id=CONFERENCE, completed=True, at=at_s(self.now_s)))

    def hung_up(self, n: int) -> list[Report]:
        return self.tell(CallTold(call_id=f"c-{n}", state=CallState.OVER))

    def read(
        self,
        *members: MemberJson,
        conference: ConferenceJson | None = None,
        asked_s: float | None = None,
        with_members: bool = True,
    ) -> list[Report]:
        """Answer a reading that was asked for now, unless said otherwise."""
        self.now_s += 1
        count = sum(each.get("state") == "active" for each in members)
        answer = conference or conference_json(count=count)
        asked_at = at_s(self.now_s if asked_s is None else asked_s)
        reports = self.conferences.read(answer, members if with_members else None, asked_at)
        self.watcher.take(reports)
        return reports

    @property
    def doubts(self) -> int:
        return self.watcher.doubts

    def people(self) -> dict[ParticipantId, Participant]:
        return self.watcher.people

    def somebody(self, n: int) -> Participant:
        return self.watcher.people[ParticipantId(f"member-{n}")]
