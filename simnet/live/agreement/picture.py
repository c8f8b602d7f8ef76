"""Findings of a validation as a picture: from which place which address was asked, and how many probes agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from simnet.draw.figure import check_output, write
from simnet.live.agreement.validate import AGREES, DIFFERS, REFUSED, Finding, statuses
from simnet.net.address import parse_ip

# the colour of a square, by the worst of its probes, and what it means
_LOOKS = {
    DIFFERS: ("#d1603d", "simnet says something else"),
    REFUSED: ("#e8b04a", "simnet gives no answer"),
    AGREES: ("#3b8d5a", "all agree"),
}


def save(findings: Sequence[Finding], path: Path, title: str) -> None:
    """Draw a square for each place and address, with its number of probes; UsageError where it cannot be written.

    Where not all agree, it says how many do: `11/12`.
    """
    check_output(path)
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    places = sorted({one.probe.frm for one in findings})
    targets = sorted({one.probe.dst for one in findings}, key=parse_ip)
    figure = Figure(figsize=(3.2 + 0.55 * max(len(targets), 5), 2.2 + 0.32 * len(places)), layout="constrained")
    axes = figure.subplots()
    for (place, target), found in _cells(findings).items():
        column, row = targets.index(target), places.index(place)
        colour = next(look[0] for status, look in _LOOKS.items() if found[status])
        axes.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, facecolor=colour, edgecolor="white"))
        text = f"{found[AGREES]}/{found.total()}" if found[AGREES] < found.total() else str(found.total())
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white")
    axes.set_xticks(range(len(targets)), targets, rotation=55, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(places)), places, fontsize=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set(xlim=(-0.5, len(targets) - 0.5), ylim=(len(places) - 0.5, -0.5))
    axes.set_xlabel("address asked (in each field: how many probes)", fontsize=9)
    axes.set_ylabel("client", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    found = statuses(findings)
    patches = [Patch(facecolor=colour, label=meaning) for status, (colour, meaning) in _LOOKS.items() if found[status]]
    figure.legend(handles=patches, loc="outside lower left", frameon=False, fontsize=8, ncols=3)
    heading = figure.suptitle(f"{title}: {found[AGREES]} of {len(findings)} probes agree with the kernel",
                              fontweight="bold", x=0.01, ha="left", fontsize=10)  # fmt: skip
    heading.set_parse_math(False)
    write(figure, path)


def _cells(findings: Sequence[Finding]) -> dict[tuple[str, str], Counter[str]]:
    """How many probes of each status there are, by the place that asked and the address."""
    cells: dict[tuple[str, str], Counter[str]] = {}
    for one in findings:
        cells.setdefault((one.probe.frm, one.probe.dst), Counter())[one.status] += 1
    return cells
