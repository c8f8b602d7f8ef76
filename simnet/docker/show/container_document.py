"""A container as `docker inspect` shows it.

What is the same for every container comes from models/docker/inspect/<version>.json, taken from a real engine of that
version; the rest is filled in here.

Models: daemon/inspect.go of moby.
Leaves out: what simnet does not know of a container (environment, mounts, limits): it is shown as of one without any.
Engines between two of the files are shown as the older one; 29 as 28.5.2.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from simnet.bundled import bundled
from simnet.docker.command.since import since
from simnet.docker.objects import identity
from simnet.docker.options import Attachment
from simnet.docker.rules.version import numbers
from simnet.docker.show import clock
from simnet.docker.show.containers import command, state
from simnet.docker.show.published import as_map, shown
from simnet.errors import SourceError

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container, Endpoint

_FOLDER = "models/docker/inspect"
_DEFAULT = "bridge"


@cache
def _model(version: str) -> dict[str, Any]:
    """The file for a version: the newest that is not newer."""
    folder = bundled(_FOLDER)
    files = sorted(folder.glob("*.json"), key=lambda path: numbers(path.stem) or (0, 0, 0)) if folder else []
    if not files:
        raise SourceError("no documents ship with this copy of simnet", file=_FOLDER)
    wanted = numbers(version) or (0, 0, 0)
    first = lambda path: tuple(int(part) for part in path.stem.split("."))  # noqa: E731 - a key, used once
    chosen = [path for path in files if first(path) <= wanted] or files[:1]
    return dict(json.loads(chosen[-1].read_text()))


def short_id(container: Container) -> str:
    """The twelve digits that are a container's host name where it was given none."""
    return container.id[:12]


def hostname(engine: Engine, container: Container) -> str:
    """The name that a container gives itself: its own, or that of whose namespace it is in."""
    mode = container.options.network
    if mode == "host" and not container.options.hostname:
        return engine.name
    if mode.startswith("container:") and (owner := engine.containers.get(_owner(engine, mode))) is not None:
        return hostname(engine, owner)
    return container.options.hostname or short_id(container)


def _owner(engine: Engine, mode: str) -> str:
    """The name of the container of `container:NAME`."""
    wanted = mode.removeprefix("container:")
    return next((one.name for one in engine.containers.values() if wanted in {one.name, one.id}), wanted)


def pid(container: Container) -> int:
    """A process id: 0 where nothing runs, else one made of the container's id."""
    return 2000 + int(container.id[:3], 16) if container.running else 0


def document(engine: Engine, container: Container) -> dict[str, Any]:
    """Everything that `docker inspect` shows of a container, in docker's order.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker run -d --name web -p 8080:80 busybox")
        >>> found = document(session.engine, session.engine.find("web"))
        >>> found["Name"], found["NetworkSettings"]["IPAddress"], found["NetworkSettings"]["Ports"]["80/tcp"][0]
        ('/web', '172.17.0.2', {'HostIp': '0.0.0.0', 'HostPort': '8080'})
    """
    model = _model(engine.version)
    made: dict[str, Any] = _filled(copy.deepcopy(model["container"]), _words(engine, container))
    words = command(container)
    made["Path"], made["Args"] = words[0], list(words[1:])
    _set_state(container, made["State"])
    _set_host_config(engine, container, made["HostConfig"])
    _set_config(engine, container, made["Config"])
    _set_network(engine, container, made["NetworkSettings"], model["endpoint"])
    return made


def _words(engine: Engine, container: Container) -> dict[str, str]:
    image = container.options.image
    # an engine up to 26 leaves a stopped container the name of the sandbox that it had
    has_one = container.running or (state(container) == "exited" and not since(engine.version, 28))
    shares = container.options.network.startswith("container:")
    sandbox = identity("sandbox", container.name, 0) if has_one and not shares else ""
    layer, image_layer = identity("layer", container.name, 0), identity("image layer", image, 0)
    return {
        "id": container.id, "moment": clock.MOMENT, "name": container.name, "image": image,
        "image_id": identity("image", image, 0), "hostname": hostname(engine, container), "sandbox": sandbox,
        "sandbox_short": "default" if container.options.network == "host" else sandbox[:12], "layer": layer,
        "image_layer": image_layer,
    }  # fmt: skip


