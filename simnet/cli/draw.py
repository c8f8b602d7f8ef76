"""`simnet draw`: the way of a packet as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from simnet.draw.figure import check_output
from simnet.draw.path import draw_path
from simnet.errors import UsageError

from .trace import Asked, answer_for, probe_options

# the first character keeps click from filling the lines
EXAMPLE = """\b
Example:
  simnet draw scenarios/snapshots/seed-modes-28.5 --from wan --to 192.0.2.2:2222 \\
      --listen h1/csphere-nat2:tcp:0.0.0.0:22 -o way.svg
"""


@click.command("draw", epilog=EXAMPLE)
@click.argument("source")
@probe_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Ends in .svg, .png or .pdf."
)
@click.option("--both", is_flag=True, help="The first answer too, not only the way there.")
@click.option("--packet", type=int, metavar="N", help="One packet alone, by its number in `simnet trace`.")
def command(source: str, output: Path, packet: int | None, *, both: bool, **asked: Unpack[Asked]) -> None:
    """Draw the way of a packet through SOURCE (a snapshot, scenario or compose file), over namespaces and devices.

    What is drawn is the first packet of each connection; its arrows are numbered in order.
    """
    if both and packet is not None:
        raise UsageError("--packet draws one packet alone; leave --both out")
    check_output(output)
    answer, lab = answer_for(source, asked)
    scene = draw_path(answer, lab.network, output, both=both, packet=packet)
    arrows = "1 arrow" if len(scene.arrows) == 1 else f"{len(scene.arrows)} arrows"
    click.echo(f"{answer.trace.probe} → {answer.trace.verdict}: {arrows}", err=True)
    click.echo(output)
