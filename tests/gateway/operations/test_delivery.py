"""Delivery guarantees are negotiated as the draft says, and no cursor but ours is taken."""

import base64
import itertools
from random import Random
from typing import Any

import pytest

from gateway.model.ids import BackendId, Position, RoomId, RoomKey
from gateway.operations.delivery import NOTHING, read_wish
from gateway.schema.cursor import Cursors, ForgedCursor
from gateway.schema.feed import Resume
from tests.gateway.operations.hall import BOARD, Hall, Reader
from tests.gateway.schema.house import PBX

EVENTS = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
    __typename position ... on RoomSnapshot { snapshotReason } } }"""
LOBBY = "subscription { roomListEvents { __typename } }"
AGREED = "at-least-once-capabilities"


def agreements(reader: Reader) -> list[object]:
    """Give, for each event, what it says was agreed."""
    return [each.get("extensions", {}).get(AGREED) for each in reader.waiting]


def kinds(reader: Reader) -> list[str]:
    return [each["data"]["roomEvents"]["__typename"] for each in reader.waiting]


# ---- what is asked for ----


@pytest.mark.parametrize(
    ("extensions", "guarantees"),
    [
        ({}, ()),
        ({"delivery-guarantee": None}, ()),
        ({"delivery-guarantee": ""}, ()),
        ({"delivery-guarantee": " , "}, ()),
        ({"delivery-guarantee": "cursor"}, ("cursor",)),
        ({"delivery-guarantee": "exactly-once,cursor , at-most-once"}, ("exactly-once", "cursor", "at-most-once")),
        ({"something": "else"}, ()),
    ],
)
def test_guarantees_are_a_list_in_a_text(extensions: dict[str, object], guarantees: tuple[str, ...]) -> None:
    assert read_wish(extensions).guarantees == guarantees
    assert read_wish(extensions).resume is None


@pytest.mark.parametrize(
    ("extensions", "last_event_id", "resume"),
    [
        ({"cursor": "c"}, None, Resume("c", insists=True)),
        ({"cursor": "c", "snapshot-fallback": True}, None, Resume("c", insists=False)),
        ({"cursor": "c", "snapshot-fallback": "true"}, None, Resume("c", insists=True)),
        ({"cursor": None}, None, None),
        ({}, "e", Resume("e", insists=False)),
        ({"cursor": "c"}, "e", Resume("c", insists=True)),
        ({"snapshot-fallback": True}, None, None),
    ],
)
def test_where_to_resume_is_in_the_extensions_or_is_the_last_event_of_an_event_source(
    extensions: dict[str, object], last_event_id: str | None, resume: Resume | None
) -> None:
    assert read_wish(extensions, last_event_id).resume == resume
    assert read_wish({}) is NOTHING


@pytest.mark.parametrize("name", ["delivery-guarantee", "cursor"])
@pytest.mark.parametrize("value", [1, True, [], ["cursor"], {}])
async def test_what_is_no_text_is_refused(hall: Hall, name: str, value: object) -> None:
    reader = hall.follow(EVENTS, id=hall.open("anna"), extensions={name: value})
    assert reader.codes == ["INVALID_INPUT"]
    assert (reader.errors[0].extensions or {})["argument"] == f"extensions.{name}"


# ---- what is agreed ----


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        (None, None),
        ("cursor", "cursor"),
        ("exactly-once, cursor", "cursor"),
        ("cursor, at-most-once", "cursor"),
        ("at-most-once, cursor", None),
        ("at-most-once", None),
    ],
)
async def test_the_first_event_says_what_was_agreed_and_no_other(
    hall: Hall, asked: str | None, agreed: str | None
) -> None:
    room = hall.open("anna")
    quiet = hall.follow(EVENTS, id=room)
    reader = hall.follow(EVENTS, id=room, extensions={"delivery-guarantee": asked})
    hall.joins("ben")
    hall.leaves("ben")
    hall.turns.all()
    assert agreements(reader) == [agreed, None, None]
    assert agreements(quiet) == [None, None, None], "nobody else's events say so"
    for mine, theirs in zip(reader.waiting, quiet.waiting, strict=True):
        mine["extensions"].pop(AGREED, None)
        assert mine == theirs


async def test_a_resume_is_agreed_with_its_first_event_whenever_that_comes(hall: Hall) -> None:
    room = hall.open("anna")
    start = hall.cursor()
    hall.joins("ben")
    hall.joins("cleo")
    asked = {"delivery-guarantee": "cursor"}
    missed_two = hall.follow(EVENTS, id=room, extensions={**asked, "cursor": start})
    reader = Reader(short_way=True)
    missed_none = hall.follow(EVENTS, id=room, reader=reader, extensions={**asked, "cursor": hall.cursor()})
    missed_none.relane()
    by_argument = hall.follow(EVENTS, id=room, extensions=asked, after=hall.cursor())
    assert agreements(missed_two) == ["cursor", None]
    assert not missed_none.waiting
    hall.leaves("ben")
    hall.leaves("cleo")
    hall.turns.all()
    assert agreements(missed_two) == ["cursor", None, None, None]
    assert agreements(missed_none) == agreements(by_argument) == ["cursor", None]


async def test_who_was_blocked_at_its_first_event_is_told_with_the_snapshot_instead(hall: Hall) -> None:
    room = hall.open("anna")
    asked: dict[str, object] = {"delivery-guarantee": "cursor", "cursor": hall.cursor()}
    reader = hall.follow(EVENTS, id=room, extensions=asked)
    reader.stuck = True
    hall.joins("ben")
    hall.turns.all()
    reader.stuck = False
    reader.drained()
    hall.leaves("ben")
    hall.turns.all()
    assert kinds(reader) == ["RoomSnapshot", "ParticipantLeft"]
    assert agreements(reader) == ["cursor", None]


async def test_one_may_resume_without_asking_for_a_guarantee(hall: Hall) -> None:
    room = hall.open("anna")
    start = hall.cursor()
    hall.joins("ben")
    reader = hall.follow(EVENTS, id=room, extensions={"cursor": start})
    assert kinds(reader) == ["ParticipantJoined"]
    assert agreements(reader) == [None]


async def test_every_event_carries_its_cursor_and_each_stands_for_all_before_it(hall: Hall) -> None:
    room = hall.open("anna")
    reader = hall.follow(EVENTS, id=room)
    for number in range(5):
        hall.joins(f"p{number}")
    hall.turns.all()
    cursors = [each["extensions"]["cursor"] for each in reader.waiting]
    assert cursors == [each["data"]["roomEvents"]["position"] for each in reader.waiting]
    for place, cursor in enumerate(cursors):
        again = hall.follow(EVENTS, id=room, extensions={"cursor": cursor})
        assert [each["extensions"]["cursor"] for each in again.waiting] == cursors[place + 1 :]
        again.stop()


async def test_events_of_streams_without_positions_have_no_cursor(hall: Hall) -> None:
    hall.open("anna")
    reader = hall.follow(LOBBY)
    assert all("extensions" not in each for each in reader.waiting)
    assert reader.waiting


# ---- what is refused ----


async def test_a_guarantee_that_is_not_offered_is_refused_with_those_that_are(hall: Hall) -> None:
    room = hall.open("anna")
    for query, asked, offered in (
        (EVENTS, "exactly-once", ["cursor", "at-most-once"]),
        (LOBBY, "cursor", ["at-most-once"]),
        (LOBBY, "exactly-once, cursor", ["at-most-once"]),
    ):
        variables: dict[str, Any] = {"id": room} if "$id" in query else {}
        reader = hall.follow(query, extensions={"delivery-guarantee": asked}, **variables)
        assert reader.codes == ["DELIVERY_GUARANTEE_UNSUPPORTED"]
        assert (reader.errors[0].extensions or {})["supported"] == offered
        assert not reader.waiting
    assert hall.follow(LOBBY, extensions={"delivery-guarantee": "cursor, at-most-once"}).codes == []
    assert hall.follow(LOBBY, extensions={"cursor": hall.cursor()}).codes == ["DELIVERY_GUARANTEE_UNSUPPORTED"]
    assert hall.hub.watchers == 1


async def test_a_position_that_cannot_be_served_is_refused_unless_a_snapshot_may_stand_for_it(new_hall: Any) -> None:
    hall = new_hall(log_max_events=3)
    room = hall.open("anna")
    old = hall.cursor()
    for number in range(5):
        hall.joins(f"p{number}")
    at = hall.table.get(BOARD)
    restarted = hall.cursors.encode("acme", at.key, Position(at.position.epoch ^ 1, at.position.sequence))
    for cursor, reason in ((old, "CURSOR_TOO_OLD"), (restarted, "EPOCH_CHANGED")):
        refused = hall.follow(EVENTS, id=room, extensions={"cursor": cursor})
        assert refused.codes == ["DELIVERY_GUARANTEE_UNSATISFIABLE"]
        by_extension = hall.follow(EVENTS, id=room, extensions={"cursor": cursor, "snapshot-fallback": True})
        for reader in (by_extension, hall.follow(EVENTS, id=room, after=cursor)):
            (snapshot,) = reader.waiting
            assert snapshot["data"]["roomEvents"]["snapshotReason"] == reason
    assert hall.operations.followers == 4


async def test_a_forged_position_is_refused_however_it_comes(hall: Hall) -> None:
    room = hall.open("anna")
    hall.open("ben", room_id="lobby")
    forged = hall.cursor("lobby")
    assert hall.follow(EVENTS, id=room, extensions={"cursor": forged}).codes == ["DELIVERY_GUARANTEE_UNSATISFIABLE"]
    fallback: dict[str, object] = {"cursor": forged, "snapshot-fallback": True}
    assert hall.follow(EVENTS, id=room, extensions=fallback).codes == ["FORGED_CURSOR"]
    assert hall.follow(EVENTS, id=room, after=forged).codes == ["FORGED_CURSOR"]
    assert hall.follow(EVENTS, id=room, after=hall.cursor(tenant="rivals")).codes == ["FORGED_CURSOR"]
    assert (hall.operations.running, hall.hub.watchers) == (0, 0)


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def mutations(good: str, random: Random) -> list[str]:
    """Spoil a cursor in many ways."""
    raw = bytearray(base64.urlsafe_b64decode(good))
    place = random.randrange(len(raw) * 8)
    raw[place // 8] ^= 1 << place % 8
    flipped = base64.urlsafe_b64encode(raw).decode()
    where, letter = random.randrange(len(good)), random.choice(_ALPHABET)
    cut = random.randrange(len(good))
    many = bytearray(base64.urlsafe_b64decode(good))
    for at in random.sample(range(len(many)), random.randint(2, 8)):
        many[at] = random.randrange(256)
    first, second = sorted(random.sample(range(len(good)), 2))
    swapped = good[:first] + good[second] + good[first + 1 : second] + good[first] + good[second + 1 :]
    return [
        flipped,
        good[:where] + letter + good[where + 1 :],
        good[:cut],
        good[:where] + letter + good[where:],
        base64.urlsafe_b64encode(many).decode(),
        swapped,
        random.randbytes(24).hex()[:32],
        base64.urlsafe_b64encode(random.randbytes(24)).decode(),
    ]


def variants(good: str) -> list[str]:
    """Give other spellings of the same bytes, and what some decoders take for them."""
    standard = good.replace("-", "+").replace("_", "/")
    spaced = [good[:4] + space + good[4:] for space in (" ", "\n", "\r\n", "\t", "\0", "=", "é", "\ud800")]
    inside = [good[:4] + space + good[5:] for space in (" ", "\n", "\t", "\0", "=", "é", "\ud800", "．")]
    ends = [good + "=", good + "==", good + "\n", good[:-1] + "=", good[:-2] + "==", " " + good[1:], good * 2]
    return [*([standard] if standard != good else []), *spaced, *inside, *ends, "", "=" * 32, "A" * 32, good.swapcase()]


def test_a_hundred_thousand_mutated_cursors_are_all_refused() -> None:
    random = Random(0)
    cursors = Cursors(b"secret")
    key = RoomKey(PBX, RoomId("3000"))
    tried = 0
    while tried < 100_000:
        position = Position(random.getrandbits(63), random.getrandbits(random.randint(1, 40)))
        good = cursors.encode("acme", key, position)
        assert cursors.decode("acme", key, good) == position
        for bad in itertools.chain(variants(good), *(mutations(good, random) for _ in range(40))):
            if bad != good:
                with pytest.raises(ForgedCursor):
                    cursors.decode("acme", key, bad)
                tried += 1


def test_a_cursor_is_good_for_one_room_of_one_tenant_only() -> None:
    """Also where the parts, put together, would read the same."""
    cursors = Cursors(b"secret")
    names = ["a", "b", "ab", "aa", "", "a\0", "ba"]
    places = [
        (tenant, RoomKey(BackendId(backend), RoomId(room)))
        for tenant, backend, room in itertools.product(names, repeat=3)
    ]
    written = {cursors.encode(*place, Position(1, 2)): place for place in places}
    assert len(written) == len(places)
    for cursor, mine in list(written.items())[::17]:
        for other in places:
            if other != mine:
                with pytest.raises(ForgedCursor):
                    cursors.decode(*other, cursor)
