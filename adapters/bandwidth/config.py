"""The settings of one Bandwidth user: its `[[backends]]` table without `id`, `kind` and `name`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from adapters.kit import addresses

VERSION = "v1"
"""The first word of every path below the base URL."""

_Secret = Annotated[SecretStr, Field(min_length=1)]


class BandwidthSettings(BaseModel):
    """Who we are at Bandwidth, how it tells us what happens, and how patient we are with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field("https://api.catapult.inetwork.com", description="Base of the API, without `/v1`.")
    user_id: str = Field(pattern=r"^[\w-]+$", description="The user, `u-...`: a third value beside token and secret.")
    token: _Secret = Field(description="The API token, `t-...`.")
    secret: _Secret = Field(description="The secret of `token`.")
    number: str = Field(
        pattern=r"^\+[1-9][0-9]{1,14}$",
        description="A number of the account, as `+` and digits: new conferences and invitations come from it.",
    )
    callback_url: str = Field(
        description="The address at which Bandwidth reaches `/hooks/<id of this backend>/`; https.",
    )
    requests_per_second: float = Field(
        1,
        gt=0,
        description="Requests a second and endpoint; raise it only if Bandwidth has raised the account's limit.",
    )
    ring_s: int = Field(60, ge=1, le=300, description="Seconds that somebody who is invited is rung.")
    poll_interval_s: float = Field(60, gt=0, description="Seconds between readings of all rooms: callbacks get lost.")
    request_timeout_s: float = Field(10, gt=0, description="Seconds until a request is given up.")

    @field_validator("url")
    @classmethod
    def _is_base(cls, url: str) -> str:
        base = addresses.base(url)
        if base.endswith(f"/{VERSION}"):
            raise ValueError(f"must be without /{VERSION}, which is added to it")
        return base

    @field_validator("token")
    @classmethod
    def _fits_before_a_colon(cls, token: SecretStr) -> SecretStr:
        if ":" in token.get_secret_value():
            raise ValueError("must be without the colon and what follows it, which is the secret")
        return token

    @field_validator("callback_url")
    @classmethod
    def _can_be_called(cls, url: str) -> str:
        return addresses.callback(url, "what Bandwidth posts there holds a secret of ours")
