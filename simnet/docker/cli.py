r"""Docker's commands, read as docker reads them, on an engine: enough to build a host's networks.

Example:
    >>> session = Session("28.5.2")
    >>> session.run("docker run -d -p 8080:80 --name c1 busybox").code
    0
    >>> print(session.run("docker network rm n1"))
    Error response from daemon: network n1 not found
    exit status 1
    >>> print(session.run("docker run --foo busybox").err.splitlines()[0])
    unknown flag: --foo
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simnet.answer import Answer
from simnet.errors import Refused, UnknownName, UsageError
from simnet.net.address import parse_ip
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network

from . import commands, conflicts, run_flags
from .engine import Engine
from .flags import SWITCH, VALUE, BadFlag, Given, read
from .host import boot
from .options import DaemonOptions
from .show.commands import look, looks
from .version import layout_of


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its usage, the flags it takes, how many words it needs, and what it does."""

    usage: str
    act: Callable[[Session, Given], str | Answer]
    known: Mapping[str, str]
    short: Mapping[str, str]
    words: int = 1
    stop: bool = False
    failed: int = 1


class Session:
    """A terminal on a host: host and daemon options first, then docker's commands; the engine starts with the first."""

    def __init__(self, version: str, namespace: NetNamespace | None = None) -> None:
        self.version = version
        self.layout = layout_of(version)
        self.namespace = namespace or boot(Network().namespace("h1/host"), forwards=True)
        self.options = DaemonOptions()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, started when it is first needed."""
        if self._engine is None:
            self._engine = Engine(self.version, self.options, self.namespace)
        return self._engine

    @property
    def runs(self) -> bool:
        """Whether the engine has been started."""
        return self._engine is not None

    def run(self, line: str) -> Answer:
        """Run one line."""
        words = shlex.split(line)
        return self.execute(words) if words else Answer()

    def execute(self, words: list[str]) -> Answer:
        """Run one command, given as its words."""
        if words[0] == "docker":
            return self._docker(words[1:])
        if words[0] == "dockerd":
            return self._dockerd(words[1:])
        if words[0] == "sysctl":
            return self._sysctl(words[1:])
        raise UnknownName("command", words[0], ("docker", "dockerd", "sysctl"))

    def script(self, text: str) -> None:
        r"""Run several lines, `\` at the end of one joining the next to it; UsageError where one fails."""
        for line in text.replace("\\\n", " ").splitlines():
            answer = self.run(line)
            if answer.code:
                raise UsageError(f"{line.strip()}: {answer}")

    def _dockerd(self, words: list[str]) -> Answer:
        if self.runs:
            raise UsageError("the engine runs already; put this line before docker's commands")
        try:
            self.options = commands.daemon(read(words, commands.DAEMON, commands.DAEMON_SHORT), self.layout)
        except BadFlag as error:
            return Answer("", f"{error}\nSee 'dockerd --help'.\n", 125)
        return Answer()

    def _sysctl(self, words: list[str]) -> Answer:
        for word in words:
            key, _, value = word.partition("=")
            self.namespace.sysctls[key] = value
        return Answer()

    def _docker(self, words: list[str]) -> Answer:
        seen = look(self.engine, words) if looks(words) else None
        if seen is not None:
            return seen
        name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else " ".join(words[:1])
        command = COMMANDS.get(name)
        if command is None:
            shown = " ".join(words[:1])
            text = f"docker: unknown command: docker {shown}\n\nRun 'docker --help' for more information\n"
            return Answer("", text, 1)
        old = "older_client" in self.layout.features
        help_line = f"See 'docker {name} --help'." if old else f"Run 'docker {name} --help' for more information"
        try:
            given = read(words[len(name.split()) :], command.known, command.short, stop=command.stop)
            if len(given.words) < command.words:
                need = f"requires {'at least ' if command.stop else ''}{command.words} argument"
                raise BadFlag(f"docker: 'docker {name}' {need}{'s' if command.words > 1 else ''}")
            said = command.act(self, given)
            return said if isinstance(said, Answer) else Answer(f"{said}\n" if said else "")
        except BadFlag as error:
            if error.said_by == "daemon":
                return Answer("", f"Error response from daemon: {error}\n", command.failed)
            if error.said_by == "client":
                return Answer("", f"docker: {_tail(str(error), help_line, old=old)}", 125)
            usage = "" if old else f"\nUsage:  docker {name} {command.usage}\n\n"
            return Answer("", f"{error}\n{usage}{help_line}\n", 125)
        except Refused as error:
            return _refused(error, command, help_line, old=old)
        finally:
            self.namespace.rules_changed()


def _tail(text: str, help_line: str, *, old: bool) -> str:
    """The end of an error of `docker run`: where help is to be had."""
    return f"{text}.\n{help_line}\n" if old else f"{text}\n\n{help_line}\n"


def _refused(error: Refused, command: Command, help_line: str, *, old: bool) -> Answer:
    if error.kind in {"gateway_outside", "auxiliary_outside"}:
        return Answer("", f"{error}\n", command.failed)
    said = f"Error response from daemon: {error}\n"
    if command.failed == 125:
        return Answer("", "docker: " + _tail(said.removesuffix("\n"), help_line, old=old), 125)
    return Answer("", said + ("exit status 1\n" if command.usage.startswith("NETWORK [") else ""), command.failed)


def _run(session: Session, given: Given) -> Answer:
    """The id, and warnings; where the container cannot be started, it is there all the same and has its id printed."""
    made = _create(session, given)
    try:
        session.engine.start(made.out.strip())
    except Refused as error:
        said = f"docker: Error response from daemon: {error}"
        old = "older_client" in session.layout.features
        end = ".\n" if old else "\n\nRun 'docker run --help' for more information\n"
        return Answer(made.out, made.err + said + end, 125)
    return made


def _create(session: Session, given: Given) -> Answer:
    options = commands.container(given, session.layout)
    made = session.engine.create(options)
    warnings = [*run_flags.warnings(given, session.layout), *conflicts.warnings(session.engine, options)]
    return Answer(f"{made.id}\n", "".join(f"WARNING: {text}\n" for text in warnings))


def _each(act: Callable[[Engine, str, Given], object]) -> Callable[[Session, Given], str]:
    def acted(session: Session, given: Given) -> str:
        for name in given.words:
            act(session.engine, name, given)
        return "\n".join(given.words)

    return acted


def _network_create(session: Session, given: Given) -> str:
    return session.engine.create_network(commands.network(given, session.layout)).id


def _connect(session: Session, given: Given) -> str:
    network, container = given.words[:2]
    wanted = commands.Attachment(network, given.last("ip"), given.last("ip6"),
                                 int(given.last("gw-priority", "0")), tuple(given.all("alias")),
                                 links=tuple(map(run_flags.link, given.all("link"))))  # fmt: skip
    session.engine.connect(network, container, wanted)
    return ""


def _disconnect(session: Session, given: Given) -> str:
    session.engine.disconnect(given.words[0], given.words[1])
    return ""


def _swarm_init(session: Session, _given: Given) -> str:
    session.engine.swarm_init()
    return "Swarm initialized: current node is now a manager."


def _swarm_join(session: Session, given: Given) -> str:
    host = given.words[0].partition(":")[0]
    try:
        address = parse_ip(host)
    except ValueError:
        raise BadFlag(f"lookup {host}: no such host", "daemon") from None
    session.engine.swarm_join(address, manager=given.last("token").endswith("manager"))
    return f"This node joined a swarm as a {'manager' if session.engine.swarm.manages else 'worker'}."


def _swarm_leave(session: Session, given: Given) -> str:
    session.engine.swarm.leave(force=given.on("force"))
    return "Node left the swarm."


def _service_scale(session: Session, given: Given) -> str:
    said = []
    for word in given.words:
        name, _, number = word.partition("=")
        if not number.isdigit():
            raise BadFlag(f"invalid scale specifier '{word}'.\nSee 'docker service scale --help'.")
        session.engine.scale_service(name, int(number))
        said.append(f"{name} scaled to {number}")
    return "\n".join(said)


def _service_update(session: Session, given: Given) -> str:
    session.engine.update_service(given.words[0], commands.service_update(given))
    return given.words[0]


def _service_create(session: Session, given: Given) -> str:
    return session.engine.create_service(commands.service(given)).id


_RM = {"force": SWITCH, "volumes": SWITCH, "link": SWITCH}
_STOP = {"time": VALUE, "timeout": VALUE, "signal": VALUE}
_SWARM = dict.fromkeys(("advertise-addr", "listen-addr", "data-path-addr", "default-addr-pool",
                        "default-addr-pool-mask-length", "data-path-port"), VALUE)  # fmt: skip
COMMANDS: dict[str, Command] = {
    "run": Command("[OPTIONS] IMAGE [COMMAND] [ARG...]", _run, commands.RUN, commands.RUN_SHORT, stop=True, failed=125),
    "create": Command("[OPTIONS] IMAGE [COMMAND] [ARG...]", _create, commands.RUN, commands.RUN_SHORT, stop=True),
    "start": Command("[OPTIONS] CONTAINER [CONTAINER...]", _each(lambda engine, name, _: engine.start(name)), {}, {}),
    "stop": Command("[OPTIONS] CONTAINER [CONTAINER...]", _each(lambda engine, name, _: engine.stop(name)), _STOP,
                    {"t": "time", "s": "signal"}),
    "kill": Command("[OPTIONS] CONTAINER [CONTAINER...]", _each(lambda engine, name, _: engine.stop(name)), _STOP,
                    {"s": "signal"}),
    "restart": Command("[OPTIONS] CONTAINER [CONTAINER...]", _each(lambda engine, name, _: engine.restart(name)),
                       _STOP, {"t": "time", "s": "signal"}),
    "rm": Command("[OPTIONS] CONTAINER [CONTAINER...]",
                  _each(lambda engine, name, given: engine.remove(name, force=given.on("force"))), _RM,
                  {"f": "force", "v": "volumes", "l": "link"}),
    "network create": Command("[OPTIONS] NETWORK", _network_create, commands.NETWORK_CREATE,
                              commands.NETWORK_CREATE_SHORT),
    "network rm": Command("NETWORK [NETWORK...]", _each(lambda engine, name, _: engine.remove_network(name)),
                          {"force": SWITCH}, {"f": "force"}),
    "network connect": Command("[OPTIONS] NETWORK CONTAINER", _connect, commands.CONNECT, {}, words=2),
    "network disconnect": Command("[OPTIONS] NETWORK CONTAINER", _disconnect, {"force": SWITCH}, {"f": "force"},
                                  words=2),
    "swarm init": Command("[OPTIONS]", _swarm_init, _SWARM, {}, words=0),
    "swarm join": Command("[OPTIONS] HOST:PORT", _swarm_join, {**_SWARM, "token": VALUE}, {}),
    "swarm leave": Command("[OPTIONS]", _swarm_leave, {"force": SWITCH}, {"f": "force"}, words=0),
    "service scale": Command("SERVICE=REPLICAS [SERVICE=REPLICAS...]", _service_scale, {"detach": SWITCH},
                             {"d": "detach"}),
    "service create": Command("[OPTIONS] IMAGE [COMMAND] [ARG...]", _service_create, commands.SERVICE_CREATE,
                              commands.SERVICE_CREATE_SHORT, stop=True),
    "service update": Command("[OPTIONS] SERVICE", _service_update, commands.SERVICE_UPDATE,
                              {"d": "detach", "q": "quiet"}),
    "service rm": Command("SERVICE [SERVICE...]", _each(lambda engine, name, _: engine.remove_service(name)), {}, {}),
}  # fmt: skip
