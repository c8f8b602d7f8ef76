"""The three files of /etc that the engine writes for a container: hosts, hostname, resolv.conf; and the host's own.

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> session.script("docker run -d --name web --hostname box --domainname dom.test busybox")
    >>> print(read(session.engine, session.engine.find("web"))["/etc/hosts"].splitlines()[-1].expandtabs(12))
    172.17.0.2  box.dom.test box

Models: libnetwork/etchosts, libnetwork/internal/resolvconf (resolvconf of engines up to 24) and sandbox_dns_unix.go of
moby. The lines of a container's own addresses come when it joins a network and go when it leaves.
Links come in the order given (a real engine keeps them in a map).
Leaves out: what users write into the files, and IPv6 name servers of the host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simnet.docker.container.resolv import Servers, resolv_conf
from simnet.net.address import ip_text
from simnet.net.namespace import NetNamespace

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container, Endpoint

Files = Mapping[str, str]
HOSTS, HOSTNAME, RESOLV = "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"
_DEBIAN_HOSTS = """\
127.0.0.1\tlocalhost
::1\t\tlocalhost ip6-localhost ip6-loopback
ff02::1\t\tip6-allnodes
ff02::2\t\tip6-allrouters

"""
_JOIN = "container:"


def of_host(namespace: NetNamespace) -> dict[str, str]:
    """The files of a machine: Debian's hosts, its name, and its router as the name server."""
    routers = [route.gateway for route in namespace.fib.routes() if route.dst.mask == 0 and route.gateway]
    server = f"nameserver {ip_text(routers[0])}\n" if routers else ""
    return {HOSTS: _DEBIAN_HOSTS, HOSTNAME: namespace.place.partition("/")[0] + "\n", RESOLV: server}


def hostname_of(engine: Engine, one: Container) -> str:
    """`Config.Hostname`: as asked for, else of who owns the network (the host, another), else the short id."""
    owner = owner_of(engine, one)
    if owner.options.network == "host" and not owner.options.hostname:
        return engine.host_files[HOSTNAME].strip()
    return one.options.hostname or owner.options.hostname or owner.id[:12]


def owner_of(engine: Engine, one: Container) -> Container:
    """The container whose network namespace and files another one uses; itself where they are its own.

    Itself, too, where the other one is not there any more, or is to use its namespace in turn.
    """
    owner, passed = one, {one.id}
    while owner.options.network.startswith(_JOIN):
        wanted = owner.options.network.removeprefix(_JOIN)
        found = next((other for other in engine.containers.values() if wanted in {other.id, other.name}), None)
        if found is None or found.id in passed:
            return one
        owner = found
        passed.add(owner.id)
    return owner


def read(engine: Engine, one: Container) -> Files:
    """The files of a container that was started; who shares another's network namespace has that one's files."""
    one = owner_of(engine, one)
    options = one.options
    own = engine.host_files[HOSTS] if options.network == "host" and not options.extra_hosts else ""
    servers = Servers.of(options)
    return {
        HOSTS: own or "".join(f"{address}\t{names}\n" for address, names in one.hosts),
        HOSTNAME: hostname_of(engine, one) + "\n",
        RESOLV: resolv_conf(engine.layout.features, engine.host_files[RESOLV], servers, _way(one)),
    }


def _way(one: Container) -> str:
    """How a container's names are looked up: with the host's servers, the engine's own resolver, or as ever."""
    if one.options.network == "host":
        return "host"
    if one.sandbox is not None:
        return "internal resolver" if one.sandbox.has_resolver else "legacy"
    user_made = any(at.network not in {"bridge", "none"} for at in one.options.attachments)
    return "internal resolver" if user_made else "legacy"


def write_hosts(engine: Engine, one: Container) -> None:
    """/etc/hosts as a start begins it: the six lines of every container, `--add-host`, then links."""
    told = []
    for text in one.options.extra_hosts:
        name, address = split_host(text)
        if address == "host-gateway":
            address = str(engine.networks.find("bridge").gateway or "")
        told.append((address.strip("[]"), name))
    if any(at.network == "bridge" for at in one.options.attachments):
        told += _linked(engine, one)
    one.hosts[:] = [*_first(engine), *told]
    if one.sandbox is not None:
        one.sandbox.told_hosts = told


