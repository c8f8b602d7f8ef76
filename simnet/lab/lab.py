r"""A lab: Docker hosts and outside machines on one wire, each with a terminal.

Example:
    >>> lab = Lab.fresh("28.5")
    >>> lab.run("docker run -d -p 8080:80 --name web busybox").code
    0
    >>> print(lab.run("iptables -t nat -S DOCKER").out, end="")
    -N DOCKER
    -A DOCKER -i docker0 -j RETURN
    -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
    >>> lab.network.find("h1/web").place
    'h1/web'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from simnet.answer import Answer
from simnet.errors import UnknownPlace
from simnet.net.address import is_loopback
from simnet.net.device import Segment
from simnet.net.network import Network

if TYPE_CHECKING:
    from simnet.docker.command.cli import Session
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container

    from .terminal import Terminal

# the engine that runs where none was asked for: the newest of the layouts that were recorded from a real one
DEFAULT_ENGINE = "28.5.2"
_AT = re.compile(r"([\w.-]+(?:/[\w.-]+)?):\s+(.*)", re.DOTALL)


class Lab:
    """Hosts by name, each with its session of docker; `network` is what they all are in.

    `told` are the places of which somebody said what listens there.
    """

    def __init__(self, network: Network | None = None) -> None:
        """Nothing yet: hosts and machines are added one by one."""
        self.network = network or Network()
        self.sessions: dict[str, Session] = {}
        self.wires: dict[str, Segment] = {}
        self.told: set[str] = set()
        self._terminals: dict[str, Terminal] = {}

    @classmethod
    def fresh(cls, engine: str = DEFAULT_ENGINE) -> Lab:
        """One fresh host `h1` (eth0 192.0.2.2/24, default via 192.0.2.1; it forwards), and `wan` (192.0.2.1)."""
        lab = cls()
        lab.host("h1", engine, "192.0.2.2/24", gateway="192.0.2.1", forwards=True)
        lab.machine("wan", "192.0.2.1/24")
        return lab

    @classmethod
    def around(cls, network: Network) -> Lab:
        """A lab of a network that is there already (a snapshot's): it has terminals, but no engines."""
        return cls(network)

    def wire(self, name: str = "lan") -> Segment:
        """The Ethernet segment of a name, made if there is none."""
        return self.wires.setdefault(name, Segment(name))

    def host(self, name: str, engine: str, *addresses: str, gateway: str = "", wire: str = "lan",
             forwards: bool = False, mtu: int = 1500) -> Session:  # fmt: skip
        """Add a Docker host; its engine starts with the first docker command, so that options can be given before."""
        from simnet.docker.command.cli import Session
        from simnet.docker.host import machine

        namespace = machine(self.network, name, tuple(map(IPv4Interface, addresses)), self.wire(wire),
                            gateway=gateway, forwards=forwards, mtu=mtu)  # fmt: skip
        self.sessions[name] = Session(engine, namespace)
        return self.sessions[name]

    def machine(self, name: str, *addresses: str, gateway: str = "", wire: str = "lan") -> None:
        """Add an outside machine."""
        from simnet.docker.host import machine

        machine(self.network, name, tuple(map(IPv4Interface, addresses)), self.wire(wire), gateway=gateway)

    def engine(self, host: str) -> Engine:
        """The engine of a host; UnknownPlace where there is none."""
        if host not in self.sessions:
            raise UnknownPlace(host, self.sessions)
        return self.sessions[host].engine

    def container(self, place: str) -> Container | None:
        """The container of a place (`h1/web`); None where it is no container's, or no engine is there."""
        host, _, name = place.partition("/")
        session = self.sessions.get(host)
        return session.engine.containers.get(name) if session is not None and session.runs else None

    def why(self, place: str, table: str, line: str) -> str:
        """Which option of which thing caused a line of `iptables -S`, or nothing where no engine installed it."""
        host, _, name = place.partition("/")
        if name != "host" or host not in self.sessions:
            return ""
        found = self.sessions[host].engine.firewall.origin(line, table)
        return str(found) if found is not None else ""

    def start(self) -> None:
        """Start every engine that does not run yet."""
        for session in self.sessions.values():
            _ = session.engine

    def listen_by_image(self, host: str) -> None:
        """Let containers listen on the ports that their images are known for, unless a file says what they do."""
        from simnet.docker.container.images import ports_of
        from simnet.net.program import Server

        for one in self.engine(host).containers.values():
            place = f"{host}/{one.name}"
            if not one.running or place in self.told:
                continue
            namespace = self.network.find(place)
            for proto, port in ports_of(one.options.image):
                if not namespace.sockets.bound(proto, 0, port):
                    Server(namespace, proto, 0, port, place=place).listen()

    def run(self, script: str, place: str = "") -> Answer:
        """Run a script at a place (the first host); a line `PLACE: COMMAND` runs elsewhere."""
        answers = list(self.stream(script, place))
        out, err = "".join(one.out for one in answers), "".join(one.err for one in answers)
        return Answer(out, err, answers[-1].code if answers else 0)

    def stream(self, script: str, place: str = "") -> Iterator[Answer]:
        """Run a script, and give each command's answer as it is done."""
        for where, part in parts(script, self.knows):
            shell = self.terminal(where or place or self.first).shell
            yield from shell.stream(part)
            if shell.exited:
                shell.exited = False
                yield Answer(code=shell.code)
                return

    def resolve(self, frm: str, name: str) -> int:
        """The address that a name means to somebody: by DNS and /etc/hosts, else as a place's own; 0 without one."""
        found = self.terminal(frm).look_up(name)
        if found:
            return found[0]
        if not self.knows(name) and name not in self.network.nicknames:
            return 0
        devices = self.network.find(name).devices.values()
        own = (one.address for device in devices for one in device.addresses if not is_loopback(one.address))
        return next(own, 0)

    def knows(self, place: str) -> bool:
        """Whether there is a place of that name, or its host, so that a container may yet come to be there."""
        host = place.partition("/")[0]
        return bool({place, host} & {*self.sessions, *self.network.aliases, *self.network.namespaces})

    def execute(self, words: list[str], place: str = "") -> Answer:
        """Run one command, given as its words."""
        return self.terminal(place or self.first).execute(words)

    def terminal(self, place: str) -> Terminal:
        """The terminal at a place, which keeps its variables; UnknownPlace where there is none."""
        if place not in self._terminals:
            self.network.find(place)
            from .terminal import Terminal  # a snapshot's trace needs none of the commands

            self._terminals[place] = Terminal(self, place)
        return self._terminals[place]

    @property
    def first(self) -> str:
        """The place where a terminal begins."""
        return next(iter(self.sessions or self.network.aliases), "")


def parts(script: str, knows: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    r"""A script as pieces that run at one place each; the place is empty where a piece names none.

    Example:
        >>> list(parts("docker ps\\n  -a\nip a\nh2: ip r", {"h1", "h2"}.__contains__))
        [('', 'docker ps\\n  -a\nip a'), ('h2', 'ip r')]
    """
    held: list[str] = []
    for line in re.split(r"(?<!\\)\n", script):
        place, command = split_place(line, knows)
        if not place:
            held.append(line)
            continue
        if held:
            yield "", "\n".join(held)
        held = []
        yield place, command
    if held:
        yield "", "\n".join(held)


def split_place(line: str, knows: Callable[[str], bool]) -> tuple[str, str]:
    """A line's place and its command; the place is empty where the line names none.

    Example:
        >>> known = {"h1", "h2"}.__contains__
        >>> split_place("h2: docker ps", known), split_place("docker ps", known)
        (('h2', 'docker ps'), ('', 'docker ps'))
    """
    found = _AT.fullmatch(line.strip())
    if found is not None and knows(found[1]):
        return found[1], found[2]
    return "", line
