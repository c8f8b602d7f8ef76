r"""A scenario: a YAML file that says which hosts there are, what runs on them, who listens, and what must hold.

Networks, containers and services are written with the names of docker's own flags (`publish`, `network`, `ip`, …), and
`commands` takes docker, iptables and ip lines as they are typed; both become the same commands.

Example:
    >>> plan = read(
    ...     '''
    ... simnet: 1
    ... hosts:
    ...   h1:
    ...     engine: "28.5"
    ...     containers:
    ...       web: {publish: "8080:80"}
    ... ''',
    ...     "a.yaml",
    ... )
    >>> [str(command) for command in plan.commands]
    ['docker run -d --name web --publish 8080:80 busybox']
    >>> read("simnet: 1\nhosts: {h1: {containers: {web: {port: 80}}}}\n", "a.yaml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    simnet.errors.ScenarioError: a.yaml:2:39: no key 'port' here; did you mean 'ports'?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from simnet.docker import document
from simnet.docker.command.commands import DAEMON, NETWORK_CREATE, RUN, SERVICE_CREATE, published
from simnet.docker.command.flags import BadFlag
from simnet.docker.container.images import ports_of
from simnet.docker.document import Value
from simnet.docker.engine import NAME
from simnet.docker.publish import PublishedPort
from simnet.errors import UsageError
from simnet.lab.lab import DEFAULT_ENGINE

from . import claims, traffic_file
from .plan import Claim, Command, Document, HostPlan, MachinePlan, Plan
from .problems import Problems
from .question import Listen

TOP = ("simnet", "title", "about", "hosts", "machines", "commands", "check", *traffic_file.SECTIONS)
HOST = ("engine", "addresses", "gateway", "wire", "mtu", "sysctl", "daemon", "swarm", "networks", "containers",
        "services", "listen", "commands", *traffic_file.HARDWARE)  # fmt: skip
EXTENSION = ("title", "about", "engine", "addresses", "gateway", "wire", "mtu", "sysctl", "daemon", "listen",
             "machines", "commands", "check", *traffic_file.HARDWARE, *traffic_file.SECTIONS)  # fmt: skip
MACHINE = ("addresses", "gateway", "wire", "routes", "listen", "commands", *traffic_file.HARDWARE)
# names of flags that compose files have made familiar
ALIASES = {"ports": "publish", "networks": "network", "links": "link", "aliases": "network-alias", "options": "opt",
           "default-address-pools": "default-address-pool", "sysctls": "sysctl"}  # fmt: skip
CONTAINER = (*RUN, *(name for name, flag in ALIASES.items() if flag in RUN), "image", "command", "listen")
NETWORK = (*NETWORK_CREATE, "options")
SERVICE = (*SERVICE_CREATE, "ports", "networks", "image", "command", "listen")
JOINED = ("ip", "ip6", "alias", "aliases", "gw-priority", "mac-address")
CLAIM = ("engine", "otherwise", "because")
# hosts begin at .2, outside machines at .1, as on the wire that the lab has
_FIRST_HOST = 2


def is_scenario(top: Value) -> bool:
    """Whether a document is a scenario: it says so with `simnet: 1`, or it has hosts."""
    return isinstance(top.held, dict) and bool({"simnet", "hosts"} & top.held.keys())


def read(text: str, file: str) -> Plan:
    """Read a scenario; ScenarioError names all that is wrong with it, each with its line and column."""
    return _read(document.read(text, file))


def _read(top: Value) -> Plan:
    return replace(_Reader(top).plan(), document=Document(top, _read))


def read_extension(host: str, value: Value) -> Plan:
    """What stands under `x-simnet` of a compose file: the one host's settings, outside machines, commands, claims."""
    return _Reader(value).extension(host)


