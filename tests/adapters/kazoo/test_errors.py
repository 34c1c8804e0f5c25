"""Kazoo's error texts choose our words and are not repeated where they may hold a secret."""

import pytest

from adapters.kazoo.errors import Place, RefusedError, command_error
from gateway.model.errors import CommandError, CommandRefused

PLACES = {"member.pins": Place(("settings", "memberPins"), secret=True), "numbers": Place(("settings",))}


def said(data: object) -> list[CommandError]:
    error = command_error(RefusedError(400, "validation error", data, of_kazoo=True), PLACES, None)
    assert isinstance(error, CommandRefused)
    return list(error.errors)


def test_the_cause_is_told_of_numbers_and_not_of_pins() -> None:
    (number,) = said({"numbers": {"unique": {"cause": "100"}}})
    (pin,) = said({"member.pins": {"unique": {"cause": "7331"}}})
    assert number.message == "is already in use in this account: 100"
    assert (pin.field, pin.message) == (("settings", "memberPins"), "is already in use in this account")


def test_each_field_is_told_of_by_itself() -> None:
    errors = said({"numbers": {"unique": {}}, "member.pins.3": {"pattern": {}, "minLength": {"target": 4}}})
    assert [error.field for error in errors] == [("settings",), ("settings", "memberPins", "3")]
    assert errors[1].message == "must consist of digits; is too short: the limit is 4"


@pytest.mark.parametrize("data", [None, [], {}, "x", {"a": 1}])
def test_a_validation_error_that_says_nothing_is_still_invalid_input(data: object) -> None:
    assert [error.message for error in said(data)] == ["Kazoo refuses the input"]


def test_an_unknown_code_and_field_are_named_only_when_they_are_plain() -> None:
    assert [error.message for error in said({"x": {"odd<>": {}}})] == ["is refused by Kazoo ((not repeated))"]
    assert [error.message for error in said({"x": {"odd": {}}})] == ["is refused by Kazoo (odd)"]
