"""Those who are in a room."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.model import room as model
from gateway.model.room import ParticipantRole
from gateway.schema.ids import participant_gid
from gateway.schema.node import Node
from gateway.schema.told import told

if TYPE_CHECKING:
    from gateway.schema.room import Room


@dataclass
class _View:
    state: strawberry.Private[model.Participant]
    of: strawberry.Private["Room"]

    def __getattr__(self, name: str) -> object:
        return getattr(self.state, name)

    @property
    def id(self) -> strawberry.ID:
        return participant_gid(self.of.at.key, self.state.id)

    @property
    def room(self) -> "Room":
        return self.of

    @property
    def native_id(self) -> str:
        return self.state.id

    @property
    def is_me(self) -> bool:
        return self.of.context.is_me(self.of.at, self.state.user_id)

    @property
    def call_id(self) -> str | None:
        return self.state.leg_id


@strawberry.type(
    description="One presence in one room. Null always means that the backend has not said (or cannot know)."
)
class Participant(_View, Node):
    """One presence in one room."""

    id: strawberry.ID = told("Of this presence: somebody who leaves and joins again may have another.")
    room: Annotated["Room", strawberry.lazy("gateway.schema.room")] = told(
        "The room this presence is in. In an event: as that event left it."
    )
    native_id: str = told("The backend's own identifier of this presence.")
    index: int | None = told("Join index where the backend has one.")
    display_name: str | None = told("The name to show, as the backend has it.")
    number: str | None = told("The telephone number or extension, as the backend has it.")
    username: str | None = told("The account name, where the backend tells it.")
    role: ParticipantRole | None = told("Whether they may act on others.")
    muted: bool | None = told("True: the others cannot hear them.")
    deafened: bool | None = told("True: they cannot hear the room.")
    on_hold: bool | None = told("True: their own side has suspended the call's media.")
    talking: bool | None = told("Voice is detected now. Null: the backend cannot know.")
    floor: bool | None = told("True: they hold the turn to speak, which is not the same as talking.")
    is_me: bool = told("Whether this is the viewer's own presence.")
    joined_at: datetime | None = told("When they joined: as the backend says, else when the gateway learned of it.")
    left_at: datetime | None = told("Set in `ParticipantLeft` only: when the gateway learned of it.")
    call_id: str | None = told("The backend's identifier of the call that carries this presence.")
