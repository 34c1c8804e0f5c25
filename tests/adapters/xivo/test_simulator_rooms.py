"""The simulated rooms number people as MeetMe does, and tell each user their own view, as the protocol sheet says."""

from itertools import pairwise

import pytest

from adapters.xivo.simulator import Seat, XivoSimulator
from tests.adapters.xivo.xuc_client import Frame, Phone, events, payload, xuc

ROOM = "4000"
LOCKED = "4001"
PERSON = "ConferenceParticipantEvent"


def of_kind(frames: list[Frame], kind: str) -> list[Frame]:
    return [one["ctiMessage"] for one in frames if one.get("msgType") == kind]


# ---- numbers and times ----


def test_a_newcomer_gets_the_highest_number_present_plus_one() -> None:
    sim = XivoSimulator()
    sim.add_room(ROOM)
    assert [sim.someone_joins(ROOM).index for _ in range(3)] == [1, 2, 3]
    sim.someone_leaves(ROOM, 1)
    assert [one.index for one in sim.people(ROOM)] == [2, 3]
    assert sim.someone_joins(ROOM).index == 4
    sim.someone_leaves(ROOM, 4)
    assert sim.someone_joins(ROOM).index == 4
    for index in (2, 3, 4):
        sim.someone_leaves(ROOM, index)
    assert sim.someone_joins(ROOM).index == 1


def test_join_times_rise_in_a_room_even_within_a_millisecond_and_over_its_runs() -> None:
    sim = XivoSimulator(clock=lambda: 1_700_000_000.0)
    sim.add_room(ROOM)
    seats = []
    for _ in range(3):
        seats.append(sim.someone_joins(ROOM))
        seats.append(sim.someone_joins(ROOM))
        sim.someone_leaves(ROOM, 2)
        sim.someone_leaves(ROOM, 1)
    assert seats[0] == Seat(1, 1_700_000_000_000)
    assert all(before.join_ms < after.join_ms for before, after in pairwise(seats))


async def test_a_run_has_the_start_of_its_first_join_and_an_empty_room_none() -> None:
    now = [1_700_000_000.0]
    async with xuc(clock=lambda: now[0]) as client, client.phone("ada") as phone:
        assert (await phone.rooms())[0]["startTime"] == 0
        client.sim.someone_joins(ROOM)
        now[0] += 100
        client.sim.someone_joins(ROOM)
        client.sim.someone_leaves(ROOM, 1)
        assert (await phone.rooms())[0]["startTime"] == 1_700_000_000_000
        client.sim.someone_leaves(ROOM, 2)
        assert (await phone.rooms())[0]["startTime"] == 0
        now[0] += 100
        client.sim.someone_joins(ROOM)
        assert (await phone.rooms())[0]["startTime"] == 1_700_000_200_000


# ---- what each user is told ----


async def test_who_enters_gets_everybody_and_those_inside_get_the_newcomer() -> None:
    now = [1_700_000_000.0]
    async with xuc(clock=lambda: now[0]) as client, client.phone("ada") as ada, client.phone("ben") as ben:
        client.sim.someone_joins(ROOM, "Eve", "0199000101")
        now[0] += 1.9
        client.sim.someone_joins(ROOM, login="ada", organizer=True)
        [own] = of_kind(await ada.told(), "ConferenceEvent")
        now[0] += 2.2
        client.sim.someone_joins(ROOM, login="ben")
        [joined] = of_kind(await ada.told(), PERSON)
        [entered] = of_kind(await ben.told(), "ConferenceEvent")
        eve = {
            "index": 1,
            "callerIdName": "Eve",
            "callerIdNum": "0199000101",
            "since": 1,
            "isTalking": False,
            "role": "User",
            "isMuted": False,
            "isMe": False,
            "isDeaf": False,
        }
        me = eve | {
            "index": 2,
            "callerIdName": "Ada L",
            "callerIdNum": "1002",
            "since": 0,
            "role": "Organizer",
            "isMe": True,
            "username": "ada",
        }
        unique_id = own.pop("uniqueId")
        assert own == {
            "eventType": "Join",
            "conferenceNumber": ROOM,
            "conferenceName": "open",
            "since": 1,
            "participants": [eve, me],
        }
        assert (joined["uniqueId"], joined["index"], joined["isMe"], joined["username"]) == (unique_id, 3, False, "ben")
        assert entered["uniqueId"] != unique_id
        assert [one["isMe"] for one in entered["participants"]] == [False, False, True]
        assert [one["since"] for one in entered["participants"]] == [4, 2, 0]


async def test_updates_carry_the_whole_participant_in_the_view_of_each_observer() -> None:
    async with xuc() as client, client.phone("ada") as ada, client.phone("ben") as ben, client.phone("cleo") as cleo:
        for login in ("ada", "ben"):
            client.sim.someone_joins(ROOM, login=login)
        own = {}
        for login, phone in (("ada", ada), ("ben", ben)):
            [entered] = of_kind(await phone.told(), "ConferenceEvent")
            own[login] = entered["uniqueId"]
        client.sim.talks(ROOM, 1)
        for login, phone in (("ada", ada), ("ben", ben)):
            [frame] = await phone.told()
            update = payload(frame, PERSON)
            assert (update["eventType"], update["index"], update["isTalking"]) == ("Update", 1, True)
            assert (update["uniqueId"], update["isMe"]) == (own[login], login == "ada")
            assert {"callerIdName", "callerIdNum", "since", "role", "isMuted", "isDeaf"} < set(update)
            assert "conferenceName" not in update
        assert await cleo.told() == []


