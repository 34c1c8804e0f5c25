"""What goes wrong at one place of RingCentral and must not cost the others."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.kit.listener import Listener
from adapters.ringcentral.calls import Calls
from adapters.ringcentral.client import Client
from adapters.ringcentral.config import RingCentralSettings
from adapters.ringcentral.events import Interpreter
from adapters.ringcentral.reading import RoomReader
from adapters.ringcentral.subscription import HookSubscription
from adapters.ringcentral.transport import Transport
from gateway.model.ids import ParticipantId, RoomId

CONFERENCE = {
    "id": "s-C",
    "origin": {"type": "Conference"},
    "parties": [
        {"id": "p-C-1", "conferenceRole": "Host", "extensionId": "1", "status": {"code": "Answered"}},
        {"id": "p-C-2", "status": {"code": "Gone", "peerId": {"sessionId": "s-A", "partyId": "p-A-1"}}},
    ],
}
PRESENCE = {"activeCalls": [{"to": "conference", "telephonySessionId": "s-C"}]}
TOKEN = {"access_token": "good", "expires_in": 3600}


class Cloud:
    """A RingCentral of a few lines, whose answer about one call is the test's."""

    def __init__(self, of_the_call: Callable[[], Response]) -> None:
        sessions = "/restapi/v1.0/account/~/telephony/sessions"
        routes = [
            Route("/restapi/oauth/token", lambda _: JSONResponse(TOKEN), methods=["POST"]),
            Route("/restapi/v1.0/account/~/extension/~/presence", lambda _: JSONResponse(PRESENCE)),
            Route(f"{sessions}/s-C", lambda _: JSONResponse(CONFERENCE)),
            Route(f"{sessions}/s-A", lambda _: of_the_call()),
            Route("/restapi/v1.0/subscription/{id}", self._too_fast, methods=["DELETE"]),
        ]
        self.asked = 0
        self._listener = Listener(Starlette(routes=routes), "127.0.0.1", 0)

    def _too_fast(self, _: Request) -> Response:
        self.asked += 1
        return JSONResponse({"errorCode": "CMN-301"}, 429, {"Retry-After": "60"})

    async def __aenter__(self) -> tuple["Cloud", Transport]:
        await self._listener.start()
        where = f"http://127.0.0.1:{self._listener.port}"
        self._transport = Transport(RingCentralSettings(url=where, client_id="c", client_secret="s", jwt="j"))
        return self, self._transport

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()
        await self._listener.stop()


@pytest.mark.parametrize(
    "of_the_call",
    [
        lambda: JSONResponse({"errorCode": "TAS-106"}, 403),
        lambda: JSONResponse({"errorCode": "CMN-203"}, 500),
        lambda: JSONResponse(["no session"]),
        lambda: Response("<html>"),
    ],
)
async def test_a_call_that_cannot_be_read_costs_the_name_of_whom_it_carries_and_nothing_else(
    of_the_call: Callable[[], Response],
) -> None:
    async with Cloud(of_the_call) as (_, transport):
        calls = Calls(extension_id="1")
        reader = RoomReader(Client(transport), calls, Interpreter(), transport.settings)
        for _ in range(2):  # a reconnect asks again
            await reader.all(_nobody)
            room = calls.one(RoomId("s-C"))
            assert room is not None
            assert room.participants[ParticipantId("p-C-2")].number is None
            assert len(room.participants) == 2


async def _nobody(_: object) -> None:
    """Tell nobody."""


async def test_the_goodbye_of_a_hook_does_not_wait_for_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.ringcentral.subscription._GOODBYE_S", 0.05)
    async with Cloud(Response) as (cloud, transport):
        hook = HookSubscription(Client(transport), transport.settings, {"id": "S"})
        async with asyncio.timeout(5):
            await hook.aclose()
        assert cloud.asked == 1
