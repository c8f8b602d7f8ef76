"""`docker ps`: which containers are listed, and what each column says.

Models: cli/command/container/list.go, formatter/container.go of docker/cli; daemon/list.go of moby.
Leaves out: sizes (an image of simnet has none), labels, mounts, health.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simnet.docker.command.since import since
from simnet.docker.show import clock
from simnet.docker.show.published import column, shown
from simnet.docker.show.table import Shape
from simnet.errors import Refused

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container

SHAPE = Shape(
    "*formatter.ContainerContext",
    {
        "Command": "COMMAND", "CreatedAt": "CREATED AT", "ID": "CONTAINER ID", "Image": "IMAGE", "Labels": "LABELS",
        "LocalVolumes": "LOCAL VOLUMES", "Mounts": "MOUNTS", "Names": "NAMES", "Networks": "NETWORKS",
        "Platform": "PLATFORM", "Ports": "PORTS", "RunningFor": "CREATED", "Size": "SIZE", "State": "STATE",
        "Status": "STATUS",
    },
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
    raw=(
        "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"
        "state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\n"
        "ports: {{- pad .Ports 1 0}}\n",
        "container_id: {{.ID}}",
    ),
    strict=True,
)  # fmt: skip
# where a command is cut off, and how many digits of an id are shown
_COMMAND, _ID = 20, 12


def state(container: Container) -> str:
    """`running`, `exited` or, where it never ran, `created`."""
    if container.running:
        return "running"
    return "created" if container.exit_code is None else "exited"


def command(container: Container) -> tuple[str, ...]:
    """What runs in it; an image of simnet runs a shell where nothing was asked for."""
    return container.options.command or ("sh",)


def image(container: Container) -> str:
    """The image as `ps` names it; that of a task has its tag."""
    name = container.options.image
    return f"{name}:latest" if container.service and ":" not in name else name


def networks(container: Container) -> list[str]:
    """The names of the networks that docker shows for a container, in order."""
    mode = container.options.network
    return [mode] if mode in {"host", "none"} else sorted(at.network for at in container.options.attachments)


def row(engine: Engine, container: Container, *, whole: bool = False) -> dict[str, Any]:
    """The columns of one container; `whole`: without cutting anything off."""
    words = json.dumps(" ".join(command(container)), ensure_ascii=False)
    if not whole and len(words) - 2 > _COMMAND:
        words = json.dumps(" ".join(command(container))[: _COMMAND - 1] + "…", ensure_ascii=False)
    status = {"running": clock.UP, "created": "Created"}.get(
        state(container), f"Exited ({container.exit_code}) {clock.AGO}"
    )
    columns = {
        "Command": words, "CreatedAt": clock.CREATED_AT, "ID": container.id if whole else container.id[:_ID],
        "Image": image(container), "Labels": "", "LocalVolumes": "0", "Mounts": "", "Names": container.name,
        "Networks": ",".join(networks(container)), "Platform": None,
        "Ports": column(engine.version, shown(engine, container)), "RunningFor": clock.AGO,
        "Size": "0B (virtual 0B)", "State": state(container), "Status": status,
    }  # fmt: skip
    if not since(engine.version, 28):
        del columns["Platform"]
    return columns


def ps(engine: Engine, *, all_of_them: bool = False, quiet: bool = False, whole: bool = False, form: str = "",
       filters: Sequence[str] = (), last: int = 0, size: bool = False) -> str:  # fmt: skip
    r"""`docker ps`, the newest first; TemplateError or Refused in docker's words.

    `whole` is `--no-trunc`, `last` is `-n` (or 1 for `-l`).

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker run -d --name web -p 127.0.0.1:8080:80 busybox sleep 9")
        >>> print(ps(session.engine, form=r"table {{.Names}}\t{{.Status}}\t{{.Ports}}"), end="")
        NAMES     STATUS         PORTS
        web       Up 2 seconds   127.0.0.1:8080->80/tcp
    """
    found = list(engine.containers.values())[::-1]
    tests = [_filter(engine, text) for text in filters]
    if last:
        found = found[:last]
    elif not all_of_them and not any(text.startswith(("status=", "exited=")) for text in filters):
        found = [one for one in found if one.running]
    for key in {key for key, _ in tests}:
        found = [one for one in found if any(test(one) for other, test in tests if other == key)]
    rows = [row(engine, one, whole=whole) for one in found]
    if form == "json" and since(engine.version, 23):
        rows = [{**one, "Size": "0B"} for one in rows]
    form = "{{`json`}}" if form == "json" and not since(engine.version, 23) else form
    table = SHAPE.table + "\t{{.Size}}" * size
    return replace(SHAPE, table=table).text(rows, form, quiet=quiet)


def _filter(engine: Engine, text: str) -> tuple[str, Callable[[Container], bool]]:
    """The test that `-f` asks for."""
    key, _, value = text.partition("=")
    if key == "name":
        return key, lambda one: _named(value, one.name)
    if key == "id":
        return key, lambda one: one.id.startswith(value)
    if key == "status":
        return key, lambda one: state(one) == value
    if key == "exited":
        return key, lambda one: state(one) == "exited" and str(one.exit_code) == value
    if key == "ancestor":
        return key, lambda one: value in {one.options.image, one.options.image.partition(":")[0]}
    if key == "network":
        return key, lambda one: any(value in {name, _network_id(engine, name)} for name in networks(one))
    if key in {"publish", "expose"}:
        return key, lambda one: _has_port(engine, one, value, published=key == "publish")
    if key in {"before", "since"}:
        order = list(engine.containers.values())
        place = order.index(engine.find(value))
        return key, lambda one: order.index(one) < place if key == "before" else order.index(one) > place
    first = "i" if since(engine.version, 25) else "I"
    raise Refused("filter_unknown", f"{first}nvalid filter '{key}'")


def _named(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, with its slash or without; a pattern that cannot be read fits none."""
    try:
        return re.search(pattern, f"/{name}") is not None or re.search(pattern, name) is not None
    except re.error:
        return False


def _network_id(engine: Engine, name: str) -> str:
    found = engine.networks.by_name.get(name)
    return found.id if found is not None else ""


def _has_port(engine: Engine, container: Container, value: str, *, published: bool) -> bool:
    """Whether one of a range of ports is published by (as the host's), or open in, a container."""
    span, _, proto = value.partition("/")
    begin, _, end = span.partition("-")
    if not begin.isdigit() or (end and not end.isdigit()):
        raise Refused("filter_bad", f"invalid port range: {span}" if span else "invalid filter")
    wanted = range(int(begin), int(end or begin) + 1)
    ports = [(one.number, one.proto) for one in shown(engine, container)] if published else container.open_ports
    return any(number in wanted and kind == (proto or "tcp") for number, kind in ports)
