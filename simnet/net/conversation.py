"""One conversation played to its end at time zero, and everything that its packets met: the trace.

A `Trace` is what every view is made of: the text, the JSON, the picture, and the comparison with a recording.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .address import ip_text
from .network import SECOND, Network
from .packet import ACK, SYN, Arp, IPv4, TcpSegment
from .program import Client, endpoint_text
from .step import ChainWalk, ConntrackStep, Crossing, Drop, Step

# how long a client waits for its answer; a SYN is sent again after 1 s, an unanswered ARP is given up after 3 s
PATIENCE = 3 * SECOND // 2


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked: from a place to an address (and port), and how; after `patience` (ns) the client gives up."""

    frm: str
    to: int
    port: int = 0
    proto: str = "tcp"
    sport: int = 40000
    ttl: int = 64
    size: int = 0
    patience: int = PATIENCE

    def __str__(self) -> str:
        """`tcp from wan to 192.0.2.2:2222`."""
        port = f":{self.port}" if self.proto != "icmp" else ""
        return f"{self.proto} from {self.frm} to {ip_text(self.to)}{port}"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a conversation cost, in counts.

    A hop is a device that a packet went into or out of; namespaces are those that were crossed.
    """

    packets: int
    hops: int
    namespaces: int
    hooks: int
    chains: int
    rules_evaluated: int
    rules_matched: int
    conntrack_lookups: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A conversation's steps, in order, and its outcome.

    `verdict`: reply, refused, reset, timeout, net-unreachable, host-unreachable, ttl-exceeded, or an errno in small
    letters that the sender got (`eperm`). `server_saw` and `served_at` are `ADDR:PORT`, or empty without a server.
    """

    probe: Probe
    verdict: str
    errno: str
    server_saw: str
    served_at: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = field(default=())

    def packets(self) -> list[list[Step]]:
        """The steps of each packet, in the order in which the packets were made."""
        found: dict[int, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.serial, []).append(step)
        return list(found.values())

    def walks(self) -> list[ChainWalk]:
        """Every base chain that was walked, by every packet."""
        return [step for step in self.steps if isinstance(step, ChainWalk)]

    def devices(self) -> dict[str, list[str]]:
        """The devices that the probe's packets crossed, by place, as a capture on all devices shows them.

        TCP: the first packet (SYN) alone. A tunnel's packets count where they are on the outer network.
        """
        found: dict[str, list[str]] = {}
        for step in self.steps:
            if isinstance(step, Crossing) and isinstance(step.packet, IPv4) and self._counts(step.packet):
                found.setdefault(step.place, []).append(str(step))
        return found

    def _counts(self, packet: IPv4) -> bool:
        transport = packet.transport
        inner = getattr(transport, "inner", None)
        if inner is not None:
            return isinstance(inner.payload, IPv4) and self._counts(inner.payload)
        if packet.proto_name != self.probe.proto:
            return False
        return not isinstance(transport, TcpSegment) or transport.flags & (SYN | ACK) == SYN

    def dropped_by(self) -> Drop | None:
        """What ended the conversation: the first drop of an IP packet that was no repetition and no answer to one."""
        if self.verdict == "reply":
            return None
        drops = [step for step in self.steps if isinstance(step, Drop) and isinstance(step.packet, IPv4)]
        decisive = [drop for drop in drops if not drop.other_host]
        return next(iter(decisive or drops), None)

    def totals(self) -> Totals:
        """The counts of the whole conversation (ARP left out)."""
        return count(self.steps)


def count(steps: Iterable[Step]) -> Totals:
    """Count what some steps came to."""
    from .step import Hook

    own = [step for step in steps if not isinstance(step.packet, Arp)]
    walks = [step for step in own if isinstance(step, ChainWalk)]
    return Totals(
        packets=len({step.serial for step in own}),
        hops=sum(isinstance(step, Crossing) for step in own),
        namespaces=len({step.place for step in own}),
        hooks=sum(isinstance(step, Hook) for step in own),
        chains=len(walks),
        rules_evaluated=sum(walk.evaluated for walk in walks),
        rules_matched=sum(len(walk.hits) for walk in walks),
        conntrack_lookups=sum(isinstance(step, ConntrackStep) and step.action == "lookup" for step in own),
    )


def converse(network: Network, probe: Probe, *, until_answered: bool = False) -> Trace:
    """Play a conversation over a network whose servers already listen, and give its trace.

    Conntrack entries, learned addresses and counters stay in the network, as on a real host. `until_answered` ends it
    as soon as the client has its verdict, before the connection is closed.
    """
    client = Client(network.find(probe.frm), probe.proto, probe.to, probe.port, probe.sport, probe.ttl, probe.size)
    before = {id(server): len(server.seen) for server in network.servers}
    client.start()
    steps: list[Step] = []
    for step in network.run(network.now + probe.patience, done=lambda: bool(client.verdict)):
        steps.append(step)
        if until_answered and client.verdict:
            break
    steps += list(waiting_drops(network))
    news = (server.seen[before.get(id(server), 0) :] for server in network.servers)
    seen = next((clients[0] for clients in news if clients), None)
    return Trace(
        probe,
        client.verdict or "timeout",
        client.errno,
        endpoint_text(seen[0]) if seen else "",
        endpoint_text(seen[1]) if seen else "",
        tuple(steps),
        tuple(network.notes),
    )


def waiting_drops(network: Network) -> Iterable[Drop]:
    """What still waits for an ARP reply when the client gives up."""
    from .stack.neighbour import no_answer

    for namespace in network.namespaces.values():
        for (name, address), waiting in namespace.waiting.items():
            device = namespace.devices[name]
            for skb in waiting:
                yield Drop(namespace.place, skb.serial, skb.packet, no_answer(address, device))