class _Reader:
    """One file on its way to a plan."""

    def __init__(self, top: Value) -> None:
        self.top, self.problems = top, Problems()
        self.commands: list[Command] = []
        self.listens: list[tuple[Listen, Value]] = []
        self.told: set[str] = set()

    def plan(self) -> Plan:
        found = self._keys(self.top, TOP)
        with self.problems.caught():
            if "simnet" in found and found["simnet"].number() != 1:
                raise found["simnet"].error("this simnet reads scenarios of format 1")
        hosts = list(self._mapping(found, "hosts"))
        machines = list(self._mapping(found, "machines"))
        planned = [self._host(name, value, number) for number, (name, value) in enumerate(hosts, _FIRST_HOST)]
        outside = [self._machine(name, value, number) for number, (name, value) in enumerate(machines)]
        for section in ("swarm", "networks", "containers", "services", "listen", "commands"):
            for name, value in hosts:
                self._section(section, name, value)
        for name, value in machines:
            self._lines(name, value, "commands")
            self._listen(f"{name}", value)
        self._lines("", self.top, "commands")
        checks = list(self._claims(found["check"])) if "check" in found else []
        timing = traffic_file.read(found, self.problems)
        title, about = (self._text(found, key) for key in ("title", "about"))
        self.problems.settle()
        return Plan(title, about, tuple(planned), tuple(outside), tuple(self.commands), tuple(self.listens),
                    tuple(checks), told=frozenset(self.told), timing=timing)  # fmt: skip

    def extension(self, host: str) -> Plan:
        found = self._keys(self.top, EXTENSION)
        own = Value({key: item for key, item in found.items() if key in HOST}, self.top.file, self.top.line,
                    self.top.column)  # fmt: skip
        planned = self._host(host, own, _FIRST_HOST)
        machines = list(self._mapping(found, "machines"))
        outside = [self._machine(name, value, number) for number, (name, value) in enumerate(machines)]
        self._listen(host, own)
        self._lines(host, own, "commands")
        for name, value in machines:
            self._lines(name, value, "commands")
            self._listen(name, value)
        checks = list(self._claims(found["check"])) if "check" in found else []
        timing = traffic_file.read(found, self.problems)
        title, about = (self._text(found, key) for key in ("title", "about"))
        self.problems.settle()
        return Plan(title, about, (planned,), tuple(outside), tuple(self.commands), tuple(self.listens), tuple(checks),
                    timing=timing)  # fmt: skip

    # -- machines ------------------------------------------------------------------------------------------------------

    def _host(self, name: str, value: Value, number: int) -> HostPlan:
        self._check_name(name, value)
        found = self._keys(value, HOST)
        sysctl = {key: self._word(item) for key, item in self._mapping(found, "sysctl")}
        daemon = {}
        for key, item in self._mapping(found, "daemon"):
            flag = ALIASES.get(key, key)
            with self.problems.caught():
                item.known(flag, DAEMON, key)
            daemon[flag] = tuple(self._words(item))
        addresses = tuple(self._words(found["addresses"])) if "addresses" in found else (f"192.0.2.{number}/24",)
        gateway = self._text(found, "gateway", "" if "addresses" in found else "192.0.2.1")
        mtu = int(self._text(found, "mtu", "1500"))
        return HostPlan(name, self._text(found, "engine", DEFAULT_ENGINE), addresses, gateway,
                        self._text(found, "wire", "lan"), mtu, sysctl, daemon, value,
                        traffic_file.read_hardware(found, self.problems))  # fmt: skip

    def _check_name(self, name: str, value: Value) -> None:
        with self.problems.caught():
            if not NAME.fullmatch(name):
                raise value.error(f"{name!r} is no name for a machine", "use letters, digits, '_', '.' and '-'")

    def _machine(self, name: str, value: Value, number: int) -> MachinePlan:
        self._check_name(name, value)
        found = self._keys(value, MACHINE)
        address = "192.0.2.1/24" if number == 0 else f"192.0.2.{100 + number}/24"
        addresses = tuple(self._words(found["addresses"])) if "addresses" in found else (address,)
        routes = []
        for item in self._items(found, "routes"):
            with self.problems.caught():
                pair = item.mapping(["to", "via"], ["to", "via"])
                routes.append((pair["to"].text(), pair["via"].text()))
        return MachinePlan(name, addresses, self._text(found, "gateway"), self._text(found, "wire", "lan"),
                           tuple(routes), value, traffic_file.read_hardware(found, self.problems))  # fmt: skip

    # -- what is done on them ------------------------------------------------------------------------------------------

    def _section(self, section: str, host: str, value: Value) -> None:
        found = value.held if isinstance(value.held, dict) else {}
        if section not in found:
            return
        if section == "swarm":
            self._swarm(host, found["swarm"])
        elif section == "listen":
            self._listen(host, value)
        elif section == "commands":
            self._lines(host, value, section)
        else:
            make = {"networks": self._network, "containers": self._container, "services": self._service}[section]
            for name, item in self._mapping(found, section):
                make(host, name, item)

    def _swarm(self, host: str, value: Value) -> None:
        with self.problems.caught():
            if value.held == "init":
                self.commands.append(Command(host, ("docker", "swarm", "init"), value))
                return
            found = value.mapping(["join", "manager"], ["join"])
            token = ("--token", "SWMTKN-manager") if "manager" in found and found["manager"].flag() else ()
            self.commands.append(Command(host, ("docker", "swarm", "join", *token, found["join"].text()), value))

    def _network(self, host: str, name: str, value: Value) -> None:
        found = self._keys(value, NETWORK) if value.held is not None else {}
        words = [word for key, item in found.items() for word in self._flag(ALIASES.get(key, key), item)]
        self.commands.append(Command(host, ("docker", "network", "create", *words, name), value))

    def _container(self, host: str, name: str, value: Value) -> None:
        found = self._keys(value, CONTAINER) if value.held is not None else {}
        networks = self._networks(found)
        words = [word for key, item in found.items() if key not in {"image", "command", "listen", "network", "networks"}
                 for word in self._flag(ALIASES.get(key, key), item)]  # fmt: skip
        words += [word for pair in networks[0] for word in pair] if networks else []
        image, command = self._text(found, "image", "busybox"), self._text(found, "command").split()
        if len(networks) < 2:
            self.commands.append(Command(host, ("docker", "run", "-d", "--name", name, *words, image, *command), value))
        else:
            self.commands.append(Command(host, ("docker", "create", "--name", name, *words, image, *command), value))
            for pairs in networks[1:]:
                joined = [word.replace("--network-alias", "--alias") for pair in pairs[1:] for word in pair]
                line = ("docker", "network", "connect", *joined, pairs[0][1], name)
                self.commands.append(Command(host, line, value))
            self.commands.append(Command(host, ("docker", "start", name), value))
        self.told.add(f"{host}/{name}")
        if "listen" in found:
            self._listen(f"{host}/{name}", value)
        else:
            self._listen_published(f"{host}/{name}", found)
            self.listens += [(Listen(f"{host}/{name}", *port), value) for port in _of_image(image)]

    def _networks(self, found: Mapping[str, Value]) -> list[list[tuple[str, str]]]:
        """The networks of a container, each as flags: the network first, then what it is to have there."""
        value = found.get("network") or found.get("networks")
        if value is None:
            return []
        if not isinstance(value.held, dict):
            return [[("--network", name)] for name in self._words(value)]
        joined: list[list[tuple[str, str]]] = []
        for name, item in value.held.items():
            options = self._keys(item, JOINED) if item.held is not None else {}
            priority = "" if joined else self._text(options, "gw-priority")
            if priority:  # `docker run` takes it within --network alone
                del options["gw-priority"]
            flags = [("--network", f"name={name},gw-priority={priority}" if priority else name)]
            for key, one in options.items():
                flag = "network-alias" if key in {"alias", "aliases"} else key
                flags += [(f"--{flag}", word) for word in self._words(one)]
            joined.append(flags)
        return joined

    def _service(self, host: str, name: str, value: Value) -> None:
        found = self._keys(value, SERVICE) if value.held is not None else {}
        words = [word for key, item in found.items() if key not in {"image", "command", "listen"}
                 for word in self._flag(ALIASES.get(key, key), item)]  # fmt: skip
        image = self._text(found, "image", "busybox")
        self.commands.append(Command(host, ("docker", "service", "create", "--name", name, *words, image), value))
        if "listen" in found:
            self._listen(f"{host}/service {name}", value)
        else:
            self._listen_published(f"{host}/service {name}", found)

    def _lines(self, place: str, value: Value, key: str) -> None:
        """`commands`: lines as they are typed, in one text or a list; the place may stand before a line."""
        item = value.held.get(key) if isinstance(value.held, dict) else None
        if item is None:
            return
        for part in item.held if isinstance(item.held, list) else [item]:
            with self.problems.caught():
                self.commands.append(Command(place, (part.text(),), part))

    # -- who listens ---------------------------------------------------------------------------------------------------

    def _listen(self, place: str, value: Value) -> None:
        for item in self._items(value.held if isinstance(value.held, dict) else {}, "listen"):
            with self.problems.caught():
                self.listens.append((read_listen(place, item), item))

    def _listen_published(self, place: str, found: Mapping[str, Value]) -> None:
        """A container listens on every port that it publishes, unless the file says what it listens on."""
        for key in ("publish", "ports", "expose"):
            for item in self._items(found, key):
                with self.problems.caught():
                    self.listens += [(Listen(place, port.proto, 0, port.port), item)
                                     for port in _ports(self._word(item)) if port.proto != "sctp"]  # fmt: skip

    # -- claims --------------------------------------------------------------------------------------------------------

    def _claims(self, value: Value) -> Iterator[Claim]:
        entries = value.held if isinstance(value.held, list) else [value]
        for entry in entries or []:
            with self.problems.caught():
                yield from claims.read(entry, CLAIM)

    # -- values --------------------------------------------------------------------------------------------------------

    def _keys(self, value: Value, known: tuple[str, ...]) -> dict[str, Value]:
        """The values of a mapping; each unknown key is a problem of its own."""
        with self.problems.caught():
            found = value.mapping()
            for key, item in found.items():
                with self.problems.caught():
                    item.known(key, known)
            return {key: item for key, item in found.items() if key in known}
        return {}

    def _mapping(self, found: Mapping[str, Value], key: str) -> Iterator[tuple[str, Value]]:
        if key in found and found[key].held is not None:
            with self.problems.caught():
                yield from found[key].mapping().items()

    def _items(self, found: Mapping[str, Value], key: str) -> list[Value]:
        """The values of a list; one value alone is a list of one."""
        if key not in found or found[key].held is None:
            return []
        return found[key].held if isinstance(found[key].held, list) else [found[key]]  # type: ignore[return-value]

    def _text(self, found: Mapping[str, Value], key: str, default: str = "") -> str:
        return self._word(found[key]) if key in found else default

    def _word(self, value: Value) -> str:
        with self.problems.caught():
            held = value.scalar()
            return str(held).lower() if isinstance(held, bool) else str(held)
        return ""

    def _words(self, value: Value) -> list[str]:
        """A value as a list of words; a mapping as `key=value`."""
        if isinstance(value.held, dict):
            return [f"{key}={self._word(item)}" for key, item in value.held.items()]
        return [self._word(item) for item in (value.held if isinstance(value.held, list) else [value])]

    def _flag(self, name: str, value: Value) -> list[str]:
        """A value as the flag of that name takes it."""
        if isinstance(value.held, bool):
            return [f"--{name}" if value.held else f"--{name}=false"]
        return [word for item in self._words(value) for word in (f"--{name}", item)]


def read_listen(place: str, value: Value) -> Listen:
    """`tcp/80`, `udp/127.0.0.1:53` or `80` as a server at a place; SourceError where it is none of them."""
    held = value.scalar()
    text = str(held)
    proto, slash, rest = text.partition("/")
    address, colon, port = (rest if slash else text).rpartition(":")
    try:
        return Listen.parse(f"{place}:{proto if slash else 'tcp'}:{address if colon else '0.0.0.0'}:{port}")
    except UsageError:
        raise value.error(f"{text!r} is no place to listen at", "write tcp/80, udp/53 or tcp/127.0.0.1:80") from None


def _of_image(image: str) -> Iterator[tuple[str, int, int]]:
    """Where programs of a well-known image listen: protocol, address, port."""
    return ((proto, 0, port) for proto, port in ports_of(image))


def _ports(text: str) -> list[PublishedPort]:
    """The ports of a `publish`; what is wrong with one is said by docker, when the container is made."""
    try:
        return published(text)
    except BadFlag:
        return []
