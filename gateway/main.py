"""The command line."""

import click

from gateway.commands.check import check
from gateway.commands.demo import demo
from gateway.commands.schema import schema
from gateway.commands.serve import serve
from gateway.commands.simulate import simulate
from gateway.commands.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="conference-gateway", prog_name="conference-gateway")
def main() -> None:
    """One realtime GraphQL API for the voice conferences of several phone systems.

    New here? Run `conference-gateway demo`, open the address it prints in a browser, and press the play button.
    """


for command in (demo, serve, check, watch, simulate, schema):
    main.add_command(command)

if __name__ == "__main__":
    main()
