"""`simnet schema`: the JSON Schema of scenarios."""

from __future__ import annotations

import json

import click


@click.command("schema", epilog="Example: simnet schema > scenario.schema.json")
def command() -> None:
    """Print the JSON Schema of scenarios, for editors."""
    from simnet.scenario.schema import schema

    click.echo(json.dumps(schema(), indent=1))
