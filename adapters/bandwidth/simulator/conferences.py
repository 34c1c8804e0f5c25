"""Conferences and their members: what fills them, what ends them, and two levels of muting and holding.

Inferred: the conference's flags and a member's are stored apart, and either mutes or holds; the calls of a conference
          that is completed end, the call of a member who is only removed stays; a call that has left is of no
          conference any more; what is set to what it was already is not told; muting or holding a whole conference
          is told once for each active member. The longest time begins with the first member, since `created` knows
          none. Of members who left and of completed conferences only so many are kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from .calls import OVER, Call, Calls, CallState
from .failures import ApiError, conference_not_found, conference_over, full, member_gone, member_not_found, wrong_state
from .faults import Faults
from .hooks import Hooks
from .notices import ConferenceNotice, MemberNotice, Tell
from .shapes import new_id
from .timers import Timer, Timers

MOST_MEMBERS = 20
LONGEST_S = 24 * 60 * 60
_MOST_GONE = 1_000
_MOST_COMPLETED = 10_000


class ConferenceState(StrEnum):
    """The state of a conference, in its own word."""

    CREATED = "created"
    ACTIVE = "active"
    COMPLETED = "completed"


@dataclass(slots=True, eq=False, kw_only=True)
class Member:
    """A call in a conference, or one that was; the flags are its own.

    Units: instants are Unix seconds.
    """

    member_id: str
    call: Call
    added_at: float
    mute: bool = False
    hold: bool = False
    join_tone: bool = False
    leaving_tone: bool = False
    removed_at: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether they are there."""
        return self.removed_at is None


@dataclass(slots=True, eq=False, kw_only=True)
class Conference:
    """A conference; the flags are the whole's.

    Units: instants are Unix seconds.
    """

    conference_id: str
    number: str
    created_at: float
    profile: str = "interpret_digits"
    tag: str | None = None
    hooks: Hooks = field(default_factory=Hooks)
    state: ConferenceState = ConferenceState.CREATED
    completed_at: float | None = None
    mute: bool = False
    hold: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    limit: Timer | None = field(default=None, repr=False)

    @property
    def active(self) -> list[Member]:
        """Who is there."""
        return [one for one in self.members.values() if one.is_active]

    def is_muted(self, member: Member) -> bool:
        """Whether others cannot hear them."""
        return self.mute or member.mute

    def is_held(self, member: Member) -> bool:
        """Whether they cannot hear nor be heard."""
        return self.hold or member.hold

    def member(self, member_id: str) -> Member:
        """Errors: ApiError 404."""
        if member_id not in self.members:
            raise member_not_found(member_id)
        return self.members[member_id]


