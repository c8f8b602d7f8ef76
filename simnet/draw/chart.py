"""What the charts of time share: sizes in print, looks that grey print keeps apart, units, ticks, and room for words.

Texts are never read as formulas, so a name may hold a `$`; that, ticks of one's own and a layout in one pass are what
makes a chart of three panels take a quarter of a second instead of a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.patches import Patch

# the width of one column and of two in inches; the size of every text in points; dots per inch of a .png
COLUMN, PAGE = 3.5, 7.0
POINTS = 8.0
DPI = 150
# how wide a letter is, about, and how high a line, in inches
LETTER, LINE = 0.6 * POINTS / 72, 1.25 * POINTS / 72
# how high a bar and its gap are where a figure is as high as its bars need, in inches
ROW = 0.24
GREY = "#6b6b6b"


class Look(NamedTuple):
    """How a line looks: its colour and the form of its marks, which grey print keeps."""

    colour: str
    mark: str


# neighbours differ in lightness (the colours are Okabe and Ito's)
LOOKS = tuple(
    Look(*pair)
    for pair in zip(
        ("#000000", "#d55e00", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#5a5a5a", "#8b0000", "#9a9a9a",
         "#00356b", "#7a5c00"),
        "os^DvP>X<pd*",
        strict=True,
    )
)  # fmt: skip


def look(index: int) -> Look:
    """The look of the line with a number; beyond the last they begin anew."""
    return LOOKS[index % len(LOOKS)]


# -- units ---------------------------------------------------------------------------------------------------------

_TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def time_unit(nanoseconds: float) -> tuple[float, str]:
    """The unit that a time is best said in: how many ns it has, and its name.

    Example:
        >>> time_unit(37_200)
        (1000.0, 'µs')
    """
    return next((unit for unit in _TIMES if nanoseconds >= unit[0]), _TIMES[-1])


def digits(value: float) -> str:
    """Three digits of a number, without the zeros that say nothing.

    Example:
        >>> [digits(value) for value in (0, 0.01234, 1.5, 37.24, 940.4, 12345)]
        ['0', '0.0123', '1.5', '37.2', '940', '12345']
    """
    if not value:
        return "0"
    places = max(2 - floor(log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_text(nanoseconds: float) -> str:
    """A time with its unit.

    Example:
        >>> time_text(37_240), time_text(0), time_text(10_000_000_000)
        ('37.2 µs', '0', '10 s')
    """
    if not nanoseconds:
        return "0"
    size, name = time_unit(float(f"{nanoseconds:.3g}"))
    return f"{digits(nanoseconds / size)} {name}"


def prefix(value: float) -> tuple[float, str]:
    """The SI prefix that a number is best said with: how much it stands for, and its letter.

    Example:
        >>> prefix(9.4e9), prefix(0)
        ((1000000000.0, 'G'), (1.0, ''))
    """
    return next((one for one in _PREFIXES if abs(value) >= one[0]), _PREFIXES[-1])


# -- ticks ---------------------------------------------------------------------------------------------------------


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers at even distances, about.

    Example:
        >>> even_ticks(0, 47, 5)
        [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    raw = (high - low) / max(most, 1)
    if raw <= 0:
        return [low]
    size = 10.0 ** floor(log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw * 0.999)
    return [number * step for number in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers on a logarithmic scale: powers of ten, or 1, 2 and 5 times them, or even steps, as these fit.

    Example:
        >>> log_ticks(800, 12_000_000, 6)
        [1000.0, 10000.0, 100000.0, 1000000.0, 10000000.0]
        >>> log_ticks(30, 70, 4)
        [30.0, 40.0, 50.0, 60.0, 70.0]
    """
    first, last = floor(log10(low)), ceil(log10(high))
    powers = [10.0**power for power in range(first, last + 1) if low * 0.999 <= 10.0**power <= high * 1.001]
    if len(powers) > most:
        return powers[:: ceil(len(powers) / most)]
    parts = [f * 10.0**p for p in range(first, last + 1) for f in (1, 2, 5) if low <= f * 10.0**p <= high]
    if len(powers) >= 3 or len(parts) > most:
        return powers if len(powers) >= 2 else even_ticks(low, high, most)
    return parts if len(parts) >= 3 else even_ticks(low, high, most)


def set_ticks(axis: Axis, places: Sequence[float], labels: Sequence[str]) -> None:
    """Exactly these ticks, and none between them."""
    from matplotlib.ticker import NullLocator

    axis.set_minor_locator(NullLocator())
    axis.set_ticks(list(places), list(labels))
    for label in axis.get_ticklabels():
        label.set_parse_math(False)


