"""The gateway itself, over a switchboard in the same process: `ours.py [rooms]`."""

import asyncio
import itertools
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

from starlette.requests import HTTPConnection

from gateway.commands.running import run, spare_the_collector
from gateway.live.link import BackendStatus
from gateway.live.live import ConfiguredBackend, Live
from gateway.model.ids import BackendId, ParticipantId, RoomId, RoomKey
from gateway.model.room import Participant, ParticipantRole, Room, RoomState
from gateway.model.viewer import Viewer, ViewerRole
from gateway.schema.ids import room_gid
from gateway.storage import Storage
from gateway.web.app import WebLimits, make_app
from gateway.web.server import serving
from tests.bench.servers.control import Control
from tests.switchboard import Switchboard

_BACKEND = BackendId("bench")
_PEOPLE = 4
_JOINED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def _room(nth: int) -> Room:
    people = [_participant(nth, who) for who in range(_PEOPLE)]
    return Room(
        id=RoomId(f"room-{nth:04d}"),
        name=f"Conference room {nth:04d}",
        state=RoomState.ACTIVE,
        locked=False,
        on_hold=False,
        recording=False,
        participants={each.id: each for each in people},
    )


def _participant(room: int, who: int) -> Participant:
    return Participant(
        id=ParticipantId(f"{room:04d}-{who}"),
        display_name=f"Participant {who} of {room:04d}",
        number=f"+1202555{who:04d}",
        role=ParticipantRole.PARTICIPANT,
        muted=False,
        deafened=False,
        talking=False,
        joined_at=_JOINED_AT,
    )


def _viewers() -> Callable[[HTTPConnection], Viewer]:
    """Let every connection be somebody else, all with the same rights."""
    numbers = itertools.count()
    roles = frozenset({ViewerRole.VIEWER})
    return lambda _: Viewer(f"viewer-{next(numbers)}", "acme", roles)


async def _until_live(live: Live) -> None:
    while live.links[_BACKEND].status is not BackendStatus.LIVE:  # noqa: ASYNC110  once, before anything is measured
        await asyncio.sleep(0.01)


async def _serve(rooms: int) -> None:
    pbx = Switchboard()
    pbx.rooms = {room.id: room for room in map(_room, range(rooms))}
    ids = list(pbx.rooms)

    def happen(nth: int, text: str) -> None:
        pbx.change(ids[nth], f"{nth:04d}-0", display_name=text)

    with TemporaryDirectory() as folder:
        backends = [ConfiguredBackend(_BACKEND, "Bench", pbx)]
        database = f"sqlite:///{folder}/bench.sqlite3"
        async with Storage.open(database) as storage, Live(backends, storage, b"0" * 32) as live:
            async with asyncio.timeout(30):
                await _until_live(live)
            app = make_app(live, storage, _viewers(), b"1" * 32, WebLimits())
            async with serving(app, "127.0.0.1", 0) as port:
                spare_the_collector()
                gids = [room_gid(RoomKey(_BACKEND, room_id)) for room_id in ids]
                await Control(rooms, happen).obey({"port": port, "rooms": gids})


if __name__ == "__main__":
    run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
