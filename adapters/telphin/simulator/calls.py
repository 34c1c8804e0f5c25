"""The calls there are: who calls, whom, and which phones have them among their current calls.

Inferred: the call of a phone that is asked for a PIN counts as not answered yet; a call that the callback made goes out
          from the phone that was rung first, and `callback_id` is its `call_id`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple
from uuid import UUID

from .extensions import Extension


class Caller(NamedTuple):
    """Who calls; `phone` is None for somebody outside, and a number of "" is withheld."""

    number: str
    name: str | None = None
    phone: Extension | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Call:
    """One call; `room` is the room it is in or asks to get into, `called` the phone that was called.

    Units: instants are Unix seconds.
    """

    call_id: str
    call_api_id: str
    caller: Caller
    dialled: str
    phones: tuple[Extension, ...]
    began_at: float
    called: Extension | None = None
    did: str | None = None
    callback_id: str | None = None
    real: bool = True
    answered_at: float | None = None
    room: Extension | None = None

    @property
    def called_extension(self) -> Extension | None:
        """What is at the other end, when it is an extension."""
        return self.room or self.called


class Calls:
    """Every call that goes on, by its `call_api_id`.

    Units: `clock` gives Unix seconds.
    """

    def __init__(self, clock: Callable[[], float], rng: Random) -> None:
        self.going_on: dict[str, Call] = {}
        self._clock = clock
        self._rng = rng

    def begin(
        self,
        caller: Caller,
        dialled: str,
        *,
        phones: tuple[Extension, ...],
        called: Extension | None = None,
        did: str | None = None,
        by_callback: bool = False,
        real: bool = True,
    ) -> Call:
        """Let a call begin; nobody has answered."""
        call_id = self._hex()
        call = Call(
            call_id=call_id,
            call_api_id=self._hex() if by_callback else self._api_id(),
            caller=caller,
            dialled=dialled,
            phones=phones,
            began_at=self._clock(),
            called=called,
            did=did,
            callback_id=call_id if by_callback else None,
            real=real,
        )
        self.going_on[call.call_api_id] = call
        return call

    def of_phone(self, phone: Extension) -> list[Call]:
        """List the current calls of a phone."""
        return [call for call in self.going_on.values() if phone in call.phones]

    def _hex(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _api_id(self) -> str:
        return f"{self._rng.randrange(10**9, 10**10)}-{UUID(int=self._rng.getrandbits(128), version=1)}"
