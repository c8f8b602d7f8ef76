"""The six kinds of namespace that a container is in: its own, the host's, or another container's.

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> session.script("docker run -d --name web busybox sleep 60")
    >>> session.script("docker run -d --name spy --pid container:web --network container:web busybox sleep 60")
    >>> session.script("docker run -d --name top --pid host --uts host busybox sleep 60")
    >>> for row in table(session.engine):
    ...     print(f"{row.name:4}", *(row.cell(kind) for kind in ("net", "pid", "uts")))
    h1   4026531840 4026531836 (top) 4026531838 (top)
    web  4026532204 (spy) 4026532203 (spy) 4026532201
    spy  4026532204 (web) 4026532203 (web) 4026532276
    top  4026532280 4026531836 (h1) 4026531838 (h1)

Models: kernel/nsproxy.c and fs/proc/generic.c (proc_alloc_inum) of Linux, daemon/oci_linux.go of moby, which asks for
the namespaces, and runc, which makes them in the order mnt, uts, ipc, pid, net.
Leaves out: cgroup and time namespaces (every container is in the host's), and the namespaces of sandboxes that belong
to no container.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container

KINDS = ("net", "pid", "ipc", "uts", "mnt", "user")
# what the kernel calls the ones that it boots with (PROC_*_INIT_INO of include/linux/proc_ns.h; mnt and net come first)
HOST_NUMBERS: Mapping[str, int] = {
    "cgroup": 4026531835, "ipc": 4026531839, "mnt": 4026531841, "net": 4026531840, "pid": 4026531836,
    "time": 4026531834, "user": 4026531837, "uts": 4026531838,
}  # fmt: skip
# the order in which they are made, and so numbered
_MADE = ("user", "mnt", "uts", "ipc", "pid", "net")
# the first number that is free when the engine runs, and how many files in /proc/net take one as well, as measured
_FIRST, _NET_FILES = 4026532200, 70
# in a PID namespace, what runc's own processes use up before a further one runs there
_RUNC_PIDS = 6
# of the host's PIDs: dockerd has this one, and from one container's process to the next's there are as many
DOCKERD_PID, _PIDS_APART = 612, 25


@dataclass(eq=False, slots=True)
class Space:
    """One namespace: its kind, its inode number, and (kind pid) the numbers of the containers' processes in it.

    `first` is the id of the container that it was made for, whose process is 1 there; empty for the host's.
    `files` are further numbers that go with it.
    """

    kind: str
    number: int
    first: str = ""
    pids: dict[str, int] = field(default_factory=dict, repr=False)
    files: list[int] = field(default_factory=list, repr=False)

    def enter(self, one: Container) -> None:
        """Let a container's first process have a number here."""
        last = max(self.pids.values(), default=0)
        self.pids[one.id] = one.pid if not self.first else last + _RUNC_PIDS if last else 1


class Spaces:
    """The namespaces of one host, as its containers come and go."""

    def __init__(self, engine: Engine) -> None:
        """Know the host's own."""
        self._engine = engine
        self.host = {kind: Space(kind, HOST_NUMBERS[kind]) for kind in KINDS}
        self._next = _FIRST
        self._free: list[int] = []
        self._last_pid = DOCKERD_PID

    def enter(self, one: Container) -> None:
        """Put a container that starts into its namespaces, made or joined."""
        self._last_pid += _PIDS_APART
        one.pid = self._last_pid
        for kind in _MADE:
            source = giver(self._engine, one, kind)
            if source is None:
                made = one.spaces[kind] = Space(kind, self._number(), one.id)
                made.files = [self._number() for _ in range(_NET_FILES)] if kind == "net" else []
            else:
                one.spaces[kind] = self.host[kind] if source == "host" else self._engine.find(source).spaces[kind]
        one.spaces["pid"].enter(one)

    def leave(self, one: Container) -> list[Container]:
        """Take a container that stopped out; gives those that end with it, since its process was the 1 of theirs."""
        held, one.pid = list(one.spaces.values()), 0
        one.spaces.clear()
        for space in held:
            space.pids.pop(one.id, None)
            if space.first and not any(True for _ in members(self._engine, space)):
                for number in (space.number, *space.files):
                    heapq.heappush(self._free, number)
        return [other for space in held if space.kind == "pid" and space.first == one.id
                for other in members(self._engine, space)]  # fmt: skip

    def _number(self) -> int:
        """The lowest free number."""
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1


def giver(engine: Engine, one: Container, kind: str) -> str | None:
    """Whose namespace a container is to be in: `host`, the container of an id, or None for its own.

    Where dockerd maps users, who shares a namespace with another container shares its user namespace too.
    """
    options = one.options
    if kind == "mnt":
        return None
    if kind == "user":
        if not engine.options.userns_remap or options.userns == "host":
            return "host"
        joined = [mode for mode in (options.pid, options.ipc, options.network) if mode.startswith("container:")]
        return engine.find(joined[0].removeprefix("container:")).id if joined else None
    mode = {"net": options.network, "pid": options.pid, "ipc": options.ipc, "uts": options.uts}[kind]
    if mode.startswith("container:"):
        return engine.find(mode.removeprefix("container:")).id
    return "host" if mode == "host" else None


def members(engine: Engine, space: Space) -> Iterator[Container]:
    """The running containers in a namespace, in the order in which they were made."""
    return (one for one in engine.containers.values() if one.spaces.get(space.kind) is space)


def shares(one: Container, other: Container) -> frozenset[str]:
    """The kinds of which two containers are in the same namespace; none where one of them does not run.

    Example:
        >>> from simnet.docker.engine import Engine
        >>> from simnet.docker.options import ContainerOptions
        >>> engine = Engine("28.5.2")
        >>> web = engine.run(ContainerOptions("web"))
        >>> spy = engine.run(ContainerOptions("spy", pid="container:web"))
        >>> sorted(shares(web, spy))
        ['pid', 'user']
    """
    return frozenset(kind for kind in KINDS if kind in one.spaces and one.spaces[kind] is other.spaces.get(kind))


@dataclass(frozen=True, slots=True)
class Row:
    """A container, or the host: the number of its namespace of each kind, and who else is in it."""

    name: str
    numbers: Mapping[str, int]
    shared: Mapping[str, tuple[str, ...]]

    def cell(self, kind: str) -> str:
        """The number, and in brackets with whom it is shared."""
        others = self.shared.get(kind, ())
        return f"{self.numbers[kind]} ({', '.join(others)})" if others else str(self.numbers[kind])


def table(engine: Engine) -> list[Row]:
    """The host and every running container by the six kinds, the host first; who shares is marked with whom."""
    rows = [_row(engine, engine.name, engine.spaces.host)]
    return rows + [_row(engine, one.name, one.spaces) for one in engine.containers.values() if one.running]


def _row(engine: Engine, name: str, spaces: Mapping[str, Space]) -> Row:
    numbers = {kind: spaces[kind].number for kind in KINDS}
    return Row(name, numbers, {kind: others for kind in KINDS if (others := _others(engine, name, spaces[kind]))})


def _others(engine: Engine, name: str, space: Space) -> tuple[str, ...]:
    there = [one.name for one in members(engine, space)]
    if not space.first:
        there.insert(0, engine.name)
    return tuple(other for other in there if other != name)
