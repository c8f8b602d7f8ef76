"""`simnet validate`: the model held against a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.errors import UsageError

if TYPE_CHECKING:
    from simnet.live.recording import Recording
    from simnet.live.validate import Finding

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  simnet validate tests/recordings/seed-modes-28.5 --junit report.xml
"""


@click.command("validate", epilog=_EXAMPLE)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A JUnit report.")
@click.option("--only", multiple=True, metavar="NAME",
              help="Only the probes of this name (* stands for anything); may be repeated.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Text: name the probes that agree as well.")
def command(recording: Path, form: str, junit: Path | None, only: tuple[str, ...], *, verbose: bool) -> None:
    """Trace every probe of RECORDING (a folder, or one packed as .tar.xz) and compare with what the kernel did.

    Compared are verdicts, the client as the server saw it, chain walks, devices and counters. Ends with 1 where simnet
    says anything else.
    """
    from simnet.live.recording import opened

    if junit is not None and not junit.parent.is_dir():
        raise UsageError(f"--junit {junit}: no folder {str(junit.parent)!r}")
    with opened(recording) as read:
        findings = validated(read, only)
    told(recording.name, findings, form, junit, verbose=verbose)


def validated(recording: Recording, only: tuple[str, ...]) -> list[Finding]:
    """The findings of a recording, with a progress bar."""
    from simnet.draw.progress import shown
    from simnet.live.validate import chosen, validate
    from simnet.scenario import snapshot

    for note in snapshot.load(recording.snapshot).notes:
        click.echo(f"note: {note}", err=True)
    number, findings = len(chosen(recording, only)), []
    with shown("probes") as tell:
        for finding in validate(recording, only):
            findings.append(finding)
            tell(len(findings), number)
    return findings


def told(name: str, findings: list[Finding], form: str, junit: Path | None, *, verbose: bool) -> None:
    """Print the report; ends with 1 where anything differs."""
    from simnet.live.validate import AGREES
    from simnet.live.validate_json import cases, validate_json

    if junit is not None:
        from simnet.export.junit import report

        junit.write_text(report(name, cases(name, findings)), encoding="utf-8")
        click.echo(f"wrote {junit}", err=True)
    if form == "json":
        click.echo(json.dumps(validate_json(name, findings), indent=1))
    else:
        from simnet.live.report import render

        click.echo(render(findings, everything=verbose))
    if any(finding.status != AGREES for finding in findings):
        raise click.exceptions.Exit(1)
