"""`capabilities`: what each configured backend can do, as a table."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from gateway.commands.running import Complaint
from gateway.config import Config, ConfigError
from gateway.live.live import ConfiguredBackend
from gateway.model.capability import Capabilities, Capability, CapabilityLevel, Support

_NOT = "–"
_WIDTH = 120


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="The TOML file to read.")
@click.option("--markdown", is_flag=True, help="Print the table alone, as documentation has it.")
def capabilities(config_path: Path, *, markdown: bool) -> None:
    """Print what each backend can do, and why not.

    NATIVE is one call of the backend, COMPOSED are several, PHONE are keys on the phone. The backends are not asked:
    one may say more precisely what it can do once the gateway is connected.
    """
    try:
        config = Config.load(config_path)
    except ConfigError as error:
        raise Complaint("\n".join(("the configuration cannot be used:", *error.problems))) from None
    lines = as_markdown(config.backends) if markdown else as_text(config.backends)
    click.echo("\n".join(lines))


def as_markdown(backends: Sequence[ConfiguredBackend]) -> Iterator[str]:
    """Write the table for documentation."""
    tables = [backend.adapter.capabilities() for backend in backends]
    yield _row("capability", *(_named(backend).replace("|", "\\|") for backend in backends))
    yield "|" + "---|" * (len(backends) + 1)
    for capability in Capability:
        yield _row(f"`{capability}`", *(_markdown_cell(table[capability]) for table in tables))


def as_text(backends: Sequence[ConfiguredBackend]) -> Iterator[str]:
    """Write the table for a terminal, and below it what is absent or limited, and why."""
    tables = [backend.adapter.capabilities() for backend in backends]
    rows = [["", *map(_named, backends)]]
    rows += [[capability, *(_cell(table[capability]) for table in tables)] for capability in Capability]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for backend, table in zip(backends, tables, strict=True):
        yield f"\n{_named(backend)}"
        for reason, concerned in _reasons(table).items():
            text = f"{', '.join(concerned)}: {reason}"
            yield textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent=" " * 6)


def _reasons(table: Capabilities) -> Mapping[str, Sequence[Capability]]:
    """Give what is absent or limited, by the reason, which many have in common."""
    reasons: dict[str, list[Capability]] = {}
    for capability in Capability:
        if (reason := table[capability].reason) is not None:
            reasons.setdefault(reason, []).append(capability)
    return reasons


def _named(backend: ConfiguredBackend) -> str:
    return " ".join(backend.name.split())  # on one line


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(support: Support) -> str:
    match support.level:
        case CapabilityLevel.ABSENT:
            return _NOT
        case CapabilityLevel.PHONE_ONLY:
            return f"PHONE {support.phone_keys}"
        case level:
            return level


def _markdown_cell(support: Support) -> str:
    match support.level:
        case CapabilityLevel.ABSENT:
            return _NOT
        case CapabilityLevel.PHONE_ONLY:
            return f"phone `{support.phone_keys}`"
        case level:
            return level.lower()
