"""Commands one at a time: whose an error is, and that nobody is blamed for another's."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.understanding import JsonObject
from adapters.xivo.errors import (
    CANNOT_KICK_ORGANIZER,
    DOCUMENTED,
    NOT_A_MEMBER,
    NOT_ORGANIZER,
    PARTICIPANT_NOT_FOUND,
    command_error,
)
from adapters.xivo.lane import Lane, LateFailure, Order
from gateway.model.errors import CommandErrorCode, CommandRefused, LinkDown, OutcomeUnknown, refused
from gateway.model.ids import RoomId
from tests.leaping import now, run

ANY = frozenset({NOT_A_MEMBER, NOT_ORGANIZER, PARTICIPANT_NOT_FOUND})
KICK = ANY | {CANNOT_KICK_ORGANIZER}
MINE = frozenset({NOT_A_MEMBER})
ROOM, OTHER_ROOM = RoomId("4000"), RoomId("4001")


class Phone:
    """A session as the lane sees it: what was sent, and which effects can be seen."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.visible: set[str] = set()
        self.broken = False
        self._stirred = asyncio.Event()
        self.lane = Lane(self._send, 1.0, now)

    async def _send(self, frame: JsonObject) -> None:
        if self.broken:
            raise LinkDown("gone")
        self.sent.append(frame["command"])
        self._stirred.set()

    def order(self, name: str, codes: frozenset[str] = ANY, room_id: RoomId | None = ROOM) -> Order:
        return Order(room_id=room_id, frame=lambda: {"command": name}, shown=lambda: name in self.visible, codes=codes)

    def begin(self, name: str, codes: frozenset[str] = ANY, room_id: RoomId | None = ROOM) -> asyncio.Task[None]:
        return asyncio.create_task(self.lane.do(self.order(name, codes, room_id)))

    async def sending(self, name: str, codes: frozenset[str] = ANY, room_id: RoomId = ROOM) -> asyncio.Task[None]:
        """Begin a command, and return when it is under way."""
        task = self.begin(name, codes, room_id)
        await self.has_sent(name)
        return task

    async def has_sent(self, name: str) -> None:
        while name not in self.sent:
            self._stirred.clear()
            await self._stirred.wait()

    def show(self, name: str) -> None:
        self.visible.add(name)
        self.lane.look()


