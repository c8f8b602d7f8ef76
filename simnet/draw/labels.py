"""Names written at the lines of a chart, where there is room: beside, above or below its own, and touching no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .chart import LETTER, LINE, POINTS, room

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Points = NDArray[np.float64]

# how far a text stands from its line, in inches
_GAP = 0.05
# the thin line from a text to its own, where it stands apart
_LEADER = {"arrowstyle": "-", "color": "#b0b0b0", "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)}
_PLACES = (0.55, 0.4, 0.7, 0.25, 0.85, 0.1, 0.95)


class Label(NamedTuple):
    """A text that belongs to a line, whose points are in the axes' data."""

    text: str
    line: Sequence[tuple[float, float]] | Points
    colour: str


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def write(axes: Axes, labels: Sequence[Label], others: Sequence[Points] = ()) -> bool:
    """Write every label at its line; where one of them finds no room none is written, and the answer is False.

    `others` are lines that labels must not touch either. The axes' limits and scales must be final.
    """
    import numpy as np

    size = np.array(room(axes))
    # in inches from the axes' corner
    lines = [_within(axes, label.line) * size for label in labels]
    avoided = [*lines, *(_within(axes, line) * size for line in others)]
    taken: list[_Box] = []
    for label, line in zip(labels, lines, strict=True):
        box = next((box for box in _places(label, line) if _free(box, avoided, taken, size)), None)
        if box is None:
            return False
        taken.append(box)
    for label, box in zip(labels, taken, strict=True):
        axes.text(
            (box.left + _GAP / 2) / size[0], (box.bottom + box.top) / 2 / size[1], label.text, color=label.colour,
            fontsize=POINTS, ha="left", va="center", linespacing=1.1, transform=axes.transAxes, parse_math=False,
        )  # fmt: skip
    return True


def write_at_ends(axes: Axes, labels: Sequence[Label]) -> bool:
    """Write every label to the right of the axes, where its line ends, as near as the others let it be.

    The answer is False, and nothing is written, where they do not fit, or would take more room than the lines have.
    """
    import numpy as np

    wide, high = room(axes)
    rows = [label.text.split("\n") for label in labels]
    if max(len(row) for text in rows for row in text) * LETTER > 0.7 * wide:
        return False
    ends = np.array([_within(axes, label.line)[-1] for label in labels]) * (wide, high)
    heights = [len(text) * LINE for text in rows]
    order = sorted(range(len(labels)), key=lambda at: (ends[at, 1], -at))
    places = _spread([ends[at, 1] for at in order], [heights[at] for at in order], high)
    if places is None:
        return False
    for at, place in zip(order, places, strict=True):
        axes.annotate(
            labels[at].text, (ends[at, 0] / wide, ends[at, 1] / high), xytext=(1 + 0.14 / wide, place / high),
            xycoords="axes fraction", textcoords="axes fraction", fontsize=POINTS, color=labels[at].colour, va="center",
            linespacing=1.1, annotation_clip=False, parse_math=False,
            arrowprops=_LEADER,
        )  # fmt: skip
    return True


def _spread(wanted: Sequence[float], heights: Sequence[float], most: float) -> list[float] | None:
    """Middles of texts that stand above each other, near the ascending ones wanted; None where they do not fit.

    Example:
        >>> _spread([0.5, 0.5], [0.2, 0.2], 1.0), _spread([0.5, 0.5], [0.6, 0.6], 1.0)
        ([0.4, 0.6], None)
    """
    if sum(heights) > most:
        return None
    # stacks of texts that touch, each as near to what its texts want as may be
    stacks: list[tuple[list[float], list[float]]] = []

    def begin(stack: tuple[list[float], list[float]]) -> float:
        own, tall = stack
        middles = [sum(tall[:at]) + tall[at] / 2 for at in range(len(tall))]
        ideal = sum(want - middle for want, middle in zip(own, middles, strict=True)) / len(own)
        return min(max(ideal, 0.0), most - sum(tall))

    for want, height in zip(wanted, heights, strict=True):
        stacks.append(([want], [height]))
        while len(stacks) > 1 and begin(stacks[-2]) + sum(stacks[-2][1]) > begin(stacks[-1]):
            own, tall = stacks.pop()
            stacks[-1][0].extend(own)
            stacks[-1][1].extend(tall)
    return [begin(stack) + sum(stack[1][:at]) + stack[1][at] / 2 for stack in stacks for at in range(len(stack[0]))]


def _within(axes: Axes, line: Sequence[tuple[float, float]] | Points) -> Points:
    """A line's points as shares of the axes, many on each stretch, so that a box that it crosses holds one."""
    import numpy as np

    points = axes.transLimits.transform(axes.transScale.transform(np.asarray(line, float)))
    points = np.clip(points, -1, 2)
    steps = np.linspace(0, 1, 40, endpoint=False)[:, None]
    if len(points) > 400:
        return np.asarray(points)
    pieces = points[:-1, None] + (points[1:] - points[:-1])[:, None] * steps
    return np.concatenate([pieces.reshape(-1, 2), points[-1:]])


def _places(label: Label, line: Points) -> Iterator[_Box]:
    """Where a label could stand: at several places of its line, beside it, above and below."""
    rows = label.text.split("\n")
    wide, high = max(map(len, rows)) * LETTER + _GAP, len(rows) * LINE
    for share in _PLACES:
        x, y = line[int(share * (len(line) - 1))]
        level = line[abs(line[:, 1] - y) <= high / 2, 0]
        upright = line[abs(line[:, 0] - x) <= wide / 2, 1]
        yield _Box(level.max() + _GAP, y - high / 2, level.max() + _GAP + wide, y + high / 2)
        yield _Box(level.min() - _GAP - wide, y - high / 2, level.min() - _GAP, y + high / 2)
        yield _Box(x - wide / 2, upright.max() + _GAP, x + wide / 2, upright.max() + _GAP + high)
        yield _Box(x - wide / 2, upright.min() - _GAP - high, x + wide / 2, upright.min() - _GAP)


def _free(box: _Box, lines: Sequence[Points], taken: Sequence[_Box], size: Points) -> bool:
    """Whether nothing is there yet, inside the axes."""
    if box.left < 0 or box.bottom < 0.02 or box.right > size[0] or box.top > size[1]:
        return False
    if any(box.meets(other) for other in taken):
        return False
    for line in lines:
        x, y = line[:, 0], line[:, 1]
        if ((x > box.left) & (x < box.right) & (y > box.bottom) & (y < box.top)).any():
            return False
    return True
