"""`simnet sweep`: an experiment at many points, kept as they are done, resumed where they were not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.errors import UnknownName, UsageError
from simnet.scenario.plan import Setting

from .options import ENGINE
from .run import Duration

if TYPE_CHECKING:
    from simnet.study.results import Results
    from simnet.study.sweep import Pool, Row, Sweep, Task, Went

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Examples:
  simnet sweep scenarios/performance/many-ports.yaml --vary h1.cpus=1,2,4 \\
      --vary traffic.last.connections.clients=1..64*2 -o results.sqlite -o clients.svg
  simnet sweep scenarios/performance/many-ports.yaml --vary wires.lan.delay=10us..1ms \\
      --sample lhs --points 100 -o results.sqlite
"""
_STORES, _PICTURES = (".sqlite", ".sqlite3", ".db"), (".png", ".svg", ".pdf")
_TABLE = ".parquet"
# failures that are told one by one
_TOLD = 5


@click.command("sweep", epilog=_EXAMPLE)
@click.argument("source")
@click.option("--vary", "varied", multiple=True, required=True, metavar="PATH=VALUES",
              help="What varies: any path that --set takes, as a list (a,b,c), or a range: 1..64, 1..64*2 (doubling), "
                   "0.1..0.9/5 (five values), 10us..1ms (for a sample).")  # fmt: skip
@ENGINE
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Change a setting at every point.")
@click.option("--sample", type=click.Choice(["grid", "random", "lhs"]), default="grid", show_default=True,
              help="All combinations, a random sample of the ranges, or a Latin hypercube.")  # fmt: skip
