"""Global ids and cursors: whatever the backend calls things, and whatever clients send."""

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.ids import BackendId, ParticipantId, Position, RoomId, RoomKey
from gateway.schema.cursor import Cursors, ForgedCursor
from gateway.schema.ids import (
    MalformedId,
    ParticipantKey,
    backend_gid,
    conference_gid,
    parse_backend,
    parse_node,
    parse_participant,
    parse_room,
    participant_gid,
    room_gid,
)

anything = st.text(st.characters(), max_size=20)
positions = st.builds(Position, st.integers(0, 2**63 - 1), st.integers(0, 2**64 - 1))
KEY = RoomKey(BackendId("pbx"), RoomId("board"))
CURSORS = Cursors(b"secret")


@given(anything, anything, anything)
def test_native_ids_of_any_characters_come_back(backend: str, room: str, participant: str) -> None:
    key = RoomKey(BackendId(backend), RoomId(room))
    assert parse_backend(backend_gid(key.backend_id)) == backend
    assert parse_room(room_gid(key)) == parse_node(room_gid(key)) == key
    gid = participant_gid(key, ParticipantId(participant))
    assert parse_participant(gid) == parse_node(gid) == ParticipantKey(key, ParticipantId(participant))


@given(st.tuples(anything, anything), st.tuples(anything, anything))
def test_different_things_have_different_ids(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = (RoomKey(BackendId(backend), RoomId(room)) for backend, room in (one, other))
    assert (room_gid(first) == room_gid(second)) is (one == other)
    assert room_gid(first) != participant_gid(first, ParticipantId(""))


def test_ids_are_the_same_after_every_restart_and_version() -> None:
    assert backend_gid(BackendId("pbx")) == "QjM6cGJ4"
    assert room_gid(KEY) == "UjM6cGJ4NTpib2FyZA"
    assert participant_gid(KEY, ParticipantId("anna")) == "UDM6cGJ4NTpib2FyZDQ6YW5uYQ"
    assert conference_gid("1") == "QzE6MQ"


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_is_no_id_of_ours_is_refused(text: str) -> None:
    for parse in (parse_backend, parse_room, parse_participant, parse_node):
        try:
            parse(text)
        except MalformedId:
            continue
        raise AssertionError(text)


@pytest.mark.parametrize(
    "plain",
    [
        "",
        "R",
        "R3:pbx",
        "R3:pbx5:boardx",
        "R03:pbx5:board",
        "R+3:pbx5:board",
        "R٣:pbx5:board",
        "R-1:",
        "X3:pbx",
        "R9:pbx5:a",
    ],
)
def test_an_id_that_is_spelled_another_way_is_refused(plain: str) -> None:
    with pytest.raises(MalformedId):
        parse_room(base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="))


@given(anything, anything, anything, positions)
def test_a_cursor_comes_back_as_the_position_it_was(tenant: str, backend: str, room: str, position: Position) -> None:
    key = RoomKey(BackendId(backend), RoomId(room))
    cursor = CURSORS.encode(tenant, key, position)
    assert CURSORS.decode(tenant, key, cursor) == position
    assert len(cursor) == 32


@given(anything, anything, anything)
def test_a_cursor_is_worth_nothing_for_another_tenant_or_room(tenant: str, backend: str, room: str) -> None:
    cursor = CURSORS.encode("acme", KEY, Position(1, 2))
    key = RoomKey(BackendId(backend), RoomId(room))
    if (tenant, key) != ("acme", KEY):
        with pytest.raises(ForgedCursor):
            CURSORS.decode(tenant, key, cursor)


def test_parts_that_only_meet_elsewhere_make_another_cursor() -> None:
    cursor = CURSORS.encode("a", RoomKey(BackendId("b"), RoomId("cd")), Position(1, 2))
    for tenant, backend, room in (("ab", "", "cd"), ("a", "bc", "d"), ("", "ab", "cd"), ("a", "", "bcd")):
        with pytest.raises(ForgedCursor):
            CURSORS.decode(tenant, RoomKey(BackendId(backend), RoomId(room)), cursor)


def test_ten_thousand_cursors_that_were_tampered_with_are_all_refused() -> None:
    random = Random(7)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n\x00é"
    for number in range(10_000):
        genuine = CURSORS.encode("acme", KEY, Position(random.getrandbits(63), number))
        changed = list(genuine)
        for _ in range(random.randint(1, 3)):
            match random.randrange(3):
                case 0:
                    changed[random.randrange(len(changed))] = random.choice(alphabet)
                case 1:
                    changed.insert(random.randrange(len(changed) + 1), random.choice(alphabet))
                case _:
                    del changed[random.randrange(len(changed))]
        text = "".join(changed)
        if text != genuine:
            with pytest.raises(ForgedCursor):
                CURSORS.decode("acme", KEY, text)


def test_the_same_bytes_spelled_another_way_are_no_cursor() -> None:
    spelled = 0
    for sequence in range(200):
        genuine = CURSORS.encode("acme", KEY, Position(2**62, sequence))
        other = genuine.replace("-", "+").replace("_", "/")
        if other != genuine:
            spelled += 1
            with pytest.raises(ForgedCursor):
                CURSORS.decode("acme", KEY, other)
    assert spelled > 10


def test_a_cursor_of_another_secret_is_refused() -> None:
    with pytest.raises(ForgedCursor):
        CURSORS.decode("acme", KEY, Cursors(b"other").encode("acme", KEY, Position(1, 2)))