def _first(engine: Engine) -> list[tuple[str, str]]:
    zero = "0" if "zeros_in_hosts" in engine.layout.features else ""
    return [
        ("127.0.0.1", "localhost"), ("::1", "localhost ip6-localhost ip6-loopback"), (f"fe00::{zero}", "ip6-localnet"),
        (f"ff00::{zero}", "ip6-mcastprefix"), ("ff02::1", "ip6-allnodes"), ("ff02::2", "ip6-allrouters"),
    ]  # fmt: skip


def _linked(engine: Engine, one: Container) -> list[tuple[str, str]]:
    """A line for each container linked over the default bridge: alias, hostname, and the name where it is another."""
    found = []
    for parent, alias in one.options.links:
        other = engine.containers.get(parent)
        endpoint = other.endpoints.get("bridge") if other is not None else None
        if other is not None and endpoint is not None:
            names = [alias, hostname_of(engine, other), *([other.name] if other.name != alias else [])]
            found.append((str(endpoint.address), " ".join(names)))
    return found


def split_host(text: str) -> tuple[str, str]:
    """The two halves of an `--add-host`, `NAME:ADDRESS` or `NAME=ADDRESS`.

    Example:
        >>> split_host("db:10.0.0.1"), split_host("db=::1"), split_host("db")
        (('db', '10.0.0.1'), ('db', '::1'), ('db', ''))
    """
    name, _, address = text.partition("=" if "=" in text else ":")
    return name, address


def _own_names(engine: Engine, one: Container) -> str:
    """What stands behind an own address: the name in full, and its first part where it has several."""
    name = hostname_of(engine, one)
    if one.options.domainname:
        name = f"{name}.{one.options.domainname}"
    first, dot, _ = name.partition(".")
    return f"{name} {first}" if dot else name


def joined(engine: Engine, one: Container, endpoint: Endpoint) -> None:
    """A container came onto a network: a line for each of its addresses there; none on the ingress network."""
    if endpoint.network.name == "ingress":
        return
    names = _own_names(engine, one)
    again = one.running and endpoint.network.name == "bridge" and one.options.links
    if again and one.sandbox is not None and "rebuilds_hosts" in engine.layout.features:
        # the lines of links are added to those of the start, which are written as they were told then
        one.sandbox.told_hosts += _linked(engine, one)
        here = {str(end.of(family)) for end in one.endpoints.values() for family in (4, 6)}
        own = [line for line in one.hosts if line[1] == names and line[0] in here]
        one.hosts[:] = [*_first(engine), *one.sandbox.told_hosts, *own]
    one.hosts += [(str(address), names) for address in (endpoint.address, endpoint.address6) if address is not None]


def left(engine: Engine, one: Container, endpoint: Endpoint, known: set[str]) -> None:
    """A container left a network: the lines of its addresses there go.

    Up to engine 26 there go, instead, all lines of a single name that is `known` to the DNS of that network.
    """
    if "forgets_names_of_network" in engine.layout.features:
        one.hosts[:] = [line for line in one.hosts if line[1] not in known]
        return
    names, gone = _own_names(engine, one), {str(endpoint.address), str(endpoint.address6)}
    one.hosts[:] = [line for line in one.hosts if line[1] != names or line[0] not in gone]


def moved(engine: Engine, one: Container) -> None:
    """A container started: who is linked to it has its new address in every line that its alias begins."""
    endpoint = one.endpoints.get("bridge")
    for other in engine.containers.values() if endpoint is not None else ():
        for parent, alias in other.options.links:
            if parent == one.name and other.running and "bridge" in other.endpoints and endpoint is not None:
                other.hosts[:] = [
                    (str(endpoint.address) if re.match(re.escape(alias), names) else address, names)
                    for address, names in other.hosts
                ]
