"""The simulated xuc obeys who may command, refuses the others with its four codes, and misbehaves when asked to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from adapters.xivo.simulator import XivoSimulator
from tests.adapters.xivo.xuc_client import Frame, Phone, XucClient, events, payload, xuc

ROOM = "4000"
OTHER = "4001"
PERSON = "ConferenceParticipantEvent"
JUST_INSIDE: list[tuple[str, Frame]] = [
    ("conferenceMuteMe", {}),
    ("conferenceUnmuteMe", {}),
]
ORGANIZERS: list[tuple[str, Frame]] = [
    ("conferenceMuteAll", {}),
    ("conferenceUnmuteAll", {}),
    ("conferenceMute", {"index": 1}),
    ("conferenceUnmute", {"index": 1}),
    ("conferenceDeafen", {"index": 1}),
    ("conferenceUndeafen", {"index": 1}),
    ("conferenceKick", {"index": 1}),
    ("conferenceClose", {}),
    ("conferenceInvite", {"exten": "1004", "role": "User", "earlyJoin": False}),
]
AIMED = [(name, fields) for name, fields in ORGANIZERS if "index" in fields]


class Meeting(NamedTuple):
    """Ada (1) is the organizer, Ben (2) and Eve (3) are not; Ada and Ben have a socket."""

    client: XucClient
    ada: Phone
    ben: Phone

    @property
    def sim(self) -> XivoSimulator:
        return self.client.sim

    def flags(self, flag: str) -> list[bool]:
        return [getattr(one, flag) for one in self.sim.people(ROOM)]

    def indexes(self) -> list[int]:
        return [one.index for one in self.sim.people(ROOM)]


@asynccontextmanager
async def meeting() -> AsyncIterator[Meeting]:
    def seat(sim: XivoSimulator) -> None:
        sim.someone_joins(ROOM, login="ada", organizer=True)
        sim.someone_joins(ROOM, login="ben")
        sim.someone_joins(ROOM, "Eve", "0199000101")

    async with xuc(seat) as client, client.phone("ada") as ada, client.phone("ben") as ben:
        yield Meeting(client, ada, ben)


# ---- who may ----


@pytest.mark.parametrize(("command", "fields"), JUST_INSIDE + ORGANIZERS)
async def test_outside_the_room_nobody_commands_it(command: str, fields: Frame) -> None:
    async with meeting() as now:
        for room in (OTHER, "4999"):
            assert await now.ada.fails(command, numConf=room, **fields) == "NotAMember"


@pytest.mark.parametrize(("command", "fields"), ORGANIZERS)
async def test_only_an_organizer_moderates(command: str, fields: Frame) -> None:
    async with meeting() as now:
        before = now.sim.truth()
        assert await now.ben.fails(command, numConf=ROOM, **fields) == "NotOrganizer"
        assert now.sim.truth() == before


@pytest.mark.parametrize(("command", "fields"), AIMED)
async def test_a_slot_nobody_sits_in_is_not_found(command: str, fields: Frame) -> None:
    async with meeting() as now:
        assert await now.ada.fails(command, numConf=ROOM, **fields | {"index": 4}) == "ParticipantNotFound"


async def test_an_organizer_cannot_be_kicked_not_even_by_themselves() -> None:
    async with meeting() as now:
        assert await now.ada.fails("conferenceKick", numConf=ROOM, index=1) == "CannotKickOrganizer"
        now.sim.set_organizer(ROOM, 2, True)
        await now.ada.told()
        assert await now.ada.fails("conferenceKick", numConf=ROOM, index=2) == "CannotKickOrganizer"
        assert now.indexes() == [1, 2, 3]


@pytest.mark.parametrize("wrong", [{"numConf": 4000}, {"index": "3"}, {"index": True}, {"index": None}, {"index": 3.0}])
async def test_fields_of_another_type_are_refused(wrong: Frame) -> None:
    async with meeting() as now:
        [frame] = await now.ada.do("conferenceMute", **{"numConf": ROOM, "index": 3} | wrong)
        assert frame["msgType"] == "Error"
        assert now.flags("muted") == [False] * 3


# ---- what happens ----


async def test_everybody_in_the_room_may_mute_themselves() -> None:
    async with meeting() as now:
        [frame] = await now.ben.do("conferenceMuteMe", numConf=ROOM)
        told = payload(frame, PERSON)
        assert (told["index"], told["isMe"], told["isMuted"]) == (2, True, True)
        assert now.flags("muted") == [False, True, False]
        await now.ben.do("conferenceUnmuteMe", numConf=ROOM)
        assert now.flags("muted") == [False] * 3


@pytest.mark.parametrize(
    ("command", "flag"), [("Mute", "muted"), ("Unmute", "muted"), ("Deafen", "deafened"), ("Undeafen", "deafened")]
)
async def test_one_participant_is_muted_or_deafened_and_back(command: str, flag: str) -> None:
    back = command.startswith("Un")
    async with meeting() as now:
        hand = now.sim.set_muted if flag == "muted" else now.sim.set_deafened
        hand(ROOM, 3, back)
        await now.ada.told()
        [frame] = await now.ada.do(f"conference{command}", numConf=ROOM, index=3)
        told = payload(frame, PERSON)
        assert (told["index"], told["isMuted"], told["isDeaf"]) == (
            3,
            flag == "muted" and not back,
            flag == "deafened" and not back,
        )
        assert now.flags(flag) == [False, False, not back]


async def test_what_is_so_already_yields_no_event_and_no_error() -> None:
    async with meeting() as now:
        now.sim.set_muted(ROOM, 3, True)
        await now.ada.told()
        assert await now.ada.do("conferenceMute", numConf=ROOM, index=3) == []


async def test_mute_all_spares_the_caller_and_unmute_all_spares_nobody() -> None:
    async with meeting() as now:
        now.sim.someone_joins(ROOM, login="cleo", organizer=True)
        await now.ada.told()
        told = await now.ada.do("conferenceMuteAll", numConf=ROOM)
        assert events(told) == [(PERSON, "Update", index) for index in (2, 3, 4)]
        assert now.flags("muted") == [False, True, True, True]
        await now.ada.do("conferenceMuteMe", numConf=ROOM)
        await now.ada.do("conferenceUnmuteAll", numConf=ROOM)
        assert now.flags("muted") == [False] * 4


async def test_a_kick_hits_whoever_is_in_the_slot() -> None:
    async with meeting() as now:
        now.sim.someone_leaves(ROOM, 3)
        now.sim.someone_joins(ROOM, "Newcomer")
        await now.ada.told()
        assert events(await now.ada.do("conferenceKick", numConf=ROOM, index=3)) == [(PERSON, "Leave", 3)]
        assert events(await now.ada.do("conferenceKick", numConf=ROOM, index=2)) == [(PERSON, "Leave", 2)]
        assert events(await now.ben.told())[-1] == ("ConferenceEvent", "Leave", None)
        assert now.indexes() == [1]


async def test_close_sends_everybody_away_the_caller_last() -> None:
    async with meeting() as now:
        told = await now.ada.do("conferenceClose", numConf=ROOM)
        assert events(told) == [(PERSON, "Leave", 2), (PERSON, "Leave", 3), ("ConferenceEvent", "Leave", None)]
        assert now.indexes() == []
        assert (await now.ada.rooms())[0] | {"members": [], "startTime": 0} == (await now.ada.rooms())[0]


@pytest.mark.parametrize(
    ("exten", "who"),
    [
        ("1004", ("Cleo T", "1004", "cleo")),
        ("1010", ("Desk", "1010", None)),
        ("0199000155", ("0199000155", "0199000155", None)),
    ],
)
@pytest.mark.parametrize("role", ["User", "Organizer"])
async def test_an_invited_guest_joins_with_the_role_asked_for(exten: str, who: tuple[Any, ...], role: str) -> None:
    async with meeting() as now:
        now.sim.add_contact("Desk", "1010")
        [frame] = await now.ada.do("conferenceInvite", numConf=ROOM, exten=exten, role=role, earlyJoin=True)
        told = payload(frame, PERSON)
        assert (told["eventType"], told["index"], told["role"]) == ("Join", 4, role)
        assert (told["callerIdName"], told["callerIdNum"], told.get("username")) == who


async def test_an_invited_user_is_rung_and_gets_the_own_join() -> None:
    async with meeting() as now, now.client.phone("cleo") as cleo:
        await now.ada.do("conferenceInvite", numConf=ROOM, exten="1004", role="User", earlyJoin=False)
        told = [frame["ctiMessage"]["eventType"] for frame in await cleo.so_far()]
        assert told == ["EventRinging", "EventEstablished", "Join"]


async def test_a_busy_guest_shows_nowhere_and_a_slow_one_later() -> None:
    async with meeting() as now:
        ask: Frame = {"numConf": ROOM, "exten": "0199000155", "role": "User", "earlyJoin": False}
        now.sim.faults.invite_answers = "busy"
        assert await now.ada.do("conferenceInvite", **ask) == []
        now.sim.faults.invite_answers = 0.1
        assert await now.ada.do("conferenceInvite", **ask) == []
        assert now.indexes() == [1, 2, 3]
        assert payload(await now.ada.next(), PERSON)["eventType"] == "Join"
        assert now.indexes() == [1, 2, 3, 4]


@pytest.mark.parametrize("wrong", [{"role": "Guest"}, {"role": None}, {"earlyJoin": "yes"}, {"exten": 1004}])
async def test_an_invitation_with_a_wrong_field_is_refused(wrong: Frame) -> None:
    async with meeting() as now:
        asked = {"numConf": ROOM, "exten": "1004", "role": "User", "earlyJoin": True} | wrong
        [frame] = await now.ada.do("conferenceInvite", **asked)
        assert frame["msgType"] == "Error"
        assert now.indexes() == [1, 2, 3]


async def test_the_phones_own_conference_shows_nowhere_and_needs_two_calls() -> None:
    async with meeting() as now:
        [frame] = await now.ada.do("conference")
        assert frame["msgType"] == "Error"
        await now.ada.do("dial", destination="1003")
        assert await now.ada.do("conference") == []
        assert [one.frame["command"] for one in now.sim.commands] == ["conference", "dial", "conference"]


@pytest.mark.parametrize("command", ["conferenceReset", "includeToConference"])
async def test_commands_whose_effect_nobody_knows_have_none(command: str) -> None:
    async with meeting() as now:
        before = now.sim.truth()
        assert await now.ada.do(command, numConf=ROOM) == []
        assert now.sim.truth() == before


# ---- faults ----


async def test_an_old_server_knows_no_deafen_close_and_invite_and_tells_no_deafness() -> None:
    async with meeting() as now:
        now.sim.faults.old = True
        for command, fields in ORGANIZERS:
            if command.removeprefix("conference") in ("Deafen", "Undeafen", "Close", "Invite"):
                [frame] = await now.ada.do(command, numConf=ROOM, **fields)
                assert frame["msgType"] == "Error"
        [frame] = await now.ada.do("conferenceMute", numConf=ROOM, index=3)
        assert "isDeaf" not in payload(frame, PERSON)


async def test_a_server_that_ignores_commands_does_not_even_refuse_them() -> None:
    async with meeting() as now:
        now.sim.faults.ignore_commands = True
        assert await now.ada.do("conferenceMute", numConf=ROOM, index=3) == []
        assert await now.ben.do("conferenceMute", numConf=ROOM, index=3) == []
        assert await now.ben.do("teleport") == []
        assert len(now.sim.commands) == 3
        assert now.flags("muted") == [False] * 3
        assert await now.ada.rooms()


async def test_a_slow_server_obeys_later_whoever_is_in_the_slot_by_then() -> None:
    async with meeting() as now:
        now.sim.faults.effect_delay_s = 0.2
        await now.ada.web("conferenceKick", numConf=ROOM, index=3)
        await now.ben.web("conferenceClose", numConf=ROOM)
        await now.sim.until(lambda: len(now.sim.commands) == 2)
        now.sim.someone_leaves(ROOM, 3)
        seat = now.sim.someone_joins(ROOM, "Newcomer")
        assert seat.index == 3
        assert events(await now.ada.told()) == [(PERSON, "Leave", 3), (PERSON, "Join", 3)]
        assert payload(await now.ada.next(), PERSON)["eventType"] == "Leave"
        assert now.indexes() == [1, 2]
        while (frame := await now.ben.next())["msgType"] != "ConferenceCommandError":
            assert frame["msgType"] == PERSON
        assert frame["ctiMessage"] == {"error": "NotOrganizer"}


async def test_a_server_that_stops_forgets_the_commands_it_has_not_obeyed() -> None:
    async with meeting() as now:
        now.sim.faults.effect_delay_s = 0.1
        await now.ada.web("conferenceKick", numConf=ROOM, index=3)
        await now.sim.until(lambda: len(now.sim.commands) == 1)
        await now.sim.stop()
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(0.15, done.set)
        await done.wait()
        assert now.indexes() == [1, 2, 3]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_link_lost_with_a_command_leaves_its_fate_open(when: Any) -> None:
    async with meeting() as now:
        now.sim.faults.drop_after_command = when
        await now.ada.web("conferenceMute", numConf=ROOM, index=3)
        assert await now.ada.over() is None
        assert now.flags("muted") == [False, False, when == "after"]
        assert events(await now.ben.told()) == ([(PERSON, "Update", 3)] if when == "after" else [])


async def test_lost_leaves_are_seen_by_who_asks_again() -> None:
    async with meeting() as now:
        await now.ada.rooms()
        await now.ben.told()
        now.sim.faults.lose_leaves = True
        now.sim.someone_leaves(ROOM, 3)
        now.sim.someone_leaves(ROOM, 2)
        assert await now.ada.told() == []
        assert [frame["msgType"] for frame in await now.ben.so_far()] == ["PhoneEvent"]
        assert [one["joinOrder"] for one in (await now.ada.rooms())[0]["members"]] == [1]


async def test_lost_updates_still_show_in_the_list() -> None:
    async with meeting() as now:
        await now.ada.rooms()
        now.sim.faults.lose_updates = True
        now.sim.talks(ROOM, 3)
        now.sim.set_muted(ROOM, 3, True)
        [frame] = await now.ada.told()
        assert payload(frame, "ConferenceList")[0]["members"][2]["muted"] is True


async def test_without_a_room_list_asking_is_refused_and_nothing_pushed() -> None:
    async with meeting() as now:
        await now.ada.rooms()
        now.sim.faults.no_room_list = True
        [frame] = await now.ada.do("getList", objectType="meetme")
        assert frame["msgType"] == "Error"
        now.sim.set_muted(ROOM, 3, True)
        assert [frame["msgType"] for frame in await now.ada.told()] == [PERSON]


async def test_events_come_twice() -> None:
    async with meeting() as now:
        now.sim.faults.duplicate_events = True
        now.sim.someone_joins(ROOM, "Newcomer")
        first, second = await now.ada.told()
        assert first == second


async def test_who_enters_may_be_told_of_it_twice() -> None:
    async with meeting() as now, now.client.phone("cleo") as cleo:
        now.sim.faults.join_of_self = True
        now.sim.someone_joins(ROOM, login="cleo")
        own, again = await cleo.told()
        assert payload(own, "ConferenceEvent")["participants"][-1]["isMe"] is True
        told = payload(again, PERSON)
        assert (told["eventType"], told["index"], told["isMe"]) == ("Join", 4, True)
        assert (told["uniqueId"], events(await now.ada.told())) == (
            own["ctiMessage"]["uniqueId"],
            [(PERSON, "Join", 4)],
        )


async def test_strange_frames_come_in_between_and_the_events_stay_right() -> None:
    async with meeting() as now:
        now.sim.faults.strange_frames = True
        for value in (True, False) * 3:
            now.sim.talks(ROOM, 3, value)
        told = await now.ada.told()
        assert [one["ctiMessage"]["isTalking"] for one in told if one.get("msgType") == PERSON] == [True, False] * 3
        assert all(one["ctiMessage"]["phoneNumber"] for one in told if one.get("msgType") == PERSON)
        assert any("msgType" not in one for one in told)
        assert any(one.get("msgType") not in (PERSON, None) for one in told)


async def test_frames_held_back_come_later_in_their_order_and_to_that_user_alone() -> None:
    async with meeting() as now:
        now.sim.hold("ada")
        before = [login for login, _ in now.sim.frames_sent].count("ada")
        await now.ada.web("conferenceMute", numConf=ROOM, index=3)
        await now.sim.until(lambda: now.flags("muted")[2])
        now.sim.talks(ROOM, 2)
        assert events(await now.ben.told()) == [(PERSON, "Update", 3), (PERSON, "Update", 2)]
        assert [login for login, _ in now.sim.frames_sent].count("ada") == before
        now.sim.release("ada")
        now.sim.talks(ROOM, 2, False)
        assert events(await now.ada.told()) == [(PERSON, "Update", 3), *[(PERSON, "Update", 2)] * 2]
