"""Fields that are read from what a type wraps, without a resolver: those cost half as much for each value."""

from collections.abc import Callable
from enum import EnumMeta
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

_Enum = TypeVar("_Enum", bound=EnumMeta)
_Value = TypeVar("_Value")


def told(description: str) -> Any:
    """Declare a field whose value is an attribute of its type's view: a property, or one of the wrapped model object's.

    Shape: it is no parameter of the type's constructor, and not part of its `repr`, which must not show secrets.
    """
    field: StrawberryField = strawberry.field(description=description)
    field.init = field.repr = field.compare = False
    return field


def may_give(description: str) -> Any:
    """Declare an input field that a client may leave out: it is UNSET then."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def resolved(description: str, *, graphql_type: object = None) -> Callable[[Callable[..., object]], Any]:
    """Declare a field that a method resolves, because it takes arguments or may have to wait."""
    decorate: Callable[[Callable[..., object]], Any] = strawberry.field(
        description=description, graphql_type=graphql_type
    )
    return decorate


def followed(description: str, *, graphql_type: object) -> Callable[[Callable[..., object]], Any]:
    """Declare a field of Subscription; its method gives a `Feed` of that type's events."""
    decorate: Callable[[Callable[..., object]], Any] = strawberry.subscription(
        description=description, graphql_type=graphql_type
    )
    return decorate


def told_enum(enum: _Enum, description: str, **values: str) -> _Enum:
    """Make an enum of the model one of the schema, with a description for each value."""
    registered = strawberry.enum(enum, description=description)
    definition: StrawberryEnumDefinition = vars(registered)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[value.name]
    return registered


def given(value: _Value | None) -> _Value | None:
    """Give None for what a client left out."""
    return None if value is strawberry.UNSET else value
