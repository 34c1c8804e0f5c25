"""The dial action: its arguments, its checks, and what a whole or partial failure looks like inside a success."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .answers import Complaints, CrossbarError
from .faults import Faults
from .generation import Traits
from .shapes import Json
from .switch import JoinRefusedError, Run, Switch

FLAGS = (
    "mute",
    "deaf",
    "distribute_dtmf",
    "is_moderator",
    "disable_moh",
    "ghost",
    "join_existing",
    "video_mute",
)
_NUMBER = re.compile(r"^\+?[0-9*#]{1,32}$")
_IDENTIFIER = re.compile(r"^[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A phone that can be dialled: a device or user id of the account, a number or a SIP address."""

    endpoint_id: str
    name: str
    number: str
    owner_id: str | None = None


class Dialling:
    """Checks dial arguments and lets the dialled legs join."""

    def __init__(self, traits: Traits, faults: Faults, switch: Switch, start: Callable[[str], Run]) -> None:
        self.known: dict[str, Endpoint] = {}
        self._traits = traits
        self._faults = faults
        self._switch = switch
        self._start = start

    def endpoints(self, args: Json) -> list[Endpoint]:
        """Find the legs to dial.

        Errors: CrossbarError 400; endpoints are counted from 1 in its paths.
        """
        found = Complaints()
        given = args.get("endpoints")
        if given is None:
            found.add("data.endpoints", "required", "Field is required but missing")
        elif not isinstance(given, list) or not given:
            found.add("data.endpoints", "minItems", "List must have at least 1 items", target=1)
        legs = [self._endpoint(found, f"data.endpoints.{n}", one) for n, one in enumerate(_listed(given), start=1)]
        for n, flag in enumerate(_listed(args.get("participant_flags")), start=1):
            if flag not in FLAGS:
                found.add(f"data.participant_flags.{n}", "enum", "Value not found in enum", target=FLAGS, value=flag)
        timeout = args.get("timeout", 20)
        if isinstance(timeout, bool) or not isinstance(timeout, int):
            found.add("data.timeout", "type", "Value did not match type(s): integer", target="integer")
        elif timeout < 1:
            found.add("data.timeout", "minimum", "Value must be at least 1", target=1, value=timeout)
        found.raise_any(self._traits.invalid_message)
        return [leg for leg in legs if leg is not None]

    def join(self, room_id: str, legs: list[Endpoint], args: Json) -> Json:
        """Dial and tell what came of it; the whole failure and the failed leg both come with HTTP success."""
        match self._faults.dial:
            case "timeout":
                return {"status": "error", "message": "timed out trying to dial endpoints"}
            case "no_media_server":
                return {"status": "error", "message": "conference dial failed to find a media server"}
        if self._faults.dial == "leg_error":
            return {"endpoint_responses": [self._failed(leg, "NO_ANSWER") for leg in legs]}
        if self._faults.ignore_commands:
            return {"endpoint_responses": [self._joined(leg, self._switch.new_call_id()) for leg in legs]}
        run = self._start(room_id)
        return {"endpoint_responses": [self._dial(run, leg, args) for leg in legs]}

    def _dial(self, run: Run, leg: Endpoint, args: Json) -> Json:
        flags = set(map(str, _listed(args.get("participant_flags"))))
        wanted = args.get("outbound_call_id")
        try:
            joined = self._switch.join(
                run,
                name=leg.name,
                number=leg.number,
                owner_id=leg.owner_id,
                moderator="is_moderator" in flags,
                muted="mute" in flags,
                deafened="deaf" in flags,
                ghost="ghost" in flags,
                call_id=wanted if isinstance(wanted, str) and wanted not in run.participants else None,
            )
        except JoinRefusedError:
            return self._failed(leg, "CALL_REJECTED")
        return self._joined(leg, joined.call_id)

    def _joined(self, leg: Endpoint, call_id: str) -> Json:
        answer: Json = {
            "endpoint_id": leg.endpoint_id,
            "status": "success",
            "call_id": call_id,
            "message": "dialed and joined",
        }
        return answer | {"job_id": f"job-{call_id}"} if self._traits.kazoo5 else answer

    def _failed(self, leg: Endpoint, cause: str) -> Json:
        answer: Json = {"endpoint_id": leg.endpoint_id, "status": "error", "message": cause}
        # 4.3 alone names the cause a second time and has a call id that is null.
        more = self._traits.extra_run_keys and not self._traits.kazoo5
        return answer | {"hangup_cause": cause, "call_id": None} if more else answer

    def _endpoint(self, found: Complaints, path: str, given: object) -> Endpoint | None:
        if isinstance(given, dict):
            if not given:
                found.add(path, "minItems", "Endpoint object is empty", target=1)
                return None
            name = str(given.get("name") or given.get("id") or given.get("number") or "device")
            return Endpoint(str(given.get("id") or name), name, str(given.get("number") or name))
        if not isinstance(given, str):
            found.add(path, "enum", "Endpoint is neither an id, a number, a SIP address nor a device", value=given)
            return None
        if given in self.known:
            return self.known[given]
        if _IDENTIFIER.match(given) or not (_NUMBER.match(given) or given.startswith("sip:")):
            found.add(path, "not_found", "Endpoint not found", cause=given)
            return None
        return Endpoint(given, given, given.removeprefix("sip:").partition("@")[0])


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def relating(args: Json, run: Run | None, invalid: str) -> None:
    """Check a relate command: both participants must be there.

    Errors: CrossbarError 400 for the arguments, 404 with the id for an absent participant.
    """
    found = Complaints()
    ids = [_participant_id(found, args, key) for key in ("participant_id", "other_participant")]
    if args.get("relationship", "clear") not in ("deaf", "mute", "clear"):
        found.add("data.relationship", "enum", "Value not found in enum", target=["deaf", "mute", "clear"])
    found.raise_any(invalid)
    present = {one.participant_id for one in run.participants.values() if one.known} if run else set()
    for participant_id in ids:
        if participant_id not in present:
            raise CrossbarError(404, "bad_identifier", {"message": "bad identifier", "id": participant_id})


def _participant_id(found: Complaints, args: Json, key: str) -> int:
    value = args.get(key)
    if value is None:
        found.add(f"data.{key}", "required", "Field is required but missing")
    elif isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        found.add(f"data.{key}", "type", "Value did not match type(s): integer, string", target="integer, string")
    else:
        return int(value)
    return 0
