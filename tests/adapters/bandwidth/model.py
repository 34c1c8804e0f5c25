"""Bandwidth as far as its pages tell: one conference, the events it emits, and what GET answers; the truth of it all.

What no page says is a switch: whether an event has the member's own flags or those of the conference on top, whether
the conference's own changes are told at all, how precise times are, and how far its clock is from ours.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.bandwidth.events import CallState, CallTold, ConferenceTold, MemberTold, Told
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from tests.adapters.bandwidth.told import CONFERENCE, START

MOST = 20
Shown = tuple[bool, bool, str]
"""Muted, on hold, and by which call."""


@dataclass
class TrueMember:
    """Somebody who is, or was, in the conference."""

    id: str
    call_id: str
    added_at: datetime
    mute: bool = False
    hold: bool = False
    removed_at: datetime | None = None


@dataclass
class Bandwidth:
    """A conference and what is true of it."""

    effective: bool = False
    tells_whole: bool = True
    whole_seconds: bool = False
    skew_s: float = 0.0
    now: datetime = START
    state: str = "created"
    mute: bool = False
    hold: bool = False
    members: list[TrueMember] = field(default_factory=list)
    emitted: list[Told] = field(default_factory=list)

    # ---- what is true ----

    @property
    def here(self) -> list[TrueMember]:
        return [each for each in self.members if each.removed_at is None]

    @property
    def shown(self) -> dict[str, Shown]:
        return {each.id: (each.mute or self.mute, each.hold or self.hold, each.call_id) for each in self.here}

    # ---- what happens ----

    def tick(self, seconds: float = 0.05) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def add(self, *, mute: bool = False) -> None:
        if self.state == "completed" or len(self.here) >= MOST:
            return
        n = len(self.members) + 1
        member = TrueMember(f"member-{n}", f"c-{n}", self.tick(), mute=mute)
        self.members.append(member)
        self.state = "active"
        self._tell(member)

    def remove(self, member: TrueMember, *, hangs_up: bool) -> None:
        member.removed_at = self.tick()
        if hangs_up:
            self.emitted.append(CallTold(call_id=member.call_id, state=CallState.OVER, at=self._time()))
        self._tell(member)
        if not self.here:
            self._complete()

    def change(self, member: TrueMember, *, mute: bool, hold: bool) -> None:
        if (mute, hold) != (member.mute, member.hold):
            self.tick()
            member.mute, member.hold = mute, hold
            self._tell(member)

    def change_whole(self, *, mute: bool, hold: bool) -> None:
        if self.state == "completed" or (mute, hold) == (self.mute, self.hold):
            return
        self.mute, self.hold = mute, hold
        self.tick()
        for member in self.here if self.tells_whole else ():
            self._tell(member)

    def close(self) -> None:
        if self.state != "completed":
            self.tick()
            for member in self.here:
                member.removed_at = self.now
                self._tell(member)
            self._complete()

    def _complete(self) -> None:
        self.state = "completed"
        self.emitted.append(ConferenceTold(conference_id=CONFERENCE, completed=True, at=self._time()))

    # ---- what is told ----

    def _time(self) -> datetime:
        time = self.now + timedelta(seconds=self.skew_s)
        return time.replace(microsecond=0) if self.whole_seconds else time

    def _tell(self, member: TrueMember) -> None:
        self.emitted.append(
            MemberTold(
                conference_id=CONFERENCE,
                member_id=member.id,
                call_id=member.call_id,
                present=member.removed_at is None,
                muted=member.mute or (self.effective and self.mute),
                on_hold=member.hold or (self.effective and self.hold),
                active_members=len(self.here),
                at=self._time(),
            )
        )

    # ---- what is answered ----

    def conference(self) -> ConferenceJson:
        answer: ConferenceJson = {
            "id": CONFERENCE,
            "state": self.state,
            "from": "+19703255647",
            "activeMembers": len(self.here),
        }
        if self.mute or self.hold:  # a sample has neither while neither is set
            answer["mute"], answer["hold"] = self.mute, "true" if self.hold else "false"
        return answer

    def listed(self) -> list[MemberJson]:
        return [_listed(each) for each in self.members]

    def call(self, call_id: str) -> CallJson:
        """What GET answers of a call; whoever was only removed from the conference may still be on the line."""
        return {"id": call_id, "direction": "out", "to": number_of(call_id), "state": "active"}


def number_of(call_id: str) -> str:
    return f"+1202555{int(call_id.removeprefix('c-')):04}"


def _listed(member: TrueMember) -> MemberJson:
    answer: MemberJson = {
        "id": member.id,
        "state": "active",
        "mute": member.mute,
        "hold": member.hold,
        "addedTime": member.added_at.isoformat(),
        "call": f"https://api.catapult.inetwork.com/v1/users/u-1/calls/{member.call_id}",
    }
    if member.removed_at is not None:
        answer["state"], answer["removedTime"] = "completed", member.removed_at.isoformat()
    return answer
