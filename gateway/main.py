"""The command line."""

from importlib import import_module

import click

_COMMANDS = {
    "demo": "Try it: simulated phone systems with lively rooms, and the gateway connected to them.",
    "serve": "Run the gateway.",
    "check": "Try each backend: signing in, the event feed, reading rooms.",
    "capabilities": "Print what each backend can do, and why not.",
    "watch": "Show a room live: who is in it, who talks, who comes and goes.",
    "simulate": "Run a simulated backend with rooms that live on their own.",
    "schema": "Print the GraphQL schema (SDL).",
}


class _Commands(click.Group):
    """Imports a command when it is called: the database and GraphQL take seconds that `simulate` need not wait."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gateway.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="conference-gateway", prog_name="conference-gateway")
def main() -> None:
    """One realtime GraphQL API for the voice conferences of several phone systems.

    New here? Run `conference-gateway demo`, open the address it prints in a browser, and press the play button.
    """


if __name__ == "__main__":
    main()