async def test_who_leaves_gets_the_own_leave_and_nothing_more_of_that_room() -> None:
    async with xuc() as client, client.phone("ada") as ada, client.phone("ben") as ben:
        client.sim.someone_joins(ROOM, login="ada")
        client.sim.someone_joins(ROOM, login="ben")
        await ada.told()
        await ben.told()
        client.sim.someone_leaves(ROOM, 2)
        client.sim.set_muted(ROOM, 1, True)
        assert events(await ben.told()) == [("ConferenceEvent", "Leave", None)]
        assert events(await ada.told()) == [(PERSON, "Leave", 2), (PERSON, "Update", 1)]


async def test_another_room_is_seen_in_the_list_alone() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.someone_joins(ROOM, login="ada")
        await ada.rooms()
        await ada.told()
        client.sim.someone_joins(LOCKED, login="ben")
        client.sim.talks(LOCKED, 1)
        client.sim.set_deafened(LOCKED, 1, True)
        client.sim.set_organizer(LOCKED, 1, True)
        client.sim.set_muted(LOCKED, 1, True)
        lists = [payload(frame, "ConferenceList") for frame in await ada.told()]
        assert [[one["muted"] for one in rooms[1]["members"]] for rooms in lists] == [[False], [True]]
        assert set(lists[0][1]["members"][0]) == {"joinOrder", "joinTime", "muted", "name", "number", "username"}


async def test_a_user_with_calls_in_two_rooms_tells_them_apart_by_the_own_call() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        for room in (ROOM, LOCKED):
            client.sim.someone_joins(room, login="ada")
        own = {one["conferenceNumber"]: one["uniqueId"] for one in of_kind(await ada.told(), "ConferenceEvent")}
        assert len(set(own.values())) == 2
        for room in (ROOM, LOCKED):
            client.sim.talks(room, 1)
        updates = of_kind(await ada.told(), PERSON)
        assert {one["conferenceNumber"]: one["uniqueId"] for one in updates} == own


async def test_two_sockets_of_one_user_are_both_told() -> None:
    async with xuc() as client, client.phone("ada") as one, client.phone("ada") as other:
        client.sim.someone_joins(ROOM, login="ada")
        for phone in (one, other):
            assert events(await phone.told()) == [("ConferenceEvent", "Join", None)]


async def test_the_list_comes_after_the_events_or_before_them() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        await ada.rooms()
        client.sim.someone_joins(ROOM, login="ada")
        assert [one["msgType"] for one in await ada.told()] == ["ConferenceEvent", "ConferenceList"]
        client.sim.faults.list_first = True
        client.sim.set_muted(ROOM, 1, True)
        first, second = await ada.told()
        assert payload(first, "ConferenceList")[0]["members"][0]["muted"] is True
        assert second["msgType"] == PERSON


async def test_nothing_is_told_of_what_is_so_already() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.someone_joins(ROOM, login="ada", muted=True)
        await ada.rooms()
        await ada.told()
        client.sim.set_muted(ROOM, 1, True)
        client.sim.set_deafened(ROOM, 1, False)
        client.sim.talks(ROOM, 1, False)
        client.sim.set_organizer(ROOM, 1, False)
        assert await ada.told() == []


async def test_muting_ends_the_talking_and_deafening_leaves_the_voice_alone() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.someone_joins(ROOM, login="ada")
        client.sim.talks(ROOM, 1)
        await ada.told()
        client.sim.set_deafened(ROOM, 1, True)
        client.sim.set_muted(ROOM, 1, True)
        told = [(one["isDeaf"], one["isMuted"], one["isTalking"]) for one in of_kind(await ada.told(), PERSON)]
        assert told == [(True, False, True), (True, True, False)]


@pytest.mark.parametrize("repeat", [True, False])
async def test_who_signs_on_inside_a_room_is_told_so_or_has_to_ask_for_the_calls(repeat: bool) -> None:
    async with xuc() as client:
        client.sim.faults.repeat_join_after_reconnect = repeat
        client.sim.someone_joins(ROOM, login="ada")
        async with client.socket("ada") as phone:
            told = await phone.so_far()
            assert told[0]["msgType"] == "LoggedOn"
            assert events(told) == ([("ConferenceEvent", "Join", None)] if repeat else [])
            [answer] = await phone.do("getCurrentCallsPhoneEvents")
            [call] = payload(answer, "CurrentCallsPhoneEvents")["events"]
            assert (call["eventType"], call["DN"], call["otherDN"]) == ("EventEstablished", "1002", ROOM)
            client.sim.talks(ROOM, 1)
            [update] = of_kind(await phone.told(), PERSON)
            assert update["uniqueId"] == call["uniqueId"]


# ---- phones ----


