"""What a container finds for a name: its /etc/hosts, then the embedded DNS server of its networks.

The server knows containers by name, alias, short id and (from engine 25 on) hostname, on those networks of users that
the asking container is on; services by name (their virtual address, or all tasks) and `tasks.NAME`. It does not serve
the default bridge, where only /etc/hosts and links help.

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> session.script("docker network create --subnet 10.1.0.0/24 n1")
    >>> session.script("docker run -d --name web --network n1 --network-alias www busybox")
    >>> session.script("docker run -d --name db --network n1 busybox")
    >>> from simnet.net.address import ip_text
    >>> db = session.engine.find("db")
    >>> [ip_text(one) for name in ("www", "WEB.n1", "nobody") for one in resolve(session.engine, db, name)]
    ['10.1.0.2', '10.1.0.2']
    >>> pointer(session.engine, db, parse_ip("10.1.0.2"))
    'web.n1'

Models: ResolveName of libnetwork/sandbox.go, libnetwork/network.go and service_common.go of moby.
Leaves out: names that the server asks others for, AAAA records, aliases of services, and the random order of several
addresses (a real one shuffles them, here they come in the order in which the containers were made).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simnet.docker.container import files
from simnet.docker.options import Attachment
from simnet.net.address import parse_ip

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container, Endpoint, Network
    from simnet.docker.swarm.service import Service

# networks whose containers the server does not name
_UNNAMED = {"bridge", "host", "none", "docker_gwbridge"}


def resolve(engine: Engine, one: Container, name: str) -> list[int]:
    """The IPv4 addresses that a program in a container gets for a name: of /etc/hosts, else of the server."""
    wanted = name.removesuffix(".").lower()
    for line in files.read(engine, one)[files.HOSTS].splitlines():
        address, *names = line.split() or [""]
        if wanted in map(str.lower, names) and "." in address:
            return [parse_ip(address)]
    return ask(engine, one, name)


def ask(engine: Engine, one: Container, name: str) -> list[int]:
    """What the embedded server of a container answers (an A query); nothing where there is none, or it asks others.

    A name may end in its network's: of `a.b.c` it tries `a.b.c` on any network, `a.b` on `c`, and `a` on `b.c`.
    """
    asker = _asker(engine, one)
    if asker is None:
        return []
    whole = name.removesuffix(".")
    parts = whole.split(".")
    tries = [(whole, ""), *((".".join(parts[:at]), ".".join(parts[at:])) for at in range(len(parts) - 1, 0, -1))]
    for wanted, network in tries:
        for through_link in (True, False):
            found = _on_networks(engine, asker, wanted, network, through_link=through_link)
            if found:
                return found
    return []


def pointer(engine: Engine, one: Container, address: int) -> str:
    """What the server answers for an address (a PTR query): the container's first name and the network; or nothing."""
    asker = _asker(engine, one)
    for endpoint in _ordered(engine, asker) if asker is not None else ():
        for node, other, there in _named(engine, endpoint.network):
            if there.address is not None and int(there.address) == address:
                return f"{names(node, other, there)[0]}.{endpoint.network.name}"
    return ""


def names(engine: Engine, one: Container, endpoint: Endpoint) -> list[str]:
    """A container's names on a network, the one that its address leads back to first.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("20.10")
        >>> session.script("docker network create n1")
        >>> session.script("docker run -d --network n1 --hostname box busybox")
        >>> made = next(iter(session.engine.containers.values()))
        >>> names(session.engine, made, made.endpoints["n1"]) == [made.id[:12], "box"]
        True
    """
    known = one.named or "no_dns_for_made_names" not in engine.layout.features
    found = [*([one.name] if known else []), *endpoint.aliases, one.id[:12]]
    if not one.service:
        found.append(files.hostname_of(engine, one))
    return list(dict.fromkeys(found))


def known(engine: Engine, network: Network, but: Container) -> set[str]:
    """The names that the server knows on a network, in small letters, but for one container's own (getSvcRecords)."""
    return {name for name in _records(engine, network) if name.partition(".")[0] != but.name}


def _asker(engine: Engine, one: Container) -> Container | None:
    """The container whose server one asks, which is that of the network namespace; None where there is none."""
    owner = files.owner_of(engine, one)
    return owner if owner.sandbox is not None and owner.sandbox.has_resolver else None


def _ordered(engine: Engine, one: Container) -> list[Endpoint]:
    """A container's endpoints as the server goes through them: in a swarm overlays first, then ingress, then others."""

    def place(endpoint: Endpoint) -> tuple[int, bool, int, str]:
        network, kind = endpoint.network, 0
        if engine.swarm.cluster is not None:
            kind = 1 if network.name == "ingress" else 0 if network.options.driver == "overlay" else 2
        return kind, network.internal, -endpoint.priority, network.name

    return sorted(one.endpoints.values(), key=place)


def _on_networks(engine: Engine, one: Container, name: str, network: str, *, through_link: bool) -> list[int]:
    """Look a name up on a container's networks, or on the one of a name: as an alias of its links, or else as it is."""
    for endpoint in _ordered(engine, one):
        links = _links(one, endpoint.network)
        if (network and network != endpoint.network.name) or (name in links) != through_link:
            continue
        found = _records(engine, endpoint.network).get(links.get(name, name).lower())
        if found:
            return found
    return []


def _links(one: Container, network: Network) -> dict[str, str]:
    """The links of a container on a network of a user: alias to name. They hold for it alone, in this spelling only."""
    if network.name in _UNNAMED:
        return {}
    first = one.options.attachments[0] if one.options.attachments else None
    at = next((at for at in one.options.attachments if at.network == network.name), Attachment(network.name))
    pairs = (*at.links, *(one.options.links if at is first else ()))
    return {alias: parent for parent, alias in pairs}


def _named(engine: Engine, network: Network) -> Iterator[tuple[Engine, Container, Endpoint]]:
    """Every container on a network that the server names, on all hosts of an overlay network."""
    if network.name in _UNNAMED:
        return
    cluster = engine.swarm.cluster if network.shared is not None else None
    for node in cluster.nodes.values() if cluster is not None else (engine,):
        for one in node.containers.values():
            endpoint = one.endpoints.get(network.name)
            if endpoint is not None and one.running:
                yield node, one, endpoint


def _records(engine: Engine, network: Network) -> dict[str, list[int]]:
    """Everything that the server knows of a network: names in small letters, and their addresses."""
    found: dict[str, list[int]] = {}
    for node, one, endpoint in _named(engine, network):
        for name in names(node, one, endpoint) if endpoint.address is not None else ():
            found.setdefault(name.lower(), []).append(int(endpoint.address or 0))
    cluster = engine.swarm.cluster if network.shared is not None else None
    for service in cluster.services.values() if cluster is not None else ():
        tasks = _tasks(service, network)
        if tasks:
            found.setdefault(f"tasks.{service.name}".lower(), []).extend(tasks)
            found.setdefault(service.name.lower(), []).extend(_virtual(service, network) or tasks)
    return {name: list(dict.fromkeys(addresses)) for name, addresses in found.items()}


def _tasks(service: Service, network: Network) -> list[int]:
    """The addresses of a service's tasks on a network."""
    ends = [task.endpoints.get(network.name) for _, task in service.tasks if task.running]
    return [int(end.address) for end in ends if end is not None and end.address is not None]


def _virtual(service: Service, network: Network) -> list[int]:
    """A service's virtual address on a network; none with `--endpoint-mode dnsrr`."""
    address = getattr(service, "vips", {}).get(network.name)
    return [int(address)] if address is not None else []
