"""Who shares an answer with others sees nothing of theirs, and they nothing of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from gateway.live.link import BackendStatus
from gateway.model.errors import CommandError, CommandErrorCode
from gateway.model.ids import RoomId
from gateway.model.reports import CommandFailedReport
from gateway.model.room import ParticipantRole, RoomSettings
from gateway.model.viewer import Viewer, ViewerRole
from gateway.operations.documents import Operation, read_document
from gateway.operations.execution import Answer, Execution
from gateway.operations.request import GraphQLRequest
from gateway.schema.context import Context
from gateway.schema.events import RoomSnapshot
from gateway.schema.limits import QueryLimits
from gateway.schema.viewer import PERSONAL_FIELDS
from tests.gateway.schema.house import CLOUD, PBX, SCHEMA, House, backend, gid

LIMITS = QueryLimits()
OF_ROOM = "subscription ($id: ID!) { roomEvents(roomId: $id) { %s } }"
ROOTS = [
    ("query ($id: ID!) { node(id: $id) { %s } }", "node"),
    ("query { backends { %s } }", "backends"),
    ("query ($id: ID!) { backend(id: $id) { %s } }", "backend"),
    ("query ($id: ID!) { room(id: $id) { %s } }", "room"),
    ("query { rooms { %s } }", "rooms"),
    ("query ($id: ID!) { participant(id: $id) { %s } }", "participant"),
    ("query { conferenceHistory { %s } }", "conferenceHistory"),
    (OF_ROOM, "roomEvents"),
    ("subscription { participantEvents { %s } }", "participantEvents"),
    ("subscription { roomListEvents { %s } }", "roomListEvents"),
    ("subscription { backendEvents { %s } }", "backendEvents"),
]
IDS = {"node": gid("board", "anna"), "backend": backend(PBX), "participant": gid("board", "anna")}
DEEPEST = 7
THEN = datetime(2024, 5, 1, tzinfo=UTC)


def viewers(*roles: ViewerRole) -> tuple[Viewer, Viewer]:
    """Two with the same rights; either is in the room, the one as Anna and the other as Ben."""
    return (
        Viewer("one", "acme", frozenset(roles), {PBX: "user-anna", CLOUD: "c1"}),
        Viewer("two", "acme", frozenset(roles), {PBX: "user-ben"}),
    )


@pytest.fixture
async def lively(house: House) -> House:
    """A room in which everything has happened that can be told."""
    settings = RoomSettings(max_participants=9, member_pins=("1234",), native={"secret": "word"})
    house.pbx.open_room("board", name="Board", numbers=("100",), settings=settings)
    house.cloud.open_room("far")
    await house.until(lambda: house.room("board") and house.room("far", CLOUD))
    await both_join(house)
    return house


async def both_join(house: House) -> None:
    for name in ("anna", "ben"):
        role = ParticipantRole.MODERATOR if name == "anna" else ParticipantRole.PARTICIPANT
        house.pbx.join("board", name, user_id=f"user-{name}", role=role, leg_id=f"leg {name}")
    await house.until(lambda: house.people("board") == {"anna", "ben"})


async def everything_happens(house: House) -> None:
    """Let each kind of event come, and end as it began."""
    error = CommandError(CommandErrorCode.BACKEND_REFUSED, "changed its mind")
    house.live.links[PBX].table.report(CommandFailedReport(room_id=RoomId("board"), error=error))
    house.pbx.end("board")
    await house.until(lambda: not house.people("board"))
    await both_join(house)
    house.pbx.open_room("new")
    await house.until(lambda: house.room("new"))
    house.pbx.remove_room("new")
    await house.until(lambda: not house.room("new"))
    house.pbx.join("board", "cleo", user_id="user-of-cleo")
    house.pbx.change("board", "cleo", user_id="user-ben")
    house.pbx.change("board", "ben", muted=True)
    house.pbx.tell("board", locked=True)
    house.pbx.leave("board", "cleo")
    await house.until(lambda: house.people("board") == {"anna", "ben"})
    house.cloud.drop_link()
    await house.until(lambda: house.live.links[CLOUD].status is not BackendStatus.LIVE)
    await house.until_live()
    await house.storage.writer.flush()


# ---- documents ----


def fields_of(kind: GraphQLNamedType) -> dict[str, GraphQLField]:
    return dict(kind.fields) if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) else {}


def selections(kind: GraphQLNamedType, depth: int = 0, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Give, for each type that can be reached, how: as text with a place for fields; and the type's own leaves."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        for each in SCHEMA._schema.get_possible_types(kind):
            for around, leaves in selections(each, depth, seen):
                yield f"... on {each.name} {{ {around} }}", leaves
        return
    fields = {name: field for name, field in fields_of(kind).items() if name not in PERSONAL_FIELDS}
    leaves = " ".join(name for name, field in fields.items() if is_leaf_type(get_named_type(field.type)))
    yield "%s", f"__typename {leaves}"
    if depth < DEEPEST:
        for name, field in fields.items():
            inner = get_named_type(field.type)
            if not is_leaf_type(inner) and inner.name not in seen:
                for around, inner_leaves in selections(inner, depth + 1, seen | {kind.name, inner.name}):
                    yield f"{name} {{ {around} }}", inner_leaves


def root_type(name: str) -> GraphQLNamedType:
    schema = SCHEMA._schema
    for root in (schema.query_type, schema.subscription_type):
        assert root is not None
        if name in root.fields:
            kind: GraphQLNamedType = get_named_type(root.fields[name].type)
            return kind
    raise LookupError(name)


def documents(root: str, name: str) -> list[str]:
    texts = [root % (around % leaves) for around, leaves in selections(root_type(name))]
    assert texts
    return texts


# ---- running them ----


class Eyes:
    """What one viewer sees, asked for as themselves: nothing is left out of who they are, and nothing is shared."""

    def __init__(self, house: House, viewer: Viewer) -> None:
        self.viewer = viewer
        self.context = Context(house.live, house.storage.history, viewer, house.cursors, LIMITS)
        self.events: dict[str, list[Any]] = {}
        self._watches = [self._watch(root, name) for root, name in ROOTS if root.startswith("subscription")]

    def close(self) -> None:
        for watch in self._watches:
            watch.close()

    async def answers(self, text: str, name: str) -> list[bytes]:
        """Execute a document, for every event if it is a subscription."""
        execution = self.execution(text, name)
        answers = []
        for event in self.events.get(name, [None]):
            answer = execution.run(event)
            answers.append(answer if isinstance(answer, Answer) else await answer)
        return [answer.body for answer in answers]

    def execution(self, text: str, name: str) -> Execution:
        return Execution(SCHEMA, operation(text), variables(text, name), self.context)

    def _watch(self, root: str, name: str) -> Any:
        feed = self.execution(root % "__typename", name).feed()
        events = self.events[name] = feed.begin()
        for event in events:
            if isinstance(event, RoomSnapshot):
                event.at = THEN
        return feed.watch(events.append)


def operation(text: str) -> Operation:
    document = read_document(SCHEMA._schema, text, LIMITS)
    assert not document.errors, (text, document.errors)
    return document.operation(None)


def variables(text: str, name: str) -> dict[str, object]:
    return {"id": IDS.get(name, gid("board"))} if "$id" in text else {}


async def two(house: House, *roles: ViewerRole) -> tuple[Eyes, Eyes]:
    one, other = (Eyes(house, viewer) for viewer in viewers(*roles))
    await everything_happens(house)
    one.close()
    other.close()
    return one, other


@pytest.mark.parametrize("role", list(ViewerRole))
async def test_whatever_has_nothing_personal_is_the_same_for_all_with_the_same_rights(
    lively: House, role: ViewerRole
) -> None:
    one, other = await two(lively, role)
    kinds = {type(event).__name__ for events in one.events.values() for event in events}
    assert len(kinds) == 12, f"every kind of event is looked at: {kinds}"
    for root, name in ROOTS:
        for text in documents(root, name):
            assert not operation(text).personal
            seen = await one.answers(text, name)
            assert seen == await other.answers(text, name), text
            assert not any("errors" in json.loads(each) for each in seen), (text, seen)


async def test_every_field_of_every_type_that_can_be_seen_was_looked_at() -> None:
    texts = [text for root, name in ROOTS for text in documents(root, name)]
    for kind in SCHEMA._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__") and kind.name not in UNSEEN:
            leaves = [n for n, f in kind.fields.items() if is_leaf_type(get_named_type(f.type))]
            shared = " ".join(name for name in leaves if name not in PERSONAL_FIELDS)
            assert any(f"__typename {shared} }}" in text for text in texts), kind.name


UNSEEN = {
    "Query",
    "Mutation",
    "Subscription",
    "Viewer",  # personal as a whole
    *(name for name in SCHEMA._schema.type_map if name.endswith("Payload")),
    "BulkResult",
}
"""What is no answer, or only one to a command, which is nobody else's."""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("query ($id: ID!) { room(id: $id) { participants { edges { node { isMe } } } } }", "room"),
        ("query ($id: ID!) { room(id: $id) { me { id } } }", "room"),
        ("query { viewer { subject } }", "viewer"),
        (OF_ROOM % "... on ParticipantEvent { participant { isMe } }", "roomEvents"),
        (OF_ROOM % "... on RoomUpdated { room { mine: me { id } } }", "roomEvents"),
    ],
)
async def test_what_is_personal_differs_and_is_never_shared(lively: House, text: str, name: str) -> None:
    one, other = await two(lively, ViewerRole.VIEWER)
    assert await one.answers(text, name) != await other.answers(text, name)
    request = GraphQLRequest(text, variables(text, name), None, {}, None)
    first, second = (lively.operations.prepare(request, each.viewer) for each in (one, other))
    assert first.key != second.key
    assert (first.viewer, second.viewer) == (one.viewer, other.viewer)


