"""A plan: what a scenario or a compose file comes to, before anything is built: machines, commands, servers, claims.

A plan is data. `build` makes a lab of it; `Setting` changes it, so that one file can be asked under other conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from simnet.docker.document import Value
from simnet.docker.options import ContainerOptions, NetworkOptions
from simnet.errors import UnknownName, UsageError

from .question import Listen

# an engine's boot option may be given as `--set HOST.daemon.KEY=VALUE`, a kernel's as `--set HOST.sysctl.KEY=VALUE`
SECTIONS = ("engine", "sysctl", "daemon")


@dataclass(frozen=True, slots=True)
class Command:
    """A command at a place, and the value in the file that it comes from."""

    place: str
    words: tuple[str, ...]
    origin: Value

    def __str__(self) -> str:
        """As it would be typed."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Made:
    """A network or a container that an engine is to make of options, and the value in the file that it comes from."""

    place: str
    options: NetworkOptions | ContainerOptions
    origin: Value


@dataclass(frozen=True, slots=True)
class HostPlan:
    """A Docker host: its engine's version and options, its addresses, its kernel's settings."""

    name: str
    engine: str
    addresses: tuple[str, ...]
    gateway: str = ""
    wire: str = "lan"
    mtu: int = 1500
    sysctl: Mapping[str, str] = field(default_factory=dict)
    daemon: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origin: Value | None = None

    def daemon_words(self) -> list[str]:
        """The options of dockerd, as it takes them."""
        return [f"--{key}={value}" for key, values in self.daemon.items() for value in values]


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """An outside machine: addresses, a way out, and routes (destination, next hop)."""

    name: str
    addresses: tuple[str, ...]
    gateway: str = ""
    wire: str = "lan"
    routes: tuple[tuple[str, str], ...] = ()
    origin: Value | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file says must be so: of `subject` it says `text`.

    `engine` limits it to some versions (`>=28`), `otherwise` is what holds with the others, `because` says why.
    """

    subject: str
    text: str
    origin: Value
    engine: str = ""
    otherwise: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a file says, in the order in which it is to be done.

    `names` are other names of places: a service of a compose file, and its containers. `told` are containers of which
    the file says what listens there.
    """

    title: str = ""
    about: str = ""
    hosts: tuple[HostPlan, ...] = ()
    machines: tuple[MachinePlan, ...] = ()
    commands: tuple[Command | Made, ...] = ()
    listens: tuple[tuple[Listen, Value], ...] = ()
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """One change to a plan: `HOST.engine=V`, `HOST.sysctl.KEY=V`, `HOST.daemon.KEY=V`; `*` stands for every host.

    Example:
        >>> Setting.parse("h1.sysctl.net.ipv4.ip_forward=0")
        Setting(host='h1', section='sysctl', key='net.ipv4.ip_forward', value='0')
    """

    host: str
    section: str
    key: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Read the value of `--set`; UsageError where it is none."""
        path, found, value = text.partition("=")
        host, _, rest = path.partition(".")
        section, _, key = rest.partition(".")
        if not found or not host or section not in SECTIONS or (section == "engine") == bool(key):
            forms = "HOST.engine=VERSION, HOST.sysctl.KEY=VALUE or HOST.daemon.KEY=VALUE"
            raise UsageError(f"--set {text!r} is none of {forms}")
        return cls(host, section, key, value)

    def __str__(self) -> str:
        """As `--set` takes it."""
        return f"{self.host}.{self.section}{'.' if self.key else ''}{self.key}={self.value}"


def changed(plan: Plan, settings: Iterable[Setting]) -> Plan:
    """A plan with settings laid over it; UnknownName where a setting names a host that is not there."""
    hosts = {host.name: host for host in plan.hosts}
    for setting in settings:
        if setting.host != "*" and setting.host not in hosts:
            raise UnknownName("host", setting.host, hosts)
        for name in hosts if setting.host == "*" else [setting.host]:
            hosts[name] = _set(hosts[name], setting)
    return replace(plan, hosts=tuple(hosts.values()))


def _set(host: HostPlan, setting: Setting) -> HostPlan:
    if setting.section == "engine":
        return replace(host, engine=setting.value)
    if setting.section == "sysctl":
        return replace(host, sysctl={**host.sysctl, setting.key: setting.value})
    return replace(host, daemon={**host.daemon, setting.key: (setting.value,)})
