"""The gateway's settings: from a TOML file and the environment, checked as a whole before anything starts."""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway import registry
from gateway.adapter import Adapter
from gateway.live.live import ConfiguredBackend
from gateway.model.ids import BackendId
from gateway.model.viewer import ViewerRole
from gateway.operations.persisted import BadManifest, load_manifest

PREFIX = "CONFERENCE_GATEWAY_"
"""Every setting is also a variable: CONFERENCE_GATEWAY_SERVER_PORT, CONFERENCE_GATEWAY_BACKENDS_<ID>_URL."""

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
_Model = TypeVar("_Model", bound=BaseModel)
_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]


class ConfigError(Exception):
    """What is wrong in the configuration, a line each: where, what, and what is accepted."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServerSettings(_Table):
    """`[server]`: where the gateway listens."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one")
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="origins of web pages on other hosts that may use the gateway, as https://app.example.com",
    )
    legacy_graphql_ws: bool = Field(
        default=False, description="whether the deprecated WebSocket protocol graphql-ws is spoken too"
    )
    compression: bool = Field(
        default=False,
        description="whether WebSockets may be compressed: less to transfer, several times the work for each event",
    )


class StorageSettings(_Table):
    """`[storage]`: the database."""

    url: str = Field(default="sqlite:///conference-gateway.sqlite3", description="sqlite:///FILE or postgresql://…")


class LimitSettings(_Table):
    """`[limits]`: how much of everything."""

    confirm_s: _Positive = Field(
        default=3.0, description="seconds a mutation waits for the event that shows its effect"
    )
    room_log_events: _Count = Field(default=256, description="recent events kept of each room, for those who come back")
    ended_room_kept_s: _Positive = Field(
        default=60.0, description="seconds an ended room without a configuration stays visible"
    )
    idle_log_kept_s: _Positive = Field(
        default=3600.0, description="seconds the recent events of a quiet, idle room are kept"
    )
    body_max_bytes: _Count = Field(
        default=262_144, description="bytes of one HTTP request or WebSocket message at most"
    )
    outbox_max_bytes: _Count = Field(
        default=262_144, description="bytes that may wait for one client before it is told of a gap"
    )
    heartbeat_s: _Positive = Field(default=15.0, description="seconds between signs of life on each socket and stream")
    stalled_s: _Positive = Field(default=30.0, description="seconds after which a client that reads nothing is cut")
    talking_interval_s: float = Field(
        default=0.25,
        ge=0,
        description="seconds between two news of who talks in a room, for each client; 0: all of them",
    )
    socket_operations: _Count = Field(
        default=1000, description="operations at the same time on one socket or single-connection stream"
    )


class DocumentSettings(_Table):
    """`[documents]`: which GraphQL documents are run."""

    trusted: Path | None = Field(
        default=None, description="a JSON file of documents that clients name by their ids, beside the configuration"
    )
    only_trusted: bool = Field(default=False, description="whether no other documents are run")


class ViewerSettings(_Table):
    """`[viewer]`: who everybody is as long as the gateway runs with --insecure-no-auth."""

    subject: str = Field(default="operator", description="name that appears in the audit")
    tenant: str = Field(default="default", description="tenant the viewer belongs to")
    roles: tuple[ViewerRole, ...] = Field(default=tuple(ViewerRole), description="VIEWER, MODERATOR, ADMIN")
    identities: dict[str, str] = Field(
        default_factory=dict, description="backend id = the user of that backend that the viewer is"
    )


class _Settings(_Table):
    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    limits: LimitSettings = LimitSettings()
    documents: DocumentSettings = DocumentSettings()
    viewer: ViewerSettings = ViewerSettings()


_TABLES: dict[str, type[BaseModel]] = {
    "server": ServerSettings,
    "storage": StorageSettings,
    "limits": LimitSettings,
    "documents": DocumentSettings,
    "viewer": ViewerSettings,
}


