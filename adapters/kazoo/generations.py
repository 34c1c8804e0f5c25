"""The generations of Kazoo that differ on the wire, how a room's events are named in each, and how to tell them apart.

Source: doc/websockets.md, cb_websockets.erl and bh_conference.erl of each branch.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from urllib.parse import quote

from adapters.kit.understanding import objects


class Generation(StrEnum):
    """4.0 stands for 4.1 too, 5 for everything from 5.2 on; master is the open development branch after 4.3."""

    K4_0 = "4.0"
    K4_2 = "4.2"
    MASTER = "master"
    K4_3 = "4.3"
    K5 = "5"


GUESSED = Generation.K4_2
"""What an unknown Kazoo is taken for until it has been asked."""
PROBE_ROOM = "gateway-probe"
"""A room that nobody has: asking for it changes nothing and tells generations apart."""

_ROOM = "{CONFERENCE_ID}"


def binding(generation: Generation, room_id: str) -> str:
    """Name all events of one room.

    Shape: a dot would split the word of the room, so it is percent-encoded like everything that is not plain.
    """
    room = quote(room_id, safe="").replace(".", "%2E")
    return f"conference.event.*.{room}.*" if generation is Generation.K5 else f"conference.event.{room}.*"


def of_templates(data: object) -> Generation | None:
    """Read the generation off the binding templates that `GET websockets` lists; None: 4.0 or 4.2, which list none."""
    templates = objects(data).get("conference")
    words = [each.split(".") for each in templates if isinstance(each, str)] if isinstance(templates, list) else []
    events = [each[2:] for each in words if each[:2] == ["conference", "event"]]
    if any(_ROOM in each[1:] for each in events):
        return Generation.K5
    if any(len(each) == 3 for each in events):
        return Generation.K4_3
    return Generation.MASTER if events else None


async def detect(
    templates: object | None,
    accepts: Callable[[str], Awaitable[bool]],
    knows_unknown_rooms: Callable[[], Awaitable[bool]],
) -> Generation:
    """Find out which generation answers.

    Shape: `templates` is None where the module that lists them does not run; `accepts` tries a binding on the event
           socket; `knows_unknown_rooms` says whether a room without a document can be asked for, as from 4.2 on.
    """
    found = None if templates is None else of_templates(templates)
    if found is not None:
        return found
    if templates is None and not await accepts(binding(Generation.K4_2, PROBE_ROOM)):
        return Generation.K5
    return Generation.K4_2 if await knows_unknown_rooms() else Generation.K4_0
