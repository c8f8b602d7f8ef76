"""A service of a compose file, and the containers that it becomes.

Models: compose's create.go and convergence.go (names, aliases, links, the order of networks).
Leaves out: images and builds beyond their names; what `env_file` and `label_file` bring.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simnet.docker.document import Value
from simnet.docker.options import Attachment, ContainerOptions
from simnet.docker.publish import parse as parse_port

from . import ports
from .canonical import flag, whole
from .merge import pairs
from .project import Dependency, Service, ServiceNetwork
from .tree import Findings, is_address, items_of, mapping_of, text_of

_SHARED = ("network_mode", "ipc", "pid", "uts", "cgroup")
_TEXTS = ("container_name", "hostname", "domainname", "pid", "ipc", "uts")
_LISTS = ("expose", "links", "external_links", "dns", "dns_search", "dns_opt", "cap_add", "profiles")
_MOST_REPLICAS = 1000
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")


def service(name: str, value: Value, findings: Findings) -> Service:
    """A service as the file has it; its containers come with `with_containers`, once all services are known."""
    found = mapping_of(value)
    path = f"services.{name}"
    deploy = mapping_of(found.get("deploy"))
    mode = text_of(found.get("network_mode"))
    texts: dict[str, Any] = {key: text_of(found.get(key)) for key in _TEXTS}
    lists: dict[str, Any] = {key: _texts(found, key) for key in _LISTS}
    _exposed(found, path, findings)
    every = [ports.read(item, f"{path}.ports.[{at}]", findings) for at, item in enumerate(items_of(found.get("ports")))]
    return Service(
        name,
        image=text_of(found.get("image")) or f"{name}:build",
        network_mode=mode,
        shares=mode.removeprefix("service:") if mode.startswith("service:") else "",
        networks=() if mode else _networks(found, path, findings),
        ports=tuple(port for port in every if port is not None),
        depends_on=_dependencies(found),
        userns=text_of(found.get("userns_mode")),
        mac_address=_mac(found, path, findings),
        extra_hosts=_hosts(name, found, findings),
        sysctls=tuple((key, text) for key, text, _ in pairs(found["sysctls"])) if "sysctls" in found else (),
        command=_command(found.get("command")),
        privileged=flag(found, "privileged", path, findings),
        replicas=_replicas(found, deploy, path, findings),
        mode=text_of(deploy.get("mode")) or "replicated",
        endpoint_mode=text_of(deploy.get("endpoint_mode")) or "vip",
        origin=value,
        **texts,
        **lists,
    )  # fmt: skip


def with_containers(one: Service, project: str, names: Mapping[str, str], services: Mapping[str, Service]) -> Service:
    """A service with the options of its containers; `names` are docker's names of networks, by their keys."""
    joined: dict[str, Any] = {
        key: _shared(getattr(one, key), project, services) for key in ("network_mode", "pid", "ipc", "uts")
    }
    return replace(one, **joined, containers=tuple(
        _container(one, number, joined["network_mode"], project, names, services)
        for number in range(1, one.replicas + 1)
    ))  # fmt: skip


def container_name(one: Service, number: int, project: str) -> str:
    """What compose calls a container.

    Example:
        >>> container_name(Service("web"), 1, "shop"), container_name(Service("web", container_name="www"), 1, "shop")
        ('shop-web-1', 'www')
    """
    return one.container_name or f"{project}-{one.name}-{number}"


