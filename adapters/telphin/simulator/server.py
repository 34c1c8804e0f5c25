"""The simulated Telphin as a whole: its server, its faults, and the hand that makes things happen."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from random import Random

from adapters.kit.listener import Listener, Serving

from .account import Account
from .api import Access, Api, Route
from .calls import Caller, Calls
from .configuration import Configuration
from .extensions import CONFERENCE, PHONE, Extensions
from .faults import Faults
from .keypad import Keypad
from .notifier import Notifier, Sent
from .oauth import OAuth
from .quota import Quota
from .ringing import Answers
from .rooms import Leg, Room, Rooms
from .settings import changed
from .shapes import Json
from .subscribing import Subscribing
from .subscriptions import Subscription, Subscriptions
from .switchboard import Switchboard
from .telephony import Telephony
from .truth import RoomTruth, truth_of
from .web import Web
from .webhooks import ANSWER_WITHIN_S, Webhooks

_FIRST_ROOM, _FIRST_PHONE = 300, 101


class TelphinSimulator(Serving):
    """A small Telphin: one client, its extensions, and rooms that people call.

    Units: `quota` is requests an hour, `token_life_s` and `answer_within_s` (of a webhook) are seconds; `clock` gives
           Unix seconds; `most_events` is event handlers of the client.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        app_id: str = "simulated-app",
        app_secret: str | None = None,
        access: Access = "All",
        quota: int = 100_000,
        token_life_s: float = 3600,
        most_events: int = 1_000,
        answer_within_s: float = ANSWER_WITHIN_S,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        rng = Random(seed)
        self.app_id = app_id
        self.app_secret = app_secret or secrets.token_urlsafe(16)
        self.faults = Faults()
        self._stirred = asyncio.Event()
        self._oauth = OAuth(self.faults, clock, app_id=app_id, app_secret=self.app_secret, life_s=token_life_s)
        self._quota = Quota(quota, clock)
        self._extensions = Extensions(clock, rng)
        self._subscriptions = Subscriptions(most_events)
        self._webhooks = Webhooks(self._stirred.set, answer_within_s=answer_within_s)
        self._notifier = Notifier(
            self.faults, self._subscriptions, self._webhooks, clock=clock, rng=rng, stirred=self._stirred.set
        )
        self._calls = Calls(clock, rng)
        self._rooms = Rooms(clock)
        self._switchboard = Switchboard(
            self._extensions, self._calls, self._rooms, tell=self._notifier.tell, clock=clock, rng=rng
        )
        self._keypad = Keypad(self._switchboard)
        self._configuration = Configuration(self.faults, self._extensions, self._switchboard, self._subscriptions)
        self._api = Api(self.faults, self._quota, access, self._routes())
        self._web = Web(
            faults=self.faults, oauth=self._oauth, quota=self._quota, api=self._api, stirred=self._stirred.set
        )
        self._listener = Listener(self._web.app, host, port)

    def _routes(self) -> tuple[Route, ...]:
        extensions, configuration, switchboard = self._extensions, self._configuration, self._switchboard
        return (
            *configuration.routes,
            *Telephony(self.faults, extensions, switchboard, self._keypad, configuration).routes,
            *Subscribing(extensions, self._subscriptions, configuration).routes,
            *Account(self.faults, extensions, self._subscriptions, switchboard, configuration).routes,
        )

    # The server

    async def stop(self) -> None:
        """Close every connection. Rooms, calls, event handlers and tokens stay; webhooks not yet sent are lost."""
        self._switchboard.ringing.stop()
        self._notifier.shuffle.flush()
        await super().stop()
        await self._webhooks.stop()

    @property
    def url(self) -> str:
        """Where `/api` and `/oauth` are found."""
        return f"http://{self.address}"

    # What can be seen from outside the protocol

    @property
    def requests(self) -> deque[str]:
        """The latest requests as method and path, those for tokens among them."""
        return self._web.requests

    @property
    def commands(self) -> deque[str]:
        """The latest requests to change something, refused ones too: method, and path below the API."""
        return self._api.commands

    @property
    def upkeep(self) -> deque[str]:
        """The latest requests to make or remove event handlers, refused ones too."""
        return self._api.upkeep

    @property
    def webhooks(self) -> deque[Sent]:
        """The latest events sent, each with its handler; whether they arrived is not known."""
        return self._notifier.sent

    @property
    def secrets(self) -> list[str]:
        """Everything that may be seen nowhere but on the wire."""
        pins = [pin for room in self._rooms.by_id.values() for pin in (room.settings.pin, room.settings.moderator_pin)]
        return [self.app_secret, *self._oauth.issued, *(pin for pin in pins if pin is not None)]

    @property
    def client_id(self) -> str:
        """The one client."""
        return str(self._extensions.client_id)

    def subscriptions(self, room_id: str) -> list[Subscription]:
        """List the event handlers of a room, or of one that is gone."""
        return self._subscriptions.of(int(room_id))

    def rooms(self) -> list[str]:
        """List the rooms by the ids of their extensions."""
        return [str(extension_id) for extension_id in self._rooms.by_id]

    def people(self, room_id: str) -> list[Leg]:
        """Who is in a room."""
        return self._room(room_id).inside

    def truth(self) -> dict[str, RoomTruth]:
        """Tell what is really so, in our own words: every room."""
        return {str(extension_id): truth_of(room) for extension_id, room in self._rooms.by_id.items()}

    # The hand: what is configured

    def add_room(self, label: str, *, number: str | None = None, **fields: object) -> str:
        """Add a room that is active, with fields of its settings as on the wire, and give its extension id.

        Errors: failures.ApiError for fields that cannot be.
        """
        made = self._add(CONFERENCE, label, number or self._extensions.free_number(_FIRST_ROOM))
        room = self._room(made)
        room.settings = changed(room.settings, fields)
        return made

    def add_phone(self, label: str, number: str | None = None) -> str:
        """Add a phone, and give its extension id."""
        return self._add(PHONE, label, number or self._extensions.free_number(_FIRST_PHONE))

    def remove_room(self, room_id: str) -> None:
        """Let an administrator remove a room."""
        self._configuration.remove(self._room(room_id).extension)
        self._stirred.set()

    def configure(self, room_id: str, **fields: object) -> None:
        """Let an administrator change settings.

        Errors: failures.ApiError for fields that cannot be.
        """
        room = self._room(room_id)
        room.settings = changed(room.settings, fields)

    def number(self, extension_id: str) -> str:
        """Tell what colleagues dial to reach an extension."""
        return self._extensions.named(extension_id).number

    # The hand: people

    def join(
        self,
        room_id: str,
        *,
        phone: str | None = None,
        number: str | None = None,
        name: str | None = None,
        moderator: bool = False,
    ) -> str:
        """Let a phone, somebody outside or a new colleague enter a room by the PIN they need, and give their leg.

        Shape: `moderator` makes one just where the room has a PIN for moderators.
        Errors: DeclinedError.
        """
        room = self._room(room_id)
        leg_id = self.dials(room_id, phone=phone, number=number, name=name)
        leg = room.legs[leg_id]
        if leg.entered_at is None:
            own_pin = room.settings.moderator_pin if moderator else None
            self._switchboard.try_pin(room, leg, own_pin or room.settings.pin or "")
        return leg_id

    def dials(
        self, room_id: str, *, phone: str | None = None, number: str | None = None, name: str | None = None
    ) -> str:
        """Let somebody call a room, and give their leg: they wait where they are asked for a PIN.

        Errors: DeclinedError; ValueError when nobody is named.
        """
        did = None
        if number is not None:
            caller, did = Caller(number, name), f"7495{self.number(room_id):0>7}"
        elif phone is not None or name is not None:
            extension = self._extensions.named(phone or self.add_phone(name or ""))
            caller = Caller(extension.number, extension.caller_id_name, extension)
        else:
            raise ValueError("a phone, a number or a name is needed")
        return self._switchboard.dial(caller, self._room(room_id), did).leg_id

    def leaves(self, room_id: str, leg_id: str) -> None:
        """Let somebody hang up."""
        self._switchboard.hang_up(self._leg(room_id, leg_id).call)

    def press(self, room_id: str, leg_id: str, keys: str) -> None:
        """Let somebody press keys on their telephone: a PIN that `#` ends, `*91`, `*879990001122`."""
        self._keypad.press(self._room(room_id), self._leg(room_id, leg_id), keys)
        self._stirred.set()

    def talks_to(self, phone: str, number: str, name: str | None = None) -> str:
        """Let somebody outside talk to a phone, and give the call's `call_api_id`."""
        return self._switchboard.stranger_calls(Caller(number, name), self._extensions.named(phone)).call_api_id

    def books(self, room_id: str, phone: str) -> str:
        """Let a call to a room be booked on a phone that does not talk, and give its `call_api_id`."""
        extension, room = self._extensions.named(phone), self._room(room_id)
        caller = Caller(extension.number, extension.caller_id_name, extension)
        call = self._calls.begin(caller, room.extension.number, phones=(extension,), called=room.extension, real=False)
        call.answered_at = call.began_at
        return call.call_api_id

    @property
    def answers(self) -> Answers:
        """What becomes of a phone that rings for a callback or an invitation."""
        return self._switchboard.ringing.answers

    @answers.setter
    def answers(self, answers: Answers) -> None:
        self._switchboard.ringing.answers = answers

    def answer(self, call_api_id: str) -> None:
        """Let somebody answer whose phone rings.

        Errors: LookupError when nothing rings there.
        """
        self._switchboard.ringing.answer(call_api_id)

    # The hand: things that go wrong

    def kill_tokens(self) -> None:
        """Every token becomes worthless before its time."""
        self._oauth.kill()

    def spend_quota(self, *, leaving: int = 0) -> None:
        """Let other applications use up the requests of this hour, but for so many."""
        self._quota.spend(leaving=leaving)

    def restore_quota(self) -> None:
        """Let all requests of an hour be there again."""
        self._quota.restore()

    def forget_subscriptions(self, room_id: str) -> None:
        """Let the event handlers of a room be lost."""
        for one in self.subscriptions(room_id):
            self._subscriptions.remove(one)

    def send(self, room_id: str, body: bytes) -> None:
        """Post exactly these bytes, once to each address that handles events of a room."""
        handlers = {one.url: one for one in self.subscriptions(room_id) if one.method == "POST"}
        for one in handlers.values():
            self._webhooks.deliver(int(room_id), one, body)

    # Inside

    def _add(self, kind: str, label: str, number: str) -> str:
        body: Json = {"name": number, "type": kind, "label": label, "caller_id_name": label, "status": "active"}
        made = self._extensions.draft(body)
        self._configuration.add(made)
        self._stirred.set()
        return str(made.extension_id)

    def _room(self, room_id: str) -> Room:
        room = self._rooms.by_id.get(int(room_id))
        if room is None:
            raise LookupError(f"there is no room {room_id}")
        return room

    def _leg(self, room_id: str, leg_id: str) -> Leg:
        legs = self._room(room_id).legs
        if leg_id not in legs:
            raise LookupError(f"{leg_id} is not in room {room_id}")
        return legs[leg_id]
