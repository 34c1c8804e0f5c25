"""The simulated RingCentral as a whole: its server, its faults, and the hand that makes things happen."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random

from adapters.kit.listener import Listener, Serving

from .api import Api, Command, Received
from .calls import Calls
from .conferences import Conferences
from .directory import Directory
from .effects import Effects
from .faults import Faults
from .limits import Group, Limits
from .links import Links, SocketLimits
from .notifier import Notifier, Sent
from .oauth import Lives, OAuth
from .people import Account, DeviceType, Extension
from .sessions import Notice, Party, Peer, Session, Sessions
from .subscribing import Subscribing
from .subscriptions import Subscription, Subscriptions
from .talk import Talk
from .telephony import Telephony
from .timers import Timers
from .truth import RoomTruth, truth_of
from .web import Web
from .webhooks import ANSWER_WITHIN_S, Webhooks


class RingCentralSimulator(Serving):
    """A small RingCentral: sign-in, Call Control and notifications on one port, one account, and no telephones.

    Units: `host_wait_s`, `limit_window_s`, `penalty_s` and `answer_within_s` (of a webhook) are seconds; `clock` gives
           Unix seconds. `capacity` is parties of a conference, its host among them.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        account_id: str = "809646016",
        client_id: str = "simulated-app",
        client_secret: str | None = None,
        lives: Lives | None = None,
        most_sessions: int = 5,
        capacity: int = 10,
        host_wait_s: float = 38,
        sockets: SocketLimits | None = None,
        limits: Mapping[Group, int] | None = None,
        limit_window_s: float = 60,
        penalty_s: float = 60,
        answer_within_s: float = ANSWER_WITHIN_S,
        blacklist_after: int = 5,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        rng = Random(seed)
        self.client_id = client_id
        self.client_secret = client_secret or secrets.token_urlsafe(16)
        self.faults = Faults()
        self._stirred = asyncio.Event()
        self.timers = Timers(clock, self._stirred.set)
        self._account = Account(account_id, rng)
        self._oauth = OAuth(
            self._account,
            self.faults,
            clock,
            client_id=client_id,
            client_secret=self.client_secret,
            lives=lives or Lives(),
            most_sessions=most_sessions,
        )
        self._sessions = Sessions(self.faults, clock, rng, self._publish)
        self._calls = Calls(self._account, self._sessions)
        self._conferences = Conferences(
            self._account, self._sessions, self._calls, self.timers, capacity=capacity, host_wait_s=host_wait_s
        )
        self._subscriptions = Subscriptions(clock, self.timers)
        self._notifier = Notifier(
            self._account,
            self.faults,
            self._subscriptions,
            clock=clock,
            rng=rng,
            session_of=self._sessions.by_id.get,
        )
        self._links = Links(self.faults, self.timers, self._subscriptions, sockets or SocketLimits(), self._stirred.set)
        self._webhooks = Webhooks(
            self.faults, clock, self._stirred.set, answer_within_s=answer_within_s, blacklist_after=blacklist_after
        )
        self._effects = Effects(self.faults, self.timers)
        request_limits = Limits(self.faults, clock, per_window=limits, window_s=limit_window_s, penalty_s=penalty_s)
        self._api = Api(
            self.faults,
            request_limits,
            (
                *Telephony(
                    self._account,
                    self.faults,
                    sessions=self._sessions,
                    calls=self._calls,
                    conferences=self._conferences,
                    effects=self._effects,
                ).routes,
                *Directory(self._account, self._sessions).routes,
                *Subscribing(self._account, self._subscriptions, self._links, self._webhooks, clock).routes,
            ),
        )
        web = Web(
            faults=self.faults,
            oauth=self._oauth,
            limits=request_limits,
            api=self._api,
            links=self._links,
            talk=Talk(self.faults, self._api, self._links, self._stirred.set),
            socket_url=lambda: self.socket_url,
            stirred=self._stirred.set,
        )
        self._listener = Listener(web.app, host, port)

    # The server

    async def start(self) -> None:
        """Listen; after a stop on the same port as before.

        Errors: OSError when the port is taken.
        """
        await super().start()
        self.timers.arm()

    async def stop(self) -> None:
        """Close every connection. Calls, conferences, subscriptions and tokens stay for the next start."""
        self.timers.disarm()
        self._effects.cancel()
        self._notifier.shuffle.flush()
        await super().stop()
        await self._webhooks.stop()

    @property
    def url(self) -> str:
        """Where `/restapi` is found."""
        return f"http://{self.address}"

    @property
    def socket_url(self) -> str:
        """What the answer to wstoken names."""
        return f"ws://{self.address}/ws"

    # What can be seen from outside the protocol

    @property
    def account_id(self) -> str:
        """The one account."""
        return self._account.account_id

    @property
    def requests(self) -> deque[Received]:
        """The latest requests, sign-in among them."""
        return self._api.requests

    @property
    def commands(self) -> deque[Command]:
        """The latest requests that change calls or conferences, refused ones too unless before they were looked at."""
        return self._api.commands

    @property
    def notifications(self) -> deque[Sent]:
        """The latest notifications, each with its subscription; those kept for a recovery among them."""
        return self._notifier.sent

    @property
    def secrets(self) -> list[str]:
        """Everything that may be seen nowhere but on the wire."""
        tokens = [one.token for one in self._sessions.by_id.values() if one.token is not None]
        jwts = [one.jwt for one in self._account.extensions.values()]
        return [self.client_secret, *jwts, *self._oauth.issued, *self._links.tokens, *tokens]

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._links.open_ones)

    @property
    def subscriptions(self) -> list[Subscription]:
        """All subscriptions, those of sockets that may be recovered among them."""
        return list(self._subscriptions.by_id.values())

    def session(self, session_id: str) -> Session:
        """Give a call or conference as it is now.

        Errors: LookupError when there is none (any more).
        """
        if session_id not in self._sessions.by_id:
            raise LookupError(f"there is no session {session_id}")
        return self._sessions.by_id[session_id]

    def calls(self) -> list[str]:
        """List the sessions that are no conferences."""
        return [one.session_id for one in self._sessions.by_id.values() if not one.is_conference]

    def conferences(self) -> list[str]:
        """List the conferences, those that wait for their host among them."""
        return [one.session_id for one in self._sessions.by_id.values() if one.is_conference]

    def people(self, conference_id: str) -> list[Party]:
        """Who is in a conference or coming in, its host first."""
        session = self.session(conference_id)
        return [one for one in (session.host, *session.joined) if one is not None]

    def takes_more(self) -> list[str]:
        """List the conferences that somebody can be brought into now."""
        return [one for one in self.conferences() if self._conferences.takes_more(self.session(one))]

    def truth(self) -> dict[str, RoomTruth]:
        """Tell what is really so, in our own words: every conference."""
        return {one: truth_of(self.session(one), self._sessions, self._account) for one in self.conferences()}

    # The hand: people and calls

    def add_extension(
        self,
        name: str = "Ada Lambert",
        number: str = "101",
        *,
        jwt: str | None = None,
        devices: Sequence[DeviceType] = ("HardPhone", "WebPhone"),
    ) -> Extension:
        """Add somebody who may sign in."""
        return self._account.add(name, number, jwt, tuple(devices))

    def make_call(
        self,
        extension: Extension,
        number: str = "+12025550100",
        name: str | None = None,
        *,
        inbound: bool = False,
        answered: bool = True,
    ) -> str:
        """Let an extension call somebody, or be called, and give the session; `answered` False lets it ring."""
        ring = self._calls.ring if inbound else self._calls.dial
        session = ring(extension, number, name)
        self._calls.begin(session)
        if answered:
            self._calls.answer(session)
        return session.session_id

    def answers(self, session_id: str) -> None:
        """Let a call that rings be picked up."""
        self._calls.answer(self.session(session_id))

    def remote_hangs_up(self, session_id: str) -> None:
        """Let the other of a call hang up, whether it has become part of a conference or not."""
        session = self.session(session_id)
        self._conferences.leave(session, self._own_leg(session))

    def own_party_id(self, session_id: str) -> str:
        """Tell which leg of a call is the extension's own: the one to bring in."""
        return self._own_leg(self.session(session_id)).party_id

    # The hand: conferences

    def open_conference(self, extension: Extension, *, hosted: bool = True) -> str:
        """Let an app of the host make a conference, and its telephone dial in."""
        session = self._conferences.create(extension)
        if hosted:
            self._conferences.host_dials(session)
        self._stirred.set()
        return session.session_id

    def host_dials(self, conference_id: str) -> str:
        """Let the host's telephone call the token of a conference, and give the leg."""
        return self._conferences.host_dials(self.session(conference_id)).party_id

    def host_hangs_up(self, conference_id: str) -> None:
        """Let the host's telephone hang up, which ends the conference."""
        session = self.session(conference_id)
        self._conferences.remove(session, self._host_leg(session), keep=False)

    def host_leaves(self, conference_id: str) -> None:
        """Let the host leave the conference to the others, as an app can."""
        session = self.session(conference_id)
        self._conferences.remove(session, self._host_leg(session), keep=True)

    def bring_in(self, conference_id: str, session_id: str) -> str:
        """Let another app of the host bring in a call, and give the leg in the conference.

        Errors: failures.ApiError when it is refused.
        """
        conference, call = self.session(conference_id), self.session(session_id)
        asker = self._account.extensions[conference.owner_id]
        leg = self._conferences.bring_in(conference, asker, Peer(session_id, self._own_leg(call).party_id))
        self._conferences.join(conference, leg)
        return leg.party_id

    def set_muted(self, session_id: str, party_id: str, muted: bool) -> None:
        """Move the API's switch of a leg, as another app does."""
        session = self.session(session_id)
        self._calls.set_muted(session, session.party(party_id), muted)

    def mute_by_phone(self, session_id: str, party_id: str, muted: bool) -> None:
        """Move the telephone's own switch, which the wire does not show."""
        self.session(session_id).party(party_id).muted_by_phone = muted
        self._stirred.set()

    def set_hold(self, session_id: str, party_id: str, hold: bool) -> None:
        """Hold a leg or take it back, as its telephone does.

        Errors: failures.ApiError for a leg that is not up.
        """
        session = self.session(session_id)
        self._calls.set_hold(session, session.party(party_id), hold)

    # The hand: things that go wrong

    def drop_link(self) -> None:
        """Cut every socket without a close frame; each can be recovered."""
        for link in self._links.open_ones:
            if link.connection is not None:
                self._links.lost(link, link.connection)

    def close_sockets(self, code: str = "WSG-902") -> None:
        """Close every socket with an Error frame."""
        for link in self._links.open_ones:
            self._links.end(link, code)

    def forget_links(self) -> None:
        """Let nothing be recoverable any more; sockets that are open are cut."""
        for link in list(self._links.all):
            self._links.drop(link)

    def expire_tokens(self) -> None:
        """Every access token becomes worthless now; refresh tokens and sockets that are open stay good."""
        self._oauth.expire_access()

    def revoke_all(self) -> None:
        """End every OAuth session: no token is good, and their sockets close."""
        self._oauth.end_all()
        self.forget_links()

    def send_raw(self, data: bytes | str) -> None:
        """Send one text frame with exactly these bytes on every socket."""
        self._links.send_raw(data.encode() if isinstance(data, str) else data)

    # Inside

    def _publish(self, notice: Notice) -> None:
        self._notifier.tell(notice)
        self._stirred.set()

    @staticmethod
    def _own_leg(session: Session) -> Party:
        leg = session.own_leg(session.owner_id)
        if leg is None:
            raise LookupError(f"nobody's own leg is in {session.session_id}")
        return leg

    @staticmethod
    def _host_leg(session: Session) -> Party:
        if session.host is None:
            raise LookupError(f"{session.session_id} has no host now")
        return session.host
