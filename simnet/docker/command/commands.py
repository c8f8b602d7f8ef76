"""The commands that `cli` reads: their flags, and the engine's options made of them.

A flag that does not touch the network is read and left alone.
"""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from simnet.docker import publish
from simnet.docker.command import client, run_flags
from simnet.docker.command.flags import SWITCH, VALUE, BadFlag, Given
from simnet.docker.container.images import ports_of
from simnet.docker.options import (
    DRIVER_OPTIONS,
    GO_BOOLS,
    Attachment,
    ContainerOptions,
    DaemonOptions,
    NetworkOptions,
    Pool,
    ServiceOptions,
    ServicePort,
    ServiceUpdate,
    subnet_of,
)

if TYPE_CHECKING:
    from simnet.docker.rules.layout import Layout

RUN = {
    **dict.fromkeys(
        ("name", "network", "net", "publish", "expose", "link", "ip", "ip6", "mac-address", "network-alias",
         "net-alias", "hostname", "dns", "dns-search", "dns-option", "add-host", "env", "env-file", "volume", "mount",
         "label", "restart", "workdir", "user", "entrypoint", "cap-add", "cap-drop", "memory", "cpus", "sysctl", "pid",
         "ipc", "uts", "userns", "tmpfs", "device", "security-opt", "log-driver", "log-opt", "ulimit", "stop-signal",
         "stop-timeout", "platform", "pull", "cidfile", "domainname", "runtime", "shm-size", "cgroupns"), VALUE),
    **dict.fromkeys(("detach", "interactive", "tty", "rm", "init", "privileged", "read-only", "publish-all", "quiet"),
                    SWITCH),
}  # fmt: skip
RUN_SHORT = {
    "p": "publish", "d": "detach", "i": "interactive", "t": "tty", "P": "publish-all", "h": "hostname", "e": "env",
    "v": "volume", "l": "label", "w": "workdir", "u": "user", "m": "memory", "q": "quiet",
}  # fmt: skip
NETWORK_CREATE = {
    **dict.fromkeys(("driver", "opt", "subnet", "gateway", "ip-range", "aux-address", "ipam-driver", "ipam-opt",
                     "label", "scope", "config-from"), VALUE),
    **dict.fromkeys(("internal", "ipv6", "ipv4", "attachable", "ingress", "config-only"), SWITCH),
}  # fmt: skip
NETWORK_CREATE_SHORT = {"d": "driver", "o": "opt"}
CONNECT = dict.fromkeys(("ip", "ip6", "alias", "link", "link-local-ip", "driver-opt", "gw-priority"), VALUE)
SERVICE_CREATE = {
    **dict.fromkeys(("name", "publish", "network", "replicas", "mode", "endpoint-mode", "constraint", "env", "label",
                     "mount", "hostname", "limit-cpu", "limit-memory", "restart-condition", "update-delay"), VALUE),
    **dict.fromkeys(("detach", "quiet", "no-resolve-image", "with-registry-auth"), SWITCH),
}  # fmt: skip
SERVICE_UPDATE = {
    **dict.fromkeys(("publish-add", "publish-rm", "replicas", "image", "env-add", "env-rm", "label-add", "label-rm",
                     "constraint-add", "constraint-rm", "update-delay", "update-parallelism", "limit-cpu",
                     "limit-memory"), VALUE),
    **dict.fromkeys(("detach", "quiet", "no-resolve-image", "with-registry-auth", "force"), SWITCH),
}  # fmt: skip
SERVICE_CREATE_SHORT = {"p": "publish", "d": "detach", "q": "quiet", "e": "env", "l": "label"}
DAEMON = {
    **dict.fromkeys(("bip", "default-address-pool", "ip", "mtu", "data-root", "exec-root", "pidfile", "host",
                     "firewall-backend", "fixed-cidr", "log-level", "storage-driver", "userns-remap"), VALUE),
    **dict.fromkeys(("userland-proxy", "iptables", "ip6tables", "icc", "ip-forward", "ip-masq", "experimental",
                     "allow-direct-routing", "debug", "live-restore"), SWITCH),
}  # fmt: skip
DAEMON_SHORT = {"H": "host", "p": "pidfile", "D": "debug", "l": "log-level"}
# names that an engine takes for a container; one of a single letter, which a real engine refuses, is let be
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", re.ASCII)
# flags of dockerd that some versions do not have, with the feature that brings them
DAEMON_SINCE = {"allow-direct-routing": "allow_direct_routing", "firewall-backend": "firewall_backend"}


