"""Containers on networks: addresses, the way out, and the ports that are published on it.

A container's way out is the endpoint with the highest priority, then the lowest name of its network, of those networks
that have a gateway; its published ports live there, and move when a better way out comes or the old one goes. A
container on overlay networks only gets one on docker_gwbridge.

Models: libnetwork/sandbox.go, default_gateway.go, drivers/bridge/port_mapping_linux.go, link.go of moby.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from simnet.docker.drivers import DRIVERS
from simnet.docker.ipam import Address, Addresses, Exhausted, Outside, Taken
from simnet.docker.objects import Binding, Container, Endpoint, Network, identity
from simnet.docker.options import Attachment
from simnet.docker.ports import PortTaken
from simnet.docker.proxy import DockerProxy, HeldPort, ProxyOf6
from simnet.docker.publish import PublishedPort
from simnet.docker.rules import facts
from simnet.docker.rules.firewall import NoChain
from simnet.net.device import made_mac

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.sandbox import Sandbox


def join(engine: Engine, sandbox: Sandbox, network: Network, wanted: Attachment, mac: str = "",
         address: Address | None = None) -> Endpoint:  # fmt: skip
    """Give a sandbox an endpoint on a network: an address of each family, an interface, and rules.

    `address` is one that was taken for it before (a swarm's managers do so).
    """
    name = sandbox.name
    if name in network.endpoints:
        raise engine.refusal("endpoint_taken", name=name, network=network.name)
    endpoint = Endpoint(identity("endpoint", f"{name} {network.name}", engine.count()), name, network)
    endpoint.priority, endpoint.aliases = wanted.gateway_priority, wanted.aliases
    endpoint.address = address or take_address(engine, network, network.addresses, wanted.address)
    endpoint.address6 = take_address(engine, network, network.addresses6, wanted.address6)
    endpoint.mac = wanted.mac_address or mac or _mac(engine, endpoint, sandbox)
    network.endpoints[name] = endpoint
    DRIVERS[network.options.driver].join(engine, endpoint, sandbox)
    for family in engine.firewall.families if network.bridge else ():
        if endpoint.of(family) is not None:
            asked = facts.of_network(engine.facts(family), engine.layout, network)
            words = facts.endpoint_words(family, endpoint)
            for interface in network.options.trusted.split(":") if network.options.trusted else ():
                install(engine, "trusted", endpoint.subject, family, asked, {**words, "interface": interface})
            install(engine, "endpoint", endpoint.subject, family, asked, words)
    return endpoint


def _mac(engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> str:
    """A hardware address: made of the IPv4 address where version and driver do so, else made up."""
    driver = endpoint.network.options.driver
    from_address = driver == "overlay" or "mac_from_address" in engine.layout.features
    if from_address and endpoint.address is not None and driver != "ipvlan":
        return "02:42:" + ":".join(f"{byte:02x}" for byte in endpoint.address.packed)
    return made_mac(f"{sandbox.namespace.place} {endpoint.network.name}")


def install(engine: Engine, section: str, subject: str, family: int, asked: facts.Facts, words: facts.Words) -> None:
    """Put rules in; where somebody deleted the chain that they belong to, the engine says what iptables said."""
    try:
        engine.firewall.install(section, subject, family, asked, words)
    except NoChain as error:
        raise engine.refusal("iptables_failed", reason=error) from None


def take_address(engine: Engine, network: Network, pool: Addresses | None, wanted: str = "") -> Address | None:
    """An address out of a network's pool: the one wanted, or the next; Refused in the engine's words without one."""
    if pool is None:
        return None
    try:
        return pool.take(wanted)
    except Exhausted:
        raise engine.refusal("addresses_exhausted", network=network.name, id=network.id) from None
    except Taken:
        raise engine.refusal("address_taken") from None
    except Outside:
        raise engine.refusal("address_outside", network=network.name, address=wanted) from None


def leave(engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
    """Take an endpoint away, with its rules, interface and addresses."""
    engine.firewall.remove(endpoint.subject)
    network = endpoint.network
    DRIVERS[network.options.driver].leave(engine, endpoint, sandbox)
    network.endpoints.pop(endpoint.name, None)
    if network.addresses is not None and endpoint.address is not None:
        network.addresses.give_back(endpoint.address)
    if network.addresses6 is not None and endpoint.address6 is not None:
        network.addresses6.give_back(endpoint.address6)


def settle(engine: Engine, container: Container) -> None:
    """After endpoints came or went: find the way out, and publish the ports there."""
    own = [one for one in container.endpoints.values() if one.network is not engine.swarm.gateway_network]
    ways = [one for one in own if one.network.gateway is not None and one.network.options.driver != "overlay"]
    ways = [one for one in ways if not one.network.internal]
    if engine.swarm.gateway_network is not None:
        ways = _by_gwbridge(engine, container, engine.swarm.gateway_network, own, ways)
    best = min(ways, key=lambda one: (-one.priority, one.network.name), default=None)
    if best is not container.gateway:
        kept = list(container.bindings)
        unpublish(engine, container)
        container.gateway = best
        publish(engine, container, kept)
    if container.sandbox is not None:
        leads = "internal_way_out" in engine.layout.features
        shut = [one for one in own if leads and one.network.options.driver != "overlay"]
        container.sandbox.set_way_out(best or min(shut, key=lambda one: one.network.name, default=None))


def _by_gwbridge(
    engine: Engine, container: Container, bridge: Network, own: list[Endpoint], ways: list[Endpoint]
) -> list[Endpoint]:
    """The ways out where there is a docker_gwbridge: who has an overlay and no other way joins it, all others leave."""
    needed = not ways and any(one.network.options.driver == "overlay" and not one.network.internal for one in own)
    standing, sandbox = container.endpoints.get(bridge.name), container.sandbox
    assert sandbox is not None
    if not needed:
        if standing is not None:
            leave(engine, container.endpoints.pop(bridge.name), sandbox)
        return ways
    if standing is None:
        container.endpoints[bridge.name] = join(engine, sandbox, bridge, Attachment(bridge.name))
    shut = [one for one in own if one.network.internal and one.network.bridge]
    first = shut if "internal_before_gwbridge" in engine.layout.features else []
    return first or [container.endpoints[bridge.name]]


def join_gwbridge(engine: Engine, container: Container) -> None:
    """After the first overlay endpoint: a way out by docker_gwbridge, before the next endpoint is made."""
    bridge, sandbox = engine.swarm.gateway_network, container.sandbox
    if bridge is None or sandbox is None or bridge.name in container.endpoints:
        return
    own = container.endpoints.values()
    if all(one.network.options.driver == "overlay" for one in own) and not all(one.network.internal for one in own):
        container.endpoints[bridge.name] = join(engine, sandbox, bridge, Attachment(bridge.name))


def publish(engine: Engine, container: Container, kept: list[Binding]) -> None:
    """Publish a container's ports on its way out; `kept` are the ones that it had before, whose numbers stay."""
    endpoint = container.gateway
    if endpoint is None or not endpoint.network.bridge or endpoint.network.internal:
        return
    for port in _in_order(engine, container.options.ports):
        before = {one.family: one.host_port for one in kept if one.asked is port}
        for binding in _bindings(engine, container, endpoint, port, before):
            container.bindings.append(binding)
            asked = facts.of_network(engine.facts(binding.family), engine.layout, endpoint.network)
            words = facts.binding_words(endpoint, binding)
            install(engine, "port", container.subject, binding.family, facts.of_binding(asked, binding), words)
            _start_proxy(engine, container, endpoint, binding)


def _start_proxy(engine: Engine, container: Container, endpoint: Endpoint, binding: Binding) -> None:
    """Let docker-proxy (or, without it, the engine itself) listen at a published port."""
    if not binding.host_port or binding.asked.proto == "sctp" or endpoint.address is None:
        return
    proto, host = binding.asked.proto, int(ip_address(binding.host))
    if engine.options.userland_proxy and (binding.family == 6 or (endpoint.address6 is None and host == 0)):
        # one of IPv6, to the container's IPv4 address where it has no other
        _open(container, ProxyOf6(engine.namespace, proto, "::" if not host else binding.host, binding.host_port))
    if binding.family == 6:
        return
    if engine.options.userland_proxy:
        target = int(endpoint.address), binding.asked.port
        answers = "answers_from_asked_address" in engine.layout.features
        _open(container, DockerProxy(engine.namespace, proto, host, binding.host_port, target, answers))
    else:
        _open(container, HeldPort(engine.namespace, proto, host, binding.host_port))


def _open(container: Container, proxy: DockerProxy | HeldPort | ProxyOf6) -> None:
    proxy.listen()
    container.proxies.append(proxy)


def unpublish(engine: Engine, container: Container) -> None:
    """Take a container's published ports away."""
    engine.firewall.remove(container.subject)
    for proxy in container.proxies:
        proxy.close()
    container.proxies.clear()
    for binding in container.bindings:
        if binding.host_port:
            engine.ports.give_back(binding.host, binding.asked.proto, binding.host_port)
    container.bindings.clear()


def _in_order(engine: Engine, ports: tuple[PublishedPort, ...]) -> list[PublishedPort]:
    """Ports in the order in which the engine programs them.

    Up to engine 26 the order of several ports depends on a hash map; from the highest down is the one seen most.
    """
    if "port_order_by_host" in engine.layout.features:
        return sorted(ports, key=lambda one: (one.port, one.proto))[::-1]
    return sorted(ports, key=lambda one: (not one.first or one.first != one.last, one.port, one.proto, one.first))


def _bindings(engine: Engine, container: Container, endpoint: Endpoint, port: PublishedPort,
              before: dict[int, int]) -> list[Binding]:  # fmt: skip
    """What one `-p` becomes: a binding for each family that the container and the host's address have."""
    found: list[Binding] = []
    host = port.address or endpoint.network.options.host_binding or "0.0.0.0"
    everywhere = not port.address and host == "0.0.0.0"
    for family, bound in ((4, host), (6, "::" if everywhere else host)):
        if endpoint.of(family) is None or ip_address(bound).version != family:
            continue
        mode = endpoint.network.gateway_mode(family) if "gateway_mode" in engine.layout.features else "nat"
        number = 0
        if mode != "routed":
            number = _host_port(engine, container, endpoint, port, bound, found, before.get(family, 0))
        found.append(Binding(port, family, bound, number))
    return found


def _host_port(engine: Engine, container: Container, endpoint: Endpoint, port: PublishedPort, host: str,
               found: list[Binding], before: int) -> int:  # fmt: skip
    """The port of the host; both families share one number."""
    if found and found[0].host_port:
        return found[0].host_port
    first, last = (before, before) if before else (port.first, port.last)
    words = {"name": container.name, "id": endpoint.id}
    while True:
        try:
            number = engine.ports.take(host, port.proto, first, last)
        except PortTaken as error:
            kind = "port_taken" if error.port else "ports_exhausted"
            unpublish(engine, container)
            raise engine.refusal(kind, **words, host=error.held or host, port=error.port) from None
        address = ip_address(host)
        if address.version == 6 or not engine.namespace.sockets.bound(port.proto, int(address), number):
            return number
        # a process of the host has the port: a range goes on with its next port, where the engine tries that
        engine.ports.give_back(host, port.proto, number)
        if (first and number == last) or "tries_next_port" not in engine.layout.features:
            unpublish(engine, container)
            shown = engine.layout.say("port_shown", host=host, port=number, address=endpoint.of(4),
                                      value=port.port, name=port.proto)  # fmt: skip
            raise engine.refusal("port_in_use", **words, port=shown, reason="address already in use")
        first = number + 1 if first else 0


def link(engine: Engine, child: Container, parent: Container) -> None:
    """Let a container ask another one on the default bridge although it forbids talk between containers."""
    mine, other = child.endpoints.get("bridge"), parent.endpoints.get("bridge")
    if mine is None or other is None:
        return
    for family in engine.firewall.families:
        own, asked = mine.of(family), other.of(family)
        if own is None or asked is None:
            continue
        known = facts.of_network(engine.facts(family), engine.layout, mine.network)
        for port, proto in _linked_ports(engine, parent):
            words = {**facts.network_words(family, mine.network), "child": facts.block(own),
                     "parent": facts.block(asked), "port": str(port), "proto": proto}  # fmt: skip
            subject = f"link of {child.name} to {parent.name}"
            install(engine, "link", subject, family, {**known, "proto": proto}, words)
            child.linked[subject] = other


def _linked_ports(engine: Engine, parent: Container) -> list[tuple[int, str]]:
    """A container's open ports as a link opens them: from the highest down, up to engine 26 whether published or not.

    Later ones open published ports first.
    """
    mapped = {(one.asked.port, one.asked.proto) for one in parent.bindings if one.host_port}
    first = set() if "port_order_by_host" in engine.layout.features else mapped
    downwards = parent.open_ports[::-1]
    return sorted(downwards, key=lambda port: port not in first)


def unlink(engine: Engine, child: Container) -> None:
    """Take a container's links away; where the other one started anew the engine finds it no more, and leaves them."""
    for subject, other in child.linked.items():
        if other.network.endpoints.get(other.name) is other:
            engine.firewall.remove(subject)
    child.linked.clear()
