"""Measuring many paths in turn, round after round, so that what disturbs the machine disturbs them alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from simnet.errors import HostError
from simnet.net.address import parse_ip

from . import counts, load, processes
from .beds import PLAIN, Bed
from .counts import Way
from .load import Block
from .paths import BURST, FIRST, SLEPT, STREAM, WOKEN, Path
from .replica import Replica

# about how long a block is (ns), and how many exchanges it has at least and at most: shorter than the time slices that
# other programs on this CPU get, so that most blocks see none
_BLOCK, _LEAST, _MOST, _FIRSTS = 500_000, 2, 200, 30
_TRIED = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Figure:
    """What was measured of a path: each round's block, in ns for an exchange."""

    path: Path
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.rounds)


class Bench:
    """Replicas of all beds of some paths, with a block of traffic ready on each path.

    What the kernel refuses (a match that it has not) is left out and stands in `refused`, by path.
    """

    def __init__(self, paths: Iterable[Path], restore: Mapping[str, str]) -> None:
        """Build what is needed; `restore` is the iptables-restore of each back end."""
        self.blocks: dict[Path, Block] = {}
        self.refused: dict[Path, str] = {}
        self._open = ExitStack()
        asked = [path for path in paths if path.bed.backend in restore]
        ways = {path: counts.way(path) for path in asked}
        beds: dict[tuple[Bed, frozenset[str]], list[Path]] = {}
        for path in asked:
            beds.setdefault((path.bed, ways[path].hosts), []).append(path)
        try:
            self._allowed = os.sched_getaffinity(0)
            with one_cpu() as cpu:
                self._cpu = cpu
                for together in beds.values():
                    self._lay(together, ways, restore)
        except BaseException:
            self.close()
            raise

    def _lay(self, paths: Sequence[Path], ways: Mapping[Path, Way], restore: Mapping[str, str]) -> None:
        """Build one bed, and open the sockets of its paths."""
        bed = paths[0].bed
        places = frozenset[str]().union(*(ways[path].places for path in paths))
        try:
            replica = self._open.enter_context(Replica(bed.network, places, restore[bed.backend]))
        except HostError as error:
            if bed == Bed(PLAIN):
                raise
            self.refused.update(dict.fromkeys(paths, str(error)))
            return
        sports = load.ports()
        for path in paths:
            try:
                with _told(path):
                    self.blocks[path] = self._block(replica, path, ways[path], sports)
            except HostError as error:
                self.refused[path] = str(error)

    def _block(self, replica: Replica, path: Path, way: Way, sports: Iterator[int]) -> Block:
        """Open the sockets of a path; a block of as many exchanges as take the right time together."""
        where = replica, path.frm, parse_ip(path.to), path.port, (way.place, way.port)
        if path.kind == FIRST:
            return load.firsts(*where, _FIRSTS, sports)
        if path.proxied:
            front, back = (path.frm, parse_ip(path.to), path.port), (way.address, way.port)
            self._open.enter_context(processes.proxying(replica, path.proto, front, back))
        client, server = (load.streams if path.proto == "tcp" else load.datagrams)(*where)
        self._open.callback(client.close)
        self._open.callback(server.close)
        if path.kind == STREAM:
            make = partial(load.pieces, client, server, counts.piece(path))
        elif path.kind in {SLEPT, WOKEN} and not path.proxied:
            cpu = self._cpu if path.kind == SLEPT else self._other_cpu()
            self._open.enter_context(processes.echoing(server, cpu))
            make = partial(load.asks, client, path.size)
        else:
            make = partial(load.bursts if path.kind == BURST else load.trips, client, server, path.size)
        make(_TRIED)()
        return make(min(max(round(_BLOCK / make(_TRIED)()), _LEAST), _MOST))

    def _other_cpu(self) -> int:
        """Another CPU than that of the measuring thread; HostError where there is none."""
        others = self._allowed - {self._cpu}
        if not others:
            raise HostError("there is one CPU here, so nothing can be woken on another")
        return min(others)

    def measure(self, rounds: int, progress: Progress = lambda _done, _of: None) -> dict[Path, Figure]:
        """Run every block once in each round."""
        taken: dict[Path, list[float]] = {path: [] for path in self.blocks}
        with one_cpu():
            for number in range(rounds):
                for path, block in self.blocks.items():
                    with _told(path):
                        taken[path].append(block())
                progress(number + 1, rounds)
        return {path: Figure(path, tuple(values)) for path, values in taken.items()}

    def close(self) -> None:
        """Take everything down."""
        self._open.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of which path it is that a socket's call failed."""
    try:
        yield
    except OSError as error:
        raise HostError(f"{path}: what was sent did not come ({error.strerror})") from None


@contextmanager
def one_cpu() -> Iterator[int]:
    """Let this thread, and what it starts, run on one CPU: the last that it may run on."""
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed)
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)
