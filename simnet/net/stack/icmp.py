"""ICMP received: echo, and what an error means to the socket whose packet it quotes.

Models: net/ipv4/icmp.c of Linux 6.x.
Leaves out: redirects, timestamps.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from ..namespace import NetNamespace
from ..packet import ECHO_REPLY, ECHO_REQUEST, ICMP, TCP, TIME_EXCEEDED, UDP, IcmpMessage, IPv4
from ..route import BROADCAST, MULTICAST
from ..skb import Skb
from ..step import Delivery, Step
from . import ip_output
from .ip_input import protocol, wake

# code of destination unreachable: (errno, whether a connected UDP socket hears of it), icmp_err_convert in icmp.c
UNREACH_ERRORS = {
    0: ("ENETUNREACH", False), 1: ("EHOSTUNREACH", False), 2: ("ENOPROTOOPT", True), 3: ("ECONNREFUSED", True),
    4: ("EMSGSIZE", False), 5: ("EOPNOTSUPP", False), 6: ("ENETUNREACH", True), 7: ("EHOSTDOWN", True),
    8: ("ENONET", True), 9: ("ENETUNREACH", True), 10: ("EHOSTUNREACH", True), 11: ("ENETUNREACH", False),
    12: ("EHOSTUNREACH", False), 13: ("EHOSTUNREACH", True), 14: ("EHOSTUNREACH", True), 15: ("EHOSTUNREACH", True),
}  # fmt: skip


@protocol(ICMP)
def receive(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Take in an ICMP message: answer an echo request, tell a socket of an error."""
    message = skb.ip.transport
    if not isinstance(message, IcmpMessage):
        return
    if message.type == ECHO_REQUEST:
        yield from _answer(namespace, skb, message)
    elif message.type == ECHO_REPLY:
        pinger = namespace.sockets.pinger(message.ident)
        if pinger is not None:
            yield Delivery(namespace.place, skb.serial, skb.packet, f"icmp id {message.ident}", pinger.by)
            yield from wake(namespace, skb)
            pinger.replied()
    elif message.quoted is not None:
        yield from _report(namespace, skb, message, message.quoted)


def _answer(namespace: NetNamespace, skb: Skb, message: IcmpMessage) -> Generator[Step, None, None]:
    ip = skb.ip
    if namespace.sysctl("net.ipv4.icmp_echo_ignore_all"):
        return
    broadcast = skb.route is not None and skb.route.type in {BROADCAST, MULTICAST}
    if broadcast and namespace.sysctl("net.ipv4.icmp_echo_ignore_broadcasts", 1):
        return
    yield Delivery(namespace.place, skb.serial, ip, "icmp echo", "kernel")
    answer = IPv4(ip.dst, ip.src, ICMP, replace(message, type=ECHO_REPLY), tos=ip.tos)
    yield from ip_output.send(namespace, Skb(namespace.network.serial(), answer, by="kernel"))


def _report(namespace: NetNamespace, skb: Skb, message: IcmpMessage, quoted: IPv4) -> Generator[Step, None, None]:
    """Give an ICMP error to the socket whose packet it quotes."""
    sockets = namespace.sockets
    errno, hard = UNREACH_ERRORS.get(message.code, ("EHOSTUNREACH", True))
    if message.type == TIME_EXCEEDED:
        errno, hard = "EHOSTUNREACH", False
    if quoted.proto == TCP:
        stream = sockets.stream(quoted.src, quoted.sport, quoted.dst, quoted.dport)
        if stream is not None:
            yield Delivery(namespace.place, skb.serial, skb.packet, str(stream), stream.by)
            stream.icmp_error(errno, message)
    elif quoted.proto == UDP:
        datagrams = sockets.datagram(quoted.src, quoted.sport, quoted.dst, quoted.dport)
        if datagrams is not None and datagrams.connected:
            yield Delivery(namespace.place, skb.serial, skb.packet, str(datagrams), datagrams.by)
            if hard:
                datagrams.failed(errno)
    elif isinstance(quoted.transport, IcmpMessage):
        pinger = sockets.pinger(quoted.transport.ident)
        if pinger is not None:
            yield Delivery(namespace.place, skb.serial, skb.packet, f"icmp id {quoted.transport.ident}", pinger.by)
            pinger.errored(message)
