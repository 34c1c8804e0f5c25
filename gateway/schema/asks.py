"""How a mutation's input becomes what is asked of the desk.

Errors: every function here raises CommandRefused for input that the desk need not see; paths are relative to `input`.
"""

from gateway.live.asks import Ask, AskEverybody, AskMe
from gateway.model.commands import (
    Action,
    AdoptRoom,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    StartConference,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, refused
from gateway.model.ids import BackendId, RoomKey
from gateway.model.room import ParticipantRole
from gateway.schema.commands import (
    AdoptRoomInput,
    BulkCommandInput,
    CreateRoomInput,
    InviteParticipantInput,
    ParticipantCommandInput,
    PlayMediaInput,
    RoomCommandInput,
    StartConferenceInput,
    UpdateRoomSettingsInput,
)
from gateway.schema.ids import MalformedId, ParticipantKey, parse_backend, parse_participant, parse_room
from gateway.schema.settings import TEXT_MAX_CHARS, settings_patch
from gateway.schema.told import given

_NAME_MAX_CHARS = 128
_DESTINATION_MAX_CHARS = 256
_NATIVE_ID_MAX_CHARS = 128


def on_participant(action: Action, wish: ParticipantCommandInput) -> Ask:
    """Act on one participant."""
    key = _participant(wish.participant_id)
    return Ask(key.room.backend_id, ParticipantCommand(action, key.room.room_id, key.participant_id))


def on_room(action: Action, wish: RoomCommandInput) -> Ask:
    """Act on a room."""
    key = _room(wish.room_id)
    return Ask(key.backend_id, RoomCommand(action, key.room_id))


def on_me(action: Action, wish: RoomCommandInput) -> Ask:
    """Act on the viewer's own presence."""
    key = _room(wish.room_id)
    return Ask(key.backend_id, AskMe(action, key.room_id))


def on_everybody(action: Action, wish: BulkCommandInput) -> Ask:
    """Act on everybody in a room."""
    key, sparing = _room(wish.room_id), given(wish.sparing)
    return Ask(key.backend_id, AskEverybody(action, key.room_id, None if sparing is None else frozenset(sparing)))


def invite(wish: InviteParticipantInput) -> Ask:
    """Call somebody into a room."""
    key = _room(wish.room_id)
    command = Invite(
        key.room_id,
        _text("destination", wish.destination, _DESTINATION_MAX_CHARS),
        wish.role or ParticipantRole.PARTICIPANT,
        early_join=bool(wish.early_join),
        display_name=_name("displayName", wish.display_name),
    )
    return Ask(key.backend_id, command)


def play(wish: PlayMediaInput) -> Ask:
    """Play a sound."""
    key, media = _room(wish.room_id), _text("media", wish.media, TEXT_MAX_CHARS)
    text = given(wish.participant_id)
    if text is None:
        return Ask(key.backend_id, PlayMedia(key.room_id, media))
    listener = _participant(text)
    if listener.room != key:
        raise _invalid("participantId", "this participant is of another room")
    return Ask(key.backend_id, PlayMedia(key.room_id, media, listener.participant_id))


def create(wish: CreateRoomInput) -> Ask:
    """Make a room."""
    backend_id = _backend(wish.backend_id)
    return Ask(backend_id, CreateRoom(_name("name", wish.name), settings_patch(given(wish.settings))))


def adopt(wish: AdoptRoomInput) -> Ask:
    """Serve a conference that was made elsewhere."""
    backend_id = _backend(wish.backend_id)
    native_id = _text("nativeId", wish.native_id, _NATIVE_ID_MAX_CHARS)
    return Ask(backend_id, AdoptRoom(native_id, _name("name", wish.name)))


def update(wish: UpdateRoomSettingsInput) -> Ask:
    """Change a room's name and settings."""
    key = _room(wish.room_id)
    return Ask(key.backend_id, UpdateSettings(key.room_id, _name("name", wish.name), settings_patch(wish.settings)))


def start(wish: StartConferenceInput) -> Ask:
    """Join the viewer's own calls."""
    return Ask(_backend(wish.backend_id), StartConference())


def _participant(text: str) -> ParticipantKey:
    try:
        return parse_participant(text)
    except MalformedId as mistake:
        raise _invalid("participantId", str(mistake)) from None


def _room(text: str) -> RoomKey:
    try:
        return parse_room(text)
    except MalformedId as mistake:
        raise _invalid("roomId", str(mistake)) from None


def _backend(text: str) -> BackendId:
    try:
        return parse_backend(text)
    except MalformedId as mistake:
        raise _invalid("backendId", str(mistake)) from None


def _name(field: str, text: str | None) -> str | None:
    return None if (text := given(text)) is None else _text(field, text, _NAME_MAX_CHARS)


def _text(field: str, text: str, max_chars: int) -> str:
    if not 1 <= len(text) <= max_chars:
        raise _invalid(field, f"has 1 to {max_chars} characters")
    return text


def _invalid(field: str, message: str) -> CommandRefused:
    return refused(CommandErrorCode.INVALID_INPUT, message, field=(field,))
