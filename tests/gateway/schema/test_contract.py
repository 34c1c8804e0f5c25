"""What clients were promised is in the schema, under those names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from gateway.schema.schema import sdl

CONTRACT = build_schema((Path(__file__).parent / "contract.graphql").read_text())
OURS = build_schema(sdl())


def own_types(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    for each in schema.type_map.values():
        if not is_introspection_type(each) and not is_specified_scalar_type(each):
            yield each


def promised(type_: GraphQLNamedType) -> Iterator[str]:
    """Write one line for each thing that can be relied upon."""
    yield f"{type(type_).__name__} {type_.name}"
    match type_:
        case GraphQLObjectType() | GraphQLInterfaceType():
            for interface in type_.interfaces:
                yield f"{type_.name} implements {interface.name}"
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}: {field.type}"
                yield from arguments(f"{type_.name}.{name}", field)
        case GraphQLInputObjectType():
            for name, given in type_.fields.items():
                default = "nothing" if given.default_value is Undefined else given.default_value
                yield f"{type_.name}.{name}: {given.type} = {default}"
        case GraphQLEnumType():
            for name in type_.values:
                yield f"{type_.name}.{name}"
        case GraphQLUnionType():
            for member in type_.types:
                yield f"{type_.name} = {member.name}"


def arguments(place: str, field: GraphQLField) -> Iterator[str]:
    for name, argument in field.args.items():
        default = "nothing" if argument.default_value is Undefined else argument.default_value
        yield f"{place}({name}: {argument.type} = {default})"


@pytest.mark.parametrize("name", [each.name for each in own_types(CONTRACT)])
def test_everything_promised_is_there_as_promised(name: str) -> None:
    ours = OURS.type_map.get(name)
    assert ours is not None
    assert set(promised(CONTRACT.type_map[name])) <= set(promised(ours))


def test_arguments_beyond_the_promised_ones_may_be_left_out() -> None:
    for type_ in own_types(CONTRACT):
        ours = OURS.type_map[type_.name]
        if isinstance(type_, GraphQLObjectType) and isinstance(ours, GraphQLObjectType):
            for name, field in type_.fields.items():
                added = set(ours.fields[name].args) - set(field.args)
                assert not [each for each in added if str(ours.fields[name].args[each].type).endswith("!")]


def test_everything_has_a_description() -> None:
    silent = []
    for type_ in own_types(OURS):
        silent += [] if type_.description else [type_.name]
        fields = getattr(type_, "fields", {}) or getattr(type_, "values", {})
        for name, field in fields.items():
            silent += [] if field.description else [f"{type_.name}.{name}"]
            for argument_name, argument in getattr(field, "args", {}).items():
                silent += [] if argument.description else [f"{type_.name}.{name}({argument_name})"]
    assert silent == []


def test_the_printed_schema_is_the_one_in_the_code() -> None:
    printed = Path(__file__).parents[3] / "schema.graphql"
    assert printed.read_text() == sdl(), "run `conference-gateway schema > schema.graphql`"
