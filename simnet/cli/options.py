"""Options that several verbs take: another engine, other settings."""

from __future__ import annotations

import click

from simnet.scenario.plan import Setting
from simnet.scenario.source import Source, read_source

ENGINE = click.option("--engine", default="", metavar="VERSION", help="Run every host with this engine (28.5, 20.10).")
SET = click.option("--set", "settings", multiple=True, metavar="PATH=VALUE",
                   help="Change a value: h1.daemon.icc=false, h1.cpus=4, traffic.web.requests.clients=8.")  # fmt: skip


def opened(name: str, engine: str, settings: tuple[str, ...]) -> Source:
    """Read a source as `--engine` and `--set` have it; what there is to say of it goes to standard error."""
    source = read_source(name, engine, [Setting.parse(text) for text in settings])
    for note in source.notes:
        click.echo(f"note: {note}", err=True)
    return source
