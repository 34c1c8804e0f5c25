"""Where the callbacks of a conference or a call go, and how."""

from dataclasses import dataclass
from typing import Self

from .given import Given
from .shapes import Json, without_none

LONGEST_MS = 10_000
_METHODS = ("GET", "POST", "get", "post")


@dataclass(frozen=True, slots=True)
class Hooks:
    """An address to tell, another if that fails, and the patience with each.

    Units: `timeout_ms` is milliseconds.
    """

    url: str | None = None
    method: str = "POST"
    timeout_ms: int = LONGEST_MS
    fallback_url: str | None = None

    def with_given(self, given: Given) -> Self:
        """Take over what a client wants otherwise.

        Errors: ApiError.
        """
        return type(self)(
            given.url("callbackUrl") or self.url,
            given.choice("callbackHttpMethod", _METHODS, self.method),
            given.number("callbackTimeout", 1, LONGEST_MS, self.timeout_ms),
            given.url("fallbackUrl") or self.fallback_url,
        )

    def as_json(self) -> Json:
        """Write them as part of a resource; without an address only how they would go."""
        return without_none(
            callbackUrl=self.url,
            callbackHttpMethod=self.method,
            callbackTimeout=self.timeout_ms,
            fallbackUrl=self.fallback_url,
        )
