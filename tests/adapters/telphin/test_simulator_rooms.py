"""The rules of the simulated rooms: PINs, moderators, how many, locks, muting, and the keys of a telephone."""

import asyncio

import pytest

from adapters.telphin.simulator import DeclinedError, ParticipantTruth, TelphinSimulator
from tests import leaping

STRANGER = "79990001122"
PINS = {"pin": "1234", "moderator_pin": "4321"}


def people(sim: TelphinSimulator, room: str) -> dict[str, ParticipantTruth]:
    return sim.truth()[room]["participants"]


def muted(sim: TelphinSimulator, room: str) -> list[bool]:
    return [one["muted"] for one in people(sim, room).values()]


@pytest.fixture(name="sim")
def _sim() -> TelphinSimulator:
    return TelphinSimulator()


def test_colleagues_and_strangers_enter_and_leave(sim: TelphinSimulator) -> None:
    room, phone = sim.add_room("Sales"), sim.add_phone("Ada Lambert", "101")
    ada = sim.join(room, phone=phone)
    stranger = sim.join(room, number=STRANGER, name="Ben Rowe")
    cleo = sim.join(room, name="Cleo Marsh")
    assert people(sim, room) == {
        ada: {"name": "Ada Lambert", "number": "101", "internal": True, "muted": False, "moderator": False},
        stranger: {"name": "Ben Rowe", "number": STRANGER, "internal": False, "muted": False, "moderator": False},
        cleo: {"name": "Cleo Marsh", "number": "102", "internal": True, "muted": False, "moderator": False},
    }
    assert all(leg.startswith(f"{room}-") for leg in (ada, stranger, cleo))
    sim.leaves(room, stranger)
    assert list(people(sim, room)) == [ada, cleo]
    with pytest.raises(LookupError):
        sim.leaves(room, stranger)
    with pytest.raises(ValueError, match="needed"):
        sim.join(room)


