"""The sockets of clients: what is sent on them, and what is kept while one is gone.

Inferred: the answer to a subscription brings a newer token for recovery, which makes the older one worthless;
          sockets stay open when access tokens expire and close when the session is revoked; Error WSG-401 for a bad
          token of the socket, WSG-1001 for a recovery that comes too late; after an Error frame the socket closes
          with 1000. What was missed comes a moment after ConnectionDetails, or before the answer to the first frame:
          a client of RingCentral's own does not see what comes in one packet with ConnectionDetails.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

import msgspec

from adapters.kit.listener import EventSocket, text_frame

from .faults import Faults
from .oauth import Login
from .shapes import Json
from .subscriptions import Subscription, Subscriptions
from .timers import Due, Timers

Frame: TypeAlias = list[Json]
RECOVERY_BUFFER = 100
REPLAY_AFTER_S = 0.02
_ENDS = {"WSG-902": "Idle timeout is exceeded", "WSG-903": "Absolute timeout is exceeded"}


@dataclass(slots=True)
class SocketLimits:
    """How long sockets live.

    Units: seconds.
    """

    idle_s: float = 1800
    absolute_s: float = 86_400
    recovery_s: float = 180


@dataclass(slots=True, eq=False)
class Link:
    """One client's session on sockets: it outlives a connection for a while."""

    login: Login
    connection: EventSocket | None = None
    subscription: Subscription | None = None
    wsc: str = field(default="", repr=False)
    wsc_sequence: int = 0
    held: deque[Json] = field(default_factory=lambda: deque(maxlen=RECOVERY_BUFFER))
    replay: asyncio.TimerHandle | None = None
    "while what was missed waits to be sent"
    end: Due | None = None
    "when the connection has lived for too long, or the link without one"

    def renewed_wsc(self) -> Json:
        """Make a newer token for recovery."""
        self.wsc = secrets.token_urlsafe(24)
        self.wsc_sequence += 1
        return {"token": self.wsc, "sequence": self.wsc_sequence}


