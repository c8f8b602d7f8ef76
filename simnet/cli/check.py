"""`simnet check`: the claims of a source, tried."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simnet.errors import UsageError

from .options import ENGINE, SET, opened


@click.command("check", epilog="Example: simnet check scenarios/basics/modes.yaml --engine 20.10 --junit report.xml")
@click.argument("source")
@ENGINE
@SET
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A JUnit report.")
def command(source: str, engine: str, settings: tuple[str, ...], form: str, junit: Path | None) -> None:
    """Try every claim of SOURCE (`check`, or `x-simnet` of a compose file); ends with 1 where one fails."""
    from simnet.study.check import FAILS, check

    read = opened(source, engine, settings)
    if not read.claims:
        raise UsageError(f"{source} claims nothing; write `check:` with sentences such as `db: unreachable from wan`")
    findings = list(check(read))
    if junit is not None:
        from simnet.export.junit import claims, report

        junit.write_text(report(source, claims(findings)), encoding="utf-8")
        click.echo(f"wrote {junit}", err=True)
    if form == "json":
        from simnet.export.study import check_json

        click.echo(json.dumps(check_json(source, findings), indent=1))
    else:
        from simnet.draw.check import render

        click.echo(render(findings))
    if any(finding.status == FAILS for finding in findings):
        raise click.exceptions.Exit(1)
