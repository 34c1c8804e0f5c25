"""No app secret, token, secret of the hook or PIN is in a log, an exception or a repr, whatever goes wrong."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from starlette.routing import Router

from adapters.kit.understanding import NotUnderstoodError
from adapters.telphin import TelphinAdapter
from adapters.telphin.errors import TelphinError
from gateway.live.link import BackendStatus
from gateway.model.commands import Action, Command, CreateRoom, Invite, RoomCommand, UpdateSettings
from gateway.model.errors import GatewayError
from gateway.model.ids import RoomId
from gateway.model.room import ParticipantRole, Room
from tests.adapters.telphin.signed_in import APP_SECRET, HOOK, TOKEN, Handler, Server, granting, nowhere, served
from tests.adapters.telphin.telphin_gateway import HOOK as HOOK_PATH
from tests.adapters.telphin.telphin_gateway import STRANGER, House, adapter_for, house, simulated
from tests.secrecy import logged, told

pytestmark = pytest.mark.usefixtures("everything_is_logged")

PIN, MODERATOR_PIN, NEW_PIN = "73515391", "91527777", "88264413"
OURS = (APP_SECRET, TOKEN, PIN, MODERATOR_PIN, NEW_PIN)
ROOM = RoomId("501")


def wishes(room: RoomId) -> list[Command]:
    return [
        Invite(room, STRANGER),
        Invite(room, STRANGER, role=ParticipantRole.MODERATOR),
        UpdateSettings(room, "Sales", {"member_pins": [NEW_PIN], "moderator_pins": [NEW_PIN + "x"]}),
        UpdateSettings(room, "Sales", {"member_pins": [NEW_PIN]}),
        CreateRoom("Board", {"member_pins": [NEW_PIN], "native": {"number": "860"}}),
        RoomCommand(Action.DELETE_ROOM, room),
    ]


async def _nothing() -> None:
    """Nothing goes wrong."""


async def shown_by(
    adapter: TelphinAdapter,
    asked: list[Command],
    room: RoomId = ROOM,
    trouble: Callable[[], Awaitable[None]] = _nothing,
) -> str:
    """Do what the gateway does with an adapter, and give what is shown of it all and of what goes wrong."""
    shown = [repr(adapter), *(repr(vars(adapter)[each]) for each in ("_transport", "_settings", "_hook", "_hooks"))]
    try:
        async with adapter.feed():
            shown.append("opened")
            await trouble()
            for wish in asked:
                try:
                    shown.append(repr(await adapter.execute(wish, Room(id=room, numbers=("850",)), None)))
                except (GatewayError, TelphinError, NotUnderstoodError) as error:
                    shown.append(told(error))
    except (GatewayError, TelphinError, NotUnderstoodError) as error:
        shown.append(told(error))
    return "\n".join([*shown, *adapter.troubles])


def _fault(name: str, value: object) -> Callable[[House], object]:
    return lambda there: setattr(there.sim.faults, name, value)


TROUBLES: dict[str, Callable[[House], object]] = {
    "none": lambda there: None,
    "500": _fault("http_status", 500),
    "401": _fault("http_status", 401),
    "forbidden": _fault("forbidden", "app_access_type_deny"),
    "upkeep fails": _fault("fail_upkeep", 500),
    "hangs": _fault("hang", True),
    "swallows": _fault("swallow_answers", True),
    "no quota": lambda there: there.sim.spend_quota(),
    "tokens die": lambda there: there.sim.kill_tokens(),
}
SILENT = ("hangs", "swallows")
"""After these nothing is answered, so that each request takes as long as it may."""


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    async with simulated() as (there, app):
        room = RoomId(there.sim.add_room("Sales", number="850", pin=PIN, moderator_pin=MODERATOR_PIN))
        silent = trouble in SILENT
        asked = wishes(room)[3:5] if silent else wishes(room)
        adapter = adapter_for(there.sim, there.hook, request_timeout_s=1.5 if silent else 20)
        app.mount(HOOK_PATH, Router(list(adapter.routes())))
        hook_secrets: list[str] = []

        async def begin() -> None:
            await there.sim.until(lambda: len(there.sim.subscriptions(room)) == 3)
            hook_secrets.append(there.secret(room))
            TROUBLES[trouble](there)

        shown = await shown_by(adapter, asked, room, begin)
        async with ClientSession() as session:
            for word in (*hook_secrets, "guessed"):
                await session.post(f"{there.hook}{word}", data={"EventType": "x", "CallerIDNum": PIN})
        secrets = [*there.sim.secrets, *OURS, *hook_secrets]
        await adapter.aclose()
    assert len(hook_secrets) == 1
    assert adapter.misunderstood
    for secret in secrets:
        assert secret not in shown
        assert secret not in logged(caplog)


def _page(status: int) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        repeated = f"{request.path_qs} {dict(request.headers)} {await request.text()} {' '.join(OURS)}"
        return web.Response(status=status, text=repeated)

    return answer


def _failure(status: int) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {"message": " ".join(OURS), "status": APP_SECRET, "error": await request.text()}
        return web.json_response(named, status=status)

    return answer


async def _strange(request: web.Request) -> web.StreamResponse:
    """Answer everything with the right fields and the wrong things in them."""
    if "extension" in request.path and request.method == "GET" and request.path.endswith("extension/"):
        return web.json_response([{"id": 501, "name": "000*850", "type": "conference", "label": [PIN]}])
    return web.json_response({"pin": [PIN], "id": {"x": TOKEN}, "call_id": [TOKEN], "access_token": TOKEN})


async def _granted(request: web.Request) -> web.StreamResponse:
    return web.json_response({"access_token": TOKEN, "token_type": "Bearer"})


SERVERS: dict[str, tuple[Handler, Handler]] = {
    "sign-in repeats what it was sent": (_page(400), _strange),
    "sign-in fails in its own words": (_failure(401), _strange),
    "sign-in is no JSON": (_page(200), _strange),
    "answers repeat what they were sent": (_granted, _page(400)),
    "answers are no JSON": (_granted, _page(200)),
    "answers fail in their own words": (_granted, _failure(403)),
    "answers are a limit": (_granted, _failure(429)),
    "answers are a conflict": (_granted, _failure(409)),
    "strange answers": (_granted, _strange),
}


@pytest.mark.parametrize("server", SERVERS)
async def test_a_strange_server_cannot_make_us_show_a_secret(server: str, caplog: pytest.LogCaptureFixture) -> None:
    token, answer = SERVERS[server]
    async with served(Server(answer, token=token)) as url:
        shown = await _shown_at(url)
    for secret in OURS:
        assert secret not in shown
        assert secret not in logged(caplog)


async def test_a_telphin_that_is_not_there_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    shown = await _shown_at(nowhere())
    for secret in OURS:
        assert secret not in shown + logged(caplog)


async def test_commands_to_a_server_that_answers_nonsense_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def odd(request: web.Request) -> web.StreamResponse:
        return await (_list_of_one(request) if request.method == "GET" else _page(200)(request))

    async with served(Server(odd, token=granting())) as url:
        shown = await _shown_at(url)
    assert "opened" in shown
    for secret in OURS:
        assert secret not in shown + logged(caplog)


async def _list_of_one(request: web.Request) -> web.StreamResponse:
    if request.path.endswith("/event/"):
        address = f"{HOOK}x"
        return web.json_response([{"id": 1, "url": address, "event_type": kind} for kind in ("hangup", "answer")])
    if request.path.endswith("/conference/"):
        return web.json_response({"pin": PIN, "moderator_pin": MODERATOR_PIN})
    return web.json_response([])


async def _shown_at(url: str) -> str:
    given = {"url": url, "app_id": "app-1", "app_secret": APP_SECRET, "webhook_url": HOOK}
    adapter = TelphinAdapter.configured(given)
    try:
        return await shown_by(adapter, wishes(ROOM))
    finally:
        await adapter.aclose()


async def test_a_room_that_is_live_shows_its_pins_to_nobody_who_prints_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def arrange(there: House) -> None:
        there.sim.add_room("Sales", pin=PIN, moderator_pin=MODERATOR_PIN)

    async with house(tmp_path, arrange=arrange) as there:
        [room] = there.sim.rooms()
        assert there.seat.link.status is BackendStatus.LIVE
        settings = there.room(room).settings
        assert settings is not None
        assert settings.member_pins == (PIN,)
        assert PIN not in repr(there.room(room)) + logged(caplog)


async def test_this_test_would_find_a_secret_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("anything").debug("with %s", TOKEN)
    assert TOKEN in logged(caplog)
