"""Which account does what: by the rule, and by the socket that the frame came out of."""

from pathlib import Path

import pytest

from adapters.xivo.choosing import organizer_seat, own_seat
from adapters.xivo.views import Seat
from gateway.live.results import CommandOutcome
from gateway.model.commands import Action
from gateway.model.errors import CommandErrorCode, CommandRefused
from gateway.model.room import ParticipantRole
from tests.adapters.xivo.xivo_gateway import ROOM, codes, house

ORGANIZER, USER, UNKNOWN = ParticipantRole.MODERATOR, ParticipantRole.PARTICIPANT, None


def seats(**roles: ParticipantRole | None) -> list[Seat]:
    return [Seat(login, nth, role, f"call.{nth}") for nth, (login, role) in enumerate(roles.items(), 1)]


@pytest.mark.parametrize(
    ("inside", "identity", "chosen"),
    [
        (seats(ada=ORGANIZER, ben=ORGANIZER), "ben", "ben"),
        (seats(ada=ORGANIZER, ben=ORGANIZER), "ada", "ada"),
        (seats(ada=ORGANIZER, ben=ORGANIZER), None, "ada"),
        (seats(ada=USER, ben=ORGANIZER), "ada", "ben"),
        (seats(ada=UNKNOWN, ben=ORGANIZER), "ada", "ben"),
        (seats(ada=USER, ben=UNKNOWN), "ada", "ben"),
        (seats(ada=UNKNOWN, ben=UNKNOWN), "ben", "ben"),
        (seats(ada=UNKNOWN), None, "ada"),
    ],
)
def test_organizers_act_and_among_equals_the_viewer(inside: list[Seat], identity: str | None, chosen: str) -> None:
    assert organizer_seat(inside, identity).login == chosen


@pytest.mark.parametrize(
    ("inside", "code"),
    [([], CommandErrorCode.NOT_A_MEMBER), (seats(ada=USER, ben=USER), CommandErrorCode.NOT_ORGANIZER)],
)
def test_where_nobody_may_act_it_is_said_why(inside: list[Seat], code: CommandErrorCode) -> None:
    with pytest.raises(CommandRefused) as caught:
        organizer_seat(inside, "ada")
    assert [error.code for error in caught.value.errors] == [code]


def test_what_is_about_the_viewer_is_done_by_nobody_else() -> None:
    inside = seats(ada=USER, ben=ORGANIZER)
    assert own_seat(inside, "ada") is inside[0]
    assert own_seat(inside, "cem") is None
    assert own_seat(inside, None) is None


@pytest.mark.parametrize(("identity", "sender"), [("ada", "ada"), ("ben", "ben"), ("cem", "ada"), (None, "ada")])
async def test_of_two_organizers_the_viewers_own_sends_else_the_first(
    tmp_path: Path, identity: str | None, sender: str
) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada", organizer=True)
        await there.joins("ben", organizer=True)
        guest = await there.joins("Guest")
        result = await there.do_to(Action.MUTE, guest, identity)
        assert result.outcome is CommandOutcome.CONFIRMED
        assert [login for login, _ in there.sent] == [sender]


async def test_another_account_that_is_organizer_stands_in_for_a_viewer_who_is_none(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        await there.joins("ben", organizer=True)
        guest = await there.joins("Guest")
        assert (await there.do_to(Action.KICK, guest)).outcome is CommandOutcome.CONFIRMED
        assert there.sent == [("ben", {"claz": "web", "command": "conferenceKick", "numConf": ROOM, "index": 3})]


async def test_the_list_account_may_be_the_organizer(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("gateway", organizer=True)
        guest = await there.joins("Guest")
        assert (await there.do_to(Action.MUTE, guest)).outcome is CommandOutcome.CONFIRMED
        assert [login for login, _ in there.sent] == ["gateway"]


async def test_plain_users_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.joins("ada")
        guest = await there.joins("Guest")
        result = await there.do_to(Action.MUTE, guest)
        assert codes(result) == [CommandErrorCode.NOT_ORGANIZER]
        assert there.sent == []


async def test_without_an_account_in_the_room_nothing_is_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        guest = await there.joins("Guest")
        for action in (Action.MUTE, Action.KICK, Action.DEAFEN):
            assert codes(await there.do_to(action, guest)) == [CommandErrorCode.NOT_A_MEMBER]
        assert there.sent == []


async def test_an_account_whose_role_is_not_told_is_tried_and_xivo_decides(tmp_path: Path) -> None:
    async with house(tmp_path, accounts=("ada",)) as there:
        me = await there.joins("ada", organizer=True)
        guest = await there.joins("Guest")
        there.sim.faults.repeat_join_after_reconnect = False
        there.sim.drop_link("ada")
        await there.until(lambda: there.person(me).role is None)
        await there.sim.until(lambda: "ada" in there.sim.logins)
        there.sim.talks(ROOM, there.index(guest))
        await there.until(lambda: there.person(guest).talking)
        assert there.person(me).role is None
        assert (await there.do_to(Action.MUTE, guest)).outcome is CommandOutcome.CONFIRMED
        there.sim.set_organizer(ROOM, there.index(me), False)
        await there.until(lambda: there.person(me).role is USER)
        assert codes(await there.do_to(Action.UNMUTE, guest)) == [CommandErrorCode.NOT_ORGANIZER]
        assert [frame["command"] for _, frame in there.sent] == ["conferenceMute"]
