"""What every resolver can reach."""

from dataclasses import dataclass, field

import strawberry

from gateway.live.live import Live
from gateway.live.table import RoomAt
from gateway.model.ids import Position, RoomKey
from gateway.model.viewer import Viewer
from gateway.schema.cursor import Cursors
from gateway.schema.limits import QueryLimits
from gateway.schema.scalars import Cursor
from gateway.storage import History


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an operation reads from, and who asks."""

    live: Live
    history: History
    viewer: Viewer
    cursors: Cursors
    limits: QueryLimits = field(default_factory=QueryLimits)

    def cursor(self, key: RoomKey, position: Position) -> Cursor:
        """Write a position as this viewer may hand it back."""
        return Cursor(self.cursors.encode(self.viewer.tenant, key, position))

    def is_me(self, room_at: RoomAt, user_id: str | None) -> bool:
        """Whether a user of the room's backend is the viewer."""
        return user_id is not None and user_id == self.viewer.identities.get(room_at.key.backend_id)


Info = strawberry.Info[Context, None]
