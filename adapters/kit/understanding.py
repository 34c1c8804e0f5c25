"""Reading what a backend sent: JSON, its shape, and what is said of that which cannot be understood."""

import logging
import time
from typing import TypeVar

import msgspec
from aiohttp import ClientResponse

log = logging.getLogger(__name__)

JsonObject = dict[str, object]

_Shape = TypeVar("_Shape")


class NotUnderstoodError(Exception):
    """What arrived is not what its name promises: it costs that message only. The text repeats no value."""


def shaped(value: object, shape: type[_Shape], where: str) -> _Shape:
    """Check a decoded value against a shape; what the shape does not name is left out.

    Errors: NotUnderstoodError, with the path and the type that was found, never the value.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise NotUnderstoodError(f"{where}: {error}") from None


def decoded(raw: bytes, where: str) -> object:
    """Read JSON.

    Errors: NotUnderstoodError.
    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotUnderstoodError(f"{where}: not JSON ({type(error).__name__})") from None
    except RecursionError:
        raise NotUnderstoodError(f"{where}: JSON that is nested too deeply") from None


async def body_of(response: ClientResponse, most_bytes: int) -> bytes:
    """Read the body of an answer, but no more than that.

    Errors: NotUnderstoodError, when there is more; aiohttp.ClientError.
    """
    parts = bytearray()
    async for part in response.content.iter_any():
        parts += part
        if len(parts) > most_bytes:
            raise NotUnderstoodError("the answer is too large")
    return bytes(parts)


def objects(value: object) -> JsonObject:
    """Give a JSON object, or an empty one where there is none."""
    return value if isinstance(value, dict) else {}


class Complaints:
    """Counts what a backend sent and nobody understands; logs each kind at most once in a while."""

    _GAP_S = 60.0
    _KINDS = 64

    def __init__(self, sender: str) -> None:
        self.count = 0
        self._sender = sender
        self._held_back: dict[str, tuple[float, int]] = {}

    def add(self, error: NotUnderstoodError) -> None:
        """Count something, and log it unless the same was logged a short while ago."""
        self.count += 1
        text = str(error)
        now = time.monotonic()
        if text not in self._held_back and len(self._held_back) >= self._KINDS:
            text = "other frames"
        logged_at, held_back = self._held_back.get(text, (-self._GAP_S, 0))
        if now - logged_at < self._GAP_S:
            self._held_back[text] = (logged_at, held_back + 1)
            return
        self._held_back[text] = (now, 0)
        more = f" ({held_back} more before)" if held_back else ""
        log.warning("%s sent what cannot be understood: %s%s", self._sender, text, more)