@click.option("--points", "count", type=int, default=0, metavar="N", help="How many points a sample has.")
@click.option("--traffic", "names", multiple=True, metavar="NAME", help="Only this traffic; may be repeated.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="The first seed of every point's runs, and the sample's."
)
@click.option(
    "--replications", type=click.IntRange(1), metavar="N", help="Runs of each point, with seeds that follow each other."
)
@click.option("--duration", type=Duration(), metavar="TIME", help="How long a run is: 2s, 500ms.")
@click.option("--exchanges", type=click.IntRange(1), metavar="N", help="How many exchanges a run has, of each flow.")
@click.option("--costs", default="", metavar="NAME|FILE", help="The price list, for all points.")
@click.option("--workers", type=int, metavar="N", help="Processes at once; one for each CPU without it.")
@click.option("--cluster", default="", metavar="ADDRESS", help="Run on a Dask cluster: tcp://scheduler:8786.")
@click.option("--measure", default="p99", show_default=True, help="What a figure shows: rate, p50, throughput, …")
@click.option("--over", multiple=True, metavar="PATH", help="What a figure has on its axis, or two axes.")
@click.option("--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True)
@click.option("-o", "--output", "outputs", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="May be given several times. Runs, to which a sweep adds: .sqlite. A table of them: .parquet. "
                   "A figure: .png, .svg or .pdf.")  # fmt: skip
def command(source: str, varied: tuple[str, ...], engine: str, settings: tuple[str, ...], sample: str, count: int,
            names: tuple[str, ...], seed: int | None, replications: int | None, duration: int | None,
            exchanges: int | None, costs: str, workers: int | None, cluster: str, measure: str, over: tuple[str, ...],
            form: str, outputs: tuple[Path, ...]) -> None:  # fmt: skip
    """Run SOURCE's traffic at many points, and print what came of each.

    Each finished point is kept in the .sqlite file at once. The same command goes on where it was stopped: points that
    are in the file are not run again.
    """
    from simnet.study.results import Results
    from simnet.study.sampling import Axis, points
    from simnet.study.sweep import Sweep, rows

    axes = [Axis.parse(text) for text in varied]
    how = {"seed": seed, "replications": replications, "duration": duration, "exchanges": exchanges}
    sweep = Sweep(source, _settings(engine, settings), axes, points(axes, sample, count, seed or 0), costs, how, names)
    store = _outputs(outputs, [axis.path for axis in axes], measure, over)
    for note in sweep.check():
        click.echo(f"note: {note}", err=True)
    with ExitStack() as stack:
        results = stack.enter_context(Results(store or Path(":memory:")))
        tasks = list(sweep.tasks())
        if count > len(tasks):
            click.echo(f"note: {len(tasks)} of the {count} points are different ones", err=True)
        went = _run(tasks, results, _pool(cluster, workers, stack), store)
        found = list(rows(tasks, results))
        _show(found, sweep, form)
        _tell(went, store)
        for path in outputs:
            _write(path, found, sweep, results, measure, over)
    if went.failed:
        raise click.exceptions.Exit(1)


def _settings(engine: str, texts: Sequence[str]) -> dict[str, str]:
    """Settings by their paths, as `Setting` writes these."""
    said = [str(Setting.parse(text)).partition("=") for text in ([f"*.engine={engine}"] if engine else []) + [*texts]]
    return {path: value for path, _, value in said}


def _outputs(outputs: Sequence[Path], paths: list[str], measure: str, over: Sequence[str]) -> Path | None:
    """The file of runs among the outputs; UsageError for what cannot be written, before anything is run."""
    from simnet.draw.figure import check_output
    from simnet.study.measures import MEASURES

    if measure not in MEASURES:
        raise UnknownName("measure", measure, MEASURES)
    for one in over:
        if one not in paths:
            raise UnknownName("path that varies", one, paths)
    stores = [path for path in outputs if path.suffix in _STORES]
    if len(stores) > 1:
        raise UsageError("runs go to one .sqlite file")
    for path in outputs:
        if not path.parent.is_dir():
            raise UsageError(f"-o {path}: no folder {str(path.parent)!r}")
        if path.suffix == _TABLE and not (find_spec("pandas") and find_spec("pyarrow")):
            raise UsageError(f"-o {path}: Parquet files need pandas and pyarrow: pip install 'simnet-docker[data]'")
        if path.suffix not in {*_STORES, _TABLE}:
            check_output(path)
            if len(over or paths) > 2:
                raise UsageError(f"-o {path}: a figure has one or two of what varies on its axes; name them by --over")
            if len(over or paths) == 2 and len(paths) > 2:
                raise UsageError(f"-o {path}: a map shows all that varies; set the rest, or name one by --over")
    return stores[0] if stores else None


def _pool(cluster: str, workers: int | None, stack: ExitStack) -> Pool:
    if workers is not None and workers < 1:
        raise UsageError(f"--workers must be 1 or more, not {workers}")
    if cluster:
        from simnet.study.cluster import connected

        return stack.enter_context(connected(cluster))
    from simnet.study.workers import cpus, each

    return lambda jobs, work: each(jobs, work, workers or cpus(), preload=["simnet.study.point"])


def _run(tasks: list[Task], results: Results, pool: Pool, store: Path | None) -> Went:
    """Run what is lacking; Ctrl-C leaves what is finished, and says how to go on."""
    from simnet.draw.progress import shown
    from simnet.study.sweep import run

    try:
        with shown("points") as progress:
            return run(tasks, results, pool, progress)
    except KeyboardInterrupt:
        if store is not None:
            done = sum(not results.lacking(task.conditions, task.seeds) for task in tasks)
            click.echo(f"{done} of {len(tasks)} points are in {store}; the same command goes on from there", err=True)
        else:
            click.echo("nothing is kept; with -o results.sqlite it would be", err=True)
        raise click.exceptions.Abort from None


def _show(found: list[Row], sweep: Sweep, form: str) -> None:
    if form == "json":
        from simnet.export.sweep import as_json

        click.echo(json.dumps(as_json(found, sweep), indent=1))
    elif form == "csv":
        from simnet.export.sweep import as_csv

        click.echo(as_csv(found, [axis.path for axis in sweep.axes]), nl=False)
    else:
        from simnet.draw.sweep import render

        click.echo(render(found, [axis.path for axis in sweep.axes]))


def _write(path: Path, found: list[Row], sweep: Sweep, results: Results, measure: str, over: Sequence[str]) -> None:
    if path.suffix == _TABLE:
        results.parquet(path)
    elif path.suffix not in _STORES:
        from simnet.draw.sweep import save

        save(found, path, list(over) or [axis.path for axis in sweep.axes], measure)
    click.echo(f"wrote {path}", err=True)


def _tell(went: Went, store: Path | None) -> None:
    for note in went.notes:
        click.echo(f"note: {note}", err=True)
    for task, why in went.failed[:_TOLD]:
        click.echo(f"simnet: {task}: {why}", err=True)
    more = len(went.failed) - _TOLD
    if more > 0:
        click.echo(f"simnet: … and {more} more", err=True)
    if went.failed:
        click.echo(f"simnet: {len(went.failed)} of {went.done + went.before + len(went.failed)} points have no result"
                   + ("; the others are kept" if store else ""), err=True)  # fmt: skip
    elif went.before:
        click.echo(f"{went.before} of {went.before + went.done} points were there already", err=True)
