"""`check`: tries each backend of a configuration and says what works."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click

from gateway.adapter import NoteKeeper
from gateway.commands.running import Complaint, run
from gateway.config import Config, ConfigError
from gateway.live.live import ConfiguredBackend, hand_out_notes
from gateway.model.capability import Capability
from gateway.model.errors import LinkDown, NotesUnavailable, SignInRefused
from gateway.model.reports import Report
from gateway.model.room import Room, RoomState
from gateway.storage import Storage, StorageError

_PATIENCE_S = 60.0


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="The TOML file to read.")
def check(config_path: Path) -> None:
    """Try each backend: signing in, the event feed, reading rooms.

    No room and no call is changed; a backend that calls the gateway is told where, as by `serve`. The exit code is 0
    when all of them work, 1 when one does not, 2 when the configuration or the storage cannot be used.
    """
    try:
        config = Config.load(config_path)
    except ConfigError as error:
        raise Complaint("\n".join(("the configuration cannot be used:", *error.problems))) from None
    try:
        if not run(_check_all(config)):
            raise SystemExit(1)
    except StorageError as error:
        raise Complaint(str(error)) from None


async def _check_all(config: Config) -> bool:
    async with AsyncExitStack() as stack:
        if any(isinstance(backend.adapter, NoteKeeper) for backend in config.backends):
            hand_out_notes(config.backends, await stack.enter_async_context(Storage.open(config.storage.url)))
        return all([await _check(backend) for backend in config.backends])


async def _check(backend: ConfiguredBackend) -> bool:
    click.echo(f"{backend.id} ({backend.adapter.kind}, {backend.name})")
    try:
        async with asyncio.timeout(_PATIENCE_S), backend.adapter.feed() as reports, _taken(reports):
            _good("signed in, event feed open")
            rooms = await backend.adapter.snapshot()
            _good(_counted(rooms))
            _good(_able(backend))
            for trouble in backend.adapter.troubles:
                _bad(trouble)
            return not backend.adapter.troubles
    except TimeoutError:
        return _bad(f"no answer within {_PATIENCE_S:.0f} s")
    except SignInRefused as refusal:
        return _bad(f"sign-in refused: {refusal}")
    except LinkDown as loss:
        return _bad(f"connection: {loss}")
    except NotesUnavailable as loss:
        return _bad(f"storage: {loss}")
    finally:
        await backend.adapter.aclose()


@asynccontextmanager
async def _taken(reports: AsyncIterator[Report]) -> AsyncIterator[None]:
    """Take what is reported, as whoever reads rooms has to."""

    async def take() -> None:
        async for _ in reports:
            pass

    taking = asyncio.create_task(take())
    try:
        yield
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


def _counted(rooms: Sequence[Room]) -> str:
    active = sum(room.state is RoomState.ACTIVE for room in rooms)
    people = sum(len(room.participants) for room in rooms)
    return f"{len(rooms)} rooms read, {active} active, {people} participants"


def _able(backend: ConfiguredBackend) -> str:
    supports = backend.adapter.capabilities()
    absent = [str(each) for each in Capability if not supports[each].usable]
    return f"{len(supports) - len(absent)} of {len(supports)} abilities; not: {', '.join(absent) or 'none'}"


def _good(text: str) -> None:
    click.echo(f"  {click.style('ok', fg='green')}    {text}")


def _bad(text: str) -> bool:
    click.echo(f"  {click.style('FAIL', fg='red')}  {text}")
    return False
