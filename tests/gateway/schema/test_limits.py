"""Documents that ask for too much are told so, and cost next to nothing."""

import time
from typing import Any

import pytest
from graphql import get_introspection_query

from gateway.operations.documents import read_document
from gateway.schema.limits import QueryLimits
from tests.gateway.schema.house import House, gid


def fragments(count: int, uses: int) -> str:
    """Write fragments that each use the next one several times: small to read, vast when spelled out."""
    chain = [f"fragment F{number} on Room {{ " + f"... F{number + 1} " * uses + "}" for number in range(count)]
    return "query ($id: ID!) { room(id: $id) { ...F0 } } " + " ".join(chain) + f" fragment F{count} on Room {{ id }}"


async def code(house: House, query: str, limits: QueryLimits | None = None, **variables: Any) -> str | None:
    result = await house.ask(query, limits=limits, **variables)
    if result.errors is None:
        return None
    assert len(result.errors) == 1
    extensions = result.errors[0].extensions or {}
    return str(extensions.get("code"))


async def test_a_document_may_be_twelve_levels_deep(house: House) -> None:
    room = await house.with_people("board", "anna")
    deep = "query ($id: ID!) { room(id: $id) { " + "me { room { " * 5 + "id" + " } }" * 5 + " } }"
    assert await code(house, deep, id=room) is None
    deeper = deep.replace("{ id }", "{ backend { id } }")
    assert await code(house, deeper, id=room) == "DOCUMENT_TOO_DEEP"
    assert await code(house, deeper, QueryLimits(max_depth=13), id=room) is None


async def test_depth_is_counted_through_fragments(house: House) -> None:
    query = """query ($id: ID!) { room(id: $id) { ...A } }
        fragment A on Room { me { room { ...B } } } fragment B on Room { ... on Room { backend { name } } }"""
    assert await code(house, query, QueryLimits(max_depth=5), id=gid("x")) is None
    assert await code(house, query, QueryLimits(max_depth=4), id=gid("x")) == "DOCUMENT_TOO_DEEP"


async def test_a_document_has_at_most_two_thousand_tokens(house: House) -> None:
    fits = "{ " + " ".join(f"a{number}: __typename" for number in range(660)) + " }"
    assert await code(house, fits) is None
    assert await code(house, fits.replace("}", "b: __typename " * 10 + "}")) == "DOCUMENT_TOO_LARGE"
    assert await code(house, "#\n" * 3000 + "{ __typename }") == "DOCUMENT_TOO_LARGE"


async def test_fragments_do_not_hide_the_size_of_a_document(house: House) -> None:
    assert await code(house, fragments(3, 3), id=gid("x")) is None
    began = time.process_time()
    assert await code(house, fragments(60, 3), id=gid("x")) == "DOCUMENT_TOO_LARGE"
    assert time.process_time() - began < 0.5


async def test_the_number_of_fragments_is_limited_since_they_are_all_compared(house: House) -> None:
    def spread(count: int) -> str:
        used = " ".join(f"...F{number}" for number in range(count))
        made = " ".join(f"fragment F{number} on Query {{ a{number}: __typename }}" for number in range(count))
        return f"{{ {used} }} {made}"

    assert await code(house, spread(100)) is None
    assert await code(house, spread(101)) == "DOCUMENT_TOO_LARGE"


async def test_fields_of_one_name_are_limited_since_comparing_them_is_quadratic(house: House) -> None:
    assert await code(house, "{ " + "__typename " * 200 + "}") is None
    assert await code(house, "{ " + "__typename " * 201 + "}") == "DOCUMENT_TOO_LARGE"
    assert await code(house, "{ " + "viewer { tenant } " * 66 + "}") is None
    assert await code(house, "{ " + "viewer { tenant } " * 67 + "}") == "DOCUMENT_TOO_LARGE"
    twice = "{ viewer { ...A } } fragment A on Viewer { " + "tenant " * 201 + "} fragment A on Viewer { tenant }"
    assert await code(house, twice) == "DOCUMENT_TOO_LARGE"


@pytest.mark.parametrize("opening", ["{ a ", "{ ... ", "{ a(b: [", "[", "{ ... on Room "])
async def test_nesting_beyond_what_can_be_parsed_is_an_answer_not_a_crash(house: House, opening: str) -> None:
    result = await house.ask(opening * 900, limits=QueryLimits(max_tokens=1_000_000))
    assert result.errors is not None
    assert result.errors[0].extensions in ({"code": "PARSE_FAILED"}, {"code": "DOCUMENT_TOO_DEEP"})


async def test_a_fragment_within_itself_is_an_answer_not_a_crash(house: House) -> None:
    result = await house.ask("{ viewer { ...A } } fragment A on Viewer { tenant ...B } fragment B on Viewer { ...A }")
    assert result.errors is not None
    assert "itself" in result.errors[0].message


async def test_a_syntax_error_is_told_as_such(house: House) -> None:
    error = await house.error("{ viewer ")
    assert error.message.startswith("Syntax Error")
    assert error.extensions == {"code": "PARSE_FAILED"}


async def test_limits_hold_for_subscriptions_too(house: House) -> None:
    many = "subscription { backendEvents { " + " ".join(f"a{n}: occurredAt" for n in range(700)) + " } }"
    deep = (
        'subscription { roomEvents(roomId: "x") { ... on RoomSnapshot { room { '
        + "me { room { " * 6
        + "id"
        + "} } " * 6
        + "} } } }"
    )
    for query, expected in (
        (many, "DOCUMENT_TOO_LARGE"),
        (deep, "DOCUMENT_TOO_DEEP"),
        ("subscription { nothing }", "VALIDATION_FAILED"),
    ):
        async with house.follow(query) as events:
            assert ((await events.error()).extensions or {}).get("code") == expected
            assert await events.is_over()


async def test_clients_can_ask_for_the_schema(house: House) -> None:
    data = await house.data(get_introspection_query())
    assert len(data["__schema"]["types"]) > 50
    cyclic = "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }"
    result = await house.ask(cyclic)
    assert result.errors is not None
    assert "introspection depth" in result.errors[0].message.lower()


async def test_a_document_is_parsed_and_validated_once(house: House) -> None:
    query = "query Once { viewer { subject tenant } }"
    await house.data(query)
    before = read_document.cache_info()
    for _ in range(5):
        await house.data(query)
    after = read_document.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (5, 0)
    assert after.maxsize is not None


async def test_a_wrong_document_gets_the_same_answer_again(house: House) -> None:
    first, second = [await house.error("{ viewer { height } }") for _ in range(2)]
    assert first.message == second.message
    assert "height" in first.message
