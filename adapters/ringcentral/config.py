"""The settings of one RingCentral account: its `[[backends]]` table without `id`, `kind` and `name`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from adapters.kit import addresses

_Id = Annotated[str, Field(min_length=1)]
_Secret = Annotated[SecretStr, Field(min_length=1)]


class RingCentralSettings(BaseModel):
    """Who we are at RingCentral, how it tells us what happens, and how patient we are with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(
        "https://platform.ringcentral.com",
        description="Base of the API; the sandbox is `https://platform.devtest.ringcentral.com`.",
    )
    client_id: _Id = Field(description="The app, which needs the scopes Call Control, Read Presence, Read Accounts.")
    client_secret: _Secret = Field(description="The secret of `client_id`.")
    jwt: _Secret = Field(description="The JWT credential of the user whose conferences are served.")
    notifications: Literal["websocket", "webhook"] = Field(
        "websocket",
        description="How RingCentral tells what happens; `websocket` needs the scope WebSocket Subscriptions.",
    )
    webhook_url: str | None = Field(
        None,
        description="For `webhook`, the address at which RingCentral reaches `/hooks/<id of this backend>/`; https.",
        validate_default=True,
    )
    scope: Literal["extension", "account"] = Field(
        "extension", description="Whether the calls of the user alone are followed, or of everybody in the account."
    )
    device_id: _Id | None = Field(
        None, description="The phone that rings first when somebody is invited; default: the user's first that can."
    )
    max_parties: int = Field(10, ge=2, description="How many a conference holds, its host among them.")
    host_wait_s: float = Field(38, gt=0, description="Seconds that a new conference waits for its host's phone.")
    poll_interval_s: float = Field(60, gt=0, description="Seconds between readings of all rooms: events get lost.")
    request_timeout_s: float = Field(10, gt=0, description="Seconds until a request is given up.")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return addresses.base(url)

    @field_validator("webhook_url")
    @classmethod
    def _can_be_called(cls, url: str | None, info: ValidationInfo) -> str | None:
        if "notifications" in info.data and (url is not None) != (info.data["notifications"] == "webhook"):
            raise ValueError('goes together with `notifications = "webhook"`')
        return None if url is None else addresses.callback(url, "RingCentral posts to no other")
