"""Puts the schema together."""

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.schema.errors import shown
from gateway.schema.events import (
    CommandFailed,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    RoomEnded,
    RoomSnapshot,
    RoomUpdated,
)
from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.scalars import SCALARS
from gateway.schema.subscription import Subscription

_EVENTS = (CommandFailed, ParticipantJoined, ParticipantLeft, ParticipantUpdated, RoomEnded, RoomSnapshot, RoomUpdated)


class GatewaySchema(strawberry.Schema):
    """The schema; of errors that nobody meant, clients see a number."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Replace errors in place: every result of every kind of operation passes here before anybody sees it."""
        errors[:] = [shown(error) for error in errors]


def make_schema() -> GatewaySchema:
    """Build the schema; operations need a `gateway.schema.context.Context`."""
    return GatewaySchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=_EVENTS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


@cache
def sdl() -> str:
    """Print the schema as `schema.graphql` has it."""
    return make_schema().as_str().rstrip() + "\n"
