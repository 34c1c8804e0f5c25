"""The event socket: opened with a token, taken up again where it broke off, and lost with a reason."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.kit.understanding import Complaints, JsonObject
from adapters.ringcentral.connection import Frame, address
from adapters.ringcentral.errors import RateLimitedError, RefusedError, UnreachableError
from adapters.ringcentral.pace import Pace
from adapters.ringcentral.stream import Socket, Wsc
from adapters.ringcentral.subscription import event_filters, subscribe
from adapters.ringcentral.wire import WsTokenJson
from gateway.model.errors import GatewayError, LinkDown, SignInRefused
from tests.adapters.ringcentral.signed_in import (
    TOKEN,
    Handler,
    Scene,
    answering,
    ringcentral,
    seat_at,
    served,
    settings_for,
    wstoken,
)
from tests.leaping import now, run

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]
DETAILS: list[JsonObject] = [
    {"type": "ConnectionDetails", "messageId": "m", "status": 200, "wsc": {"token": "w1", "sequence": 1}},
    {"recoveryTimeout": 180},
]


def talking(talk: Talk, seen: list[web.Request] | None = None) -> Handler:
    """A websocket that says and hears what a test wants."""

    async def upgrade(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    return upgrade


async def listen(socket: web.WebSocketResponse) -> None:
    """Hear the client out, and say nothing."""
    async for _ in socket:
        pass


def saying(*frames: Any, close: int | None = None) -> Talk:
    """Introduce the socket, say something, and listen or close."""

    async def talk(socket: web.WebSocketResponse) -> None:
        for frame in (DETAILS, *frames):
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_json(frame))
        await (listen(socket) if close is None else socket.close(code=close, message=b"token-secret"))

    return talk


@asynccontextmanager
async def opened_to(talk: Talk, **change: Any) -> AsyncIterator[Socket]:
    async with served(wstoken, socket=talking(talk)) as url, seat_at(url, **change) as seat:
        yield await seat.socket()


async def refusal_of(socket: Handler, token: Handler = wstoken, **change: Any) -> GatewayError:
    async with served(token, socket=socket) as url, seat_at(url, **change) as seat:
        with pytest.raises((LinkDown, SignInRefused)) as caught:
            await seat.socket()
    return caught.value


async def end_of(socket: Socket) -> GatewayError:
    with pytest.raises((LinkDown, SignInRefused)) as caught:
        async for _ in socket:
            pass
    return caught.value


async def subscribed(scene: Scene, wsc: Wsc | None = None) -> Socket:
    socket = await scene.socket(wsc)
    await subscribe(socket, scene.settings)
    return socket


def session_of(notification: JsonObject) -> object:
    body = notification["body"]
    assert isinstance(body, dict)
    return body["telephonySessionId"]


def notification(serial: int) -> list[JsonObject]:
    return [{"type": "ServerNotification", "messageId": str(serial), "status": 200}, {"uuid": str(serial)}]


# ---- what comes ----


async def test_what_happens_comes_in_order_once_it_is_subscribed_to() -> None:
    async with ringcentral() as scene:
        socket = await subscribed(scene)
        assert socket.recovered is None
        call = scene.sim.make_call(scene.host)
        told = [await anext(socket) for _ in range(3)]
        assert [session_of(each) for each in told] == [call] * 3
        assert told == [sent.notification for sent in list(scene.sim.notifications)[:3]]


@pytest.mark.parametrize(("scope", "sessions"), [("extension", 1), ("account", 2)])
async def test_an_account_is_followed_with_everybody_in_it(scope: str, sessions: int) -> None:
    async with ringcentral({"scope": scope}) as scene:
        socket = await subscribed(scene)
        other = scene.sim.add_extension("Ben Okafor", "102")
        calls = {scene.sim.make_call(other), (mine := scene.sim.make_call(scene.host))}
        heard = set()
        while mine not in heard:
            heard.add(session_of(await anext(socket)))
        assert len(heard) == sessions
        assert heard <= calls


def test_the_filters_are_those_of_the_documentation() -> None:
    assert event_filters(settings_for("https://x")) == ["/restapi/v1.0/account/~/extension/~/telephony/sessions"]
    assert event_filters(settings_for("https://x", scope="account")) == ["/restapi/v1.0/account/~/telephony/sessions"]


async def test_frames_that_are_not_understood_cost_themselves_only_and_are_counted() -> None:
    strange = ["x", "[]", "{}", "[7]", '[{"no":"type"}]', '[{"type":"New"}]', '[{"type":"ServerNotification"},7]']
    async with opened_to(saying(*strange, notification(1))) as socket:
        assert await anext(socket) == {"uuid": "1"}
        assert socket.complaints.count == len(strange)


async def test_a_heartbeat_or_an_answer_that_nobody_waits_for_is_no_complaint() -> None:
    late = [{"type": "ClientRequest", "messageId": "long ago", "status": 200}]
    async with opened_to(saying([{"type": "Heartbeat", "messageId": "h"}], late, notification(1))) as socket:
        await anext(socket)
        assert socket.complaints.count == 0


async def test_more_than_can_be_kept_waits_until_there_is_room() -> None:
    async with opened_to(saying(*(notification(serial) for serial in range(1500)))) as socket:
        assert [(await anext(socket))["uuid"] for _ in range(1500)] == [str(serial) for serial in range(1500)]


# ---- opening ----


async def test_the_token_of_the_socket_and_the_one_for_recovery_are_quoted() -> None:
    seen: list[web.Request] = []

    async def token(request: web.Request) -> web.StreamResponse:
        return web.json_response({"uri": f"ws://{request.host}/ws", "ws_access_token": "a+b&c=%41#d"})

    async with served(token, socket=talking(saying(), seen)) as url, seat_at(url) as seat:
        await seat.socket(Wsc("w&x=y", 3))
    assert seen[0].query == {"access_token": "a+b&c=%41#d", "wsc": "w&x=y"}


async def test_an_app_without_the_scope_needs_an_operator() -> None:
    async with ringcentral() as scene:
        scene.sim.faults.forbidden_scope = "WebSocketsSubscription"
        with pytest.raises(SignInRefused, match="CMN-401"):
            await subscribed(scene)


@pytest.mark.parametrize("status", [200, 401, 404, 503])
async def test_a_socket_that_does_not_open_is_a_link_that_is_down(status: int) -> None:
    failure = await refusal_of(answering({}, status))
    assert isinstance(failure, LinkDown)
    assert f"answered {status} instead of opening" in str(failure)


async def test_a_redirected_socket_is_not_followed_with_its_token() -> None:
    visited: list[web.Request] = []
    async with served(wstoken, socket=talking(saying(), visited)) as other:

        async def redirect(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"{other}{request.path_qs}")

        assert isinstance(await refusal_of(redirect), LinkDown)
    assert visited == []


@pytest.mark.parametrize("uri", ["ws://x.example/ws", "https://x.example/ws", "", "//", "wss://", "ws://[", "x"])
def test_a_socket_in_clear_or_nowhere_is_not_opened_from_a_secure_address(uri: str) -> None:
    with pytest.raises(LinkDown, match="cannot be used"):
        address("https://platform.ringcentral.com", {"uri": uri, "ws_access_token": TOKEN}, None)


def test_a_socket_may_be_elsewhere_and_have_a_query_of_its_own() -> None:
    token: WsTokenJson = {"uri": "wss://ws-api.example.com/ws?v=2", "ws_access_token": "t"}
    found = address("https://platform.ringcentral.com", token, None)
    assert str(found) == "wss://ws-api.example.com/ws?v=2&access_token=t"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ([{"type": "Heartbeat"}], "did not introduce"),
        ([{"type": "ConnectionDetails"}], "ConnectionDetails"),
        ([{"type": "Error", "status": 503}, {"errorCode": "WSG-500"}], "503 WSG-500"),
        ([{"type": "Error"}, "<token-secret>"], "RingCentral answered 0"),
    ],
)
async def test_a_socket_that_is_not_introduced_is_a_link_that_is_down(first: object, said: str) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(first)
        await listen(socket)

    failure = await refusal_of(talking(talk))
    assert isinstance(failure, LinkDown)
    assert said in str(failure)


async def test_a_socket_that_says_nothing_or_closes_is_given_up() -> None:
    assert "said nothing" in str(await refusal_of(talking(listen), request_timeout_s=0.1))

    async def close(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4001)

    assert "closed the event socket (4001)" in str(await refusal_of(talking(close)))


async def test_a_handshake_that_hangs_is_given_up() -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    assert "TimeoutError" in str(await refusal_of(hang, request_timeout_s=0.1))


# ---- taking up a connection again ----


async def test_what_was_missed_comes_first_and_the_subscription_lives_on() -> None:
    async with ringcentral() as scene:
        before = await subscribed(scene)
        scene.sim.drop_link()
        assert isinstance(await end_of(before), LinkDown)
        missed = scene.sim.make_call(scene.host)
        socket = await scene.socket(before.wsc)
        assert socket.recovered is True
        assert session_of(await anext(socket)) == missed
        assert socket.wsc != before.wsc
        scene.sim.drop_link()
        await end_of(socket)
        assert (await scene.socket(socket.wsc)).recovered is True


async def test_a_refreshed_token_is_the_same_session_to_ringcentral_and_a_new_sign_in_is_not() -> None:
    async with ringcentral() as scene:
        before = await subscribed(scene)
        scene.sim.drop_link()
        scene.sim.expire_tokens()
        again = await scene.socket(before.wsc)
        assert again.recovered is True
        scene.sim.drop_link()
        async with seat_at(scene.sim.url) as other:
            assert (await other.socket(again.wsc)).recovered is False


@pytest.mark.parametrize("how", ["too late", "never subscribed", "refused"])
async def test_a_connection_that_cannot_be_taken_up_is_a_new_one_that_has_to_be_subscribed(how: str) -> None:
    async with ringcentral() as scene:
        before = await (scene.socket() if how == "never subscribed" else subscribed(scene))
        scene.sim.faults.recovery_fails = how == "refused"
        scene.sim.forget_links() if how == "too late" else scene.sim.drop_link()
        await end_of(before)
        socket = await scene.socket(before.wsc)
        assert socket.recovered is False
        await subscribe(socket, scene.settings)
        call = scene.sim.make_call(scene.host)
        assert session_of(await anext(socket)) == call


async def test_a_recovery_that_ringcentral_does_not_know_costs_a_second_token_and_no_more() -> None:
    async with ringcentral() as scene:
        socket = await scene.socket(Wsc("of somebody else", 7))
        assert socket.recovered is False
        assert socket.wsc is not None
        assert socket.wsc.sequence < 7
        assert scene.asked()["POST wstoken"] == 2


async def test_the_newest_token_for_recovery_is_kept_whichever_frame_brings_it() -> None:
    frames = [
        [{"type": "Heartbeat", "wsc": {"token": "w5", "sequence": 5}}],
        [{"type": "ServerNotification", "wsc": {"token": "w3", "sequence": 3}}, {"uuid": "1"}],
    ]
    async with opened_to(saying(*frames)) as socket:
        assert socket.wsc is not None
        await anext(socket)
        assert socket.wsc == Wsc("w5", 5)
        assert "w5" not in repr(socket.wsc)


# ---- requests ----


async def test_a_request_that_is_refused_says_why() -> None:
    async with ringcentral() as scene:
        socket = await scene.socket()
        with pytest.raises(RefusedError) as caught:
            await socket.ask("POST", "/restapi/v1.0/subscription", {"eventFilters": []})
        assert caught.value.codes == ("SUB-508",)


async def test_a_filter_that_is_not_delivered_needs_an_operator() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(DETAILS)
        meta = (await socket.receive_json())[0]
        disabled = [{"filter": "/x", "reason": "CMN-408", "message": "token-secret"}]
        await socket.send_json([{**meta, "status": 200}, {"id": "s", "status": "Active", "disabledFilters": disabled}])
        await listen(socket)

    async with opened_to(talk) as socket:
        with pytest.raises(SignInRefused, match="CMN-408"):
            await subscribe(socket, settings_for("http://127.0.0.1"))


async def test_answers_find_their_requests_in_any_order() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(DETAILS)
        asked = [await socket.receive_json() for _ in range(3)]
        for meta, body in reversed(asked):
            await socket.send_json([{**meta, "status": 200}, {"echo": body["n"]}])
        await listen(socket)

    async with opened_to(talk) as socket:
        answers = await asyncio.gather(*(socket.ask("POST", "/x", {"n": n}) for n in range(3)))
        assert answers == [{"echo": 0}, {"echo": 1}, {"echo": 2}]


async def test_an_error_frame_with_the_id_of_a_request_ends_the_request_and_not_the_socket() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(DETAILS)
        meta = (await socket.receive_json())[0]
        error = {"type": "Error", "messageId": meta["messageId"], "status": 400}
        await socket.send_json([error, {"errorCode": "WSG-401"}])
        await socket.send_json(notification(1))
        await listen(socket)

    async with opened_to(talk) as socket:
        with pytest.raises(RefusedError, match="400 WSG-401"):
            await socket.ask("POST", "/x", {})
        assert await anext(socket) == {"uuid": "1"}


async def test_a_limit_that_is_told_over_the_socket_holds_for_the_whole_group() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(DETAILS)
        meta = (await socket.receive_json())[0]
        await socket.send_json([{**meta, "status": 429, "headers": {"Retry-After": 45}}, {"errorCode": "CMN-301"}])
        await listen(socket)

    async with opened_to(talk) as socket:
        with pytest.raises(RateLimitedError) as caught:
            await socket.ask("POST", "/x", {})
        assert caught.value.retry_after_s == pytest.approx(45, abs=1)


async def test_a_request_without_an_answer_may_have_arrived() -> None:
    async with ringcentral({"request_timeout_s": 0.8}) as scene:
        socket = await scene.socket()
        scene.sim.faults.hang = True
        with pytest.raises(UnreachableError, match="in time") as caught:
            await socket.ask("POST", "/x", {})
        assert caught.value.sent


async def test_who_waits_for_an_answer_learns_that_the_connection_has_ended() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(DETAILS)
        await socket.receive_json()
        await socket.close()

    async with opened_to(talk) as socket:
        with pytest.raises(UnreachableError) as caught:
            await socket.ask("POST", "/x", {})
        assert caught.value.sent
        with pytest.raises(UnreachableError) as caught:
            await socket.ask("POST", "/x", {})
        assert not caught.value.sent


# ---- the end ----


@pytest.mark.parametrize("code", ["WSG-902", "WSG-903"])
async def test_an_error_frame_says_why_the_connection_ends_and_it_can_be_taken_up_again(code: str) -> None:
    async with ringcentral() as scene:
        socket = await subscribed(scene)
        scene.sim.close_sockets(code)
        assert code in str(await end_of(socket))
        assert (await scene.socket(socket.wsc)).recovered is True


async def test_the_end_is_told_after_what_came_before_it_and_again_each_time() -> None:
    async with opened_to(saying(notification(1), notification(2), close=1008)) as socket:
        assert [await anext(socket), await anext(socket)] == [{"uuid": "1"}, {"uuid": "2"}]
        for _ in range(2):
            assert str(await end_of(socket)) == "RingCentral closed the event socket (1008)"


async def test_a_permission_that_is_taken_away_needs_an_operator() -> None:
    error = [{"type": "Error", "status": 403}, {"errorCode": "CMN-408", "permissionName": "ReadPresence"}]
    async with opened_to(saying(error)) as socket:
        failure = await end_of(socket)
    assert isinstance(failure, SignInRefused)
    assert "ReadPresence" in str(failure)


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async with opened_to(saying('["' + "x" * 4 * 1024 * 1024 + '"]')) as socket:
        assert isinstance(await end_of(socket), LinkDown)


async def test_closing_ends_the_iteration_and_leaves_no_task() -> None:
    async with ringcentral() as scene:
        socket = await scene.socket()
        reading = asyncio.create_task(end_of(socket))
        await socket.aclose()
        assert "was closed" in str(await reading)
        assert all(task.done() for task in socket._tasks)


# ---- signs of life, in time that leaps ----


class Line:
    """Stands where a connection does, in time that leaps."""

    def __init__(self, answers_heartbeats: bool) -> None:
        self.recovered = None
        self.wsc = None
        self.heard_at = now()
        self.sent_at: list[float] = []
        self.closed_at: float | None = None
        self.farewell = "the event socket broke"
        self._answers = answers_heartbeats
        self._frames: deque[Frame] = deque()
        self._changed = asyncio.Event()

    def say(self, frame: Frame | None = None) -> None:
        self._frames.append(frame or Frame({"type": "ServerNotification"}, {}))
        self._changed.set()

    async def next(self) -> Frame | None:
        while not self._frames and self.closed_at is None:
            self._changed.clear()
            await self._changed.wait()
        self.heard_at = now()
        return self._frames.popleft() if self._frames else None

    async def send(self, meta: JsonObject, body: JsonObject | None = None) -> None:
        assert meta["type"] == "Heartbeat"
        self.sent_at.append(now())
        if self._answers:
            self.say(Frame({"type": "Heartbeat", "messageId": str(meta["messageId"])}, None))

    async def aclose(self) -> None:
        self.closed_at = self.closed_at or now()
        self._changed.set()


class _Paced:
    transport: "_Paced"

    def __init__(self) -> None:
        self.transport = self
        self.pace = Pace()


def socket_on(line: Line) -> Socket:
    return Socket(line, _Paced(), 10, Complaints("RingCentral"))  # type: ignore[arg-type]  # they have what it uses


def test_a_heartbeat_goes_out_after_half_a_minute_of_silence_and_its_answer_keeps_the_connection() -> None:
    async def work() -> None:
        line = Line(answers_heartbeats=True)
        socket = socket_on(line)
        await asyncio.sleep(100)
        assert line.sent_at == [pytest.approx(at) for at in (30, 60, 90)]
        assert line.closed_at is None
        await socket.aclose()

    run(work())


def test_without_an_answer_the_connection_is_lost_ten_seconds_later() -> None:
    async def work() -> None:
        line = Line(answers_heartbeats=False)
        socket = socket_on(line)
        failure = await end_of(socket)
        assert str(failure) == "RingCentral did not answer a heartbeat for 10 s"
        assert now() == pytest.approx(40)
        await socket.aclose()

    run(work())


def test_any_frame_is_a_sign_of_life() -> None:
    async def work() -> None:
        line = Line(answers_heartbeats=False)
        socket = socket_on(line)
        for _ in range(10):
            await asyncio.sleep(20)
            line.say()
            await anext(socket)
        assert line.sent_at == []
        await asyncio.sleep(35)
        line.say()
        await asyncio.sleep(6)
        assert line.closed_at is None
        await socket.aclose()

    run(work())


def test_who_does_not_listen_cannot_say_that_ringcentral_is_silent() -> None:
    async def work() -> None:
        line = Line(answers_heartbeats=False)
        socket = socket_on(line)
        for _ in range(1001):
            line.say()
        await asyncio.sleep(310)
        assert (line.sent_at, line.closed_at) == ([], None)
        for _ in range(1001):
            await anext(socket)
        assert now() == 310
        failure = await end_of(socket)
        assert "heartbeat" in str(failure)
        assert now() == pytest.approx(350)
        await socket.aclose()

    run(work())
