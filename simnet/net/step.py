"""What a packet meets on its way: one frozen record for each point, printing itself as one line.

A walk yields these and nothing else. A step says where (`place`), which packet (`serial`, and `packet` as it was
there) and counts; it never holds a time. The tracer lists steps, a simulator prices them, a picture draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .address import ip_text
from .packet import Arp, Ip, IPv4

In, Out, Other, Broadcast, Multicast = "In", "Out", "P", "B", "M"


@dataclass(frozen=True, slots=True)
class Step:
    """The part that all steps share: `place` (`h1/web`), the packet's `serial` number, the packet as it was there."""

    kind: ClassVar[str] = "step"
    place: str
    serial: int
    packet: Ip | Arp


@dataclass(frozen=True, slots=True)
class Crossing(Step):
    """A device that the packet crossed, as a capture on all devices shows it.

    `direction` is `In`, `Out`, `P` (received, but addressed to another machine), `B` or `M` (broadcast, multicast).
    """

    kind: ClassVar[str] = "device"
    device: str
    direction: str

    def __str__(self) -> str:
        """`eth0 In`."""
        return f"{self.device} {self.direction}"


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that matched: its chain, its number in it (from 1), its text as iptables-save writes it, what it did."""

    chain: str
    number: int
    text: str
    verdict: str

    def __str__(self) -> str:
        """`DOCKER 2: -A DOCKER … -j DNAT …`."""
        return f"{self.chain} {self.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule whose match a snapshot cannot settle; the walk went on as `assumed`."""

    table: str
    chain: str
    number: int
    text: str
    why: str
    assumed: bool


@dataclass(frozen=True, slots=True)
class ChainWalk(Step):
    """One base chain that was walked: the rules that matched in order, how many were compared, and the verdict.

    `policy` is set where the chain ended in its policy; `undecided` names the rules that a snapshot cannot settle.
    `conditions` says how many conditions of each kind were tried on the way (`address`, `interface`, `protocol`,
    `fragment`, or a match module's name), where the network counts them.
    """

    kind: ClassVar[str] = "chain"
    table: str
    chain: str
    iif: str
    oif: str
    hits: tuple[RuleHit, ...]
    policy: str
    evaluated: int
    verdict: str
    undecided: tuple[Undecided, ...] = ()
    conditions: tuple[tuple[str, int], ...] = ()

    @property
    def rules(self) -> list[str]:
        """The matched rules' texts, ending in `CHAIN policy X` where the policy decided."""
        texts = [hit.text for hit in self.hits]
        return [*texts, f"{self.chain} policy {self.policy}"] if self.policy else texts

    def __str__(self) -> str:
        """`nat PREROUTING: 2 of 3 rules matched, accept`."""
        return (
            f"{self.table} {self.chain}: {len(self.hits)} of {self.evaluated} compared rules matched, "
            f"{self.verdict.lower()}"
        )


@dataclass(frozen=True, slots=True)
class Hook(Step):
    """One of netfilter's five hooks was passed; `iif` and `oif` are the devices that it saw."""

    kind: ClassVar[str] = "hook"
    name: str
    iif: str
    oif: str

    def __str__(self) -> str:
        """`hook FORWARD in docker0 out eth0`."""
        return f"hook {self.name}" + (f" in {self.iif}" if self.iif else "") + (f" out {self.oif}" if self.oif else "")


@dataclass(frozen=True, slots=True)
class ConntrackStep(Step):
    """The conntrack table was searched (`action` lookup), gained an entry (new), or confirmed it (confirm)."""

    kind: ClassVar[str] = "conntrack"
    action: str
    state: str
    entry: str

    def __str__(self) -> str:
        """`conntrack lookup: NEW`."""
        return f"conntrack {self.action}: {self.state}" + (f" [{self.entry}]" if self.entry else "")


@dataclass(frozen=True, slots=True)
class Rewrite(Step):
    """NAT changed an address or port: `packet` is the result, `before` what it was."""

    kind: ClassVar[str] = "nat"
    manip: str
    before: IPv4

    def __str__(self) -> str:
        """`DNAT 192.0.2.2:2222 → 172.17.0.3:22`."""
        after = self.packet
        assert isinstance(after, IPv4)
        old, new = [_end(p.dst, p.dport) if self.manip == "DNAT" else _end(p.src, p.sport)
                    for p in (self.before, after)]  # fmt: skip
        return f"{self.manip} {old} → {new}"