def daemon(given: Given, layout: Layout) -> DaemonOptions:
    """Options of dockerd."""
    for name, feature in DAEMON_SINCE.items():
        if given.all(name) and feature not in layout.features:
            raise BadFlag(f"unknown flag: --{name}")
    asked: dict[str, Any] = {}
    for name in ("userland-proxy", "iptables", "ip6tables", "icc", "ip-forward", "ip-masq", "allow-direct-routing"):
        if given.all(name):
            asked[name.replace("-", "_")] = given.on(name)
    if asked.get("ip6tables") and not layout.defaults.get("ip6tables", True) and not given.on("experimental"):
        raise BadFlag("ip6tables rules are only available if experimental features are enabled")
    if given.all("bip"):
        try:
            asked["bip"] = IPv4Interface(given.last("bip"))
        except ValueError:
            raise BadFlag(f"invalid CIDR address: {given.last('bip')}") from None
    if given.all("default-address-pool"):
        asked["default_address_pools"] = tuple(map(_pool, given.all("default-address-pool")))
    if given.all("fixed-cidr"):
        try:
            asked["fixed_cidr"] = IPv4Network(given.last("fixed-cidr"), strict=False)
        except ValueError:
            raise BadFlag(f"invalid CIDR address: {given.last('fixed-cidr')}") from None
    for name in ("ip", "firewall-backend", "userns-remap"):
        if given.all(name):
            asked[name.replace("-", "_")] = given.last(name)
    if given.all("mtu"):
        asked["mtu"] = int(given.last("mtu"))
    return DaemonOptions(**asked)


def _pool(text: str) -> Pool:
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    try:
        return Pool(IPv4Network(parts["base"]), int(parts["size"]))
    except (KeyError, ValueError):
        raise BadFlag(f'invalid argument "{text}" for "--default-address-pool" flag') from None


def network(given: Given, layout: Layout) -> NetworkOptions:
    """Options of `docker network create`."""
    client.check_network(layout.engine, given)
    asked: dict[str, Any] = {"driver": given.last("driver", "bridge")}
    for name in ("internal", "ipv6", "attachable"):
        asked[name] = given.on(name)
    for text in given.all("subnet"):
        subnet = _subnet(text, layout)
        name = "subnet" if subnet.version == 4 else "subnet6"
        if name in asked and asked["driver"] == "bridge":
            raise BadFlag(layout.say("subnets_many"), "daemon")
        asked[name] = subnet
    for text in given.all("gateway"):
        asked["gateway6" if ":" in text else "gateway"] = text
    for text in given.all("ip-range"):
        asked["ip_range"] = _subnet(text, layout)
    asked["auxiliary"] = tuple(tuple(text.split("=", 1)) for text in given.all("aux-address") if "=" in text)
    told = []
    for text in given.all("opt"):
        name, _, value = text.partition("=")
        field = DRIVER_OPTIONS.get(name)
        if field == "encrypted":
            asked[field] = value in {"", "true", "1"}
        elif field in {"icc", "masquerade"}:
            if value not in GO_BOOLS:
                raise BadFlag(layout.say("bad_flag_value", option=name, value=value), "daemon")
            asked[field] = GO_BOOLS[value]
        elif field == "mtu":
            if not value.isascii() or not value.isdigit():
                raise BadFlag(layout.say("bad_number", option=name, value=value), "daemon")
            asked[field] = int(value)
        elif field is not None:
            asked[field] = value
        told.append((name, value))
    return NetworkOptions(given.words[0], told=tuple(told), **asked)


