"""A cache of chain walks in front of the tables: a packet like an earlier one gets its walk without a look at a rule.

What "like" means is read off the rules: the key holds the packet's five-tuple and devices, and whatever else the
matches of the reachable chains look at. Chains that hold a match with a memory of its own (limit, recent, statistic),
one that is undecided, or a module not listed here are never cached; nor is a walk that changed its packet.
An entry lives until the table changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..packet import IcmpMessage, TcpSegment
from .matches import connection_states

if TYPE_CHECKING:
    from ..step import RuleHit
    from .context import Context
    from .rule import Chain, Rule, Table

# rules that a base chain must lead to for a key to be quicker than a walk
WORTH_IT = 48

Read = Callable[["Context"], Hashable]


def _kind(c: Context) -> Hashable:
    """TCP flags and options, or ICMP type and code."""
    transport = c.ip.transport
    if isinstance(transport, TcpSegment):
        return transport.flags, transport.options
    return (transport.type, transport.code) if isinstance(transport, IcmpMessage) else None


def _connection(c: Context) -> Hashable:
    found = c.skb.connection
    if found is None:
        return None
    return found.original, found.reply, found.mark, frozenset(found.status_names())


def _ports_of_bridge(c: Context) -> Hashable:
    info = c.skb.bridge
    return (info.physin, info.physout) if info is not None else None


# what each module looks at beyond addresses, ports, protocol and devices
_READS: dict[str, tuple[Read, ...]] = {
    "ip": (lambda c: c.ip.fragment is not None and c.ip.fragment.offset,),
    "tcp": (_kind,),
    "icmp": (_kind,),
    "udp": (),
    "multiport": (),
    "comment": (),
    "iprange": (),
    "addrtype": (),
    "length": (lambda c: c.ip.length,),
    "ttl": (lambda c: c.ip.ttl,),
    "dscp": (lambda c: c.ip.tos,),
    "tos": (lambda c: c.ip.tos,),
    "mark": (lambda c: c.skb.mark,),
    "connmark": (_connection,),
    "conntrack": (lambda c: frozenset(connection_states(c)), lambda c: c.skb.reply, _connection),
    "state": (lambda c: frozenset(connection_states(c)),),
    "mac": (lambda c: (c.skb.src_mac, c.skb.local, c.skb.device),),
    "pkttype": (lambda c: c.skb.packet_type,),
    "physdev": (_ports_of_bridge,),
}


@dataclass(frozen=True, slots=True)
class CachedWalk:
    """A walk that is kept: what matched, with the rules whose counters rise, and how it ended."""

    hits: tuple[RuleHit, ...]
    rules: tuple[Rule, ...]
    policy: str
    evaluated: int
    verdict: str


class FlowCache:
    r"""The walks of one base chain, by what its rules can tell apart.

    Example:
        >>> from simnet.net.netfilter.save import parse
        >>> table = parse("*filter\n:INPUT DROP [0:0]\n-A INPUT -m ttl --ttl-eq 1 -j DROP\nCOMMIT\n").tables["filter"]
        >>> FlowCache(table, table.chains["INPUT"]).usable  # a walk of one rule is quicker
        False
    """

    __slots__ = ("_entries", "_reads", "_versions", "usable")

    def __init__(self, table: Table, base: Chain) -> None:
        """Read off the chains that `base` leads to what a key must hold."""
        self._entries: dict[Hashable, CachedWalk] = {}
        chains = reachable(table, base)
        self._versions = [(chain, chain.version) for chain in chains]
        rules = [rule for chain in chains for rule in chain.rules]
        modules = {match.module for rule in rules for match in rule.matches}
        self.usable = len(rules) >= WORTH_IT and modules <= _READS.keys()
        reads = [read for module in sorted(modules & _READS.keys()) for read in _READS[module]]
        self._reads = tuple(dict.fromkeys(reads))

    def __len__(self) -> int:
        """The number of walks that are kept."""
        return len(self._entries)

    @property
    def fresh(self) -> bool:
        """Whether no reachable chain has changed."""
        return all(chain.version == version for chain, version in self._versions)

    def key(self, c: Context) -> Hashable:
        """What the chain's rules can tell of a packet."""
        ip = c.ip
        return (ip.src, ip.dst, ip.proto, ip.sport, ip.dport, c.iif, c.oif, *(read(c) for read in self._reads))

    def find(self, key: Hashable) -> CachedWalk | None:
        """The walk of an earlier packet with this key."""
        return self._entries.get(key)

    def keep(self, key: Hashable, walk: CachedWalk) -> None:
        """Keep a walk."""
        self._entries[key] = walk


def reachable(table: Table, base: Chain) -> list[Chain]:
    """A base chain and the chains that it leads to."""
    found = [base]
    for chain in found:
        for rule in chain.rules:
            name = rule.target.name if rule.target is not None and rule.target.act is None else ""
            called = table.chains.get(name)
            if called is not None and called not in found:
                found.append(called)
    return found


def flow_cache(table: Table, base: Chain) -> FlowCache | None:
    """The cache of a base chain as the table is now; None where it is of no use."""
    if base.cache is None or not base.cache.fresh:
        base.cache = FlowCache(table, base)
    return base.cache if base.cache.usable else None
