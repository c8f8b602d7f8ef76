"""NAT: which mapping a connection gets, and how its packets are rewritten in both directions.

Models: net/netfilter/nf_nat_core.c, nf_nat_proto.c, nf_nat_masquerade.c and nf_nat_redirect.c of Linux 6.x.
Leaves out: `--random` draws nothing (a free port is chosen from the connection itself, so that a run repeats).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..address import Prefix
from ..packet import ICMP, TCP, UDP, IcmpMessage, IPv4, TcpSegment, UdpDatagram
from ..skb import RELATED, Skb
from .conntrack import Connection, Conntrack, Tuple

if TYPE_CHECKING:
    from ..namespace import NetNamespace
    from .context import Context

SNAT, DNAT = "SNAT", "DNAT"
# what each hook may change (HOOK2MANIP)
MANIP_AT = {"PREROUTING": DNAT, "OUTPUT": DNAT, "INPUT": SNAT, "POSTROUTING": SNAT}
_ATTEMPTS = 128


@dataclass(frozen=True, slots=True)
class Range:
    """What a mapping may use: addresses (0, 0: keep), ports (used only if `ports_given`), and how to choose."""

    low_ip: int
    high_ip: int
    low_port: int = 0
    high_port: int = 0
    ports_given: bool = False
    base: int | None = None
    persistent: bool = False
    random: bool = False

    def holds_port(self, port: int) -> bool:
        """Whether a port may be used as it is."""
        return not self.ports_given or self.low_port <= port <= self.high_port

    def holds(self, address: int, port: int) -> bool:
        """Whether address and port may be used as they are (nf_in_range)."""
        return (not self.low_ip or self.low_ip <= address <= self.high_ip) and self.holds_port(port)


def setup(namespace: NetNamespace, skb: Skb, span: Range, manip: str) -> None:
    """Decide a connection's mapping for one manipulation, once (nf_nat_setup_info)."""
    connection = skb.connection
    if connection is None or manip in connection.manip_done or connection.confirmed:
        return
    current = connection.reply.inverse
    wanted = _unique(namespace.conntrack, connection, current, span, manip)
    if wanted != current:
        connection.reply = wanted.inverse
        if manip == SNAT:
            connection.src_nat = True
        else:
            connection.dst_nat = True
    connection.manip_done.add(manip)


def bind_null(namespace: NetNamespace, skb: Skb, manip: str) -> None:
    """What happens where no rule matched: keep the address, and move the port only if it clashes."""
    connection = skb.connection
    if connection is None:
        return
    address = connection.reply.dst if manip == SNAT else connection.reply.src
    setup(namespace, skb, Range(address, address), manip)


def _unique(table: Conntrack, connection: Connection, original: Tuple, span: Range, manip: str) -> Tuple:
    """A tuple in the range whose answer no other connection waits for (get_unique_tuple)."""

    def used(candidate: Tuple) -> bool:
        return table.taken(candidate.inverse, connection)

    if manip == SNAT and not span.random:
        if span.holds(original.src, original.sport):
            if not used(original):
                return original
        else:
            for other in table.same_source(original):
                mapped = other.reply.inverse
                candidate = original._replace(src=mapped.src, sport=mapped.sport)
                if span.holds(candidate.src, candidate.sport):
                    if not used(candidate):
                        return candidate
                    break
    chosen = _choose_address(original, span, manip)
    if not span.random:
        if span.ports_given:
            port = chosen.sport if manip == SNAT or chosen.proto == ICMP else chosen.dport
            alone = span.low_port == span.high_port
            if span.base is None and span.holds_port(port) and (alone or not used(chosen)):
                return chosen
        elif not used(chosen):
            return chosen
    return _choose_port(table, connection, chosen, span, manip)


def _choose_address(original: Tuple, span: Range, manip: str) -> Tuple:
    """The address of the range for this flow, spread as the kernel spreads it (find_best_ips_proto)."""
    if not span.low_ip:
        return original
    address = span.low_ip
    if span.low_ip != span.high_ip:
        seed = 0 if span.persistent else _swap(original.dst)
        spread = _jhash2([_swap(original.src), 0, 0, 0], seed)
        address += spread * (span.high_ip - span.low_ip + 1) >> 32
    return original._replace(src=address) if manip == SNAT else original._replace(dst=address)


def _choose_port(table: Conntrack, connection: Connection, chosen: Tuple, span: Range, manip: str) -> Tuple:
    """A free port of the range (nf_nat_l4proto_unique_tuple); the last one tried where all are taken."""
    if chosen.proto not in {TCP, UDP, ICMP}:
        return chosen
    on_source = manip == SNAT or chosen.proto == ICMP
    port = chosen.sport if on_source else chosen.dport
    if span.ports_given:
        low, size = span.low_port, span.high_port - span.low_port + 1
    elif chosen.proto == ICMP:
        low, size = 0, 65536
    elif manip == DNAT:
        return chosen
    elif port < 512:
        low, size = 1, 511
    elif port < 1024:
        low, size = 600, 424
    else:
        low, size = 1024, 64512
    if span.base is not None:
        start = port - span.base
    elif manip == DNAT and not span.random:
        start = 0
    else:
        start = _jhash2([_swap(chosen.src), _swap(chosen.dst), port, chosen.dport], chosen.proto)
        if size > 32768:  # among the ports from which programs get theirs, so that it reads as a free one
            start = 32768 - low + start % 28232
    candidate = chosen
    for attempt in range(min(size, _ATTEMPTS)):
        number = low + (start + attempt) % size
        candidate = chosen._replace(sport=number) if on_source else chosen._replace(dport=number)
        if not table.taken(candidate.inverse, connection):
            break
    if on_source and candidate.sport != port:
        connection.free_port = candidate.sport
    return candidate