def in_leaping_time(test: Callable[[Phone], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def wrapped() -> None:
        async def work() -> None:
            await test(Phone())

        run(work())

    del wrapped.__wrapped__  # pytest would take the phone for a fixture
    return wrapped


async def code_of(task: asyncio.Task[None]) -> CommandErrorCode:
    with pytest.raises(CommandRefused) as caught:
        await task
    return caught.value.errors[0].code


@in_leaping_time
async def test_a_command_is_over_when_its_effect_is_seen(phone: Phone) -> None:
    task = await phone.sending("mute")
    phone.lane.look()
    assert not task.done()
    phone.show("mute")
    await task
    assert now() == 0


@in_leaping_time
async def test_an_error_is_that_of_the_command_under_way(phone: Phone) -> None:
    task = await phone.sending("mute")
    assert phone.lane.failed(NOT_ORGANIZER) is None
    assert await code_of(task) is CommandErrorCode.NOT_ORGANIZER
    assert now() == 0


@in_leaping_time
async def test_a_command_without_an_answer_counts_as_accepted_after_a_while(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute"))
    assert now() == 1


@in_leaping_time
async def test_commands_are_sent_one_at_a_time_and_in_their_order(phone: Phone) -> None:
    tasks = [phone.begin(name) for name in ("first", "second", "third")]
    for name in ("first", "second", "third"):
        await phone.has_sent(name)
        assert phone.sent[-1] == name
        phone.show(name)
    await asyncio.gather(*tasks)
    assert phone.sent == ["first", "second", "third"]


@in_leaping_time
async def test_what_is_sent_is_decided_when_the_turn_has_come(phone: Phone) -> None:
    slot = 2
    first = await phone.sending("first")
    order = Order(room_id=ROOM, frame=lambda: {"command": slot}, shown=lambda: True, codes=ANY)
    second = asyncio.create_task(phone.lane.do(order))
    await asyncio.sleep(0)
    slot = 3
    await asyncio.gather(first, second)
    assert phone.sent == ["first", 3]


@in_leaping_time
async def test_what_is_so_already_is_not_sent(phone: Phone) -> None:
    await phone.lane.do(Order(room_id=ROOM, frame=lambda: None, shown=lambda: False, codes=ANY))
    assert phone.sent == []
    assert now() == 0


@in_leaping_time
async def test_a_command_that_turns_out_to_be_impossible_frees_the_lane(phone: Phone) -> None:
    def frame() -> JsonObject:
        raise refused(CommandErrorCode.PARTICIPANT_NOT_FOUND, "gone")

    task = asyncio.create_task(phone.lane.do(Order(room_id=ROOM, frame=frame, shown=lambda: False, codes=ANY)))
    assert await code_of(task) is CommandErrorCode.PARTICIPANT_NOT_FOUND
    await phone.sending("next")


@in_leaping_time
async def test_an_error_that_comes_late_is_told_of_the_room(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute"))
    assert phone.lane.failed(NOT_ORGANIZER) == LateFailure(ROOM, command_error(NOT_ORGANIZER))
    assert phone.lane.failed(NOT_ORGANIZER) is None


@in_leaping_time
async def test_an_error_that_comes_much_too_late_is_nobodys(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute"))
    await asyncio.sleep(4.5)
    assert phone.lane.failed(NOT_ORGANIZER) is None


@in_leaping_time
async def test_an_error_that_no_command_so_far_can_have_is_nobodys(phone: Phone) -> None:
    task = await phone.sending("mute me", MINE)
    assert phone.lane.failed(CANNOT_KICK_ORGANIZER) is None
    await task
    assert phone.lane.failed(CANNOT_KICK_ORGANIZER) is None


@in_leaping_time
async def test_an_error_that_may_be_an_earlier_commands_is_blamed_on_neither(phone: Phone) -> None:
    await phone.lane.do(phone.order("first"))
    second = await phone.sending("second")
    assert phone.lane.failed(NOT_ORGANIZER) is None
    with pytest.raises(OutcomeUnknown):
        await second
    third = await phone.sending("third")
    assert phone.lane.failed(NOT_ORGANIZER) is None
    with pytest.raises(OutcomeUnknown):
        await third


@in_leaping_time
async def test_an_error_that_only_one_of_two_can_have_is_told_to_that_one(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute me", MINE))
    kick = await phone.sending("kick", KICK, OTHER_ROOM)
    assert phone.lane.failed(CANNOT_KICK_ORGANIZER) is None
    assert await code_of(kick) is CommandErrorCode.CANNOT_KICK_ORGANIZER

    await phone.lane.do(phone.order("kick again", KICK, OTHER_ROOM))
    mute = await phone.sending("mute me again", MINE)
    late = phone.lane.failed(NOT_ORGANIZER)
    assert late == LateFailure(OTHER_ROOM, command_error(NOT_ORGANIZER))
    phone.show("mute me again")
    await mute


@in_leaping_time
async def test_an_error_nobody_has_documented_may_be_anybodys(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute me", MINE))
    second = await phone.sending("invite", frozenset())
    assert phone.lane.failed("NoSuchExten") is None
    with pytest.raises(OutcomeUnknown):
        await second
    await asyncio.sleep(5.5)
    third = await phone.sending("invite again", frozenset())
    phone.lane.failed("NoSuchExten")
    assert await code_of(third) is CommandErrorCode.BACKEND_REFUSED


@in_leaping_time
async def test_a_command_without_an_answer_is_doubted_for_five_seconds(phone: Phone) -> None:
    await phone.lane.do(phone.order("first"))
    await asyncio.sleep(4.5)
    second = await phone.sending("second")
    phone.lane.failed(NOT_ORGANIZER)
    assert await code_of(second) is CommandErrorCode.NOT_ORGANIZER


@in_leaping_time
async def test_an_effect_that_comes_late_ends_the_doubt(phone: Phone) -> None:
    await phone.lane.do(phone.order("first"))
    phone.show("first")
    second = await phone.sending("second")
    phone.lane.failed(NOT_ORGANIZER)
    assert await code_of(second) is CommandErrorCode.NOT_ORGANIZER


@in_leaping_time
async def test_a_late_error_that_may_be_from_two_rooms_is_told_in_neither(phone: Phone) -> None:
    await phone.lane.do(phone.order("here"))
    await phone.lane.do(phone.order("there", room_id=OTHER_ROOM))
    assert phone.lane.failed(NOT_ORGANIZER) is None


@in_leaping_time
async def test_a_late_error_that_may_be_of_two_commands_in_one_room_is_told_there(phone: Phone) -> None:
    await phone.lane.do(phone.order("mute"))
    await phone.lane.do(phone.order("unmute"))
    assert phone.lane.failed(NOT_ORGANIZER) == LateFailure(ROOM, command_error(NOT_ORGANIZER))


@in_leaping_time
async def test_a_late_error_of_a_command_without_a_room_is_told_nowhere(phone: Phone) -> None:
    await phone.lane.do(phone.order("conference", room_id=None))
    assert phone.lane.failed("NoSuchPhone") is None


@in_leaping_time
async def test_an_error_without_a_code_is_that_of_the_command_under_way(phone: Phone) -> None:
    assert not phone.lane.broken()
    task = await phone.sending("mute")
    assert phone.lane.broken()
    assert await code_of(task) is CommandErrorCode.BACKEND_REFUSED


@in_leaping_time
async def test_an_error_without_a_code_may_be_an_earlier_commands_too(phone: Phone) -> None:
    await phone.lane.do(phone.order("first"))
    second = await phone.sending("second")
    assert phone.lane.broken()
    with pytest.raises(OutcomeUnknown):
        await second


@in_leaping_time
async def test_with_the_connection_gone_the_command_under_way_is_open_and_the_rest_is_not_sent(phone: Phone) -> None:
    first = await phone.sending("first")
    second, third = phone.begin("second"), phone.begin("third")
    await asyncio.sleep(0)
    phone.lane.lost()
    with pytest.raises(OutcomeUnknown):
        await first
    assert await code_of(second) is CommandErrorCode.BACKEND_UNAVAILABLE
    assert await code_of(third) is CommandErrorCode.BACKEND_UNAVAILABLE
    assert await code_of(phone.begin("fourth")) is CommandErrorCode.BACKEND_UNAVAILABLE
    assert phone.sent == ["first"]
    assert now() == 0


@in_leaping_time
async def test_a_connection_that_takes_no_frame_leaves_the_command_open(phone: Phone) -> None:
    phone.broken = True
    with pytest.raises(OutcomeUnknown):
        await phone.lane.do(phone.order("mute"))


@in_leaping_time
async def test_who_gives_up_frees_the_lane_and_may_still_have_failed(phone: Phone) -> None:
    first = await phone.sending("first")
    second = phone.begin("second")
    first.cancel()
    await phone.has_sent("second")
    phone.lane.failed(NOT_ORGANIZER)
    with pytest.raises(OutcomeUnknown):
        await second
    assert first.cancelled()


@in_leaping_time
async def test_who_gives_up_before_the_turn_has_sent_nothing(phone: Phone) -> None:
    first = await phone.sending("first")
    second = phone.begin("second")
    await asyncio.sleep(0)
    second.cancel()
    third = phone.begin("third")
    await first
    phone.show("third")
    await third
    assert phone.sent == ["first", "third"]


# ---- whatever the order of things ----


@dataclass(frozen=True)
class Plan:
    """One command, what XiVO makes of it, and when."""

    wait_s: float
    codes: frozenset[str]
    room_id: RoomId
    fate: str
    after_s: float
    patience_s: float


CODES = st.frozensets(st.sampled_from(sorted(DOCUMENTED)), min_size=1)
INSTANTS = st.integers(0, 38).map(lambda eighths: eighths / 8)
PLANS = st.builds(
    Plan,
    wait_s=st.integers(0, 12).map(lambda eighths: eighths / 8),
    codes=CODES,
    room_id=st.sampled_from([ROOM, OTHER_ROOM]),
    fate=st.sampled_from(["effect", "nothing", "generic", "Odd", *sorted(DOCUMENTED)]),
    after_s=INSTANTS,
    patience_s=st.sampled_from([1 / 8, 1 / 2, 60.0, 60.0, 60.0]),
)


class Play:
    """Runs plans, and checks at each error who is blamed for it."""

    def __init__(self) -> None:
        self.phone = Phone()
        self.blamed: dict[int, CommandErrorCode] = {}
        self.sent: list[int] = []
        self.reactions: set[asyncio.Task[None]] = set()

    async def run(self, plans: list[Plan]) -> None:
        asking = []
        for nth, plan in enumerate(plans):
            asking.append(asyncio.create_task(self.ask(nth, plan)))
            await asyncio.sleep(plan.wait_s)
        await asyncio.gather(*asking)
        await asyncio.gather(*self.reactions)
        assert self.sent == sorted(self.sent)

    async def ask(self, nth: int, plan: Plan) -> None:
        def frame() -> JsonObject:
            self.sent.append(nth)
            self.reactions.add(asyncio.create_task(self.react(nth, plan)))
            return {"command": str(nth)}

        codes = plan.codes | ({plan.fate} & DOCUMENTED)
        shown = self.phone.order(str(nth)).shown
        try:
            async with asyncio.timeout(plan.patience_s):
                await self.phone.lane.do(Order(room_id=plan.room_id, frame=frame, shown=shown, codes=codes))
        except CommandRefused as refusal:
            self.blamed[nth] = refusal.errors[0].code
        except (OutcomeUnknown, TimeoutError):
            pass

    async def react(self, nth: int, plan: Plan) -> None:
        # Each at an instant of its own, or it could not be seen who is blamed for which.
        await asyncio.sleep(plan.after_s + 2**nth / 8192)
        match plan.fate:
            case "nothing":
                pass
            case "effect":
                self.phone.show(str(nth))
            case "generic":
                before = dict(self.blamed)
                somebody = self.phone.lane.broken()
                assert await self.newly_blamed(before) in ({}, {nth: CommandErrorCode.BACKEND_REFUSED})
                assert somebody or before == self.blamed
            case code:
                before = dict(self.blamed)
                error, late = command_error(code), self.phone.lane.failed(code)
                newly = await self.newly_blamed(before)
                assert newly in ({}, {nth: error.code})
                assert late is None or (late == LateFailure(plan.room_id, error) and not newly)

    async def newly_blamed(self, before: dict[int, CommandErrorCode]) -> dict[int, CommandErrorCode]:
        for _ in range(5):
            await asyncio.sleep(0)
        return {each: said for each, said in self.blamed.items() if each not in before}


@given(st.lists(PLANS, max_size=8))
def test_nobody_is_ever_blamed_for_anothers_error(plans: list[Plan]) -> None:
    run(Play().run(plans))
