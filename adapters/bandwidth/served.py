"""Which conferences are served: Bandwidth lists none, so that the gateway keeps their ids itself."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.adapter import Notes
from gateway.model.errors import LinkDown, NotesUnavailable

log = logging.getLogger(__name__)

_SECRET = "callback-secret"  # noqa: S105  # the name of the note, not what is in it
_CONFERENCE = "conference:"


@dataclass(frozen=True, slots=True)
class _Note:
    """What is kept of a conference; Bandwidth has no names for them."""

    name: str | None = None


class Served:
    """The ids and names of the conferences that are served, in memory and in the gateway's notes.

    Notes that cannot be written do not undo what has been done at Bandwidth: they are written with the next reading.
    """

    def __init__(self) -> None:
        self._notes: Notes | None = None
        self._names: dict[str, str | None] | None = None
        self._unwritten: dict[str, _Note | None] = {}
        self._failed: set[str] = set()
        self._secret: str | None = None
        self._lock = asyncio.Lock()

    def keep_in(self, notes: Notes) -> None:
        """Know where to keep them."""
        self._notes = notes

    @property
    def names(self) -> Mapping[str, str | None]:
        """The names of the conferences by id, None for those that have none."""
        return dict(self._names or {})

    @property
    def unwritten(self) -> int:
        """How many would not be known, or known wrongly, after a restart: not those that are being written now."""
        return len(self._failed)

    async def load(self) -> None:
        """Learn which conferences there are, also by other processes; and write what could not be written before.

        Errors: LinkDown, when they have never been known, or when the secret is another one now.
        """
        async with self._lock:
            try:
                for conference_id in list(self._unwritten):
                    await self._write(conference_id)
                kept = await self._kept.all()
            except NotesUnavailable as error:
                if self._names is None:
                    raise LinkDown(f"which conferences there are cannot be read: {error}") from None
                log.warning("bandwidth: %s", error)
                return
        names = {
            key.removeprefix(_CONFERENCE): _name(note) for key, note in kept.items() if key.startswith(_CONFERENCE)
        }
        for conference_id, note in self._unwritten.items():  # what has changed meanwhile
            if note is None:
                names.pop(conference_id, None)
            else:
                names[conference_id] = note.name
        self._names = names
        if self._secret is not None and kept.get(_SECRET, self._secret) != self._secret:
            raise LinkDown("another process of the gateway has made another secret for the hook")

    async def add(self, conference_id: str, name: str | None) -> None:
        """Serve a conference from now on, or know it by another name."""
        self._names = {**self.names, conference_id: name}
        await self._change(conference_id, _Note(name))

    async def drop(self, conference_id: str) -> None:
        """No longer serve a conference: it is over."""
        if self._names is not None and conference_id in self._names:
            del self._names[conference_id]
            await self._change(conference_id, None)

    async def know_secret(self) -> str:
        """Give the secret of our hook, made when first asked for: Bandwidth goes on calling after a restart of ours.

        Errors: LinkDown, when it has never been known.
        """
        try:
            kept = (await self._kept.all()).get(_SECRET)
            if kept is None:
                await self._kept.put(_SECRET, secrets.token_urlsafe(32))
                kept = (await self._kept.all())[_SECRET]  # another process may have made one at the same time
            self._secret = kept
        except NotesUnavailable as error:
            if self._secret is None:
                raise LinkDown(f"the secret of the hook cannot be read: {error}") from None
            log.warning("bandwidth: %s", error)
        return self._secret

    @property
    def secret(self) -> str:
        """The secret of our hook, as the feed came to know it."""
        if self._secret is None:
            raise RuntimeError("know_secret comes before the first request that has an address of ours in it")
        return self._secret

    @property
    def _kept(self) -> Notes:
        if self._notes is None:
            raise RuntimeError("keep_notes comes before the first feed")
        return self._notes

    async def _change(self, conference_id: str, note: _Note | None) -> None:
        self._unwritten[conference_id] = note
        try:
            async with self._lock:
                await self._write(conference_id)
        except NotesUnavailable as error:
            self._failed.add(conference_id)
            log.warning("bandwidth: conference %s is to be written down later: %s", conference_id, error)

    async def _write(self, conference_id: str) -> None:
        if conference_id not in self._unwritten:
            return  # a reading that had the lock before us has written it
        note = self._unwritten[conference_id]
        key = f"{_CONFERENCE}{conference_id}"
        if note is None:
            await self._kept.drop(key)
        else:
            await self._kept.put(key, msgspec.json.encode(note).decode())
        self._failed.discard(conference_id)
        if self._unwritten.get(conference_id) is note:  # else it has changed again meanwhile
            del self._unwritten[conference_id]


def _name(note: str) -> str | None:
    try:
        return msgspec.json.decode(note, type=_Note).name
    except msgspec.MsgspecError:
        return None
