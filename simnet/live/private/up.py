"""A private site put up: a machine for each host and outside machine, cables, an engine on each host, its commands run.

The machines hang on this process until all is well; where it fails or is killed before, they end with it.
"""

from __future__ import annotations

import contextlib
import os
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from simnet.docker.document import Value
from simnet.errors import HostError, UsageError
from simnet.live.host import needs
from simnet.live.host.namespace import NetworkNamespace
from simnet.scenario.build import build
from simnet.scenario.located import located
from simnet.scenario.plan import Command, HostPlan, MachinePlan, Plan

from . import image
from .down import clear
from .machine import LOG, Spec
from .play import Say, play
from .site import MARK, Machine, Site, lock

CABLES = ".cables"
_PATIENCE = 60.0
_ROUTES = (("172.16.0.0/12", "192.0.2.2"),)


def plain(hosts: int = 1, *, swarm: bool = False) -> Plan:
    """Fresh hosts `h1` … (192.0.2.2 …, way out by 192.0.2.1) and an outside machine `wan` (192.0.2.1).

    wan knows a way to the addresses that Docker takes for networks: by h1, so that access past published ports can be
    tried. `swarm`: h1 manages one, the others join it.

    Example:
        >>> [host.name for host in plain(2).hosts]
        ['h1', 'h2']
    """
    if not 1 <= hosts <= 200:
        raise UsageError(f"{hosts} hosts cannot be; 1 to 200 can")
    found = tuple(
        HostPlan(f"h{number}", "", (f"192.0.2.{number + 1}/24",), gateway="192.0.2.1") for number in range(1, hosts + 1)
    )
    lines = [("docker", "swarm", "join", "192.0.2.2:2377") if number else ("docker", "swarm", "init")
             for number in range(hosts if swarm else 0)]  # fmt: skip
    commands = [Command(host.name, line, Value(None, "", 0, 0)) for host, line in zip(found, lines, strict=False)]
    return Plan(
        hosts=found, machines=(MachinePlan("wan", ("192.0.2.1/24",), routes=_ROUTES),), commands=tuple(commands)
    )


def up(
    site: Site, plan: Plan, roots: Sequence[str] = (), options: Sequence[str] = (), say: Say = lambda _: None,
    note: Say = lambda _: None,
) -> list[Machine]:  # fmt: skip
    """Put a site up; `roots` are the engines' root folders (the last serves what is left), `options` dockerd's.

    `say` is told what is being done, `note` what is otherwise than the plan has it. Where it fails, nothing is left.
    HostError where this machine does not allow it, or an engine does not start (with the end of its log); ScenarioError
    where simnet's model, an engine or the kernel refuses what the plan asks for.
    """
    needs.root("a private host")
    folders = [_checked(root) for root in roots or ["/"]]
    if plan.document is not None:
        build(plan)  # nothing is run here that the model has not run before: it knows networks' commands, and no others
    archive = image.archive()
    with lock(site) as free:
        if not free:
            raise HostError(f"the private site {site.name!r} is in the hands of another process")
        if site.up:
            raise HostError(f"the private site {site.name!r} is up", f"{site.verb('down')} first, or --name another")
        clear(site)
        with _Builder(site, say) as builder:
            for index, host in enumerate(plan.hosts):
                builder.machine(host.name, folders[min(index, len(folders) - 1)], [*options, *host.daemon_words()])
            for machine in plan.machines:
                builder.machine(machine.name)
            builder.wire([*plan.hosts, *plan.machines])
            builder.engines(archive)
            play(site, plan, say, note)
            return builder.keep()


def _checked(root: str) -> str:
    path = Path(root).resolve()
    if any(Path(path, folder, "dockerd").exists() for folder in ("usr/bin", "usr/sbin", "usr/local/bin", "bin")):
        return str(path)
    hint = "install it: apt-get install docker.io" if path == Path("/") else "a root folder holds usr/sbin/dockerd"
    raise HostError(f"there is no dockerd in {path}", hint)