class Links:
    """All sockets, open or recoverable."""

    def __init__(
        self,
        faults: Faults,
        timers: Timers,
        subscriptions: Subscriptions,
        limits: SocketLimits,
        stirred: Callable[[], None],
    ) -> None:
        self.all: list[Link] = []
        self.limits = limits
        self.tokens: deque[str] = deque(maxlen=10_000)
        self._faults = faults
        self._timers = timers
        self._subscriptions = subscriptions
        self._stirred = stirred

    @property
    def open_ones(self) -> list[Link]:
        """Those with a connection."""
        return [one for one in self.all if one.connection is not None]

    # Begin and end

    def open(self, login: Login, connection: EventSocket, wsc: str | None) -> Link | None:
        """Begin with ConnectionDetails, recovering what was there; None when the token for that is none."""
        before = next((one for one in self.all if one.wsc == wsc), None) if wsc is not None else None
        if wsc is not None and before is None and wsc not in self.tokens:
            self.refuse(connection, 400, "WSG-400", "Malformed WebSocket session context token")
            return None
        failure = self._unrecoverable(before, login) if wsc is not None else None
        link = before if before is not None and failure is None else Link(login)
        if link is before:
            self._detach(link)
        else:
            self.all.append(link)
        link.connection = connection
        link.end = self._timers.after(self.limits.absolute_s, lambda: self.end(link, "WSG-903"))
        self._welcome(link, None if wsc is None else (failure or "Successful"))
        return link

    def _unrecoverable(self, before: Link | None, login: Login) -> str | None:
        if before is None or self._faults.recovery_fails:
            return "WSG-1001"
        if before.login is not login:
            return "WSG-1003"
        if before.subscription is None:
            return "WSG-1005"
        return None

    def _welcome(self, link: Link, recovery: str | None) -> None:
        details: Json = {
            "creationTime": "2026-01-05T08:00:00.000+0000",
            "maxConnectionsPerSession": 50,
            "recoveryBufferSize": RECOVERY_BUFFER,
            "recoveryTimeout": int(self.limits.recovery_s),
            "idleTimeout": int(self.limits.idle_s),
            "absoluteTimeout": int(self.limits.absolute_s),
            "maxActiveRequests": 10,
        }
        if recovery == "Successful":
            details["recoveryState"] = recovery
        elif recovery is not None:
            details |= {"recoveryState": "Failed", "recoveryErrorCode": recovery}
        meta = _meta("ConnectionDetails", str(uuid4())) | {"status": 200, "wsc": self.renewed(link)}
        self.send(link, [meta, details])
        if recovery == "Successful":
            loop = asyncio.get_running_loop()
            link.replay = loop.call_later(REPLAY_AFTER_S, lambda: self.replay(link))

    def replay(self, link: Link) -> None:
        """Send what was missed, unless that has been done."""
        if link.replay is not None:
            link.replay.cancel()
            link.replay = None
            while link.held and not self._faults.mute_sockets:
                self.send(link, _notification(link.held.popleft()))

    def renewed(self, link: Link) -> Json:
        """Give a link a newer token for recovery."""
        wsc = link.renewed_wsc()
        self.tokens.append(link.wsc)
        return wsc

    def lost(self, link: Link, connection: EventSocket) -> None:
        """Keep what a client may come back to, when its connection has ended."""
        if link.connection is not connection or link not in self.all:
            return
        self._detach(link)
        link.end = self._timers.after(self.limits.recovery_s, lambda: self.drop(link))

    def _detach(self, link: Link) -> None:
        connection, link.connection = link.connection, None
        if link.replay is not None:
            link.replay.cancel()
            link.replay = None
        if link.end is not None:
            link.end.cancel()
        if connection is not None:
            connection.cut()

    def drop(self, link: Link) -> None:
        """Forget a link and its subscription."""
        self._detach(link)
        if link in self.all:
            self.all.remove(link)
        if link.subscription is not None:
            self._subscriptions.remove(link.subscription)

    def end(self, link: Link, code: str) -> None:
        """Say with an Error frame why the connection ends, and end it; it can be recovered."""
        connection = link.connection
        if connection is not None:
            self.refuse(connection, 408, code, _ENDS.get(code, "The connection is closed"))
            self.lost(link, connection)

    def refuse(self, connection: EventSocket, status: int, code: str, text: str) -> None:
        """Say with an Error frame what is wrong, and close."""
        self._push(connection, error_frame(str(uuid4()), status, code, text))
        connection.say_goodbye(1000)

    # Frames

    def send(self, link: Link, frame: Frame) -> None:
        """Send a frame, if there is a connection."""
        if link.connection is not None:
            self._push(link.connection, frame)

    def deliver(self, link: Link, notification: Json) -> None:
        """Send a notification, or keep it for who comes back."""
        if link.connection is None or link.replay is not None or self._faults.mute_sockets:
            link.held.append(notification)
        else:
            self.send(link, _notification(notification))
        self._stirred()

    def send_raw(self, payload: bytes) -> None:
        """Send one text frame with these bytes to everybody."""
        for link in self.open_ones:
            if link.connection is not None:
                link.connection.push(text_frame(payload), None)

    def _push(self, connection: EventSocket, frame: Frame) -> None:
        if not self._faults.mute_sockets:
            connection.push(text_frame(msgspec.json.encode(frame)), None)


def error_frame(message_id: str, status: int, code: str, text: str) -> Frame:
    """Write an Error frame."""
    return [_meta("Error", message_id) | {"status": status}, {"errorCode": code, "message": text}]


def _notification(notification: Json) -> Frame:
    return [_meta("ServerNotification", str(notification["uuid"])) | {"status": 200}, notification]


def _meta(kind: str, message_id: str) -> Json:
    return {"type": kind, "messageId": message_id, "headers": {"RCRequestId": str(uuid4())}}
