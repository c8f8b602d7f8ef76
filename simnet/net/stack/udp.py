"""UDP: datagrams out of and into sockets.

Models: net/ipv4/udp.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Generator

from ..namespace import NetNamespace
from ..packet import DEST_UNREACH, IP_HEADER, LONGEST, PORT_UNREACH, UDP, IPv4, UdpDatagram
from ..route import BROADCAST, MULTICAST
from ..skb import INVALID, Skb
from ..socket import DatagramSocket
from ..step import Delivery, Drop, Step
from . import ip_output, vxlan
from .ip_input import protocol, wake


def send(
    socket: DatagramSocket, to: int, port: int, data: bytes, ttl: int = 64, source: int = 0
) -> Generator[Step, None, str]:
    """Send a datagram (udp_sendmsg); an unbound socket's source is the route's. Returns the errno, or nothing."""
    namespace = socket.namespace
    source = source or socket.address
    route = namespace.route_output(to, source)
    if isinstance(route, str):
        return route
    if route.type == BROADCAST:
        return "EACCES"
    source = source or namespace.source_for(route, to)
    out = namespace.output_device(route)
    if len(data) + 8 + IP_HEADER > LONGEST:
        return "EMSGSIZE"
    packet = IPv4(source, to, UDP, UdpDatagram(socket.port, port, data), ttl=ttl)
    mtu = route.mtu or (out.mtu if out is not None else 1500)
    if packet.length <= mtu:
        packet = IPv4(source, to, UDP, packet.transport, ttl=ttl, df=True)
    skb = Skb(namespace.network.serial(), packet, by=socket.by, socket=socket)
    skb.route, skb.out = route, out
    return (yield from ip_output.local_out(namespace, skb))


@protocol(UDP)
def receive(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Take in a datagram: a tunnel's, a socket's, or nobody's."""
    ip = skb.ip
    datagram = ip.transport
    assert isinstance(datagram, UdpDatagram)
    if datagram.inner is not None:
        device = namespace.tunnels.get((ip.dport, datagram.vni or 0))
        if device is not None:
            yield from vxlan.decapsulate(device, skb, datagram)
        else:
            yield Drop(namespace.place, skb.serial, ip, f"no tunnel here has vni {datagram.vni}")
        return
    socket = namespace.sockets.datagram(ip.dst, ip.dport, ip.src, ip.sport)
    if socket is None:
        yield Drop(namespace.place, skb.serial, ip, f"nobody listens on udp port {ip.dport}")
        skb.connection, skb.state, skb.reply, skb.untracked = None, INVALID, False, False  # nf_reset_ct
        if skb.route is None or skb.route.type not in {BROADCAST, MULTICAST}:
            yield from ip_output.send_error(namespace, skb, DEST_UNREACH, PORT_UNREACH)
        return
    yield Delivery(namespace.place, skb.serial, ip, str(socket), socket.by)
    yield from wake(namespace, skb)
    socket.received(ip.src, ip.sport, datagram.data, ip.dst)
