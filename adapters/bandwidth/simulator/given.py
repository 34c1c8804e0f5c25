"""What a client has sent: null is not given, and flags and numbers may be strings.

Inferred: a property that nobody knows is ignored; an address must be http or https, and an empty one is none;
          letters of `callbackHttpMethod` may be small, and stay as they were given.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from .failures import ApiError, bad_url, bad_value, missing
from .shapes import Json

_FLAGS = {True: True, False: False, "true": True, "false": False}
_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")
_SIP = re.compile(r"sips?:[^@\s]+@[^@\s]+")


class Given:
    """The body of a request, or its query."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields: Json = {key: value for key, value in fields.items() if value is not None}

    def text(self, name: str) -> str | None:
        """Errors: ApiError."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise bad_value(name, "a string")
        return value

    def required(self, name: str) -> str:
        """Errors: ApiError."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Errors: ApiError."""
        value = self.fields.get(name, default)
        if not isinstance(value, (bool, str)) or value not in _FLAGS:
            raise bad_value(name, "true or false")
        return _FLAGS[value]

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """Errors: ApiError."""
        value = self.fields.get(name, default)
        try:
            number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise bad_value(name, f"a number from {least} to {most}")
        return number

    def choice(self, name: str, possible: tuple[str, ...], default: str) -> str:
        """Errors: ApiError."""
        value = self.text(name)
        if value is not None and value not in possible:
            raise bad_value(name, " or ".join(possible))
        return default if value is None else value

    def url(self, name: str) -> str | None:
        """Errors: ApiError."""
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            possible = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            possible = None
        if not possible:
            raise bad_url(value)
        return value

    def phone(self, name: str, *, sip: bool = False) -> str:
        """Errors: ApiError."""
        value = self.required(name)
        if not _NUMBER.fullmatch(value) and not (sip and _SIP.fullmatch(value)):
            raise ApiError(400, "validation-error", "Invalid phone number")
        return value
