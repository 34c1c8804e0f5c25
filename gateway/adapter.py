"""The port between the gateway and a backend: the one page to read before writing an adapter.

An adapter speaks a backend's protocol and translates it. It does not retry a lost connection, hold the state of rooms,
number events or know GraphQL: `gateway.live` does that once for all backends. One instance serves one configured
backend; all its methods run on the event loop and must not block it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self, runtime_checkable

from pydantic import BaseModel
from starlette.routing import BaseRoute

from gateway.model.capability import Capabilities
from gateway.model.commands import Command
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import Report
from gateway.model.room import Room


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a backend's acceptance of a command says beyond yes.

    Shape: `room` is a room that was created or whose settings changed, as the backend answered it (None: not said);
           `participant_id` is the presence an invitation made; `voice_call_token` is what the host's phone has to call
           for a room that was made. It is a secret: whoever calls it is in.
    """

    room: Room | None = None
    participant_id: ParticipantId | None = None
    voice_call_token: str | None = field(default=None, repr=False)


class Adapter(Protocol):
    """A backend, as the gateway sees it."""

    kind: ClassVar[str]
    """The name of the kind in lower case, as the registry and configurations have it."""
    settings_type: ClassVar[type[BaseModel]]
    """What a `[[backends]]` table of this kind may hold beside `id`, `kind`, `name`; each field has a description."""

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> Self:
        """Make the adapter of one backend from its `[[backends]]` table without `id`, `kind`, `name`; must not connect.

        Errors: pydantic.ValidationError, whose places are the settings' names.
        """

    @property
    def poll_interval_s(self) -> float | None:
        """How often to take a snapshot although the feed is up, because the backend loses events; None: never."""

    @property
    def misunderstood(self) -> int:
        """How many frames of the backend could not be understood since the start, for `/readyz` and tests."""

    @property
    def troubles(self) -> Sequence[str]:
        """What an operator has to mend although the feed is up, a sentence each, for `/readyz` and `check`.

        An account that cannot sign in costs what it would have shown, not the whole backend.
        """

    def capabilities(self) -> Capabilities:
        """Say what the backend can do, as far as is known now: every Capability has an entry.

        It may become more precise when `feed` has found out which version the backend is.
        """

    def capabilities_in(self, room: Room) -> Capabilities:
        """Narrow the backend's abilities to one room; entries that do not differ may be left out."""

    def feed(self) -> AbstractAsyncContextManager[AsyncIterator[Report]]:
        """Sign in, connect, and hand over what the backend reports until the context is left.

        Called by the link, once at a time; called again after a failure. Entering connects; the iterator ends or raises
        LinkDown when the connection is lost. It must not reconnect. Reports are handed over in the order of arrival; a
        frame that cannot be understood costs that frame only.

        Errors: SignInRefused, LinkDown.
        """

    async def snapshot(self) -> Sequence[Room]:
        """Read all rooms with those who are in them, having subscribed to each room's reports before reading it.

        Called while a feed is open and its reports are taken: after it was entered, then every `poll_interval_s`, and
        after a RosterDoubtReport.
        A room that is missing in the answer exists no longer.

        Errors: SignInRefused, LinkDown.
        """

    async def read_room(self, room_id: RoomId) -> Room | None:
        """Read one room with its settings; None means that it exists no longer.

        Called while a feed is open, when a report could not be believed or a command has to be confirmed.

        Errors: SignInRefused, LinkDown.
        """

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        """Do one command and return when the backend has accepted it.

        `room` is the room as it is known now (None for commands without one), `identity` the backend's user that the
        viewer is (None: unknown). Only commands whose capability is usable are given; a COMPOSED command for everybody
        is never given, since the desk sends it participant by participant. It must not wait for the effect, and must
        not retry what may have acted. Being cancelled leaves the outcome open.

        Errors: CommandRefused, OutcomeUnknown.
        """

    def routes(self) -> Sequence[BaseRoute]:
        """Offer the HTTP routes by which the backend calls us, mounted below `/hooks/<backend id>`."""

    async def aclose(self) -> None:
        """Let go of all connections; nothing is called afterwards."""


class Notes(Protocol):
    """What an adapter must still know after a restart: short texts by key, of this backend alone.

    Units: a key has at most 255 characters, a text 4000; what does not fit is refused, never cut.
    """

    async def all(self) -> Mapping[str, str]:
        """Give all texts by their keys.

        Errors: NotesUnavailable.
        """

    async def put(self, key: str, text: str) -> None:
        """Keep a text in the place of what the key stood for; it is kept once this returns.

        Errors: NotesUnavailable, also for what does not fit.
        """

    async def drop(self, key: str) -> None:
        """Forget a key, known or not.

        Errors: NotesUnavailable.
        """


@runtime_checkable
class NoteKeeper(Protocol):
    """An adapter that has something to keep is one of these too.

    Errors: NotesUnavailable may pass out of `feed`, `snapshot` and `read_room`, which is then the end of that feed. In
            `execute` the adapter alone knows what it means: CommandRefused before it acted, OutcomeUnknown after.
    """

    def keep_notes(self, notes: Notes) -> None:
        """Take the place for its notes; called once, before the first feed."""
