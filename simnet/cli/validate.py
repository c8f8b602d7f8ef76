"""`simnet validate`: the model held against a recording, or against a real host at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from simnet.errors import UsageError

if TYPE_CHECKING:
    from simnet.live.agreement.validate import Finding
    from simnet.live.questions.questions import Question
    from simnet.live.recording.recording import Recording

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  simnet validate tests/recordings/seed-modes-28.5 --junit report.xml
  simnet live up && simnet live exec h1 -- docker run -d -p 8080:80 busybox sleep 9999 && simnet validate --live
"""


@click.command("validate", epilog=_EXAMPLE)
@click.argument("source", required=False, default="")
@click.option("--live", is_flag=True, help="Ask real hosts, with real packets; needs root.")
@click.option("--host", "hosts", multiple=True, metavar="HOST",
              help="--live: unix:///path/docker.sock; may be repeated (h1, h2 …). Default: DOCKER_HOST, a private site "
                   "that is up (simnet live up), /var/run/docker.sock.")  # fmt: skip
@click.option("--site", "--name", "site", default="", metavar="NAME", help="--live: the private site of this name.")
@click.option("--probes", "most", type=click.IntRange(1), default=500, show_default=True, metavar="N",
              help="--live: no more than so many.")  # fmt: skip
@click.option("--no-outside", is_flag=True, help="--live: give the host no outside machine for the time.")
@click.option("--record", "kept", type=click.Path(path_type=Path), metavar="DIR", help="--live: keep the recording.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A JUnit report.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="A picture of who agrees where: .png, .svg or .pdf.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME",
              help="Only the probes of this name (* stands for anything); may be repeated.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Text: name the probes that agree as well.")
def command(source: str, *, live: bool, hosts: tuple[str, ...], site: str, most: int, no_outside: bool,
            kept: Path | None, form: str, junit: Path | None, output: Path | None, only: tuple[str, ...],
            verbose: bool) -> None:  # fmt: skip
    """Hold simnet against what a real kernel did.

    SOURCE is a recording: a folder, or one packed as .tar.xz. With --live a real Docker host is asked instead, now.

    Compared are verdicts, the client as the server saw it, chain walks, devices and counters. Ends with 1 where simnet
    says anything else. With --live every published port is asked from every place, and much else; SOURCE may be a
    scenario whose claims and traffic are asked as well.
    """
    from simnet.live.recording.recording import opened

    if junit is not None and not junit.parent.is_dir():
        raise UsageError(f"--junit {junit}: no folder {str(junit.parent)!r}")
    if output is not None:
        from simnet.draw.figure import check_output

        check_output(output)
    if live:
        findings = _live(_Asked(source, hosts, site, most, only, not no_outside, kept))
        told("live", findings, form, junit, output, verbose=verbose)
        return
    for option, given in (("--host", hosts), ("--site", site), ("--record", kept)):
        if given:
            raise UsageError(f"{option} goes with --live")
    if not source:
        raise UsageError("name a recording, or hold simnet against a real host with --live")
    if Path(source).suffix in {".yaml", ".yml"}:
        raise UsageError(f"{source} is no recording but a scenario; --live asks its claims on a real host")
    with opened(Path(source)) as read:
        findings = validated(read, only)
    told(Path(source).name, findings, form, junit, output, verbose=verbose)


class _Asked(NamedTuple):
    """What `--live` was asked for."""

    source: str
    hosts: tuple[str, ...]
    site: str
    most: int
    only: tuple[str, ...]
    reach: bool
    kept: Path | None


def _live(asked: _Asked) -> list[Finding]:
    """Record real hosts, and hold simnet against the recording."""
    from simnet.draw.progress import shown
    from simnet.live.host import needs
    from simnet.live.host.scratch import scratch
    from simnet.live.private.down import sweep
    from simnet.live.probe.record import Wanted, record
    from simnet.live.probe.target import ground

    if asked.kept is not None and asked.kept.exists():
        raise UsageError(f"--record {asked.kept} exists already; name another folder")
    own = _own_questions(asked.source)
    needs.root("validate --live")
    for left in sweep():
        _note(f"removed what was left of the private site {left}")
    with ground(asked.hosts, asked.site, reach=asked.reach) as there, scratch() as folder:
        with shown("packets") as tell:
            recording = record(there, folder, Wanted(asked.most, asked.only, own), _note, tell)
        if asked.kept is not None:
            _keep(folder, asked.kept)
            click.echo(f"wrote {asked.kept}", err=True)
        return validated(recording, (), taken_now=True)


def _keep(folder: Path, target: Path) -> None:
    """Copy a recording to where it is to be, whole or not at all."""
    draft = target.with_name(f".{target.name}.draft")
    try:
        shutil.copytree(folder, draft)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _own_questions(source: str) -> tuple[Question, ...]:
    if not source:
        return ()
    if Path(source, "expected.json").exists() or ".tar" in source:
        raise UsageError(f"{source} is a recording; --live asks a real host, and takes a scenario at most")
    from simnet.live.questions.claimed import claimed_questions
    from simnet.scenario.source import read_source

    return claimed_questions(read_source(source))


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def validated(recording: Recording, only: tuple[str, ...], *, taken_now: bool = False) -> list[Finding]:
    """The findings of a recording, with a progress bar; of one that was `taken_now` all notes have been told."""
    from simnet.draw.progress import shown
    from simnet.live.agreement.validate import chosen, validate
    from simnet.scenario import snapshot

    for note in () if taken_now else snapshot.load(recording.snapshot).notes:
        click.echo(f"note: {note}", err=True)
    number, findings = len(chosen(recording, only)), []
    with shown("probes") as tell:
        for finding in validate(recording, only):
            findings.append(finding)
            tell(len(findings), number)
    return findings


def told(
    name: str, findings: list[Finding], form: str, junit: Path | None, output: Path | None, *, verbose: bool
) -> None:
    """Print the report and write its files; ends with 1 where anything differs."""
    from simnet.live.agreement.validate import AGREES
    from simnet.live.agreement.validate_json import cases, validate_json

    if junit is not None:
        from simnet.export.junit import report

        junit.write_text(report(name, cases(name, findings)), encoding="utf-8")
        click.echo(f"wrote {junit}", err=True)
    if output is not None:
        from simnet.live.agreement.picture import save

        save(findings, output, name)
        click.echo(f"wrote {output}", err=True)
    if form == "json":
        click.echo(json.dumps(validate_json(name, findings), indent=1))
    else:
        from simnet.live.agreement.report import render

        click.echo(render(findings, everything=verbose))
    if any(finding.status != AGREES for finding in findings):
        raise click.exceptions.Exit(1)
