"""A backend without a wire: a switch in this process and the adapter for it, for tests of what stands above the port.

It is honest about what it reports and when: what a hand does is done at once, and reported in that order. What real
backends do worse is asked for: `silent` (it says yes and does nothing), `refusal`, `hold` (no answer yet), `drop_link`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from starlette.routing import BaseRoute

from gateway.adapter import Receipt
from gateway.model.capability import Capabilities, Capability, Sparing, Support, absent, composed, native, phone_only
from gateway.model.commands import (
    Action,
    AdoptRoom,
    BulkCommand,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    RoomCommand,
    SettingsPatch,
    UpdateSettings,
)
from gateway.model.errors import CommandError, CommandErrorCode, CommandRefused, LinkDown, OutcomeUnknown, refused
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.reports import (
    EndReport,
    JoinReport,
    LeaveReport,
    Report,
    RoomReport,
    RosterDoubtReport,
    StartReport,
    UpdateReport,
)
from gateway.model.room import (
    NOBODY,
    LeaveReason,
    Participant,
    ParticipantRole,
    Room,
    RoomFacts,
    RoomSettings,
    RoomState,
)

HERE = "tests/switchboard.py"
VOICE_CALL_TOKEN = "conf_of-nobody"
NO_HOLD = "this switch cannot hold anybody"
ABILITIES: dict[Capability, Support] = {
    **{each: native("a method", HERE) for each in Capability},
    Capability.HOLD: absent(NO_HOLD, HERE),
    Capability.UNHOLD: absent(NO_HOLD, HERE),
    Capability.HOLD_ROOM: phone_only("*6", "only by keys", HERE),
    Capability.START_CONFERENCE: absent("phones start conferences by themselves", HERE),
    Capability.MUTE_ALL: native("a method", HERE, spares=frozenset({Sparing.MODERATORS})),
    Capability.KICK_ALL: composed("one by one", HERE),
}
FLAGS: dict[Action, dict[str, bool]] = {
    Action.MUTE: {"muted": True},
    Action.UNMUTE: {"muted": False},
    Action.MUTE_ME: {"muted": True},
    Action.UNMUTE_ME: {"muted": False},
    Action.DEAFEN: {"deafened": True},
    Action.UNDEAFEN: {"deafened": False},
}
BULK: dict[Action, Action] = {
    Action.MUTE_ALL: Action.MUTE,
    Action.UNMUTE_ALL: Action.UNMUTE,
    Action.DEAFEN_ALL: Action.DEAFEN,
    Action.UNDEAFEN_ALL: Action.UNDEAFEN,
}
ROOM_FLAGS: dict[Action, dict[str, bool]] = {
    Action.LOCK: {"locked": True},
    Action.UNLOCK: {"locked": False},
    Action.START_RECORDING: {"recording": True},
    Action.STOP_RECORDING: {"recording": False},
}


class NoSettings(BaseModel):
    """There is nothing to set."""


class Switchboard:
    """The switch, its hands and its adapter in one."""

    kind: ClassVar[str] = "kazoo"
    settings_type: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self) -> None:
        self.rooms: dict[RoomId, Room] = {}
        self.unlisted: dict[RoomId, Room] = {}
        """Rooms that have to be adopted."""
        self.abilities = dict(ABILITIES)
        self.executed: list[Command] = []
        self.rooms_read = 0
        self.reachable = True
        self.silent = False
        self.mute_of_answers = False
        self.refusal: CommandError | None = None
        self.hold = asyncio.Event()
        self.hold.set()
        self._feed: asyncio.Queue[Report | None] | None = None

    # ---- hands ----

    def open_room(self, room_id: str, *, settings: RoomSettings | None = None, **facts: Any) -> RoomId:
        """Make a room that nobody is in."""
        room = Room(id=RoomId(room_id), settings=settings or RoomSettings(), **facts)
        self.rooms[room.id] = room
        self._say(RosterDoubtReport())
        return room.id

    def open_elsewhere(self, room_id: str) -> RoomId:
        """Make a room that the switch does not list."""
        room = Room(id=RoomId(room_id), settings=RoomSettings())
        self.unlisted[room.id] = room
        return room.id

    def remove_room(self, room_id: str) -> None:
        """Let a room exist no longer."""
        del self.rooms[RoomId(room_id)]
        self._say(RosterDoubtReport())

    def join(self, room_id: str, participant_id: str, **fields: Any) -> ParticipantId:
        """Let somebody in; the first one starts the conference."""
        room = self.rooms[RoomId(room_id)]
        known: dict[str, Any] = {"muted": False, "deafened": False, "talking": False} | fields
        known.setdefault("role", ParticipantRole.PARTICIPANT)
        participant = Participant(id=ParticipantId(participant_id), **known)
        self.rooms[room.id] = replace(
            room, state=RoomState.ACTIVE, participants={**room.participants, participant.id: participant}
        )
        if room.state is not RoomState.ACTIVE:
            self._say(StartReport(room_id=room.id))
        self._say(JoinReport(room_id=room.id, participant=participant))
        return participant.id

    def leave(self, room_id: str, participant_id: str, reason: LeaveReason = LeaveReason.HUNG_UP) -> None:
        """Let somebody go."""
        room = self.rooms[RoomId(room_id)]
        rest = {each: state for each, state in room.participants.items() if each != participant_id}
        self.rooms[room.id] = replace(room, participants=rest)
        self._say(LeaveReport(room_id=room.id, participant_id=ParticipantId(participant_id), reason=reason))

    def change(self, room_id: str, participant_id: str, **fields: Any) -> None:
        """Let something about somebody be different."""
        room = self.rooms[RoomId(room_id)]
        changed = replace(room.participants[ParticipantId(participant_id)], **fields)
        self.rooms[room.id] = replace(room, participants={**room.participants, changed.id: changed})
        self._say(UpdateReport(room_id=room.id, participant=Participant(id=changed.id, **fields)))

    def tell(self, room_id: str, **facts: Any) -> None:
        """Let something about a room be different."""
        self.rooms[RoomId(room_id)] = replace(self.rooms[RoomId(room_id)], **facts)
        self._say(RoomReport(room_id=RoomId(room_id), facts=RoomFacts(**facts)))

    def end(self, room_id: str) -> None:
        """End the conference in a room."""
        room = self.rooms[RoomId(room_id)]
        self.rooms[room.id] = replace(room, state=RoomState.IDLE, participants=NOBODY)
        self._say(EndReport(room_id=room.id))

    def drop_link(self, *, reachable: bool = True) -> None:
        """Lose the connection, and say whether the next one succeeds."""
        self.reachable = reachable
        if self._feed is not None:
            self._feed.put_nowait(None)

    # ---- the port ----

    @classmethod
    def configured(cls, settings: Mapping[str, object]) -> Self:
        NoSettings.model_validate(settings)
        return cls()

    @property
    def poll_interval_s(self) -> float | None:
        return None

    @property
    def misunderstood(self) -> int:
        return 0

    @property
    def troubles(self) -> Sequence[str]:
        return ()

    def capabilities(self) -> Capabilities:
        return self.abilities

    def capabilities_in(self, room: Room) -> Capabilities:
        if room.state is RoomState.ACTIVE:
            return {}
        return {Capability.LOCK: absent("nobody is in the room", HERE)}

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[AsyncIterator[Report]]:
        self._be_reachable()
        self._feed = asyncio.Queue()
        try:
            yield self._reports(self._feed)
        finally:
            self._feed = None

    async def snapshot(self) -> Sequence[Room]:
        self._be_reachable()
        return [replace(room, settings=None) for room in self.rooms.values()]

    async def read_room(self, room_id: RoomId) -> Room | None:
        self._be_reachable()
        self.rooms_read += 1
        return self.rooms.get(room_id)

    async def execute(self, command: Command, room: Room | None, identity: str | None) -> Receipt:
        self.executed.append(command)
        await self.hold.wait()
        if self.refusal is not None:
            raise CommandRefused(self.refusal)
        receipt = Receipt() if self.silent else self._do(command)
        if self.mute_of_answers:
            raise OutcomeUnknown("the connection was lost while waiting for the answer")
        return receipt

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def aclose(self) -> None:
        self._feed = None

    # ---- inside ----

    def _do(self, command: Command) -> Receipt:
        match command:
            case ParticipantCommand(Action.KICK, room_id, participant_id):
                self.leave(room_id, participant_id, LeaveReason.UNKNOWN)
            case ParticipantCommand(action, room_id, participant_id):
                self.change(room_id, participant_id, **FLAGS[action])
            case BulkCommand(action, room_id):
                self._do_to_all(action, room_id)
            case RoomCommand(action, room_id):
                self._do_to_room(action, room_id)
            case Invite(room_id, destination, role, _, name):
                guest = self.join(room_id, f"guest-{destination}", number=destination, role=role, display_name=name)
                return Receipt(participant_id=guest)
            case CreateRoom(name, patch):
                made = self.open_room(f"made-{len(self.rooms)}", name=name, settings=_patched(RoomSettings(), patch))
                return Receipt(room=self.rooms[made], voice_call_token=VOICE_CALL_TOKEN)
            case AdoptRoom(native_id, name):
                return Receipt(room=self._adopt(RoomId(native_id), name))
            case UpdateSettings(room_id, name, patch):
                room = self.rooms[room_id]
                settings = _patched(room.settings or RoomSettings(), patch)
                self.rooms[room_id] = replace(room, name=name or room.name, settings=settings)
        return Receipt()

    def _adopt(self, room_id: RoomId, name: str | None) -> Room:
        room = self.unlisted.pop(room_id, None) or self.rooms.get(room_id)
        if room is None:
            raise refused(CommandErrorCode.ROOM_NOT_FOUND, "there is no such conference", field=("nativeId",))
        self.rooms[room_id] = replace(room, name=name)
        return self.rooms[room_id]

    def _do_to_all(self, action: Action, room_id: RoomId) -> None:
        spares = self.abilities[action.capability].spares
        for each in list(self.rooms[room_id].participants.values()):
            if Sparing.MODERATORS not in spares or each.role is not ParticipantRole.MODERATOR:
                self.change(room_id, each.id, **FLAGS[BULK[action]])

    def _do_to_room(self, action: Action, room_id: RoomId) -> None:
        if action is Action.CLOSE:
            self.end(room_id)
        elif action is Action.DELETE_ROOM:
            self.remove_room(room_id)
        else:
            self.tell(room_id, **ROOM_FLAGS[action])

    async def _reports(self, feed: asyncio.Queue[Report | None]) -> AsyncIterator[Report]:
        while (report := await feed.get()) is not None:
            yield report
        raise LinkDown("the switchboard is unplugged")

    def _say(self, report: Report) -> None:
        if self._feed is not None:
            self._feed.put_nowait(report)

    def _be_reachable(self) -> None:
        if not self.reachable:
            raise LinkDown("the switchboard is unplugged")


def _patched(settings: RoomSettings, patch: SettingsPatch) -> RoomSettings:
    changes: dict[str, Any] = dict(patch)
    return replace(settings, **changes)