class _Builder:
    """The machines of a site while it is being put up; leaving without `keep` takes them down."""

    def __init__(self, site: Site, say: Say) -> None:
        self._site, self._tell = site, say
        self._started: dict[str, subprocess.Popen[str]] = {}
        self._spaces: dict[str, NetworkNamespace] = {}
        self._hosts: list[str] = []
        self._kept = False

    def __enter__(self) -> _Builder:
        self._site.folder.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        for space in self._spaces.values():
            space.close()
        for process in self._started.values():
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close() if pipe is not None else None
        if not self._kept:
            for process in self._started.values():
                process.kill()
                process.wait()
            clear(self._site)

    def machine(self, name: str, root: str = "/", options: Iterable[str] | None = None) -> None:
        """Start a machine, with an engine where it is given options for one."""
        if name != CABLES:
            self._tell(f"machine {name}")
        folder = self._site.folder / name
        (folder / "root").mkdir(parents=True)
        engine = None
        if options is not None:
            self._hosts.append(name)
            engine = (
                "--cgroup-parent",
                f"/{self._site.cgroup}/{name}",
                "--exec-opt",
                "native.cgroupdriver=cgroupfs",
                *options,
            )
        spec = Spec(name, str(folder), root, engine)
        with (folder / LOG).open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "simnet.live.private.machine", spec.text()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
                env={**os.environ, MARK: self._site.name, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
        self._started[name] = process
        assert process.stdout is not None
        if process.stdout.readline() != "made\n":
            raise HostError(f"the machine {name} did not start: {self._said(name)}")
        self._spaces[name] = NetworkNamespace.of(process.pid, f"{name}/host")

    def _said(self, name: str) -> str:
        lines = (self._site.folder / name / LOG).read_text("utf-8", errors="replace").splitlines()
        lines = [line for line in lines if not line.startswith("See 'dockerd --help'")]
        return lines[-1] if lines else "it said nothing"

    def wire(self, ends: Sequence[HostPlan | MachinePlan]) -> None:
        """Join the machines of each wire by a switch in a namespace of its own, and give each its addresses."""
        self._tell("cables")
        self.machine(CABLES)
        cables = self._spaces[CABLES]
        _write(cables, {"net.ipv6.conf.all.disable_ipv6": "1"})
        with contextlib.suppress(HostError):  # without br_netfilter no bridge asks iptables
            _write(cables, {"net.bridge.bridge-nf-call-iptables": "0"})
        wires = list(dict.fromkeys(end.wire for end in ends))
        lines = [f"link add w{number} type bridge\nlink set w{number} up" for number in range(len(wires))]
        for number, end in enumerate(ends):
            lines += [
                f"link add p{number} type veth peer name eth0 netns {self._spaces[end.name].path}",
                f"link set p{number} master w{wires.index(end.wire)} up",
            ]
        cables.run(["ip", "-batch", "-"], stdin="\n".join(lines))
        for end in ends:
            space = self._spaces[end.name]
            if isinstance(end, HostPlan):
                # as a machine boots: what forwards is the engine's doing
                with located(end.origin):
                    _write(space, {"net.ipv4.ip_forward": "0", **end.sysctl})
            space.run(["ip", "-batch", "-"], stdin=_addresses(end))

    def engines(self, archive: bytes) -> None:
        """Let the engines start, and give each the image."""
        self._site.write_machines(self._machines())
        for process in self._started.values():
            self._say(process, "go")
        for name in self._hosts:
            self._tell(f"engine of {name}")
            self._wait(name)
            image.load(self._site.socket(name), archive)

    def _wait(self, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._started[name].poll() is not None:
                break
            if _answers(self._site.socket(name)):
                return
            time.sleep(0.05)
        raise HostError(f"the engine of {name} did not start: {self._said(name)}")

    def _machines(self) -> list[Machine]:
        return [Machine(name, process.pid, name in self._hosts) for name, process in self._started.items()]

    def keep(self) -> list[Machine]:
        """Let the machines go on without this process; gives them."""
        for process in self._started.values():
            self._say(process, "keep")
            process.returncode = 0  # it is not waited for: it outlives this process
        self._site.write_up()
        self._kept = True
        return [machine for machine in self._machines() if not machine.name.startswith(".")]

    @staticmethod
    def _say(process: subprocess.Popen[str], word: str) -> None:
        assert process.stdin is not None
        process.stdin.write(f"{word}\n")
        process.stdin.flush()


def _addresses(end: HostPlan | MachinePlan) -> str:
    """What `ip -batch` reads to set a machine's card up."""
    lines = ["link set lo up", *(f"addr add {address} dev eth0" for address in end.addresses)]
    if isinstance(end, HostPlan):
        lines.append(f"link set eth0 mtu {end.mtu}")
    lines.append("link set eth0 up")
    if end.gateway:
        lines.append(f"route add default via {end.gateway}")
    if isinstance(end, MachinePlan):
        lines += [f"route add {to} via {via}" for to, via in end.routes]
    return "\n".join(lines)


def _write(space: NetworkNamespace, sysctls: dict[str, str]) -> None:
    with space.entered():
        for key, value in sysctls.items():
            if not key.startswith("net."):
                raise HostError(f"{key} is a setting of the whole machine, which stays as it is", "set net.* alone")
            try:
                Path("/proc/sys", *key.split(".")).write_text(value, "ascii")
            except OSError as error:
                raise HostError(f"sysctl {key}={value}: {error.strerror}") from None


def _answers(socket: Path) -> bool:
    """Whether an engine answers to a ping of its API."""
    with sockets.socket(sockets.AF_UNIX) as one:
        one.settimeout(2)
        try:
            one.connect(str(socket))
            one.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in one.recv(256)
        except OSError:
            return False
