"""The places of the API about conferences and their members.

Inferred: an update that completes a conference or removes a member does nothing else; `from` and `profile` cannot be
          updated and are ignored there; a completed conference can be read, and so can members who left.
"""

from .api import Answer, Request, Route
from .calls import Calls
from .conferences import Conference, Conferences, Member
from .failures import ApiError
from .faults import Faults
from .given import Given
from .hooks import Hooks
from .sounds import Sounds
from .wording import Wording

_ALL = "conferences"
_ONE = "conferences/{conference}"
_MEMBER = _ONE + "/members/{member}"
_PROFILES = ("interpret_digits", "passthru_digits")


class Conferencing:
    """Answers what is asked about conferences."""

    def __init__(
        self, faults: Faults, conferences: Conferences, calls: Calls, sounds: Sounds, wording: Wording
    ) -> None:
        self._faults = faults
        self._conferences = conferences
        self._calls = calls
        self._sounds = sounds
        self._wording = wording
        self.routes = (
            Route("POST", _ALL, self._create, "conferences", "conf"),
            Route("GET", _ONE, self._read, "conferences"),
            Route("POST", _ONE, self._update, "conferences"),
            Route("POST", f"{_ONE}/audio", self._play, "conferences"),
            Route("GET", f"{_ONE}/members", self._members, "conferences"),
            Route("POST", f"{_ONE}/members", self._add, "conferences", "member"),
            Route("GET", _MEMBER, self._read_member, "conferences"),
            Route("POST", _MEMBER, self._update_member, "conferences"),
            Route("POST", f"{_MEMBER}/audio", self._play_to_member, "conferences"),
        )

    def _create(self, request: Request) -> Answer:
        given = request.body
        number = given.phone("from")
        check_number(self._faults, number)
        conference = self._conferences.create(
            number,
            profile=given.choice("profile", _PROFILES, _PROFILES[0]),
            tag=given.text("tag"),
            hooks=Hooks().with_given(given),
        )
        return Answer(made=f"conferences/{conference.conference_id}")

    def _read(self, request: Request) -> Answer:
        return Answer(self._wording.conference(self._conferences.get(request.params["conference"])))

    def _update(self, request: Request) -> Answer:
        conference, given = self._open(request), request.body
        if given.choice("state", ("completed",), "") == "completed":
            self._conferences.complete(conference)
            return Answer()
        mute, hold = _flags(given)
        conference.hooks = conference.hooks.with_given(given)
        tag = given.text("tag")
        conference.tag = conference.tag if tag is None else tag or None
        self._conferences.set_whole(conference, mute=mute, hold=hold)
        return Answer()

    def _play(self, request: Request) -> Answer:
        self._sounds.asked(self._open(request), request.body)
        return Answer()

    def _members(self, request: Request) -> Answer:
        conference = self._conferences.get(request.params["conference"])
        return Answer([self._wording.member(one) for one in conference.members.values()])

    def _add(self, request: Request) -> Answer:
        conference, given = self._open(request), request.body
        call = self._calls.by_id.get(given.required("callId"))
        if call is None:
            raise ApiError(403, "call-id-not-found", f"Call Id not found. callId {given.text('callId')}")
        member = self._conferences.add(
            conference,
            call,
            mute=given.flag("mute", False),
            hold=given.flag("hold", False),
            join_tone=given.flag("joinTone", False),
            leaving_tone=given.flag("leavingTone", False),
        )
        return Answer(made=f"conferences/{conference.conference_id}/members/{member.member_id}")

    def _read_member(self, request: Request) -> Answer:
        return Answer(self._wording.member(self._place(request, self._conferences.get(_id(request)))))

    def _update_member(self, request: Request) -> Answer:
        conference, given = self._open(request), request.body
        member = self._place(request, conference)
        if given.choice("state", ("active", "completed"), "active") == "completed":
            self._conferences.remove(conference, member)
            return Answer()
        mute, hold = _flags(given)
        join_tone = given.flag("joinTone", member.join_tone)
        leaving_tone = given.flag("leavingTone", member.leaving_tone)
        self._conferences.set_member(conference, member, mute=mute, hold=hold)
        member.join_tone, member.leaving_tone = join_tone, leaving_tone
        return Answer()

    def _play_to_member(self, request: Request) -> Answer:
        member = self._place(request, self._open(request))
        self._conferences.check_there(member)
        self._sounds.asked(member.call, request.body)
        return Answer()

    def _open(self, request: Request) -> Conference:
        return self._conferences.open(_id(request))

    @staticmethod
    def _place(request: Request, conference: Conference) -> Member:
        return conference.member(request.params["member"])


def check_number(faults: Faults, number: str) -> None:
    """Errors: ApiError 401 where the number is somebody else's."""
    if faults.no_numbers:
        raise ApiError(401, "number-access-denied", f"The user does not have permission to use number {number}")


def _id(request: Request) -> str:
    return request.params["conference"]


def _flags(given: Given) -> tuple[bool | None, bool | None]:
    mute = given.flag("mute", False) if "mute" in given.fields else None
    hold = given.flag("hold", False) if "hold" in given.fields else None
    return mute, hold
