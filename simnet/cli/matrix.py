"""`simnet matrix`: who reaches whom."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import ENGINE, SET, opened


@click.command("matrix", epilog="Example: simnet matrix scenarios/basics/modes.yaml -o reach.svg")
@click.argument("source")
@ENGINE
@SET
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A picture: .png, .svg or .pdf.")
def command(source: str, engine: str, settings: tuple[str, ...], form: str, output: Path | None) -> None:
    """Try every place of SOURCE against every server, and say who reaches whom, and how."""
    from simnet.draw.progress import shown
    from simnet.study.matrix import matrix

    read = opened(source, engine, settings)
    with shown("pairs") as progress:
        found = matrix(read, progress)
    if output is not None:
        from simnet.draw.matrix import save

        save(found, output, source)
        click.echo(f"wrote {output}", err=True)
    if form == "json":
        from simnet.export.study import matrix_json

        click.echo(json.dumps(matrix_json(found), indent=1))
    elif form == "csv":
        from simnet.export.study import matrix_csv

        click.echo(matrix_csv(found), nl=False)
    else:
        from simnet.draw.matrix import render

        click.echo(render(found))
