"""`simnet exec`: one command in one place of a source."""

from __future__ import annotations

import sys

import click

from .options import ENGINE, SET, opened


@click.command("exec", epilog="Example: simnet exec scenarios/basics/modes.yaml h1/csphere-nat -- ip addr",
               context_settings={"ignore_unknown_options": True})  # fmt: skip
@click.argument("source")
@click.argument("place")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@ENGINE
@SET
def command(source: str, place: str, words: tuple[str, ...], engine: str, settings: tuple[str, ...]) -> None:
    """Run one of the lab's commands (docker, iptables, ip, ping, wget, …) in PLACE of SOURCE."""
    lab = opened(source, engine, settings).open()
    lab.network.find(place)
    answer = lab.execute(list(words), place)
    sys.stdout.write(answer.out)
    sys.stdout.flush()
    sys.stderr.write(answer.err)
    if answer.code:
        raise click.exceptions.Exit(answer.code)
