"""The way of a packet as a picture: hosts, namespaces and devices, and numbered arrows from one to the next.

Run it by itself to see one: `python -m simnet.draw.path` writes `path.png`, or the file that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simnet.net.network import Network
from simnet.scenario.question import Answer

from .figure import check_output, write
from .layout import HOST, NAME, SMALL, Layout, lay_out
from .scene import Arrow, Node, Scene, Way, scene_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WAY, _ANSWER, _DROP, _INK, _PALE = "#0b5394", "#b45309", "#c00000", "#222222", "#666666"
_FILLS = {"program": "#fff7e0", "bridge": "#d9e8d2", "vxlan": "#e6dcf0"}


def draw_path(answer: Answer, network: Network, path: Path, *, both: bool = False, packet: int | None = None) -> Scene:
    """Write the picture of an answer's way to a file, in the format that its ending names, and return what it shows.

    `network` gives the addresses and the kinds of the devices. See `scene_of` for `both` and `packet`. The file is
    there whole or not at all: UsageError where it cannot be written.

    Example:
        >>> from simnet.net.conversation import Probe
        >>> from simnet.scenario.question import ask
        >>> from simnet.scenario.source import open_source
        >>> source = lambda: open_source("scenarios/snapshots/seed-modes-28.5")
        >>> answer = ask(source, Probe("h1/csphere-nat", 0xC0000201, 80))
        >>> scene = draw_path(answer, source(), Path("/nowhere/way.png"))
        Traceback (most recent call last):
        simnet.errors.UsageError: -o /nowhere/way.png: no folder '/nowhere'
    """
    check_output(path)
    import matplotlib as mpl

    scene = scene_of(answer.trace, network, both=both, packet=packet)
    # no random ids: the same picture is the same file
    with mpl.rc_context({"svg.hashsalt": "simnet", "pdf.fonttype": 42}):
        write(figure_of(scene, answer), path)
    return scene


# --- from a trace to what is drawn ------------------------------------------------------------------------------------


def figure_of(scene: Scene, answer: Answer) -> Figure:
    """A matplotlib figure of a scene, with a title from the answer and a legend; all of it is in one pair of axes."""
    return _Artist(scene, answer).figure


class _Artist:
    """Draws a scene in inches: the grid in the middle, the title above it, the legend under it."""

    def __init__(self, scene: Scene, answer: Answer) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.scene = scene
        self.ruler = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=288)).get_renderer()
        grid = lay_out(scene, self.measure)
        margin = 0.25
        legend = list(self.legend_rows(max(grid.width, 7.5)))
        width = max(grid.width, 7.5)
        title = self.title_lines(answer, width)
        under, over = 0.27 * len(legend) + 0.12, sum(height for *_, height in title) + 0.15
        self.figure = Figure(
            figsize=(width + 2 * margin, grid.height + under + over + 2 * margin), dpi=160, facecolor="white"
        )
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        left, bottom = margin, margin + under
        full_width, full_height = self.figure.get_size_inches()
        self.axes.set_xlim(-left, full_width - left)
        self.axes.set_ylim(-bottom, full_height - bottom)
        self.boxes(grid)
        for arrow in scene.arrows:
            self.arrow(arrow)
        for node in scene.nodes.values():
            self.node(node)
        y = full_height - bottom - margin
        for text, points, bold, colour, height in title:
            self.text(margin - left, y, text, points, bold=bold, colour=colour, align=("left", "top"))
            y -= height
        y = -0.3
        for row in legend:
            self.legend_row(row, margin - left, y)
            y -= 0.27

    def measure(self, text: str, points: float, bold: bool) -> tuple[float, float]:
        """A line's width and height in inches; its height is a line's, whatever is in it."""
        from matplotlib.font_manager import FontProperties

        font = FontProperties(family="DejaVu Sans", size=points, weight="bold" if bold else "normal")
        return self.ruler.get_text_width_height_descent(text, font, ismath=False)[0] / 288, points * 1.3 / 72

    def text(
        self, x: float, y: float, text: str, points: float, *, bold: bool = False, colour: str = _INK,
        align: tuple[str, str] = ("center", "center"), box: dict[str, object] | None = None,
    ) -> None:  # fmt: skip
        """One text as it stands: a dollar sign begins no formula."""
        self.axes.text(
            x, y, text, fontsize=points, fontfamily="DejaVu Sans", fontweight="bold" if bold else "normal",
            color=colour, ha=align[0], va=align[1], bbox=box, parse_math=False, linespacing=1.15, zorder=6,
        )  # fmt: skip

    def box(self, left: float, bottom: float, width: float, height: float, **look: Any) -> None:
        """A rectangle, its corners rounded by `rounding`."""
        from matplotlib.patches import FancyBboxPatch

        style = f"round,pad=0,rounding_size={look.pop('rounding', 0.05)}"
        settings = {"facecolor": "white", "edgecolor": _INK, "linewidth": 1.0, "zorder": 2.0, **look}
        self.axes.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle=style, **settings))

    def boxes(self, grid: Layout) -> None:
        """Hosts outside, namespaces inside, each with its title."""
        for boxes, points, look in (
            (grid.hosts, HOST, {"facecolor": "#f1f3f5", "edgecolor": "#444444", "linewidth": 1.6, "zorder": 1.0}),
            (grid.namespaces, NAME, {"edgecolor": "#777777", "zorder": 1.5}),
        ):
            for box in boxes:
                self.box(box.left, box.bottom, box.right - box.left, box.top - box.bottom, rounding=0.1, **look)
                self.text(*box.title_at, box.title, points, bold=True, colour="#444444", align=(box.align, "center"))

    def node(self, node: Node) -> None:
        """A device or program with its name and lines; a drop is its cross and its reason."""
        left, bottom = node.x - node.width / 2, node.y - node.height / 2
        if node.kind == "drop":
            self.cross(left + 0.15, node.y)
            at = left + 0.36
            self.text(at, node.y, "\n".join(node.lines), SMALL, colour=_DROP, align=("left", "center"))
            return
        self.symbol(node.kind, left, bottom, node.width, node.height)
        lines = [(node.label, NAME, True), *((line, SMALL, False) for line in node.lines)]
        y = node.y + sum(self.measure(*line)[1] for line in lines) / 2
        for text, points, bold in lines:
            y -= self.measure(text, points, bold)[1]
            self.text(node.x, y + points * 0.37 / 72, text, points, bold=bold, align=("center", "baseline"))

    def symbol(self, kind: str, left: float, bottom: float, width: float, height: float) -> None:
        """The outline of a kind of node: programs are round, a bridge has a thick border, a tunnel end a broken one."""
        look = {"program": {"rounding": min(0.22, height / 2)}, "bridge": {"linewidth": 2.4}}.get(kind, {})
        style = "--" if kind == "vxlan" else "-"
        fill = _FILLS.get(kind, "white")
        self.box(left, bottom, width, height, facecolor=fill, zorder=4.0, linestyle=style, **{"rounding": 0.02, **look})

    def cross(self, x: float, y: float) -> None:
        """A drop."""
        self.axes.plot([x], [y], marker="x", markersize=12, markeredgewidth=3.6, color=_DROP, zorder=5, gid="drop")

    def arrow(self, arrow: Arrow) -> None:
        """The line with its number, and what happened on it."""
        line = list(arrow.line)
        if arrow.head.kind == "drop" and line[-1][1] == line[-2][1]:
            line[-1] = line[-1][0] - 0.02, line[-1][1]
        colour = self.line(line, arrow.way)
        circle = {"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": colour, "linewidth": 1.1}
        self.text(*arrow.badge, str(arrow.number), SMALL, bold=True, colour=colour, box=circle)
        if arrow.notes:
            box = {"boxstyle": "square,pad=0.35", "facecolor": "#fffbe6", "edgecolor": "#999999", "linewidth": 0.7}
            self.text(*arrow.note, "\n".join(arrow.notes), SMALL, align=arrow.align, box=box)

    def line(self, points: list[tuple[float, float]], way: Way) -> str:
        """An arrow along some points, solid for a way there and broken for an answer; its colour."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path as Outline

        colour = _ANSWER if way.answer else _WAY
        self.axes.add_patch(FancyArrowPatch(
            path=Outline(points), arrowstyle="-", linewidth=1.7, color=colour,
            linestyle=(0, (4, 2)) if way.answer else "-", zorder=3,
        ))  # fmt: skip
        # the head by itself, so that a broken line does not break it
        end, before = points[-1], points[-2]
        length = max(abs(end[0] - before[0]), abs(end[1] - before[1])) or 1.0
        start = end[0] - (end[0] - before[0]) / length * 0.02, end[1] - (end[1] - before[1]) / length * 0.02
        self.axes.add_patch(FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=13, color=colour, shrinkA=0, shrinkB=0, linewidth=1, zorder=3,
        ))  # fmt: skip
        return colour

    def title_lines(self, answer: Answer, width: float) -> list[tuple[str, float, bool, str, float]]:
        """The question and its outcome, then why: text, size, weight, colour, height."""
        trace = answer.trace
        mark = "✓" if trace.verdict == "reply" else "✗"
        lines = [(f"{trace.probe}  →  {mark} {trace.verdict}", 14.0, True, _INK)]
        drop = trace.dropped_by()
        if trace.server_saw:
            lines.append((f"The server at {trace.served_at} saw {trace.server_saw}.", 10.0, False, _INK))
        if drop is not None:
            lines.append((f"Ended at {drop.place}: {drop.reason}", 10.0, False, _DROP))
        for doubt in answer.doubts:
            rule = f"{doubt.rule.table} {doubt.rule.chain} {doubt.rule.number}"
            text = f"Undecided at {doubt.place}: {rule}, taken not to match; if it matches: {doubt.if_match.verdict}"
            lines.append((text, 10.0, False, _DROP))
        wrapped = []
        for text, points, bold, colour in lines:
            room = len(text)
            parts = [text]
            while room > 20 and max(self.measure(part, points, bold)[0] for part in parts) > width:
                room -= 1
                parts = wrap(text, room, break_on_hyphens=False)
            wrapped += [(part, points, bold, colour, points * 1.5 / 72) for part in parts]
        return wrapped

    def legend_rows(self, width: float) -> Iterator[list[tuple[str | Way, str, float]]]:
        """The legend's entries in rows that fit: what is drawn before the text, the text, and the width of both."""
        entries: list[tuple[str | Way, str]] = []
        for way in self.scene.ways:
            numbers = [arrow.number for arrow in self.scene.arrows if arrow.way is way]
            span = f" (arrows {numbers[0]}–{numbers[-1]})" if len(numbers) > 1 else ""
            entries.append((way, f"{'answer' if way.answer else 'packet'} {way.packet}: {way.text}{span}"))
        kinds = {node.kind for node in self.scene.nodes.values()}
        if kinds - {"program", "bridge", "vxlan", "drop"}:
            entries.append(("device", "network device"))
        names = {"bridge": "bridge", "vxlan": "VXLAN tunnel end", "program": "program"}
        entries += [(kind, name) for kind, name in names.items() if kind in kinds]
        if any(node.delivered for node in self.scene.nodes.values()):
            entries.append(("", "✓ delivered to its socket"))
        if "drop" in kinds:
            entries.append(("drop", "ends here"))
        row: list[tuple[str | Way, str, float]] = []
        for sign, text in entries:
            size = self.measure(text, SMALL, False)[0] + (0.75 if sign else 0.25)
            if row and (
                sum(used for *_, used in row) + size > width or isinstance(row[-1][0], Way) != isinstance(sign, Way)
            ):
                yield row
                row = []
            row.append((sign, text, size))
        yield row

    def legend_row(self, row: list[tuple[str | Way, str, float]], x: float, y: float) -> None:
        """One row of the legend."""
        for sign, text, size in row:
            if isinstance(sign, Way):
                self.line([(x, y), (x + 0.4, y)], sign)
            elif sign == "drop":
                self.cross(x + 0.25, y)
            elif sign:
                self.symbol(sign, x, y - 0.08, 0.4, 0.16)
            self.text(x + (0.5 if sign else 0), y - 0.04, text, SMALL, align=("left", "baseline"))
            x += size


if __name__ == "__main__":
    import sys

    from simnet.net.address import parse_ip
    from simnet.net.conversation import Probe
    from simnet.scenario.question import Listen, ask
    from simnet.scenario.source import open_source

    def _source() -> Network:
        return open_source("scenarios/snapshots/seed-modes-28.5")

    example = ask(
        _source,
        Probe("wan", parse_ip("192.0.2.2"), 2222),
        (Listen.parse("h1/csphere-nat2:tcp:0.0.0.0:22"),),
    )
    draw_path(example, _source(), Path(sys.argv[1] if len(sys.argv) > 1 else "path.png"))
