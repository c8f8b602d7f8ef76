"""`simnet compare`: Docker's network modes, side by side."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.study.modes import ENGINES, OVERLAY_ENGINE, ModeResult, compare

if TYPE_CHECKING:
    from rich.table import Table

_COUNTS = ("hops", "namespaces", "hooks", "rules_evaluated", "conntrack_lookups")


@click.command("compare", epilog="Example: simnet compare -o modes.png")
@click.option("--engine", type=click.Choice(ENGINES), default="28.5", show_default=True, help="The Docker version.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A figure: .png, .svg or .pdf.")
def command(engine: str, form: str, output: Path | None) -> None:
    """Compare Docker's network modes on one built-in host: hops, hooks and rules, there and back."""
    results = compare(engine)
    if engine != OVERLAY_ENGINE:
        click.echo(f"note: the overlay row is of Docker {OVERLAY_ENGINE}, the only one with such a host here", err=True)
    if output is not None:
        from simnet.draw.modes import save

        save(results, output, f"Docker {engine}")
        click.echo(f"wrote {output}", err=True)
    if form == "json":
        rows = [_row(one) for one in results]
        click.echo(json.dumps({"schema": "simnet.compare/1", "engine": engine, "modes": rows}, indent=1))
    elif form == "csv":
        click.echo(_csv(results), nl=False)
    else:
        from rich.console import Console

        Console(highlight=False).print(_table(results, engine))


def _row(result: ModeResult) -> dict[str, Any]:
    mode = result.mode
    return {
        "mode": mode.name,
        "question": mode.title,
        "from": mode.frm,
        "to": f"{mode.to}:{mode.port}",
        "verdict": result.trace.verdict,
        "server_saw": result.trace.server_saw or None,
        "request": {"first": asdict(result.request.first), "later": asdict(result.request.later)},
        "reply": {"first": asdict(result.reply.first), "later": asdict(result.reply.later)},
    }


def _csv(results: list[ModeResult]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["mode", "verdict", "way", "packet", *_COUNTS])
    for one in results:
        for way, counts in (("request", one.request), ("reply", one.reply)):
            for packet, totals in (("first", counts.first), ("later", counts.later)):
                values = [getattr(totals, name) for name in _COUNTS]
                writer.writerow([one.mode.name, one.trace.verdict, way, packet, *values])
    return text.getvalue()


def _table(results: list[ModeResult], engine: str) -> Table:
    """There / back in one cell; rules for the first and for a later packet."""
    from rich import box
    from rich.table import Table

    table = Table(title=f"Network modes, Docker {engine} (request / reply)", title_justify="left", box=box.SIMPLE_HEAD,
                  pad_edge=False, collapse_padding=True)  # fmt: skip
    table.add_column("mode", no_wrap=True)
    for name in ("hops", "name-\nspaces", "hooks", "rules,\nfirst", "rules,\nlater"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    for one in results:
        there, back = one.request, one.reply
        failed = "" if one.trace.verdict == "reply" else f" [red]✗ {one.trace.verdict}[/red]"
        table.add_row(
            f"[bold]{one.mode.name}[/bold]{failed}\n[dim]{one.mode.title}[/dim]",
            f"{there.first.hops}/{back.first.hops}",
            f"{there.first.namespaces}/{back.first.namespaces}",
            f"{there.first.hooks}/{back.first.hooks}",
            f"{there.first.rules_evaluated}/{back.first.rules_evaluated}",
            f"{there.later.rules_evaluated}/{back.later.rules_evaluated}",
        )
    return table
