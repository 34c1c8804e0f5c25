"""The settings of one client of Telphin: its `[[backends]]` table without `id`, `kind` and `name`."""

import ipaddress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL


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
        return str(_checked(url)).rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _can_be_called(cls, url: str) -> str:
        parts = _checked(url)
        if parts.scheme != "https" and not _is_loopback(parts.host or ""):
            raise ValueError("must begin with https://: what Telphin tells holds numbers and names of callers")
        return f"{str(parts).rstrip('/')}/"  # the secret of the hook is appended as a word of the path


def _checked(url: str) -> URL:
    try:
        parts = URL(url)
    except ValueError:
        raise ValueError("is no URL") from None  # theirs may repeat what should not be there
    if parts.scheme not in ("http", "https") or not parts.host:
        raise ValueError("must be an absolute URL that begins with http:// or https://")
    if parts.user is not None or parts.password is not None or parts.query_string or parts.fragment:
        raise ValueError("must have no user, query or fragment")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
