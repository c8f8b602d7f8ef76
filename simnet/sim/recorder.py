"""Ways that are kept: an exchange played once at time zero becomes the visits that it pays to CPUs and wires.

What an exchange comes to hangs on state (conntrack, neighbours) and on configuration alone, so what was recorded holds
for every later exchange of its kind.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simnet.net.schedule import Walk
from simnet.net.step import Step

from .hardware import Hardware
from .prices.pricing import Pricing
from .queueing.model import Exchange, Visit
from .work import Passage, Placement, Seat, Work


@dataclass(eq=False, slots=True)
class _Node:
    """A visit as it is recorded: what leads to it, and when (`offset` ns of its parent's time, plus `delay`)."""

    station: int
    parent: _Node | None
    offset: int
    delay: int
    work: Work | None = None
    service: int = 0
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Way:
    """A recorded exchange: its visits, its bill by heading (ns), how often each price was paid, every step of it."""

    exchange: Exchange
    bill: tuple[tuple[str, int], ...]
    paid: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...] = field(repr=False)


class Recorder(Placement):
    """A schedule that plays at time zero, in the kernel's order, and keeps what each exchange comes to."""

    def __init__(self, pricing: Pricing, hardware: Hardware, seats: Sequence[Seat]) -> None:
        """Record over a network with prices; it must be the network's schedule meanwhile."""
        super().__init__(pricing, hardware, seats)
        self._queues: tuple[deque[_Node], deque[_Node]] = deque(), deque()
        self._nodes: dict[Work, _Node] = {}
        self._steps: list[Step] = []

    @property
    def now(self) -> int:
        """It is always the beginning."""
        return 0

    def submit(self, work: Work, passage: Passage | None = None) -> None:
        """Keep what is to be done, and where it hangs."""
        parent = self._nodes[self._now()]
        offset, delay = self._now().burst.spent, work.lag
        if passage is not None:
            delay = passage.delay
            if passage.station >= 0:
                parent.children.append(_Node(passage.station, parent, offset, 0, service=passage.service))
                parent, offset = parent.children[-1], passage.service
        node = _Node(work.station, parent, offset, delay, work)
        parent.children.append(node)
        self._nodes[work] = node
        self._queues[work.burst.process].append(node)

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Timers are those of what is lost, and nothing is lost here."""

    def record(self, first: Work) -> Way:
        """Play an exchange to its end."""
        root = _Node(first.station, None, 0, 0, first)
        self._nodes = {first: root}
        self._steps = []
        bill: Counter[str] = Counter()
        paid: Counter[str] = Counter()
        softirqs, processes = self._queues
        processes.append(root)
        while softirqs or processes:
            node = (softirqs or processes).popleft()
            assert node.work is not None
            for _ in self.parts(node.work):
                last = node.work.burst.last
                if last is not None and (not self._steps or self._steps[-1] is not last):
                    self._steps.append(last)
            node.service = node.work.burst.spent
            bill.update(node.work.burst.bill)
            paid.update(node.work.burst.paid)
        visits = tuple(_visits(root))
        return Way(Exchange(visits), tuple(sorted(bill.items())), tuple(sorted(paid.items())), tuple(self._steps))


def _visits(root: _Node) -> Iterator[Visit]:
    """The tree in preorder."""
    numbers: dict[int, int] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        numbers[id(node)] = len(numbers)
        parent = node.parent
        lag = node.offset - parent.service + node.delay if parent is not None else 0
        marks: dict[str, Any] = {}
        if node.work is not None:
            work = node.work
            marks = {"release": any(mark.release for mark in work.marks), "bounded": work.bounded, "noise": work.noise,
                     "record": any(mark.record for mark in work.marks)}  # fmt: skip
        else:
            marks = {"bounded": True}
        yield Visit(node.station, node.service, parent=numbers[id(parent)] if parent else -1, lag=lag, **marks)
        waiting += reversed(node.children)
