"""No app secret, JWT, token or voice call token is in a log, an exception or a repr, whatever goes wrong."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from aiohttp import web

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.errors import RingCentralError, as_command_errors, as_link_errors
from adapters.ringcentral.stream import Wsc
from adapters.ringcentral.subscription import HookSubscription, subscribe
from gateway.model.errors import GatewayError
from tests.adapters.ringcentral.signed_in import (
    APP_SECRET,
    GRANTED,
    JWT,
    TOKEN,
    Handler,
    Scene,
    Seat,
    answering,
    nowhere,
    ringcentral,
    seat_at,
    served,
    wstoken,
)
from tests.adapters.ringcentral.test_stream import listen, saying, talking
from tests.secrecy import logged, told

pytestmark = pytest.mark.usefixtures("everything_is_logged")

REFRESH = "refresh-secret-90b4"
WSC = "wsc-secret-2f18"
VERIFICATION = "verification-secret-31e9"
VOICE = "conf_secret_6c44"
OURS = (APP_SECRET, JWT, TOKEN, REFRESH, WSC, VERIFICATION, VOICE)


async def shown_by(seat: Seat, wsc: Wsc | None = None) -> str:
    """Do what an adapter does with a RingCentral, and give what is shown of it all and of what goes wrong."""
    transport = seat.transport
    shown = [repr(seat.settings), repr(transport), repr(vars(transport)), repr(vars(transport.sign_in)), repr(wsc)]
    for work in (_commands, _by_socket, _by_hook):
        try:
            await work(seat, shown, wsc)
        except (GatewayError, RingCentralError, NotUnderstoodError) as error:
            shown.append(told(error))
    shown.append(repr(vars(transport.sign_in)))
    return "\n".join(shown)


async def _commands(seat: Seat, shown: list[str], wsc: Wsc | None) -> None:
    try:
        made = await seat.client.create_conference()
        await seat.client.create_conference()
        with as_command_errors():
            await seat.client.bring_in(made["id"], "s-1", "p-1")
    except (GatewayError, RingCentralError, NotUnderstoodError) as error:
        shown.append(told(error))
    with as_link_errors():
        await seat.client.presence()


async def _by_socket(seat: Seat, shown: list[str], wsc: Wsc | None) -> None:
    socket = await seat.socket(wsc)
    shown += [repr(socket), repr(vars(socket)), repr(socket.wsc), *map(repr, asyncio.all_tasks())]
    await subscribe(socket, seat.settings)
    shown.append("subscribed")
    if isinstance(seat, Scene):
        seat.sim.drop_link()
    async for each in socket:
        shown.append(repr(sorted(each)))


async def _by_hook(seat: Seat, shown: list[str], wsc: Wsc | None) -> None:
    subscription = await HookSubscription.open(seat.client, seat.settings, VERIFICATION)
    shown += [repr(subscription), repr(vars(subscription))]


def _fault(name: str, value: object) -> Callable[[Scene], object]:
    return lambda scene: setattr(scene.sim.faults, name, value)


TROUBLES: dict[str, Callable[[Scene], object]] = {
    "none": lambda scene: None,
    "500": _fault("http_status", 500),
    "401": _fault("http_status", 401),
    "403": _fault("http_status", 403),
    "hangs": _fault("hang", True),
    "mute sockets": _fault("mute_sockets", True),
    "no recovery": _fault("recovery_fails", True),
    "no refresh tokens": _fault("no_refresh_token", True),
    "no permission": _fault("forbidden_scope", "WebSocketsSubscription"),
    "limits": _fault("rate_limit", True),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    change = {"request_timeout_s": 0.5, "notifications": "webhook", "webhook_url": nowhere()}
    async with ringcentral(change, limits={"heavy": 1}) as scene:
        await scene.transport.sign_in.token()
        TROUBLES[trouble](scene)
        shown = await shown_by(scene, Wsc(WSC, 1))
        secrets = [*scene.sim.secrets, *OURS]
        assert (scene.sim.conferences() != []) is (trouble not in ("500", "401", "403", "hangs"))
    assert ("subscribed" in shown) is (trouble in ("none", "no recovery", "no refresh tokens", "limits"))
    for secret in secrets:
        assert secret not in shown
        assert secret not in logged(caplog)


async def test_signing_in_again_and_again_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with ringcentral() as scene:
        shown = []
        for change in (scene.sim.expire_tokens, scene.sim.revoke_all, scene.sim.expire_tokens):
            await scene.client.extension()
            shown.append(repr(vars(scene.transport.sign_in)))
            change()
        for secret in (*scene.sim.secrets, *OURS):
            assert secret not in "".join(shown)
            assert secret not in logged(caplog)


def _page(status: int, **headers: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        repeated = f"{request.path_qs} {dict(request.headers)} {await request.text()} {' '.join(OURS)}"
        return web.Response(status=status, text=repeated, headers=headers)

    return answer


def _envelope(status: int) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        failure = {name: " ".join(OURS) for name in ("errorCode", "message", "parameterName", "permissionName")}
        oauth = {"error": JWT, "error_description": APP_SECRET}
        return web.json_response({**failure, **oauth, "errors": [failure]}, status=status)

    return answer


async def _strange(request: web.Request) -> web.StreamResponse:
    """Answer everything with the right fields and the wrong things in them."""
    if request.path.endswith("wstoken"):
        return await wstoken(request)
    return web.json_response({"session": {"id": [TOKEN], "voiceCallToken": VOICE}, "id": [TOKEN], "activeCalls": JWT})


GOOD = answering({**GRANTED, "refresh_token": REFRESH})
STRANGE_FRAMES = (
    f'"{TOKEN}',
    [{"type": TOKEN, "wsc": {"token": WSC, "sequence": 9}}],
    [{"type": "ServerNotification", TOKEN: TOKEN}, TOKEN],
    [{"type": ["ServerNotification"], "messageId": TOKEN}, {"voiceCallToken": VOICE}],
    [{"type": "Error", "status": 400}, {"errorCode": f"<{TOKEN}>", "message": TOKEN}],
)
SERVERS: dict[str, tuple[Handler, Handler, Handler]] = {
    "sign-in repeats what it was sent": (_page(400), _strange, talking(saying())),
    "sign-in in an envelope": (_envelope(401), _strange, talking(saying())),
    "sign-in redirects": (_page(302, Location=f"/?{JWT}"), _strange, talking(saying())),
    "sign-in is no JSON": (_page(200), _strange, talking(saying())),
    "token is no token": (answering({"access_token": f"{TOKEN} {JWT}"}), _strange, talking(saying())),
    "answers repeat what they were sent": (GOOD, _page(400), talking(saying())),
    "answers are no JSON": (GOOD, _page(200), talking(saying())),
    "answers in an envelope": (GOOD, _envelope(403), talking(saying())),
    "answers redirect": (GOOD, _page(307, Location=f"/?{TOKEN}"), talking(saying())),
    "strange answers": (GOOD, _strange, talking(saying())),
    "socket 401": (GOOD, _strange, _page(401)),
    "socket redirects": (GOOD, _strange, _page(302, Location=f"/?{TOKEN}")),
    "socket is a page": (GOOD, _strange, _page(200)),
    "socket says nothing": (GOOD, _strange, talking(listen)),
    "strange frames": (GOOD, _strange, talking(saying(*STRANGE_FRAMES, close=1008))),
}


@pytest.mark.parametrize("server", SERVERS)
async def test_a_strange_server_cannot_make_us_show_a_secret(server: str, caplog: pytest.LogCaptureFixture) -> None:
    token, answer, socket = SERVERS[server]
    hook = {"notifications": "webhook", "webhook_url": "http://127.0.0.1/"}
    async with served(answer, token, socket) as url, seat_at(url, request_timeout_s=0.5, **hook) as seat:
        shown = await shown_by(seat, Wsc(WSC, 1))
    for secret in OURS:
        assert secret not in shown
        assert secret not in logged(caplog)


async def test_a_ringcentral_that_is_not_there_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with seat_at(nowhere()) as seat:
        shown = await shown_by(seat, Wsc(WSC, 1))
    for secret in OURS:
        assert secret not in shown + logged(caplog)


def test_this_test_would_find_a_secret_in_what_an_exception_came_from() -> None:
    error = KeyError("x")
    error.__context__ = ValueError(TOKEN)
    assert TOKEN in told(error)


async def test_this_test_would_find_a_secret_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("anything").debug("with %s", TOKEN)
    assert TOKEN in logged(caplog)
