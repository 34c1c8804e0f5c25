"""What mutations take, and what they answer."""

from dataclasses import dataclass

import strawberry

from gateway.live.results import CommandOutcome, CommandResult
from gateway.live.table import RoomAt
from gateway.model import errors as model
from gateway.model.capability import Capability, Sparing
from gateway.model.errors import CommandErrorCode
from gateway.model.room import Participant as ParticipantState
from gateway.model.room import ParticipantRole
from gateway.schema.context import Context
from gateway.schema.ids import room_gid
from gateway.schema.participant import Participant
from gateway.schema.room import Room, shown_room
from gateway.schema.scalars import Cursor
from gateway.schema.settings import RoomSettingsInput
from gateway.schema.told import may_give, told

_KEY = (
    "Up to 200 characters, chosen by you: the same key from the same viewer acts once, and a repeat gets the first "
    "answer."
)


@dataclass
class _ErrorView:
    error: strawberry.Private[model.CommandError]

    def __getattr__(self, name: str) -> object:
        return getattr(self.error, name)

    @property
    def field(self) -> list[str] | None:
        return None if self.error.field is None else ["input", *self.error.field]


@strawberry.type(description="Why a command was not done.")
class CommandError(_ErrorView):
    """Why a command was not done."""

    code: CommandErrorCode = told("For programs.")
    message: str = told("For people, in English.")
    field: list[str] | None = told("The path in the mutation's arguments of what is wrong, as in `input`, `roomId`.")
    retry_after_ms: int | None = told("After how many milliseconds to try again, when that makes sense.")
    capability: Capability | None = told("The capability that is missing, for NOT_SUPPORTED and FORBIDDEN.")


@dataclass
class _PayloadView:
    context: strawberry.Private[Context]
    result: strawberry.Private[CommandResult]

    @property
    def room_at(self) -> RoomAt | None:
        key = self.result.key
        return None if key is None else self.context.live.room(key)

    @property
    def outcome(self) -> CommandOutcome:
        return self.result.outcome

    @property
    def errors(self) -> list[CommandError]:
        return [CommandError(error) for error in self.result.errors]

    @property
    def position(self) -> Cursor | None:
        key, position = self.result.key, self.result.position
        return None if key is None or position is None else self.context.cursor(key, position)

    @property
    def room(self) -> Room | None:
        return shown_room(self.context, self.room_at)

    @property
    def participant(self) -> Participant | None:
        return self.shown(self.result.participant)

    def shown(self, participant: ParticipantState | None) -> Participant | None:
        """Show a participant the command was about, while its room exists."""
        room = self.room
        return Participant(participant, room) if participant and room else None


@strawberry.interface(description="What every command answers.")
class CommandPayload(_PayloadView):
    """What every command answers."""

    outcome: CommandOutcome = told("What the command came to.")
    errors: list[CommandError] = told("Why it was not done, or not all of it.")
    position: Cursor | None = told("Position of the event that carries the effect, when CONFIRMED.")


@strawberry.type(description="What a command on one participant answers.")
class ParticipantCommandPayload(CommandPayload):
    """What a command on one participant answers."""

    participant: Participant | None = told("The participant, as the effect left them; after a kick, as they left.")
    room: Room | None = told("The room, as it is now.")


@strawberry.type(description="What a command on a room answers.")
class RoomCommandPayload(CommandPayload):
    """What a command on a room answers."""

    room: Room | None = told("The room, as it is now.")


@strawberry.type(description="What a command for everybody came to for one participant.")
class BulkResult:
    """What a command for everybody came to for one participant."""

    participant: Participant = strawberry.field(description="Whom it was about, as they were before.")
    outcome: CommandOutcome = strawberry.field(description="What it came to for them.")
    error: CommandError | None = strawberry.field(description="Why it was not done.")


def _shown_error(error: model.CommandError | None) -> CommandError | None:
    return None if error is None else CommandError(error)


@dataclass
class _BulkView(_PayloadView):
    @property
    def results(self) -> list[BulkResult]:
        return [
            BulkResult(participant=participant, outcome=each.outcome, error=_shown_error(each.error))
            for each in self.result.results
            if (participant := self.shown(each.participant)) is not None
        ]


@strawberry.type(
    description="What a command for everybody answers. `outcome` is CONFIRMED or REJECTED when it is so for each, "
    "UNKNOWN when it is for any, else ACCEPTED; `position` is that of the last effect."
)
class BulkCommandPayload(_BulkView, CommandPayload):
    """What a command for everybody answers."""

    room: Room | None = told("The room, as it is now.")
    results: list[BulkResult] = told("One for each participant it was about; those who were spared are not here.")


