"""Bandwidth's endpoints: what is sent to each, at whose pace, and what is read of the answer."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from yarl import URL

from adapters.bandwidth.client import Client
from adapters.bandwidth.errors import RefusedError
from adapters.bandwidth.pace import Endpoint
from adapters.bandwidth.transport import Answer, Request, Transport
from adapters.kit.understanding import NotUnderstoodError
from tests.adapters.bandwidth.seat import BASE, Asked, Handler, answering, failing, plain, seat_before, settings_for

URL_OF_ALL = "http://127.0.0.1:9"


class Noting(Transport):
    """Notes what would be sent, instead of sending it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(settings_for(URL_OF_ALL))
        self.requests: list[Request] = []
        self._answer = answer

    async def ask(self, request: Request) -> Answer:
        self.requests.append(request)
        return self._answer


def noting(answer: Answer) -> tuple[Client, list[Request]]:
    transport = Noting(answer)
    return Client(transport), transport.requests


def line(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return f"{request.method} /{'/'.join(request.path)}{'?' if query else ''}{query}"


CONFERENCE = {"id": "conf-1", "state": "created", "from": "+12025550100", "activeMembers": 0}
MEMBER = {"id": "member-1", "state": "active", "call": f"https://x{BASE}/calls/c-1"}
CALL = {"id": "c-1", "direction": "out", "to": "+12025550101"}
DONE = Answer()


def created(word: str) -> Answer:
    return Answer(None, f"{BASE}/whatever/{word}")


# ---- endpoints ----


@pytest.mark.parametrize(
    ("what", "args", "answer", "sent", "endpoint"),
    [
        ("create_conference", (), created("conf-1"), "POST /conferences", "conferences"),
        ("update_conference", ("conf-1",), DONE, "POST /conferences/conf-1", "conferences"),
        ("play_to_conference", ("conf-1",), DONE, "POST /conferences/conf-1/audio", "conferences"),
        ("add_member", ("conf-1",), created("member-1"), "POST /conferences/conf-1/members", "conferences"),
        ("update_member", ("conf-1", "m-1"), DONE, "POST /conferences/conf-1/members/m-1", "conferences"),
        ("play_to_member", ("conf-1", "m-1"), DONE, "POST /conferences/conf-1/members/m-1/audio", "conferences"),
        ("create_call", (), created("c-1"), "POST /calls", "dialling"),
        ("update_call", ("c-1",), DONE, "POST /calls/c-1", "calls"),
    ],
)
async def test_commands_go_to_their_endpoint_before_reads(
    what: str, args: tuple[object, ...], answer: Answer, sent: str, endpoint: str
) -> None:
    client, requests = noting(answer)
    body = {"some": "thing"}
    await getattr(client, what)(*args, body)
    (request,) = requests
    assert (line(request), request.endpoint, request.urgent) == (sent, Endpoint(endpoint), True)
    assert request.body == body


@pytest.mark.parametrize(
    ("what", "args", "answer", "sent", "endpoint"),
    [
        ("probe", (), [], "GET /calls?size=1", "calls"),
        ("conference", ("conf-1",), CONFERENCE, "GET /conferences/conf-1", "conferences"),
        ("members", ("conf-1",), [MEMBER], "GET /conferences/conf-1/members", "conferences"),
        ("call", ("c-1",), CALL, "GET /calls/c-1", "calls"),
        ("calls_of", ("conf-1",), [CALL], "GET /calls?conferenceId=conf-1", "calls"),
    ],
)
async def test_reads_go_to_their_endpoint_after_commands(
    what: str, args: tuple[object, ...], answer: object, sent: str, endpoint: str
) -> None:
    client, requests = noting(Answer(answer))
    assert await getattr(client, what)(*args) == (None if what == "probe" else answer)
    (request,) = requests
    assert (line(request), request.endpoint, request.urgent) == (sent, Endpoint(endpoint), False)
    assert request.body is None


@pytest.mark.parametrize(
    ("what", "args", "answer"),
    [("conference", ("conf-1",), CONFERENCE), ("members", ("conf-1",), [MEMBER]), ("call", ("c-1",), CALL)],
)
async def test_a_read_that_a_command_waits_for_goes_as_one(what: str, args: tuple[object, ...], answer: object) -> None:
    client, requests = noting(Answer(answer))
    await getattr(client, what)(*args, urgent=True)
    assert requests[0].urgent


# ---- what was created ----


@pytest.mark.parametrize(
    "location",
    [
        f"{BASE}/conferences/conf-abc123",
        f"https://api.catapult.inetwork.com{BASE}/conferences/conf-abc123",
        "conf-abc123",
        f"{BASE}/conferences/conf-abc123?x=/y#z/",
    ],
)
async def test_what_was_created_is_named_by_the_last_word_of_its_address(location: str) -> None:
    client, _ = noting(Answer(None, location))
    assert await client.create_conference({}) == "conf-abc123"
    assert await client.create_call({}) == "conf-abc123"
    assert await client.add_member("conf-1", {}) == "conf-abc123"


@pytest.mark.parametrize("location", [None, "", "/", f"{BASE}/conferences/", f"{BASE}/..", "/a b", "/x%2Fy", "?conf-1"])
async def test_what_was_created_without_saying_what_is_not_understood(location: str | None) -> None:
    client, _ = noting(Answer({"id": "conf-1"}, location))
    with pytest.raises(NotUnderstoodError):
        await client.create_conference({})


async def test_a_conference_is_created_and_changed_with_answers_that_are_empty() -> None:
    asked = Asked(
        plain(201, Location=f"{BASE}/conferences/conf-1", Content_Type="application/json"),
        plain(200, Content_Type="application/json"),
    )
    async with seat_before(asked) as seat:
        conference_id = await seat.client.create_conference({"from": "+12025550100"})
        await seat.client.update_conference(conference_id, {"state": "completed"})
    assert asked.lines == [f"POST {BASE}/conferences", f"POST {BASE}/conferences/conf-1"]
    assert await asked.requests[1].json() == {"state": "completed"}


# ---- ids ----


WITH_AN_ID: list[Callable[[Client, str], Awaitable[object]]] = [
    lambda client, word: client.update_conference(word, {}),
    lambda client, word: client.play_to_conference(word, {}),
    lambda client, word: client.members(word),
    lambda client, word: client.add_member(word, {}),
    lambda client, word: client.update_member(word, "m", {}),
    lambda client, word: client.update_member("conf-1", word, {}),
    lambda client, word: client.play_to_member("conf-1", word, {}),
    lambda client, word: client.update_call(word, {}),
]


@pytest.mark.parametrize("word", ["", ".", "..", "conf-1/members", "/"])
async def test_an_id_that_is_no_word_of_a_path_names_nothing(word: str) -> None:
    client, requests = noting(created("x"))
    assert await client.conference(word) is None
    assert await client.call(word) is None
    for work in WITH_AN_ID:
        with pytest.raises(RefusedError) as caught:
            await work(client, word)
        assert caught.value.is_gone
    assert not requests


@pytest.mark.parametrize("code", ["conference-not-found", "call-not-found"])
async def test_what_bandwidth_does_not_know_is_none_and_its_members_are_an_error(code: str) -> None:
    async with seat_before(Asked(failing(404, code, "not-found"))) as seat:
        assert await seat.client.conference("conf-1") is None
        assert await seat.client.call("c-1") is None
        with pytest.raises(RefusedError):
            await seat.client.members("conf-1")


@pytest.mark.parametrize(
    "wrong", [plain(404, "<html>not here"), failing(404, "user-not-found", "not-found"), failing(403), failing(500)]
)
async def test_any_other_error_is_not_taken_for_the_end_of_a_conference(wrong: Handler) -> None:
    async with seat_before(Asked(wrong)) as seat:
        with pytest.raises(RefusedError):
            await seat.client.conference("conf-1")
        with pytest.raises(RefusedError):
            await seat.client.call("c-1")


# ---- what is read ----


async def test_booleans_and_numbers_may_be_text_and_anything_may_be_null_or_unknown() -> None:
    given = {"id": "conf-1", "hold": "true", "mute": False, "activeMembers": "2", "callbackTimeout": 2000, "tag": None}
    client, _ = noting(Answer(given | {"surplus": [1]}))
    assert await client.conference("conf-1") == given


@pytest.mark.parametrize("answer", [None, [], {}, "conf-1", {"id": 5}, {"id": "conf-1", "state": 1}])
async def test_a_conference_that_makes_no_sense_is_not_understood(answer: object) -> None:
    client, _ = noting(Answer(answer))
    with pytest.raises(NotUnderstoodError):
        await client.conference("conf-1")


@pytest.mark.parametrize("answer", [None, {}, [None], [MEMBER, {"id": 5}]])
async def test_a_list_with_somebody_unreadable_is_not_taken_for_one_without_them(answer: object) -> None:
    client, _ = noting(Answer(answer))
    with pytest.raises(NotUnderstoodError):
        await client.members("conf-1")


async def test_an_answer_that_is_no_list_of_calls_is_not_bandwidths() -> None:
    client, _ = noting(Answer({"welcome": "to a router"}))
    with pytest.raises(NotUnderstoodError):
        await client.probe()


# ---- lists in pages ----


async def test_a_list_is_read_to_its_end() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        page = int(request.query.get("page", "0"))
        more = f'<http://{request.host}{request.path}?page={page + 1}&size=25>; rel="next"'
        return web.json_response([{"id": f"m-{page}"}], headers={"Link": more} if page < 2 else {})

    asked = Asked(answer)
    async with seat_before(asked) as seat:
        assert [each["id"] for each in await seat.client.members("conf-1")] == ["m-0", "m-1", "m-2"]
    path = f"GET {BASE}/conferences/conf-1/members"
    assert asked.lines == [path, f"{path}?page=1&size=25", f"{path}?page=2&size=25"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"http://evil.example.com{BASE}/conferences/conf-1/members?page=1",
        f"http://127.0.0.1:10{BASE}/conferences/conf-1/members?page=1",
        f"https://127.0.0.1:9{BASE}/conferences/conf-1/members?page=1",
        f"{URL_OF_ALL}/v1/users/u-other/conferences/conf-1/members?page=1",
        "mailto:somebody",
    ],
)
async def test_a_list_that_goes_on_elsewhere_is_not_followed(elsewhere: str) -> None:
    client, requests = noting(Answer([MEMBER], None, URL(elsewhere)))
    with pytest.raises(NotUnderstoodError, match="elsewhere"):
        await client.members("conf-1")
    assert len(requests) == 1


async def test_a_list_without_an_end_is_given_up() -> None:
    here = URL(f"{URL_OF_ALL}{BASE}/conferences/conf-1/members?page=1")
    client, requests = noting(Answer([MEMBER], None, here))
    with pytest.raises(NotUnderstoodError, match="no end"):
        await client.members("conf-1")
    assert len(requests) == 100


async def test_who_we_are_is_asked_with_the_smallest_of_lists() -> None:
    asked = Asked(answering([CALL]), failing(401, None, "authentication"))
    async with seat_before(asked) as seat:
        await seat.client.probe()
        with pytest.raises(RefusedError):
            await seat.client.probe()
    assert asked.lines == [f"GET {BASE}/calls?size=1"] * 2
