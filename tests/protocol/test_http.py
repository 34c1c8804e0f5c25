"""GraphQL over HTTP: what good clients get."""

import asyncio
from pathlib import Path

import pytest

from gateway.live.link import BackendStatus
from tests.gateway.schema.house import gid
from tests.protocol.front import ALLOWED_ORIGIN, Front, front_with

WHO = "query Who { viewer { subject } } query Which { backends { name } }"
MUTE = """mutation ($id: ID!) { muteParticipant(input: {participantId: $id}) {
    outcome participant { muted } errors { code field } } }"""


async def test_a_query_is_answered_by_post(front: Front) -> None:
    assert await front.post("{ viewer { subject } }") == (200, {"data": {"viewer": {"subject": "ada"}}})


async def test_a_query_is_answered_by_get(front: Front) -> None:
    await front.house.with_people("board", "anna")
    query = "query R($id: ID!) { room(id: $id) { participantCount } }"
    answer = await front.get(query=query, variables=f'{{"id": "{gid("board")}"}}', operationName="R")
    assert answer == (200, {"data": {"room": {"participantCount": 1}}})


async def test_a_mutation_is_done_by_post(front: Front) -> None:
    await front.house.with_people("board", "anna")
    status, answer = await front.post(MUTE, id=gid("board", "anna"))
    expected = {"outcome": "CONFIRMED", "participant": {"muted": True}, "errors": []}
    assert (status, answer) == (200, {"data": {"muteParticipant": expected}})


async def test_a_mutation_goes_on_when_the_client_leaves(front: Front) -> None:
    await front.house.with_people("board", "anna")
    front.house.pbx.hold.clear()
    asking = asyncio.create_task(front.post(MUTE, id=gid("board", "anna")))
    async with asyncio.timeout(10):
        while not front.house.pbx.executed:  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0)
    asking.cancel()
    front.house.pbx.hold.set()
    await front.house.until(lambda: (at := front.house.room("board")) and at.room.participants["anna"].muted)


async def test_a_mutation_by_get_is_refused_and_not_done(front: Front) -> None:
    await front.house.with_people("board", "anna")
    params = {"query": MUTE, "variables": f'{{"id": "{gid("board", "anna")}"}}'}
    for form in ("application/json", "text/event-stream"):
        async with front.session.get(front.url, params=params, headers={"Accept": form}) as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")
            (error,) = (await response.json())["errors"]
        assert "use POST" in error["message"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
    assert front.house.pbx.executed == []


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_is_told_where_it_belongs(front: Front, method: str) -> None:
    query = "subscription { backendEvents { occurredAt } }"
    status, answer = await (front.post(query) if method == "POST" else front.get(query=query))
    assert status == 406
    (error,) = answer["errors"]
    assert all(way in error["message"] for way in ("text/event-stream", "multipart/mixed", "graphql-transport-ws"))
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert front.operations.followers == 0


async def test_an_answer_nobody_could_read_is_not_worked_for(front: Front) -> None:
    await front.house.with_people("board", "anna")
    body = {"query": MUTE, "variables": {"id": gid("board", "anna")}}
    async with front.session.post(front.url, json=body, headers={"Accept": "image/png"}) as response:
        assert response.status == 406
        assert "application/json" in (await response.json())["errors"][0]["message"]
    assert front.house.pbx.executed == []


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("application/graphql-response+json;q=0.5, application/json", "application/json"),
        ("text/event-stream, application/json", "application/json"),
    ],
)
async def test_a_query_is_answered_in_the_form_the_client_prefers(front: Front, accept: str, form: str) -> None:
    body = {"query": "{ viewer { subject } }"}
    async with front.session.post(front.url, json=body, headers={"Accept": accept}) as response:
        assert (response.status, response.content_type, response.charset) == (200, form, "utf-8")
        assert await response.json() == {"data": {"viewer": {"subject": "ada"}}}


async def test_the_status_tells_of_refusals_only_where_clients_trust_it(front: Front) -> None:
    refusals = [
        ({"query": "{"}, "PARSE_FAILED"),
        ({"query": "{ nothing }"}, "VALIDATION_FAILED"),
        ({"query": "query ($id: ID!) { room(id: $id) { name } }"}, "INVALID_INPUT"),
    ]
    for form, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        for body, code in refusals:
            async with front.session.post(front.url, json=body, headers={"Accept": form}) as response:
                answer = await response.json()
                assert (response.status, response.content_type) == (status, form)
            assert "data" not in answer
            assert {error["extensions"]["code"] for error in answer["errors"]} == {code}


