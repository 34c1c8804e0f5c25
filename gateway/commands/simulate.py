"""`simulate`: a phone system that is not there."""

import json
from collections.abc import Mapping

import click

from gateway import registry
from gateway.commands.running import Complaint, log_to_terminal, run, stop_asked_for
from gateway.simulator import Liveliness, SimulatedBackend


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
    that connects a gateway to it.
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
        await stop_asked_for()


def as_table(backend_id: str, kind: str, backend: SimulatedBackend) -> str:
    """Write the table of a configuration file."""
    settings = {"id": backend_id, "kind": kind, "name": backend.name, **backend.settings}
    return "\n".join(("[[backends]]", *(f"{name} = {_as_toml(value)}" for name, value in settings.items())))


def _as_toml(value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    return "{ " + ", ".join(f"{json.dumps(name)} = {json.dumps(each)}" for name, each in value.items()) + " }"


def _as_json(kind: str, backend: SimulatedBackend) -> str:
    return json.dumps(
        {"kind": kind, "name": backend.name, "settings": dict(backend.settings), "somebody": backend.somebody}
    )