def _container(one: Service, number: int, mode: str, project: str, names: Mapping[str, str],
               services: Mapping[str, Service]) -> ContainerOptions:  # fmt: skip
    name = container_name(one, number, project)
    attachments = tuple(
        Attachment(names[net.key], net.ipv4_address, net.ipv6_address, net.gw_priority, (name, one.name, *net.aliases),
                   net.mac_address)
        for net in one.networks
    )  # fmt: skip
    if mode:
        special = mode in {"host", "none"} or mode.startswith("container:")
        first = "bridge" if mode == "default" else mode
        attachments = () if special else (Attachment(first, aliases=() if first == "bridge" else (name, one.name)),)
        mode = first
    return ContainerOptions(
        name, one.image, mode or attachments[0].network, attachments,
        () if mode.startswith("container:") else tuple(port.as_published() for port in one.ports),
        tuple((port.port, port.proto) for text in one.expose for port in parse_port(text)),
        tuple(_links(one, project, services)), one.hostname, one.mac_address, one.domainname,
        _shared(one.pid, project, services), _shared(one.ipc, project, services), _shared(one.uts, project, services),
        one.userns, one.dns, one.dns_search, one.dns_opt, one.extra_hosts, one.sysctls, one.command,
    )  # fmt: skip


def _links(one: Service, project: str, services: Mapping[str, Service]) -> list[tuple[str, str]]:
    """Containers and the names that this service's containers have for them."""
    found: list[tuple[str, str]] = []
    for link in one.links:
        name, _, alias = link.partition(":")
        other = services.get(name)
        if other is None:
            continue
        for number in range(1, other.replicas + 1):
            container = container_name(other, number, project)
            found += [(container, alias or name), (container, f"{name}-{number}"),
                      (container, f"{project}-{name}-{number}")]  # fmt: skip
    for link in one.external_links:
        name, _, alias = link.partition(":")
        found.append((name, alias or name))
    return found


def _shared(mode: str, project: str, services: Mapping[str, Service]) -> str:
    """`service:NAME` as the first container of that service."""
    other = services.get(mode.removeprefix("service:")) if mode.startswith("service:") else None
    return mode if other is None else f"container:{container_name(other, 1, project)}"


def _networks(found: Mapping[str, Value], path: str, findings: Findings) -> tuple[ServiceNetwork, ...]:
    """The networks of a service, highest priority first, then by name; `default` without any."""
    wanted = mapping_of(found.get("networks"))
    joined = [_attachment(key, mapping_of(value), path, findings) for key, value in wanted.items()]
    return tuple(sorted(joined, key=lambda one: (-one.priority, one.key))) or (ServiceNetwork("default"),)


def _attachment(key: str, found: Mapping[str, Value], path: str, findings: Findings) -> ServiceNetwork:
    where = f"{path}.networks.{key}"
    for name, version in (("ipv4_address", 4), ("ipv6_address", 6)):
        if name in found and not is_address(text_of(found[name]), version):
            findings.wrong(found[name], f"{where}.{name}: invalid IPv{version} address: {text_of(found[name])}")
    return ServiceNetwork(
        key, _texts(found, "aliases"), text_of(found.get("ipv4_address")), text_of(found.get("ipv6_address")),
        _texts(found, "link_local_ips"), _mac(found, where, findings), text_of(found.get("interface_name")),
        tuple((name, text_of(value)) for name, value in sorted(mapping_of(found.get("driver_opts")).items())),
        whole(found, "priority", where, findings), whole(found, "gw_priority", where, findings),
    )  # fmt: skip


def _dependencies(found: Mapping[str, Value]) -> tuple[Dependency, ...]:
    """What is declared, then what links and shared namespaces imply."""
    needed = {
        name: Dependency(name, text_of(mapping_of(value).get("condition")) or "service_started",
                         text_of(mapping_of(value).get("required")) != "false")
        for name, value in mapping_of(found.get("depends_on")).items()
    }  # fmt: skip
    implied = [text.partition(":")[0] if text.count(":") == 1 else text for text in _texts(found, "links")]
    for key in _SHARED:
        mode = text_of(found.get(key))
        if mode.startswith("service:"):
            implied.append(mode.removeprefix("service:"))
    implied += [text.partition(":")[0] for text in _texts(found, "volumes_from") if not text.startswith("container:")]
    for name in implied:
        needed.setdefault(name, Dependency(name, declared=False))
    return tuple(needed.values())


