"""What Bandwidth has told of the conferences that are served, by callbacks and answers, as reports: no I/O in here."""

from collections.abc import KeysView, Sequence
from datetime import datetime

from adapters.bandwidth import mapping
from adapters.bandwidth.calls import Calls
from adapters.bandwidth.conference import Conference
from adapters.bandwidth.events import CallState, CallTold, ConferenceTold, MemberTold, Told
from adapters.bandwidth.wire import CallJson, ConferenceJson, MemberJson
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import DoubtReport, EndReport, Report
from gateway.model.room import Room

_MOST_OVER = 1_000


class Conferences:
    """The conferences of one backend: each is served until it is known to be over, which it then is for ever.

    Shape: of a conference that is not served nothing is reported, and of one that nothing was read of yet only doubt.
    """

    def __init__(self) -> None:
        self._calls = Calls()
        self._served: dict[str, Conference] = {}
        self._over: dict[str, None] = {}

    # ---- which are served ----

    def ids(self) -> KeysView[str]:
        """Give the ids of all that are served, read or not, as a view that follows them."""
        return self._served.keys()

    def served(self, conference_id: str) -> bool:
        """Whether it is served; no longer, once it is over."""
        return conference_id in self._served

    def serve(self, conference_id: str, name: str | None) -> None:
        """Serve a conference from now on, or know it by another name; it is a room once it has been read.

        One that is known to be over is not served again, though notes that could not be changed may still have it.
        """
        if conference_id in self._over:
            return
        self._served.setdefault(conference_id, Conference(conference_id, self._calls)).name = name

    def is_not_over(self, conference_id: str) -> None:
        """Take that one goes on which was taken to be over: it was not found, or said to be, by mistake."""
        self._over.pop(conference_id, None)

    def forget(self, conference_id: str) -> None:
        """Serve it no longer, and report nothing of it."""
        self._served.pop(conference_id, None)

    # ---- what callbacks tell ----

    def told(self, told: Told, at: datetime) -> list[Report]:
        """Take what a callback tells; `at` is when it arrived here."""
        match told:
            case CallTold():
                return self._call_over(told.call_id) if told.state is CallState.OVER else []
            case ConferenceTold(completed=True):
                return self.gone(told.conference_id)
            case ConferenceTold():
                conference = self._served.get(told.conference_id)
                return conference.settled() if conference else []
            case MemberTold():
                conference = self._served.get(told.conference_id)
                return conference.told(told, at) if conference else []

    # ---- what answers tell ----

    def read(
        self, conference: ConferenceJson, members: Sequence[MemberJson] | None, asked_at: datetime
    ) -> list[Report]:
        """Take a reading, with the members if they were asked for too; `asked_at` is when the first question went out.

        What was told since then is not overwritten.
        """
        known = self._served.get(conference["id"])
        if known is None:
            return []
        if mapping.is_completed(conference):
            return self.gone(known.id)
        return known.read(conference, members, asked_at)

    def gone(self, conference_id: str) -> list[Report]:
        """Take that a conference is over, or not found any more.

        Shape: a room where no conference runs cannot end; that it is gone is found when it is read again.
        """
        conference = self._served.pop(conference_id, None)
        if conference is None:
            return []
        self._over[conference_id] = None
        if len(self._over) > _MOST_OVER:
            del self._over[next(iter(self._over))]
        room_id = RoomId(conference_id)
        return [EndReport(room_id=room_id), *([] if conference.active else [DoubtReport(room_id=room_id)])]

    # ---- calls ----

    def calls_wanted(self, conference_id: str) -> list[str]:
        """Give the calls of those in a conference whose number nobody knows; `call_read` or `gave_up` settles each."""
        conference = self._served.get(conference_id)
        calls = [each.call_id for each in conference.here if each.call_id] if conference else []
        return [each for each in dict.fromkeys(calls) if not self._calls.is_settled(each)]

    def call_read(self, call: CallJson) -> list[Report]:
        """Take the answer about a call: whose it is, and whether it is over."""
        self._calls.learn(call)
        return self._call_over(call["id"]) if mapping.is_over(call) else self._carried(call["id"])

    def gave_up(self, call_id: str) -> None:
        """Take that a call cannot be read: it is not wanted again."""
        self._calls.give_up(call_id)

    def _call_over(self, call_id: str) -> list[Report]:
        """Take that a call has ended: who was in a conference by it is so no longer, whatever comes late of them."""
        carried = [each for each in self._served.values() if each.member_of_call(call_id)]
        self._calls.end(call_id)
        return [report for each in carried for report in each.settled()]

    def _carried(self, call_id: str) -> list[Report]:
        return [report for each in self._served.values() if each.member_of_call(call_id) for report in each.settled()]

    # ---- what is known ----

    def all(self) -> list[Room]:
        """Give all rooms as they are now; a conference of which nothing was read is none yet."""
        pictures = [each.picture() for each in self._served.values()]
        return [each for each in pictures if each is not None]

    def one(self, conference_id: str) -> Room | None:
        """Give one room as it is now."""
        conference = self._served.get(conference_id)
        return None if conference is None else conference.picture()

    def member_of_call(self, conference_id: str, call_id: str) -> ParticipantId | None:
        """Give who is in a conference by a call."""
        conference = self._served.get(conference_id)
        return None if conference is None else conference.member_of_call(call_id)

    def is_muted_as_a_whole(self, conference_id: str) -> bool | None:
        """Whether nobody may speak in a conference; None where a reading has not told."""
        conference = self._served.get(conference_id)
        return None if conference is None else conference.muted

    def is_held_as_a_whole(self, conference_id: str) -> bool | None:
        """Whether a conference is on hold; None where a reading has not told."""
        conference = self._served.get(conference_id)
        return None if conference is None else conference.on_hold

    def muted_themselves(self, conference_id: str) -> list[ParticipantId]:
        """Give those whom unmuting the conference as a whole leaves muted, or may."""
        conference = self._served.get(conference_id)
        return [ParticipantId(each.id) for each in conference.here if each.muted is not False] if conference else []

    def created_at(self, conference_id: str) -> datetime | None:
        """Say when a conference was created, a day after which Bandwidth ends it."""
        conference = self._served.get(conference_id)
        return None if conference is None else conference.created_at

    @staticmethod
    def present_with(members: Sequence[MemberJson], call_id: str) -> ParticipantId | None:
        """Give who is in a conference by a call, out of a list of its members that was read for this."""
        here = (each for each in members if not mapping.has_left(each) and mapping.call_of(each) == call_id)
        return next((ParticipantId(each["id"]) for each in here), None)

    def own_mute(self, conference_id: str, member_id: str) -> bool | None:
        """Whether somebody in a conference is muted by themselves; None where only that they are muted is known."""
        conference = self._served.get(conference_id)
        member = conference.find(member_id) if conference else None
        return member.muted if member else None
