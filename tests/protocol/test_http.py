"""GraphQL over HTTP: what good clients get."""

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


async def test_a_mutation_by_get_is_refused_and_not_done(front: Front) -> None:
    await front.house.with_people("board", "anna")
    status, answer = await front.get(query=MUTE, variables=f'{{"id": "{gid("board", "anna")}"}}')
    assert status == 400
    assert "use POST" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert front.house.pbx.executed == []


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_is_told_where_it_belongs(front: Front, method: str) -> None:
    query = "subscription { backendEvents { occurredAt } }"
    status, answer = await (front.post(query) if method == "POST" else front.get(query=query))
    assert status == 400
    assert "WebSocket (graphql-transport-ws)" in answer["errors"][0]["message"]


async def test_one_of_several_operations_is_chosen_by_its_name(front: Front) -> None:
    assert await front.post(WHO, "Who") == (200, {"data": {"viewer": {"subject": "ada"}}})
    status, answer = await front.post(WHO, "What")
    assert status == 400
    assert "What" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_of_several_operations_none_is_done_without_a_name(front: Front) -> None:
    _, answer = await front.post(WHO)
    assert answer.get("data") is None
    assert answer["errors"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(front: Front, method: str) -> None:
    async with front.session.request(method, front.url, json={"query": "{ viewer { subject } }"}) as response:
        assert response.status == 405
        assert (await response.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_browser_gets_a_page(front: Front) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml"}
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
    assert pbx == {"id": "pbx", "status": "LIVE", "reason": None, "rooms": 1, "misunderstood": 0}
    assert (cloud["id"], cloud["status"], cloud["reason"]) == ("cloud", "STALE", "the switchboard is unplugged")
    assert ready["records"] == {"written": 2, "dropped": 0}
