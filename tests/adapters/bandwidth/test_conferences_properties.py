"""Random conferences, whose events come late, doubled, shuffled or not, between readings: the picture ends up true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bandwidth.conferences import Conferences
from adapters.bandwidth.events import CallTold, MemberTold, Told
from adapters.bandwidth.wire import ConferenceJson, MemberJson
from gateway.model.reports import DoubtReport
from gateway.model.room import Room, RoomState
from tests.adapters.bandwidth.model import Bandwidth, Shown, number_of
from tests.adapters.bandwidth.told import CONFERENCE, Watcher
from tests.gateway.model.invariants import presences

which = st.integers(0, 40)
flags = st.booleans()


_TRUTH = ["join", "leave", "change", "change", "whole", "close", "time"]
_ARRIVALS = ["in order", "in order", "in order", "late", "late", "doubled", "again", "lost"]
_STEPS = [*_TRUTH, *_ARRIVALS, "ask", "go on", "go on", "go on", "numbers"]

Step = tuple[str, int, bool, bool]
steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["join", "join", "leave", "change", "change", "whole", "whole"]), which, flags, flags
)
scripts = st.lists(steps, max_size=25)


def act(truth: Bandwidth, action: str, which: int, *, yes: bool, also: bool) -> None:
    """Do something, if it can be done now."""
    match action:
        case "join":
            truth.add(mute=yes)
        case "leave" if truth.here:
            truth.remove(truth.here[which % len(truth.here)], hangs_up=yes)
        case "change" if truth.here:
            truth.change(truth.here[which % len(truth.here)], mute=yes, hold=also)
        case "whole" if truth.here:
            truth.change_whole(mute=yes, hold=also)


@dataclass
class Question:
    """A reading on its way: two requests, each answered with the truth of its moment."""

    asked_at: datetime
    conference: ConferenceJson | None = None
    members: Sequence[MemberJson] | None = None


def shown_in(room: Room) -> dict[str, Shown]:
    return {
        each.id: (bool(each.muted), bool(each.on_hold), each.leg_id or "nobody") for each in room.participants.values()
    }


def assert_true(truth: Bandwidth, conferences: Conferences, watcher: Watcher) -> None:
    """Compare what is shown with the truth."""
    if truth.state == "completed":
        assert not conferences.served(CONFERENCE)
        assert watcher.follower is None or not watcher.people
        assert watcher.follower is None or watcher.room.state is not RoomState.ACTIVE
        return
    shown = conferences.one(CONFERENCE)
    assert shown is not None
    for room in (shown, watcher.room):
        assert shown_in(room) == truth.shown
        assert room.state is (RoomState.ACTIVE if truth.members else RoomState.IDLE)
        assert bool(room.on_hold) == truth.hold
    assert set(conferences.muted_themselves(CONFERENCE)) == {each.id for each in truth.here if each.mute}


class Journey:
    """A conference at Bandwidth, what is on its way from there, and us: each step is followed by all that must hold.

    The steps are a list, and no rules of hypothesis: those stop so soon that hardly an event arrives, let alone between
    a question and its answer.
    """

    def __init__(self, truth: Bandwidth, people: int) -> None:
        self.truth = truth
        self.conferences = Conferences()
        self.conferences.serve(CONFERENCE, None)
        self.watcher = Watcher()
        self.taken = 0
        self.pending: list[Told] = []
        self.delivered: list[Told] = []
        self.questions: list[Question] = []
        self.read_at: datetime | None = None
        self.listed: set[str] = set()
        self.told_of: set[str] = set()
        self.told_gone: set[str] = set()
        self.told_at: dict[str, datetime] = {}
        for _ in range(people):
            self.truth.add()
        self.collect()
        if people:
            self.take(Question(self.truth.tick()), self.truth.conference(), self.truth.listed())

    def step(self, step: Step) -> None:
        action, which, yes, also = step
        match action:
            case "join" | "leave" | "change" | "whole":
                # The last to leave ends it all, and so does a close, so that these are to be rare.
                if action != "leave" or len(self.truth.here) != 1 or which > 35:
                    act(self.truth, action, which, yes=yes, also=also)
                self.collect()
            case "close":
                if which > 35:
                    self.truth.close()
                self.collect()
            case "time":
                self.truth.tick(0.2 if yes else 5)
            case "ask" | "go on":
                self.read_on(action, which)
            case "numbers":
                self.numbers_are_asked_for()
            case _:
                self.arrive(action, which)

    # ---- what arrives ----

    def arrive(self, how: str, which: int) -> None:
        if how == "again" and self.delivered:
            self.replay(self.delivered[which % len(self.delivered)])
        elif how != "again" and self.pending:
            told = self.pending.pop(which % len(self.pending) if how in ("late", "lost") else 0)
            if how == "doubled":
                self.pending.append(told)
            if how != "lost":
                self.tell(told)

    def collect(self) -> None:
        """Put the events on their way."""
        self.pending += self.truth.emitted[self.taken :]
        self.taken = len(self.truth.emitted)

    def replay(self, told: Told) -> None:
        before = self.conferences.all()
        reports = self.conferences.told(told, self.truth.tick())
        self.watcher.take(reports)
        assert self.conferences.all() == before
        assert all(isinstance(each, DoubtReport) for each in reports)

    def tell(self, told: Told) -> None:
        before = self.own_flags()
        self.watcher.take(self.conferences.told(told, self.truth.tick()))
        self.delivered.append(told)
        match told:
            case CallTold(call_id=call_id):
                self.told_gone |= {each.id for each in self.truth.members if each.call_id == call_id}
            case MemberTold(member_id=member_id, present=present):
                if before != self.own_flags():  # it was believed
                    self.told_at[member_id] = self.truth.now
                self.told_of.add(member_id)
                if not present:
                    self.told_gone.add(member_id)
                elif member_id in self.listed and self.is_older_than_the_last_reading(told):
                    assert self.own_flags().get(member_id) == before[member_id]

    def is_older_than_the_last_reading(self, told: MemberTold) -> bool:
        """Whether that can be seen by its time, unless Bandwidth's clock is ahead of ours."""
        return told.at is not None and self.read_at is not None and told.at <= self.read_at

    def own_flags(self) -> dict[str, bool | None]:
        return {each.id: self.conferences.own_mute(CONFERENCE, each.id) for each in self.truth.members}

    # ---- what is asked ----

    def read_on(self, action: str, which: int) -> None:
        self.truth.tick()
        if action == "ask" and len(self.questions) < 2:
            self.questions.append(Question(self.truth.now))
        elif self.questions:
            self.go_on(self.questions[which % len(self.questions)])

    def go_on(self, question: Question) -> None:
        if question.conference is None:
            question.conference = self.truth.conference()
        elif question.members is None:
            question.members = self.truth.listed() if question.conference.get("state") == "active" else []
        else:
            self.questions = [each for each in self.questions if each is not question]
            self.take(question, question.conference, question.members)

    def take(self, question: Question, conference: ConferenceJson, members: Sequence[MemberJson]) -> None:
        told_since = {each for each, at in self.told_at.items() if at >= question.asked_at}
        gone = {each["id"] for each in members if each.get("removedTime")}
        before = self.own_flags()
        self.watcher.take(self.conferences.read(conference, members, question.asked_at))
        after = self.own_flags()
        if self.read_at is None or question.asked_at >= self.read_at:
            self.read_at = question.asked_at
            self.listed = {each["id"] for each in members}
            self.told_of |= self.listed
            self.told_gone |= gone
        if self.conferences.served(CONFERENCE):
            assert {each: after[each] for each in told_since - gone} == {
                each: before[each] for each in told_since - gone
            }

    def numbers_are_asked_for(self) -> None:
        for call_id in self.conferences.calls_wanted(CONFERENCE):
            self.watcher.take(self.conferences.call_read(self.truth.call(call_id)))
        assert self.conferences.calls_wanted(CONFERENCE) == []

    # ---- what must hold ----

    def check(self) -> None:
        self.nobody_is_shown_who_never_was_in()
        self.everybody_joined_once_and_left_at_most_once()
        self.whoever_was_told_of_is_shown_until_they_are_told_to_have_left()
        self.what_was_reported_is_what_is_known()

    def nobody_is_shown_who_never_was_in(self) -> None:
        follower = self.watcher.follower
        ever = {each.id: each.call_id for each in self.truth.members}
        for room in [*self.conferences.all(), *([self.watcher.room] if follower else [])]:
            for each in room.participants.values():
                assert ever[each.id] == each.leg_id
                assert each.number in (None, number_of(each.leg_id or ""))
                assert each.role is None

    def everybody_joined_once_and_left_at_most_once(self) -> None:
        follower = self.watcher.follower
        for said in presences(follower.events).values() if follower else ():
            assert [each for each in said if each != "updated"] in (["joined"], ["joined", "left"])
        assert self.watcher.ends <= 1

    def whoever_was_told_of_is_shown_until_they_are_told_to_have_left(self) -> None:
        room = self.conferences.one(CONFERENCE)
        if room is not None:
            assert not self.told_gone & set(room.participants)
            here = {each.id for each in self.truth.here}
            assert self.told_of & here <= set(room.participants)

    def what_was_reported_is_what_is_known(self) -> None:
        for room in self.conferences.all():
            assert self.watcher.follower is None or set(self.watcher.people) == set(room.participants)

    def end(self) -> None:
        """Read once more: now all is true, and nothing that comes late changes it."""
        self.watcher.take(self.conferences.read(self.truth.conference(), self.truth.listed(), self.truth.tick(1)))
        assert_true(self.truth, self.conferences, self.watcher)
        before = self.conferences.all()
        for told in self.delivered:
            self.watcher.take(self.conferences.told(told, self.truth.tick()))
        assert self.conferences.all() == before


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    journey=st.lists(st.tuples(st.sampled_from(_STEPS), which, flags, flags), min_size=25, max_size=60),
    effective=flags,
    tells_whole=flags,
    whole_seconds=flags,
    skew_s=st.sampled_from([-3.0, 0.0, 0.2, 3.0]),
    people=st.sampled_from([2, 3, 1, 0]),
)
def test_however_events_and_readings_mix_nobody_is_made_up_and_the_last_reading_is_true(
    journey: list[Step], effective: bool, tells_whole: bool, whole_seconds: bool, skew_s: float, people: int
) -> None:
    truth = Bandwidth(effective=effective, tells_whole=tells_whole, whole_seconds=whole_seconds, skew_s=skew_s)
    travelled = Journey(truth, people)
    for step in journey:
        travelled.step(step)
        travelled.check()
    travelled.end()
    travelled.check()