def _subnet(text: str, layout: Layout) -> IPv4Network | IPv6Network:
    try:
        subnet = subnet_of(text)
    except ValueError:
        raise BadFlag(layout.say("subnet_invalid", subnet=text), "daemon") from None
    unmasked = subnet.version == 4 and text.partition("/")[0] != str(subnet.network_address)
    if unmasked and "masked_subnets" in layout.features:
        raise BadFlag(layout.say("subnet_unmasked", subnet=text, masked=subnet), "daemon")
    return subnet


def container(given: Given, layout: Layout) -> ContainerOptions:
    """Options of `docker run`."""
    names = [*given.all("network"), *given.all("net")]
    besides = run_flags.besides(given, layout)
    run_flags.check_network(given, layout, names)
    if given.last("name") and not _NAME.fullmatch(given.last("name")):
        raise BadFlag(layout.say("name_invalid", name=given.last("name")), "daemon")
    if not names and "silent_default" in layout.features:
        given = given.without("ip", "ip6", "network-alias", "net-alias")
    names = names or ["bridge"]
    joined = [attachment(text, layout) for text in names]
    if len(names) > 1 and "one_network" in layout.features:
        raise BadFlag(layout.say("networks_many", network=", ".join(sorted(at.network for at in joined))), "daemon")
    flagged = (*given.all("network-alias"), *given.all("net-alias"))
    if flagged and joined[0].aliases:
        raise BadFlag("conflicting options: cannot specify both --network-alias and per-network alias", "client")
    joined[0] = replace(
        joined[0], address=given.last("ip") or joined[0].address, address6=given.last("ip6") or joined[0].address6,
        aliases=flagged or joined[0].aliases,
    )  # fmt: skip
    first = joined[0].network
    special = first.startswith("container:") or first == "host"
    links = [run_flags.link(text) for text in given.all("link")]
    ports = [port for text in given.all("publish") for port in published(text)]
    exposed = [port for text in given.all("expose") for port in _exposed(text)]
    exposed += [(number, proto) for proto, number in ports_of(given.words[0]) if (number, proto) not in exposed]
    if given.on("publish-all"):
        told = {(port.port, port.proto) for port in ports}
        ports += [publish.PublishedPort(*port) for port in exposed if port not in told]
    return ContainerOptions(
        given.last("name"), given.words[0], first,
        tuple(at for at in joined if at.address or at.address6) if special else tuple(joined),
        tuple(ports), tuple(exposed), tuple(links), given.last("hostname"), given.last("mac-address"),
        publish_all=given.on("publish-all"), **besides,
    )  # fmt: skip


def attachment(text: str, layout: Layout) -> Attachment:
    """The value of `--network`: a name, or `name=…,ip=…,gw-priority=…`."""
    if "=" not in text:
        return Attachment("bridge" if text == "default" else text)
    asked: dict[str, Any] = {}
    aliases = []
    for part in text.split(","):
        key, _, value = part.partition("=")
        if key == "name":
            asked["network"] = value
        elif key in {"ip", "ip6"}:
            asked["address" if key == "ip" else "address6"] = value
        elif key == "gw-priority" and "gw_priority" in layout.features:
            asked["gateway_priority"] = _number(text, "network", value)
        elif key == "alias":
            aliases.append(value)
        elif key == "mac-address":
            asked["mac_address"] = value
        elif key not in {"driver-opt", "link-local-ip"}:
            raise BadFlag(f'invalid argument "{text}" for "--network" flag: invalid field key {key}')
    if not asked.get("network"):
        raise BadFlag(f'invalid argument "{text}" for "--network" flag: network name/id is not specified')
    return Attachment(aliases=tuple(aliases), **asked)


