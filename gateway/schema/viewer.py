"""Who asks."""

from dataclasses import dataclass

import strawberry

from gateway.model import viewer as model
from gateway.model.viewer import ViewerRole
from gateway.schema.told import told

PERSONAL_FIELDS = frozenset({"isMe", "me", "viewer"})
"""The fields whose value depends on who asks, and not just on their rights: who selects one shares nothing."""


@dataclass
class _View:
    viewer: strawberry.Private[model.Viewer]

    @property
    def subject(self) -> str:
        return self.viewer.subject

    @property
    def tenant(self) -> str:
        return self.viewer.tenant

    @property
    def roles(self) -> list[ViewerRole]:
        return [role for role in ViewerRole if role in self.viewer.roles]


@strawberry.type(description="Who you are, as far as the gateway knows.")
class Viewer(_View):
    """Who asks."""

    subject: str = told("Your name in the token.")
    tenant: str = told("Whose backends you see.")
    roles: list[ViewerRole] = told("What you may do.")
