"""Calls that are over, and how the call history tells them.

Inferred: which words `result` and `hangup_disposition` have; durations are whole seconds; a call is listed under the
          room it was in, else under its phone; `cdr` is empty; the newest come first unless `order` is asc.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .calls import Call
from .paging import page_of
from .shapes import Json, gmt

_RESULTS = {"ANSWER": "answered", "BUSY": "busy", "NOANSWER": "not answered"}


class Past(NamedTuple):
    """A call that is over.

    Units: ended_at is Unix seconds.
    """

    call: Call
    status: str
    ended_at: float


def listed(past: Iterable[Past], query: Mapping[str, str]) -> Json:
    """Write the page of those that a query wants.

    Errors: ApiError 400.
    """
    page = page_of(query)
    found = [told for one in past if _wanted(told := _entry(one), query)]
    if query.get("order", "desc") != "asc":
        found.reverse()
    order = query.get("order", "desc")
    return {"page": page.number, "per_page": page.size, "order": order, "call_history": found[page.part]}


def _wanted(told: Json, query: Mapping[str, str]) -> bool:
    begun = str(told["init_time_gmt"])
    if not query.get("start_datetime", "") <= begun <= query.get("end_datetime", "9999"):
        return False
    return all(query.get(name, str(told[name])) == str(told[name]) for name in ("flow", "extension_id", "to_username"))


def _entry(past: Past) -> Json:
    call = past.call
    extension = call.room or (call.phones[0] if call.phones else None)
    bridged_s = 0 if call.answered_at is None else int(past.ended_at - call.answered_at)
    return {
        "call_uuid": call.call_id,
        "flow": "in" if call.caller.phone is None else "out",
        "result": _RESULTS.get(past.status, "failed"),
        "duration": int(past.ended_at - call.began_at),
        "bridged_duration": bridged_s,
        "hangup_cause": "NORMAL_CLEARING" if past.status == "ANSWER" else past.status,
        "hangup_disposition": "caller_bye",
        "from_username": call.caller.number,
        "to_username": call.dialled,
        "extension_id": extension.extension_id if extension else None,
        "extension_type": extension.kind if extension else None,
        "init_time_gmt": gmt(call.began_at),
        "hangup_time_gmt": gmt(past.ended_at),
        "cdr": [],
    }
