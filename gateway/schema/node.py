"""Whatever can be fetched again by its id."""

import strawberry

from gateway.schema.told import told


@strawberry.interface(description="Whatever can be fetched again by its id.")
class Node:
    """The interface of everything with a global id."""

    id: strawberry.ID = told("Opaque and the same after restarts; unique among all types.")
