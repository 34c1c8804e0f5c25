"""However followers come, go, fall behind and resume while a room lives, each ends up with the room as it is."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.ids import Position, RoomKey
from gateway.schema.cursor import Cursors
from gateway.storage import Storage
from tests.gateway.live.rooms import read
from tests.gateway.model.switch import ROOM, Habits, Switch, habits, steps
from tests.gateway.operations.hall import Hall, Reader
from tests.gateway.schema.house import ADMIN, PBX, gid

EVENTS = """subscription ($id: ID!, $after: Cursor) { roomEvents(roomId: $id, after: $after) {
    __typename position
    ... on ParticipantEvent { participant { ...P } }
    ... on ParticipantLeft { leaveReason }
    ... on RoomUpdated { room { ...R } }
    ... on RoomEnded { room { ...R } }
    ... on RoomSnapshot { snapshotReason room { position ...R participants { edges { node { ...P } } } } }
} }
fragment R on Room { state name locked recording stale }
fragment P on Participant { id displayName index muted deafened talking role }"""
KEY = RoomKey(PBX, ROOM)
LOG_MAX_EVENTS = 12

Picture = dict[str, Any]
Script = list[tuple[str, Any]]

_who = st.integers(0, 9)
_one_step = steps.filter(len).map(lambda some: some[0])
_action = st.one_of(
    st.tuples(st.just("do"), _one_step),
    st.tuples(st.just("do"), _one_step),
    st.tuples(st.just("turn"), st.integers(1, 4)),
    st.tuples(st.just("come"), st.sampled_from([1, 2, 999, 1000])),
    st.tuples(st.just("resume"), st.tuples(st.sampled_from(["after", "insists", "falls back"]), st.integers(0, 99))),
    st.tuples(st.just("go"), _who),
    st.tuples(st.just("read"), _who),
    st.tuples(st.just("stick"), _who),
    st.tuples(st.just("turn"), st.just(1000)),
    st.tuples(st.sampled_from(["remove", "appear", "stale"]), st.none()),
)
scripts = st.lists(_action, max_size=60)


class Client(Reader):
    """Who believes nothing: builds the room from the events alone, and notices whatever does not fit."""

    def __init__(self, room_for: int, cursors: Cursors, known: dict[str, Picture]) -> None:
        super().__init__(room_for, short_way=room_for % 2 == 0)
        self._cursors = cursors
        self._known = known
        self.picture: Picture = {}
        self.position: Position | None = None
        self.cursor: str | None = None
        self.lags = 0
        self.snapshots: list[str] = []

    def resumes(self, cursor: str) -> None:
        """Know what was known at a position."""
        self.picture = deepcopy(self._known[cursor])
        self.position, self.cursor = self._place(cursor), cursor

    def read(self) -> None:
        """Take all that waits, and go on."""
        for each in self.take():
            assert "errors" not in each
            self._note(each["data"]["roomEvents"], each["extensions"]["cursor"])
        self.stuck = False
        if self.lagging:
            self.lags += 1
            assert self.last_cursor in (self.cursor, None)
        self.drained()

    def _note(self, event: dict[str, Any], cursor: str) -> None:
        assert event["position"] == cursor
        place = self._place(cursor)
        if event["__typename"] == "RoomSnapshot":
            self.snapshots.append(event["snapshotReason"])
            assert self.position is None or self.position.epoch != place.epoch or place >= self.position
        else:
            assert self.position is not None
            assert place == Position(self.position.epoch, self.position.sequence + 1), "missed or doubled"
        self._change(event)
        self.position, self.cursor = place, cursor
        assert self._known.setdefault(cursor, deepcopy(self.picture)) == self.picture, "others saw something else"

    def _change(self, event: dict[str, Any]) -> None:
        people: dict[str, Any] = self.picture.setdefault("people", {})
        match event:
            case {"__typename": "RoomSnapshot", "room": room}:
                assert room.pop("position") == event["position"]
                inside = room.pop("participants")["edges"]
                self.picture = {**room, "people": {edge["node"]["id"]: edge["node"] for edge in inside}}
            case {"__typename": "RoomUpdated" | "RoomEnded", "room": facts}:
                self.picture.update(facts)
                assert event["__typename"] == "RoomUpdated" or not people
            case {"__typename": "ParticipantJoined", "participant": somebody}:
                assert somebody["id"] not in people
                people[somebody["id"]] = somebody
            case {"__typename": "ParticipantUpdated", "participant": somebody}:
                assert somebody["id"] in people
                people[somebody["id"]] = somebody
            case {"__typename": "ParticipantLeft", "participant": somebody}:
                del people[somebody["id"]]

    def _place(self, cursor: str) -> Position:
        return self._cursors.decode(ADMIN.tenant, KEY, cursor)


class Play:
    """A room, those who follow it, and what a script does to them."""

    def __init__(self, hall: Hall, habits: Habits) -> None:
        self.hall = hall
        self.switch = Switch(habits)
        self.known: dict[str, Picture] = {}
        self.clients: list[Client] = []
        self.appear()

    def appear(self) -> None:
        read(self.hall.table, self.switch.room)

    @property
    def exists(self) -> bool:
        return self.hall.table.get(ROOM) is not None

    def act(self, what: str, how: Any) -> None:
        match what:
            case "do":
                for report in self.switch.do(how):
                    self.hall.report(report)
            case "turn":
                self.hall.turns.turn(how)
            case "come" if self.exists:
                self.come(self.client(how))
            case "resume" if self.exists and self.known:
                self.resume(*how)
            case "remove":
                self.hall.table.remove(ROOM)
            case "appear":
                self.appear()
            case "stale":
                self.hall.table.mark_stale()
            case "go" | "read" | "stick" if self.clients:
                self.one(what, self.clients[how % len(self.clients)])
        self.adds_up()

    def one(self, what: str, client: Client) -> None:
        match what:
            case "go":
                client.stop()
                self.clients.remove(client)
            case "read":
                client.read()
            case "stick":
                client.stuck = True

    def client(self, room_for: int = 1000) -> Client:
        return Client(room_for, self.hall.cursors, self.known)

    def come(self, client: Client) -> None:
        self.hall.follow(EVENTS, reader=client, id=gid(ROOM))
        self.clients.append(client)
        assert not client.over

    def resume(self, how: str, which: int) -> None:
        client = self.client()
        cursor = list(self.known)[which % len(self.known)]
        client.resumes(cursor)
        position = client.position
        assert position is not None
        is_kept = self.hall.table.events_after(ROOM, position) is not None
        if how == "after":
            self.hall.follow(EVENTS, reader=client, id=gid(ROOM), after=cursor)
        else:
            extensions = {"cursor": cursor, "snapshot-fallback": how == "falls back"}
            self.hall.follow(EVENTS, reader=client, extensions=extensions, id=gid(ROOM))
        if how == "insists" and not is_kept:
            assert client.codes == ["DELIVERY_GUARANTEE_UNSATISFIABLE"]
            return
        self.clients.append(client)
        client.read()
        assert bool(client.snapshots) == (not is_kept)

    def adds_up(self) -> None:
        following = [each for each in self.clients if each.shared is not None]
        assert self.hall.operations.followers == len(following)
        assert all(each.over for each in self.clients if each.shared is None)
        assert self.hall.hub.watchers == int(
            self.exists and any(not each.shared.over for each in following if each.shared)
        )

    def ends(self) -> None:
        """Let everybody read everything, hold what they know against the truth, and let them go."""
        for client in self.clients:
            client.stuck, client.room_for = False, 1_000_000
        while not self.hall.turns.idle or any(each.waiting or each.lagging for each in self.clients):
            self.hall.turns.all(3)
            for client in self.clients:
                client.read()
        for client in self.clients:
            assert client.over or client.picture == self.truth()
            assert client.snapshots.count("SLOW_CONSUMER") <= client.lags
            assert client.over or client.snapshots.count("SLOW_CONSUMER") == client.lags, "one a lag"
            client.stop()
        self.clients = []
        self.adds_up()
        assert self.hall.operations.running == 0
        assert self.hall.hub.watchers == 0
        assert self.hall.turns.idle

    def truth(self) -> Picture:
        at = self.hall.table.get(ROOM)
        assert at is not None
        asked = Client(1000, self.hall.cursors, {})
        self.hall.follow(EVENTS, reader=asked, id=gid(ROOM))
        asked.read()
        asked.stop()
        assert set(asked.picture["people"]) == {gid(ROOM, each) for each in at.room.participants}
        return asked.picture


async def test_everybody_ends_up_with_the_truth(storage: Storage) -> None:
    @given(habits, scripts)
    def check(habits: Habits, script: Script) -> None:
        play = Play(Hall(storage, log_max_events=LOG_MAX_EVENTS), habits)
        for what, how in script:
            play.act(what, how)
        play.ends()

    check()


async def test_it_is_true_of_crowds_too(new_hall: Callable[..., Hall]) -> None:
    """Enough followers for several chunks a pass, and for places to be tidied up."""

    @settings(max_examples=50)
    @given(scripts)
    def check(script: Script) -> None:
        play = Play(hall, Habits())
        for number in range(90):
            play.come(play.client(2 if number % 3 == 0 else 1000))
        for what, how in script:
            play.act(what, how * 40 if what == "turn" else how)
            if what == "go":
                for client in play.clients[::4]:
                    play.one("go", client)
        play.ends()
        hall.table.remove(ROOM)

    hall = new_hall(log_max_events=LOG_MAX_EVENTS)
    check()
