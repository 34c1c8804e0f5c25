"""The telephony half of the API: conferences, sessions, parties, recordings and call-out.

Inferred: who has no part in a session gets 404; the answer to a change tells what was asked for, even where that
          happens later or never; muting a leg that is not up is 409; deleting either leg of a call, or of what became a
          participant, ends both; call-out answers with the first leg alone, and takes only telephones on a desk.
"""

import uuid

from .api import Answer, Request, Route
from .calls import Calls
from .conferences import Conferences
from .effects import Effects
from .failures import bad_value, incorrect_state, not_allowed, not_found
from .faults import Faults
from .people import Account, Device
from .sessions import PARTICIPANT, UP, Code, Party, Peer, Session, Sessions
from .shapes import Json, child
from .wording import party_answer, session_answer

_TELEPHONY = "account/{account}/telephony"
_SESSION = _TELEPHONY + "/sessions/{session}"
_PARTY = _SESSION + "/parties/{party}"
_ON_A_DESK = ("HardPhone", "SoftPhone", "OtherPhone")


class Telephony:
    """Answers what is asked of telephony, for whoever takes part."""

    def __init__(
        self,
        account: Account,
        faults: Faults,
        *,
        sessions: Sessions,
        calls: Calls,
        conferences: Conferences,
        effects: Effects,
    ) -> None:
        self._account = account
        self._faults = faults
        self._sessions = sessions
        self._calls = calls
        self._conferences = conferences
        self._effects = effects
        self.routes = (
            Route("POST", f"{_TELEPHONY}/conference", self._create, "heavy", "CallControl", True),
            Route("POST", f"{_TELEPHONY}/call-out", self._call_out, "heavy", "CallControl", True),
            Route("GET", _SESSION, self._get_session, "light", "CallControl"),
            Route("DELETE", _SESSION, self._delete_session, "light", "CallControl", True),
            Route("POST", f"{_SESSION}/parties/bring-in", self._bring_in, "light", "CallControl", True),
            Route("GET", _PARTY, self._get_party, "light", "CallControl"),
            Route("PATCH", _PARTY, self._patch_party, "light", "CallControl", True),
            Route("DELETE", _PARTY, self._delete_party, "light", "CallControl", True),
            Route("POST", f"{_PARTY}/hold", self._hold, "light", "CallControl", True),
            Route("POST", f"{_PARTY}/unhold", self._unhold, "light", "CallControl", True),
            Route("POST", f"{_PARTY}/recordings", self._record, "light", "CallControl", True),
            Route("PATCH", f"{_PARTY}/recordings/{{recording}}", self._patch_recording, "light", "CallControl", True),
        )

    # Sessions

    async def _create(self, request: Request) -> Answer:
        self._account.check(request.params["account"])
        return Answer(201, {"session": session_answer(self._conferences.create(request.asker))})

    async def _get_session(self, request: Request) -> Answer:
        return Answer(200, session_answer(self._session(request)))

    async def _delete_session(self, request: Request) -> Answer:
        session = self._session(request)
        if session.is_conference:
            self._effects.soon(lambda: self._conferences.end(session))
        else:
            self._effects.soon(lambda: self._conferences.leave(session, self._own_leg(session)))
        return Answer(204)

    async def _bring_in(self, request: Request) -> Answer:
        session = self._session(request)
        session_id = request.body.get("sessionId", request.body.get("telephonySessionId"))
        party_id = request.body.get("partyId")
        if not isinstance(session_id, str):
            raise bad_value("sessionId", session_id)
        if not isinstance(party_id, str):
            raise bad_value("partyId", party_id)
        party = self._conferences.bring_in(session, request.asker, Peer(session_id, party_id))
        answer = party_answer(party)
        self._effects.soon(lambda: self._conferences.join(session, party))
        return Answer(201, answer)

    async def _call_out(self, request: Request) -> Answer:
        self._account.check(request.params["account"])
        device = self._desk_phone(request)
        to = child(request.body, "to")
        number = to.get("phoneNumber", to.get("extensionNumber"))
        if not isinstance(number, str) or not number:
            raise bad_value("to")
        session = self._calls.dial(request.asker, number, None, device, origin="CallOut")
        answer = session_answer(session)
        answer["parties"] = [party_answer(next(iter(session.parties.values())))]
        self._effects.soon(lambda: self._place(session))
        return Answer(201, {"session": answer})

    def _desk_phone(self, request: Request) -> Device:
        wanted = child(request.body, "from").get("deviceId")
        for device in request.asker.devices:
            if device.device_id == wanted and device.kind in _ON_A_DESK:
                return device
        raise bad_value("deviceId", wanted)

    def _place(self, session: Session) -> None:
        self._calls.begin(session)
        if self._faults.call_out == "answers":
            self._calls.answer(session)
        elif self._faults.call_out == "busy":
            self._calls.end(session, "TargetBusy")

    # Parties

    async def _get_party(self, request: Request) -> Answer:
        return Answer(200, party_answer(self._party(request)[1]))

    async def _patch_party(self, request: Request) -> Answer:
        session, party = self._party(request)
        wanted = child(request.body, "party") or request.body
        changes: Json = {key: wanted[key] for key in ("muted", "standAlone") if key in wanted}
        if not changes or not all(isinstance(value, bool) for value in changes.values()):
            raise bad_value("muted")
        in_conference = party.role == PARTICIPANT and party.code is Code.GONE
        if self._faults.mute_conflict or not (party.code in UP or in_conference):
            raise incorrect_state()
        self._effects.soon(lambda: self._change(session, party, changes))
        return Answer(200, party_answer(party) | changes)

    def _change(self, session: Session, party: Party, changes: Json) -> None:
        if party.ended:
            return
        party.stand_alone = changes.get("standAlone", party.stand_alone) is True
        self._calls.set_muted(session, party, changes.get("muted", party.muted) is True)

    async def _delete_party(self, request: Request) -> Answer:
        session, party = self._party(request)
        keep = request.body.get("keepConferenceAlive", False)
        if not isinstance(keep, bool):
            raise bad_value("keepConferenceAlive", keep)
        if party.ended:
            raise not_found("partyId", party.party_id)
        if session.is_conference:
            self._effects.soon(lambda: self._conferences.remove(session, party, keep=keep))
        else:
            self._effects.soon(lambda: self._conferences.leave(session, self._own_leg(session)))
        return Answer(204)

    async def _hold(self, request: Request) -> Answer:
        return self._held(request, hold=True)

    async def _unhold(self, request: Request) -> Answer:
        return self._held(request, hold=False)

    def _held(self, request: Request, *, hold: bool) -> Answer:
        session, party = self._party(request)
        if self._faults.mute_conflict or party.code not in UP:
            raise incorrect_state()
        self._effects.soon(lambda: self._calls.set_hold(session, party, hold))
        return Answer(200, party_answer(party) | {"status": {"code": "Hold" if hold else "Answered"}})

    # Recordings

    async def _record(self, request: Request) -> Answer:
        session, party = self._party(request)
        self._check_recordable(session, party)
        recording = uuid.uuid4().hex[:12]
        self._effects.soon(lambda: self._set_recording(session, party, recording, True))
        return Answer(201, {"id": recording, "active": True})

    async def _patch_recording(self, request: Request) -> Answer:
        session, party = self._party(request)
        self._check_recordable(session, party)
        recording, active = request.params["recording"], request.body.get("active")
        if recording not in party.recordings:
            raise not_found("recordingId", recording)
        if not isinstance(active, bool):
            raise bad_value("active", active)
        self._effects.soon(lambda: self._set_recording(session, party, recording, active))
        return Answer(200, {"id": recording, "active": active})

    @staticmethod
    def _check_recordable(session: Session, party: Party) -> None:
        if session.is_conference or party.code not in UP:
            raise incorrect_state()

    def _set_recording(self, session: Session, party: Party, recording: str, active: bool) -> None:
        party.recordings[recording] = active
        self._sessions.tell(session, party)

    # Whose

    def _session(self, request: Request) -> Session:
        self._account.check(request.params["account"])
        session = self._sessions.get(request.params["session"])
        asker = request.asker.extension_id
        if session.owner_id != asker and session.own_leg(asker) is None:
            raise not_found("telephonySessionId", session.session_id)
        return session

    def _party(self, request: Request) -> tuple[Session, Party]:
        session = self._session(request)
        return session, session.party(request.params["party"])

    @staticmethod
    def _own_leg(session: Session) -> Party:
        leg = session.own_leg(session.owner_id)
        if leg is None:
            raise not_allowed()
        return leg
