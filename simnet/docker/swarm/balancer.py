"""A node's load balancer on one overlay network: a namespace that has the services' virtual addresses, and IPVS.

What goes to a virtual address (in the ingress network: to a published port) gets a firewall mark, IPVS sends what has
the mark to one task after the other, and it leaves under the load balancer's own address, so that answers come back.

Models: libnetwork/service_linux.go (addLBBackend, rmLBBackend, configureFWMark) of moby, which is the same in
all versions.
Leaves out: direct server return, and that a task gets no new connections for a moment before it is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simnet.docker import endpoints
from simnet.docker.options import Attachment, ServicePort
from simnet.docker.rules.facts import block
from simnet.docker.sandbox import Sandbox
from simnet.net.device import InterfaceAddress
from simnet.net.devinet import add_address, delete_address
from simnet.net.ipvs import RealServer, VirtualService

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.ipam import Address
    from simnet.docker.objects import Network
    from simnet.docker.swarm.cluster import Backend

# what an engine sets once IPVS is in use in a namespace
_TWEAKS = ("net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_quiescent_template")


@dataclass(eq=False, slots=True)
class _Balanced:
    """A service as this node met it: its mark, its virtual address (none: names lead to the tasks), its tasks."""

    mark: int
    vip: Address | None
    ports: tuple[ServicePort, ...]
    tasks: list[Address] = field(default_factory=list)
    service: VirtualService | None = None


class LoadBalancer:
    """The load balancer of a node on a network; in the ingress network it opens the node's ports as well.

    Example:
        >>> from simnet.docker.engine import Engine
        >>> from simnet.docker.options import ServiceOptions
        >>> engine = Engine("28.5.2")
        >>> engine.swarm_init()
        >>> web = engine.create_service(ServiceOptions("web", replicas=2, ports=(ServicePort(80, 8080),)))
        >>> print(engine.swarm.ingress.namespace.ipvs.text().splitlines()[3].rstrip())
        FWM  00000100 rr
    """

    def __init__(self, engine: Engine, network: Network, name: str) -> None:
        """Make the namespace, and put it on the network."""
        self._engine = engine
        self._network = network
        self._met: dict[tuple[str, tuple[ServicePort, ...]], _Balanced] = {}
        # a new namespace takes IPv4 forwarding over from the one that the kernel booted with, where the engine set it
        self.sandbox = Sandbox(engine, name, forwards=engine.namespace.forwards)
        self.endpoint = endpoints.join(engine, self.sandbox, network, Attachment(network.name))
        self.sandbox.start_resolver()

    def catch_up(self) -> None:
        """Take in what the other nodes know already."""
        assert self._network.shared is not None
        for backend in self._network.shared.backends:
            self.add(backend)

    def add(self, backend: Backend) -> None:
        """A task came: serve its service's virtual address, if it has one, by this task too."""
        found = self._met.get(backend.key)
        if found is None:
            found = _Balanced(self._engine.swarm.next_mark(), backend.vip, backend.ports)
            self._met[backend.key] = found
        found.tasks.append(backend.address)
        if found.vip is None:
            return
        if found.service is None:
            self._open(found, backend.name)
        assert found.service is not None
        found.service.add(RealServer(int(backend.address)))
        sysctls = self.sandbox.namespace.sysctls
        sysctls["net.ipv4.vs.conn_reuse_mode"] = "0"
        sysctls.update(dict.fromkeys(_TWEAKS, "1"))
        self.sandbox.namespace.rules_changed()

    def drop(self, backend: Backend) -> None:
        """A task went; with the last one its service goes too."""
        found = self._met.get(backend.key)
        if found is None or backend.address not in found.tasks:
            return
        found.tasks.remove(backend.address)
        if found.service is not None:
            found.service.remove(int(backend.address))
        if found.tasks:
            return
        del self._met[backend.key]
        if found.service is not None:
            self._shut(found)
        self.sandbox.namespace.rules_changed()

    def _open(self, one: _Balanced, name: str) -> None:
        """Take the virtual address, open the ports on the host, and mark what comes for them."""
        sandbox, own = self.sandbox, self.endpoint
        assert own.device is not None
        assert own.address is not None
        if all(address.address != int(one.vip or 0) for address in own.device.addresses):
            add_address(own.device, InterfaceAddress(int(one.vip or 0), 32))
        self._engine.swarm.open(name, one.ports)
        for chain, words in _marks(one):
            sandbox.append_rule("mangle", chain, words, "load balancer")
        snat = f"-d {self._network.subnet(4)} -m ipvs --ipvs -j SNAT --to-source {own.address}"
        if not sandbox.has_rule("nat", "POSTROUTING", snat):
            sandbox.append_rule("nat", "POSTROUTING", snat, "load balancer")
            sandbox.namespace.sysctls["net.ipv4.vs.conntrack"] = "1"
        one.service = sandbox.namespace.ipvs.add(VirtualService(one.mark))

    def _shut(self, one: _Balanced) -> None:
        """Take all of that back, but for the rule that all services share."""
        sandbox, device = self.sandbox, self.endpoint.device
        assert one.service is not None
        sandbox.namespace.ipvs.remove(one.service)
        self._engine.swarm.shut(one.ports)
        for chain, words in _marks(one):
            sandbox.delete_rule("mangle", chain, words)
        if device is None or any(other.vip == one.vip for other in self._met.values()):
            return
        for address in [each for each in device.addresses if each.address == int(one.vip or 0)]:
            delete_address(device, address)

    def remove(self) -> None:
        """Take the load balancer away, with what it opened on the host."""
        for one in self._met.values():
            if one.service is not None:
                self._engine.swarm.shut(one.ports)
        self._met.clear()
        endpoints.leave(self._engine, self.endpoint, self.sandbox)
        self.sandbox.remove()


def _marks(one: _Balanced) -> list[tuple[str, str]]:
    """The rules that mark what is for a service: by chain and words."""
    mark = f"-j MARK --set-xmark {one.mark:#x}/0xffffffff"
    ports = [("PREROUTING", f"-p {port.proto} -m {port.proto} --dport {port.published} {mark}") for port in one.ports]
    assert one.vip is not None
    return [*ports, ("INPUT", f"-d {block(one.vip)} {mark}")]


def guard(sandbox: Sandbox, address: Address, ports: list[ServicePort]) -> None:
    """In a task's namespace: lead published ports to the task's own, and let nothing else of the ingress network in.

    Models: addRedirectRules of service_linux.go.
    """
    own = block(address)
    for port in ports:
        proto, target = f"-p {port.proto} -m {port.proto}", port.target
        redirect = f"-d {own} {proto} --dport {port.published} -j REDIRECT --to-ports {target}"
        sandbox.append_rule("nat", "PREROUTING", redirect, "routing mesh")
        comes = f"-d {own} {proto} --dport {target} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"
        sandbox.append_rule("filter", "INPUT", comes, "routing mesh", first=True)
        goes = f"-s {own} {proto} --sport {target} -m conntrack --ctstate ESTABLISHED -j ACCEPT"
        sandbox.append_rule("filter", "OUTPUT", goes, "routing mesh", first=True)
    for proto in ("sctp", "udp", "tcp") if ports else ():
        sandbox.append_rule("filter", "INPUT", f"-d {own} -p {proto} -j DROP", "routing mesh")
        sandbox.append_rule("filter", "OUTPUT", f"-s {own} -p {proto} -j DROP", "routing mesh")
