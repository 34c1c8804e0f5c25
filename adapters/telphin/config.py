"""The settings of one client of Telphin: its `[[backends]]` table without `id`, `kind` and `name`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from adapters.kit import addresses


class TelphinSettings(BaseModel):
    """As which application we act at Telphin, where it calls us, and how patient we are with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(
        "https://apiproxy.telphin.ru",
        description="Where the API is, without `/api/ver1.0`; other operators of the same PBX have other hosts.",
    )
    app_id: Annotated[str, Field(min_length=1)] = Field(
        description="The application, of the type trusted; what changes the PBX needs the access level All."
    )
    app_secret: Annotated[SecretStr, Field(min_length=1)] = Field(description="The secret of `app_id`.")
    webhook_url: str = Field(
        description="The address at which Telphin reaches `/hooks/<id of this backend>/` of this gateway; https."
    )
    poll_interval_s: float = Field(
        300, gt=0, description="Seconds between readings of all rooms; each takes from the hourly quota of requests."
    )
    request_timeout_s: float = Field(10, gt=0, description="Seconds until a request is given up.")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return addresses.base(url)

    @field_validator("webhook_url")
    @classmethod
    def _can_be_called(cls, url: str) -> str:
        return addresses.callback(url, "what Telphin tells holds numbers and names of callers")
