"""SimPy's clock, and servers that do one job at a time in the order of arrival.

An `Arrival` carries a rank, so that of arrivals at one time the lower rank comes first whoever scheduled it first; what
goes on at a server (an end, the next start) comes before any arrival of the same time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Protocol

import simpy

# SimPy's own events have priority 0 or 1
_FIRST_RANK = 2
# what is told when a bounded job finds others waiting: the time, and how many
Found = Callable[[int, int], None]


def _let_go(_time: int, _waiting: int) -> None:
    """Nobody wants to know."""


class Arrival(simpy.Event):
    """An event that is to happen `delay` ns from now, before those of the same time with a higher `rank`.

    Example:
        >>> env, seen = simpy.Environment(), []
        >>> _ = Arrival(env, 5, 9, lambda: seen.append("late")), Arrival(env, 5, 1, lambda: seen.append("early"))
        >>> env.run()
        >>> seen, env.now
        (['early', 'late'], 5)
    """

    def __init__(self, env: simpy.Environment, delay: int, rank: int, act: Callable[[], None]) -> None:
        """Call `act` when it happens."""
        super().__init__(env)
        self._ok, self._value = True, None
        self.callbacks.append(lambda _: act())
        env.schedule(self, priority=_FIRST_RANK + rank, delay=delay)  # type: ignore[arg-type]


class Job(Protocol):
    """Something to be done by a server: `work` yields the ns that each part of it takes, `bounded` as in `model`."""

    bounded: bool

    def work(self) -> Generator[int, None, None]:
        """Do it, from the server's taking it up to its end."""

    def came(self) -> None:
        """It was taken in."""

    def dropped(self) -> None:
        """There was no room for it."""


class Server:
    """A CPU core, or a link: a SimPy process that serves jobs in the order in which they came."""

    def __init__(self, env: simpy.Environment, name: str, capacity: int = 0, found: Found = _let_go) -> None:
        """At most `capacity` bounded jobs wait (0: any number); `found` is told when one finds others waiting."""
        self.env, self.name, self.capacity, self.found = env, name, capacity, found
        self.jobs = self.busy = self.waited = self.drops = self.longest = 0
        self._queue: deque[tuple[Job, int]] = deque()
        self._waiting = 0
        self._idle: simpy.Event | None = None
        env.process(self._serve())

    def __repr__(self) -> str:
        """`<Server h1/cpu0: 2 waiting>`."""
        return f"<Server {self.name}: {len(self._queue)} waiting>"

    def arrive(self, job: Job) -> None:
        """Take in a job, or drop it."""
        if job.bounded:
            if self._waiting:
                self.longest = max(self.longest, self._waiting)
                self.found(int(self.env.now), self._waiting)
            if self.capacity and self._waiting >= self.capacity:
                self.drops += 1
                job.dropped()
                return
            self._waiting += 1
        job.came()
        self._queue.append((job, int(self.env.now)))
        if self._idle is not None:
            self._idle.succeed()
            self._idle = None

    def _serve(self) -> Generator[simpy.Event, None, None]:
        while True:
            while not self._queue:
                self._idle = self.env.event()
                yield self._idle
            job, came = self._queue.popleft()
            self._waiting -= job.bounded
            self.jobs += 1
            self.waited += int(self.env.now) - came
            for pause in job.work():
                self.busy += pause
                yield self.env.timeout(pause)


class Frame(Job, Protocol):
    """A job of a token bucket."""

    def service(self) -> int:
        """How long it would keep a server busy, in ns."""

    def passed(self, delay: int) -> None:
        """It leaves in `delay` ns."""


class TokenBucket:
    """A server whose jobs may leave `slack` ns earlier, by the virtual scheduling of ITU-T I.371 (GCRA)."""

    def __init__(
        self, env: simpy.Environment, name: str, capacity: int = 0, found: Found = _let_go, *, slack: int
    ) -> None:
        """At most `capacity` bounded jobs wait (0: any number); `found` is told when one finds others waiting."""
        self.env, self.name, self.capacity, self.found, self.slack = env, name, capacity, found, slack
        self.jobs = self.busy = self.waited = self.drops = self.longest = self._free = 0
        self._starts: list[int] = []

    def __repr__(self) -> str:
        """`<TokenBucket h1/host:eth0: 2 waiting>`."""
        return f"<TokenBucket {self.name}: {len(self._starts)} waiting>"

    def arrive(self, job: Frame) -> None:
        """Take in a job, or drop it."""
        now = int(self.env.now)
        if job.bounded:
            self._starts = [start for start in self._starts if start > now]
            if self._starts:
                self.longest = max(self.longest, len(self._starts))
                self.found(now, len(self._starts))
            if self.capacity and len(self._starts) >= self.capacity:
                self.drops += 1
                job.dropped()
                return
        job.came()
        service = job.service()
        start = max(now, self._free)
        self._free = start + service
        if job.bounded:
            self._starts.append(max(now, start - self.slack))
        self.jobs, self.busy, self.waited = self.jobs + 1, self.busy + service, self.waited + start - now
        job.passed(max(now, self._free - self.slack) - now)