@settings(max_examples=100, deadline=None)
@given(script=scripts)
def test_events_alone_are_enough_when_none_is_lost_and_no_conference_is_muted(script: list[Step]) -> None:
    """Nothing has to be read: this is what a request a second allows."""
    truth, conferences, watcher = Bandwidth(), Conferences(), Watcher()
    conferences.serve(CONFERENCE, None)
    watcher.take(conferences.read(truth.conference(), [], truth.tick()))
    for action, which, yes, also in script:
        if action != "whole":
            told_before = len(truth.emitted)
            act(truth, action, which, yes=yes, also=also)
            for told in truth.emitted[told_before:]:
                watcher.take(conferences.told(told, truth.tick()))
            assert_true(truth, conferences, watcher)
    assert watcher.doubts == 0


@settings(max_examples=150, deadline=None)
@given(script=scripts, effective=flags, skew_s=st.sampled_from([-2.0, 0.0, 2.0]))
def test_what_events_cannot_tell_is_found_by_reading_when_there_is_doubt(
    script: list[Step], effective: bool, skew_s: float
) -> None:
    """Whichever flags events have, and whatever the clocks: a conference that is muted as a whole is noticed."""
    truth, conferences, watcher = Bandwidth(effective=effective, skew_s=skew_s), Conferences(), Watcher()
    conferences.serve(CONFERENCE, None)
    watcher.take(conferences.read(truth.conference(), [], truth.tick()))
    for action, which, yes, also in script:
        told_before, doubts_before = len(truth.emitted), watcher.doubts
        act(truth, action, which, yes=yes, also=also)
        for told in truth.emitted[told_before:]:
            watcher.take(conferences.told(told, truth.tick()))
        if watcher.doubts > doubts_before:
            watcher.take(conferences.read(truth.conference(), truth.listed(), truth.tick()))
        truth.tick(3)
        shown = conferences.one(CONFERENCE)
        assert ({} if shown is None else shown_in(shown)) == truth.shown
