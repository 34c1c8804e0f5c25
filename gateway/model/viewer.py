"""Who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.ids import BackendId


class ViewerRole(StrEnum):
    """VIEWER reads; MODERATOR also commands; ADMIN also sees and changes settings and PINs."""

    VIEWER = "VIEWER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A client of the gateway.

    Shape: `identities` says which user of each backend the viewer is (a Kazoo user id, a XiVO login).
    """

    subject: str
    tenant: str
    roles: frozenset[ViewerRole]
    identities: Mapping[BackendId, str] = field(default_factory=dict)

    @property
    def may_command(self) -> bool:
        """Whether the viewer may act on others."""
        return bool(self.roles & {ViewerRole.MODERATOR, ViewerRole.ADMIN})

    @property
    def may_configure(self) -> bool:
        """Whether the viewer may change settings and see PINs."""
        return ViewerRole.ADMIN in self.roles