async def test_each_viewer_gets_through_the_gateway_what_they_alone_would_get(lively: House) -> None:
    """For every query, whoever asked before."""
    eyes = [Eyes(lively, viewer) for role in ViewerRole for viewer in viewers(role)]
    for each in eyes:
        each.close()
    room = "id name settings { maxParticipants memberPins native } capabilities { capability level reason }"
    texts = [text for root, name in ROOTS if root.startswith("query") for text in documents(root, name)]
    texts += [f"{{ rooms {{ edges {{ node {{ {room} me {{ id isMe }} }} }} }} viewer {{ subject roles }} }}"]
    for text in texts:
        name = text.split("{")[1].split("(")[0].strip()
        request = GraphQLRequest(text, variables(text, name), None, {}, None)
        for each in (*eyes, *eyes):
            answer = lively.operations.answer(lively.operations.prepare(request, each.viewer))
            body = answer.body if isinstance(answer, Answer) else (await answer).body
            assert [body] == await each.answers(text, name), (text, each.viewer)


async def test_pins_are_in_no_answer_but_those_of_administrators(lively: House) -> None:
    text = "{ rooms { edges { node { name settings { memberPins native } } } } }"
    pins = {}
    for role in (*ViewerRole, *reversed(ViewerRole)):
        viewer = viewers(role)[0]
        request = GraphQLRequest(text, {}, None, {}, None)
        answer = lively.operations.answer(lively.operations.prepare(request, viewer))
        body = answer.body if isinstance(answer, Answer) else (await answer).body
        pins[role] = b"1234" in body or b"secret" in body
        assert pins[role] == (role is ViewerRole.ADMIN)
