"""The event half: websocket sessions, their subscriptions, and the delivery of events to them."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import msgspec

from adapters.kit.listener import EventSocket, text_frame

from .bindings import Binding, BindingError, parse
from .faults import Faults, RateLimit
from .generation import Traits
from .shapes import Json, child, decoded, gregorian
from .switch import Notice, routing_word
from .tokens import Account, Tokens
from .wording import Wording

_MOST_WAITING = 50
"4.3 and 5 drop what waits for a slow client beyond this."


@dataclass(slots=True, eq=False)
class Session:
    """One websocket: who it is, what it subscribed to, and the data of its last reply.

    The first good token signs the session in for good.
    """

    session_id: str
    peer: str
    socket: EventSocket
    opened_at: int
    account_id: str | None = None
    bindings: dict[str, Binding] = field(default_factory=dict)
    last_data: Json = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    """What was delivered since the start."""

    events: int = 0
    frames: int = 0
    dropped: int = 0


class Shuffle:
    """Holds the frames of a short window and lets them go in another order."""

    WINDOW_S = 0.02
    MOST = 8

    def __init__(self, rng: Random, push: Callable[[Session, bytes], None]) -> None:
        self._rng = rng
        self._push = push
        self._held: list[tuple[Session, bytes]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, session: Session, frame: bytes) -> None:
        """Hold a frame until the window is full or over."""
        self._held.append((session, frame))
        if len(self._held) >= self.MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.WINDOW_S, self.flush)

    def flush(self) -> None:
        """Let everything held go now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        shuffled = self._rng.sample(held, len(held))
        for session, frame in reversed(held) if shuffled == held else shuffled:
            self._push(session, frame)


