"""`schema`: the API as a document."""

import click

from gateway.schema.schema import sdl


@click.command()
def schema() -> None:
    """Print the GraphQL schema (SDL), with a description of every type and field."""
    click.echo(sdl(), nl=False)
