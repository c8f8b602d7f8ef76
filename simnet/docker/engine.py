"""A Docker engine on one host: networks, containers and ports, and the rules that its version installs for them.

Example:
    >>> from simnet.docker.publish import parse
    >>> engine = Engine("28.5.2")
    >>> web = engine.run(ContainerOptions("web", ports=tuple(parse("8080:80"))))
    >>> str(web.endpoints["bridge"].address)
    '172.17.0.2'
    >>> rule = engine.firewall.rulesets[4].tables["nat"].chains["DOCKER"].rules[-1]
    >>> str(rule)
    '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80'
    >>> engine.why(rule).subject, engine.why(rule).why
    ('published ports of web', 'the published port of the host leads to the container')
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from ipaddress import ip_address

from simnet.docker import conflicts, endpoints
from simnet.docker.container import dns, files
from simnet.docker.container.namespaces import Spaces
from simnet.docker.host import HostFacts, boot
from simnet.docker.networks import Networks, default_network
from simnet.docker.objects import Container, Network, identity
from simnet.docker.options import (
    Attachment,
    ContainerOptions,
    DaemonOptions,
    NetworkOptions,
    ServiceOptions,
    ServiceUpdate,
)
from simnet.docker.ports import Ports
from simnet.docker.rules import facts
from simnet.docker.rules.firewall import Firewall, Provenance
from simnet.docker.rules.version import layout_of
from simnet.docker.sandbox import Sandbox, hand_over
from simnet.docker.swarm import service
from simnet.docker.swarm.balancer import guard
from simnet.docker.swarm.service import Service
from simnet.docker.swarm.swarm import INGRESS, Swarm
from simnet.errors import Refused, UsageError
from simnet.net.address import parse_ip
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter.rule import Rule, Ruleset
from simnet.net.network import Network as Wire

# what a program that leaves SIGTERM alone ends with (128 + SIGKILL)
KILLED = 137
# what a container may be called (RestrictedNamePattern of moby, but for its least length)
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
# networks of these names are none of the engine's own making on the host
_NO_ENDPOINT = ("host", "none")


class Engine:
    """One engine: a version and options, started on a host's namespace (`h1/host`; without one, a host of its own).

    What it refuses is raised as `Refused`, in the engine's own words.

    Models: dockerd with the bridge and overlay drivers, as far as addresses, ports and rules go.
    Leaves out: restarts of the daemon, firewalld, and rules that an older engine left behind.
    """

    def __init__(
        self, version: str, options: DaemonOptions | None = None, namespace: NetNamespace | None = None
    ) -> None:
        """Start the engine: forwarding, its chains, and the default bridge."""
        self.version = version
        self.layout = layout_of(version)
        self.options = options or DaemonOptions()
        self.namespace = namespace or boot(Wire().namespace("h1/host"), forwards=True)
        self.name = self.namespace.place.partition("/")[0]
        self.host = HostFacts.of(self.namespace)
        if self.options.firewall_backend != "iptables":
            raise UsageError(f"firewall backend {self.options.firewall_backend!r} is not modelled; use 'iptables'")
        six = self.options.ip6tables
        six = self.layout.defaults.get("ip6tables", True) if six is None else six
        families = tuple(family for family, on in ((4, self.options.iptables), (6, six)) if on)
        rulesets = {4: self.namespace.ruleset, 6: self.namespace.ruleset6}
        self.firewall = Firewall(self.layout, families, rulesets)
        if self.options.ip_forward:
            self.namespace.sysctls["net.ipv4.ip_forward"] = "1"
        self.ports = Ports()
        self.containers: dict[str, Container] = {}
        self.spaces = Spaces(self)
        self.host_files = files.of_host(self.namespace)
        self._made = 0
        self.swarm = Swarm(self)
        self.networks = Networks(self)
        self.firewall.set_up({family: self.facts(family) for family in families})
        for family in families:
            self.firewall.install("daemon", "the engine", family, self.facts(family), facts.daemon_words(family))
        self.networks.create(default_network(self), predefined=True)
        for name in _NO_ENDPOINT:
            driver = "null" if name == "none" else name
            self.networks.create(NetworkOptions(name, driver=driver), predefined=True)
        self.namespace.rules_changed()

    def __repr__(self) -> str:
        """A short word of what runs."""
        return f"Engine({self.version!r}: {len(self.networks.by_name)} networks, {len(self.containers)} containers)"

    @property
    def ruleset(self) -> Ruleset:
        """The IPv4 rules of the host."""
        return self.firewall.rulesets[4]

    @property
    def ruleset6(self) -> Ruleset:
        """The IPv6 rules of the host."""
        return self.firewall.rulesets[6]

    def facts(self, family: int) -> facts.Facts:
        """What rules may ask of the engine itself."""
        return facts.of_daemon(self.options, self.host, family, ingress=self.swarm.mesh)

    @property
    def address(self) -> int:
        """The address that other hosts know this one by: its first one that is not its own bridges'."""
        bridges = {network.bridge for network in self.networks.by_name.values()}
        for device in self.namespace.devices.values():
            for address in device.addresses if device.name not in bridges | {"lo"} else ():
                return address.address
        return parse_ip("127.0.0.1")

    def refusal(self, kind: str, **words: object) -> Refused:
        """A refusal in this version's words."""
        return Refused(kind, self.layout.say(kind, **words))

    def count(self) -> int:
        """A number for the next id."""
        self._made += 1
        return self._made

    def why(self, rule: Rule) -> Provenance:
        """Which thing and which options caused a rule, and why it exists; UnknownName where it is not the engine's."""
        return self.firewall.why(rule)

    # -- networks ------------------------------------------------------------------------------------------------------

    def create_network(self, options: NetworkOptions) -> Network:
        """`docker network create`."""
        return self.networks.create(options)

    def remove_network(self, name: str) -> None:
        """`docker network rm`."""
        self.networks.remove(name)

    def connect(self, network: str, container: str, wanted: Attachment | None = None) -> None:
        """`docker network connect`."""
        found, one = self.networks.find(network), self.find(container)
        conflicts.check_connect(self, one, found)
        wanted = replace(wanted or Attachment(network), network=found.name, connected=True)
        try:
            self._check_address(wanted)
        except Refused as error:
            said = str(error).removeprefix(f"invalid config for network {found.name}: ")
            raise Refused(error.kind, said) from None
        if found.name in one.endpoints or found.name in (at.network for at in one.options.attachments):
            raise self.refusal("endpoint_taken", name=one.name, network=found.name)
        one.options = replace(one.options, attachments=(*one.options.attachments, wanted))
        if one.running:
            assert one.sandbox is not None
            self._join(one, found, wanted)
            endpoints.settle(self, one)

    def disconnect(self, network: str, container: str) -> None:
        """`docker network disconnect`."""
        found, one = self.networks.find(network), self.find(container)
        conflicts.check_disconnect(self, one, found)
        left = tuple(at for at in one.options.attachments if at.network != found.name)
        if len(left) == len(one.options.attachments):
            raise self.refusal("not_connected", id=one.id, network=found.name)
        one.options = replace(one.options, attachments=left)
        known = dns.known(self, found, one)
        endpoint = one.endpoints.pop(found.name, None)
        if endpoint is not None and one.sandbox is not None:
            endpoints.settle(self, one)
            endpoints.leave(self, endpoint, one.sandbox)
            files.left(self, one, endpoint, known)
            self.swarm.release(found)

    # -- containers ----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Container:
        """A container by its name or the beginning of its id."""
        found = self.containers.get(name)
        if found is None and len(name) >= 4:
            found = next((one for one in self.containers.values() if one.id.startswith(name)), None)
        if found is None:
            raise self.refusal("container_unknown", name=name)
        return found

    def create(self, options: ContainerOptions) -> Container:
        """`docker create`."""
        conflicts.check_options(self, options)
        options, named = conflicts.by_id(self, options), bool(options.name)
        if options.name and not NAME.fullmatch(options.name):
            raise self.refusal("name_invalid", name=options.name)
        if options.name == "host" and options.network != "host":
            raise UsageError("a container named 'host' would be mistaken for the host itself; name it otherwise")
        number = self.count()
        name = options.name or f"container{number}"
        if name in self.containers:
            raise self.refusal("container_taken", name=name, id=self.containers[name].id)
        for at in options.attachments:
            if "checks_addresses_first" in self.layout.features or not _is_address(at.address or "0.0.0.0"):
                self._check_address(at)
        made = Container(identity("container", name, number), name, replace(options, name=name), named=named)
        self.containers[name] = made
        return made

    def _check_address(self, at: Attachment) -> None:
        """A fixed address must be one of a network whose subnet somebody chose."""
        if not (at.address or at.address6):
            return
        if at.network == "bridge":
            raise self.refusal("address_on_default", network=at.network)
        network = self.networks.by_name.get(at.network)
        if network is None or not at.address:
            return
        if network.options.subnet is None:
            raise self.refusal("address_unconfigured", network=at.network)
        if not _is_address(at.address):
            raise self.refusal("address_invalid", network=at.network, address=at.address)
        subnet = network.subnet(4)
        if subnet is None or ip_address(at.address) not in subnet:
            raise self.refusal("address_outside", network=at.network, address=at.address)

    def run(self, options: ContainerOptions) -> Container:
        """`docker run`: where it cannot be started it stays behind, created, as docker leaves it."""
        made = self.create(options)
        self.start(made.name)
        return made

    def start(self, name: str) -> None:
        """`docker start`: addresses, rules, published ports, links."""
        one = self.find(name)
        if one.running:
            return
        conflicts.check_network(self, one)
        for step, network in (
            (self._start, True),
            (partial(conflicts.check_links, self), False),
            (self._link, True),
            (partial(conflicts.check_runtime, self), False),
        ):
            try:
                step(one)
            except Refused as error:
                self._down(one)
                said = self.layout.say("start_failed", reason=error) if network else str(error)
                raise Refused(error.kind, said) from None
        self.spaces.enter(one)
        one.running = one.exited = True
        files.moved(self, one)

    def _start(self, one: Container) -> None:
        owner = self._owner(one)
        if owner:
            self.namespace.network.aliases[f"{self.name}/{one.name}"] = owner
            files.write_hosts(self, one)
            return
        one.sandbox = Sandbox(self, one.name)
        files.write_hosts(self, one)
        one.sandbox.namespace.sysctls.update(one.options.sysctls)
        for at in one.options.attachments:
            network = self.networks.find(at.network)
            self._check_address(at)
            if network.options.driver == "overlay" and not network.options.attachable and not self.swarm.owns(one):
                raise self.refusal("not_attachable", network=network.name)
            if network.name not in _NO_ENDPOINT:
                self._join(one, network, at)
        endpoints.settle(self, one)

    def _link(self, one: Container) -> None:
        for parent, _alias in one.options.links if "bridge" in one.endpoints else ():
            endpoints.link(self, one, self.find(parent))

    def _owner(self, one: Container) -> str:
        """The place whose namespace a container shares, or nothing where it has one of its own."""
        mode = one.options.network
        if mode == "host":
            return self.namespace.place
        if mode.startswith("container:"):
            return self.namespace.network.find(f"{self.name}/{self.find(mode.removeprefix('container:')).name}").place
        return ""

    def _join(self, one: Container, network: Network, wanted: Attachment) -> None:
        """Put a container on a network."""
        assert one.sandbox is not None
        first = wanted is one.options.attachments[0] and not wanted.connected
        mac = one.options.mac_address if first else ""
        if network.options.driver == "overlay":
            self._join_overlay(one, network, wanted, mac)
        else:
            one.endpoints[network.name] = endpoints.join(self, one.sandbox, network, wanted, mac)
        files.joined(self, one, one.endpoints[network.name])
        if network.name != "bridge":
            one.sandbox.start_resolver()

    def _join_overlay(self, one: Container, network: Network, wanted: Attachment, mac: str) -> None:
        """Put a container on an overlay network: its address is taken before that of the host's load balancer."""
        assert one.sandbox is not None
        address = one.held.get(network.name)
        if address is None:
            address = endpoints.take_address(self, network, network.addresses, wanted.address)
        self.swarm.balance(network)
        made = endpoints.join(self, one.sandbox, network, wanted, mac, address)
        one.endpoints[network.name] = made
        if network.name == INGRESS and made.address is not None:
            guard(one.sandbox, made.address, list(one.mesh_ports))
        endpoints.join_gwbridge(self, one)

    def stop(self, name: str) -> None:
        """`docker stop`."""
        one = self.find(name)
        if not one.running:
            return
        self._down(one)
        one.exit_code = KILLED
        # the first process of a PID namespace takes all others of it along
        for other in self.spaces.leave(one):
            self._down(other)
            self.spaces.leave(other)

    def restart(self, name: str) -> None:
        """`docker restart`."""
        self.stop(name)
        try:
            self.start(name)
        except Refused as error:
            raise Refused(error.kind, self.layout.say("restart_failed", name=name, reason=error)) from None

    def _down(self, one: Container) -> None:
        endpoints.unlink(self, one)
        endpoints.unpublish(self, one)
        if one.sandbox is not None:
            for endpoint in one.endpoints.values():
                endpoints.leave(self, endpoint, one.sandbox)
            one.sandbox.remove()
            for endpoint in one.endpoints.values():
                self.swarm.release(endpoint.network)
        place, network = f"{self.name}/{one.name}", self.namespace.network
        if network.aliases.pop(place, None) is None and one.sandbox is None and place in network.namespaces:
            hand_over(network, place)
        one.endpoints.clear()
        one.gateway, one.sandbox, one.running = None, None, False

    def remove(self, name: str, *, force: bool = False) -> None:
        """`docker rm`; a running one only with `force`."""
        one = self.find(name)
        if one.running and not force:
            raise self.refusal("container_runs", name=name, id=one.id)
        self.stop(one.name)
        del self.containers[one.name]

    # -- swarm ---------------------------------------------------------------------------------------------------------

    def swarm_init(self) -> None:
        """`docker swarm init`."""
        self.swarm.init()

    def swarm_join(self, address: int, *, manager: bool = False) -> None:
        """`docker swarm join`, by the address of a manager."""
        self.swarm.join(address, manager=manager)

    def create_service(self, options: ServiceOptions) -> Service:
        """`docker service create`."""
        return service.create(self, options)

    def scale_service(self, name: str, replicas: int) -> None:
        """`docker service scale`."""
        service.scale(self, name, replicas)

    def update_service(self, name: str, change: ServiceUpdate) -> None:
        """`docker service update`."""
        service.update(self, name, change)

    def remove_service(self, name: str) -> None:
        """`docker service rm`."""
        service.remove(self, name)


def _is_address(text: str) -> bool:
    """Whether a text is an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
