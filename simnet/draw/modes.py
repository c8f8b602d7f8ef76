"""The network modes as a picture of what they cost: round trips by what they go to, and streams.

Where numbers of rules are compared it shows how round trips grow with them instead, and without times the counts
(`mode_counts`). Run it by itself to see one: `python -m simnet.draw.modes` writes modes.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.study.modes import BASELINE, Comparison

from . import bill, chart, mode_counts, slope, throughput
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simnet.sim.experiment import Bill

_WIDTH = 10.0


def save(compared: Sequence[Comparison], path: Path) -> None:
    """Draw comparisons into a .png, .svg or .pdf file; UsageError where it cannot be written."""
    check_output(path)
    if compared[0].question is None:
        mode_counts.save(compared[0], path)
    elif len({one.question.rules for one in compared if one.question is not None}) > 1:
        _rules(compared, path)
    else:
        _modes(compared, path)


def _label(one: Comparison, mode: str, compared: Sequence[Comparison]) -> str:
    """A mode's name, with what tells its comparison from the others."""
    parts = [mode]
    if len({other.engine for other in compared}) > 1:
        parts.append(one.engine)
    names = {other.question.costs.name for other in compared if other.question is not None}
    if len(names) > 1 and one.question is not None:
        parts.append(one.question.costs.name)
    return ", ".join(parts)


def _modes(compared: Sequence[Comparison], path: Path) -> None:
    """What a later round trip goes to, and the rate of a stream."""
    bills: dict[str, tuple[Bill, Bill]] = {}
    streams: dict[str, tuple[float, float]] = {}
    pairs = [(result, one) for one in compared for result in one.results]
    for result, one in sorted(pairs, key=lambda pair: compared[0].order(pair[0].mode.name)):
        if result.timing is not None:
            name = _label(one, result.mode.name, compared)
            bills[name], streams[name] = result.timing.bills, (result.timing.bits, 0.0)
    figure, panels = chart.new(_WIDTH, 0.3, 2)
    if not bills:
        for panel in panels:
            chart.empty(panel, "nothing gets through")
    else:
        bill.draw_on(panels[0], bills, title="The work of a later round trip, and what it waits for")
        baseline = _label(compared[0], BASELINE, compared)
        throughput.draw_on(panels[1], streams, unit="bit/s", title="A stream",
                           baseline=baseline if baseline in streams else "")  # fmt: skip
    chart.fit(figure, panels, top=0.25, gap=0.3, least=chart.ROW * max(len(bills), 3))
    _head(figure, f"Network modes, {compared[0]}" if len(compared) == 1 else "Network modes")
    write(figure, path)


def _rules(compared: Sequence[Comparison], path: Path) -> None:
    """Round trips against the number of rules."""
    later: dict[str, dict[int, float]] = {}
    first: dict[str, dict[int, float]] = {}
    for one in compared:
        for result in one.results:
            if result.timing is not None and one.question is not None:
                name = _label(one, result.mode.name, compared)
                later.setdefault(name, {})[one.question.rules] = result.timing.later.mean
                first.setdefault(name, {})[one.question.rules] = float(result.timing.first)
    figure, (axes,) = chart.new(chart.PAGE, 3.6)
    slope.draw_on(axes, later, first=first)
    chart.fit(figure, [axes], top=0.25, least=3.0)
    question = compared[-1].question
    behind = " behind an ESTABLISHED accept" if question is not None and question.accepted else ""
    _head(figure, f"Round trips by rules added{behind}")
    write(figure, path)


def _head(figure: Figure, text: str) -> None:
    figure.suptitle(text, fontsize=chart.POINTS + 2, fontweight="bold", x=0.01, y=0.995, ha="left", va="top")


if __name__ == "__main__":
    from simnet.sim.prices.costs import load
    from simnet.study.modes import Question, compare

    save([compare(question=Question(load()))], Path("modes.png"))