async def test_one_of_several_operations_is_chosen_by_its_name(front: Front) -> None:
    assert await front.post(WHO, "Who") == (200, {"data": {"viewer": {"subject": "ada"}}})
    _, answer = await front.post(WHO, "What")
    assert "data" not in answer
    assert "What" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"] == {"code": "INVALID_INPUT", "argument": "operationName"}


async def test_of_several_operations_none_is_done_without_a_name(front: Front) -> None:
    _, answer = await front.post(WHO)
    assert answer.get("data") is None
    assert answer["errors"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(front: Front, method: str) -> None:
    async with front.session.request(method, front.url, json={"query": "{ viewer { subject } }"}) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
        assert (await response.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_head_is_get_without_the_answer(front: Front) -> None:
    async with front.session.head(front.url, params={"query": "{ __typename }"}) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.read() == b""
    subscription = {"query": "subscription { backendEvents { occurredAt } }"}
    async with front.session.head(front.url, params=subscription, headers={"Accept": "text/event-stream"}) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


async def test_options_tell_the_methods(front: Front) -> None:
    async with front.session.options(front.url) as response:
        assert (response.status, response.headers["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")


async def test_a_browser_gets_a_page(front: Front) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    async with front.session.get(front.url, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
    async with front.session.get(front.url, params={"query": "{ __typename }"}, headers=headers) as response:
        assert await response.json() == {"data": {"__typename": "Query"}}


async def test_pages_of_an_allowed_origin_may_ask_and_others_are_not_let_to_read(front: Front) -> None:
    async with front.session.get(
        front.url, params={"query": "{ __typename }"}, headers={"Origin": ALLOWED_ORIGIN}
    ) as r:
        assert r.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with front.session.options(front.url, headers={"Origin": ALLOWED_ORIGIN, **preflight}) as response:
        assert response.status == 200
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
    for method in ("PUT", "DELETE"):
        asked = {"Origin": ALLOWED_ORIGIN, "Access-Control-Request-Method": method}
        asked["Access-Control-Request-Headers"] = "x-graphql-event-stream-token"
        async with front.session.options(f"{front.url}/stream", headers=asked) as response:
            assert response.status == 200
            assert method in response.headers["Access-Control-Allow-Methods"]
    for headers in ({}, preflight):
        asking = front.session.options if headers else front.session.get
        async with asking(front.url, headers={"Origin": "https://evil.example.com", **headers}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_without_allowed_origins_nobody_else_may_read(tmp_path: Path) -> None:
    async with (
        front_with(tmp_path, origins=()) as front,
        front.session.post(front.url, json={"query": "{ __typename }"}, headers={"Origin": ALLOWED_ORIGIN}) as response,
    ):
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_names_that_are_no_valid_unicode_reach_clients_as_json(front: Front) -> None:
    await front.house.with_people("board", "anna")
    front.house.pbx.tell("board", name="half \ud83d")
    await front.house.until(lambda: (at := front.house.room("board")) and at.room.name == "half \ud83d")
    status, answer = await front.post("query ($id: ID!) { room(id: $id) { name } }", id=gid("board"))
    assert (status, answer) == (200, {"data": {"room": {"name": "half \ud83d"}}})


async def test_the_gateway_is_well_as_long_as_it_answers(front: Front) -> None:
    async with front.session.get(f"http://127.0.0.1:{front.port}/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_the_gateway_is_ready_and_says_how_each_backend_is(front: Front) -> None:
    await front.house.with_people("board", "anna")
    front.house.cloud.drop_link(reachable=False)
    await front.house.until(lambda: front.house.live.links["cloud"].status is BackendStatus.STALE)
    await front.house.storage.writer.flush()
    async with front.session.get(f"http://127.0.0.1:{front.port}/readyz") as response:
        assert response.status == 200
        ready = await response.json()
    pbx, cloud = ready["backends"]
    assert ready["status"] == "ready"
    assert pbx == {"id": "pbx", "status": "LIVE", "reason": None, "rooms": 1, "misunderstood": 0, "troubles": []}
    assert (cloud["id"], cloud["status"], cloud["reason"]) == ("cloud", "STALE", "the switchboard is unplugged")
    assert ready["records"] == {"written": 2, "dropped": 0}