class _BackendHead(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    id: _Id
    kind: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration; the adapters are made but have not connected."""

    server: ServerSettings
    storage: StorageSettings
    limits: LimitSettings
    documents: DocumentSettings
    trusted_documents: Mapping[str, str]
    viewer: ViewerSettings
    backends: tuple[ConfiguredBackend, ...]

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """Read a file, lay the environment over it, and check everything.

        Errors: ConfigError with all problems found.
        """
        raw = _overlaid(_parsed(path), environment)
        problems: list[str] = []
        raw = _with_secrets(raw, environment, path.parent, problems)
        tables = raw.pop("backends", [])
        settings = _checked(_Settings, raw, "", problems)
        trusted = {} if settings is None else _trusted(settings.documents, path.parent, problems)
        backends = _backends(tables, problems)
        if problems or settings is None:
            raise ConfigError(problems)
        return cls(
            settings.server,
            settings.storage,
            settings.limits,
            settings.documents,
            trusted,
            settings.viewer,
            backends,
        )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from None


def _overlaid(raw: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Lay environment variables over the file: PREFIX + TABLE_SETTING, or PREFIX + BACKENDS_ID_SETTING."""
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        table, _, setting = name.removeprefix(PREFIX).lower().partition("_")
        if table == "backends":
            for backend in _tables(raw.get("backends")):
                prefix = str(backend.get("id", "")).replace("-", "_") + "_"
                if setting.startswith(prefix):
                    backend[setting.removeprefix(prefix)] = value
        elif table in _TABLES and isinstance(place := raw.setdefault(table, {}), dict):
            place[setting] = value
    return raw


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _with_secrets(
    value: Any, environment: Mapping[str, str], folder: Path, problems: list[str], where: str = ""
) -> Any:
    """Put the variable or file that a text like `env:NAME` or `file:PATH` names in its place."""
    match value:
        case dict():
            return {
                key: _with_secrets(each, environment, folder, problems, f"{where}.{key}" if where else key)
                for key, each in value.items()
            }
        case list():
            return [
                _with_secrets(each, environment, folder, problems, f"{where}[{nth}]") for nth, each in enumerate(value)
            ]
        case str() if value.startswith("env:"):
            if (secret := environment.get(value.removeprefix("env:"))) is None:
                problems.append(f"{where}: the environment variable {value.removeprefix('env:')} is not set")
            return secret or ""
        case str() if value.startswith("file:"):
            try:
                return (folder / value.removeprefix("file:")).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{where}: the file {value.removeprefix('file:')} cannot be read: {error}")
                return ""
        case _:
            return value


def _trusted(settings: DocumentSettings, folder: Path, problems: list[str]) -> dict[str, str]:
    if settings.trusted is None:
        if settings.only_trusted:
            problems.append("documents.only_trusted: no document could be run: `trusted` has to name a file of them")
        return {}
    try:
        return load_manifest(folder / settings.trusted)
    except BadManifest as error:
        problems.append(f"documents.trusted: {error}")
        return {}


def _backends(tables: object, problems: list[str]) -> tuple[ConfiguredBackend, ...]:
    if not isinstance(tables, list) or not tables:
        problems.append("backends: at least one [[backends]] table with id, kind and the kind's settings is needed")
        return ()
    backends: list[ConfiguredBackend] = []
    for nth, table in enumerate(tables):
        backend = _backend(table, f"backends[{nth}]", problems)
        if backend is not None and any(backend.id == other.id for other in backends):
            problems.append(f"backends[{nth}].id: {backend.id!r} is taken by another backend")
        elif backend is not None:
            backends.append(backend)
    return tuple(backends)


def _backend(table: object, where: str, problems: list[str]) -> ConfiguredBackend | None:
    head = _checked(_BackendHead, table, where, problems)
    if head is None:
        return None
    if head.kind not in registry.kinds():
        problems.append(
            f"{where}.kind: {head.kind!r} is not a kind of backend; accepted: {', '.join(registry.kinds())}"
        )
        return None
    adapter_type = registry.adapter_type(head.kind)
    adapter = _adapter(adapter_type, head.model_extra or {}, where, problems)
    return None if adapter is None else ConfiguredBackend(BackendId(head.id), head.name or head.id, adapter)


def _adapter(kind: type[Adapter], settings: dict[str, Any], where: str, problems: list[str]) -> Adapter | None:
    try:
        return kind.configured(settings)
    except ValidationError as error:
        problems.extend(_explained(error, where, ("id", "kind", "name", *kind.settings_type.model_fields)))
        return None


def _checked(model: type[_Model], raw: object, where: str, problems: list[str]) -> _Model | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems.extend(_explained(error, where, tuple(model.model_fields)))
        return None


def _explained(error: ValidationError, where: str, accepted: Sequence[str]) -> list[str]:
    """Say where each fault is, what it is and what is accepted there, without repeating the value."""
    return [_explain(each["loc"], each["type"], each["msg"], where, accepted) for each in error.errors()]


def _explain(place: tuple[int | str, ...], kind: str, message: str, where: str, accepted: Sequence[str]) -> str:
    path = where
    for step in place:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    if kind == "extra_forbidden":
        names = _TABLES[str(place[0])].model_fields if len(place) > 1 else accepted
        return f"{path}: no such setting; accepted here: {', '.join(names)}"
    return f"{path}: {message[:1].lower()}{message[1:]}"
