"""The simulated Bandwidth as a whole: its server, its faults, and the hand that makes things happen."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from random import Random

from adapters.kit.listener import Listener, Serving

from .api import Api, Command
from .callbacks import Callbacks, Message
from .calling import Calling
from .calls import Call, Calls
from .conferences import LONGEST_S, Conference, Conferences, Member
from .conferencing import Conferencing
from .faults import Faults
from .hooks import Hooks
from .limits import Limits
from .notices import Notice
from .notifier import Notifier
from .phones import Phones
from .shapes import Json
from .sounds import Sounds
from .timers import Timers
from .truth import RoomTruth, truth_of
from .web import Received, Web
from .wording import Wording

SOUND_LASTS_S = 3.0


class BandwidthSimulator(Serving):
    """A small Bandwidth: one user's conferences and calls over REST, callbacks to whoever wants them, no telephones.

    Units: `requests_per_second` is for each endpoint, None for no limit; `lasts_s` is the longest time of a
           conference, `sound_s` how long a sound lasts, both in seconds; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user_id: str = "u-simulated",
        token: str = "t-simulated",  # noqa: S107  # of a server on loopback
        secret: str = "s-simulated-secret",  # noqa: S107  # of a server on loopback
        number: str = "+12025550123",
        requests_per_second: float | None = None,
        lasts_s: float = LONGEST_S,
        sound_s: float = SOUND_LASTS_S,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        rng = Random(seed)
        self.user_id = user_id
        self.token = token
        self.secret = secret
        self.number = number
        self.application_url: str | None = None
        "where the application that the number belongs to wants calls that come in to be told"
        self.faults = Faults()
        self.phones = Phones()
        self.requests: deque[Received] = deque(maxlen=10_000)
        self._clock = clock
        self._stirred = asyncio.Event()
        self.timers = Timers(clock, self._stirred.set)
        self._wording = Wording(self.faults, lambda: self._base_url, clock)
        self._callbacks = Callbacks(self._stirred.set)
        self._notifier = Notifier(self.faults, self._wording, self._callbacks, rng)
        self._calls = Calls(clock, rng, self._tell)
        self._sounds = Sounds(self.timers, self._tell, sound_s)
        self._conferences = Conferences(
            self.faults, self._calls, self.timers, clock=clock, rng=rng, tell=self._tell, lasts_s=lasts_s
        )
        self._conferences.completing = self._sounds.stop
        self._calls.answered = self._conferences.call_answered
        self._calls.ended = self._call_ended
        self._limits = Limits(self.faults, clock, requests_per_second)
        self._api = Api(self.faults, self._limits, rng, (*self._conferencing().routes, *self._calling().routes))
        web = Web(
            faults=self.faults,
            api=self._api,
            user_id=user_id,
            login=f"{token}:{secret}",
            url=lambda: self.url,
            received=self._received,
            stirred=self._stirred.set,
        )
        self._listener = Listener(web.app, host, port)

    # The server

    async def start(self) -> None:
        """Listen; after a stop on the same port as before.

        Errors: OSError when the port is taken.
        """
        await super().start()
        self._callbacks.start()
        self.timers.start()

    async def stop(self) -> None:
        """Close every connection. Conferences and calls stay for the next start; who is not told yet never is."""
        self.timers.stop()
        self._notifier.shuffle.flush()
        await self._callbacks.stop()
        await super().stop()

    @property
    def url(self) -> str:
        """Where `/v1` is found."""
        return f"http://{self.address}"

    # What can be seen from outside the protocol

    @property
    def commands(self) -> deque[Command]:
        """The latest requests that change something, refused ones too unless before they were looked at."""
        return self._api.commands

    @property
    def callbacks(self) -> deque[Json]:
        """The latest events that went out, whether they arrived or not; doubled ones twice."""
        return self._callbacks.sent

    @property
    def callbacks_failed(self) -> int:
        """How many callbacks nobody has taken, at the address for failures neither."""
        return self._callbacks.failed

    @property
    def callbacks_answered(self) -> bool:
        """Whether nobody waits for a callback that is due, and every one sent has been answered or given up."""
        return not self._callbacks.under_way and not self._notifier.shuffle.holds

    @property
    def secrets(self) -> list[str]:
        """Everything that may be seen nowhere but on the wire."""
        return [self.token, self.secret]

    @property
    def conference_ids(self) -> list[str]:
        """The conferences that are not completed, the oldest first."""
        return [one.conference_id for one in self._conferences]

    @property
    def calls(self) -> list[Call]:
        """All calls, those that ended among them, the oldest first."""
        return list(self._calls.by_id.values())

    @property
    def requests_per_second(self) -> float | None:
        """The rate for each endpoint."""
        return self._limits.rate

    @requests_per_second.setter
    def requests_per_second(self, rate: float | None) -> None:
        self._limits.rate = rate

    def conference(self, conference_id: str) -> Conference:
        """Give a conference as it is now, completed or not.

        Errors: LookupError.
        """
        if conference_id not in self._conferences.by_id:
            raise LookupError(f"there is no conference {conference_id}")
        return self._conferences.by_id[conference_id]

    def call(self, call_id: str) -> Call:
        """Give a call as it is now.

        Errors: LookupError.
        """
        if call_id not in self._calls.by_id:
            raise LookupError(f"there is no call {call_id}")
        return self._calls.by_id[call_id]

    def truth(self) -> dict[str, RoomTruth]:
        """Tell what is really so, in our own words: every conference that is not completed."""
        return {one.conference_id: truth_of(one) for one in self._conferences}

    # The hand: calls

    def make_call(self, number: str = "+12025550100", *, inbound: bool = True, answered: bool = True) -> str:
        """Let another application have a call with somebody, and give it; `answered` False lets it ring."""
        if inbound:
            call = self._calls.ring(number, self.number, self.application_url)
        else:
            call = self._calls.dial(self.number, number)
        if answered:
            self._calls.answer(call)
        self._stirred.set()
        return call.call_id

    def answer(self, call_id: str) -> None:
        """Let a call that rings be picked up.

        Errors: failures.ApiError when it does not ring.
        """
        self._calls.answer(self.call(call_id))

    def reject(self, call_id: str, cause: str = "CALL_REJECTED") -> None:
        """Let a call that rings be refused.

        Errors: failures.ApiError when it does not ring.
        """
        self._calls.reject(self.call(call_id), cause)

    def ring_out(self, call_id: str) -> None:
        """Let the time be over in which a call could be answered.

        Errors: failures.ApiError when it does not ring.
        """
        self._calls.ring_out(self.call(call_id))

    def hang_up(self, call_id: str) -> None:
        """Let the far end of a call hang up.

        Errors: failures.ApiError when it has ended.
        """
        self._calls.hang_up(self.call(call_id))

    # The hand: conferences

    def open_conference(
        self, *, from_: str | None = None, callback_url: str | None = None, tag: str | None = None
    ) -> str:
        """Let another application make a conference."""
        hooks = Hooks(callback_url)
        conference = self._conferences.create(from_ or self.number, profile="interpret_digits", tag=tag, hooks=hooks)
        self._stirred.set()
        return conference.conference_id

    def bring_in(self, conference_id: str, call_id: str) -> str:
        """Let another application add a call, and give the member.

        Errors: failures.ApiError when it is refused.
        """
        conference = self._conferences.open(self.conference(conference_id).conference_id)
        return self._conferences.add(conference, self.call(call_id)).member_id

    def join(self, conference_id: str, number: str = "+12025550100", *, inbound: bool = True) -> str:
        """Let somebody have a call and be added, and give the member.

        Errors: failures.ApiError when it is refused.
        """
        return self.bring_in(conference_id, self.make_call(number, inbound=inbound))

    def member_leaves(self, conference_id: str, member_id: str) -> None:
        """Let a member hang up.

        Errors: failures.ApiError when they have.
        """
        self._calls.hang_up(self._member(conference_id, member_id).call)

    def remove(self, conference_id: str, member_id: str) -> None:
        """Let another application remove a member, whose call goes on.

        Errors: failures.ApiError when they have left.
        """
        self._conferences.remove(self.conference(conference_id), self._member(conference_id, member_id))

    def set_muted(self, conference_id: str, member_id: str, muted: bool) -> None:
        """Let another application set a member's own flag.

        Errors: failures.ApiError when they have left.
        """
        member = self._member(conference_id, member_id)
        self._conferences.set_member(self.conference(conference_id), member, mute=muted)

    def set_hold(self, conference_id: str, member_id: str, hold: bool) -> None:
        """Let another application set a member's own flag.

        Errors: failures.ApiError when they have left.
        """
        member = self._member(conference_id, member_id)
        self._conferences.set_member(self.conference(conference_id), member, hold=hold)

    def mute_conference(self, conference_id: str, muted: bool) -> None:
        """Let another application set the flag of the whole."""
        self._conferences.set_whole(self.conference(conference_id), mute=muted)
        self._stirred.set()

    def hold_conference(self, conference_id: str, hold: bool) -> None:
        """Let another application set the flag of the whole."""
        self._conferences.set_whole(self.conference(conference_id), hold=hold)
        self._stirred.set()

    def complete(self, conference_id: str) -> None:
        """Let another application end a conference; one that has ended stays as it is."""
        self._conferences.complete(self.conference(conference_id))

    # The hand: things that go wrong

    def send(self, conference_id: str, body: bytes | Json) -> None:
        """Send anything to where the callbacks of a conference go, after what waits: bytes are sent as they are.

        Errors: LookupError when they go nowhere.
        """
        conference = self.conference(conference_id)
        if conference.hooks.url is None:
            raise LookupError(f"nobody wants the callbacks of {conference_id}")
        self._callbacks.send(Message(conference_id, conference.hooks, body))

    # Inside

    @property
    def _base_url(self) -> str:
        return f"{self.url}/v1/users/{self.user_id}"

    def _member(self, conference_id: str, member_id: str) -> Member:
        members = self.conference(conference_id).members
        if member_id not in members:
            raise LookupError(f"there is no member {member_id}")
        return members[member_id]

    def _tell(self, notice: Notice) -> None:
        self._notifier.tell(notice)
        self._stirred.set()

    def _received(self, method: str, path: str) -> None:
        self.requests.append(Received(method, path, self._clock()))
        self._stirred.set()

    def _call_ended(self, call: Call) -> None:
        self._sounds.stop(call)
        self._conferences.call_ended(call)

    def _conferencing(self) -> Conferencing:
        return Conferencing(self.faults, self._conferences, self._calls, self._sounds, self._wording)

    def _calling(self) -> Calling:
        return Calling(
            self.faults,
            self._calls,
            self._conferences,
            phones=self.phones,
            timers=self.timers,
            sounds=self._sounds,
            wording=self._wording,
            base_url=lambda: self._base_url,
        )
