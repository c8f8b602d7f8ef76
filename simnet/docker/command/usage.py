"""What docker's client says of a line that it cannot read or that was refused, as each version says it.

Models: cli/required.go, cli/cobra.go, cli/command/container/run.go of docker/cli.
"""

from __future__ import annotations

from dataclasses import dataclass

from simnet.docker.command.since import since


@dataclass(frozen=True, slots=True)
class Usage:
    """A command: its name with `docker`, what follows it, what it is for, and how many words it needs and takes.

    `before`: what it was for up to 24, where that was worded otherwise.
    """

    name: str
    words: str
    what: str = ""
    least: int = 0
    most: int | None = 0
    before: str = ""


def bad_flag(version: str, usage: Usage, message: str) -> str:
    """A flag that is not there, or has no value.

    Example:
        >>> print(bad_flag("26.1", Usage("docker ps", "[OPTIONS]"), "unknown flag: --foo"), end="")
        unknown flag: --foo
        See 'docker ps --help'.
    """
    if since(version, 28):
        return f"{message}\n\nUsage:  {usage.name} {usage.words}\n\nRun '{usage.name} --help' for more information\n"
    return f"{message}\nSee '{usage.name} --help'.\n"


def wrong_count(version: str, usage: Usage, given: int) -> str:
    """What is said of too few or too many words; nothing where there are enough.

    Example:
        >>> wrong_count("28", Usage("docker port", "CONTAINER", "", 1, 2), 0).splitlines()[0]
        "docker: 'docker port' requires at least 1 and at most 2 arguments"
        >>> wrong_count("26", Usage("docker ps", "[OPTIONS]"), 1).splitlines()[0]
        '"docker ps" accepts no arguments.'
        >>> wrong_count("26", Usage("docker ps", "[OPTIONS]"), 0)
        ''
    """
    if usage.least <= given and (usage.most is None or given <= usage.most):
        return ""
    plural = "s" if (usage.most or usage.least) != 1 else ""
    if usage.most == 0:
        need = "accepts no arguments"
    elif usage.most is None:
        need = f"requires at least {usage.least} argument{plural}"
    elif usage.most == usage.least:
        need = f"requires {'' if since(version, 28) else 'exactly '}{usage.least} argument{plural}"
    else:
        need = f"requires at least {usage.least} and at most {usage.most} arguments"
    if not since(version, 28):
        lines = (f'"{usage.name}" {need}.', f"See '{usage.name} --help'.", "", f"Usage:  {usage.name} {usage.words}")
        what = usage.what if since(version, 25) else usage.before or usage.what
        return "\n".join((*lines, "", what)) + "\n"
    verb = "See" if usage.most is None else "Run"
    lines = (f"docker: '{usage.name}' {need}", "", f"Usage:  {usage.name} {usage.words}", "")
    return "\n".join((*lines, f"{verb} '{usage.name} --help' for more information")) + "\n"


def unknown(version: str, words: list[str]) -> str:
    """A command that there is not.

    Example:
        >>> print(unknown("26.1", ["frob"]), end="")
        docker: 'frob' is not a docker command.
        See 'docker --help'
    """
    if since(version, 28):
        return f"docker: unknown command: docker {' '.join(words)}\n\nRun 'docker --help' for more information\n"
    return f"docker: '{words[0]}' is not a docker command.\nSee 'docker --help'\n"


def not_run(version: str, usage: Usage, message: str, *, made: bool = False) -> str:
    """Why `docker run` did not run; `made`: the container was made, and could not be started.

    Example:
        >>> print(not_run("26.1", Usage("docker run", ""), "Error response from daemon: no"), end="")
        docker: Error response from daemon: no.
        See 'docker run --help'.
    """
    if since(version, 28):
        return f"docker: {message}\n\nRun '{usage.name} --help' for more information\n"
    return f"docker: {message.removesuffix('.')}.\n" + ("" if made else f"See '{usage.name} --help'.\n")


def missing(version: str, kind: str, name: str, message: str) -> str:
    """A thing that is not there: the client's own words up to 24, the engine's later.

    Example:
        >>> missing("20.10", "container", "c1", "No such container: c1"), missing("28", "container", "c1", "No such …")
        ('Error: No such container: c1', 'Error response from daemon: No such …')
    """
    return f"Error response from daemon: {message}" if since(version, 25) else f"Error: No such {kind}: {name}"
