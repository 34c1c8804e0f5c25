"""Events, calls and extensions as Telphin words them, for tests that need no Telphin."""

from datetime import UTC, datetime, timedelta

from adapters.kit.understanding import JsonObject
from adapters.telphin.events import CallTold, Interpreter
from adapters.telphin.wire import CurrentCallJson, ExtensionJson
from gateway.model.ids import RoomId

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SALES = RoomId("501")
SUPPORT = RoomId("502")
NUMBERS = {SALES: "850", SUPPORT: "851"}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def microseconds(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(microseconds=1))


def gmt(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def extension(room: RoomId, label: str | None = "Sales", **more: object) -> ExtensionJson:
    given: JsonObject = {"id": int(room), "name": f"000*{NUMBERS[room]}", "type": "conference", "status": "active"}
    return {**given, "label": label, "domain": "sip.example.org", **more}  # type: ignore[typeddict-item]  # as read


def fields(
    kind: str, call: str, *, room: str = SALES, at: datetime | None = NOW, phone: str | None = None, **more: str
) -> dict[str, str]:
    """An event of a room, as the form has it; `phone` is the extension that calls."""
    given = {
        "EventType": kind,
        "CallID": call,
        "SubCallID": f"{room}-{call}",
        "CallAPIID": f"api-{call}",
        "CallFlow": "in",
        "CallStatus": "ANSWER",
        "CallerIDNum": f"2{phone}" if phone else "79990001122",
        "CallerIDName": "Ann",
        "CalledExtensionID": room,
        "CalledNumber": "000*850",
    }
    if at is not None:
        given["EventTime"] = microseconds(at)
    if phone is not None:
        given |= {"CallerExtensionID": phone, "CallerExtension": f"000*2{phone}@sip.example.org"}
    return {**given, **more}


def told(
    kind: str, call: str, *, room: str = SALES, at: datetime | None = NOW, phone: str | None = None, **more: str
) -> CallTold:
    """The same as it is understood."""
    found = Interpreter().understand(fields(kind, call, room=room, at=at, phone=phone, **more))
    assert found is not None
    return found


def current(call: str, phone: str, *, room: RoomId = SALES, at: datetime = NOW, **more: object) -> CurrentCallJson:
    """A call of a phone into a room."""
    given: JsonObject = {
        "call_api_id": f"api-{call}",
        "call_flow": "out",
        "caller_id_number": f"2{phone}",
        "caller_id_name": "Ann",
        "called_number": NUMBERS[room],
        "called_extension": {"id": int(room), "name": f"000*{NUMBERS[room]}"},
        "extension_id": int(phone),
        "init_time_gmt": gmt(at),
        "answer_time_gmt": gmt(at),
        "real_call": True,
    }
    return {**given, **more}  # type: ignore[typeddict-item]  # as read
