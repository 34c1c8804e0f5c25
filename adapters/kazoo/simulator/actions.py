"""PUT with an action: what Crossbar publishes to the bus, and the little that its answer means."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .answers import Answer, complain, faulty_request, of_status
from .dialling import Dialling, relating
from .faults import Faults
from .generation import Traits
from .shapes import Json, child
from .switch import Participant, Run, Switch

EVERYBODY = "everybody"
_DONE = "ok"


class Command(NamedTuple):
    """One action as a client sent it; the target is a participant id, EVERYBODY, or None for the room."""

    action: str
    room_id: str
    target: int | str | None
    args: Json


class Order(NamedTuple):
    """The action of a request and its arguments; no action when the client named none."""

    action: str | None
    args: Json


def order_of(body: Json, query_action: str | None = None) -> Order:
    """Both forms are taken: {"action":A,"data":ARGS} and {"data":{"action":A,"data":ARGS}}."""
    data = child(body, "data")
    inner = data.get("action")
    if isinstance(inner, str):
        return Order(inner, child(data, "data"))
    outer = body.get("action", query_action)
    return Order(outer if isinstance(outer, str) else None, data)


@dataclass(slots=True)
class Obedience:
    """How the switch obeys: at once, later, or not at all; "ok" means only "published to the bus"."""

    faults: Faults
    pending: set[asyncio.TimerHandle] = field(default_factory=set)
    held: set[asyncio.Future[None]] = field(default_factory=set)

    def do(self, effect: Callable[[], None]) -> None:
        """Let an effect happen now, later or never."""
        if self.faults.ignore_commands:
            return
        if self.faults.effect_delay_s <= 0:
            effect()
            return

        def later() -> None:
            self.pending.discard(handle)
            effect()

        handle = asyncio.get_running_loop().call_later(self.faults.effect_delay_s, later)
        self.pending.add(handle)

    async def hold(self, seconds: float) -> None:
        """Keep a synchronous request waiting.

        Errors: CrossbarError 503 when the server goes down meanwhile.
        """
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        handle = loop.call_later(seconds, done.set_result, None)
        self.held.add(done)
        try:
            await done
        finally:
            handle.cancel()
            self.held.discard(done)

    def cancel(self) -> None:
        """Forget every effect still to come and let go of every request held."""
        for handle in self.pending:
            handle.cancel()
        self.pending.clear()
        for waiting in [done for done in self.held if not done.done()]:
            waiting.set_exception(of_status(503))


class Actions:
    """The actions of one generation on rooms, on everybody and on one participant."""

    def __init__(self, traits: Traits, faults: Faults, switch: Switch, dialling: Dialling) -> None:
        self.obedience = Obedience(faults)
        self._traits = traits
        self._faults = faults
        self._switch = switch
        self._dialling = dialling

    async def on_room(self, room_id: str, order: Order) -> Answer:
        """Run an action on the room itself.

        Errors: CrossbarError 404 for an unknown action (Kazoo 5: 400), 400 for wrong arguments.
        """
        action, args = order
        if action not in self._traits.conference_actions:
            self._refuse(action)
        match action:
            case "lock" | "unlock":
                self._on_run(room_id, lambda run: self._switch.set_locked(run, action == "lock"))
            case "play":
                self._require_media(args)
            case "dial":
                return await self._dial(room_id, args)
            case "record":
                return self._record(args)
            case "vars":
                return self._answer("vars sent")
        return self._answer(_DONE)

    def on_everybody(self, room_id: str, order: Order, document: Answer) -> Answer:
        """Bulk answers with the document as it was before the switch obeyed."""
        action, args = order
        if action not in self._traits.bulk_actions:
            raise faulty_request()
        if action == "play":
            self._require_media(args)
            return self._answer(_DONE)
        if action == "relate":
            relating(args, self._switch.runs.get(room_id), self._traits.invalid_message)
            return self._answer("relating participants")
        if action == "kick":
            self._on_run(room_id, self._switch.clear)
        else:
            self._on_run(room_id, lambda run: self._change(run, str(action), _spared(run, str(action))))
        return replace(document, status=self._traits.action_status)

    def on_participant(self, room_id: str, participant: str, order: Order, document: Answer) -> Answer:
        """Command one participant.

        An unknown action, or a name instead of a number, crashes inside; the crash is swallowed
        and the answer is the document.
        """
        action, args = order
        if action not in self._traits.participant_actions or not participant.isdecimal():
            return replace(document, status=self._traits.action_status)
        if action == "play":
            self._require_media(args)
            return self._answer(_DONE)
        self._on_run(room_id, lambda run: self._change(run, str(action), _one(run, int(participant))))
        return self._answer(_DONE)

    def _answer(self, data: object) -> Answer:
        return Answer(data=data, status=self._traits.action_status)

    def _on_run(self, room_id: str, effect: Callable[[Run], None]) -> None:
        """Nothing happens in an idle room, and nobody is told."""

        def obey() -> None:
            run = self._switch.runs.get(room_id)
            if run is not None:
                effect(run)

        self.obedience.do(obey)

    def _change(self, run: Run, action: str, people: Iterable[Participant]) -> None:
        for one in list(people):
            match action:
                case "mute" | "unmute":
                    self._switch.set_muted(run, one, action == "mute")
                case "deaf" | "undeaf":
                    self._switch.set_deafened(run, one, action == "deaf")
                case "kick":
                    self._switch.leave(run, one.call_id)

    async def _dial(self, room_id: str, args: Json) -> Answer:
        legs = self._dialling.endpoints(args)
        await self.obedience.hold(self._faults.dial_wait_s)
        return self._answer(self._dialling.join(room_id, legs, args))

    def _record(self, args: Json) -> Answer:
        """Promise a recording that never starts: the command lacks a field that the bus demands, and nobody notices."""
        wanted = args.get("action")
        if wanted is None:
            complain(self._traits.invalid_message, "data.action", "required", "Field is required but missing")
        if wanted not in ("start", "stop"):
            complain(
                self._traits.invalid_message,
                "data.action",
                "enum",
                "Value not found in enum",
                target=["start", "stop"],
                value=wanted,
            )
        return self._answer("starting recording" if wanted == "start" else "stopping recording")

    def _require_media(self, args: Json) -> None:
        """Media that does not exist plays "ok"."""
        if not args.get("media_id"):
            complain(self._traits.invalid_message, "data.media_id", "required", "Field is required but missing")

    def _refuse(self, action: str | None) -> None:
        if not self._traits.error_enum_for_actions:
            raise faulty_request()
        target = list(self._traits.conference_actions)
        title = self._traits.invalid_message
        complain(title, "action", "enum", "Value not found in enum", target=target, value=action)


def _spared(run: Run, action: str) -> Iterable[Participant]:
    """Who a bulk action reaches: no moderator, nobody already there, nobody whose flags the controller lost."""
    wanted = action in ("mute", "deaf")
    for one in run.participants.values():
        current = one.muted if action in ("mute", "unmute") else one.deafened
        if one.known and not one.moderator and current is not wanted:
            yield one


def _one(run: Run, participant_id: int) -> Iterable[Participant]:
    return (one for one in run.participants.values() if one.participant_id == participant_id)
