"""A private site: its name, its machines, the folder that they share with the outside; and which sites there are.

Files lie below `/run/simnet/SITE`: `site.json` once the site is up (`.machines` before), and for each machine a folder
with its engine's socket and its log. A process belongs to a site when its environment says so (`SIMNET_SITE`),
which is how what a killed command left behind is found.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from simnet.answer import Answer
from simnet.errors import HostError, UnknownName, UnknownPlace, UsageError
from simnet.live.host import command
from simnet.live.host.engine import Engine
from simnet.live.host.namespace import NetworkNamespace
from simnet.live.host.scratch import RUN, leave

from .machine import LOG, SOCKET

MARK = "SIMNET_SITE"
DEFAULT = "site"
_MADE, _UP = ".machines", "site.json"
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is up: the process at its root, and whether an engine runs on it."""

    name: str
    pid: int
    docker: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A site by its name; what can be said of it is read when it is asked for.

    Example:
        >>> Site("lesson").folder.name
        'lesson'
    """

    name: str = DEFAULT

    @classmethod
    def named(cls, name: str) -> Site:
        """A site of a name that somebody typed; UsageError where it is none."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} names no private site: letters, digits, _ and -, 32 at most")
        return cls(name)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return RUN / self.name

    @property
    def up(self) -> bool:
        """Whether it is up: all of it was made, and it was not taken down."""
        return (self.folder / _UP).exists()

    @property
    def half_made(self) -> str:
        """What there is to say of it where a killed command left it half made; of one that is being made, nothing."""
        with lock(self) as free:
            found = free and not self.up and (self.folder.exists() or self.processes())
        leave()
        if not found:
            return ""
        return f"{self.name}: half made by a command that was killed; {self.verb('down')} removes it"

    @property
    def named_apart(self) -> bool:
        """Whether a command has to name it: it is not the usual one, or others are up."""
        return self.name != DEFAULT or any(other != self for other in up_sites())

    def verb(self, verb: str) -> str:
        """A command of `simnet live` for this site, as it can be typed.

        Example:
            >>> Site("lesson").verb("down")
            'simnet live down --name lesson'
        """
        return f"simnet live {verb}" + (f" --name {self.name}" if self.named_apart else "")

    @property
    def cgroup(self) -> str:
        """The control group below which its containers run."""
        return f"simnet-{self.name}"

    def socket(self, host: str) -> Path:
        """Where a host's engine listens."""
        return self.folder / host / SOCKET

    def machines(self) -> dict[str, Machine]:
        """Its machines by name, those of which nobody need know as well; HostError where it is not up."""
        try:
            rows = json.loads((self.folder / (_UP if self.up else _MADE)).read_text("utf-8"))
        except FileNotFoundError:
            raise HostError(f"there is no private site {self.name!r}", "simnet live up makes one") from None
        return {row["name"]: Machine(**row) for row in rows}

    def machine(self, name: str) -> Machine:
        """One machine; UnknownPlace where there is none of that name."""
        found = self.machines()
        if name not in found:
            raise UnknownPlace(name, [one for one in found if not one.startswith(".")])
        return found[name]

    def namespace(self, name: str) -> NetworkNamespace:
        """A machine's network namespace; HostError where the machine has died."""
        machine = self.machine(name)
        if machine.pid not in self.processes():
            log = self.folder / name / LOG
            raise HostError(
                f"{name} of the private site {self.name!r} has died ({log})", f"{self.verb('down')}, and up again"
            )
        return NetworkNamespace.of(machine.pid, f"{name}/host")

    def engine(self, host: str) -> Engine:
        """A host's engine; UsageError for an outside machine."""
        if not self.machine(host).docker:
            raise UsageError(f"{host} is an outside machine; no engine runs there")
        return Engine(str(self.socket(host)))

    def container(self, place: str) -> NetworkNamespace:
        """The namespace of a container (`h1/web`), or the one that it shares; UnknownPlace where there is none."""
        host = place.partition("/")[0]
        engine = self.engine(host)
        found = {f"{host}/{one['Name'].lstrip('/')}": one for one in engine.inspect() if one["State"]["Running"]}
        if place not in found:
            raise UnknownPlace(place, found)
        mode = found[place]["HostConfig"]["NetworkMode"]
        if mode == "host":
            return self.namespace(host)
        if mode.startswith("container:"):
            other = next(name for name, one in found.items() if one["Id"] == mode.partition(":")[2])
            return self.container(other)
        return engine.sandbox(found[place])

    def space(self, place: str) -> NetworkNamespace:
        """The namespace of a machine (`h1`, `wan`) or a container (`h1/web`)."""
        return self.container(place) if "/" in place else self.namespace(place)

    def environment(self, place: str) -> dict[str, str]:
        """What a command there has for its environment: its host's engine, and the mark that it goes with the site."""
        host = place.partition("/")[0]
        engine = {"DOCKER_HOST": self.engine(host).host} if self.machine(host).docker else {}
        return {**os.environ, MARK: self.name, **engine}

    def execute(self, place: str, words: Sequence[str], stdin: str = "") -> Answer:
        """Run a command of this machine in the network of a place; HostError where it is missing or does not end."""
        with self.space(place) as space, space.entered():
            return command.answer(words, stdin=stdin, env=self.environment(place))

    def write_machines(self, machines: Iterable[Machine]) -> None:
        """Say which machines it has."""
        rows = [asdict(machine) for machine in machines]
        (self.folder / _MADE).write_text(json.dumps(rows, indent=1), "utf-8")

    def write_up(self) -> None:
        """Say that it is up."""
        (self.folder / _MADE).replace(self.folder / _UP)

    def processes(self) -> set[int]:
        """The processes of the site, as far as they are seen from here (those of containers are not told apart)."""
        wanted = f"{MARK}={self.name}".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if wanted in (entry / "environ").read_bytes().split(b"\0"):
                        found.add(int(entry.name))
                except OSError:
                    continue
        return found


def sites() -> list[Site]:
    """Every site that has left something, up or not."""
    found = [path.name for path in RUN.iterdir() if path.is_dir()] if RUN.is_dir() else []
    found += [path.stem for path in RUN.glob("*.lock")]
    return [Site(name) for name in sorted({*found}) if _NAME.fullmatch(name)]


def up_sites() -> list[Site]:
    """The sites that are up."""
    return [site for site in sites() if site.up]


def the_site(name: str = "") -> Site:
    """The site of a name, or the only one that is up.

    UnknownName for a name that is none; HostError where none is up, more than one, or the named one is not yet or only
    half made.
    """
    found = up_sites()
    if name:
        site = Site.named(name)
        if site in found:
            return site
        if said := site.half_made:
            raise HostError(said)
        if site in sites():  # not because of a mere lock that was left: looking at it removed that
            raise HostError(f"the private site {name!r} is in the hands of another process", "wait for that")
        raise UnknownName("private site", name, [one.name for one in found])
    if not found:
        raise HostError("no private site is up", "simnet live up makes one")
    if len(found) > 1:
        names = ", ".join(site.name for site in found)
        raise HostError(f"several private sites are up: {names}", "say which with --site NAME")
    return found[0]


@contextmanager
def lock(site: Site) -> Iterator[bool]:
    """Hold a site for this process alone, while it is made or taken down; gives False where another process does.

    The kernel lets go of it when the process ends.
    """
    path = RUN / f"{site.name}.lock"
    RUN.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            if not _is(path, file.fileno()):
                continue  # another process removed it meanwhile
            try:
                yield True
            finally:
                path.unlink(missing_ok=True)
            return


def _is(path: Path, file: int) -> bool:
    """Whether an open file is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