def _filled(value: Any, words: dict[str, str]) -> Any:
    """A document with the gaps of its texts filled."""
    if isinstance(value, dict):
        return {key: _filled(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    if isinstance(value, str) and "{" in value:
        for key, word in words.items():
            value = value.replace("{" + key + "}", word)
    return value


def _set_state(container: Container, made: dict[str, Any]) -> None:
    made["Status"], made["Running"], made["Pid"] = state(container), container.running, pid(container)
    if state(container) == "created":
        made["StartedAt"] = clock.NEVER
    elif state(container) == "exited":
        made["ExitCode"], made["FinishedAt"] = container.exit_code, clock.MOMENT


def _set_host_config(engine: Engine, container: Container, made: dict[str, Any]) -> None:
    options = container.options
    made["NetworkMode"] = _mode(engine, options.network)
    if options.network == _DEFAULT and not since(engine.version, 25):
        made["NetworkMode"] = "default"
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in options.ports:
        span = "" if not port.first else str(port.first) + (f"-{port.last}" if port.last != port.first else "")
        bindings.setdefault(f"{port.port}/{port.proto}", []).append({"HostIp": port.address, "HostPort": span})
    made["PortBindings"] = dict(sorted(bindings.items()))
    if options.network == _DEFAULT and options.links:
        made["Links"] = [f"/{name}:/{container.name}/{alias}" for name, alias in sorted(options.links, key=_alias)]
    made["Dns"], made["DnsSearch"] = list(options.dns), list(options.dns_search)
    made["ExtraHosts"] = list(options.extra_hosts) or made["ExtraHosts"]
    made["PidMode"], made["UTSMode"], made["UsernsMode"] = _mode(engine, options.pid), options.uts, options.userns
    made["IpcMode"] = _mode(engine, options.ipc) or made["IpcMode"]
    made["PublishAllPorts"] = options.publish_all
    if options.sysctls:
        _put_before(made, "Runtime", "Sysctls", dict(sorted(options.sysctls)))


def _alias(link: tuple[str, str]) -> str:
    return link[1]


def _mode(engine: Engine, mode: str) -> str:
    """A mode with the id of the container that it names."""
    if not mode.startswith("container:"):
        return mode
    owner = engine.containers.get(_owner(engine, mode))
    return f"container:{owner.id}" if owner is not None else mode


def _put_before(made: dict[str, Any], before: str, key: str, value: Any) -> None:
    """Put a key in front of another one."""
    items = list(made.items())
    made.clear()
    for name, one in items:
        if name == before:
            made[key] = value
        made[name] = one


def _set_config(engine: Engine, container: Container, made: dict[str, Any]) -> None:
    options = container.options
    made["Hostname"], made["Domainname"] = hostname(engine, container), options.domainname
    made["Cmd"] = list(options.command) or None
    if container.open_ports:
        _put_before(
            made, "Tty", "ExposedPorts", {key: {} for key in sorted(f"{a}/{b}" for a, b in container.open_ports)}
        )
    if options.mac_address:
        _put_before(made, "OnBuild", "MacAddress", options.mac_address)


def _set_network(engine: Engine, container: Container, made: dict[str, Any], endpoint: dict[str, Any]) -> None:
    made["Ports"] = as_map(shown(engine, container))
    if not made["SandboxID"]:
        made["SandboxKey"] = ""
    mode = container.options.network
    joined = (Attachment(mode),) if mode in {"host", "none"} else container.options.attachments
    found = {at.network: _endpoint(engine, container, at, dict(endpoint)) for at in joined}
    made["Networks"] = dict(sorted(found.items()))
    for key in found.get(_DEFAULT, ()):
        if key in made and key not in {"Ports", "Networks"}:
            made[key] = found[_DEFAULT][key]


def _endpoint(engine: Engine, container: Container, at: Attachment, made: dict[str, Any]) -> dict[str, Any]:
    """One entry of `Networks`; one that was connected after the container was made has empty things, not null."""
    later = at.connected
    network = engine.networks.by_name.get(at.network)
    wanted = {"IPv4Address": at.address, "IPv6Address": at.address6}
    asked = {key: value for key, value in wanted.items() if value}
    made["IPAMConfig"] = asked if asked or later else None
    made["Aliases"] = list(at.aliases) or ([] if later else None)
    made["DriverOpts"] = {} if later else None
    user = network is not None and network.name not in {_DEFAULT, "host", "none"}
    if user and not later and container.options.links:
        made["Links"] = [f"{name}:{alias}" for name, alias in container.options.links]
    own = [name for name in (short_id(container), container.options.hostname) if name]
    if user and state(container) != "created":
        if "DNSNames" in made:
            made["DNSNames"] = list(dict.fromkeys((container.name, *at.aliases, *own)))
        else:
            made["Aliases"] = [*at.aliases, *own]
    if "GwPriority" in made:
        made["GwPriority"] = at.gateway_priority
    if state(container) != "created" and network is not None:
        made["NetworkID"] = network.id
    held = container.endpoints.get(at.network)
    if held is not None:
        _set_endpoint(engine, made, held)
    elif network is not None and container.running:
        made["EndpointID"] = identity("endpoint", f"{container.name} {at.network}", 0)
    return made


def _set_endpoint(engine: Engine, made: dict[str, Any], held: Endpoint) -> None:
    """What is there while the container runs: addresses and gateways."""
    network = held.network
    made["EndpointID"], made["MacAddress"] = held.id, held.mac
    silent = network.internal and "internal_way_out" not in engine.layout.features
    overlay = network.options.driver == "overlay"
    for family, keys in ((4, ("Gateway", "IPAddress", "IPPrefixLen")),
                         (6, ("IPv6Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen"))):  # fmt: skip
        address, subnet = held.of(family), network.subnet(family)
        if address is None or subnet is None:
            continue
        gateway = network.gateway if family == 4 else network.gateway6
        made[keys[0]] = str(gateway) if gateway is not None and not silent and not overlay else ""
        made[keys[1]], made[keys[2]] = str(address), subnet.prefixlen
    if overlay:
        made["IPAMConfig"] = {"IPv4Address": str(held.address)}