def _replicas(found: Mapping[str, Value], deploy: Mapping[str, Value], path: str, findings: Findings) -> int:
    scale = whole(found, "scale", path, findings, default=-1)
    replicas = whole(deploy, "replicas", f"{path}.deploy", findings, default=-1)
    if text_of(found.get("scale")).startswith("-"):
        findings.wrong(found["scale"], f"{path}.scale: must be greater than or equal to 0")
    if scale >= 0 and replicas >= 0 and scale != replicas:
        findings.wrong(found["scale"], f"{path}: can't set distinct values on 'scale' and 'deploy.replicas': invalid "
                       "compose project", "leave out one of them")  # fmt: skip
    if max(scale, replicas) > _MOST_REPLICAS:
        place = found["scale"] if scale >= 0 else deploy["replicas"]
        findings.wrong(place, f"{path}: more than {_MOST_REPLICAS} containers of one service are not modelled")
        return _MOST_REPLICAS
    count = next((one for one in (scale, replicas) if one >= 0), 1)
    if count > 1 and "container_name" in found:
        key = "scale" if scale >= 0 else "deploy.replicas"
        name = path.partition(".")[2]
        message = f"can't set container_name and {name} as container name must be unique: invalid compose project"
        findings.wrong(found["container_name"], f"services.{key}: {message}", "leave out container_name")
    return count


def _mac(found: Mapping[str, Value], path: str, findings: Findings) -> str:
    text = text_of(found.get("mac_address"))
    if text and not _MAC.fullmatch(text):
        findings.wrong(found["mac_address"], f"{path}.mac_address: invalid MAC address: {text}",
                       "the form is 02:42:ac:11:00:02")  # fmt: skip
    return text.lower().replace("-", ":")


def _hosts(name: str, found: Mapping[str, Value], findings: Findings) -> tuple[str, ...]:
    """`extra_hosts` as docker takes them, `host:address`; IPv6 addresses lose their brackets."""
    hosts: list[str] = []
    value = found.get("extra_hosts")
    if value is None:
        return ()
    named = [(host, text) for host, text, _ in pairs(value)] if isinstance(value.held, dict) else []
    for item in items_of(value):
        host, separator, address = text_of(item).partition("=")
        if not separator:
            host, separator, address = text_of(item).partition(":")
        if not separator or not address:
            findings.wrong(item, f"'services[{name}].extra_hosts' invalid additional host, missing IP: {text_of(item)}",
                           "the form is host:address")  # fmt: skip
        else:
            named.append((host, address))
    for host, address in sorted(named, key=lambda pair: pair[0]):
        bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
        hosts.append(f"{host}:{bare}")
    return tuple(hosts)


def _exposed(found: Mapping[str, Value], path: str, findings: Findings) -> None:
    """Hold what is exposed against docker's syntax of it, which compose leaves to docker."""
    for item in items_of(found.get("expose")):
        try:
            parse_port(text_of(item))
        except ValueError as error:
            findings.wrong(item, f"{path}.expose: {error}", "the form is port[-last][/protocol]")


def _command(value: Value | None) -> tuple[str, ...]:
    """A command as words: text is split as a shell would."""
    if value is None:
        return ()
    if isinstance(value.held, list):
        return tuple(text_of(item) for item in value.held)
    try:
        return tuple(shlex.split(text_of(value)))
    except ValueError:
        return (text_of(value),)


def _texts(found: Mapping[str, Value], key: str) -> tuple[str, ...]:
    return tuple(text_of(item) for item in items_of(found.get(key)))


def started(services: Sequence[Service]) -> list[Service]:
    """Services in the order of their start: each after those that it depends on, as the file has them otherwise."""
    known = {one.name: one for one in services}
    opened: set[str] = set()
    done: dict[str, Service] = {}
    waiting = [*reversed(services)]
    while waiting:
        one = waiting[-1]
        opened.add(one.name)
        needs = [known[need.service] for need in one.depends_on
                 if need.service in known and need.service not in opened]  # fmt: skip
        if needs:
            waiting += reversed(needs)
        else:
            done.setdefault(waiting.pop().name, one)
    return list(done.values())
