"""The account: its extensions, their devices, and who may sign in as whom."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from .failures import not_found

DeviceType = Literal["HardPhone", "SoftPhone", "OtherPhone", "WebPhone", "MobileDevice"]


@dataclass(frozen=True, slots=True)
class Device:
    """A telephone of an extension."""

    device_id: str
    kind: DeviceType
    name: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A user of the account; `number` is the short one, `phone_number` the one that others see."""

    extension_id: str
    name: str
    number: str
    phone_number: str
    jwt: str = field(repr=False)
    devices: tuple[Device, ...]


class Account:
    """Everybody who has an extension."""

    def __init__(self, account_id: str, rng: Random) -> None:
        self.account_id = account_id
        self.extensions: dict[str, Extension] = {}
        self._rng = rng

    def add(self, name: str, number: str, jwt: str | None, devices: tuple[DeviceType, ...]) -> Extension:
        """Add an extension with one device of each kind named."""
        extension = Extension(
            self._id(),
            name,
            number,
            f"+1650555{9000 + len(self.extensions)}",
            jwt or secrets.token_urlsafe(32),
            tuple(Device(self._id(), kind, f"{name}'s {kind}") for kind in devices),
        )
        self.extensions[extension.extension_id] = extension
        return extension

    def with_jwt(self, jwt: str) -> Extension | None:
        """Find whose JWT this is."""
        return self._first(lambda one: secrets.compare_digest(one.jwt.encode(), jwt.encode()))

    def with_number(self, number: str) -> Extension | None:
        """Find who is called by this number, long or short."""
        return self._first(lambda one: number in (one.number, one.phone_number))

    def resolved(self, account: str, extension: str, own: Extension) -> Extension:
        """Read the ids of a path, where `~` is one's own.

        Errors: ApiError 404.
        """
        self.check(account)
        if extension == "~":
            return own
        if extension not in self.extensions:
            raise not_found("extensionId", extension)
        return self.extensions[extension]

    def check(self, account: str) -> None:
        """Errors: ApiError 404 for another account than ours."""
        if account not in ("~", self.account_id):
            raise not_found("accountId", account)

    def _first(self, wanted: Callable[[Extension], bool]) -> Extension | None:
        return next((one for one in self.extensions.values() if wanted(one)), None)

    def _id(self) -> str:
        return str(self._rng.randrange(10_000_000_000, 99_999_999_999))
