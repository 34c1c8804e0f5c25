"""What clients are told when something goes wrong that nobody meant."""

import logging

import pytest

from gateway.live.live import Live
from gateway.model.ids import RoomKey
from gateway.model.viewer import Viewer, ViewerRole
from tests.gateway.schema.house import House, gid


class BrokenViewer(Viewer):
    """A fault of ours, where a resolver meets it."""

    @property
    def may_command(self) -> bool:
        raise RuntimeError("the password is swordfish")


BROKEN = BrokenViewer("b", "acme", frozenset({ViewerRole.VIEWER}))


async def test_a_fault_is_a_number_to_clients_and_a_traceback_to_operators(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    room = await house.with_people("board", "anna")
    with caplog.at_level(logging.ERROR):
        error = await house.error("query ($id: ID!) { room(id: $id) { name settings { ownerId } } }", BROKEN, id=room)
    assert error.extensions is not None
    error_id = error.extensions["errorId"]
    assert error.extensions == {"code": "INTERNAL_ERROR", "errorId": error_id}
    assert error.message == f"internal error {error_id}"
    assert error.path == ["room", "settings"]
    assert "swordfish" not in str(error.formatted)
    (record,) = [each for each in caplog.records if error_id in each.getMessage()]
    assert record.exc_info is not None
    assert "swordfish" in str(record.exc_info[1])
    assert [each for each in caplog.records if each.name.startswith("strawberry")] == []


async def test_a_fault_in_a_subscription_is_a_number_too(house: House) -> None:
    room = await house.with_people("board", "anna")
    query = (
        "subscription ($id: ID!) { roomEvents(roomId: $id) { ... on RoomSnapshot { room { settings { ownerId } } } } }"
    )
    async with house.follow(query, BROKEN, id=room) as events:
        error = await events.error()
    assert error.message.startswith("internal error")


class FailingLive(Live):
    """Fails where a subscription begins, before anything has come."""

    def room(self, key: RoomKey) -> None:
        raise RuntimeError("the password is swordfish")


async def test_a_fault_before_a_subscription_begins_is_a_number_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.live, "__class__", FailingLive)
    async with house.follow("subscription ($id: ID!) { roomEvents(roomId: $id) { position } }", id=gid("a")) as events:
        error = await events.error()
        assert error.message.startswith("internal error")
        assert await events.is_over()


@pytest.mark.parametrize(
    "query",
    [
        '{ rooms(first: "many") { totalCount } }',
        "{ rooms(orderBy: SIDEWAYS) { totalCount } }",
        '{ conferenceHistory(from: "yesterday") { totalCount } }',
        '{ conferenceHistory(from: "2026-01-01T00:00:00") { totalCount } }',
        "{ conferenceHistory(from: 12) { totalCount } }",
        "{ room { name } }",
        "mutation { muteParticipant(input: {}) { outcome } }",
        'subscription { roomEvents(roomId: "x", after: 12) { position } }',
    ],
)
async def test_what_the_schema_forbids_is_told_in_its_own_words(house: House, query: str) -> None:
    result = await house.ask(query)
    assert result.errors is not None
    assert not any(error.message.startswith("internal error") for error in result.errors)


@pytest.mark.parametrize("value", ["yesterday", "2026-01-01T00:00:00", 12, "", {}, [1]])
async def test_a_wrong_variable_is_told_in_the_schemas_words(house: House, value: object) -> None:
    error = await house.error(
        "query ($since: DateTime) { conferenceHistory(from: $since) { totalCount } }", since=value
    )
    assert "RFC 3339" in error.message
    number = await house.error("query ($first: Int) { rooms(first: $first) { totalCount } }", first=str(value))
    assert "Int cannot represent" in number.message