@dataclass(frozen=True, slots=True)
class Balance(Step):
    """IPVS rewrote a packet: `packet` is the result, `before` what it was; `service` as IPVS lists it.

    `action` is `scheduled` (a real server was chosen), `known` (the connection has one), or `answer` (of that server).
    """

    kind: ClassVar[str] = "ipvs"
    action: str
    service: str
    before: IPv4

    def __str__(self) -> str:
        """`IPVS FWM 0x100 rr scheduled: 10.0.0.3:80 → 10.0.0.5:80`."""
        after, before = self.packet, self.before
        assert isinstance(after, IPv4)
        ends = [_end(p.src, p.sport) if self.action == "answer" else _end(p.dst, p.dport) for p in (before, after)]
        return f"IPVS {self.service} {self.action}: {ends[0]} → {ends[1]}"


def _end(address: int, port: int) -> str:
    return f"{ip_text(address)}:{port}" if port else ip_text(address)


@dataclass(frozen=True, slots=True)
class RouteStep(Step):
    """A routing decision: the kind of route, the device and the next hop, and the table that held it."""

    kind: ClassVar[str] = "route"
    type: str
    device: str
    via: int
    table: str

    def __str__(self) -> str:
        """`route unicast via 192.0.2.1 dev eth0 (main)`."""
        via = f" via {ip_text(self.via)}" if self.via else ""
        dev = f" dev {self.device}" if self.device else ""
        return f"route {self.type}{via}{dev}" + (f" ({self.table})" if self.table else "")


@dataclass(frozen=True, slots=True)
class NeighbourStep(Step):
    """The next hop's hardware address was looked up; `mac` is empty while it is being asked for."""

    kind: ClassVar[str] = "neighbour"
    address: int
    device: str
    mac: str

    def __str__(self) -> str:
        """`neighbour 172.17.0.3 dev docker0 is 02:42:ac:11:00:03`."""
        answer = f"is {self.mac}" if self.mac else "unknown, ask by ARP"
        return f"neighbour {ip_text(self.address)} dev {self.device} {answer}"


@dataclass(frozen=True, slots=True)
class BridgeStep(Step):
    """A bridge's decision: `forward` to one port, `flood` to several, `local` to its own host, or `drop`."""

    kind: ClassVar[str] = "bridge"
    bridge: str
    decision: str
    ports: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`bridge docker0: forward to vethe1e88b2`."""
        return f"bridge {self.bridge}: {self.decision}" + (f" to {', '.join(self.ports)}" if self.ports else "")


@dataclass(frozen=True, slots=True)
class Tunnel(Step):
    """A frame went into (`encapsulate`) or came out of (`decapsulate`) a VXLAN tunnel."""

    kind: ClassVar[str] = "tunnel"
    action: str
    device: str
    vni: int
    remote: int

    def __str__(self) -> str:
        """`vxlan0 encapsulate vni 4097 to 192.0.2.3`."""
        return f"{self.device} {self.action} vni {self.vni}" + (f" to {ip_text(self.remote)}" if self.remote else "")


@dataclass(frozen=True, slots=True)
class HandOver(Step):
    """The packet waits for another CPU context: `softirq` (a device's backlog) or `wake-up` (of a process)."""

    kind: ClassVar[str] = "hand-over"
    to: str

    def __str__(self) -> str:
        """`hand-over to softirq`."""
        return f"hand-over to {self.to}"


@dataclass(frozen=True, slots=True)
class Delivery(Step):
    """A socket received the packet; `by` names the program that holds it."""

    kind: ClassVar[str] = "delivery"
    socket: str
    by: str

    def __str__(self) -> str:
        """`delivered to server (tcp 0.0.0.0:22)`."""
        return f"delivered to {self.by} ({self.socket})"


@dataclass(frozen=True, slots=True)
class Origin(Step):
    """A program or the kernel itself made the packet."""

    kind: ClassVar[str] = "origin"
    by: str

    def __str__(self) -> str:
        """`sent by client`."""
        return f"sent by {self.by}"


@dataclass(frozen=True, slots=True)
class Reshape(Step):
    """The packet was cut into fragments or put together again; `parts` is their number."""

    kind: ClassVar[str] = "fragment"
    action: str
    parts: int

    def __str__(self) -> str:
        """`fragmented into 2`."""
        return f"{self.action} {self.parts}"


@dataclass(frozen=True, slots=True)
class Drop(Step):
    """The packet died here: the reason in words, and the rule that did it, if one did.

    `other_host` marks a frame that a bridge flooded past the machine it is for (PACKET_OTHERHOST): its end is no loss.
    """

    kind: ClassVar[str] = "drop"
    reason: str
    rule: RuleHit | None = field(default=None)
    other_host: bool = False

    def __str__(self) -> str:
        """`dropped: …`."""
        return f"dropped: {self.reason}"