def test_who_enters_the_pin_of_moderators_is_one(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", **PINS)
    moderator, guest = sim.join(room, name="Ada", moderator=True), sim.join(room, number=STRANGER)
    assert [people(sim, room)[leg]["moderator"] for leg in (moderator, guest)] == [True, False]
    without = sim.add_room("Without PINs")
    ben = sim.join(without, name="Ben", moderator=True)
    assert not people(sim, without)[ben]["moderator"]


def test_who_is_asked_for_a_pin_is_not_in_yet(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", **PINS)
    leg = sim.dials(room, number=STRANGER)
    assert people(sim, room) == {}
    sim.press(room, leg, "12")
    sim.press(room, leg, "0000#W43")
    assert people(sim, room) == {}
    sim.press(room, leg, "4321#*92")
    assert people(sim, room)[leg]["moderator"]
    assert sim.truth()[room]["locked"]


def test_after_three_wrong_pins_the_room_hangs_up(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", pin="1234")
    leg = sim.dials(room, number=STRANGER)
    sim.press(room, leg, "1#2#3#1234#")
    assert people(sim, room) == {}
    with pytest.raises(LookupError):
        sim.press(room, leg, "1234#")


def test_a_room_takes_so_many_and_not_one_more(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", max_members=2, pin="1234")
    first = sim.join(room, name="Ada")
    early, late = sim.dials(room, number=STRANGER), sim.dials(room, number="79990001123")
    sim.press(room, early, "1234#")
    sim.press(room, late, "1234#")
    assert list(people(sim, room)) == [first, early]
    with pytest.raises(DeclinedError, match="full"):
        sim.join(room, name="Ben")
    sim.leaves(room, first)
    sim.join(room, name="Ben")
    ordinary = sim.add_room("A hundred")
    for index in range(100):
        sim.join(ordinary, number=f"7999000{index:04d}")
    with pytest.raises(DeclinedError):
        sim.join(ordinary, number=STRANGER)


def test_a_locked_room_declines_even_moderators_until_it_is_unlocked_or_empty(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", **PINS)
    moderator = sim.join(room, name="Ada", moderator=True)
    waiting = sim.dials(room, number=STRANGER)
    sim.press(room, moderator, "*92")
    for late in (True, False):
        with pytest.raises(DeclinedError, match="locked"):
            sim.join(room, name="Ben", moderator=late)
    sim.press(room, waiting, "4321#")
    assert list(people(sim, room)) == [moderator]
    sim.press(room, moderator, "*93")
    sim.leaves(room, sim.join(room, name="Ben"))
    sim.press(room, moderator, "*92")
    sim.leaves(room, moderator)
    assert not sim.truth()[room]["locked"]
    sim.join(room, name="Ben")


def test_a_blocked_room_declines(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales")
    sim._extensions.named(room).status = "blocked"
    with pytest.raises(DeclinedError, match="blocked"):
        sim.join(room, name="Ada")
    assert not sim._calls.going_on


def test_colleagues_mute_themselves_and_strangers_cannot(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales")
    ada, stranger = sim.join(room, name="Ada"), sim.join(room, number=STRANGER)
    for leg in (ada, stranger):
        sim.press(room, leg, "*1")
    assert muted(sim, room) == [True, False]
    sim.press(room, ada, "*1")
    assert muted(sim, room) == [False, False]


def test_a_room_may_mute_everybody_but_moderators_for_good(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", mute_non_moderator=True, **PINS)
    sim.join(room, name="Ada", moderator=True)
    ben = sim.join(room, name="Ben")
    assert muted(sim, room) == [False, True]
    sim.press(room, ben, "*1")
    assert muted(sim, room) == [False, True]
    sim.configure(room, mute_non_moderator=False)
    sim.press(room, ben, "*1")
    assert muted(sim, room) == [False, False]


def test_moderators_mute_everybody_but_moderators(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", **PINS)
    ada, _ = sim.join(room, name="Ada", moderator=True), sim.join(room, number=STRANGER, moderator=True)
    ben, _ = sim.join(room, name="Ben"), sim.join(room, number="79990001123")
    sim.press(room, ben, "*91*92*94")
    assert muted(sim, room) == [False] * 4
    assert (sim.truth()[room]["locked"], sim.truth()[room]["notices"]) == (False, True)
    sim.press(room, ada, "*91")
    assert muted(sim, room) == [False, False, True, True]
    sim.press(room, ada, "*1*90*94")
    assert muted(sim, room) == [True, False, False, False]
    assert not sim.truth()[room]["notices"]
    sim.press(room, ada, "*95")
    assert sim.truth()[room]["notices"]


def test_colleagues_invite_guests_who_are_asked_for_nothing(sim: TelphinSimulator) -> None:
    room = sim.add_room("Sales", **PINS)
    ada, stranger = sim.join(room, name="Ada"), sim.join(room, number=STRANGER)
    sim.press(room, stranger, "*879990003344")
    assert len(people(sim, room)) == 2
    sim.press(room, ada, "*879990003344#*1")
    guest = list(people(sim, room).values())[-1]
    assert (guest["number"], guest["internal"], guest["moderator"]) == ("79990003344", False, False)
    assert muted(sim, room) == [True, False, False]
    sim.answers = "busy"
    sim.press(room, ada, "*879990005566")
    assert len(people(sim, room)) == 3


def test_a_guest_who_never_answers_is_given_up_after_half_a_minute(sim: TelphinSimulator) -> None:
    async def ring() -> list[int]:
        room = sim.add_room("Sales")
        ada = sim.join(room, name="Ada")
        sim.answers = "never"
        sim.press(room, ada, "*879990003344")
        going_on = []
        for _ in range(2):
            await asyncio.sleep(29)  # in time that leaps
            going_on.append(len(sim._calls.going_on))
        return going_on

    assert leaping.run(ring()) == [2, 1]


def test_an_administrator_removes_a_room_with_everybody_in_it(sim: TelphinSimulator) -> None:
    room, phone = sim.add_room("Sales", pin="1234"), sim.add_phone("Ada")
    sim.join(room, phone=phone)
    sim.dials(room, number=STRANGER)
    sim.remove_room(room)
    assert (sim.rooms(), list(sim._calls.going_on)) == ([], [])
    with pytest.raises(LookupError):
        sim.join(room, phone=phone)


def test_the_same_seed_makes_the_same_ids() -> None:
    def made(seed: int) -> tuple[str, str]:
        sim = TelphinSimulator(seed=seed)
        room = sim.add_room("Sales")
        return room, sim.join(room, name="Ada")

    assert made(1) == made(1)
    assert made(1) != made(2)
