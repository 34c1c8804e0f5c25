"""Neither token nor secret is in a log, an exception or a repr, whatever goes wrong between Bandwidth and us."""

import base64
import time
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from adapters.bandwidth.errors import BandwidthError, as_command_errors, as_link_errors
from adapters.bandwidth.pace import Endpoint
from adapters.bandwidth.transport import Answer, Request
from adapters.kit.understanding import NotUnderstoodError
from gateway.model.errors import GatewayError
from tests.adapters.bandwidth.seat import (
    SECRET,
    TOKEN,
    Handler,
    Seat,
    answering,
    failing,
    hang,
    hang_up,
    nowhere,
    plain,
    seat_at,
    served,
)
from tests.secrecy import logged, told

pytestmark = pytest.mark.usefixtures("everything_is_logged")

CALLBACK = "callback-secret-40d7"
BASIC = base64.b64encode(f"{TOKEN}:{SECRET}".encode()).decode()
SECRETS = (TOKEN, SECRET, BASIC, CALLBACK)


async def echo(request: web.Request) -> web.StreamResponse:
    """A debugging proxy: it repeats what it was sent, in every place that it has."""
    said = f"{request.headers['Authorization']} {TOKEN} {SECRET} {CALLBACK}"
    body = {"code": said, "category": said, "message": said, "details": [{"name": said, "value": said}]}
    return web.json_response(body, status=400, reason="no", headers={"Location": said, "Link": f"<{said}>"})


async def echo_of_a_limit(request: web.Request) -> web.StreamResponse:
    headers = {"X-RateLimit-Reset": str(round((time.time() + 0.02) * 1000)), "X-RateLimit-Limit": BASIC}
    return web.json_response({"code": BASIC}, status=429, headers=headers)


async def garbage(request: web.Request) -> web.StreamResponse:
    """What is no HTTP: aiohttp's exception of it has all headers of the request with it."""
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")
    return await hang_up(request)


TROUBLES: dict[str, Handler] = {
    "none": answering([]),
    "echo": echo,
    "an echo of a limit": echo_of_a_limit,
    "a success that repeats it": plain(200, f'{{"id": ["{SECRET}"], "{SECRET}": 1}}', Location=f"/{BASIC} x"),
    "a next page with it": plain(200, "[]", Link=f'<http://{TOKEN}:{SECRET}@h:99999999/>; rel="next"'),
    "no JSON": plain(200, SECRET),
    "too large": plain(200, " " * (8 * 1024 * 1024 + 1)),
    "redirect": plain(307, Location=f"http://{TOKEN}:{SECRET}@127.0.0.1/"),
    "401": failing(401, None, "authentication"),
    "403": failing(403, "user-access-denied", "authorization"),
    "500": plain(500, SECRET),
    "a broken connection": hang_up,
    "no HTTP": garbage,
    "hangs": hang,
}


async def shown_by(seat: Seat) -> str:
    """Do what an adapter does with Bandwidth, and give what is shown of it all and of what goes wrong."""
    transport, client = seat.transport, seat.client
    shown = [repr(each) for each in (seat.settings, transport, client, vars(transport), vars(transport.session))]
    body: dict[str, object] = {"callbackUrl": f"https://bandwidth:{CALLBACK}@gateway.example.com/hooks/bw/"}

    async def link() -> None:
        with as_link_errors():
            await client.probe()

    async def command() -> None:
        with as_command_errors():
            await client.create_conference(body)

    async def bare() -> None:
        await client.update_conference("conf-1", body)

    for work in (link, command, bare, lambda: client.members("conf-1"), lambda: client.conference("conf-1")):
        try:
            shown.append(repr(await work()))
        except (GatewayError, BandwidthError, NotUnderstoodError) as error:
            shown.append(told(error))
    return "\n".join([*shown, repr(vars(transport.pace))])


@pytest.mark.parametrize("trouble", [*TROUBLES, "nobody there"])
async def test_nothing_that_goes_wrong_shows_a_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncExitStack() as stack:
        there = trouble in TROUBLES
        url = await stack.enter_async_context(served(TROUBLES[trouble])) if there else nowhere()
        seat = await stack.enter_async_context(seat_at(url, request_timeout_s=0.3))
        shown = await shown_by(seat)
    assert "Error" in shown
    assert "selector" in logged(caplog), "what asyncio does is logged here"
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in logged(caplog)


async def test_a_request_does_not_show_its_body() -> None:
    body: dict[str, object] = {"callbackUrl": f"https://bandwidth:{CALLBACK}@gateway.example.com/"}
    request = Request(method="POST", path=("conferences",), endpoint=Endpoint.CONFERENCES, urgent=True, body=body)
    assert CALLBACK not in repr((request, Answer(body)))
