"""The settings of one Kazoo: its `[[backends]]` table without `id`, `kind` and `name`."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from adapters.kit import addresses

_ACCOUNT_KEYS = ("account_name", "account_realm", "phone_number")
_BLACKHOLE_PORT = 5555


class KazooSettings(BaseModel):
    """Where a Kazoo is, who we are there, and how patient we are with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(description="Base of Crossbar's REST interface, with version: `http://kazoo.example:8000/v2`.")
    socket_url: str = Field(
        default="",
        description="Blackhole's websocket. Default: port 5555 of the host in `url`, `wss` where that is `https`.",
        validate_default=True,
    )
    account_name: str | None = Field(None, description="The account of `username`, by its name.")
    account_realm: str | None = Field(None, description="The account of `username`, by its SIP realm.")
    phone_number: str | None = Field(None, description="The account of `username`, by one of its numbers.")
    username: str | None = Field(
        None, description="A user of the account; only a hash of it and its password is sent.", validate_default=True
    )
    password: SecretStr | None = Field(None, description="The password of `username`.", validate_default=True)
    method: Literal["md5", "sha"] = Field("md5", description="How username and password are hashed.")
    api_key: Annotated[SecretStr, Field(min_length=64, max_length=64)] | None = Field(
        None, description="The account's API key, instead of a username and password.", validate_default=True
    )
    account_id: str | None = Field(
        None, description="The account whose rooms are served, if it is a descendant of the one that signs in."
    )
    generation: Literal["auto", "4.0", "4.2", "master", "4.3", "5"] = Field(
        "auto", description="Which Kazoo it is: `4.0` is 4.1 as well, `5` is 5.2 and later; `auto` finds out."
    )
    adhoc_rooms: tuple[str, ...] = Field((), description="Ids of rooms without a stored document to follow as well.")
    recording: bool = Field(
        default=False,
        description="Offer recording where Kazoo has it. Off, since open versions answer yes and never record.",
    )
    poll_interval_s: float = Field(45, gt=0, description="Seconds between readings of all rooms: events get lost.")
    request_timeout_s: float = Field(10, gt=0, description="Seconds until a request is given up.")
    dial_timeout_s: int = Field(20, ge=1, description="Seconds that an invited phone rings.")
    requests_at_once: int = Field(8, ge=1, description="How many HTTP requests may be under way.")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return addresses.base(url)

    @field_validator("socket_url")
    @classmethod
    def _is_websocket(cls, url: str, info: ValidationInfo) -> str:
        if url:
            return str(addresses.checked(url, "ws", "wss"))
        base = urlsplit(str(info.data.get("url", "")))
        host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
        return f"{'wss' if base.scheme == 'https' else 'ws'}://{host}:{_BLACKHOLE_PORT}/"

    @field_validator("username")
    @classmethod
    def _has_account(cls, username: str | None, info: ValidationInfo) -> str | None:
        given = [key for key in _ACCOUNT_KEYS if info.data.get(key) is not None]
        if username is not None and len(given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(_ACCOUNT_KEYS)}")
        if username is None and given:
            raise ValueError(f"is missing: {given[0]} is given")
        return username

    @field_validator("password")
    @classmethod
    def _has_username(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "username" in info.data and (password is None) != (info.data["username"] is None):
            raise ValueError("goes together with username")
        return password

    @field_validator("api_key")
    @classmethod
    def _is_only_way_in(cls, api_key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "username" in info.data and (api_key is None) == (info.data["username"] is None):
            raise ValueError("give either api_key or username with password")
        return api_key
