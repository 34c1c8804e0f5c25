"""What can be done, as clients are told it."""

import strawberry

from gateway.model.capability import Capabilities, Capability, CapabilityLevel, Sparing, absent

_UNDECLARED = absent("the backend does not say", "gateway")


@strawberry.type(description="Whether and how something can be done.")
class CapabilitySupport:
    """Whether and how something can be done."""

    capability: Capability = strawberry.field(description="What it is about.")
    level: CapabilityLevel = strawberry.field(description="Whether it can be done, and how.")
    reason: str | None = strawberry.field(
        description="Why it cannot be done, for people to read; a limit of it where it can."
    )
    phone_keys: str | None = strawberry.field(description="The keys on the phone that do it.")
    spares: list[Sparing] = strawberry.field(
        description="Whom the backend's own command for everybody leaves alone, if `sparing` is not given."
    )


def supports(declared: Capabilities) -> list[CapabilitySupport]:
    """Show all abilities, in the order of the enum."""
    each = ((capability, declared.get(capability, _UNDECLARED)) for capability in Capability)
    return [
        CapabilitySupport(
            capability=capability,
            level=support.level,
            reason=support.reason,
            phone_keys=support.phone_keys,
            spares=sorted(support.spares),
        )
        for capability, support in each
    ]
