"""Where each thing of a scene goes, in inches: no drawing library is needed to know it.

`lay_out` puts a scene on a grid of columns and rows. A new node goes to the right of the one that the packet came from;
one in another namespace of the same host goes above or below it, so that the two ends of a veth pair face each other.
The host's own namespace is the bottom row, containers stand above it, hosts side by side. Columns and rows grow to what
is written in them; hence no two labels meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .scene import Arrow, Node, Point, Scene

if TYPE_CHECKING:
    import networkx as nx

# the width and height in inches of a text in a size in points, bold or not
Measure = Callable[[str, float, bool], Point]

HOST, NAME, SMALL = 11.0, 9.5, 8.0
STRIP, PAD, HOST_PAD, BADGE, PITCH = 0.27, 0.14, 0.12, 0.11, 0.26


@dataclass(eq=False, slots=True)
class Box:
    """A namespace or a host: its rectangle, its title and where that stands."""

    name: str
    title: str
    left: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    top: float = 0.0
    title_at: Point = (0.0, 0.0)
    align: str = "left"


@dataclass(eq=False, slots=True)
class Layout:
    """The finished grid: the boxes, and the size of it all; the origin is at the bottom left."""

    hosts: list[Box]
    namespaces: list[Box]
    width: float
    height: float


def lay_out(scene: Scene, measure: Measure) -> Layout:
    """Give every node, arrow and box of a scene its place in inches, from the bottom left.

    The nodes and arrows are changed in place; the result is the same for the same scene.

    Example:
        >>> from simnet.draw.scene import Node, Scene
        >>> scene = Scene()
        >>> scene.nodes["h1/web", "client"] = Node("h1/web", "client", "program")
        >>> lay_out(scene, lambda text, points, bold: (len(text) / 10, 0.1)).namespaces[0].title
        'h1/web'
    """
    return _Grid(scene, measure).finish()


class _Grid:
    """The steps of the layout, in the order of the methods below."""

    def __init__(self, scene: Scene, measure: Measure) -> None:
        self.scene, self.measure = scene, measure
        self.nodes = list(scene.nodes.values())
        self.hosts = list(dict.fromkeys(node.host for node in self.nodes))
        self.places = list(dict.fromkeys(node.place for node in self.nodes))
        self.columns()
        self.row = self.rows()
        self.lanes()
        self.pairs: dict[frozenset[int], list[Arrow]] = {}
        for arrow in scene.arrows:
            self.pairs.setdefault(frozenset((id(arrow.tail), id(arrow.head))), []).append(arrow)
        self.sizes()

    def columns(self) -> None:
        """Columns from left to right, by order of appearance, counted within each host and then over all."""
        taken: set[tuple[str, int, int]] = set()
        last: dict[str, int] = {}
        for node in self.nodes:
            before = node.after
            if before is None or before.host != node.host:
                node.column = last.get(node.host, -1) + 1
            else:
                node.column = before.column + (before.place == node.place)
            while (node.place, node.column, node.lane) in taken:
                node.lane += 1
            taken.add((node.place, node.column, node.lane))
            last[node.host] = max(last.get(node.host, 0), node.column)
        start = 0
        for host in self.hosts:
            for node in self.nodes:
                node.column += start * (node.host == host)
            start += last[host] + 1
        self.count = start

    def rows(self) -> dict[str, int]:
        """Each namespace's row: how many namespaces the packet is away from the host's own, more where it is taken."""
        import networkx as nx

        graph: nx.Graph[str] = nx.Graph()
        graph.add_nodes_from(self.places)
        graph.add_edges_from((a.tail.place, a.head.place) for a in self.scene.arrows if a.tail.host == a.head.host)
        rows: dict[str, int] = {}
        for host in self.hosts:
            own = [place for place in self.places if place.split("/")[0] == host]
            base = f"{host}/host" if f"{host}/host" in own else own[0]
            far = nx.single_source_shortest_path_length(graph, base)
            for place in own:
                span = self.span(place)
                row = far.get(place, 1)
                while any(rows[other] == row and self.meet(span, self.span(other)) for other in own if other in rows):
                    row += 1
                rows[place] = row
        return rows

    def lanes(self) -> None:
        """Of nodes that stand one below the other, those come first whose arrows leave upwards."""
        leaving = {
            near
            for arrow in self.scene.arrows
            for near, far in ((arrow.tail, arrow.head), (arrow.head, arrow.tail))
            if near.host == far.host and self.row[far.place] > self.row[near.place]
        }
        stacks: dict[tuple[str, int], list[Node]] = {}
        for node in self.nodes:
            stacks.setdefault((node.place, node.column), []).append(node)
        for stack in stacks.values():
            for lane, node in enumerate(sorted(stack, key=lambda one: (one not in leaving, one.lane))):
                node.lane = lane

    def span(self, place: str) -> tuple[int, int]:
        """The first and last column of a namespace."""
        columns = [node.column for node in self.nodes if node.place == place]
        return min(columns), max(columns)

    @staticmethod
    def meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return one[0] <= other[1] and other[0] <= one[1]

    def sizes(self) -> None:
        """Each node's size, by its text and by how many arrows run side by side on it."""
        for node in self.nodes:
            parts = [self.measure(node.label, NAME, True), *(self.measure(line, SMALL, False) for line in node.lines)]
            if node.kind == "drop":
                parts = [self.measure(line, SMALL, False) for line in node.lines]
            node.width = max(width for width, _ in parts) + (0.42 if node.kind == "drop" else 0.22)
            node.height = sum(height for _, height in parts) + 0.22
        for arrows in self.pairs.values():
            room = PITCH * (len(arrows) - 1) + 0.24
            for node in (arrows[0].tail, arrows[0].head):
                node.width, node.height = max(node.width, room), max(node.height, room)

    def note_size(self, arrow: Arrow) -> Point:
        if not arrow.notes:
            return 0.0, 0.0
        sizes = [self.measure(line, SMALL, False) for line in arrow.notes]
        return max(width for width, _ in sizes) + 0.22, sum(height for _, height in sizes) + 0.12

    def finish(self) -> Layout:
        """Positions: columns, rows, boxes, arrows."""
        widths = self.widths()
        before, gaps = self.gaps(widths)
        titles = self.title_sides()
        for place, (_, cols) in titles.items():
            lack = self.measure(self.title(place), NAME, True)[0] + 0.1 - sum(widths[c] for c in cols)
            lack -= sum(gaps[c] for c in cols[:-1])
            if lack > 0:
                widths[cols[-1]] += lack
        left = [PAD + HOST_PAD + before]
        for column in range(1, self.count):
            left.append(left[-1] + widths[column - 1] + gaps[column - 1])
        for node in self.nodes:
            node.x = left[node.column] + widths[node.column] / 2
        self.bands = bands = self.heights(titles)
        boxes = []
        for place in self.places:
            first, last = self.span(place)
            bottom, top = bands[self.row[place]]
            box = Box(place, self.title(place), left[first] - PAD, bottom, left[last] + widths[last] + PAD, top)
            side, cols = titles[place]
            box.align = "left" if cols[0] == first else "right"
            x = box.left + 0.1 if box.align == "left" else box.right - 0.1
            box.title_at = x, (top - STRIP / 2 if side == "top" else bottom + STRIP / 2)
            boxes.append(box)
        hosts = [self.host_box(host, boxes) for host in self.hosts]
        self.draw_lines()
        for arrow in self.scene.arrows:
            if arrow.notes and arrow.upright:
                # what is written beside an arrow at a host's edge is still inside the host
                host = hosts[self.hosts.index(arrow.tail.host)]
                width = self.note_size(arrow)[0] + HOST_PAD
                host.left = min(host.left, arrow.note[0] - width * (arrow.align[0] == "right"))
                host.right = max(host.right, arrow.note[0] + width * (arrow.align[0] == "left"))
                host.title_at = host.left + 0.12, host.title_at[1]
        return Layout(hosts, boxes, max(host.right for host in hosts), max(host.top for host in hosts))

    def title(self, place: str) -> str:
        return self.scene.titles.get(place, place)

    def widths(self) -> list[float]:
        return [max([0.5, *(n.width for n in self.nodes if n.column == column)]) for column in range(self.count)]

    def gaps(self, widths: list[float]) -> tuple[float, list[float]]:
        """The room before the first column, and between each and the next: borders, numbers, what is written there."""
        host_of = {node.column: node.host for node in self.nodes}
        edges = [c for c in range(self.count) if host_of[c] != host_of.get(c + 1)]
        gaps = [0.9 if column in edges else 0.56 for column in range(self.count)]
        beside = [0.0] * (self.count + 1)  # by column: what sticks out of the column before it into that gap
        for arrows in self.pairs.values():
            at = min(arrows[0].tail.column, arrows[0].head.column)
            for index, arrow in enumerate(arrows):
                width = self.note_size(arrow)[0]
                if width and arrow.upright:
                    right = index < (len(arrows) + 1) // 2
                    out = width + BADGE + 0.1 + PITCH * (len(arrows) - 1) / 2 - widths[at] / 2
                    beside[at + right] += max(0.0, out)
                elif width:
                    gaps[at] = max(gaps[at], width + 0.1 if arrow.straight else 2 * width)
        for column in range(self.count):
            extra = 0.9 if column in edges else 0.2
            gaps[column] = max(gaps[column], beside[column + 1] + extra) if beside[column + 1] else gaps[column]
        return beside[0], gaps

    def title_sides(self) -> dict[str, tuple[str, list[int]]]:
        """On which side of its box a title stands, and over which columns: where no arrow enters."""
        free: dict[str, list[tuple[str, list[int]]]] = {}
        for place in self.places:
            first, last = self.span(place)
            busy: dict[str, set[int]] = {"top": set(), "bottom": set()}
            for arrow in self.scene.arrows:
                for near, far in ((arrow.tail, arrow.head), (arrow.head, arrow.tail)):
                    if near.place == place and far.place != place and far.host == near.host:
                        busy["top" if self.row[far.place] > self.row[place] else "bottom"].add(near.column)
            free[place] = []
            for side, columns in busy.items():
                for start, end in [(max(columns) + 1, last), (first, min(columns) - 1)] if columns else [(first, last)]:
                    free[place].append((side, list(range(start, end + 1))))
        found = {}
        for place, choices in free.items():
            # the sides that are free in the whole row, so that its titles stand in one line
            row = [free[other] for other in self.places if self.row[other] == self.row[place]]
            alike = [side for side in ("top", "bottom") if all(side in self.whole(sides) for sides in row)]
            found[place] = max(choices, key=lambda choice: (choice[0] == alike[0] if alike else False, len(choice[1])))
            if not found[place][1]:
                found[place] = "top", [self.span(place)[0]]
        return found

    @staticmethod
    def whole(choices: list[tuple[str, list[int]]]) -> set[str]:
        """The sides that no arrow enters by."""
        sides = [side for side, _ in choices]
        return {side for side in sides if sides.count(side) == 1}

    def heights(self, titles: dict[str, tuple[str, list[int]]]) -> list[Point]:
        """Each row's bottom and top; the nodes' heights on the way."""
        bands: list[Point] = []
        bottom = HOST_PAD
        for row in range(max(self.row.values()) + 1):
            inside = [node for node in self.nodes if self.row[node.place] == row]
            places = [place for place in self.places if self.row[place] == row]
            sides = {titles[place][0] for place in places}
            up, down = self.extent(places)
            lanes = {place: max(node.lane for node in inside if node.place == place) for place in places}
            split = [place for place in places if lanes[place]]
            step = max([sum(self.extent([place])) + 0.1 for place in split], default=0.0)
            down = max([down, *(lanes[place] * step + 0.45 for place in split)])
            centre = bottom + 0.1 + STRIP * ("bottom" in sides) + down
            for node in inside:
                node.y = centre - node.lane * step
            top = centre + up + 0.1 + STRIP * ("top" in sides)
            bands.append((bottom, top))
            notes = []
            for arrow in self.scene.arrows:
                low, high = sorted((self.row[arrow.tail.place], self.row[arrow.head.place]))
                if low == row != high:
                    notes.append(self.note_size(arrow)[1])
            bottom = top + max([0.46, *(height + 0.12 for height in notes)])
        return bands

    def extent(self, places: list[str]) -> Point:
        """How far nodes, numbers and notes reach above and below the middle of a row, in some of its namespaces."""
        up = down = max([0.3, *(node.height / 2 for node in self.nodes if node.place in places)])
        for arrows in self.pairs.values():
            tail, head = arrows[0].tail, arrows[0].head
            if tail.place in places and head.place in places and not arrows[0].upright:
                above, below = self.stacks(arrows)
                edge = PITCH * (len(arrows) - 1) / 2 + BADGE + 0.04
                up, down = max(up, edge + sum(above)), max(down, edge + sum(below))
                if abs(tail.column - head.column) > 1:
                    down = max(down, edge + sum(above) + sum(below) + 0.5)
        return up, down

    def stacks(self, arrows: list[Arrow]) -> tuple[list[float], list[float]]:
        """The heights of the notes above and below arrows that run side by side."""
        half = (len(arrows) + 1) // 2
        sizes = [[self.note_size(arrow)[1] for arrow in part if arrow.notes] for part in (arrows[:half], arrows[half:])]
        return sizes[0], sizes[1]

    def host_box(self, host: str, boxes: Iterable[Box]) -> Box:
        own = [box for box in boxes if box.name.split("/")[0] == host]
        left, bottom = min(box.left for box in own) - HOST_PAD, min(box.bottom for box in own) - HOST_PAD
        right, top = max(box.right for box in own) + HOST_PAD, max(box.top for box in own) + 0.36
        return Box(host, host, left, bottom, right, top, (left + 0.12, top - 0.19))

    def draw_lines(self) -> None:
        """Each arrow's line, its number's place on it and its notes' place beside it."""
        for arrows in self.pairs.values():
            up = down = PITCH * (len(arrows) - 1) / 2 + BADGE + 0.04
            for index, arrow in enumerate(arrows):
                shift = PITCH * ((len(arrows) - 1) / 2 - index)
                first = index < (len(arrows) + 1) // 2
                height = self.note_size(arrow)[1]
                if arrow.upright:
                    self.upright(arrow, shift, first=first)
                elif arrow.straight and self.row[arrow.tail.place] == self.row[arrow.head.place]:
                    start, end = sides(arrow)
                    y = arrow.tail.y
                    arrow.line = [(start, y + shift), (end, y + shift)]
                    arrow.badge = (start + end) / 2, y + shift
                    arrow.note = arrow.badge[0], (y + up if first else y - down)
                    arrow.align = "center", "bottom" if first else "top"
                    up, down = up + height * first, down + height * (not first)
                else:
                    self.bent(arrow, shift)

    def upright(self, arrow: Arrow, shift: float, *, first: bool) -> None:
        tail, head = arrow.tail, arrow.head
        sign = 1 if head.y > tail.y else -1
        start, end = tail.y + sign * tail.height / 2, head.y - sign * head.height / 2
        x = tail.x + shift
        arrow.line = [(x, start), (x, end)]
        low, high = sorted((self.row[tail.place], self.row[head.place]))
        arrow.badge = x, ((self.bands[low][1] + self.bands[low + 1][0]) / 2 if low < high else (start + end) / 2)
        arrow.note = (x + BADGE + 0.07 if first else x - BADGE - 0.07), arrow.badge[1]
        arrow.align = "left" if first else "right", "center"

    def bent(self, arrow: Arrow, shift: float) -> None:
        """Ends that do not face each other: a step sideways in the gap, or under the row where others stand between."""
        tail, head = arrow.tail, arrow.head
        start, end = sides(arrow)
        if abs(tail.column - head.column) > 1:
            low = min(tail.y - tail.height / 2, head.y - head.height / 2) - 0.2
            x, far = tail.x + shift, head.x + shift
            arrow.line = [(x, tail.y - tail.height / 2), (x, low), (far, low), (far, head.y - head.height / 2)]
            arrow.badge = (x + far) / 2, low
            arrow.note, arrow.align = (arrow.badge[0], low - BADGE - 0.04), ("center", "top")
            return
        if tail.place == head.place:
            # two lanes of one namespace: along the lower one, and up or down at the upper one's node
            under, over = (tail, head) if tail.lane > head.lane else (head, tail)
            side = start if under is tail else end
            corner, y = over.x + shift, under.y + (shift if under.x > over.x else -shift)
            arrow.line = [(side, y), (corner, y), (corner, over.y - over.height / 2)]
            arrow.line = arrow.line if under is tail else arrow.line[::-1]
            arrow.badge = (start + end) / 2, y
            above = 1 if y > under.y else -1
            arrow.note = arrow.badge[0], y + above * (BADGE + 0.04)
            arrow.align = "center", "bottom" if above > 0 else "top"
            return
        middle = (start + end) / 2 + shift
        arrow.line = [
            (start, tail.y + shift),
            (middle, tail.y + shift),
            (middle, head.y + shift),
            (end, head.y + shift),
        ]
        arrow.badge = middle, (tail.y + head.y) / 2
        arrow.note, arrow.align = (middle + BADGE + 0.07, arrow.badge[1]), ("left", "center")


def sides(arrow: Arrow) -> Point:
    """Where an arrow leaves its first node's side and meets its second one's."""
    sign = 1 if arrow.head.x > arrow.tail.x else -1
    head = arrow.head
    return arrow.tail.x + sign * arrow.tail.width / 2, head.x - sign * head.width / 2
