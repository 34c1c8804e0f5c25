"""Commands: what the simulated Telphin did, and word for word what went out; what is refused, and where it says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from adapters.kit.understanding import Complaints
from adapters.telphin.client import Client
from adapters.telphin.commands import Commander
from adapters.telphin.events import Interpreter
from adapters.telphin.feed import Feed
from adapters.telphin.hooks import Hooks
from adapters.telphin.rooms import Rooms
from adapters.telphin.webhook import Hook
from gateway.adapter import Receipt
from gateway.live.asks import AskEverybody
from gateway.live.results import CommandOutcome
from gateway.model.commands import (
    Action,
    AdoptRoom,
    BulkCommand,
    Command,
    CreateRoom,
    Invite,
    ParticipantCommand,
    PlayMedia,
    RoomCommand,
    SettingsPatch,
    UpdateSettings,
)
from gateway.model.errors import CommandErrorCode, CommandRefused, OutcomeUnknown
from gateway.model.ids import ParticipantId, RoomId
from gateway.model.room import LeaveReason, ParticipantRole
from tests.adapters.telphin.signed_in import HOOK, Server, answering, plain, seat_before
from tests.adapters.telphin.telphin_gateway import STRANGER, House, codes, house
from tests.adapters.telphin.told import NOW, SALES, after, extension, told

CLOCK = {"clock": lambda: 1_714_565_700.25}
ROOM_PATH = "/api/ver1.0/client/@me/extension"


def sales(there: House) -> None:
    there.sim.add_room("Sales", number="850")


# ---- who is in ----


async def test_whoever_is_kicked_is_hung_up_phones_and_others(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        phone, outside = there.join(room, phone=there.identity), there.join(room, number=STRANGER)
        await there.until_shown(room, phone, outside)
        for leg in (phone, outside):
            result = await there.kick(room, leg)
            assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())
        assert there.sim.people(room) == []
        assert there.left(room) == [(phone, LeaveReason.KICKED), (outside, LeaveReason.KICKED)]
        assert [line.rpartition("/current_calls/")[0] for line in there.sent] == [
            f"DELETE extension/{there.identity}",
            f"DELETE extension/{room}",
        ]


async def test_everybody_who_is_seen_can_be_kicked_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        legs = [there.join(room, number=f"7999000000{each}") for each in range(3)]
        await there.until_shown(room, *legs)
        result = await there.do(AskEverybody(Action.KICK_ALL, RoomId(room)))
        assert result.outcome is CommandOutcome.CONFIRMED
        assert there.sim.people(room) == []


async def test_a_call_that_telphin_ends_at_phones_alone_says_so(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        there.sim.faults.phones_only = True
        phone, outside = there.join(room, phone=there.identity), there.join(room, number=STRANGER)
        await there.until_shown(room, phone, outside)
        assert (await there.kick(room, phone)).outcome is CommandOutcome.CONFIRMED
        result = await there.kick(room, outside)
        assert codes(result) == [CommandErrorCode.BACKEND_REFUSED]
        assert set(there.people(room)) == {outside}


async def test_a_guest_is_called_and_dials_in_with_the_pin_of_their_role(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        there.sim.configure(room, pin="1234", moderator_pin="4321")  # the gateway has not read it yet
        result = await there.do(Invite(RoomId(room), STRANGER, display_name="Zoe"))
        assert result.outcome is CommandOutcome.CONFIRMED
        assert result.participant is not None
        assert result.participant.display_name == "Zoe"
        await there.do(Invite(RoomId(room), "101", role=ParticipantRole.MODERATOR))
        truth = there.sim.truth()[room]["participants"]
        assert list(truth) == [there.legs(room)[each] for each in there.people(room)]
        assert [each["moderator"] for each in truth.values()] == [False, True]


async def test_a_guest_who_does_not_answer_is_not_in(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        there.sim.answers = "by hand"
        result = await there.do(Invite(RoomId(room), "101"))
        assert (result.outcome, result.errors) == (CommandOutcome.ACCEPTED, ())
        assert there.people(room) == {}


@pytest.mark.parametrize(
    ("invite", "field"),
    [
        (Invite(SALES, " "), ("destination",)),
        (Invite(SALES, "call me"), ("destination",)),
        (Invite(SALES, "1" * 65), ("destination",)),
        (Invite(SALES, STRANGER, early_join=True), ("earlyJoin",)),
        (Invite(SALES, STRANGER, role=ParticipantRole.MODERATOR), ("role",)),
    ],
)
async def test_an_invitation_that_cannot_be_is_refused_and_nobody_is_called(
    invite: Invite, field: tuple[str, ...]
) -> None:
    server = Server(answering({"pin": "1234", "moderator_pin": None}))
    async with desk(server) as there:
        with pytest.raises(CommandRefused) as caught:
            await there.do(invite)
    assert [(error.code, error.field) for error in caught.value.errors] == [(CommandErrorCode.INVALID_INPUT, field)]
    assert all(line.startswith("GET ") for line in server.lines)


async def test_a_number_that_telphin_cannot_call_back_is_the_destination(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        result = await there.do(Invite(RoomId(room), "850"))
        assert codes(result) == [CommandErrorCode.INVALID_INPUT]
        assert result.errors[0].field == ("destination",)


async def test_nobody_is_invited_to_a_room_that_is_blocked(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        await there.do(UpdateSettings(RoomId(room), None, {"max_participants": 5, "native": {"status": "blocked"}}))
        result = await there.do(Invite(RoomId(room), "101"))
        assert codes(result) == [CommandErrorCode.CONFLICT]
        assert "blocked" in result.errors[0].message
        assert not any(line.startswith("POST") for line in there.sent)


# ---- what only the phone does ----


@pytest.mark.parametrize(
    ("wish", "keys"),
    [
        (AskEverybody(Action.MUTE_ALL, SALES), "*91"),
        (AskEverybody(Action.UNMUTE_ALL, SALES), "*90"),
        (RoomCommand(Action.LOCK, SALES), "*92"),
        (RoomCommand(Action.UNLOCK, SALES), "*93"),
        (ParticipantCommand(Action.MUTE, SALES, ParticipantId("x")), "*1"),
        (RoomCommand(Action.CLOSE, SALES), ""),
        (PlayMedia(SALES, "hello"), ""),
        (AdoptRoom("5"), ""),
    ],
)
async def test_what_telphin_cannot_do_is_refused_with_the_keys_that_can(
    tmp_path: Path, wish: Command | AskEverybody, keys: str
) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        await there.until_shown(room, leg := there.join(room, number=STRANGER))
        match wish:
            case AskEverybody(action):
                wish = AskEverybody(action, RoomId(room))
            case RoomCommand(action):
                wish = RoomCommand(action, RoomId(room))
            case ParticipantCommand(action):
                wish = ParticipantCommand(action, RoomId(room), ParticipantId(leg))
            case PlayMedia():
                wish = PlayMedia(RoomId(room), "hello")
        result = await there.do(wish)
        assert codes(result) == [CommandErrorCode.NOT_SUPPORTED]
        assert keys in result.errors[0].message
        assert there.sent == []


# ---- rooms ----

MANY: SettingsPatch = {
    "max_participants": 12,
    "member_pins": ["1234"],
    "moderator_pins": ["4321"],
    "join_muted": True,
    "announce_joins_by_name": True,
    "entry_tone": "17",
    "music_on_hold": "18",
    "recording_enabled": True,
}


async def test_a_room_is_made_set_up_subscribed_to_and_known_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        result = await there.do(CreateRoom("Board", {**MANY, "native": {"number": "860"}}))
        assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())
        [room] = there.sim.rooms()
        assert result.key is not None
        assert result.key.room_id == room
        shown = there.room(room)
        assert (shown.name, shown.numbers) == ("Board", ("860",))
        assert shown.settings is not None
        assert (shown.settings.moderator_pins, shown.settings.entry_tone) == (("4321",), "17")
        await there.until_shown(room, there.join(room, number=STRANGER))
        assert len(there.sim.subscriptions(room)) == 3


async def test_settings_and_name_are_changed_and_confirmed(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        result = await there.do(UpdateSettings(RoomId(room), "Sales and more", MANY))
        assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())
        assert there.room(room).name == "Sales and more"
        result = await there.do(UpdateSettings(RoomId(room), None, {"member_pins": [], "moderator_pins": []}))
        assert result.outcome is CommandOutcome.CONFIRMED
        assert there.room(room).pin_required is False
        assert there.room(room).settings is not None
        result = await there.do(UpdateSettings(RoomId(room), None, {"moderator_pins": ["1"]}))
        assert codes(result) == [CommandErrorCode.INVALID_INPUT]
        assert result.errors[0].field == ("settings", "moderatorPins")


@pytest.mark.parametrize(
    "patch",
    [
        {"max_participants": 100},
        {"join_muted": False, "recording_enabled": True},
        {"entry_tone": "7", "music_on_hold": None},
        {"entry_tone": None},
        {"member_pins": ["0012"], "moderator_pins": ["00"]},
        {"member_pins": None},
    ],
)
async def test_each_setting_that_is_taken_is_read_back_as_it_was_asked_for(
    tmp_path: Path, patch: SettingsPatch
) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        there.sim.configure(room, max_members=7, enter_sound=5)
        result = await there.do(UpdateSettings(RoomId(room), None, patch))
        assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())


async def test_two_who_change_settings_at_once_do_not_undo_each_other() -> None:
    stored: dict[str, object] = {"pin": "1111", "mute_non_moderator": False}

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            stored.update(await request.json())
        said = dict(stored)
        await asyncio.sleep(0)  # both are asked before one is answered, if they may
        return web.json_response(said)

    async with desk(Server(answer)) as there:
        await asyncio.gather(
            there.do(UpdateSettings(SALES, None, {"member_pins": ["9876"]})),
            there.do(UpdateSettings(SALES, None, {"join_muted": True})),
        )
    assert stored == {"pin": "9876", "mute_non_moderator": True}


async def test_somebody_outside_who_was_kicked_is_gone_although_nobody_tells_it(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        leg = there.join(room, number=STRANGER)
        await there.until_shown(room, leg)
        there.sim.faults.lose_webhooks = True
        assert (await there.kick(room, leg)).outcome is CommandOutcome.CONFIRMED
        assert there.left(room) == [(leg, LeaveReason.KICKED)]


async def test_a_room_is_deleted_with_our_subscriptions(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        result = await there.delete(room)
        assert (result.outcome, result.errors) == (CommandOutcome.CONFIRMED, ())
        assert (there.sim.rooms(), there.is_known(room)) == ([], False)
        assert [line.partition(" ")[0] for line in there.sim.upkeep] == ["POST"] * 3 + ["DELETE"] * 3


async def test_without_the_access_level_all_it_says_what_to_ask_for_and_calls_go_on(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales, sim={"access": "Call API"}) as there:
        [room] = there.sim.rooms()
        wishes: list[Command] = [
            CreateRoom("Board", {"native": {"number": "860"}}),
            UpdateSettings(RoomId(room), None, {"max_participants": 5}),
            UpdateSettings(RoomId(room), "Other", {}),
            RoomCommand(Action.DELETE_ROOM, RoomId(room)),
        ]
        for wish in wishes:
            result = await there.do(wish)
            assert codes(result) == [CommandErrorCode.FORBIDDEN]
            assert "grant it the access level All" in result.errors[0].message
        await there.sim.until(lambda: len(there.sim.subscriptions(room)) == 3)  # those of the room that stays
        assert (await there.do(Invite(RoomId(room), STRANGER))).outcome is CommandOutcome.CONFIRMED


async def test_a_number_that_is_taken_is_a_conflict(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        result = await there.do(CreateRoom("Board", {"native": {"number": "850"}}))
        assert codes(result) == [CommandErrorCode.CONFLICT]
        assert result.errors[0].field == ("settings", "native", "number")


async def test_a_room_that_is_gone_at_telphin_is_not_found(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        there.sim.remove_room(room)
        for wish in (
            Invite(RoomId(room), STRANGER),
            UpdateSettings(RoomId(room), None, {"max_participants": 5}),
            UpdateSettings(RoomId(room), "Other", {}),
            RoomCommand(Action.DELETE_ROOM, RoomId(room)),
        ):
            assert codes(await there.do(wish)) == [CommandErrorCode.ROOM_NOT_FOUND]


async def test_commands_have_the_rest_of_the_quota_and_then_say_when_to_come_back(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales, sim={**CLOCK, "quota": 40}) as there:
        [room] = there.sim.rooms()
        there.sim.spend_quota(leaving=4)
        await there.read(room)
        assert there.adapter.troubles
        assert (await there.do(Invite(RoomId(room), STRANGER))).outcome is CommandOutcome.CONFIRMED
        there.sim.spend_quota()
        refused = [await there.do(UpdateSettings(RoomId(room), "Other", {})) for _ in range(2)]
        for result in refused:
            assert codes(result) == [CommandErrorCode.BACKEND_RATE_LIMITED]
            assert 2_600_000 < (result.errors[0].retry_after_ms or 0) <= 2_700_000


async def test_a_command_that_telphin_accepts_and_does_not_do_is_not_confirmed(tmp_path: Path) -> None:
    async with house(tmp_path, arrange=sales) as there:
        [room] = there.sim.rooms()
        await there.until_shown(room, leg := there.join(room, phone=there.identity))
        there.sim.faults.ignore_commands = True
        assert (await there.kick(room, leg)).outcome is CommandOutcome.ACCEPTED
        assert set(there.people(room)) == {leg}


# ---- word for word ----


class Desk:
    """The commands without the rest of the adapter, in a room that is known."""

    def __init__(self, client: Client) -> None:
        self.rooms = Rooms()
        self.rooms.listed([extension(SALES)], NOW)
        self.rooms.shown([SALES])
        self.hooks = Hooks(client, HOOK)
        self.hooks.use("hook-secret")
        self._commander = Commander(client, self.rooms, self.hooks)
        self._feed = Feed(self.rooms, Interpreter(), Hook(Complaints("Telphin")), self.hooks)

    async def do(self, command: Command) -> Receipt:
        return await self._commander.execute(command, self.rooms.one(SALES), self._feed)


@asynccontextmanager
async def desk(server: Server) -> AsyncIterator[Desk]:
    async with seat_before(server) as seat:
        yield Desk(seat.client)


def bodies(server: Server) -> list[object]:
    return [json.loads(body) if body else None for body in server.bodies]


CALLED_BACK = answering({"call_id": "c0ffee", "call_api_id": "beef"}, 201)


@pytest.mark.parametrize(
    ("role", "digits"), [(ParticipantRole.PARTICIPANT, "W1234#"), (ParticipantRole.MODERATOR, "W4321#")]
)
async def test_an_invitation_is_a_callback_to_the_number_of_the_room(role: ParticipantRole, digits: str) -> None:
    server = Server(answering({"pin": "1234", "moderator_pin": "4321"}), CALLED_BACK)
    async with desk(server) as there:
        receipt = await there.do(Invite(SALES, f" {STRANGER} ", role=role, display_name="Zoe"))
    assert receipt == Receipt(participant_id=ParticipantId("501-beef"))
    assert server.lines == ["GET /api/ver1.0/extension/501/conference/", "POST /api/ver1.0/extension/501/callback/"]
    assert bodies(server)[1] == {
        "src_num": [STRANGER],
        "dst_num": "850",
        "dst_dtmf": digits,
        "caller_id_name": "Zoe",
    }


async def test_into_a_room_without_a_pin_nothing_is_keyed() -> None:
    server = Server(answering({"pin": None}), CALLED_BACK)
    async with desk(server) as there:
        await there.do(Invite(SALES, STRANGER))
    assert bodies(server)[1] == {"src_num": [STRANGER], "dst_num": "850"}


async def test_settings_go_out_whole_and_a_name_goes_to_the_extension() -> None:
    stored = {"pin": "1234", "moderator_pin": None, "max_members": None, "record_enabled": True}
    server = Server(answering(stored), answering({**stored, "max_members": 5}), answering(extension(SALES, "New")))
    async with desk(server) as there:
        receipt = await there.do(UpdateSettings(SALES, "New", {"max_participants": 5}))
    assert server.lines == [
        "GET /api/ver1.0/extension/501/conference/",
        "PUT /api/ver1.0/extension/501/conference/",
        f"PUT {ROOM_PATH}/501",
    ]
    assert bodies(server) == [None, {**stored, "max_members": 5}, {"label": "New"}]
    assert receipt.room is not None
    assert receipt.room.settings is not None
    assert (receipt.room.name, receipt.room.settings.max_participants) == ("New", 5)


async def test_the_half_of_a_change_that_was_done_is_said() -> None:
    server = Server(answering({}), answering({"max_members": 5}), answering({"message": "no"}, 400))
    async with desk(server) as there:
        with pytest.raises(CommandRefused, match="settings of the conference are changed, the rest is not"):
            await there.do(UpdateSettings(SALES, "New", {"max_participants": 5}))


@pytest.mark.parametrize("name", ["", "  "])
async def test_a_name_is_not_empty(name: str) -> None:
    server = Server()
    async with desk(server) as there:
        with pytest.raises(CommandRefused) as caught:
            await there.do(UpdateSettings(SALES, name, {"max_participants": 5}))
    assert caught.value.errors[0].field == ("name",)
    assert server.lines == []


MADE = answering({"id": 502, "name": "000*851", "type": "conference", "label": "Board"}, 201)
OPENED = answering({"id": 502, "name": "000*851", "type": "conference", "label": "Board", "status": "active"})
GONE = plain(204)
NEW = CreateRoom("Board", {"member_pins": ["1234"], "native": {"number": "851"}})


async def test_a_new_room_is_blocked_until_it_has_its_settings_so_that_nobody_enters_without_a_pin() -> None:
    server = Server(MADE, answering({"pin": "1234"}), OPENED)
    async with desk(server) as there:
        receipt = await there.do(NEW)
    assert server.lines == [
        f"POST {ROOM_PATH}/",
        "PUT /api/ver1.0/extension/502/conference/",
        f"PUT {ROOM_PATH}/502",
    ]
    assert bodies(server) == [
        {"type": "conference", "name": "851", "label": "Board", "status": "blocked"},
        {"pin": "1234"},
        {"status": "active"},
    ]
    assert receipt.room is not None
    assert (receipt.room.id, receipt.room.pin_required) == ("502", True)


async def test_a_new_room_that_is_wanted_blocked_stays_so_and_one_without_settings_is_active_at_once() -> None:
    server = Server(MADE, answering({"pin": "1234"}), MADE)
    async with desk(server) as there:
        await there.do(CreateRoom("Board", {"member_pins": ["1234"], "native": {"number": "851", "status": "blocked"}}))
        await there.do(CreateRoom("Board", {"native": {"number": "852"}}))
    sent = [body.get("status") for body in bodies(server) if isinstance(body, dict)]
    assert sent == ["blocked", None, "active"]


async def test_a_room_that_cannot_be_opened_is_removed_again() -> None:
    server = Server(MADE, answering({"pin": "1234"}), answering({"message": "no"}, 400), GONE)
    async with desk(server) as there:
        with pytest.raises(CommandRefused):
            await there.do(NEW)
        assert there.rooms.ids() == [SALES]
    assert server.lines[-1] == f"DELETE {ROOM_PATH}/502"


async def test_a_room_whose_settings_are_refused_is_removed_again() -> None:
    server = Server(MADE, answering({"message": "no"}, 400), GONE)
    async with desk(server) as there:
        with pytest.raises(CommandRefused) as caught:
            await there.do(NEW)
        assert there.rooms.ids() == [SALES]
    assert caught.value.errors[0].code is CommandErrorCode.INVALID_INPUT
    assert server.lines[-1] == f"DELETE {ROOM_PATH}/502"


async def test_a_room_whose_settings_are_not_answered_is_removed_again() -> None:
    server = Server(MADE, plain(200, "what"), GONE)
    async with desk(server) as there:
        with pytest.raises(CommandRefused, match="removed again") as caught:
            await there.do(NEW)
    assert caught.value.errors[0].code is CommandErrorCode.BACKEND_UNAVAILABLE


async def test_a_room_that_could_not_be_removed_again_is_told_as_unknown() -> None:
    server = Server(MADE, answering({"message": "no"}, 400), plain(500))
    async with desk(server) as there:
        with pytest.raises(OutcomeUnknown, match="could not be removed again"):
            await there.do(NEW)


@pytest.mark.parametrize(
    "settings",
    [{}, {"native": {"number": "x"}}, {"native": {"number": "851"}, "moderator_pins": ["1"]}, {"exit_tone": "5"}],
)
async def test_a_room_that_cannot_be_is_refused_before_anything_is_made(settings: SettingsPatch) -> None:
    server = Server()
    async with desk(server) as there:
        with pytest.raises(CommandRefused) as caught:
            await there.do(CreateRoom("Board", settings))
    assert {error.code for error in caught.value.errors} == {CommandErrorCode.INVALID_INPUT}
    assert server.lines == []


async def test_a_deleted_room_takes_our_subscriptions_with_it_and_no_others() -> None:
    events = [
        {"id": 1, "url": f"{HOOK}hook-secret", "event_type": "hangup", "method": "POST"},
        {"id": 2, "url": "https://crm.example.org/x", "event_type": "hangup", "method": "POST"},
    ]
    server = Server(answering(events), GONE, GONE)
    async with desk(server) as there:
        await there.do(RoomCommand(Action.DELETE_ROOM, SALES))
        assert there.rooms.ids() == []
    assert server.lines == [
        "GET /api/ver1.0/extension/501/event/",
        "DELETE /api/ver1.0/extension/501/event/1",
        f"DELETE {ROOM_PATH}/501",
    ]


async def test_who_has_no_call_id_cannot_be_kicked_and_nothing_is_sent() -> None:
    server = Server()
    async with desk(server) as there:
        there.rooms.told(told("answer", "c1", CallAPIID=""), after(1))
        with pytest.raises(CommandRefused) as caught:
            await there.do(ParticipantCommand(Action.KICK, SALES, ParticipantId("501-c1")))
    assert caught.value.errors[0].code is CommandErrorCode.NOT_SUPPORTED
    assert server.lines == []


async def test_a_phone_that_has_hung_up_meanwhile_is_a_participant_who_is_not_found() -> None:
    server = Server(answering({"message": "Not Found", "status": "call_not_found"}, 404))
    async with desk(server) as there:
        there.rooms.judged("101", is_phone=True)
        there.rooms.told(told("answer", "c1", phone="101"), after(1))
        with pytest.raises(CommandRefused) as caught:
            await there.do(ParticipantCommand(Action.KICK, SALES, ParticipantId("501-api-c1")))
    assert caught.value.errors[0].code is CommandErrorCode.PARTICIPANT_NOT_FOUND
    assert server.lines == ["DELETE /api/ver1.0/extension/101/current_calls/api-c1"]


async def test_who_came_by_way_of_a_menu_is_hung_up_at_the_room_when_the_menu_has_no_such_call() -> None:
    server = Server(answering({"message": "Not Found"}, 404), GONE)
    async with desk(server) as there:
        there.rooms.told(told("dial-in", "c1", phone="77"), after(1))
        await there.do(ParticipantCommand(Action.KICK, SALES, ParticipantId("501-api-c1")))
    assert server.lines == [
        "DELETE /api/ver1.0/extension/77/current_calls/api-c1",
        "DELETE /api/ver1.0/extension/501/current_calls/api-c1",
    ]


async def test_what_a_telphin_that_ends_calls_at_rooms_does_not_find_there_is_over() -> None:
    server = Server(answering({}, 404), GONE, answering({}, 404))
    async with desk(server) as there:
        for call in ("c1", "c2", "c3"):
            there.rooms.told(told("dial-in", call), after(1))

        async def kick(call: str) -> Receipt:
            return await there.do(ParticipantCommand(Action.KICK, SALES, ParticipantId(f"501-api-{call}")))

        with pytest.raises(CommandRefused, match="or one that can only be ended elsewhere"):
            await kick("c1")
        await kick("c2")
        with pytest.raises(CommandRefused, match="is over"):
            await kick("c3")
        there.rooms.calls_read([], after(2))
        room = there.rooms.one(SALES)
        assert room is not None
        assert list(room.participants) == ["501-api-c1"]


@pytest.mark.parametrize(
    "command", [BulkCommand(Action.MUTE_ALL, SALES), RoomCommand(Action.LOCK, SALES), PlayMedia(SALES, "x")]
)
async def test_what_there_is_no_request_for_is_not_sent(command: Command) -> None:
    server = Server()
    async with desk(server) as there:
        with pytest.raises(CommandRefused) as caught:
            await there.do(command)
    assert caught.value.errors[0].code is CommandErrorCode.NOT_SUPPORTED
    assert server.lines == []
