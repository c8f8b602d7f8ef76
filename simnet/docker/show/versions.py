"""`docker version`, and the network's part of `docker info`.

Models: cli/command/system (version.go, info.go) of docker/cli.
Leaves out: how client and engine were built (`unknown` here), containerd, runc and docker-init, and of `info` all that
has nothing to do with networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simnet.docker.command.since import since
from simnet.docker.gotemplate.template import Template
from simnet.docker.rules.version import numbers
from simnet.docker.show.containers import state
from simnet.errors import TemplateError

if TYPE_CHECKING:
    from simnet.docker.engine import Engine

_UNKNOWN = "unknown"
# the API of each engine from a version on, and the oldest that it still speaks
_API = {
    (20, 10): "1.41", (23, 0): "1.42", (24, 0): "1.43", (25, 0): "1.44", (26, 0): "1.45", (27, 0): "1.46",
    (27, 2): "1.47", (28, 0): "1.48", (28, 1): "1.49", (28, 2): "1.50", (28, 3): "1.51", (29, 0): "1.52",
}  # fmt: skip
_OLDEST = {(20, 10): "1.12", (25, 0): "1.24", (29, 0): "1.44"}


def _of(table: dict[tuple[int, int], str], version: str) -> str:
    read = numbers(version) or (99, 0, 0)
    return [value for first, value in table.items() if first <= read[:2]][-1]


def document(engine: Engine) -> dict[str, Any]:
    """What templates of `docker version` see.

    Example:
        >>> from simnet.docker.engine import Engine
        >>> document(Engine("28.5.2"))["Server"]["ApiVersion"]
        '1.51'
    """
    version, api, oldest = engine.version, _of(_API, engine.version), _of(_OLDEST, engine.version)
    built = {"GitCommit": _UNKNOWN, "GoVersion": _UNKNOWN, "Os": "linux", "Arch": "amd64"}
    client: dict[str, Any] = {
        "Version": version, "ApiVersion": api, "DefaultAPIVersion": api, **built, "BuildTime": _UNKNOWN,
        "Context": "default",
    }  # fmt: skip
    if not since(version, 25):
        client = {"Platform": {"Name": ""}, **client, "Experimental": True}
    details = {
        "ApiVersion": api, "Arch": "amd64", "BuildTime": _UNKNOWN, "Experimental": "false", "GitCommit": _UNKNOWN,
        "GoVersion": _UNKNOWN, "KernelVersion": _UNKNOWN, "MinAPIVersion": oldest, "Os": "linux",
    }  # fmt: skip
    server = {
        "Platform": {"Name": ""}, "Components": [{"Name": "Engine", "Version": version, "Details": details}],
        "Version": version, "ApiVersion": api, "MinAPIVersion": oldest, **built, "KernelVersion": _UNKNOWN,
        "BuildTime": _UNKNOWN,
    }  # fmt: skip
    return {"Client": client, "Server": server}


def version(engine: Engine, form: str = "") -> str:
    """`docker version`; TemplateError where the template is wrong."""
    if form:
        try:
            return Template("{{json .}}" if form == "json" else form).execute(document(engine)) + "\n"
        except TemplateError as error:
            raise TemplateError(f"template parsing error: {error}") from None
    api, oldest = _of(_API, engine.version), _of(_OLDEST, engine.version)
    first = [("Version", engine.version), ("API version", api)]
    built = [("Go version", _UNKNOWN), ("Git commit", _UNKNOWN), ("Built", _UNKNOWN), ("OS/Arch", "linux/amd64")]
    client = [*first, *built, ("Context", "default")]
    if not since(engine.version, 25):
        client.append(("Experimental", "true"))
    server = [first[0], ("API version", f"{api} (minimum version {oldest})"), *built, ("Experimental", "false")]
    lines = ["Client:", *(f" {f'{name}:':<18} {value}" for name, value in client), "", "Server:", " Engine:"]
    return "\n".join([*lines, *(f"  {f'{name}:':<17} {value}" for name, value in server)]) + "\n"


def info(engine: Engine) -> str:
    """The lines of `docker info` that tell of containers and networks.

    Example:
        >>> from simnet.docker.engine import Engine
        >>> print(info(Engine("28.5.2")).splitlines()[-2])
          Network: bridge host ipvlan macvlan null overlay
    """
    states = [state(one) for one in engine.containers.values()]
    running = states.count("running")
    images = len({one.options.image for one in engine.containers.values()})
    return "\n".join([
        "Server:", f" Containers: {len(states)}", f"  Running: {running}", "  Paused: 0",
        f"  Stopped: {len(states) - running}", f" Images: {images}", f" Server Version: {engine.version}", " Plugins:",
        "  Volume: local", "  Network: bridge host ipvlan macvlan null overlay",
        f" Swarm: {'inactive' if engine.swarm.cluster is None else 'active'}",
    ]) + "\n"  # fmt: skip