async def phone_events(phone: Phone) -> list[tuple[str, str | None]]:
    """Phone events and conference events in their order."""
    told = [one["ctiMessage"] for one in await phone.so_far() if one["msgType"] in ("PhoneEvent", "ConferenceEvent")]
    return [(one["eventType"], one.get("otherDN")) for one in told]


@pytest.mark.parametrize("released_first", [False, True])
async def test_dialling_a_room_without_a_pin_joins_it_and_hanging_up_leaves_it(released_first: bool) -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.faults.released_first = released_first
        await ada.web("dial", destination=ROOM)
        assert await phone_events(ada) == [("EventDialing", ROOM), ("EventEstablished", ROOM), ("Join", None)]
        [me] = client.sim.people(ROOM)
        assert (me.login, me.name, me.number, me.organizer) == ("ada", "Ada L", "1002", False)
        await ada.web("hangup", uniqueId=me.unique_id)
        left = [("Leave", None), ("EventReleased", ROOM)]
        assert await phone_events(ada) == (left[::-1] if released_first else left)
        assert client.sim.people(ROOM) == []
        [frame] = await ada.do("getCurrentCallsPhoneEvents")
        assert payload(frame, "CurrentCallsPhoneEvents") == {"events": []}


@pytest.mark.parametrize(("pin", "organizer"), [("1234", False), ("9876", True), ("1111", None), ("", None)])
async def test_a_pin_opens_a_room_and_the_organizers_pin_makes_an_organizer(pin: str, organizer: bool | None) -> None:
    async with xuc() as client, client.phone("ada") as ada:
        await ada.web("dial", destination=LOCKED)
        for key in f"{pin}#":
            assert client.sim.people(LOCKED) == []
            await ada.do("sendDtmf", key=key)
        assert [one.organizer for one in client.sim.people(LOCKED)] == ([] if organizer is None else [organizer])
        if organizer is None:
            for key in "1234#":
                await ada.do("sendDtmf", key=key)
            assert [one.organizer for one in client.sim.people(LOCKED)] == [False]
        for key in "9876#":
            await ada.do("sendDtmf", key=key)
        assert len(client.sim.people(LOCKED)) == 1


async def test_keys_go_to_the_latest_call() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.add_room("4002", "private", pin="77")
        for room in (LOCKED, "4002"):
            await ada.do("dial", destination=room)
        for key in "77#":
            await ada.do("sendDtmf", key=key)
        assert client.sim.rooms_of("ada") == ["4002"]


async def test_hanging_up_without_saying_which_ends_the_latest_call() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        for room in (ROOM, LOCKED):
            client.sim.someone_joins(room, login="ada")
        await ada.do("hangup")
        assert client.sim.rooms_of("ada") == [ROOM]
        [frame] = await ada.do("hangup", uniqueId="1.999")
        assert frame["msgType"] == "Error"
        await ada.do("hangup")
        [frame] = await ada.do("hangup")
        assert frame["msgType"] == "Error"
        assert client.sim.rooms_of("ada") == []


async def test_hanging_up_before_the_pin_ends_the_call_alone() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        await ada.web("dial", destination=LOCKED)
        await ada.web("hangup")
        assert [kind for kind, _ in await phone_events(ada)] == ["EventDialing", "EventEstablished", "EventReleased"]


async def test_without_a_line_nobody_dials_and_bad_keys_are_refused() -> None:
    async with xuc() as client, client.phone("web") as web, client.phone("ada") as ada:
        [frame] = await web.do("dial", destination=ROOM)
        assert frame["msgType"] == "Error"
        assert client.sim.people(ROOM) == []
        with pytest.raises(LookupError):
            client.sim.someone_joins(ROOM, login="web")
        for key in ("1", "12", 1):
            [frame] = await ada.do("sendDtmf", key=key)
            assert frame["msgType"] == "Error"


# ---- the hand ----


async def test_the_truth_is_in_our_words_and_the_hand_refuses_what_is_not_there() -> None:
    sim = XivoSimulator()
    sim.add_room(ROOM, "open")
    seat = sim.someone_joins(ROOM, "Eve", "0199000101", organizer=True, muted=True)
    sim.set_deafened(ROOM, seat.index, True)
    assert sim.truth() == {
        ROOM: {
            "name": "open",
            "active": True,
            "participants": {
                seat: {
                    "muted": True,
                    "deafened": True,
                    "talking": False,
                    "moderator": True,
                    "name": "Eve",
                    "number": "0199000101",
                    "login": None,
                }
            },
        }
    }
    for wrong in (lambda: sim.people("4999"), lambda: sim.talks(ROOM, 2), lambda: sim.someone_leaves("4999", 1)):
        with pytest.raises(LookupError):
            wrong()


async def test_a_room_that_is_removed_is_in_no_list_any_more() -> None:
    async with xuc() as client, client.phone("ada") as ada:
        client.sim.someone_joins(ROOM, login="ada")
        await ada.told()
        client.sim.remove_room(ROOM)
        assert events(await ada.told()) == [("ConferenceEvent", "Leave", None)]
        assert [room["number"] for room in await ada.rooms()] == [LOCKED]
