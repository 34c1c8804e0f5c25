"""Positions as clients hold them: opaque and signed, so that nobody can make one up or use it elsewhere."""

import base64
import binascii
import hashlib
import hmac
import struct

from gateway.model.errors import GatewayError
from gateway.model.ids import Position, RoomKey

_PLACE = struct.Struct(">QQ")
_MAC_BYTES = 8
_TEXT_CHARS = (_PLACE.size + _MAC_BYTES) * 4 // 3
_LENGTHS = struct.Struct(">II")


class ForgedCursor(GatewayError):
    """A cursor that was not given out for this room and tenant."""


class Cursors:
    """Writes and reads cursors.

    Shape: `secret` is the same in all processes and after restarts. A cursor is epoch, sequence and a keyed hash of
           both with tenant and room, 24 bytes in 32 characters of base64url.
    """

    def __init__(self, secret: bytes) -> None:
        self._keyed = hashlib.blake2b(key=secret, digest_size=_MAC_BYTES, person=b"cursor")

    def encode(self, tenant: str, key: RoomKey, position: Position) -> str:
        """Write a position."""
        place = _PLACE.pack(*position)
        whose, backend, room = tenant.encode(), key.backend_id.encode(), _bytes(key.room_id)
        mac = self._keyed.copy()
        mac.update(place + _LENGTHS.pack(len(whose), len(backend)) + whose + backend + room)
        return base64.urlsafe_b64encode(place + mac.digest()).decode("ascii")

    def decode(self, tenant: str, key: RoomKey, text: str) -> Position:
        """Read a position.

        Errors: ForgedCursor.
        """
        if len(text) != _TEXT_CHARS or not text.isascii():
            raise ForgedCursor("this cursor was not given out by the gateway")
        try:
            position = Position(*_PLACE.unpack_from(base64.urlsafe_b64decode(text)))
        except (binascii.Error, struct.error):
            raise ForgedCursor("this cursor was not given out by the gateway") from None
        # The text is compared, not the bytes: base64 has several spellings of the same bytes.
        if not hmac.compare_digest(text, self.encode(tenant, key, position)):
            raise ForgedCursor("this cursor was not given out for this room")
        return position


def _bytes(native_id: str) -> bytes:
    return native_id.encode("utf-8", "surrogatepass")
