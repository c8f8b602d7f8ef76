"""What a step costs by a price list: its kind, what it compared, how many bytes it moved.

A `Burst` is a piece of work that one CPU does without a break: a softirq's, or a process' between two sleeps. What a
step costs hangs on a little of what came before it there, which the burst keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simnet.net.network import Network
from simnet.net.packet import ICMP, TCP, Arp, Ip, TcpSegment, UdpDatagram
from simnet.net.step import (
    Balance,
    BridgeStep,
    ChainWalk,
    ConntrackStep,
    Crossing,
    Delivery,
    HandOver,
    Hook,
    NeighbourStep,
    Origin,
    Reshape,
    Rewrite,
    RouteStep,
    Step,
    Tunnel,
)

from .costs import Costs
from .keys import KEYS

Charge = Iterator[tuple[str, int]]
_JUMPS = ("JUMP", "GOTO")
# what a verdict alone takes is in the rule
_FREE = frozenset({"ACCEPT", "DROP", "RETURN", "CONTINUE"})


@dataclass(eq=False, slots=True)
class Burst:
    """Work of one CPU: whether a process does it, what it came to so far (ns), and the bill by heading.

    `paid` says of each price how many times (or bytes) it was paid. `last` is the step before; `own` holds the packets
    that were made here, `bridged` that the packet came in by a bridge's port and has not been handed up; `called` that
    the process has paid for its system call.
    """

    process: bool = False
    spent: int = 0
    bill: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    last: Step | None = None
    own: set[int] = field(default_factory=set)
    bridged: bool = False
    called: bool = False


class Pricing:
    """Prices for the steps of one network.

    `together`: cables between machines are veth pairs, as where everything is on one computer.
    """

    def __init__(self, network: Network, costs: Costs, *, together: bool = False) -> None:
        """Charge by a price list."""
        self.network, self.costs, self.together, self.backend = network, costs, together, costs.backend
        self._kinds: dict[tuple[str, str], str] = {}
        self._charges: dict[type[Step], Callable[[Burst, Step], Charge]] = {
            Crossing: self._crossing, HandOver: self._hand_over, Hook: self._hook, ChainWalk: self._chain,
            ConntrackStep: self._conntrack, Rewrite: self._plain("nat.rewrite"), Balance: self._plain("ipvs"),
            RouteStep: self._route, NeighbourStep: self._plain("neighbour"), BridgeStep: self._bridge,
            Tunnel: self._tunnel, Delivery: self._delivery, Origin: self._origin, Reshape: self._reshape,
        }  # fmt: skip

    def charge(self, burst: Burst, step: Step) -> int:
        """What a step of a burst takes, in ns; it is added to the burst."""
        charges = self._charges.get(type(step))
        spent = self.add(burst, charges(burst, step)) if charges is not None else 0
        burst.last = step
        return spent

    def add(self, burst: Burst, charges: Charge) -> int:
        """Put (price, amount) pairs on a burst's bill; returns their sum in whole ns."""
        spent = 0
        for key, amount in charges:
            if amount:
                burst.paid[key] += amount
            cost = round(self.costs[key] * amount)
            if cost:
                burst.bill[KEYS[key].heading] += cost
                spent += cost
        burst.spent += spent
        return spent

    def wake(self, packet: Ip | Arp | None, by: str, *, sleeps: bool) -> Charge:
        """What a process pays before it goes on: for being switched to, and for taking in what woke it."""
        yield "wake-up.switch" if sleeps else "wake-up.poll", 1
        size = _data(packet)
        if isinstance(packet, Ip) and (size or _proto(packet) != "tcp"):
            yield f"receive.{_proto(packet)}", 1
            yield "copy.receive", size
        if by == "docker-proxy":
            yield "proxy.datagram", 1

    def _plain(self, key: str) -> Callable[[Burst, Step], Charge]:
        return lambda _burst, _step: iter(((key, 1),))

    def _kind(self, place: str, name: str) -> str:
        """The kind of a device, as prices know it."""
        key = place, name
        if key not in self._kinds:
            kind = self.network.namespaces[place].devices[name].kind
            self._kinds[key] = "veth" if kind == "physical" and self.together else kind
        return self._kinds[key]

    def _crossing(self, burst: Burst, step: Step) -> Charge:
        assert isinstance(step, Crossing)
        device = self.network.namespaces[step.place].devices[step.device]
        out = step.direction == "Out"
        burst.bridged = not out and device.master is not None
        yield f"device.{self._kind(step.place, step.device)}.{'out' if out else 'in'}", 1

    def _hand_over(self, _burst: Burst, step: Step) -> Charge:
        assert isinstance(step, HandOver)
        yield "softirq" if step.to == "softirq" else "wake-up.waker", 1

    def _hook(self, burst: Burst, _step: Step) -> Charge:
        yield "hook", 1
        if burst.bridged:
            yield "bridge.netfilter", 1

    def _chain(self, _burst: Burst, step: Step) -> Charge:
        assert isinstance(step, ChainWalk)
        backend = self.backend
        yield f"chain.{backend}", 1
        yield f"rule.{backend}", step.evaluated
        for name, count in step.conditions:
            key = f"condition.{backend}.{name}"
            yield key if key in KEYS else self._known(f"match.{backend}", name), count
        for hit in step.hits:
            if hit.verdict not in _FREE:
                jump = hit.verdict.startswith(_JUMPS)
                yield self._known(f"target.{backend}", "jump" if jump else hit.verdict), 1

    def _known(self, group: str, name: str) -> str:
        key = f"{group}.{name}"
        return key if key in KEYS else f"{group}.other"

    def _conntrack(self, _burst: Burst, step: Step) -> Charge:
        assert isinstance(step, ConntrackStep)
        if step.action == "confirm":
            yield "conntrack.new", 1
            yield "conntrack.confirm", 1
        elif step.action != "ignored":  # nf_conntrack_in leaves at once where a packet has its connection, as on lo
            yield "conntrack.lookup", 1

    def _route(self, burst: Burst, step: Step) -> Charge:
        assert isinstance(step, RouteStep)
        yield "route", 1
        if step.type == "unicast" and step.serial not in burst.own:
            yield "forward", 1

    def _bridge(self, burst: Burst, step: Step) -> Charge:
        assert isinstance(step, BridgeStep)
        burst.bridged = burst.bridged and step.decision != "local"
        yield "bridge", 1

    def _tunnel(self, _burst: Burst, step: Step) -> Charge:
        assert isinstance(step, Tunnel)
        yield f"tunnel.{step.action}", 1
        device = self.network.namespaces[step.place].devices[step.device]
        if getattr(device, "encrypted", False):
            yield "encrypt.packet", 1
            yield "encrypt.byte", step.packet.length

    def _delivery(self, _burst: Burst, step: Step) -> Charge:
        yield f"delivery.{'tcp' if _proto(step.packet) == 'tcp' else 'udp'}", 1

    def _origin(self, burst: Burst, step: Step) -> Charge:
        burst.own.add(step.serial)
        if burst.process and not burst.called:
            burst.called = True
            yield f"send.{_proto(step.packet)}", 1
        yield "origin", 1
        if burst.process:
            yield "copy.send", _data(step.packet)

    def _reshape(self, _burst: Burst, step: Step) -> Charge:
        assert isinstance(step, Reshape)
        yield "fragment", step.parts


def _proto(packet: Ip | Arp) -> str:
    proto = packet.proto if isinstance(packet, Ip) else 0
    return {TCP: "tcp", ICMP: "icmp"}.get(proto, "udp")


def _data(packet: Ip | Arp | None) -> int:
    """The bytes of data that a packet carries for a process."""
    transport = packet.transport if isinstance(packet, Ip) else None
    return len(transport.data) if isinstance(transport, TcpSegment | UdpDatagram) else 0