@strawberry.type(description="What an invitation answers: CONFIRMED when the guest is in the room.")
class InviteParticipantPayload(CommandPayload):
    """What an invitation answers."""

    room: Room | None = told("The room, as it is now.")
    participant: Participant | None = told("The guest, once in the room, where the backend tells which one it is.")


@dataclass
class _CreationView(_PayloadView):
    @property
    def voice_call_token(self) -> str | None:
        return self.result.voice_call_token


@strawberry.type(description="What making a room answers.")
class CreateRoomPayload(_CreationView, CommandPayload):
    """What making a room answers."""

    room: Room | None = told("The new room.")
    voice_call_token: str | None = told(
        "RingCentral: what the host's phone (WebRTC or SIP) has to call within 38 seconds for the conference to begin. "
        "Whoever calls it is in, so it is a secret, and not given again to a repeat with the same idempotencyKey."
    )


@strawberry.type(description="What adopting a room answers.")
class AdoptRoomPayload(CommandPayload):
    """What adopting a room answers."""

    room: Room | None = told("The room that is served from now on.")


@dataclass
class _DeletionView(_PayloadView):
    @property
    def deleted_room_id(self) -> strawberry.ID | None:
        key, outcome = self.result.key, self.result.outcome
        return room_gid(key) if key is not None and outcome is CommandOutcome.CONFIRMED else None


@strawberry.type(description="What deleting a room answers.")
class DeleteRoomPayload(_DeletionView, CommandPayload):
    """What deleting a room answers."""

    deleted_room_id: strawberry.ID | None = told("The id of the room that is gone, when CONFIRMED.")


@strawberry.input(description="One participant.")
class ParticipantCommandInput:
    """One participant."""

    participant_id: strawberry.ID = strawberry.field(description="Whom to act on.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="One room.")
class RoomCommandInput:
    """One room."""

    room_id: strawberry.ID = strawberry.field(description="Which room.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="Everybody in a room.")
class BulkCommandInput:
    """Everybody in a room."""

    room_id: strawberry.ID = strawberry.field(description="Which room.")
    sparing: list[Sparing] | None = may_give(
        "Whom to leave alone. Absent: whom the backend's own command does, see `CapabilitySupport.spares`. Empty: "
        "nobody."
    )
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="Whom to call into a room.")
class InviteParticipantInput:
    """Whom to call into a room."""

    room_id: strawberry.ID = strawberry.field(description="Which room.")
    destination: str = strawberry.field(description="The number or address to call; up to 256 characters.")
    role: ParticipantRole | None = strawberry.field(
        default=ParticipantRole.PARTICIPANT, description="What the guest will be in the room."
    )
    early_join: bool | None = strawberry.field(
        default=False, description="True: the room hears the ringback. False: the guest enters once answered."
    )
    display_name: str | None = may_give("The name to show for the guest; up to 128 characters.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="What to play, and to whom.")
class PlayMediaInput:
    """What to play, and to whom."""

    room_id: strawberry.ID = strawberry.field(description="Which room.")
    participant_id: strawberry.ID | None = may_give("Only this participant hears it; the whole room unless given.")
    media: str = strawberry.field(description="The sound: an address or a name, as the backend knows it.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="A new room.")
class CreateRoomInput:
    """A new room."""

    backend_id: strawberry.ID = strawberry.field(description="On which phone system.")
    name: str | None = may_give("Its name; up to 128 characters.")
    settings: RoomSettingsInput | None = may_give("How it is configured.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="A conference that was made elsewhere.")
class AdoptRoomInput:
    """A conference that was made elsewhere."""

    backend_id: strawberry.ID = strawberry.field(description="On which phone system.")
    native_id: str = strawberry.field(description="The backend's own id of the conference; up to 128 characters.")
    name: str | None = may_give("What to call it; up to 128 characters. Absent: as before, or as the backend does.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="Changes of a room's name and settings.")
class UpdateRoomSettingsInput:
    """Changes of a room's name and settings."""

    room_id: strawberry.ID = strawberry.field(description="Which room.")
    name: str | None = may_give("Its new name, up to 128 characters; unchanged when absent or null.")
    settings: RoomSettingsInput = strawberry.field(description="What else to change.")
    idempotency_key: str | None = may_give(_KEY)


@strawberry.input(description="Where to join the viewer's own calls.")
class StartConferenceInput:
    """Where to join the viewer's own calls."""

    backend_id: strawberry.ID = strawberry.field(description="On which phone system.")
    idempotency_key: str | None = may_give(_KEY)
