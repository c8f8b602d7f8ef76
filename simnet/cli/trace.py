"""`simnet trace`: follow one conversation through a source, rule by rule."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from simnet.errors import UsageError
from simnet.net.address import ip_text
from simnet.net.conversation import Probe
from simnet.scenario.plan import Setting
from simnet.scenario.question import Answer, Listen, address_of, ask, port_of, read_rule_key
from simnet.scenario.source import read_source

from .options import ENGINE, SET

if TYPE_CHECKING:
    from simnet.lab.lab import Lab


def read_probe(lab: Lab, frm: str, to: str, proto: str, sport: int | None, ttl: int, size: int) -> Probe:
    """A probe from the options that every tracing verb takes; a name is looked up where the probe comes from."""
    if to.count(":") > 1 or to.startswith("["):
        raise UsageError(f"--to {to!r}: IPv6 is not modelled here yet; give an IPv4 address")
    address, found, port_text = to.partition(":")
    if not address[:1].isdigit() and (meant := lab.resolve(frm, address)):
        address = ip_text(meant)
    address_of(address, f"--to {to!r}")
    if proto == "icmp" and found:
        raise UsageError(f"--to {to!r}: a ping has no port")
    if proto != "icmp" and not found:
        raise UsageError(f"--to {to!r} lacks a port, such as {to}:80 (or ask with --proto icmp)")
    port = port_of(port_text, f"--to {to!r}") if found else 0
    return Probe(frm, address_of(address, f"--to {to!r}"), port, proto, sport or 40000, ttl, size)


def probe_options(function: click.decorators.FC) -> click.decorators.FC:
    """The options that say what is sent."""
    for option in reversed((
        click.option("--from", "frm", required=True, metavar="PLACE", help="Where it is sent from: h1, h1/web, wan."),
        click.option("--to", required=True, metavar="ADDR[:PORT]", help="Where to."),
        click.option("--proto", type=click.Choice(["tcp", "udp", "icmp"]), default="tcp", show_default=True),
        click.option("--sport", type=click.IntRange(1, 65535), metavar="N", help="The client's port (40000)."),
        click.option("--listen", multiple=True, metavar="PLACE:PROTO:ADDR:PORT", help="A server; may be repeated."),
        click.option("--ttl", type=click.IntRange(1, 255), default=64, show_default=True, metavar="N"),
        click.option("--assume", type=click.Choice(["match", "no-match"]), help="What every undecided rule does."),
        click.option("--let", "settled", multiple=True, metavar="PLACE:TABLE:CHAIN:N=match",
                     help="What one undecided rule does (match or no-match); may be repeated."),
        click.option("--size", type=click.IntRange(0, 65000), default=0, metavar="N", help="Bytes of data (ping: 56)."),
        ENGINE,
        SET,
    )):  # fmt: skip
        function = option(function)
    return function


class Asked(TypedDict):
    """What the options of `probe_options` give."""

    frm: str
    to: str
    proto: str
    sport: int | None
    listen: tuple[str, ...]
    ttl: int
    size: int
    assume: str | None
    settled: tuple[str, ...]
    engine: str
    settings: tuple[str, ...]


def answer_for(name: str, asked: Asked) -> tuple[Answer, Lab]:
    """Ask a source what the options say, and give the lab as it is before; what it lacks is told on standard error."""
    listens = tuple(Listen.parse(text) for text in asked["listen"])
    if not name:
        raise UsageError("SOURCE is empty; name a snapshot folder, a scenario or a compose file")
    source = read_source(name, asked["engine"], [Setting.parse(text) for text in asked["settings"]])
    lab = source.open()
    network = lab.network
    network.find(asked["frm"])
    probe = read_probe(lab, asked["frm"], asked["to"], asked["proto"], asked["sport"], asked["ttl"], asked["size"])
    for place in (probe.frm, *(one.place for one in listens)):
        network.find(place)
    settled = {}
    for text in asked["settled"]:
        (place, table, chain, number), match = read_rule_key(text)
        network.find_rule(place, table, chain, number)
        settled[network.find(place).place, table, chain, number] = match
    assume = None if asked["assume"] is None else asked["assume"] == "match"
    answer = ask(lambda: source.open().network, probe, listens, settled, assume)
    for note in answer.trace.notes:
        click.echo(f"note: {note}", err=True)
    return answer, lab


# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  simnet trace scenarios/snapshots/seed-modes-28.5 --from wan --to 192.0.2.2:2222 \\
      --listen h1/csphere-nat2:tcp:0.0.0.0:22
"""


@click.command("trace", epilog=_EXAMPLE)
@click.argument("source")
@probe_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Text: every packet in full, not one of a kind.")
@click.option("--why", is_flag=True, help="Text: say of each rule of the engine's which option of what caused it.")
def command(source: str, form: str, *, everything: bool, why: bool, **asked: Unpack[Asked]) -> None:
    """Follow one conversation through SOURCE (a snapshot, a scenario, a compose file), rule by rule."""
    answer, lab = answer_for(source, asked)
    if form == "json":
        from simnet.export.json import answer_json

        click.echo(json.dumps(answer_json(answer, lab.why), indent=1))
    else:
        from simnet.draw.text import render

        # an empty NO_COLOR does not count (no-color.org)
        click.echo(
            render(answer, everything=everything, why=lab.why if why else None),
            color=False if os.environ.get("NO_COLOR") else None,
        )
