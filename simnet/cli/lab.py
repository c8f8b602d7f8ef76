"""`simnet lab`: docker, iptables, ip … typed against a model host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.errors import SourceError, UsageError
from simnet.scenario.plan import Setting

from .options import SET, opened

if TYPE_CHECKING:
    from simnet.lab.lab import Lab

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  simnet lab -c 'docker run -d -p 8080:80 --name web busybox; iptables -t nat -S DOCKER'
  simnet lab --engine 20.10 -c 'docker network create n1; docker network ls'
  simnet lab scenarios/basics/overlay.yaml -c 'h2: docker ps'
"""


@click.command("lab", epilog=_EXAMPLE)
@click.argument("files", nargs=-1, metavar="[SOURCE] [SCRIPT]")
@click.option("-c", "commands", metavar="COMMANDS", help="What to run; several lines are fine.")
@click.option("--engine", default="", metavar="VERSION", help="The Docker engine (28.5).")
@SET
@click.option("--place", default="", metavar="PLACE", help="Where to type (the first host).")
def command(files: tuple[str, ...], commands: str | None, engine: str, settings: tuple[str, ...], place: str) -> None:
    """Run docker, iptables, ip, ping, … against a model: SOURCE, or one fresh Docker host `h1` and a machine `wan`.

    A line `PLACE: COMMAND` runs at another place. Each command's output is printed alone, as `sh -c` would; the exit
    code is the last command's.

    The fresh host is 192.0.2.2 and forwards already when its engine starts, so FORWARD stays ACCEPT; type `sysctl
    net.ipv4.ip_forward=0` first for a host as it boots. `wan` is 192.0.2.1. `dockerd --icc=false …` and `sysctl …`
    come before docker's commands. A container without a command of its own stays.
    """
    from simnet.scenario.source import is_source

    source = files[0] if files and is_source(files[0]) else ""
    scripts = files[1:] if source else files
    if len(scripts) > 1 or (scripts and commands is not None):
        raise UsageError("give one SOURCE at most, and either -c COMMANDS or one SCRIPT")
    script = commands if commands is not None else _script(scripts)
    lab = _lab(source, engine, settings)
    place = place or lab.first
    lab.network.find(place)
    code = 0
    for answer in lab.stream(script, place):
        sys.stdout.write(answer.out)
        sys.stdout.flush()
        sys.stderr.write(answer.err)
        sys.stderr.flush()
        code = answer.code
    if code:
        raise click.exceptions.Exit(code)


def _lab(source: str, engine: str, settings: tuple[str, ...]) -> Lab:
    from simnet.lab.lab import DEFAULT_ENGINE, Lab

    if source:
        return opened(source, engine, settings).open()
    lab = Lab.fresh(engine or DEFAULT_ENGINE)
    for one in map(Setting.parse, settings):
        if one.section == "engine":
            raise UsageError("in a fresh lab the engine is told by --engine")
        if not one.simple:
            raise UsageError(f"--set {one}: a fresh lab has sysctl and daemon settings alone; give a SOURCE")
        words = (
            ["sysctl", f"{one.key}={one.value}"] if one.section == "sysctl" else ["dockerd", f"--{one.key}={one.value}"]
        )
        answer = lab.execute(words, one.host.replace("*", lab.first))
        if not answer:
            raise UsageError(f"--set {one}: {str(answer).splitlines()[0]}")
    return lab


def _script(scripts: tuple[str, ...]) -> str:
    """The script of a file, or of standard input."""
    if not scripts:
        if sys.stdin.isatty():
            raise UsageError("the lab has no prompt yet; give -c COMMANDS, or a SCRIPT")
        return sys.stdin.read()
    try:
        return Path(scripts[0]).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SourceError("not UTF-8 text", file=scripts[0]) from None
    except OSError as error:
        raise SourceError(error.strerror or str(error), file=scripts[0], hint="give a SOURCE, or a SCRIPT") from None
