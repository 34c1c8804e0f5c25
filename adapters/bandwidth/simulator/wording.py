"""What resources and events look like on the wire.

Inferred: whatever is not set is missing; `mute` and `hold` of a conference are always there; the tag of a conference or
          call is in each of its events, unless a sound has its own; a call has both `conferenceId` and the URL
          `conference`.
"""

from collections.abc import Callable

from .calls import Call
from .conferences import Conference, ConferenceState, Member
from .faults import Faults
from .notices import CallNotice, ConferenceNotice, MemberNotice, Notice, SoundNotice
from .shapes import Json, millisecond, second, without_none


class Wording:
    """Writes everything; `base_url` ends with the user."""

    def __init__(self, faults: Faults, base_url: Callable[[], str], clock: Callable[[], float]) -> None:
        self._faults = faults
        self._base_url = base_url
        self._clock = clock

    # Resources

    def conference(self, conference: Conference) -> Json:
        """Write a conference as it is read."""
        return {
            **without_none(
                id=conference.conference_id,
                state=conference.state,
                createdTime=self._second(conference.created_at),
                completedTime=self._second(conference.completed_at),
                activeMembers=len(conference.active),
                hold=conference.hold,
                mute=conference.mute,
                profile=conference.profile,
                tag=conference.tag,
            ),
            "from": conference.number,
            **conference.hooks.as_json(),
        }

    def member(self, member: Member) -> Json:
        """Write a member as it is read: with their own flags."""
        return without_none(
            id=member.member_id,
            state="active" if member.is_active else "completed",
            mute=member.mute,
            hold=member.hold,
            joinTone=member.join_tone,
            leavingTone=member.leaving_tone,
            addedTime=self._second(member.added_at),
            removedTime=self._second(member.removed_at),
            call=self.call_url(member.call),
        )

    def call(self, call: Call) -> Json:
        """Write a call as it is read."""
        url = self.call_url(call)
        lasted = None if call.active_at is None or call.ended_at is None else int(call.ended_at - call.active_at) + 1
        return {
            **call.more,
            **without_none(
                id=call.call_id,
                direction=call.direction,
                to=call.called,
                state=call.state,
                startTime=self._second(call.started_at),
                activeTime=self._second(call.active_at),
                endTime=self._second(call.ended_at),
                chargeableDuration=lasted,
                events=f"{url}/events",
                recordings=f"{url}/recordings",
                transcriptions=f"{url}/transcriptions",
                tag=call.tag,
            ),
            "from": call.caller,
            **self._conference_of(call),
            **call.hooks.as_json(),
        }

    def call_url(self, call: Call) -> str:
        """Name a call as others name it."""
        return f"{self._base_url()}/calls/{call.call_id}"

    def _conference_of(self, call: Call) -> Json:
        if call.conference_id is None:
            return {}
        both: Json = {"conferenceId": call.conference_id, "conference": self._conference_url(call.conference_id)}
        wanted = {"id": ("conferenceId",), "url": ("conference",)}.get(self._faults.call_conference, tuple(both))
        return {key: both[key] for key in wanted}

    def _conference_url(self, conference_id: str) -> str:
        return f"{self._base_url()}/conferences/{conference_id}"

    def _second(self, unix_s: float | None) -> str | None:
        return second(unix_s, hours_only=self._faults.hour_offsets)

    # Events

    def event(self, notice: Notice) -> Json:
        """Write the event that tells of something."""
        match notice:
            case ConferenceNotice(conference):
                return self._conference_event(conference)
            case MemberNotice():
                return self._member_event(notice)
            case SoundNotice():
                return self._sound_event(notice)
            case CallNotice(call, event_type, more):
                return {**self._call_event(call, event_type), "from": call.caller, "to": call.called, **more}

    def _conference_event(self, conference: Conference) -> Json:
        over = conference.state is ConferenceState.COMPLETED
        return without_none(
            eventType="conference",
            conferenceId=conference.conference_id,
            conferenceUri=self._conference_url(conference.conference_id),
            status="completed" if over else "created",
            createdTime=millisecond(conference.created_at),
            completedTime=millisecond(conference.completed_at) if conference.completed_at is not None else None,
            tag=conference.tag,
        )

    def _member_event(self, notice: MemberNotice) -> Json:
        conference, member, active_members = notice
        own = self._faults.member_flags == "own"
        return without_none(
            eventType="conference-member",
            conferenceId=conference.conference_id,
            memberId=member.member_id,
            memberUri=f"{self._conference_url(conference.conference_id)}/members/{member.member_id}",
            callId=member.call.call_id,
            state="active" if member.is_active else "completed",
            hold=member.hold if own else conference.is_held(member),
            mute=member.mute if own else conference.is_muted(member),
            activeMembers=active_members,
            time=millisecond(self._clock()),
            tag=conference.tag,
        )

    def _sound_event(self, notice: SoundNotice) -> Json:
        hearer, is_sentence, status, tag = notice
        kind = "speak" if is_sentence else "playback"
        if isinstance(hearer, Call):
            return {**self._call_event(hearer, kind), **without_none(status=status, tag=tag or hearer.tag)}
        return without_none(
            eventType=f"conference-{kind}",
            conferenceId=hearer.conference_id,
            conferenceUri=self._conference_url(hearer.conference_id),
            status=status,
            time=millisecond(self._clock()),
            tag=tag or hearer.tag,
        )

    def _call_event(self, call: Call, event_type: str) -> Json:
        return without_none(
            eventType=event_type,
            callId=call.call_id,
            callUri=self.call_url(call),
            time=millisecond(self._clock()),
            tag=call.tag,
        )
