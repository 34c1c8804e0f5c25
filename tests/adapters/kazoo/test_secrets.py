"""No token, hash, key, password or PIN is in a log, an exception or a repr, whatever goes wrong."""

import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest

from adapters.kazoo import KazooAdapter
from adapters.kazoo.errors import subscription_refused
from adapters.kazoo.simulator import KazooSimulator
from gateway.model.commands import Action, CreateRoom, Invite, RoomCommand, UpdateSettings
from gateway.model.errors import GatewayError
from gateway.model.ids import RoomId
from gateway.model.room import Room, RoomState
from tests.adapters.kazoo.kazoo_adapter import settings_for

PIN = "73317331"
Work = Callable[[KazooAdapter, Room], Awaitable[object]]

WORK: dict[str, Work] = {
    "snapshot": lambda adapter, room: adapter.snapshot(),
    "read": lambda adapter, room: adapter.read_room(room.id),
    "lock": lambda adapter, room: adapter.execute(RoomCommand(Action.LOCK, room.id), room, None),
    "invite": lambda adapter, room: adapter.execute(Invite(room.id, "?"), room, None),
    "create": lambda adapter, room: adapter.execute(CreateRoom("x", {"member_pins": [f"{PIN}!"]}), None, None),
    "change": lambda adapter, room: adapter.execute(
        UpdateSettings(room.id, None, {"moderator_pins": [f"{PIN}!", PIN], "native": {"bridge_password": PIN}}),
        room,
        None,
    ),
}
TROUBLES: dict[str, Callable[[KazooSimulator], None]] = {
    "none": lambda sim: None,
    "expired": lambda sim: sim.expire_tokens(),
    "401": lambda sim: setattr(sim.faults, "http_status", 401),
    "404": lambda sim: setattr(sim.faults, "http_status", 404),
    "500": lambda sim: setattr(sim.faults, "http_status", 500),
    "cut": lambda sim: sim.drop_link(),
    "garbage": lambda sim: sim.send_raw(f'{{"action":"event","data":{{"pin":"{PIN}","event":["{PIN}"]}}}}'),
}


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with KazooSimulator() as sim:
        adapter = KazooAdapter.configured(settings_for(sim))
        room_id = RoomId(sim.add_room(member_pins=[PIN]))
        seen = [repr(adapter._settings)]
        async with adapter.feed():
            seen.append(repr(await adapter.snapshot()))
            seen.append(repr(await adapter.read_room(room_id)))
            token = await adapter._transport.sign_in.token()
            TROUBLES[trouble](sim)
            for work in WORK.values():
                try:
                    seen.append(repr(await work(adapter, Room(id=room_id, state=RoomState.ACTIVE))))
                except GatewayError as error:
                    seen.append(told(error))
        await adapter.aclose()
    sent = next(each.body for each in sim.requests if each.path.endswith("user_auth")).decode()
    digest = sent.partition('"credentials":"')[2].partition('"')[0]
    assert len(digest) == 32
    text = "\n".join([*seen, caplog.text])
    for secret in (sim.password, digest, token, token.split(".")[1], PIN):
        assert secret not in text


@pytest.mark.parametrize("key", ["api_key", "password"])
async def test_a_refused_sign_in_shows_no_secret(key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "f" * 64
    async with KazooSimulator() as sim:
        settings = settings_for(sim, password=wrong)
        if key == "api_key":
            settings = {"url": settings["url"], "socket_url": settings["socket_url"], "api_key": wrong}
        adapter = KazooAdapter.configured(settings)
        with pytest.raises(GatewayError) as caught:
            async with adapter.feed():
                raise AssertionError("it connected")
        await adapter.aclose()
    assert wrong not in told(caught.value) + caplog.text


def test_the_event_sockets_own_words_are_not_repeated() -> None:
    for text in (
        "failed to authenticate token eyJ.secret.x",
        "something else about secret",
        "unauthorized account secret",
    ):
        assert "secret" not in told(subscription_refused([text]))