class Conferences:
    """All conferences; `completing` is for what else ends with one.

    Units: `clock` gives Unix seconds, `lasts_s` is the longest time of a conference.
    """

    def __init__(
        self,
        faults: Faults,
        calls: Calls,
        timers: Timers,
        *,
        clock: Callable[[], float],
        rng: Random,
        tell: Tell,
        lasts_s: float,
    ) -> None:
        self.by_id: dict[str, Conference] = {}
        self.completing: Callable[[Conference], object] = lambda _: None
        self._faults = faults
        self._calls = calls
        self._timers = timers
        self._clock = clock
        self._rng = rng
        self._tell = tell
        self._lasts_s = lasts_s
        self._seats: dict[str, tuple[Conference, Member]] = {}
        self._completed: dict[str, None] = {}

    def __iter__(self) -> Iterator[Conference]:
        """Give those that are not completed."""
        return (one for one in self.by_id.values() if one.state is not ConferenceState.COMPLETED)

    def get(self, conference_id: str) -> Conference:
        """Errors: ApiError 404."""
        if conference_id not in self.by_id:
            raise conference_not_found(conference_id)
        return self.by_id[conference_id]

    def open(self, conference_id: str) -> Conference:
        """Give one that can be changed.

        Errors: ApiError 404, 403 when it is completed.
        """
        conference = self.get(conference_id)
        if conference.state is ConferenceState.COMPLETED:
            raise conference_over(conference_id)
        return conference

    def seat(self, call: Call) -> tuple[Conference, Member] | None:
        """Tell where a call is a member now."""
        return self._seats.get(call.call_id)

    def create(self, number: str, *, profile: str, tag: str | None, hooks: Hooks) -> Conference:
        """Make a conference without members."""
        conference = Conference(
            conference_id=new_id("conf", self._rng),
            number=number,
            created_at=self._clock(),
            profile=profile,
            tag=tag,
            hooks=hooks,
        )
        self.by_id[conference.conference_id] = conference
        self._tell(ConferenceNotice(conference))
        return conference

    def check(self, conference: Conference, call: Call) -> None:
        """See whether a call may become a member.

        Errors: ApiError.
        """
        if self.seat(call) is not None and call.conference_id == conference.conference_id:
            message = f"The call {call.call_id} is in the conference already"
            raise ApiError(409, "conference-update-conflict", message)
        if call.conference_id not in (None, conference.conference_id):
            message = f"Invalid conference Id in call. conferenceId {call.conference_id}"
            raise ApiError(403, "invalid-call-conference-id", message)
        if call.state is CallState.STARTED:
            raise ApiError(503, "call-unavailable", f"The call {call.call_id} is not available")
        if call.state is not CallState.ACTIVE:
            raise wrong_state(call.call_id, call.state)
        if len(conference.active) >= MOST_MEMBERS:
            raise full(conference.conference_id)

    def add(
        self,
        conference: Conference,
        call: Call,
        *,
        mute: bool = False,
        hold: bool = False,
        join_tone: bool = False,
        leaving_tone: bool = False,
    ) -> Member:
        """Make a call a member.

        Errors: ApiError.
        """
        self.check(conference, call)
        member = Member(
            member_id=new_id("member", self._rng),
            call=call,
            added_at=self._clock(),
            mute=mute,
            hold=hold,
            join_tone=join_tone,
            leaving_tone=leaving_tone,
        )
        if conference.state is ConferenceState.CREATED:
            conference.state = ConferenceState.ACTIVE
            conference.limit = self._timers.after(self._lasts_s, lambda: self.complete(conference))
        conference.members[member.member_id] = member
        call.conference_id = conference.conference_id
        self._seats[call.call_id] = (conference, member)
        self._tell_member(conference, member)
        return member

    @staticmethod
    def check_there(member: Member) -> None:
        """Errors: ApiError 409 for one who has left."""
        if not member.is_active:
            raise member_gone(member.member_id)

    def set_member(
        self, conference: Conference, member: Member, *, mute: bool | None = None, hold: bool | None = None
    ) -> None:
        """Set a member's own flags.

        Errors: ApiError 409 for one who has left.
        """
        self.check_there(member)
        before = (member.mute, member.hold)
        member.mute = member.mute if mute is None else mute
        member.hold = member.hold if hold is None else hold
        if (member.mute, member.hold) != before:
            self._tell_member(conference, member)

    def set_whole(self, conference: Conference, *, mute: bool | None = None, hold: bool | None = None) -> None:
        """Set the flags of the whole conference."""
        before = (conference.mute, conference.hold)
        conference.mute = conference.mute if mute is None else mute
        conference.hold = conference.hold if hold is None else hold
        if (conference.mute, conference.hold) != before and not self._faults.quiet_conferences:
            for member in conference.active:
                self._tell_member(conference, member)

    def remove(self, conference: Conference, member: Member) -> None:
        """Let a member leave while their call goes on; with the last one the conference is completed.

        Errors: ApiError 409 for one who has left.
        """
        self.check_there(member)
        self._leave(conference, member)
        if member.call.state not in OVER:
            member.call.conference_id = None
        if not conference.active:
            self.complete(conference)

    def complete(self, conference: Conference) -> None:
        """End a conference, and the calls in it."""
        if conference.state is ConferenceState.COMPLETED:
            return
        conference.state, conference.completed_at = ConferenceState.COMPLETED, self._clock()
        if conference.limit is not None:
            conference.limit.cancel()
        self.completing(conference)
        for member in conference.active:
            self._leave(conference, member)
            self._calls.hang_up(member.call)
        self._tell(ConferenceNotice(conference))
        self._completed[conference.conference_id] = None
        if len(self._completed) > _MOST_COMPLETED:
            oldest = next(iter(self._completed))
            del self._completed[oldest], self.by_id[oldest]

    def call_answered(self, call: Call) -> None:
        """Let a call that was made for a conference join it, where that happens by itself."""
        conference = self.by_id.get(call.conference_id or "")
        if self._faults.auto_join and conference is not None and conference.state is not ConferenceState.COMPLETED:
            try:
                self.add(conference, call)
            except ApiError:
                # There is no place left: the call stays up, outside.
                return

    def call_ended(self, call: Call) -> None:
        """Let whose call has ended leave."""
        seat = self.seat(call)
        if seat is not None:
            self.remove(*seat)

    def _leave(self, conference: Conference, member: Member) -> None:
        member.removed_at = self._clock()
        self._seats.pop(member.call.call_id, None)
        self._tell_member(conference, member)
        gone = [one.member_id for one in conference.members.values() if not one.is_active]
        for member_id in gone[:-_MOST_GONE]:
            del conference.members[member_id]

    def _tell_member(self, conference: Conference, member: Member) -> None:
        self._tell(MemberNotice(conference, member, len(conference.active)))
