"""An adapter that keeps notes has them before it connects, and again after a restart."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.adapter import NoteKeeper, Notes
from gateway.live.link import BackendStatus
from gateway.model.errors import NotesUnavailable
from gateway.model.reports import Report
from tests.gateway.live.desk_side import Faulty, eventually
from tests.gateway.schema.house import PBX, house_with


class Keeper(Faulty):
    """A switchboard whose adapter notes each connection."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Notes] = []

    def keep_notes(self, notes: Notes) -> None:
        assert self.feeds == 0
        self.given.append(notes)

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        (notes,) = self.given
        connections = (await notes.all()).get("connections", "")
        await notes.put("connections", connections + "|")
        async with super().feed() as reports:
            yield reports


async def notes_after_two_connections(folder: Path) -> Mapping[str, str]:
    """Run a gateway until its link was lost and came back."""
    pbx = Keeper()
    async with house_with(folder, pbx) as house:
        await house.until_live()
        pbx.drop_link()
        await eventually(lambda: pbx.feeds == 2)
        assert len(pbx.given) == 1, "handed out once"
        assert not isinstance(house.cloud, NoteKeeper), "who keeps nothing gets nothing"
        return await house.storage.notes(PBX).all()


async def test_notes_are_handed_out_once_and_outlive_the_gateway(tmp_path: Path) -> None:
    assert await notes_after_two_connections(tmp_path) == {"connections": "||"}
    assert await notes_after_two_connections(tmp_path) == {"connections": "||||"}


async def test_without_its_notes_a_backend_waits_and_tries_again(tmp_path: Path) -> None:
    pbx = Keeper()
    pbx.feed_refusal = NotesUnavailable("the database is away")
    async with house_with(tmp_path, pbx) as house:
        link = house.live.links[PBX]
        await eventually(lambda: pbx.feeds >= 3)
        assert (link.status, link.status_reason) == (BackendStatus.CONNECTING, "the database is away")
        pbx.feed_refusal = None
        await house.until_live()