class Blackhole:
    """All sessions and the way of an event to those that subscribed to it."""

    def __init__(
        self,
        *,
        traits: Traits,
        faults: Faults,
        account: Account,
        tokens: Tokens,
        wording: Wording,
        limit: RateLimit,
        clock: Callable[[], float],
        rng: Random,
    ) -> None:
        self.sessions: set[Session] = set()
        self.counters = Counters()
        self._traits = traits
        self._faults = faults
        self._account = account
        self._tokens = tokens
        self._wording = wording
        self._limit = limit
        self._clock = clock
        self._rng = rng
        self._of_room: dict[str, dict[tuple[Session, str], bytes]] = {}
        self._serial = itertools.count(1)
        self.shuffle = Shuffle(rng, self._push)

    # Sessions

    def open(self, socket: EventSocket, peer: str, token: str | None) -> Session:
        """Begin a session; a token from the upgrade signs it in."""
        session = Session(f"{self._rng.getrandbits(64):016x}", peer, socket, gregorian(self._clock()))
        if token is not None:
            self.sign_in(session, token)
        self.sessions.add(session)
        return session

    def close(self, session: Session) -> None:
        """End a session and everything it subscribed to."""
        self.sessions.discard(session)
        self._limit.forget((session.session_id, ""))
        for requested in list(session.bindings):
            self._unbind(session, requested)

    def knows(self, token: str) -> bool:
        """Whether this is a token of ours that still counts."""
        return self._tokens.claims(token) is not None

    def sign_in(self, session: Session, token: str) -> bool:
        """Sign a session in for good; False when the token is not good."""
        claims = self._tokens.claims(token)
        if claims is None:
            return False
        session.account_id = str(claims["account_id"])
        return True

    def described(self) -> list[Json]:
        """Show every session as GET .../websockets does."""
        return [
            {
                "websocket_session_id": one.session_id,
                "auth_account_id": one.account_id,
                "bindings": list(one.bindings),
                "timestamp": one.opened_at,
                "source": one.peer,
            }
            for one in self.sessions
        ]

    # Requests

    def answer(self, session: Session, text: str) -> Json:
        """Reply to one frame; what is not a JSON object counts as an empty one."""
        request = decoded(text) or {}
        request_id = request.get("request_id") or f"{self._rng.getrandbits(64):016x}"
        reply: Json = {"action": "reply", "request_id": request_id}
        try:
            data = self._obey(session, request)
        except BindingError as refusal:
            return {**reply, "status": "error", "data": {"errors": [str(refusal)]}}
        session.last_data = data
        return {**reply, "status": "success", "data": data}

    def _obey(self, session: Session, request: Json) -> Json:
        if not self._limit.allows((session.session_id, ""), self._clock()):
            raise BindingError(f"rate limiting threshold hit for {session.peer}!")
        self._authenticate(session, request.get("auth_token"))
        match request.get("action"):
            case "subscribe":
                return self._subscribe(session, child(request, "data"))
            case "unsubscribe":
                return self._unsubscribe(session, child(request, "data"))
            case "ping" if self._pings:
                return {"response": "pong"}
        # Nobody handles it, so the reply carries what the one before it did.
        return {} if self._traits.kazoo5 else session.last_data

    @property
    def _pings(self) -> bool:
        return self._traits.pings if self._faults.ping_module is None else self._faults.ping_module

    def _authenticate(self, session: Session, token: object) -> None:
        if session.account_id is not None:
            return
        if not isinstance(token, str) or not token:
            raise BindingError("authentication token required")
        if not self.sign_in(session, token):
            raise BindingError(f"failed to authenticate token {token}")

    def _wanted(self, session: Session, data: Json) -> tuple[str, list[Binding]]:
        """Read the account and the bindings a request names.

        Errors: BindingError.
        """
        account, names = self._named(session, data)
        # "*" stands for every account: only a super-duper admin may, and this account is none.
        return account, [parse(name, account, self._traits) for name in names]

    def _named(self, session: Session, data: Json) -> tuple[str, list[str]]:
        if self._traits.kazoo5:
            listed = data.get("bindings")
            names = listed if isinstance(listed, list) else [data["binding"]] if data.get("binding") else []
            if not names:
                raise BindingError("empty subscription")
            return str(data.get("account_id", session.account_id)), [str(name) for name in names]
        if not data:
            raise BindingError("missing required keys in data object")
        missing = [key for key in ("account_id", "binding") if key not in data]
        if missing:
            raise BindingError(f"missing required keys : {', '.join(missing)}")
        return str(data["account_id"]), [str(data["binding"])]

    def _subscribe(self, session: Session, data: Json) -> Json:
        account, bindings = self._wanted(session, data)
        if account == "*":
            raise BindingError("unauthorized wildcard account id")
        if account != self._account.account_id:
            raise BindingError("unauthorized account id")
        added = [one.requested for one in bindings if one.requested not in session.bindings]
        for binding in bindings:
            self._bind(session, binding)
        if self._traits.kazoo5:
            return {"subscribed": added, "subscriptions": list(session.bindings)}
        return {"subscribed": list(session.bindings)}

    def _unsubscribe(self, session: Session, data: Json) -> Json:
        _, bindings = self._wanted(session, data)
        removed = [one.requested for one in bindings]
        for requested in removed:
            self._unbind(session, requested)
        left = "subscriptions" if self._traits.kazoo5 else "subscribed"
        return {"unsubscribed": removed, left: list(session.bindings)}

    def _bind(self, session: Session, binding: Binding) -> None:
        session.bindings[binding.requested] = binding
        if not binding.event:
            return
        # Everything of an event's envelope that stays the same for this subscription.
        head = msgspec.json.encode(
            {"action": "event", "subscribed_key": binding.requested, "subscription_key": binding.key}
        )
        self._of_room.setdefault(binding.room, {})[session, binding.requested] = head[:-1]

    def _unbind(self, session: Session, requested: str) -> None:
        binding = session.bindings.pop(requested, None)
        if binding is None:
            return
        heads = self._of_room.get(binding.room, {})
        heads.pop((session, requested), None)
        if not heads:
            self._of_room.pop(binding.room, None)

    # Events

    def deliver(self, notice: Notice) -> None:
        """Send one event, once for each binding that matches it."""
        self.counters.events += 1
        room = routing_word(notice.run.room_id)
        heads = self._of_room.get(room)
        if not heads:
            return
        leg = notice.participant.call_word if notice.participant else room
        tail = self._tail(notice, room, leg)
        for (session, requested), head in heads.items():
            if session.bindings[requested].matches(notice.event, leg):
                frame = text_frame(head + tail)
                for _ in range(2 if self._faults.duplicate_events else 1):
                    self._send(session, frame)

    def push_raw(self, payload: bytes) -> None:
        """Send these bytes to every session that has signed in."""
        frame = text_frame(payload)
        for session in self.sessions:
            if session.account_id is not None:
                self._push(session, frame)

    def _send(self, session: Session, frame: bytes) -> None:
        if self._faults.shuffle_events:
            self.shuffle.add(session, frame)
        else:
            self._push(session, frame)

    def _push(self, session: Session, frame: bytes) -> None:
        most = _MOST_WAITING if self._traits.drops_when_slow else None
        if session.socket.push(frame, most):
            self.counters.frames += 1
        else:
            self.counters.dropped += 1

    def _tail(self, notice: Notice, room: str, leg: str) -> bytes:
        if self._traits.account_in_routing_key:
            routing_key = f"conference.event.{notice.event}.{self._account.account_id}.{room}.{leg}"
        else:
            routing_key = f"conference.event.{room}.{leg}"
        data = self._wording.event(notice, f"{next(self._serial):016x}")
        rest: Json = {"name": data["event_name"], "routing_key": routing_key, "data": data}
        return b"," + msgspec.json.encode(rest)[1:]
