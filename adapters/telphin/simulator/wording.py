"""How extensions, current calls and events are written.

Inferred: `caller_extension` and `called_extension` of a current call are objects with id, name and type, null for
          somebody outside; an instant that is not known is null; in events what is not known is left out, and who
          withholds their number is `anonymous`; a phone that is called back calls out.
"""

from .calls import Call
from .extensions import DOMAIN, Extension
from .happenings import Happening
from .shapes import Json, gmt

_ANONYMOUS = "anonymous"


def extension_json(one: Extension, client_id: int) -> Json:
    """Write an extension as lists have it."""
    return {
        "id": one.extension_id,
        "name": one.name,
        "type": one.kind,
        "status": one.status,
        "label": one.label,
        "caller_id_name": one.caller_id_name,
        "client_id": client_id,
        "extension_group_id": None,
        "domain": DOMAIN,
        "create_date": gmt(one.created_at),
        "dial_rule_id": None,
        "dial_rule_limit": None,
        "message_did": None,
        "ani_rfc3325": False,
        "did_as_transfer_caller_id": None,
        "extra_params": None,
    }


def call_json(call: Call, phone: Extension) -> Json:
    """Write a current call of a phone."""
    return {
        "call_api_id": call.call_api_id,
        "call_flow": _flow(call, phone),
        "caller_id_number": call.caller.number or _ANONYMOUS,
        "caller_id_name": call.caller.name,
        "called_number": call.dialled,
        "called_did": call.did,
        "caller_extension": _info(call.caller.phone),
        "called_extension": _info(call.called_extension),
        "extension_id": phone.extension_id,
        "init_time_gmt": gmt(call.began_at),
        "answer_time_gmt": None if call.answered_at is None else gmt(call.answered_at),
        "callback_id": call.callback_id,
        "record_uuid": None,
        "real_call": call.real,
    }


def _info(extension: Extension | None) -> Json | None:
    if extension is None:
        return None
    return {"id": extension.extension_id, "name": extension.name, "type": extension.kind}


def _flow(call: Call, extension: Extension) -> str:
    return "out" if call.caller.phone is extension else "in"


def event_params(happening: Happening, at_us: int) -> dict[str, str]:
    """Write an event as the parameters of a webhook.

    Units: `at_us` is microseconds since the epoch, as EventTime; Duration is microseconds too.
    """
    call, extension = happening.call, happening.extension
    phone, called = call.caller.phone, call.called_extension
    told: dict[str, str | int | None] = {
        "EventType": happening.kind,
        "CallStatus": happening.status,
        "CallFlow": _flow(call, extension),
        "CallID": call.call_id,
        "SubCallID": f"{extension.extension_id}-{call.call_id}",
        "CallAPIID": call.call_api_id,
        "CallerIDNum": call.caller.number or _ANONYMOUS,
        "CallerIDName": call.caller.name,
        "CallerExtension": phone.address if phone else None,
        "CallerExtensionID": phone.extension_id if phone else None,
        "CalledNumber": called.name if called else call.dialled,
        "CalledDID": call.did,
        "CalledExtension": called.address if called else None,
        "CalledExtensionID": called.extension_id if called else None,
        "EventTime": at_us,
        "Duration": int(happening.duration_s * 1_000_000) if happening.kind == "hangup" else None,
        "RecID": happening.recording,
        "Transfered": "yes" if happening.transferred else None,
        "CallBackID": call.callback_id,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
