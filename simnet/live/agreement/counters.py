"""What a probe added to the rules' counters, by the kernel's own count and by the model's.

The kernel counts a packet at each rule that it matched, jumps and rules that only count among them, and at a base
chain's policy where that decided. The model's count is the sum over all its packets, of any protocol. A rule that
stands twice in a table counts once, with the sum.

Compared are:

- a rule's packets, exactly. How many packets an open TCP connection sends is a matter of timing (an acknowledgement is
  delayed, or rides on data), so a rule that saw others of its packets than SYN and SYN ACK must have been raised on
  both sides, by the same number of bytes beyond the 52 that each packet's headers have;
- where a docker-proxy took the connection and closed it again, of such a rule only that it was raised: whether it
  closes before or after the client's first bytes come, and so with a FIN or a RST, is a matter of timing;
- its bytes, where its packets are and the recording tells them;
- of a rule of the nat table that saw a tunnel's packets, no more than the model has and no less than without those: an
  earlier packet may have opened the tunnel's own connection, and nat sees only the first;
- nothing of a rule of which the recording says that nobody can tell, as other traffic raises it too;
- a policy, where the recording tells of it: only the legacy tables count there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simnet.docker.drivers.overlay import PORT as VXLAN_PORT
from simnet.live.recording.recorded import Recorded, RuleCounter

# a TCP packet without data: IPv4's header, TCP's, its timestamps
_ACKNOWLEDGEMENT = 52
_RESET = "error ECONNRESET"
_OPENING = {"SYN", "SYN ACK", "ACK SYN"}
# where, table, rule
_Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """One rule's two counts as text, and one of the model's chain walks that raised it, if any did."""

    where: str
    table: str
    rule: str
    kernel: str
    simnet: str
    walk: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Sum:
    packets: int = 0
    bytes: int | None = 0
    timed: bool = False
    opening: int = 0
    walk: Mapping[str, Any] | None = None

    def add(self, packets: int, size: int | None) -> None:
        self.packets += packets
        self.bytes = None if size is None or self.bytes is None else self.bytes + size


def compared(recorded: Recorded, answer: Mapping[str, Any]) -> Iterator[Count]:
    """The counts of every rule that either side raised; none where the recording holds no counters."""
    if recorded.counters is None:
        return
    unknown = {(one.where, one.table, one.rule) for one in recorded.counters if one.packets is None}
    kernel, simnet, cut = _kernel(recorded.counters), _simnet(answer["walks"]), cut_off(recorded, answer)
    for name in dict.fromkeys([*kernel, *simnet]):
        if name not in unknown and (name in kernel or " policy " not in name[2]):
            one, other = kernel.get(name, _Sum()), simnet.get(name, _Sum())
            yield Count(*name, *_told(one, other, cut=other.timed and cut), other.walk)


def cut_off(recorded: Recorded, answer: Mapping[str, Any]) -> bool:
    """Whether a docker-proxy took a connection and closed it again, as it found nobody to pass it on to."""
    steps = (step for packet in answer["packets"] for step in packet["steps"] if step["kind"] == "delivery")
    return recorded.result == _RESET and any("delivered to docker-proxy" in step["text"] for step in steps)


def opens_tunnel(walk: Mapping[str, Any]) -> bool:
    """Whether a walk is that of a tunnel's packet through the nat table, which sees the first of a connection only."""
    return bool(walk["table"] == "nat" and walk["proto"] == "udp" and walk["dport"] == VXLAN_PORT)


def _told(kernel: _Sum, simnet: _Sum, *, cut: bool) -> tuple[str, str]:
    """What is to be the same on both sides."""
    if simnet.opening and simnet.packets - simnet.opening <= kernel.packets <= simnet.packets:
        kernel = simnet
    sized = not cut and kernel.bytes is not None and bool(kernel.packets and simnet.packets)
    one, other = (_text(one, sized=sized, timed=simnet.timed and bool(kernel.packets)) for one in (kernel, simnet))
    return one, other


def _text(one: _Sum, *, sized: bool, timed: bool) -> str:
    if timed:
        return "raised" + (f", {(one.bytes or 0) - _ACKNOWLEDGEMENT * one.packets} bytes beyond headers" * sized)
    return f"{one.packets} packets" + f", {one.bytes} bytes" * sized


def _kernel(counters: tuple[RuleCounter, ...]) -> dict[_Name, _Sum]:
    found: dict[_Name, _Sum] = {}
    for one in counters:
        found.setdefault((one.where, one.table, one.rule), _Sum()).add(one.packets or 0, one.bytes)
    return found


def _simnet(walks: list[Mapping[str, Any]]) -> dict[_Name, _Sum]:
    found: dict[_Name, _Sum] = {}
    for walk in walks:
        for rule in walk["rules"]:
            row = found.setdefault((walk["where"], walk["table"], rule), _Sum(walk=walk))
            row.add(1, walk["length"])
            row.opening += opens_tunnel(walk)
            row.timed |= walk["proto"] == "tcp" and walk["flags"] not in _OPENING
    return found
