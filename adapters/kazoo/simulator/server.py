"""The simulated Kazoo as a whole: its server, its faults, and the hand that makes things happen."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from random import Random

from adapters.kit.listener import Listener, Serving

from .actions import Actions, Command
from .blackhole import Blackhole, Counters
from .crossbar import Crossbar
from .dialling import Dialling, Endpoint
from .documents import Documents
from .faults import Faults, RateLimit
from .generation import Generation, traits_of
from .shapes import Json, child, merge
from .switch import Notice, Participant, Run, Switch
from .tokens import Account, Tokens
from .truth import RoomTruth, truth_of
from .web import RawAnswer, Received, Web
from .wording import Wording


class KazooSimulator(Serving):
    """A small Kazoo: Crossbar and Blackhole on one port, one account, and no telephones.

    Units: `idle_close_s` and `token_life_s` are seconds; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        generation: Generation = Generation.K4_3,
        master: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        account_id: str = "9d351ad7ffd6f846313af9eed3bb7b85",
        account_name: str = "demo",
        account_realm: str = "demo.sip.example",
        username: str = "operator",
        password: str | None = None,
        api_key: str | None = None,
        token_life_s: float = 3600,
        idle_close_s: float = 3600,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        rng = Random(seed)
        self.generation = generation
        self.username = username
        self.password = password or secrets.token_urlsafe(12)
        self.api_key = api_key or secrets.token_hex(32)
        self.account_name = account_name
        self.account_id = account_id
        self.owner_id = f"{rng.getrandbits(128):032x}"
        self.faults = Faults()
        self.commands: deque[Command] = deque(maxlen=10_000)
        self._stirred = asyncio.Event()
        traits = traits_of(generation, master=master)
        account = Account(
            account_id=account_id,
            name=account_name,
            realm=account_realm,
            owner_id=self.owner_id,
            username=username,
            password=self.password,
            api_key=self.api_key,
        )
        limit = RateLimit(self.faults)
        wording = Wording(traits, self.faults, account_id, clock)
        self._tokens = Tokens(token_life_s, clock)
        self._switch = Switch(clock, rng, self._publish)
        self._documents = Documents(traits, clock, rng)
        self._dialling = Dialling(traits, self.faults, self._switch, self._start_run)
        self._actions = Actions(traits, self.faults, self._switch, self._dialling)
        self._blackhole = Blackhole(
            traits=traits,
            faults=self.faults,
            account=account,
            tokens=self._tokens,
            wording=wording,
            limit=limit,
            clock=clock,
            rng=rng,
        )
        crossbar = Crossbar(
            traits=traits,
            faults=self.faults,
            account=account,
            tokens=self._tokens,
            documents=self._documents,
            switch=self._switch,
            wording=wording,
            actions=self._actions,
            sockets=self._blackhole.described,
            commanded=self.commands.append,
        )
        self._web = Web(
            traits=traits,
            faults=self.faults,
            account=account,
            crossbar=crossbar,
            blackhole=self._blackhole,
            limit=limit,
            clock=clock,
            idle_close_s=idle_close_s,
            stirred=self._stirred.set,
        )
        self._listener = Listener(self._web.app, host, port)

    # The server

    async def stop(self) -> None:
        """Close every connection. Rooms and documents stay as they are for the next start."""
        self._actions.obedience.cancel()
        self._blackhole.shuffle.flush()
        await super().stop()

    @property
    def base_url(self) -> str:
        """Where `/v2/` is found."""
        return f"http://{self.address}"

    @property
    def socket_url(self) -> str:
        """Where the events are found; any other path serves too."""
        return f"ws://{self.address}/"

    # What can be seen from outside the protocol

    @property
    def requests(self) -> deque[Received]:
        """The latest HTTP requests, bodies and all."""
        return self._web.requests

    @property
    def subscriptions(self) -> set[str]:
        """Every binding some session holds."""
        return {requested for session in self._blackhole.sessions for requested in session.bindings}

    @property
    def sockets(self) -> int:
        """How many event sockets are open."""
        return len(self._blackhole.sessions)

    @property
    def counters(self) -> Counters:
        """How many events and frames there were."""
        return self._blackhole.counters

    def room_ids(self) -> list[str]:
        """List the configured rooms in the order of their creation."""
        return list(self._documents.stored)

    def instance_id(self, room_id: str) -> str:
        """Tell which run of the room this is."""
        return self._run(room_id).instance_id

    def participant_id(self, room_id: str, call_id: str) -> int:
        """Tell the number under which the room takes commands for this leg."""
        return self._participant(room_id, call_id)[1].participant_id

    def people(self, room_id: str) -> list[Participant]:
        """Who is in a room now; nobody when it is idle."""
        run = self._switch.runs.get(room_id)
        return list(run.participants.values()) if run else []

    def truth(self) -> dict[str, RoomTruth]:
        """Tell what is really so, in our own words: every configured room, and every other that runs."""
        rooms = dict.fromkeys([*self._documents.stored, *self._switch.runs])
        return {one: truth_of(self._document(one), self._switch.runs.get(one)) for one in rooms}

    # The hand: rooms

    def add_room(
        self,
        name: str = "Room",
        *,
        room_id: str | None = None,
        numbers: Sequence[str] = (),
        member_pins: Sequence[str] = (),
        moderator_pins: Sequence[str] = (),
        fields: Json | None = None,
    ) -> str:
        """Store a conference document; `fields` is merged over the rest.

        Errors: answers.CrossbarError when the schema refuses it.
        """
        document: Json = {
            "name": name,
            "owner_id": self.owner_id,
            "conference_numbers": list(numbers),
            "member": {"pins": list(member_pins)},
            "moderator": {"pins": list(moderator_pins)},
        }
        stored = self._documents.create(merge(document, fields or {}), room_id)
        return str(stored.document["id"])

    def add_endpoint(self, endpoint_id: str, name: str, number: str, owner_id: str | None = None) -> None:
        """Give the account a device or user that `dial` can reach by its id."""
        self._dialling.known[endpoint_id] = Endpoint(endpoint_id, name, number, owner_id)

    def open_room(self, room_id: str) -> None:
        """Start a run with nobody in it yet."""
        self._start_run(room_id)

    def close_room(self, room_id: str) -> None:
        """Let everybody leave."""
        self._switch.clear(self._run(room_id))

    def set_locked(self, room_id: str, locked: bool) -> None:
        """Lock or unlock the room as a moderator can from a phone."""
        self._switch.set_locked(self._run(room_id), locked)

    # The hand: participants

    def someone_joins(
        self,
        room_id: str,
        name: str = "Ann Example",
        number: str = "+12025550100",
        *,
        moderator: bool = False,
        muted: bool | None = None,
        owner_id: str | None = None,
        call_id: str | None = None,
    ) -> str:
        """Let somebody join, starting the run if need be; `muted` None follows the room's own setting.

        Errors: switch.JoinRefusedError when the room is locked or full.
        """
        role = child(self._document(room_id), "moderator" if moderator else "member")
        joined = self._switch.join(
            self._start_run(room_id),
            name=name,
            number=number,
            moderator=moderator,
            muted=role.get("join_muted") is True if muted is None else muted,
            deafened=role.get("join_deaf") is True,
            owner_id=owner_id,
            call_id=call_id,
        )
        return joined.call_id

    def someone_leaves(self, room_id: str, call_id: str) -> None:
        """Let somebody hang up; the last one ends the run."""
        self._switch.leave(self._run(room_id), self._participant(room_id, call_id)[1].call_id)

    def talks(self, room_id: str, call_id: str, talking: bool = True) -> None:
        """Let somebody begin or end to talk."""
        self._switch.set_talking(*self._participant(room_id, call_id), talking)

    def set_muted(self, room_id: str, call_id: str, muted: bool) -> None:
        """As by the participant's own keys: no command is involved."""
        self._switch.set_muted(*self._participant(room_id, call_id), muted)

    def set_deafened(self, room_id: str, call_id: str, deafened: bool) -> None:
        """As by the participant's own keys."""
        self._switch.set_deafened(*self._participant(room_id, call_id), deafened)

    # The hand: things that go wrong

    def drop_link(self) -> None:
        """Cut every event socket without a close frame."""
        for session in list(self._blackhole.sessions):
            session.socket.cut()

    def expire_tokens(self) -> None:
        """Every token becomes worthless now; sessions that signed in with one live on."""
        self._tokens.revoke_all()

    def restart_controller(self) -> None:
        """Let the switch controller forget all but the calls; each participant's next event brings it back."""
        self._switch.forget()

    def send_raw(self, data: bytes | str) -> None:
        """Send one text frame with exactly these bytes to every session that has signed in."""
        self._blackhole.push_raw(data.encode() if isinstance(data, str) else data)

    def answer_raw(self, method: str, path: str, body: bytes, status: int = 200) -> None:
        """Answer the next such request with exactly these bytes; the path starts below the account."""
        self._web.raw_answers.append(RawAnswer(method, path.strip("/"), body, status))

    # Inside

    def _publish(self, notice: Notice) -> None:
        self._stirred.set()
        if notice.event in self.faults.drop_events:
            return
        if notice.event == "del-member" and self.faults.lose_last_del and not notice.run.participants:
            return
        self._blackhole.deliver(notice)

    def _start_run(self, room_id: str) -> Run:
        limit = self._document(room_id).get("max_participants")
        return self._switch.start(room_id, limit if isinstance(limit, int) else 0)

    def _document(self, room_id: str) -> Json:
        stored = self._documents.stored.get(room_id)
        return stored.document if stored else self._documents.defaults(room_id)

    def _run(self, room_id: str) -> Run:
        if room_id not in self._switch.runs:
            raise LookupError(f"room {room_id} is idle")
        return self._switch.runs[room_id]

    def _participant(self, room_id: str, call_id: str) -> tuple[Run, Participant]:
        run = self._run(room_id)
        if call_id not in run.participants:
            raise LookupError(f"nobody with call {call_id} is in room {room_id}")
        return run, run.participants[call_id]
