"""`simnet run`: a source's traffic, played with a clock."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.errors import UsageError
from simnet.scenario import units
from simnet.scenario.traffic_file import SIMULATORS

from .options import ENGINE, SET, opened
from .outputs import Outputs, check, conditions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simnet.sim.experiment import Experiment, Outcome, Plan

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Examples:
  simnet run scenarios/performance/many-ports.yaml --traffic last
  simnet run scenarios/performance/many-ports.yaml --replications 10 --format json
  simnet run scenarios/performance/many-ports.yaml --set traffic.last.connections.clients=8
"""
_STOPPED = 130


class Duration(click.ParamType):
    """A time with its unit, as an option takes it; ns."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or say what is wrong."""
        if isinstance(value, int):
            return value
        try:
            found = units.duration(value)
            if not found and param is not None and param.name == "duration":
                raise ValueError("a run of no time measures nothing")
            return found
        except ValueError as error:
            what = param.opts[0] if param is not None else "a time"
            raise UsageError(f"{what}: {error}") from None


# the names of draw.run_figures, which is imported where a figure is drawn
_DRAWN = ("latency", "tail", "throughput", "bill", "load", "queues")


@click.command("run", epilog=_EXAMPLE)
@click.argument("source")
@ENGINE
@SET
@click.option("--traffic", "names", multiple=True, metavar="NAME", help="Only this traffic; may be repeated.")
@click.option(
    "--costs", default="", metavar="NAME|FILE", help="The price list (linux-6.18-vm), or a file of one's own."
)
@click.option("--duration", type=Duration(), metavar="TIME", help="How long: 1s, 100ms (without any end: 1s).")
@click.option("--exchanges", type=click.IntRange(1), metavar="N", help="How many exchanges of each client.")
@click.option("--warmup", type=Duration(), metavar="TIME", help="What begins before this time is not measured.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="The first replication's seed.")
@click.option("--replications", type=click.IntRange(1), metavar="N", help="How many runs, each with the next seed.")
@click.option("--simulator", type=click.Choice(SIMULATORS), help="What plays it; all give the same, but walks "
              "(slow) sends again what TCP loses.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), multiple=True, metavar="FILE",
              help="Results (.sqlite), or a figure (.png, .svg, .pdf); may be repeated.")  # fmt: skip
@click.option("--figure", type=click.Choice(_DRAWN), default="latency", show_default=True, help="What a figure shows.")
def command(source: str, engine: str, settings: tuple[str, ...], names: tuple[str, ...], costs: str, form: str,
            output: tuple[Path, ...], figure: str, simulator: str | None, **ends: int | None) -> None:  # fmt: skip
    """Play the traffic of SOURCE with a clock: latencies, throughput, what it costs and where packets wait.

    What a source says under `run` holds where no option says otherwise. A number of exchanges or a duration given here
    takes the place of both.
    """
    from simnet.sim.experiment import WALKS
    from simnet.study.summary import summed_up
    from simnet.study.timing import experiment, plan_of

    for path in output:
        check(path)
    read = opened(source, engine, settings)
    asked = experiment(read, costs, names)
    plan = plan_of(read, engine=simulator, **ends)
    notes = asked.notes
    for note in notes:
        click.echo(f"note: {note}", err=True)
    outcomes: list[Outcome] = []
    conditions = partial(conditions_of, source, engine, settings, names, plan, asked)
    with Outputs(output, conditions, asked) as kept:
        stopped = _play(asked, plan, outcomes, kept)
        if not outcomes:
            raise click.exceptions.Abort
        kept.draw(figure, outcomes, Path(source).stem)
    for path in output:
        click.echo(f"wrote {path}", err=True)
    summary = summed_up(outcomes, asked.bills())
    for station in summary.overflowed:
        click.echo(f"note: the queue of {station.name} overflowed: {station.dropped.value:,.0f} packets were dropped "
                   "in a run", err=True)  # fmt: skip
    if summary.overflowed and simulator != WALKS and any(flow.traffic.proto == "tcp" for flow in summary.flows):
        click.echo("note: TCP would send again what was dropped; --simulator walks plays that, here it waits for its "
                   "timeout", err=True)  # fmt: skip
    if stopped:
        click.echo(f"simnet: stopped after {len(outcomes):,} of {plan.replications:,} replications", err=True)
    if form == "json":
        from simnet.export.run import run_json

        found = run_json(source, asked.costs, plan, summary, notes, stopped=stopped)
        click.echo(json.dumps(found, indent=1))
    elif form == "csv":
        from simnet.export.run import run_csv

        click.echo(run_csv(summary), nl=False)
    else:
        _print(source, asked, plan, outcomes, summary)
    if stopped:
        raise click.exceptions.Exit(_STOPPED)


def _play(asked: Experiment, plan: Plan, outcomes: list[Outcome], kept: Outputs) -> bool:
    """Run, and keep each replication as it is finished; True where somebody pressed Ctrl-C."""
    from simnet.draw.progress import shown

    try:
        with shown("running") as told:
            done = 0

            def progress(seen: int, of: int) -> None:
                told(len(outcomes) * of + seen if of else done + seen, of * plan.replications)

            for outcome in asked.run(plan, progress):
                kept.add(outcome)
                outcomes.append(outcome)
                done += sum(flow.first.count + flow.later.count for flow in outcome.flows.values())
    except KeyboardInterrupt:
        return True
    return False


def _print(source: str, asked: Experiment, plan: Plan, outcomes: Sequence[Outcome], summary: Any) -> None:
    from rich.console import Console

    from simnet.draw.run import parts

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{source}, {_said(plan, len(outcomes))}, prices {asked.costs.name}\n")
    for part in parts(summary):
        console.print(part)


def _said(plan: Plan, replications: int) -> str:
    """`1 s, 10 replications with seeds from 0`."""
    from simnet.draw.run import time
    from simnet.study.interval import Mean

    ends = [time(Mean(float(plan.duration)))] if plan.duration else []
    ends += [f"{plan.exchanges:,} exchanges of each client"] if plan.exchanges else []
    many = f"{replications} replications, seeds from {plan.seed}" if replications > 1 else f"seed {plan.seed}"
    return f"{' or '.join(ends)}, {many}"
