"""IP sets as far as a rule can ask for membership: addresses, networks, ports, hardware addresses, interfaces, marks.

Models: net/netfilter/ipset of Linux 6.x, read from `ipset save`.
Leaves out: time-outs (a walk takes no time) and counters of members.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address as _ip
from ipaddress import summarize_address_range
from itertools import pairwise
from typing import TYPE_CHECKING

from ..packet import IcmpMessage, RawPayload
from . import values

if TYPE_CHECKING:
    from .context import Context

# protocols of which a later fragment has no port (ip_set_get_ip4_port)
_WITH_PORTS = {1, 6, 17, 58, 132, 136}
# one part of a member: what it is compared with, and how many bits of it count
_Part = tuple[object, int]


@dataclass(slots=True)
class _Compiled:
    """The members by how many bits of each part count: each found by the parts themselves. The value is `nomatch`."""

    size: int
    tables: dict[tuple[int, ...], dict[tuple[object, ...], bool]] = field(default_factory=dict)
    patterns: list[tuple[tuple[_Part, ...], bool]] = field(default_factory=list)


@dataclass(slots=True)
class IpSet:
    """A set: its type (`hash:ip,port`) and its members, each a tuple with one part a dimension.

    `exceptions` are the members that say `nomatch`, `wildcards` those whose interface is the beginning of a name;
    `options` are the words of its creation (`family`, `netmask`, `markmask`).
    """

    name: str
    type: str
    members: list[tuple[str, ...]] = field(default_factory=list)
    exceptions: set[tuple[str, ...]] = field(default_factory=set)
    wildcards: set[tuple[str, ...]] = field(default_factory=set)
    options: dict[str, str] = field(default_factory=dict)
    _compiled: _Compiled | None = field(default=None, repr=False, compare=False)

    def contains(self, c: Context, directions: list[str], *, exceptions: bool = False) -> bool | None:
        """Whether a packet is in the set, looked at in the given directions (`src`, `dst`), one a dimension.

        Of several members that fit, the most specific decides. `exceptions` asks for those that say `nomatch` instead
        (--return-nomatch). None where the packet's ports are not known.
        """
        if self.type == "list:set":
            return self._any_of(c, directions, exceptions=exceptions)
        kinds = self.type.partition(":")[2].split(",")
        if len(directions) < len(kinds):
            return False
        found = [_packet_part(kind, side, c) for kind, side in zip(kinds, directions, strict=False)]
        if None in found:
            unknown = "port" in kinds and isinstance(c.ip.transport, RawPayload) and c.ip.proto in _WITH_PORTS
            return None if unknown and not (c.ip.fragment and c.ip.fragment.offset) else False
        nomatch = self._find(tuple(found))
        return nomatch is not None and nomatch == exceptions

    def _any_of(self, c: Context, directions: list[str], *, exceptions: bool) -> bool | None:
        answers = [
            other.contains(c, directions, exceptions=exceptions) if (other := c.namespace.ipsets.get(name)) else None
            for name, *_ in self.members
        ]
        return True if True in answers else None if None in answers else False

    def _find(self, parts: tuple[object, ...]) -> bool | None:
        """Whether the most specific member that fits is an exception; None where none fits."""
        if self._compiled is None or self._compiled.size != len(self.members):
            self._compiled = self._compile()
        width = self._width
        netmask = width - int(self.options.get("netmask", width))
        for bits, table in self._compiled.tables.items():
            key = tuple(_cut(part, count, width, netmask) for part, count in zip(parts, bits, strict=True))
            if key in table:
                return table[key]
        for pattern, nomatch in self._compiled.patterns:
            if all(_fits(part, wanted, width) for part, wanted in zip(parts, pattern, strict=True)):
                return nomatch
        return None

    @property
    def _width(self) -> int:
        return 128 if self.options.get("family") == "inet6" else 32

    def _compile(self) -> _Compiled:
        found = _Compiled(len(self.members))
        kinds = self.type.partition(":")[2].split(",")
        for member in self.members:
            nomatch, wildcard = member in self.exceptions, member in self.wildcards
            for parts in self._expand(kinds, member):
                if wildcard:
                    found.patterns.append((parts, nomatch))
                    continue
                bits = tuple(count for _, count in parts)
                found.tables.setdefault(bits, {})[tuple(part for part, _ in parts)] = nomatch
        found.tables = dict(sorted(found.tables.items(), reverse=True))
        return found

    def _expand(self, kinds: list[str], member: tuple[str, ...]) -> list[tuple[_Part, ...]]:
        """A member as its parts; a range of addresses or ports stands for many."""
        found: list[tuple[_Part, ...]] = [()]
        for kind, text in zip(kinds, member, strict=False):
            found = [(*parts, one) for parts in found for one in self._parts(kind, text)]
        # a member of fewer parts (bitmap:ip,mac without one) fits any in the rest
        return [(*parts, *((None, 0) for _ in kinds[len(member) :])) for parts in found]

    def _parts(self, kind: str, text: str) -> list[_Part]:
        width = self._width
        if kind in {"ip", "net"}:
            if "-" in text:
                low, _, high = text.partition("-")
                return [
                    (int(block.network_address) >> width - block.prefixlen, block.prefixlen)
                    for block in summarize_address_range(_ip(low), _ip(high))
                ]
            address, mask = values.block(text)
            return [(address >> width - mask.bit_count(), mask.bit_count())]
        if kind == "port":
            return self._port_parts(text)
        if kind == "mark":
            return [(values.number(text), -1)]
        return [(text.lower() if kind == "mac" else text, -1)]

    def _port_parts(self, text: str) -> list[_Part]:
        proto, found, number = text.rpartition(":")
        if self.type == "bitmap:port":
            low, _, high = text.partition("-")
            ports = range(values.port(low), values.port(high or low) + 1)
            return [((known, port), -1) for port in ports for known in (6, 17)]
        protocol = values.protocol(proto) if found else 6
        if protocol in {1, 58}:
            kind, code, _ = values.icmp_type(number, values.ICMP_TYPES if protocol == 1 else values.ICMP6_TYPES)
            return [((protocol, kind << 8 | code), -1)]
        low, _, high = number.partition("-")
        name = proto if proto in {"tcp", "udp"} else "tcp"
        return [((protocol, port), -1) for port in range(values.port(low, name), values.port(high or low, name) + 1)]


def _cut(part: object, count: int, width: int, netmask: int) -> object:
    """The leading bits of an address that a member goes by; anything else as it is."""
    if isinstance(part, _Address):
        return part.number >> max(netmask, 0) << max(netmask, 0) >> width - count
    return None if count == 0 else part


def _fits(part: object, wanted: _Part, width: int) -> bool:
    if isinstance(part, str) and isinstance(wanted[0], str):
        return part.startswith(wanted[0])
    return _cut(part, wanted[1], width, 0) == wanted[0]


@dataclass(frozen=True, slots=True)
class _Address:
    number: int


def _packet_part(kind: str, direction: str, c: Context) -> object:
    """What a packet has in one dimension; None where it has nothing there, and so is in no set."""
    source = direction == "src"
    if kind in {"ip", "net"}:
        return _Address(c.ip.src if source else c.ip.dst)
    if kind == "iface":
        return (c.iif if source else c.oif) or None
    if kind == "mac":
        return None if c.skb.local else (c.skb.src_mac if source else c.skb.dst_mac) or None
    if kind == "mark":
        return c.skb.mark
    return _packet_port(c, source=source)


def _packet_port(c: Context, *, source: bool) -> tuple[int, int] | None:
    proto = c.ip.proto
    if proto in _WITH_PORTS:
        if c.ip.fragment and c.ip.fragment.offset:
            return None
        if isinstance(c.ip.transport, RawPayload):
            return None
        if isinstance(c.ip.transport, IcmpMessage):
            return proto, c.ip.transport.type << 8 | c.ip.transport.code
    return proto, c.ip.sport if source else c.ip.dport


_QUOTED = re.compile(r'"[^"]*"')


def parse(text: str) -> dict[str, IpSet]:
    r"""Sets from the output of `ipset save`.

    Example:
        >>> parse("create bad hash:ip family inet\nadd bad 192.0.2.9\n")["bad"].members
        [('192.0.2.9',)]
    """
    found: dict[str, IpSet] = {}
    for line in text.splitlines():
        words = _QUOTED.sub('""', line).split()
        if len(words) >= 3 and words[0] in {"create", "-N"}:
            options = dict(pairwise(words[3:]))
            found[words[1]] = IpSet(words[1], words[2], options=options)
        elif len(words) >= 3 and words[0] in {"add", "-A"} and words[1] in found:
            member = tuple(words[2].split(","))
            found[words[1]].members.append(member)
            if "nomatch" in words[3:]:
                found[words[1]].exceptions.add(member)
            if "wildcard" in words[3:]:
                found[words[1]].wildcards.add(member)
    return found
