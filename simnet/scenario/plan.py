"""A plan: what a scenario or a compose file comes to, before anything is built: machines, commands, servers, claims.

A plan is data. `build` makes a lab of it; `Setting` changes it, so that one file can be asked under other conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from simnet.docker.document import Value
from simnet.docker.options import ContainerOptions, NetworkOptions
from simnet.errors import SourceError, UnknownName, UsageError

from .question import Listen
from .settings import put
from .timing_plan import MachineHardware, TimingPlan

# an engine's boot option may be given as `--set HOST.daemon.KEY=VALUE`, a kernel's as `--set HOST.sysctl.KEY=VALUE`
SECTIONS = ("engine", "sysctl", "daemon")
# what else a setting's path may begin with, beside a host or machine
TOP = ("traffic", "wires", "run")


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
    hardware: MachineHardware = field(default_factory=MachineHardware)

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
    hardware: MachineHardware = field(default_factory=MachineHardware)


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
class Document:
    """What a plan was read from, to be read again with values changed.

    `read` makes the plan of it; the keys of `host` stand at its top (a compose file's `x-simnet`), else below `hosts`.
    """

    top: Value = field(repr=False)
    read: Callable[[Value], Plan] = field(repr=False)
    host: str = ""


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
    timing: TimingPlan = field(default_factory=TimingPlan)
    document: Document | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """One change to a plan: `HOST.engine=V`, `HOST.sysctl.KEY=V`, `HOST.daemon.KEY=V`, or any value by its path.

    A path begins with a host or machine (`h1.cpus=4`; `*` stands for every host), or with `traffic`, `wires` or `run`
    (`traffic.web.requests.clients=8`). The value is written as the file would have it. `host`, `section` and `key` are
    the path's first part, its second, and the rest.

    Example:
        >>> Setting.parse("h1.sysctl.net.ipv4.ip_forward=0")
        Setting(host='h1', section='sysctl', key='net.ipv4.ip_forward', value='0')
        >>> str(Setting.parse("wires.lan.delay=1ms"))
        'wires.lan.delay=1ms'
    """

    host: str
    section: str
    key: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Read the value of `--set`; UsageError where it is none."""
        path, found, value = text.partition("=")
        for group in ("hosts.", "machines."):
            path = path.removeprefix(group)
        host, _, rest = path.partition(".")
        section, _, key = rest.partition(".")
        setting = cls(host, section, key, value)
        if not found or not host or not section or ".." in path or path.endswith("."):
            raise UsageError(f"--set {text!r} is none of {_FORMS}")
        if section in SECTIONS and host not in TOP and (section == "engine") == bool(key):
            raise UsageError(f"--set {text!r} is none of {_FORMS}")
        return setting

    @property
    def path(self) -> str:
        """What is changed."""
        return f"{self.host}.{self.section}{'.' if self.key else ''}{self.key}"

    @property
    def simple(self) -> bool:
        """Whether it is an engine's version, a sysctl or an engine's option, which need no file to be read again."""
        return self.section in SECTIONS and self.host not in TOP

    def __str__(self) -> str:
        """As `--set` takes it."""
        return f"{self.path}={self.value}"


_FORMS = ("HOST.engine=VERSION, HOST.sysctl.KEY=VALUE, HOST.daemon.KEY=VALUE, "
          "or a value's path such as traffic.web.requests.clients=8")  # fmt: skip


def changed(plan: Plan, settings: Iterable[Setting]) -> Plan:
    """A plan with settings laid over it, the later over the earlier.

    UnknownName where one names a host or traffic that is not there, UsageError where the value is wrong.
    """
    asked = list(settings)
    plan = _read_again(plan, [setting for setting in asked if not setting.simple])
    hosts = {host.name: host for host in plan.hosts}
    for setting in asked:
        if not setting.simple:
            continue
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


def _read_again(plan: Plan, settings: list[Setting]) -> Plan:
    """A plan of the same file with values changed in it."""
    document = plan.document
    if not settings:
        return plan
    if document is None:
        raise UsageError(f"--set {settings[0]}: this plan was read from no file")
    top = document.top
    for setting in settings:
        for path in _paths(plan, document, setting):
            top = put(top, path, setting.value, f"--set {setting}")
    try:
        return document.read(top)
    except SourceError as error:  # the file itself was right, so it is of the settings
        said = str(error)
        raise UsageError(said if "--set " in said else f"--set {settings[-1]}: {said}") from None


def _paths(plan: Plan, document: Document, setting: Setting) -> list[str]:
    """Where in the document a setting's value stands; one that names nothing there is is refused."""
    hosts, machines = ([one.name for one in group] for group in (plan.hosts, plan.machines))
    rest = f"{setting.section}{'.' if setting.key else ''}{setting.key}"
    if setting.host in TOP:
        names = [one.name for one in plan.timing.traffic]
        if setting.host == "traffic" and setting.section not in names:
            raise UnknownName("traffic", setting.section, names)
        return [setting.path]
    if setting.host in machines:
        return [f"machines.{setting.host}.{rest}"]
    if setting.host != "*" and setting.host not in hosts:
        raise UnknownName("host, machine or section", setting.host, [*hosts, *machines, *TOP])
    named = hosts if setting.host == "*" else [setting.host]
    return [rest if name == document.host else f"hosts.{name}.{rest}" for name in named]
