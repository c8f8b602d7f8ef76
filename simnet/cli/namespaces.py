"""`simnet namespaces`: which namespaces each container has, and with whom it shares them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from simnet.errors import UsageError

from .options import ENGINE, SET, opened

if TYPE_CHECKING:
    from simnet.docker.container.namespaces import Row


@click.command("namespaces", epilog="Example: simnet namespaces scenarios/basics/modes.yaml")
@click.argument("source")
@ENGINE
@SET
@click.option("--host", default="", metavar="HOST", help="Of one host only.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(source: str, engine: str, settings: tuple[str, ...], host: str, form: str) -> None:
    """Print the six namespaces (pid, ipc, mnt, uts, user, net) of every container of SOURCE, and who shares them."""
    from simnet.docker.container.namespaces import KINDS, table

    lab = opened(source, engine, settings).open()
    if not lab.sessions:
        raise UsageError(f"{source} is a snapshot, which does not say who shares which namespace; give a scenario")
    hosts = [host] if host else list(lab.sessions)
    rows = [(name, row) for name in hosts for row in table(lab.engine(name))]
    if form == "json":
        click.echo(
            json.dumps({"schema": "simnet.namespaces/1", "rows": [_row(name, row) for name, row in rows]}, indent=1)
        )
        return
    lines = [["", *KINDS]] + [[row.name, *(_cell(row, kind, len(rows)) for kind in KINDS)] for _, row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(KINDS) + 1)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _row(host: str, row: Row) -> dict[str, Any]:
    return {"host": host, "container": row.name if row.name != host else None, "namespaces": dict(row.numbers),
            "shared": {kind: list(others) for kind, others in row.shared.items()}}  # fmt: skip


def _cell(row: Row, kind: str, everyone: int) -> str:
    """A cell; what all share is not spelled out."""
    shared = len(row.shared.get(kind, ()))
    return f"{row.numbers[kind]} (all)" if shared > 1 and shared == everyone - 1 else row.cell(kind)
