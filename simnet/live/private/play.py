"""A plan's commands run on a private site: each by a real engine or the kernel, in the order of the file.

Lines are read by the lab's shell, which knows what is one command and hands it over as words; no other shell sees them.
No registry is in reach, so every image is busybox under its name, which sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from simnet.answer import Answer
from simnet.docker.command import commands as docker
from simnet.docker.command.flags import BadFlag, read
from simnet.docker.command.words import connect, words
from simnet.docker.container.images import short_name
from simnet.docker.options import ContainerOptions, NetworkOptions
from simnet.errors import HostError, SimnetError
from simnet.lab.lab import parts
from simnet.lab.shell import Shell
from simnet.scenario.located import settled
from simnet.scenario.plan import Command, Made, Plan
from simnet.scenario.problems import Problems

from . import image
from .site import Site

Say = Callable[[str], object]
# commands of docker that name an image, and their flags
_WITH_IMAGE = {
    "run": (docker.RUN, docker.RUN_SHORT),
    "create": (docker.RUN, docker.RUN_SHORT),
    "service create": (docker.SERVICE_CREATE, docker.SERVICE_CREATE_SHORT),
}


def play(site: Site, plan: Plan, progress: Say = lambda _: None, note: Say = lambda _: None) -> None:
    """Run everything that a plan says on the machines of its site; `note` is told what is otherwise than the file says.

    ScenarioError names all that the engines and the kernel refused, HostError what this machine lacks.
    """
    _compare_versions(site, plan, note)
    stage, problems = _Stage(site, plan, note), Problems()
    for command in plan.commands:
        progress(str(command) if isinstance(command, Command) else " ".join(words(command.options)))
        with problems.caught():
            settled(stage.answer(command), command.origin)
    problems.settle()


def _compare_versions(site: Site, plan: Plan, note: Say) -> None:
    for host in plan.hosts:
        runs = site.engine(host.name).docker("version", "--format", "{{.Server.Version}}").strip()
        if host.engine and not f"{runs.partition('+')[0]}.".startswith(f"{host.engine}."):
            note(f"{host.name}: the engine that runs is {runs}, not {host.engine} as the file has it")


class _Stage:
    """A site while a plan is played on it."""

    def __init__(self, site: Site, plan: Plan, note: Say) -> None:
        self._site, self._plan, self._note = site, plan, note
        self._tagged: set[tuple[str, str]] = set()

    def answer(self, command: Command | Made) -> Answer:
        """Run one command of the plan; what it says."""
        place = command.place or self._plan.hosts[0].name
        if isinstance(command, Made):
            return self._made(place, command.options)
        if len(command.words) > 1:
            return self.execute(place, list(command.words))
        answer = Answer()
        for where, script in parts(command.words[0], self._knows):
            there = where or place
            for answer in Shell(partial(self.execute, there)).stream(script):
                if answer.code:
                    return answer
        return answer

    def execute(self, place: str, typed: list[str], stdin: str = "") -> Answer:
        """Run one command at a place."""
        named = typed[0].removesuffix(":")
        if typed[1:] and named != typed[0] and self._knows(named):
            return self.execute(named, typed[1:], stdin)
        if typed[0] == "docker":
            typed = self._fitted(place, typed)
        try:
            return self._site.execute(place, typed, stdin)
        except HostError:
            raise
        except SimnetError as error:
            return Answer("", f"{typed[0]}: {error}\n", error.exit_code)

    def _knows(self, place: str) -> bool:
        host = place.partition("/")[0]
        return host in {*(one.name for one in self._plan.hosts), *(one.name for one in self._plan.machines)}

    def _made(self, place: str, options: NetworkOptions | ContainerOptions) -> Answer:
        """Make what compose asks for; networks after the first are joined by commands, as old engines want it."""
        if isinstance(options, NetworkOptions) or len(options.attachments) < 2:
            return self.execute(place, words(options))
        first = words(replace(options, attachments=options.attachments[:1]))
        lines = [["docker", "create", *first[first.index("--detach") + 1 :]]]
        lines += [connect(options.name, one) for one in options.attachments[1:]]
        answer = Answer()
        for line in [*lines, ["docker", "start", options.name]]:
            answer = self.execute(place, line)
            if answer.code:
                break
        return answer

    def _fitted(self, host: str, typed: list[str]) -> list[str]:
        """A docker command as it can be run here: its image made, in the background, with the token of its swarm."""
        name = " ".join(typed[1:3]) if " ".join(typed[1:3]) in _WITH_IMAGE else typed[1] if typed[1:] else ""
        if typed[1:3] == ["swarm", "join"]:
            return self._with_token(typed)
        if name not in _WITH_IMAGE:
            return typed
        flags, short = _WITH_IMAGE[name]
        start = 1 + len(name.split())
        try:
            given = read(typed[start:], flags, short, stop=True)
        except BadFlag:
            return typed  # docker says what is wrong with it
        if not given.words:
            return typed
        options, (wanted, *program) = typed[start : len(typed) - len(given.words)], given.words
        if short_name(wanted) != "busybox" and program:
            self._note(f"{given.last('name') or wanted}: `{' '.join(program)}` is not in the image here; it sleeps")
            program = []
        self._tag(host, wanted)
        background = {"run": ["--detach"], "service create": ["--detach", "--no-resolve-image"]}.get(name, [])
        return [*typed[:start], *background, *options, wanted, *program]

    def _tag(self, host: str, wanted: str) -> None:
        """Let the image have one more name; where that is none, docker says so of the command."""
        if (host, wanted) not in self._tagged:
            self._tagged.add((host, wanted))
            self._site.execute(host, ["docker", "tag", image.NAME, wanted])

    def _with_token(self, typed: list[str]) -> list[str]:
        """`docker swarm join` with the token that the swarm's manager gives for the role that is asked for."""
        address = typed[-1].partition(":")[0]
        manager = next((host.name for host in self._plan.hosts
                        if address in {one.partition("/")[0] for one in host.addresses}), "")  # fmt: skip
        if not manager:
            return typed
        role = "manager" if any(word.endswith("manager") for word in typed[3:-1]) else "worker"
        token = self._site.engine(manager).docker("swarm", "join-token", "--quiet", role).strip()
        return [*typed[:-1], "--token", token, typed[-1]]  # of several tokens docker takes the last
