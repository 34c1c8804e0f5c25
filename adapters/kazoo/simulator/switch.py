"""The media switch: rooms that run, who is in them, and the events their changes cause."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from .shapes import gregorian


def routing_word(text: str) -> str:
    """One word of a routing key: a dot would split it, so it is percent-encoded too."""
    return quote(text, safe="*").replace(".", "%2E")


class JoinRefusedError(Exception):
    """The switch does not let somebody in: the room is locked or full."""


@dataclass(slots=True)
class Participant:
    """One presence in one run.

    `known` is the switch controller's knowledge: after its restart it has the call id only, until the next event.
    """

    call_id: str
    participant_id: int
    name: str
    number: str
    moderator: bool
    muted: bool
    deafened: bool
    owner_id: str | None
    joined_at: int
    ghost: bool = False
    talking: bool = False
    floor: bool = False
    known: bool = True
    call_word: str = ""


@dataclass(slots=True)
class Run:
    """One conference from its first participant to its last."""

    room_id: str
    instance_id: str
    started_at: int
    max_participants: int
    locked: bool = False
    listed: bool = True
    floor: str | None = None
    participants: dict[str, Participant] = field(default_factory=dict)


class Notice(NamedTuple):
    """One event of a run; of the room itself when there is no participant."""

    event: str
    run: Run
    participant: Participant | None


class Switch:
    """Runs and their participants. Every change publishes the events a media server sends for it."""

    def __init__(self, clock: Callable[[], float], rng: Random, publish: Callable[[Notice], None]) -> None:
        self.runs: dict[str, Run] = {}
        self._clock = clock
        self._rng = rng
        self._publish = publish
        self._next_participant_id = 1
        self._next_call = 1

    def start(self, room_id: str, max_participants: int = 0) -> Run:
        """Begin a run, or find the one that is going on."""
        run = self.runs.get(room_id)
        if run is None:
            instance = str(UUID(int=self._rng.getrandbits(128), version=4))
            # Kazoo applies the limit only above one, and only as it stands when the room starts.
            limit = max_participants if max_participants > 1 else 0
            run = self.runs[room_id] = Run(room_id, instance, gregorian(self._clock()), limit)
            self._tell("conference-create", run)
        return run

    def destroy(self, room_id: str) -> None:
        """End a run; its lock goes with it."""
        self._tell("conference-destroy", self.runs.pop(room_id))

    def new_call_id(self) -> str:
        """Make up a call id with characters that routing keys must encode."""
        self._next_call += 1
        return f"{self._rng.getrandbits(48):012x}.{self._next_call}@10.26.0.5"

    def join(
        self,
        run: Run,
        *,
        name: str,
        number: str,
        moderator: bool,
        muted: bool,
        deafened: bool = False,
        ghost: bool = False,
        owner_id: str | None = None,
        call_id: str | None = None,
    ) -> Participant:
        """Let somebody in.

        Errors: JoinRefusedError when the room is locked or full.
        """
        if run.locked:
            raise JoinRefusedError("the conference is locked")
        if run.max_participants and len(run.participants) >= run.max_participants:
            raise JoinRefusedError("the conference is full")
        joined = Participant(
            call_id=call_id or self.new_call_id(),
            participant_id=self._next_participant_id,
            name=name,
            number=number,
            moderator=moderator,
            muted=muted,
            deafened=deafened,
            ghost=ghost,
            owner_id=owner_id,
            joined_at=gregorian(self._clock()),
        )
        joined.call_word = routing_word(joined.call_id)
        self._next_participant_id += 1
        run.participants[joined.call_id] = joined
        run.floor = run.floor or joined.call_id
        self._tell("add-member", run, joined)
        return joined

    def leave(self, run: Run, call_id: str) -> None:
        """Hang up a leg; the last one ends the run. Nobody who was talking stops talking first."""
        left = run.participants.pop(call_id)
        if run.floor == call_id:
            run.floor = next(iter(run.participants), None)
        self._tell("del-member", run, left)
        if not run.participants:
            self.destroy(run.room_id)

    def clear(self, run: Run) -> None:
        """Everybody leaves; a run nobody had joined yet ends as well."""
        for call_id in list(run.participants):
            self.leave(run, call_id)
        if self.runs.get(run.room_id) is run:
            self.destroy(run.room_id)

    def set_muted(self, run: Run, participant: Participant, muted: bool) -> None:
        """Mute or unmute; muting ends the talking too."""
        participant.muted = muted
        self._tell("mute-member" if muted else "unmute-member", run, participant)
        if muted and participant.talking:
            self.set_talking(run, participant, False)

    def set_deafened(self, run: Run, participant: Participant, deafened: bool) -> None:
        """Deafen or undeafen."""
        participant.deafened = deafened
        self._tell("deaf-member" if deafened else "undeaf-member", run, participant)

    def set_talking(self, run: Run, participant: Participant, talking: bool) -> None:
        """Let a voice begin or end; the voice takes the floor."""
        participant.talking = talking
        if talking:
            run.floor = participant.call_id
        self._tell("start-talking" if talking else "stop-talking", run, participant)

    def set_locked(self, run: Run, locked: bool) -> None:
        """Lock or unlock; nobody already there is touched."""
        run.locked = locked
        self._tell("lock" if locked else "unlock", run)

    def forget(self) -> None:
        """Restart the switch controller: it re-reads the calls and knows nothing else about them."""
        for run in self.runs.values():
            run.listed = False
            for participant in run.participants.values():
                participant.known = False
                participant.joined_at = gregorian(self._clock())

    def _tell(self, event: str, run: Run, participant: Participant | None = None) -> None:
        run.listed = True
        if participant is not None:
            participant.known = True
            # Only the event's own participant learns who has the floor: the others' flag goes stale.
            participant.floor = run.floor == participant.call_id
        self._publish(Notice(event, run, participant))
