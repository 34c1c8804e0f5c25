"""How a watcher who was away catches up."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.log import RoomLog
from gateway.model.events import RoomAppeared
from gateway.model.ids import Position, RoomId
from gateway.model.room import Room

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVENTS = [RoomAppeared(NOON, Room(id=RoomId(str(number)))) for number in range(40)]


@given(st.integers(1, 10), st.integers(0, 40), st.integers(-3, 45))
def test_the_log_gives_exactly_what_came_after_a_position_or_says_that_it_cannot(
    kept: int, happened: int, known: int
) -> None:
    log = RoomLog(kept)
    for event in EVENTS[:happened]:
        log.append(event)
    answer = log.after(Position(log.epoch, known))
    if max(0, happened - kept) <= known <= happened:
        assert answer is not None
        assert [each.event for each in answer] == EVENTS[known:happened]
        assert [each.position for each in answer] == [
            Position(log.epoch, number) for number in range(known + 1, happened + 1)
        ]
    else:
        assert answer is None


def test_a_position_of_another_log_is_not_taken_for_one_of_this() -> None:
    log, other = RoomLog(5), RoomLog(5)
    assert log.epoch != other.epoch
    assert log.after(other.position) is None
    assert log.after(log.position) == []
