"""When walks run: at once and in the kernel's own order, or as a clock decides.

The stack hands work over in four ways, each a method here. `AtOnce` plays everything at time zero: what waits in a
softirq backlog runs before a process that was woken, and only when all is silent does a timer fire. A simulator puts a
schedule of its own into `Network.schedule`, which lets cores and cables take their time.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Protocol

from .step import Step

if TYPE_CHECKING:
    from .device import Device
    from .namespace import NetNamespace
    from .skb import Skb

Walk = Generator[Step, None, object]


class Schedule(Protocol):
    """What decides when a walk runs."""

    @property
    def now(self) -> int:
        """The time in ns."""

    def defer(self, walk: Walk, device: Device | None) -> None:
        """Run a walk from the softirq backlog of the context that it comes from; `device` is where it comes in."""

    def carry(self, walk: Walk, sender: Device, receiver: Device, skb: Skb) -> None:
        """Let a frame come in at the other end of a cable."""

    def wake(self, walk: Walk, namespace: NetNamespace, by: str) -> None:
        """Let a process (`by`, in a namespace) go on: it was woken, or makes its next system call."""

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Call `action` in `delay` ns; the walk that it returns then runs."""

    def clear(self) -> None:
        """Forget everything that is still to happen."""


class AtOnce:
    """Everything at time zero, in the kernel's order; only timers move the time."""

    def __init__(self) -> None:
        """Nothing to do."""
        self._now = 0
        self._order = count()
        self._softirq: deque[Walk] = deque()
        self._wakeups: deque[Walk] = deque()
        self._timers: list[tuple[int, int, Callable[[], Walk | None]]] = []

    @property
    def now(self) -> int:
        """The nanoseconds that timers, and waiting in vain, have taken."""
        return self._now

    def defer(self, walk: Walk, _device: Device | None) -> None:
        """Let a walk run when the ones before it are done."""
        self._softirq.append(walk)

    def carry(self, walk: Walk, _sender: Device, _receiver: Device, _skb: Skb) -> None:
        """Let a frame come in when the walks before it are done."""
        self._softirq.append(walk)

    def wake(self, walk: Walk, _namespace: NetNamespace, _by: str) -> None:
        """Let a process run when no packet is on its way."""
        self._wakeups.append(walk)

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Call `action` when all has been silent and `delay` ns have gone by."""
        heapq.heappush(self._timers, (self._now + delay, next(self._order), action))

    def clear(self) -> None:
        """Forget everything that is still to happen."""
        self._softirq.clear()
        self._wakeups.clear()
        self._timers.clear()

    def run(self, until: int, done: Callable[[], bool]) -> Iterator[Step]:
        """Play everything that is to happen; timers up to `until` ns fire while `done` does not hold."""
        while True:
            if self._softirq:
                yield from self._softirq.popleft()
            elif self._wakeups:
                yield from self._wakeups.popleft()
            elif self._timers and self._timers[0][0] <= until and not done():
                self._now, _, action = heapq.heappop(self._timers)
                walk = action()
                if walk is not None:
                    self._softirq.append(walk)
            else:
                if not done():
                    self._now = max(self._now, until)
                return