def _number(text: str, flag: str, value: str) -> int:
    """A whole number as Go reads it."""
    if not re.fullmatch(r"[-+]?[0-9]+", value, re.ASCII):
        why = f'strconv.Atoi: parsing "{value}": invalid syntax'
        raise BadFlag(f'invalid argument "{text}" for "--{flag}" flag: invalid gw-priority: {why}')
    return int(value)


def published(text: str) -> list[publish.PublishedPort]:
    """The value of `-p` of `docker run`, short or long syntax."""
    if "=" in text:
        port = service_port(text)
        return [publish.PublishedPort(port.target, port.proto, "", port.published, port.published)]
    try:
        return publish.parse(text)
    except ValueError as error:
        raise BadFlag(str(error), "client") from None


def _exposed(text: str) -> list[tuple[int, str]]:
    span = text.partition("/")[0]
    for number in span.split("-", 1):
        if not number.isascii() or not number.isdigit():
            why = f'strconv.ParseUint: parsing "{number}": invalid syntax'
            raise BadFlag(f"invalid range format for --expose: {text}, error: {why}", "client")
    return [(port.port, port.proto) for port in published(text)]


def service(given: Given) -> ServiceOptions:
    """Options of `docker service create`."""
    networks = tuple(text.removeprefix("name=").partition(",")[0] for text in given.all("network"))
    mode, endpoint_mode = given.last("mode", "replicated"), given.last("endpoint-mode", "vip")
    if mode not in {"replicated", "global"}:
        raise BadFlag(f"Unknown mode: {mode}, only replicated and global supported", "client")
    return ServiceOptions(given.last("name"), given.words[0], _replicas(given), _service_ports(given, "publish"),
                          networks, endpoint_mode, mode == "global", tuple(given.all("constraint")))  # fmt: skip


def service_update(given: Given) -> ServiceUpdate:
    """Options of `docker service update`; a port to drop is named by its target, as `80` or `80/udp`."""
    dropped = []
    for text in given.all("publish-rm"):
        port, _, proto = text.partition("/")
        if not port.isdigit():
            raise BadFlag(f'invalid argument "{text}" for "--publish-rm" flag: invalid port')
        dropped.append((int(port), proto or "tcp"))
    replicas = _replicas(given) if given.all("replicas") else None
    return ServiceUpdate(_service_ports(given, "publish-add"), tuple(dropped), replicas)


def _replicas(given: Given) -> int:
    text = given.last("replicas", "1")
    if not text.isdigit():
        raise BadFlag(f'invalid argument "{text}" for "--replicas" flag: strconv.ParseUint: parsing "{text}": '
                      "invalid syntax")  # fmt: skip
    return int(text)


def _service_ports(given: Given, flag: str) -> tuple[ServicePort, ...]:
    ports = []
    for text in given.all(flag):
        if "=" in text:
            ports.append(service_port(text))
        else:
            ports += [ServicePort(port.port, port.first, port.proto) for port in published(text)]
    return tuple(ports)


def service_port(text: str) -> ServicePort:
    """The long syntax of a port: `mode=host,published=8080,target=80,protocol=udp`.

    Example:
        >>> service_port("mode=host,published=8080,target=80")
        ServicePort(target=80, published=8080, proto='tcp', mode='host')
    """
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    for key in parts:
        if key not in {"target", "published", "protocol", "mode"}:
            raise BadFlag(f'invalid argument "{text}" for "-p, --publish" flag: invalid field key {key}')
    if not parts.get("target", "").isdigit() or not parts.get("published", "0").isdigit():
        raise BadFlag(f'invalid argument "{text}" for "-p, --publish" flag: missing mandatory field "target"')
    return ServicePort(int(parts["target"]), int(parts.get("published", "0")), parts.get("protocol", "tcp"),
                       parts.get("mode", "ingress"))  # fmt: skip
