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
from simnet.docker import conflicts
from simnet.docker.command import commands, run_flags, usage
from simnet.docker.command.flags import SWITCH, VALUE, BadFlag, Given, read
from simnet.docker.command.since import since
from simnet.docker.command.usage import Usage
from simnet.docker.engine import Engine
from simnet.docker.host import boot
from simnet.docker.options import DaemonOptions
from simnet.docker.rules.version import layout_of
from simnet.docker.show.commands import look, looks
from simnet.errors import Refused, UnknownName, UsageError
from simnet.net.address import parse_ip
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is used, what it does, and the flags it takes; `stop`: none stand after its first word."""

    usage: Usage
    act: Callable[[Session, Given], str | Answer]
    known: Mapping[str, str]
    short: Mapping[str, str]
    stop: bool = False
    runs: bool = False


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
            return self._no_command(words)
        try:
            given = read(words[len(name.split()) :], command.known, command.short, stop=command.stop)
            wrong = usage.wrong_count(self.version, command.usage, len(given.words))
            if wrong:
                return Answer("", wrong, 1)
            said = command.act(self, given)
        except BadFlag as error:
            return self._bad_flag(command, error)
        except Refused as error:
            return self._refused(command, error)
        finally:
            self.namespace.rules_changed()
        if isinstance(said, Answer):
            return said
        return Answer(f"{said}\n" if said else "")

    def _no_command(self, words: list[str]) -> Answer:
        if words[:1] and words[0] in _NO_NETWORK:
            return Answer("", f"simnet: `docker {words[0]}` does not touch the network; nothing is done\n")
        if words[:1] and words[0] in _UNMODELLED:
            return Answer("", f"simnet's docker does not model `docker {' '.join(words[:2])}`\n", 2)
        return Answer("", usage.unknown(self.version, words[: 2 if words[:1] == ["network"] else 1]), 1)

    def _bad_flag(self, command: Command, error: BadFlag) -> Answer:
        if error.said_by == "usage":
            return Answer("", usage.bad_flag(self.version, command.usage, str(error)), 125)
        said = f"Error response from daemon: {error}" if error.said_by == "daemon" else str(error)
        # options that `docker create` has of `docker run` are refused by the client in the same words
        if command.runs or (error.said_by == "client" and command.known is commands.RUN):
            return Answer("", usage.not_run(self.version, command.usage, said), 125)
        return Answer("", f"{said}\n", 1)

    def _refused(self, command: Command, error: Refused) -> Answer:
        said = str(error) if error.kind in _CLIENTS else f"Error response from daemon: {error}"
        if command.runs:
            return Answer("", usage.not_run(self.version, command.usage, said), 125)
        return Answer("", f"{said}\n", 1)


# commands of docker that leave the network as it is, and those whose answer is no network's
_NO_NETWORK = {"build", "builder", "buildx", "commit", "image", "images", "import", "load", "login", "logout", "pull",
               "push", "rmi", "save", "tag", "volume"}  # fmt: skip
_UNMODELLED = {"attach", "checkpoint", "compose", "config", "container", "context", "cp", "diff", "events", "export",
               "history", "logs", "manifest", "node", "pause", "plugin", "rename", "search", "secret",
               "service", "stack", "stats", "swarm", "system", "top", "trust", "unpause", "update", "wait"}  # fmt: skip
# refusals that the client words itself
_CLIENTS = {"gateway_outside", "auxiliary_outside"}


def _run(session: Session, given: Given) -> Answer:
    """The id, and warnings; where the container cannot be started, it is there all the same and has its id printed."""
    made = _create(session, given)
    try:
        session.engine.start(made.out.strip())
    except Refused as error:
        said = usage.not_run(session.version, COMMANDS["run"].usage, f"Error response from daemon: {error}", made=True)
        return Answer(made.out if given.on("detach") else "", made.err + said, 125)
    return made


def _create(session: Session, given: Given) -> Answer:
    options = commands.container(given, session.layout)
    made = session.engine.create(options)
    warnings = [*run_flags.warnings(given, session.layout), *conflicts.warnings(session.engine, options)]
    return Answer(f"{made.id}\n", "".join(f"WARNING: {text}\n" for text in warnings))


def _each(act: Callable[[Engine, str, Given], object], kind: str = "container") -> Callable[[Session, Given], Answer]:
    """A command that does one thing to each of its words, whatever becomes of the others."""

    def acted(session: Session, given: Given) -> Answer:
        done, failed, wrong = [], [], []
        for name in given.words:
            try:
                act(session.engine, name, given)
                done.append(name)
            except Refused as error:
                failed.append(name)
                wrong.append(_why_not(session, kind, name, error))
        code = 1 if failed else 0
        if failed and kind == "network" and since(session.version, 28):
            wrong.append("exit status 1")
        if failed and kind == "start":
            wrong.append(f"Error: failed to start containers: {', '.join(failed)}")
        if kind == "rm" and given.on("force"):
            code = 0
        return Answer("".join(f"{name}\n" for name in done), "".join(f"{line}\n" for line in wrong), code)

    return acted


def _why_not(session: Session, kind: str, name: str, error: Refused) -> str:
    if error.kind == "network_unknown" or (error.kind == "container_unknown" and kind == "rm"):
        return usage.missing(session.version, "network" if kind == "network" else "container", name, str(error))
    return f"Error response from daemon: {error}"


def _network_create(session: Session, given: Given) -> str:
    return session.engine.create_network(commands.network(given, session.layout)).id


def _connect(session: Session, given: Given) -> str:
    if given.all("gw-priority") and "gw_priority" not in session.layout.features:
        raise BadFlag("unknown flag: --gw-priority")
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
_MANY = "[OPTIONS] CONTAINER [CONTAINER...]"


def _used(name: str, words: str, what: str, least: int = 1, most: int | None = None, before: str = "") -> Usage:
    return Usage(f"docker {name}", words, what, least, most, before)


COMMANDS: dict[str, Command] = {
    "run": Command(_used("run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image",
                         before="Run a command in a new container"),
                   _run, commands.RUN, commands.RUN_SHORT, stop=True, runs=True),
    "create": Command(_used("create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container"), _create,
                      commands.RUN, commands.RUN_SHORT, stop=True),
    "start": Command(_used("start", _MANY, "Start one or more stopped containers"),
                     _each(lambda engine, name, _: engine.start(name), "start"), {}, {}),
    "stop": Command(_used("stop", _MANY, "Stop one or more running containers"),
                    _each(lambda engine, name, _: engine.stop(name)), _STOP, {"t": "time", "s": "signal"}),
    "kill": Command(_used("kill", _MANY, "Kill one or more running containers"),
                    _each(lambda engine, name, _: engine.stop(name)), _STOP, {"s": "signal"}),
    "restart": Command(_used("restart", _MANY, "Restart one or more containers"),
                       _each(lambda engine, name, _: engine.restart(name)), _STOP, {"t": "time", "s": "signal"}),
    "rm": Command(_used("rm", _MANY, "Remove one or more containers"),
                  _each(lambda engine, name, given: engine.remove(name, force=given.on("force")), "rm"), _RM,
                  {"f": "force", "v": "volumes", "l": "link"}),
    "network create": Command(_used("network create", "[OPTIONS] NETWORK", "Create a network", 1, 1), _network_create,
                              commands.NETWORK_CREATE, commands.NETWORK_CREATE_SHORT),
    "network rm": Command(_used("network rm", "NETWORK [NETWORK...]", "Remove one or more networks"),
                          _each(lambda engine, name, _: engine.remove_network(name), "network"), {"force": SWITCH},
                          {"f": "force"}),
    "network connect": Command(
        _used("network connect", "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network", 2, 2), _connect,
        commands.CONNECT, {}),
    "network disconnect": Command(
        _used("network disconnect", "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network", 2, 2),
        _disconnect, {"force": SWITCH}, {"f": "force"}),
    "swarm init": Command(_used("swarm init", "[OPTIONS]", "Initialize a swarm", 0, 0), _swarm_init, _SWARM, {}),
    "swarm join": Command(_used("swarm join", "[OPTIONS] HOST:PORT", "Join a swarm as a node and/or manager", 1, 1),
                          _swarm_join, {**_SWARM, "token": VALUE}, {}),
    "swarm leave": Command(_used("swarm leave", "[OPTIONS]", "Leave the swarm", 0, 0), _swarm_leave,
                           {"force": SWITCH}, {"f": "force"}),
    "service scale": Command(
        _used("service scale", "SERVICE=REPLICAS [SERVICE=REPLICAS...]", "Scale one or multiple replicated services"),
        _service_scale, {"detach": SWITCH}, {"d": "detach"}),
    "service create": Command(
        _used("service create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new service"), _service_create,
        commands.SERVICE_CREATE, commands.SERVICE_CREATE_SHORT, stop=True),
    "service update": Command(_used("service update", "[OPTIONS] SERVICE", "Update a service", 1, 1), _service_update,
                              commands.SERVICE_UPDATE, {"d": "detach", "q": "quiet"}),
    "service rm": Command(_used("service rm", "SERVICE [SERVICE...]", "Remove one or more services"),
                          _each(lambda engine, name, _: engine.remove_service(name)), {}, {}),
}  # fmt: skip
