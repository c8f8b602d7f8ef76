"""`simnet calibrate`: this machine's prices, measured; and the prediction test that says what they are worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simnet.live.calibrate.calibration import Calibration
    from simnet.study.prediction import Compared

_ROUNDS, _QUICK = 300, 24
# how many prices that are too noisy are told of
_SHOWN = 6


@click.command("calibrate", epilog="Example: simnet calibrate -o here.yaml --predict --figure prediction.png")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The price list: a .yaml file.")
@click.option("--quick", is_flag=True, help=f"{_QUICK} rounds: some seconds, and less sure prices.")
@click.option("--rounds", type=click.IntRange(_QUICK), metavar="N", help=f"How many rounds ({_ROUNDS}).")
@click.option("--backend", "only", type=click.Choice(["legacy", "nft"]), help="Measure the rules of one iptables only.")
@click.option("--predict", is_flag=True, help="Predict Docker's modes with the prices, and measure them too.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="How the prediction test is printed.")  # fmt: skip
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE",
              help="The prediction test as a .png, .svg or .pdf.")  # fmt: skip
def command(output: Path | None, quick: bool, rounds: int | None, only: str | None, predict: bool,
            form: str, figure: Path | None) -> None:  # fmt: skip
    """Measure this machine's prices and write them as a price list, for every verb that takes `--costs FILE`.

    Needs root and iptables. All that is measured is in network namespaces made for it, which go with the command,
    however it ends; nothing outside them changes.
    """
    from simnet.live.calibrate import calibration, cost_file, run
    from simnet.live.host import needs

    _check(output, figure, predict=predict, quick=quick, rounds=rounds)
    needs.root("simnet calibrate")
    restore = calibration.backends(only)
    from simnet.draw.progress import shown

    number = rounds or (_QUICK if quick else _ROUNDS)
    click.echo(f"measuring with {' and '.join(restore)} rules, {number} rounds …", err=True)
    with shown("measuring") as progress:
        found, compared = run.run(number, restore, predict=predict, progress=progress)
    _say(found)
    if output is not None:
        cost_file.write(output, cost_file.text(found, output.stem, calibration.usual_backend(restore)))
        click.echo(f"wrote {output}", err=True)
    if figure is not None:
        from simnet.draw.prediction import save

        save(compared, figure, cost_file.hardware())
        click.echo(f"wrote {figure}", err=True)
    if predict and form == "json":
        from simnet.export.prediction import prediction_json

        click.echo(json.dumps(prediction_json(compared, cost_file.hardware()), indent=1))
    elif predict:
        _print(compared)


def _check(output: Path | None, figure: Path | None, *, predict: bool, quick: bool, rounds: int | None) -> None:
    """Refuse what cannot be done before anything is measured."""
    from simnet.live.calibrate.cost_file import check_output

    if output is None and not predict:
        raise UsageError("nothing to do: give -o FILE.yaml for the price list, or --predict")
    if figure is not None and not predict:
        raise UsageError("--figure shows the prediction test; add --predict")
    if quick and rounds is not None:
        raise UsageError(f"--quick means {_QUICK} rounds; give it or --rounds")
    if output is not None:
        check_output(output)
    if figure is not None:
        from simnet.draw.figure import check_output as check_figure

        check_figure(figure)


def _say(found: Calibration) -> None:
    """What there is to know of the prices."""
    for path, why in found.refused.items():
        click.echo(f"not measured: {path}: {why}", err=True)
    click.echo(f"{len(found.prices)} prices measured; {len(found.unmeasured)} taken from {found.base.name}, times "
               f"{found.factor:.2g}", err=True)  # fmt: skip
    if found.noisy:
        click.echo(f"too noisy to trust, {len(found.noisy)} of {len(found.prices)} prices (ns):", err=True)
        for one in sorted(found.noisy, key=lambda one: -one.half)[:_SHOWN]:
            click.echo(f"  {one.key} {one.value:,.0f} ± {one.half:,.0f}", err=True)
        if len(found.noisy) > _SHOWN:
            click.echo(f"  … and {len(found.noisy) - _SHOWN} smaller ones, which the list itself names", err=True)


def _print(compared: Sequence[Compared]) -> None:
    """The prediction test as a table, and how near each group came."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from simnet.study.prediction import verdicts

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("path")
    for name in ("unit", "measured", "predicted", "error"):
        width = max(len(name), *(len(one.unit) for one in compared)) if name == "unit" else len(name) + 1
        table.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True, min_width=width)
    group = ""
    for one in compared:
        if one.group != group:
            group = one.group
            table.add_section()
        marked = f"[red]{one.error:+.1%}[/red]" if one.holds is False else f"{one.error:+.1%}"
        digits = 0 if one.measured >= 1000 else 1
        table.add_row(one.name, one.unit, f"{one.measured:.{digits}f}", f"{one.predicted:.{digits}f}", marked)
    console = Console(highlight=False)
    console.print(table)
    for verdict in verdicts(compared):
        console.print(str(verdict))
