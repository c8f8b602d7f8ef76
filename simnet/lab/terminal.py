"""A terminal at a place: docker's commands go to the host's engine, all others to the namespace.

A container that runs in the foreground (`docker run` without `-d`) prints what its command prints and exits, unless the
command is one that stays (a shell, a server, `sleep`, none): it is left running, as after Ctrl-P Ctrl-Q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.answer import Answer
from simnet.docker import conflicts
from simnet.docker.command.cli import Session
from simnet.docker.command.commands import RUN, RUN_SHORT
from simnet.docker.command.flags import SWITCH, VALUE, BadFlag, Given, read
from simnet.docker.container import dns, files, inside
from simnet.docker.engine import Engine
from simnet.docker.objects import Container
from simnet.errors import Refused, SimnetError

from . import linux
from .shell import Shell, not_found

if TYPE_CHECKING:
    from .lab import Lab

_EXEC = {**dict.fromkeys(("interactive", "tty", "detach", "privileged"), SWITCH),
         **dict.fromkeys(("env", "user", "workdir"), VALUE)}  # fmt: skip
_EXEC_SHORT = {"i": "interactive", "t": "tty", "d": "detach", "e": "env", "u": "user", "w": "workdir"}
# what is typed before the engine starts: its options, and the kernel's
_BEFORE_DOCKER = {"dockerd", "sysctl"}
# commands of docker that may start containers
_STARTS = {"run", "start", "restart", "service"}
# commands that end by themselves, so that a container of theirs exits
_ENDS = set(linux.COMMANDS) - {"sh", "ash", "bash", "nc"} | {"ps", "ls"}
# what a container's own commands show beside the network's
_INSIDE = {"ps": inside.ps, "mount": inside.mounts}


class Terminal:
    """A shell at a place of a lab; it keeps its variables from script to script."""

    def __init__(self, lab: Lab, place: str) -> None:
        """Open it at a place (`h1`, `h1/web`, `wan`)."""
        self.lab, self.place = lab, place
        self.shell = Shell(self.execute)

    def execute(self, words: list[str], stdin: str = "") -> Answer:
        """Run one command; what simnet itself refuses is said on standard error."""
        place = words[0].removesuffix(":")
        if words[1:] and place != words[0] and self.lab.knows(place):
            return self.lab.execute(words[1:], place)
        session = self.lab.sessions.get(self._host)
        if session is not None and words[0] not in _BEFORE_DOCKER:
            _ = session.engine  # a Docker host: its engine runs, unless these are the words to start it with
        try:
            if words[0] in {"docker", "dockerd"}:
                return self._docker(words)
            return self._linux(words, stdin)
        except SimnetError as error:
            return Answer("", f"{words[0]}: {error}\n", error.exit_code)

    def look_up(self, name: str) -> list[int]:
        """The addresses that a name has here."""
        return self._there(self._container()).look_up(name)

    @property
    def _host(self) -> str:
        return self.place.partition("/")[0]

    def _docker(self, words: list[str]) -> Answer:
        session = self.lab.sessions.get(self._host)
        if session is None or self._container() is not None:
            return not_found(words[0])
        if words[:2] == ["docker", "exec"] or words[:3] == ["docker", "container", "exec"]:
            return self._exec(session, words[words.index("exec") + 1 :])
        answer = self._run(session, words) if words[:2] == ["docker", "run"] else session.execute(words)
        if words[1:2] and words[1] in _STARTS:
            self.lab.listen_by_image(self._host)
        return answer

    def _exec(self, session: Session, words: list[str]) -> Answer:
        """`docker exec`: a command in a container's own place."""
        try:
            given = read(words, _EXEC, _EXEC_SHORT, stop=True)
            if len(given.words) < 2:
                raise BadFlag("docker: 'docker exec' requires at least 2 arguments")
            one = session.engine.find(given.words[0])
            conflicts.check_exec(session.engine, one)
        except BadFlag as error:
            return Answer("", f"{error}\n\nUsage:  docker exec [OPTIONS] CONTAINER COMMAND [ARG...]\n", 125)
        except Refused as error:
            return Answer("", f"Error response from daemon: {error}\n", 1)
        answer = self.lab.execute(given.words[1:], f"{self._host}/{one.name}")
        if given.on("detach"):
            return Answer(code=0)
        return _no_program(given.words[1], answer)

    def _run(self, session: Session, words: list[str]) -> Answer:
        """`docker run`: start it; in the foreground print what the command prints, and let the container exit."""
        answer = session.execute(words)
        try:
            given = read(words[words.index("run") + 1 :], RUN, RUN_SHORT, stop=True)
        except BadFlag:
            return answer
        command = given.words[1:]
        if answer.code or (given.on("detach") and not _ends(command)):
            return answer
        name = answer.out.strip()
        said = Answer()
        if _ends(command):
            said = _no_program(command[0], self.lab.execute(command, f"{self._host}/{session.engine.find(name).name}"))
            self._exit(session, name, given)
        if given.on("detach"):
            return answer
        return Answer(said.out, answer.err + said.err, said.code)

    def _exit(self, session: Session, name: str, given: Given) -> None:
        session.execute(["docker", "stop", name])
        session.engine.find(name).exit_code = 0
        if given.on("rm"):
            session.execute(["docker", "rm", name])

    def _container(self) -> tuple[Engine, Container] | None:
        """The engine and container of this place, where it is a container's."""
        one = self.lab.container(self.place)
        return (self.lab.engine(self._host), one) if one is not None else None

    def _linux(self, words: list[str], stdin: str) -> Answer:
        """A command of the namespace, with the names and files that are seen there."""
        found = self._container()
        if found is not None and words[0] in _INSIDE:
            return Answer(_INSIDE[words[0]](*found))
        if found is not None and words[0] == "ls" and words[-1].rstrip("/") == "/proc/self/ns":
            return Answer(inside.links(*found))
        answer = linux.run(self._there(found), words, stdin)
        self.lab.network.find(self.place).rules_changed()
        return answer

    def _there(self, found: tuple[Engine, Container] | None) -> linux.Place:
        namespace = self.lab.network.find(self.place)
        if found is None:
            session = self.lab.sessions.get(self._host)
            kept = session.engine.host_files if session is not None and session.runs else files.of_host(namespace)
            return linux.Place(namespace, self._host, files=kept, ruleset6=namespace.ruleset6)
        engine, one = found
        return linux.Place(namespace, inside.hostname(engine, one), lambda name: dns.resolve(engine, one, name),
                           inside.readable(engine, one), namespace.ruleset6)  # fmt: skip


def _ends(command: list[str]) -> bool:
    """Whether a container's command ends by itself."""
    return bool(command) and command[0].rpartition("/")[2] in _ENDS and command[0] != "sleep"


def _no_program(name: str, answer: Answer) -> Answer:
    """A program that is not there is said by the runtime, not by a shell."""
    if answer.code == 127 and answer.err == not_found(name).err:
        said = f'exec: "{name}": executable file not found in $PATH: unknown'
        return Answer("", f"OCI runtime exec failed: exec failed: unable to start container process: {said}\n", 127)
    return answer