def masquerade(c: Context, span: Range) -> bool:
    """SNAT to the address that the outgoing device has towards the next hop; False where it has none."""
    if c.outdev is None or not c.ip.src:
        return True
    route = c.skb.route
    next_hop = route.gateway if route is not None and route.gateway else c.ip.dst
    source = c.namespace.select_address(c.outdev, next_hop)
    if not source:
        return False
    setup(c.namespace, c.skb, replace(span, low_ip=source, high_ip=source), SNAT)
    if c.skb.connection is not None:
        c.skb.connection.masquerade_device = c.outdev.name
    return True


def redirect(c: Context, span: Range) -> bool:
    """DNAT to this host: 127.0.0.1 for own packets, else the incoming device's first address."""
    if c.hook == "OUTPUT":
        address = 0x7F000001
    elif c.indev is not None and c.indev.addresses:
        address = c.indev.addresses[0].address
    else:
        return False
    setup(c.namespace, c.skb, replace(span, low_ip=address, high_ip=address), DNAT)
    return True


def netmap(c: Context, block: Prefix) -> None:
    """Put the address into another network, keeping the host part."""
    manip = MANIP_AT[c.hook]
    old = c.ip.src if manip == SNAT else c.ip.dst
    address = block.address | (old & ~block.mask & 0xFFFFFFFF)
    setup(c.namespace, c.skb, Range(address, address), manip)


def needs(connection: Connection, manip: str, *, reply: bool) -> bool:
    """Whether a packet of this direction is rewritten by `manip`: an answer undoes the other one."""
    return connection.src_nat if (manip == SNAT) != reply else connection.dst_nat


def translate(skb: Skb, manip: str) -> IPv4 | None:
    """Rewrite a packet as its connection says (nf_nat_packet); returns what it was before, None where unchanged."""
    connection = skb.connection
    if connection is None or not needs(connection, manip, reply=skb.reply):
        return None
    before = skb.ip
    target = (connection.original if skb.reply else connection.reply).inverse
    if skb.state == RELATED and isinstance(before.transport, IcmpMessage):
        skb.packet = _translate_error(before, before.transport, target, manip)
    else:
        skb.packet = _rewrite(before, target, manip)
    return before if skb.packet != before else None


def _rewrite(ip: IPv4, target: Tuple, manip: str) -> IPv4:
    """A packet with the source (SNAT) or destination (DNAT) of a tuple."""
    transport = ip.transport
    if isinstance(transport, TcpSegment | UdpDatagram) and not (ip.fragment and ip.fragment.offset):
        sport, dport = (target.sport, transport.dport) if manip == SNAT else (transport.sport, target.dport)
        transport = replace(transport, sport=sport, dport=dport)
    elif isinstance(transport, IcmpMessage) and transport.quoted is None:
        transport = replace(transport, ident=target.sport)
    if manip == SNAT:
        return replace(ip, src=target.src, transport=transport)
    return replace(ip, dst=target.dst, transport=transport)


def _translate_error(ip: IPv4, message: IcmpMessage, target: Tuple, manip: str) -> IPv4:
    """An ICMP error of a translated flow: the quoted packet is turned back, and the error's own address with it."""
    quoted = message.quoted
    if quoted is not None:
        opposite = DNAT if manip == SNAT else SNAT
        quoted = _rewrite(quoted, target.inverse, opposite)
    message = replace(message, quoted=quoted)
    if manip == SNAT:
        return replace(ip, src=target.src, transport=message)
    return replace(ip, dst=target.dst, transport=message)


def _swap(word: int) -> int:
    """A 32-bit word in network order as a little-endian machine reads it."""
    return int.from_bytes(word.to_bytes(4, "big"), "little")


def _jhash2(words: list[int], seed: int) -> int:
    """Jenkins' lookup3 hash as the kernel uses it (include/linux/jhash.h, public domain)."""
    full = 0xFFFFFFFF

    def rol(value: int, by: int) -> int:
        return (value << by | value >> (32 - by)) & full

    a = b = c = (0xDEADBEEF + (len(words) << 2) + seed) & full
    index = 0
    while len(words) - index > 3:
        a, b, c = (a + words[index]) & full, (b + words[index + 1]) & full, (c + words[index + 2]) & full
        for shift in (4, 6, 8, 16, 19, 4):
            a = (a - c) & full ^ rol(c, shift)
            c = (c + b) & full
            a, b, c = b, c, a
        index += 3
    rest = [*words[index:], 0, 0, 0][:3]
    a, b, c = (a + rest[0]) & full, (b + rest[1]) & full, (c + rest[2]) & full
    for shift in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - rol(b, shift)) & full
        a, b, c = b, c, a
    return b
