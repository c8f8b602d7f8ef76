"""`simnet compare`: Docker's network modes, side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.errors import UsageError
from simnet.study.modes import ENGINE, MODES, Comparison, ModeResult, Question, compare

if TYPE_CHECKING:
    from rich.table import Table

_TIMES = ("first\nµs", "later\nµs", "×\nhost", "stream\n{}", "×\nhost")
# what a stream is counted in, by protocol: its unit, and how many packets or bits a second that is
_UNITS = {"udp": ("k/s", 1e3), "tcp": ("Gbit/s", 1e9)}
_COUNTS = ("\nhops", "rules\nfirst", "rules\nlater")
_MOST_RULES = 1_000_000


@click.command("compare", epilog="Example: simnet compare --rules 0,1000,10000 -o modes.png")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    default=[ENGINE],
    metavar="VERSION",
    show_default=True,
    help="The Docker version; given twice, both are compared.",
)
@click.option(
    "--mode", "modes", multiple=True, type=click.Choice([mode.name for mode in MODES]), help="Compare these modes only."
)
@click.option(
    "--costs",
    "lists",
    multiple=True,
    metavar="NAME|FILE",
    help="What steps take: a price list; given twice, both are compared.",
)
@click.option("--backend", type=click.Choice(["legacy", "nft"]), help="Which iptables: prices of rules hang on it.")
@click.option(
    "--rules", default="0", metavar="N,N,…", show_default=True, help="Add so many rules to the host's chains."
)
@click.option(
    "--accept-established/--no-accept-established",
    "accepted",
    default=True,
    show_default=True,
    help="Whether a rule before the added ones accepts what is ESTABLISHED.",
)
@click.option(
    "--packets",
    "exchanges",
    type=click.IntRange(2),
    default=10_000,
    show_default=True,
    help="Round trips of each mode.",
)
@click.option("--proto", type=click.Choice(["udp", "tcp"]), default="udp", show_default=True)
@click.option("--size", type=click.IntRange(1), default=64, show_default=True, metavar="BYTES", help="Data each way.")
@click.option(
    "--poll/--sleep",
    "polls",
    default=True,
    show_default=True,
    help="Whether the programs at both ends poll for data, or sleep and are woken.",
)
@click.option("--counts", is_flag=True, help="Count only; no times.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A figure: .png, .svg or .pdf.")
def command(
    engines: tuple[str, ...], modes: tuple[str, ...], lists: tuple[str, ...], backend: str | None, rules: str,
    *, accepted: bool, exchanges: int, proto: str, size: int, polls: bool, counts: bool, seed: int, form: str,
    output: Path | None,
) -> None:  # fmt: skip
    """Compare Docker's network modes: round trips, streams, hops, hooks and rules, first packet against later ones.

    Modes are compared on two hosts of one swarm (scenarios/performance/modes.yaml). Round trips are of one client that
    asks again as soon as it has its answer; streams are datagrams from one CPU (TCP: 256 KiB under way).
    """
    if output is not None:
        from simnet.draw.figure import check_output

        check_output(output)
    compared = [
        compare(engine, question, modes) for engine in engines
        for question in _questions(counts, lists, backend, rules, exchanges, seed, accepted=accepted, polls=polls,
                                   proto=proto, size=size)
    ]  # fmt: skip
    if output is not None:
        from simnet.draw.modes import save

        save(compared, output)
        click.echo(f"wrote {output}", err=True)
    if form == "table":
        from rich.console import Console

        console = Console(highlight=False)
        for one in compared:
            console.print(_table(one))
    else:
        from simnet.export.modes import as_csv, document

        text = json.dumps(document(compared), indent=1) if form == "json" else as_csv(compared).rstrip("\n")
        click.echo(text)


def _questions(
    counts: bool, lists: tuple[str, ...], backend: str | None, rules: str, exchanges: int, seed: int,
    **conditions: Any,
) -> list[Question | None]:  # fmt: skip
    """What is to be asked, a question for each price list and number of rules."""
    numbers = _numbers(rules)
    if counts:
        return [None]
    from simnet.sim.prices.costs import DEFAULT, load

    found: list[Question | None] = []
    for name in lists or (DEFAULT,):
        costs = load(name)
        costs = replace(costs, backend=backend) if backend else costs
        found += [Question(costs, exchanges, number, seed=seed, **conditions) for number in numbers]
    return found


def _numbers(text: str) -> list[int]:
    """The numbers of rules; UsageError where one is none."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [-1]
    if any(not 0 <= number <= _MOST_RULES for number in numbers):
        raise UsageError(f"--rules {text}: numbers from 0 to {_MOST_RULES:,} are wanted, as 0,100,1000")
    return numbers


def _table(compared: Comparison) -> Table:
    """A row for each mode: times, and hops and rules there and back."""
    from rich import box
    from rich.table import Table

    table = Table(title=str(compared), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False,
                  collapse_padding=True, padding=0)  # fmt: skip
    timed, relative = compared.question is not None, compared.relative()
    table.add_column("mode", no_wrap=True, max_width=27)
    proto = compared.question.proto if compared.question is not None else "udp"
    times = [name.format(_UNITS[proto][0]) for name in _TIMES] if timed else []
    for name in (*times, *_COUNTS):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name.split("\n")[0]))
    for one in compared.results:
        failed = "" if one.trace.verdict == "reply" else f" [red]✗ {one.trace.verdict}[/red]"
        table.add_row(
            f"[bold]{one.mode.name}[/bold]{failed}\n[dim]{one.mode.title}[/dim]",
            *(_times(one, relative.get(one.mode.name), proto) if timed else ()),
            f"{one.request.first.hops + one.reply.first.hops}",
            f"{one.request.first.rules_evaluated + one.reply.first.rules_evaluated}",
            f"{one.request.later.rules_evaluated + one.reply.later.rules_evaluated}",
        )
    return table


def _times(result: ModeResult, relative: tuple[float, float] | None, proto: str) -> tuple[str, ...]:
    """Round trips in µs and the stream in its unit, with multiples of the host mode's."""
    timing = result.timing
    if timing is None:
        return ("",) * len(_TIMES)
    trip, stream = (f"{one:.2f}" if relative is not None else "" for one in relative or (0.0, 0.0))
    rate = timing.packets if proto == "udp" else timing.bits
    first, later = (
        f"{time / 1e3:.1f}" if time < 1e5 else f"{time / 1e3:.0f}" for time in (timing.first, timing.later.mean)
    )
    return first, later, trip, f"{rate / _UNITS[proto][1]:.3g}", stream
