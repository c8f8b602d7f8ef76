"""The kernel's own rule trace, read from netlink: every chain walk of every traced packet.

Each message names a rule by its handle, or the policy that ended the chain, and the trace's id, by which the messages
of packets that are traced in between (the answer of a REJECT) are told apart. The first message of each base chain
carries the packet as that chain saw it, but for what the chain's first matching rule changed. Selective
acknowledgements, which follow losses and which simnet leaves out, are passed over.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from select import select

from simnet.live.host.namespace import NetworkNamespace
from simnet.net.address import ip_text

_NETLINK_NETFILTER, _GROUP_TRACE = 12, 9
_NFT, _GETRULE, _NEWRULE, _TRACE = 10, 7, 6, 17
_REQUEST_DUMP, _DONE, _ERROR = 0x301, 3, 2
_SO_RCVBUFFORCE = 33
_SOL_NETLINK, _NO_ENOBUFS = 270, 5
_POLICY, _RETURN, _RULE = 1, 2, 3
_IPV4 = 2
_BUFFER = 16 << 20
_PROTOCOLS = {1, 6, 17}
FLAGS = (("SYN", 2), ("ACK", 16), ("PSH", 8), ("FIN", 1), ("RST", 4), ("URG", 32))

# addresses, protocol, ports, flags or ICMP type and code, TTL, TOS, length
Packet = tuple[str, str, int, int, int, str, int, int, int]
# a rule by its chain and its number there, from 1; or a chain and its policy
Rule = tuple[str, int | str]
_Found = dict[int, bytes]


@dataclass
class Walk:
    """One base chain walked by one packet; `rules` are (chain, number) of those that matched, and the policy."""

    place: str
    table: str
    chain: str
    iif: str
    oif: str
    packet: Packet
    rules: list[Rule] = field(default_factory=list)

    @property
    def key(self) -> tuple[str | int, ...]:
        """What identifies the walk."""
        return (self.place, self.table, self.chain, self.iif, self.oif, *self.packet)


def _attributes(data: bytes) -> _Found:
    """Netlink attributes by number."""
    found: _Found = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each netlink message of a datagram: its type and what follows its header."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def packet_of(network: bytes, transport: bytes) -> Packet:
    """What identifies a packet: addresses, protocol, ports, flags or ICMP type and code, TTL, TOS, length."""
    tos, length, ttl, proto = network[1], _number(network[2:4]), network[8], network[9]
    src, dst = ip_text(_number(network[12:16])), ip_text(_number(network[16:20]))
    sport = dport = 0
    detail = ""
    if proto in {6, 17}:
        sport, dport = _number(transport[0:2]), _number(transport[2:4])
    if proto == 6:
        detail = " ".join(name for name, bit in FLAGS if transport[13] & bit)
        if transport[12] >> 4 > 8 and "SYN" not in detail:
            detail += " SACK"
    if proto == 1:
        detail = f"type {transport[0]} code {transport[1]}"
    return src, dst, proto, sport, dport, detail, ttl, tos, length


class Monitor:
    """Listens to the trace of one place; `number_rules` is called when rules were loaded, before they are traced.

    `own` is a table whose walks are not told: the one that arms the trace.
    """

    def __init__(self, space: NetworkNamespace, place: str, own: str = "") -> None:
        """Listen from now on."""
        self.place = place
        self._own = own
        self._socket = space.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(_SOL_NETLINK, _NO_ENOBUFS, 1)  # what is lost shows as a difference, not as an error
        self._socket.bind((0, 1 << _GROUP_TRACE - 1))
        self._asks = space.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        with space.entered():
            self._devices = dict(socket.if_nameindex())
        self._rules: dict[tuple[str, int], tuple[str, int]] = {}

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
        self._asks.close()

    def number_rules(self) -> None:
        """Note which handle is which rule (chain and number in it, from 1)."""
        kind = _NFT << 8 | _GETRULE
        self._asks.send(struct.pack("=IHHIIBBH", 20, kind, _REQUEST_DUMP, 1, 0, _IPV4, 0, 0))
        self._rules = {}
        counts: dict[tuple[str, str], int] = {}
        while True:
            for kind, body in _messages(self._asks.recv(1 << 20)):
                if kind in {_DONE, _ERROR}:
                    return
                if kind == _NFT << 8 | _NEWRULE:
                    found = _attributes(body[4:])
                    table, chain = _text(found[1]), _text(found[2])
                    counts[table, chain] = counts.get((table, chain), 0) + 1
                    self._rules[table, _number(found[3])] = chain, counts[table, chain]

    def fileno(self) -> int:
        """For select: ready when a message has come."""
        return self._socket.fileno()

    def drain(self, quiet: float = 0.0) -> list[Walk]:
        """All walks since the last call, once nothing has come for `quiet` seconds."""
        walks: list[Walk] = []
        last: dict[int, Walk] = {}
        while select([self._socket], [], [], quiet)[0]:
            for kind, body in _messages(self._socket.recv(1 << 20)):
                if kind == _NFT << 8 | _TRACE and body[0] == _IPV4:
                    self._note(_attributes(body[4:]), walks, last)
        return walks

    def _note(self, found: _Found, walks: list[Walk], last: dict[int, Walk]) -> None:
        table, chain, kind, ident = _text(found[1]), _text(found[2]), _number(found[4]), _number(found[6])
        if table == self._own:
            return
        if 8 in found:
            iif, oif = (self._devices.get(_number(found.get(number, b""))) or "" for number in (10, 12))
            packet = packet_of(found[8], found.get(9, b"").ljust(20, b"\0"))
            last[ident] = Walk(self.place, table, "", iif, oif, packet)
            if packet[2] in _PROTOCOLS and "SACK" not in packet[5]:
                walks.append(last[ident])
        walk = last.get(ident)
        if walk is None:
            return
        if kind == _RULE and 3 in found:
            rule = self._rules.get((table, _number(found[3])))
            walk.chain = walk.chain or (rule[0] if rule else chain)
            if rule is not None:
                walk.rules.append(rule)
        elif kind == _POLICY:
            walk.chain = walk.chain or chain
            walk.rules.append((chain, "ACCEPT" if _number(found[16]) == 1 else "DROP"))


def drain(monitors: Sequence[Monitor], quiet: float) -> list[Walk]:
    """All walks of several places since the last call, once nothing has come anywhere for `quiet` seconds."""
    walks: list[Walk] = []
    while ready := select(monitors, [], [], quiet)[0]:
        for monitor in ready:
            walks += monitor.drain()
    return walks
