"""`simulate`: a phone system that is not there."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from gateway import registry
from gateway.commands.running import Complaint, log_to_terminal, run, stop_asked_for
from gateway.simulator import Liveliness, SimulatedBackend

_GATEWAY = "http://127.0.0.1:8000"
"""Where `serve` listens unless told otherwise."""


@click.command()
@click.argument("kind", type=click.Choice(registry.kinds()))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0, the default: any free one."
)
@click.option("--rooms", type=click.IntRange(0, 10_000), default=8, show_default=True, help="How many rooms there are.")
@click.option("--people", type=click.IntRange(1, 1000), default=6, show_default=True, help="People in a full room.")
@click.option(
    "--churn", type=click.FloatRange(0), default=0.5, show_default=True, help="Joins and leaves a second, all together."
)
@click.option(
    "--talk-rate",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    help="Starts and stops of talking a second, all together.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same rooms and people.")
@click.option("--json", "as_json", is_flag=True, help="Once ready, print one line of JSON instead of the settings.")
def simulate(
    kind: str, *, port: int, rooms: int, people: int, churn: float, talk_rate: float, seed: int, as_json: bool
) -> None:
    """Run a simulated backend with rooms that live on their own.

    It listens on 127.0.0.1, speaks the real backend's wire protocol with its quirks, and prints the [[backends]] table
    that connects a gateway to it; where the backend lists no conferences, also the mutation that adopts them.
    """
    log_to_terminal()
    try:
        liveliness = Liveliness(rooms, people, churn, talk_rate, seed)
        run(_simulate(kind, port, liveliness, as_json=as_json))
    except OSError as error:
        raise Complaint(f"port {port}: {error.strerror or error}") from None


async def _simulate(kind: str, port: int, liveliness: Liveliness, *, as_json: bool) -> None:
    async with registry.simulator(kind)(host="127.0.0.1", port=port, liveliness=liveliness) as backend:
        click.echo(_as_json(kind, backend) if as_json else as_table(kind, kind, backend))
        if backend.adopt and not as_json:
            _say_adoption(kind, backend.adopt)
        await stop_asked_for()


def as_table(backend_id: str, kind: str, backend: SimulatedBackend, gateway: str = _GATEWAY) -> str:
    """Write the table of a configuration file, for the gateway at an address."""
    settings = {"id": backend_id, "kind": kind, "name": backend.name, **backend.settings}
    lines = [f"{name} = {_as_toml(value)}" for name, value in settings.items()]
    if backend.callback_setting is not None:
        address = _as_toml(f"{gateway}/hooks/{backend_id}/")
        lines.append(f"{backend.callback_setting} = {address}  # where the gateway listens: put its host and port")
    return "\n".join(("[[backends]]", *lines))


def _say_adoption(backend_id: str, native_ids: Sequence[str]) -> None:
    """Tell what else a gateway has to be told, beside the table, so that this alone is what a file takes."""
    from gateway.commands.adopting import to_paste  # noqa: PLC0415  # GraphQL takes half a second to import

    click.echo("\nIts conferences are not listed. Once a gateway is connected, adopt them, as in GraphiQL:\n", err=True)
    for mutation in to_paste(backend_id, native_ids):
        click.echo(f"{mutation}\n", err=True)


def _as_toml(value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    return "{ " + ", ".join(f"{json.dumps(name)} = {json.dumps(each)}" for name, each in value.items()) + " }"


def _as_json(kind: str, backend: SimulatedBackend) -> str:
    return json.dumps(
        {
            "kind": kind,
            "name": backend.name,
            "settings": dict(backend.settings),
            "somebody": backend.somebody,
            "adopt": list(backend.adopt),
            "callback_setting": backend.callback_setting,
        }
    )


def from_json(said: Mapping[str, Any]) -> SimulatedBackend:
    """Read what `--json` prints."""
    return SimulatedBackend(said["name"], said["settings"], said["somebody"], said["adopt"], said["callback_setting"])