def time_axis(axis: Axis, low: float, high: float, what: str, *, most: int, log: bool) -> None:
    """Ticks and the name of an axis of times (ns): one unit in its name, or one at each tick where they span many."""
    places = log_ticks(low, high, most) if log else even_ticks(low, high, most)
    if log and high / low > 2000:
        labels = [time_text(place) for place in places]
    else:
        size, name = time_unit(high)
        labels = [f"{place / size:.6g}" for place in places]
        what = f"{what} ({name})"
    set_ticks(axis, places, labels)
    axis.set_label_text(what, fontsize=POINTS)


def rows(count: int) -> tuple[float, float]:
    """The limits of an axis of bars from the top down; a bar alone is no thicker than one of two.

    Example:
        >>> rows(1), rows(3)
        ((1.0, -1.0), (2.5, -0.5))
    """
    middle, half = (count - 1) / 2, max(count, 2) / 2
    return middle + half, middle - half


# -- axes ----------------------------------------------------------------------------------------------------------


def bare(axes: Axes, title: str = "") -> None:
    """Leave out what says nothing; a title stands at the left."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=POINTS, length=3, width=0.6, pad=2)
    for side in ("left", "bottom"):
        axes.spines[side].set_linewidth(0.6)
    if title:
        axes.set_title(title, fontsize=POINTS + 1, loc="left", parse_math=False)


def empty(axes: Axes, words: str = "nothing was measured") -> None:
    """Say that there is nothing to be seen."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=POINTS, color=GREY, transform=axes.transAxes)


def room(axes: Axes) -> tuple[float, float]:
    """The width and height of axes in inches, as they are now."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    return box.width * float(figure.get_figwidth()), box.height * float(figure.get_figheight())


def legend_below(axes: Axes, handles: Sequence[Artist], labels: Sequence[str], *, gap: float = 0.42) -> Legend:
    """A legend `gap` inches below axes, in as many columns as their width has room for."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure(root=True)
    assert figure is not None
    widest = max(map(len, labels)) * LETTER + 0.42
    found = axes.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0, 0), frameon=False, fontsize=POINTS,
        ncols=min(max(int((room(axes)[0] + 0.3) / widest), 1), len(labels)), borderaxespad=0, borderpad=0,
        handlelength=2.0, handletextpad=0.5, columnspacing=1.0, labelspacing=0.35,
        bbox_transform=axes.transAxes + ScaledTranslation(0, -gap, figure.dpi_scale_trans),
    )  # fmt: skip
    for text in found.get_texts():
        text.set_parse_math(False)
    return found


def patch(colour: str, hatch: str = "") -> Patch:
    """A legend's sign for a bar."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.4)


def new(width: float, height: float, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches, and its panels from left to right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = figure.subplots(1, panels, squeeze=False)
    return figure, list(axes[0])


def fit(figure: Figure, axes: Iterable[Axes], *, top: float = 0.0, gap: float = 0.15, least: float = 0.0) -> None:
    """Give panels of one row all the room that what is written around them leaves; `top` inches are kept free.

    What matplotlib's constrained layout does, in one pass. The figure grows where panels would be lower than `least`
    inches.
    """
    panels = list(axes)
    width, height = figure.get_size_inches()
    over = []
    for one in panels:
        inner, outer = one.get_window_extent(), one.get_tightbbox(for_layout_only=True)
        assert outer is not None
        sides = inner.x0 - outer.x0, outer.x1 - inner.x1, inner.y0 - outer.y0, outer.y1 - inner.y1
        over.append([max(side, 0) / figure.dpi for side in sides])
    edge = 0.03
    shares = [one.get_position().width for one in panels]
    free = width - sum(left + right for left, right, _, _ in over) - gap * (len(panels) - 1) - 2 * edge
    free = max(free, 0.3 * width)
    bottom, above = max(one[2] for one in over) + edge, max(one[3] for one in over) + edge + top
    tall = max(height - bottom - above, least, 0.2 * height)
    height = bottom + tall + above
    figure.set_figheight(height)
    at = edge
    for one, (left, right, _, _), share in zip(panels, over, shares, strict=True):
        wide = free * share / sum(shares)
        one.set_position(((at + left) / width, bottom / height, wide / width, tall / height))
        at += left + wide + right + gap
