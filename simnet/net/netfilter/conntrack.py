"""Connection tracking: entries with two directions, TCP states, ICMP errors of a flow, the table's size.

Models: net/netfilter/nf_conntrack_core.c and nf_conntrack_proto_{tcp,udp,icmp,generic}.c of Linux 6.x.
Leaves out: time-outs (a walk takes no time), window checks, helpers and expectations, zones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..address import ip_text
from ..packet import ACK, FIN, ICMP, PROTO_NAMES, RST, SYN, IcmpMessage, IPv4, TcpSegment, UdpDatagram
from ..skb import ESTABLISHED, INVALID, NEW, RELATED, Skb

# ICMP queries that may open an entry, and what answers each (nf_conntrack_proto_icmp.c)
_ICMP_INVERSE = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
_ICMP_OPENS = {8, 13, 15, 17}


class Tuple(NamedTuple):
    """One direction of a flow; for ICMP `sport` is the identifier and `dport` is type × 256 + code."""

    src: int
    dst: int
    proto: int
    sport: int
    dport: int

    @property
    def inverse(self) -> Tuple:
        """The tuple of an answer (nf_ct_invert_tuple)."""
        if self.proto == ICMP:
            kind, code = self.dport >> 8, self.dport & 255
            return Tuple(self.dst, self.src, ICMP, self.sport, _ICMP_INVERSE.get(kind, kind) << 8 | code)
        return Tuple(self.dst, self.src, self.proto, self.dport, self.sport)

    def __str__(self) -> str:
        """`tcp 172.17.0.2:40001>172.17.0.3:22`."""
        name = PROTO_NAMES.get(self.proto, str(self.proto))
        if self.proto == ICMP:
            return f"{name} {ip_text(self.src)}>{ip_text(self.dst)}"
        return f"{name} {ip_text(self.src)}:{self.sport}>{ip_text(self.dst)}:{self.dport}"


def tuple_of(ip: IPv4) -> Tuple | None:
    """The tuple of a packet; None where it has none (an ICMP error, a later fragment)."""
    transport = ip.transport
    if ip.fragment is not None and ip.fragment.offset:
        return None
    if isinstance(transport, TcpSegment | UdpDatagram):
        return Tuple(ip.src, ip.dst, ip.proto, transport.sport, transport.dport)
    if isinstance(transport, IcmpMessage):
        if transport.type not in _ICMP_INVERSE:
            return None
        return Tuple(ip.src, ip.dst, ICMP, transport.ident, transport.type << 8 | transport.code)
    return Tuple(ip.src, ip.dst, ip.proto, 0, 0)


@dataclass(eq=False, slots=True)
class Connection:
    """An entry: the two directions, the mark, the TCP state, and what NAT did to it.

    `new` → (`confirm` at the last hook) → `confirmed`; `seen_reply` once an answer passed; `dying` when it was killed.
    `manip_done` holds `SNAT` and `DNAT` as each was decided, even where nothing was changed.
    """

    original: Tuple
    reply: Tuple
    tcp_state: str = "NONE"
    mark: int = 0
    confirmed: bool = False
    seen_reply: bool = False
    assured: bool = False
    dying: bool = False
    src_nat: bool = False
    dst_nat: bool = False
    manip_done: set[str] = field(default_factory=set)
    masquerade_device: str = ""
    free_port: int = 0

    def status_names(self) -> set[str]:
        """The words of `--ctstatus` that hold."""
        flags = {"SEEN_REPLY": self.seen_reply, "ASSURED": self.assured, "CONFIRMED": self.confirmed,
                 "SNAT": self.src_nat, "DNAT": self.dst_nat}  # fmt: skip
        return {name for name, on in flags.items() if on}

    def __str__(self) -> str:
        """Both directions."""
        return f"{self.original} | {self.reply}"


# Which state a segment leads to, by direction, kind of segment and state: the tables of nf_conntrack_proto_tcp.c.
# IV: the segment is invalid. IG: it is let through and changes nothing.
_NAMES = {
    "NO": "NONE", "SS": "SYN_SENT", "SR": "SYN_RECV", "ES": "ESTABLISHED", "FW": "FIN_WAIT", "CW": "CLOSE_WAIT",
    "LA": "LAST_ACK", "TW": "TIME_WAIT", "CL": "CLOSE", "S2": "SYN_SENT2",
}  # fmt: skip
_CODES = {name: code for code, name in _NAMES.items()}
_ORIGINAL = {
    "syn": "SS SS IG IG IG IG IG SS SS S2",
    "synack": "IV IV SR IV IV IV IV IV IV SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "ES IV ES ES CW CW TW TW CL IV",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_REPLY = {
    "syn": "IV S2 IV IV IV IV IV SS IV S2",
    "synack": "IV SR IG IG IG IG IG IG IG SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "IV IG SR ES CW CW TW TW CL IG",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_NEXT = {
    (reply, kind): dict(zip(_NAMES, row.split(), strict=True))
    for reply, rows in ((False, _ORIGINAL), (True, _REPLY))
    for kind, row in rows.items()
}


def _segment_kind(flags: int) -> str:
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "synack" if flags & ACK else "syn"
    if flags & FIN:
        return "fin"
    return "ack" if flags & ACK else "none"


class Conntrack:
    """The table of one namespace: at most `maximum` entries, each found from both directions.

    Example:
        >>> from simnet.net.packet import IPv4, TCP, TcpSegment
        >>> from simnet.net.skb import Skb
        >>> table = Conntrack()
        >>> skb = Skb(1, IPv4(1, 2, TCP, TcpSegment(1000, 80, SYN)))
        >>> table.track(skb), skb.state
        ('new', 'NEW')
    """

    def __init__(self, maximum: int = 262144) -> None:
        """An empty table."""
        self.maximum = maximum
        self._entries: dict[Tuple, tuple[Connection, bool]] = {}
        self._by_source: dict[tuple[int, int, int], list[Connection]] = {}

    def __len__(self) -> int:
        """The number of confirmed entries."""
        return len(self._entries) // 2

    def connections(self) -> list[Connection]:
        """The confirmed entries, oldest first."""
        return [connection for connection, reply in self._entries.values() if not reply]

    def find(self, key: Tuple) -> tuple[Connection, bool] | None:
        """The entry of a tuple, and whether the tuple is its reply direction."""
        return self._entries.get(key)

    def taken(self, wanted_reply: Tuple, besides: Connection) -> bool:
        """Whether another entry already answers to a reply tuple (nf_conntrack_tuple_taken)."""
        found = self._entries.get(wanted_reply)
        return found is not None and found[0] is not besides

    def track(self, skb: Skb) -> str:
        """Find or open the packet's entry and set `connection`, `state` and `reply` of the packet.

        Returns what happened: `found`, `new`, `related`, `invalid`, `ignored` (already seen, as on lo), `full`.
        """
        if skb.connection is not None or skb.untracked:
            return "ignored"
        ip = skb.ip
        if isinstance(ip.transport, IcmpMessage) and ip.is_icmp_error:
            return self._track_error(skb, ip.transport)
        for _attempt in range(2):
            outcome = self._track_once(skb)
            if outcome != "again":
                return outcome
        return "invalid"

    def _track_once(self, skb: Skb) -> str:
        key = tuple_of(skb.ip)
        if key is None:
            return self._invalid(skb)
        found = self._entries.get(key)
        if found is None:
            return self._open(skb, key)
        connection, reply = found
        verdict = self._update(connection, skb.ip, reply=reply)
        if verdict == "again":
            self.kill(connection)
            return "again"
        if verdict == "invalid":
            return self._invalid(skb)
        skb.connection, skb.reply = connection, reply
        skb.state = ESTABLISHED if reply or connection.seen_reply else NEW
        if reply:
            connection.seen_reply = True
        return "found"

    def _open(self, skb: Skb, key: Tuple) -> str:
        if len(self) >= self.maximum:
            return "full"
        connection = Connection(key, key.inverse)
        transport = skb.ip.transport
        if isinstance(transport, TcpSegment):
            state = _NEXT[False, _segment_kind(transport.flags)]["NO"]
            if state == "IV":
                return self._invalid(skb)
            connection.tcp_state = _NAMES[state]
        if isinstance(transport, IcmpMessage) and transport.type not in _ICMP_OPENS:
            return self._invalid(skb)
        skb.connection, skb.state, skb.reply = connection, NEW, False
        return "new"

    def _update(self, connection: Connection, ip: IPv4, *, reply: bool) -> str:
        """Advance an entry by a packet: `ok`, `invalid`, or `again` (a new connection reuses the ports)."""
        segment = ip.transport
        if not isinstance(segment, TcpSegment):
            return "ok"
        kind = _segment_kind(segment.flags)
        old = _CODES[connection.tcp_state]
        new = _NEXT[reply, kind][old]
        if new == "IV":
            return "invalid"
        if new == "IG":
            return "ok"
        if kind == "syn" and old in {"TW", "CL"} and new == "SS" and connection.confirmed:
            return "again"
        if kind == "rst" and not connection.seen_reply:
            self.kill(connection)
            return "ok"
        if new == "ES" and old == "SR":
            connection.assured = True
        connection.tcp_state = _NAMES[new]
        return "ok"

    def _track_error(self, skb: Skb, message: IcmpMessage) -> str:
        """An ICMP error belongs to the flow of the packet that it quotes (nf_conntrack_inet_error)."""
        inner = tuple_of(message.quoted) if message.quoted is not None else None
        found = self._entries.get(inner.inverse) if inner is not None else None
        if found is None:
            return self._invalid(skb)
        connection, reply = found
        side = connection.reply if reply else connection.original
        if side.dst != skb.ip.dst:
            return self._invalid(skb)
        skb.connection, skb.state, skb.reply = connection, RELATED, reply
        return "related"

    @staticmethod
    def _invalid(skb: Skb) -> str:
        skb.connection, skb.state, skb.reply = None, INVALID, False
        return "invalid"

    def confirm(self, skb: Skb) -> bool | None:
        """Put a new entry in the table, at the last hook; False when another got there first, None: nothing to do."""
        connection = skb.connection
        if connection is None or connection.confirmed or skb.state == RELATED or skb.reply:
            return None
        if connection.dying:
            return False
        if connection.original in self._entries or connection.reply in self._entries:
            return False
        connection.confirmed = True
        self._entries[connection.original] = (connection, False)
        self._entries[connection.reply] = (connection, True)
        source = connection.original.src, connection.original.proto, connection.original.sport
        self._by_source.setdefault(source, []).append(connection)
        return True

    def same_source(self, key: Tuple) -> list[Connection]:
        """The entries that came from the same address, protocol and port."""
        return self._by_source.get((key.src, key.proto, key.sport), [])

    def kill(self, connection: Connection) -> None:
        """Take an entry out of the table (nf_ct_kill)."""
        connection.dying = True
        for key in (connection.original, connection.reply):
            found = self._entries.get(key)
            if found is not None and found[0] is connection:
                del self._entries[key]
        source = connection.original.src, connection.original.proto, connection.original.sport
        if connection in self._by_source.get(source, ()):
            self._by_source[source].remove(connection)
