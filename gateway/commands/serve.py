"""`serve`: the gateway itself."""

import ipaddress
import json
from collections.abc import Callable
from pathlib import Path

import click
from starlette.requests import HTTPConnection

from gateway.commands.running import Complaint, log_to_terminal, run, spare_the_collector, stop_asked_for
from gateway.config import Config, ConfigError, LimitSettings, ViewerSettings
from gateway.live.live import Live, LiveLimits
from gateway.model.ids import BackendId
from gateway.model.viewer import Viewer
from gateway.operations.operations import OperationSettings
from gateway.operations.persisted import PersistedDocuments
from gateway.storage import Storage, StorageError
from gateway.web.app import WebLimits, make_app
from gateway.web.limits import SocketLimits
from gateway.web.server import serving
from gateway.web.session import SessionLimits


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="The TOML file to read.")
@click.option("--host", help="Address to listen on, instead of the file's.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of the file's; 0: any free one."
)
@click.option(
    "--insecure-no-auth",
    is_flag=True,
    help="Let everybody in as the [viewer] of the file. Only on a loopback address.",
)
@click.option("--json", "as_json", is_flag=True, help="Once ready, print one line of JSON with the addresses.")
def serve(config_path: Path, host: str | None, port: int | None, *, insecure_no_auth: bool, as_json: bool) -> None:
    """Run the gateway.

    It connects to the backends of the file and serves GraphQL at /graphql, over HTTP and WebSocket. A backend that
    cannot be reached does not keep it from starting: its rooms appear when it answers.

    \b
    A small file:
      [[backends]]
      id = "office"
      kind = "kazoo"
      name = "Office"
      url = "https://kazoo.example.com:8443/v2"
      socket_url = "wss://kazoo.example.com:5556/"
      account_name = "example"
      username = "gateway"
      password = "env:KAZOO_PASSWORD"
    """  # noqa: D301  # the \b is for click: it keeps the lines that follow
    log_to_terminal()
    try:
        config = Config.load(config_path)
    except ConfigError as error:
        raise Complaint("\n".join(("the configuration cannot be used:", *error.problems))) from None
    address = host or config.server.host
    _be_safe(address, insecure_no_auth=insecure_no_auth)
    try:
        run(_serve(config, address, config.server.port if port is None else port, _say_json if as_json else _say))
    except (StorageError, OSError) as error:
        raise Complaint(str(error)) from None


async def _serve(config: Config, host: str, port: int, say: Callable[[str], None]) -> None:
    viewer = _viewer(config.viewer)

    def everybody(_: HTTPConnection) -> Viewer:
        return viewer

    async with Storage.open(config.storage.url) as storage:
        secret = await storage.secret("commands")
        async with Live(config.backends, storage, secret, _limits(config.limits)) as live:
            web_limits = _web_limits(config)
            app = make_app(live, storage, everybody, await storage.secret("cursors"), web_limits)
            async with serving(app, host, port, web_limits.socket) as actual_port:
                spare_the_collector()
                say(f"{f'[{host}]' if ':' in host else host}:{actual_port}")
                await stop_asked_for()


def _say(address: str) -> None:
    click.echo(f"GraphQL     http://{address}/graphql   (open it in a browser for GraphiQL)")
    click.echo(f"WebSocket   ws://{address}/graphql   (graphql-transport-ws)")
    click.echo(f"Streams     http://{address}/graphql   (server-sent events or multipart, by the Accept header)")
    click.echo(f"Health      http://{address}/readyz")
    click.echo("Ctrl-C stops it.")


def _say_json(address: str) -> None:
    click.echo(json.dumps({"graphql": f"http://{address}/graphql", "ws": f"ws://{address}/graphql"}))


def _be_safe(host: str, *, insecure_no_auth: bool) -> None:
    """Refuse to serve strangers: signing in is not there yet, so only this machine's own users may be let in."""
    if not insecure_no_auth:
        raise Complaint("nobody could sign in: start it with --insecure-no-auth to let in everybody on this machine")
    if not _is_loopback(host):
        raise Complaint(f"--insecure-no-auth serves a loopback address only, as 127.0.0.1 or ::1; {host} is none")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _viewer(settings: ViewerSettings) -> Viewer:
    identities = {BackendId(backend): user for backend, user in settings.identities.items()}
    return Viewer(settings.subject, settings.tenant, frozenset(settings.roles), identities)


def _web_limits(config: Config) -> WebLimits:
    limits = config.limits
    return WebLimits(
        config.server.allowed_origins,
        limits.body_max_bytes,
        legacy_graphql_ws=config.server.legacy_graphql_ws,
        persisted=PersistedDocuments(config.trusted_documents, only_trusted=config.documents.only_trusted),
        operations=OperationSettings(talking_interval_s=limits.talking_interval_s),
        session=SessionLimits(max_operations=limits.socket_operations),
        socket=SocketLimits(
            message_max_bytes=limits.body_max_bytes,
            outbox_max_bytes=limits.outbox_max_bytes,
            heartbeat_s=limits.heartbeat_s,
            stalled_s=limits.stalled_s,
            compression=config.server.compression,
        ),
    )


def _limits(settings: LimitSettings) -> LiveLimits:
    return LiveLimits(
        log_max_events=settings.room_log_events,
        confirm_s=settings.confirm_s,
        ended_room_kept_s=settings.ended_room_kept_s,
        idle_log_kept_s=settings.idle_log_kept_s,
    )
