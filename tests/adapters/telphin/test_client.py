"""Telphin's endpoints: what is sent to each, what is urgent, and what is read of the answer."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from adapters.kit.understanding import Complaints, NotUnderstoodError
from adapters.telphin.client import Client
from adapters.telphin.errors import RateLimitedError, RefusedError, as_command_errors
from gateway.model.errors import CommandErrorCode, CommandRefused
from tests.adapters.telphin.signed_in import Handler, Server, answering, counted, plain, seat_before

Ask = Callable[[Client], Coroutine[Any, Any, object]]

ROOM = {"id": 30, "name": "000*300", "type": "conference", "status": "active", "label": "Daily"}
SETTINGS = {"max_members": None, "pin": "1234", "record_enabled": False, "enter_sound": 7}
EVENT = {"id": 5, "url": "https://g/hooks/pbx/", "event_type": "answer", "method": "POST"}
CALL = {"call_api_id": "35-38", "call_flow": "in", "real_call": True, "called_extension": {"id": 30}}
EXTENSION = "/api/ver1.0/extension/30"
EXTENSIONS = "/api/ver1.0/client/@me/extension/"
GONE = answering({"message": "Not found"}, 404)


# ---- what is sent, and what is read ----


@pytest.mark.parametrize(
    ("ask", "answer", "sent", "body", "read"),
    [
        (lambda c: c.extension("30"), answering(ROOM), f"GET {EXTENSIONS}30", None, ROOM),
        (lambda c: c.create_extension({"name": "300"}), answering(ROOM, 201), f"POST {EXTENSIONS}", "name", ROOM),
        (lambda c: c.update_extension("30", {"label": "x"}), answering(ROOM), f"PUT {EXTENSIONS}30", "label", ROOM),
        (lambda c: c.delete_extension("30"), plain(204), f"DELETE {EXTENSIONS}30", None, None),
        (lambda c: c.conference("30"), answering(SETTINGS), f"GET {EXTENSION}/conference/", None, SETTINGS),
        (
            lambda c: c.update_conference("30", {"pin": None}),
            answering(SETTINGS),
            f"PUT {EXTENSION}/conference/",
            "pin",
            SETTINGS,
        ),
        (
            lambda c: c.current_calls(),
            answering([CALL]),
            "GET /api/ver1.0/client/@me/current_calls/",
            None,
            ([CALL], True),
        ),
        (lambda c: c.hang_up("30", "35-38"), plain(204), f"DELETE {EXTENSION}/current_calls/35-38", None, None),
        (
            lambda c: c.call_back("30", {"src_num": ["101"], "dst_num": "300"}),
            answering({"call_id": "c0", "call_api_id": "c1"}, 201),
            f"POST {EXTENSION}/callback/",
            "src_num",
            {"call_api_id": "c1"},
        ),
        (lambda c: c.events("30"), answering([EVENT]), f"GET {EXTENSION}/event/", None, [EVENT]),
        (
            lambda c: c.create_event("30", "https://g/hooks/pbx/", "answer"),
            answering(EVENT, 201),
            f"POST {EXTENSION}/event/",
            "url",
            EVENT,
        ),
        (lambda c: c.delete_event("30", "5"), plain(204), f"DELETE {EXTENSION}/event/5", None, None),
    ],
)
async def test_each_endpoint_is_asked_by_its_documented_path(
    ask: Ask, answer: Handler, sent: str, body: str | None, read: object
) -> None:
    server = Server(answer)
    async with seat_before(server) as seat:
        found = await ask(seat.client)
    assert server.lines == [sent]
    assert found == read
    (raw,) = server.bodies
    assert (body is None) is (raw == b"")
    assert body is None or body in json.loads(raw)


async def test_events_are_posted_to_the_address_that_is_named() -> None:
    server = Server(answering(EVENT, 201))
    async with seat_before(server) as seat:
        await seat.client.create_event("30", "https://g/hooks/pbx/", "dial-in")
    assert json.loads(server.bodies[0]) == {"url": "https://g/hooks/pbx/", "event_type": "dial-in", "method": "POST"}


async def test_what_nobody_knows_is_left_out_of_what_is_read() -> None:
    async with seat_before(Server(answering({**EVENT, "surplus": 1}))) as seat:
        assert await seat.client.create_event("30", "https://g/hooks/pbx/", "answer") == EVENT


@pytest.mark.parametrize(
    ("ask", "urgent"),
    [
        (lambda c: c.conference_extensions(), False),
        (lambda c: c.conference("30"), False),
        (lambda c: c.current_calls(), False),
        (lambda c: c.events("30"), False),
        (lambda c: c.create_event("30", "https://g/", "answer"), False),
        (lambda c: c.delete_event("30", "5"), False),
        (lambda c: c.conference("30", urgent=True), True),
        (lambda c: c.create_extension({}), True),
        (lambda c: c.update_extension("30", {}), True),
        (lambda c: c.delete_extension("30"), True),
        (lambda c: c.update_conference("30", {}), True),
        (lambda c: c.hang_up("30", "c1"), True),
        (lambda c: c.call_back("30", {}), True),
    ],
)
async def test_the_last_of_the_quota_is_for_commands(ask: Ask, urgent: bool) -> None:
    server = Server(counted(100, 5, 1800, body={"id": 1}))
    async with seat_before(server) as seat:
        await seat.client.extension("30")
        if urgent:
            await ask(seat.client)
        else:
            with pytest.raises(RateLimitedError):
                await ask(seat.client)
    assert len(server.requests) == 1 + urgent


# ---- what is not there ----


async def test_a_room_that_is_not_there_is_none_when_read_and_an_error_when_changed() -> None:
    async with seat_before(Server(GONE)) as seat:
        client = seat.client
        assert await client.extension("30") is None
        assert await client.conference("30") is None
        works: list[Ask] = [
            lambda c: c.update_extension("30", {}),
            lambda c: c.delete_extension("30"),
            lambda c: c.update_conference("30", {}),
            lambda c: c.call_back("30", {}),
            lambda c: c.events("30"),
            lambda c: c.create_event("30", "https://g/", "answer"),
        ]
        for work in works:
            with pytest.raises(RefusedError) as caught:
                await work(client)
            assert caught.value.is_gone


async def test_a_subscription_that_is_gone_counts_as_ended() -> None:
    server = Server(GONE)
    async with seat_before(server) as seat:
        await seat.client.delete_event("30", "5")
    assert len(server.requests) == 1


async def test_a_subscription_that_may_not_be_ended_is_an_error() -> None:
    async with seat_before(Server(answering({"status": "access_denied"}, 403))) as seat:
        with pytest.raises(RefusedError):
            await seat.client.delete_event("30", "5")


async def test_a_call_that_is_over_is_a_participant_who_is_not_there() -> None:
    async with seat_before(Server(GONE)) as seat:
        with pytest.raises(CommandRefused) as caught, as_command_errors(CommandErrorCode.PARTICIPANT_NOT_FOUND):
            await seat.client.hang_up("30", "c1")
    assert caught.value.errors[0].code is CommandErrorCode.PARTICIPANT_NOT_FOUND


async def test_a_client_that_telphin_does_not_know_is_not_a_room_that_is_not_there() -> None:
    async with seat_before(Server(answering({"status": "client_not_found"}, 404))) as seat:
        for work in (seat.client.extension("30"), seat.client.conference("30")):
            with pytest.raises(RefusedError):
                await work
        with pytest.raises(RefusedError):
            await seat.client.delete_event("30", "5")


@pytest.mark.parametrize("word", ["", ".", ".."])
async def test_an_id_that_is_no_word_of_a_path_names_nothing(word: str) -> None:
    server = Server()
    async with seat_before(server) as seat:
        client = seat.client
        assert await client.extension(word) is None
        assert await client.conference(word) is None
        await client.delete_event("30", word)
        await client.delete_event(word, "5")
        works: list[Ask] = [
            lambda c: c.update_extension(word, {}),
            lambda c: c.delete_extension(word),
            lambda c: c.update_conference(word, {}),
            lambda c: c.hang_up("30", word),
            lambda c: c.hang_up(word, "c1"),
            lambda c: c.call_back(word, {}),
            lambda c: c.events(word),
            lambda c: c.create_event(word, "https://g/", "answer"),
        ]
        for work in works:
            with pytest.raises(RefusedError) as caught:
                await work(client)
            assert caught.value.status == 404
    assert not server.requests


async def test_an_id_cannot_lead_elsewhere() -> None:
    server = Server(GONE)
    async with seat_before(server) as seat:
        await seat.client.conference("30/../31?x#")
    assert server.lines == ["GET /api/ver1.0/extension/30%2F..%2F31%3Fx%23/conference/"]


# ---- lists ----


def pages(*found: list[dict[str, object]], after: Handler | None = None) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        number = int(request.query["page"])
        if number > len(found):
            return await (after or answering([]))(request)
        return web.json_response(found[number - 1])

    return answer


def rooms(*numbers: int, type_: str = "conference") -> list[dict[str, object]]:
    return [{"id": number, "type": type_} for number in numbers]


async def listed(answer: Handler) -> tuple[list[int | str], list[str]]:
    server = Server(answer)
    async with seat_before(server) as seat:
        found = await seat.client.conference_extensions()
    return [each["id"] for each in found], server.lines


async def test_conferences_are_listed_until_a_page_is_empty() -> None:
    found, lines = await listed(pages(rooms(1, 2), rooms(3, 4), rooms(5)))
    assert found == [1, 2, 3, 4, 5]
    asked = [f"GET {EXTENSIONS}?type=conference&page={number}&per_page=100" for number in (1, 2, 3, 4)]
    assert lines == asked


@pytest.mark.parametrize("after", [GONE, answering(rooms(1))])
async def test_a_page_behind_the_last_may_be_missing_or_tell_nothing_new(after: Handler) -> None:
    found, lines = await listed(pages(rooms(1), after=after))
    assert (found, len(lines)) == ([1], 2)


async def test_a_server_that_knows_no_pages_is_asked_twice() -> None:
    found, lines = await listed(answering(rooms(1, 2, 3)))
    assert (found, len(lines)) == ([1, 2, 3], 2)


async def test_a_room_that_moved_to_the_next_page_is_there_once() -> None:
    found, _ = await listed(pages(rooms(1, 2), rooms(2, 3)))
    assert found == [1, 2, 3]


async def test_extensions_that_are_no_conferences_are_left_out_even_if_the_server_does_not() -> None:
    found, _ = await listed(pages(rooms(1, type_="phone"), rooms(2), [{"id": 3}, {"id": 4, "type": None}]))
    assert found == [2]


async def test_a_client_without_conferences_has_none() -> None:
    assert (await listed(pages()))[0] == []


async def test_a_list_that_is_not_there_at_all_is_an_error() -> None:
    async with seat_before(Server(GONE)) as seat:
        with pytest.raises(RefusedError):
            await seat.client.conference_extensions()


async def test_a_list_that_breaks_off_is_an_error_and_not_a_short_list() -> None:
    async with seat_before(Server(pages(rooms(1), after=plain(500)))) as seat:
        with pytest.raises(RefusedError):
            await seat.client.conference_extensions()


async def test_a_list_without_an_end_is_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(rooms(int(request.query["page"])))

    server = Server(answer)
    async with seat_before(server) as seat:
        with pytest.raises(NotUnderstoodError, match="no end"):
            await seat.client.conference_extensions()
    assert len(server.requests) == 1000


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda c: c.conference_extensions(), {"items": []}),
        (lambda c: c.extension("30"), [ROOM]),
        (lambda c: c.conference("30"), None),
        (lambda c: c.conference("30"), {"pin": 1234}),
        (lambda c: c.current_calls(), {}),
        (lambda c: c.events("30"), 5),
        (lambda c: c.call_back("30", {}), []),
    ],
)
async def test_an_answer_of_another_shape_is_not_understood(ask: Ask, answer: object) -> None:
    async with seat_before(Server(answering(answer))) as seat:
        with pytest.raises(NotUnderstoodError):
            await ask(seat.client)


async def test_an_entry_of_a_list_that_is_not_understood_is_left_out_and_said() -> None:
    complaints = Complaints("Telphin")
    odd = {"id": 31, "type": "conference", "label": 7}
    server = Server(
        answering([ROOM, odd]), answering([]), answering([CALL, {"call_flow": "in"}]), answering([5, EVENT])
    )
    async with seat_before(server) as seat:
        client = Client(seat.transport, complaints)
        assert await client.conference_extensions() == [ROOM]
        assert await client.current_calls() == ([CALL], False)
        assert await client.events("30") == [EVENT]
    assert complaints.count == 3


async def test_what_is_only_shown_may_look_like_anything() -> None:
    odd_room = {**ROOM, "dial_rule_limit": "7", "create_date": 5, "ani_rfc3325": "yes", "status": None}
    odd_call = {**CALL, "called_did": 74951234567, "record_uuid": 5, "callback_id": {}, "caller_id_number": 101}
    async with seat_before(Server(answering([odd_room]), answering([]), answering([odd_call]))) as seat:
        assert await seat.client.conference_extensions() == [odd_room]
        assert (await seat.client.current_calls()).complete
