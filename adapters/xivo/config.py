"""The settings of one XiVO: its `[[backends]]` table without `id`, `kind` and `name`."""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from adapters.kit import addresses

_API = "/xuc/api/2.0"

_Password = Annotated[SecretStr, Field(min_length=1)]
_Login = Annotated[str, Field(min_length=1)]


def _object_of(given: object) -> object:
    """Take JSON text for an object: environment variables can only be text."""
    if not isinstance(given, str):
        return given
    try:
        return msgspec.json.decode(given or "{}")
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("must be an object of logins and passwords, or one as JSON text") from None


def _words_of(given: object) -> object:
    """Take words with commas between them for a list."""
    return [word.strip() for word in given.split(",") if word.strip()] if isinstance(given, str) else given


class XivoSettings(BaseModel):
    """Where a XiVO is, who we are there, and how patient we are with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(
        description="Base of the XiVO, `https://xivo.example.com`; `/xuc/api/2.0` is added where it is missing."
    )
    login: _Login = Field(description="The account that is asked for the list of rooms; it needs a line.")
    password: _Password = Field(description="The password of `login`.")
    accounts: Annotated[dict[_Login, _Password], BeforeValidator(_object_of)] = Field(
        default_factory=dict,
        description="Further accounts, login = password, each with a line: what they see of the rooms they are in is"
        " shown, and viewers whose identity they are act through them.",
    )
    room_list: bool = Field(
        default=True, description="Whether this XiVO still has getConferenceRooms; without, rooms show while used."
    )
    lacks: Annotated[tuple[Literal["deafen", "close", "invite"], ...], BeforeValidator(_words_of)] = Field(
        (), description="Commands that this XiVO is too old for."
    )
    answer_wait_s: float = Field(
        1.0, gt=0, description="Seconds that an error to a command is waited for; less than `limits.confirm_s`."
    )
    poll_interval_s: float = Field(60, gt=0, description="Seconds between readings of all rooms: events get lost.")
    request_timeout_s: float = Field(10, gt=0, description="Seconds until a request is given up.")
    keepalive_s: float = Field(5, gt=0, description="Seconds between pings; three without a frame are a lost link.")

    @property
    def api_url(self) -> str:
        """Where requests over HTTP go."""
        return self.url + _API

    @property
    def cti_url(self) -> str:
        """Where the websocket is: `ws` or `wss`, as `url` is `http` or `https`."""
        return f"ws{self.api_url.removeprefix('http')}/cti"

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return addresses.base(url).removesuffix(_API)

    @field_validator("accounts")
    @classmethod
    def _are_others(cls, accounts: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        if (login := info.data.get("login")) in accounts:
            raise ValueError(f"repeats '{login}', which is `login` already")
        return accounts
