"""RingCentral: conferences of Call Control (REST) and telephony session notifications (WebSocket or webhooks).

Followed: RingCentral's guides of Call Control, conference calls and notifications, its OpenAPI specification (2024),
the newer one from which its clients are made, and what these do. Where they disagree, both forms are accepted.
"""

from adapters.ringcentral.adapter import RingCentralAdapter

__all__ = ["RingCentralAdapter"]
