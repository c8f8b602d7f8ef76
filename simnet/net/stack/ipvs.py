"""IPVS on the way of a packet: a client's is sent to a real server, the server's gets the virtual address back.

Requests are taken at INPUT and OUTPUT and, rewritten, go through OUTPUT and POSTROUTING; answers are rewritten where
they pass FORWARD, INPUT or OUTPUT. Only masquerading is modelled, which is what Docker and kube-proxy use.

Models: net/netfilter/ipvs/ip_vs_core.c (ip_vs_in_hook, ip_vs_out_hook, ip_vs_out_icmp, handle_response), ip_vs_xmit.c
(ip_vs_nat_xmit), ip_vs_nfct.c of Linux 6.x.
Leaves out: direct routing, tunnels and bypass (packets to such a server are dropped, and the drop says so), ICMP errors
that a client sends about an answer, and the reuse of a connection's ports (net.ipv4.vs.conn_reuse_mode).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from ..address import is_loopback
from ..ipvs import MASQ, Flow, IpvsConnection, VirtualService
from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import (
    DEST_UNREACH,
    FRAG_NEEDED,
    HOST_UNREACH,
    PORT_UNREACH,
    RST,
    SYN,
    TIME_EXCEEDED,
    IcmpMessage,
    IPv4,
    TcpSegment,
    UdpDatagram,
)
from ..route import LOCAL
from ..skb import UNTRACKED, Skb
from ..step import Balance, Drop, RouteStep, Step
from . import ip_output

Going = Generator[Step, None, bool]


def flow_of(ip: IPv4) -> Flow | None:
    """The ends of a packet as IPVS reads them; None where it has no ports."""
    if not isinstance(ip.transport, TcpSegment | UdpDatagram) or (ip.fragment and ip.fragment.offset):
        return None
    return Flow(ip.proto, ip.src, ip.transport.sport, ip.dst, ip.transport.dport)


@hooks.stage("ipvs request")
def request(namespace: NetNamespace, hook: str, skb: Skb) -> Going:
    """Take a client's packet to its real server (ip_vs_in_hook); False where it does not go on here."""
    table, flow = namespace.ipvs, flow_of(skb.ip)
    if skb.ipvs or flow is None or (skb.packet_type != "In" and hook != hooks.OUTPUT):
        return True
    known = connection = table.incoming(flow)
    if connection is not None and not connection.server.available:
        if (yield from _abandoned(namespace, skb, connection)):
            return False
        connection = None
    if connection is None:
        segment = skb.ip.transport
        if isinstance(segment, TcpSegment) and (not segment.flags & SYN or segment.flags & RST):
            return True
        service = table.find(skb.mark, *flow[:1], *flow[3:])
        if service is None:
            return True
        server = service.schedule()
        if server is None:
            yield from _no_server(namespace, skb, service)
            return False
        tracked = bool(namespace.sysctl("net.ipv4.vs.conntrack"))
        connection = table.connect(flow, service, server, tracked=tracked)
    return (yield from _transmit(namespace, hook, skb, connection, known=connection is known))


def _abandoned(namespace: NetNamespace, skb: Skb, connection: IpvsConnection) -> Going:
    """A packet of a connection whose real server is gone; False where a new one may be chosen."""
    reason = f"IPVS {connection.service}: the real server {connection.server} of this connection is gone"
    if namespace.sysctl("net.ipv4.vs.expire_nodest_conn"):
        namespace.ipvs.forget(connection)
        if not (connection.tracked and skb.connection is not None and skb.connection.confirmed):
            return False
    yield Drop(namespace.place, skb.serial, skb.packet, reason)
    return True


def _no_server(namespace: NetNamespace, skb: Skb, service: VirtualService) -> Generator[Step, None, None]:
    """Nobody is there to serve: the client is told that the port is unreachable (ip_vs_leave)."""
    yield Drop(namespace.place, skb.serial, skb.packet, f"IPVS {service}: no real server is there")
    yield from ip_output.send_error(namespace, skb, DEST_UNREACH, PORT_UNREACH)


def _transmit(namespace: NetNamespace, hook: str, skb: Skb, connection: IpvsConnection, *, known: bool) -> Going:
    """Rewrite a packet for its real server and send it there (ip_vs_nat_xmit)."""
    place, before, server = namespace.place, skb.ip, connection.server
    skb.stolen = True
    if server.method != MASQ:
        yield Drop(place, skb.serial, before, f"IPVS to {server} by {server.method} is not modelled")
        return False
    route = namespace.route_output(server.address)
    if isinstance(route, str):
        yield Drop(place, skb.serial, before, f"IPVS: no route to the real server {server}: {route}")
        yield from ip_output.send_error(namespace, skb, DEST_UNREACH, HOST_UNREACH)
        return False
    out, local = namespace.output_device(route), route.type == LOCAL
    assert out is not None
    if is_loopback(server.address if local else before.src) and hook != hooks.OUTPUT:
        yield Drop(place, skb.serial, before, f"IPVS: {server} is not to be reached from outside or from loopback")
        return False
    if not local:
        mtu = route.mtu or out.mtu
        if before.ttl <= 1:
            yield Drop(place, skb.serial, before, "TTL exceeded")
            yield from ip_output.send_error(namespace, skb, TIME_EXCEEDED, 0)
            return False
        if before.length > mtu and before.df and not skb.defragmented:
            reason = f"{before.length} bytes exceed the MTU of {mtu} and DF is set"
            yield Drop(place, skb.serial, before, reason)
            yield from ip_output.send_error(namespace, skb, DEST_UNREACH, FRAG_NEEDED, mtu)
            return False
    skb.packet = _towards(before, connection, ttl=before.ttl if local else before.ttl - 1)
    yield Balance(place, skb.serial, skb.packet, "known" if known else "scheduled", str(connection.service), before)
    skb.ipvs = True
    _keep_track(skb, connection)
    if local:
        skb.stolen = False
        return True
    skb.route, skb.out = route, out
    yield RouteStep(place, skb.serial, skb.packet, route.type, out.name, route.gateway, route.table)
    yield from ip_output.pass_output(namespace, skb)
    return False


def _towards(ip: IPv4, connection: IpvsConnection, *, ttl: int) -> IPv4:
    assert isinstance(ip.transport, TcpSegment | UdpDatagram)
    address, port = connection.end
    return replace(ip, dst=address, ttl=ttl, transport=replace(ip.transport, dport=port))


def _keep_track(skb: Skb, connection: IpvsConnection) -> None:
    """Let conntrack expect the server's answers (ip_vs_update_conntrack), or let go of it (ip_vs_notrack)."""
    entry = skb.connection
    if not connection.tracked:
        if entry is not None:
            skb.connection, skb.state, skb.reply, skb.untracked = None, UNTRACKED, False, True
    elif entry is not None and not entry.confirmed and not entry.dying and not skb.reply:
        address, port = connection.end
        entry.reply = entry.reply._replace(src=address, sport=port)


@hooks.stage("ipvs reply")
def reply(namespace: NetNamespace, hook: str, skb: Skb) -> Going:
    """Give a real server's packet its virtual address back (ip_vs_out_hook)."""
    ip = skb.ip
    if skb.ipvs:
        return True
    if isinstance(ip.transport, IcmpMessage):
        return (yield from _error(namespace, hook, skb, ip.transport))
    flow = flow_of(ip)
    connection = namespace.ipvs.outgoing(flow) if flow is not None else None
    if connection is None:
        return True
    assert isinstance(ip.transport, TcpSegment | UdpDatagram)
    address, port = connection.virtual
    skb.packet = replace(ip, src=address, transport=replace(ip.transport, sport=port))
    return (yield from _answered(namespace, hook, skb, connection, ip))


def _error(namespace: NetNamespace, hook: str, skb: Skb, message: IcmpMessage) -> Going:
    """An ICMP error about a packet that went to a real server: the client learns of the one that it sent."""
    ip, quoted = skb.ip, message.quoted
    flow = flow_of(quoted) if quoted is not None else None
    if quoted is None or flow is None:
        return True
    connection = namespace.ipvs.outgoing(Flow(flow.proto, flow.dst, flow.dport, flow.src, flow.sport))
    if connection is None:
        return True
    assert isinstance(quoted.transport, TcpSegment | UdpDatagram)
    address, port = connection.virtual
    about = replace(quoted, dst=address, transport=replace(quoted.transport, dport=port))
    skb.packet = replace(ip, src=address, transport=replace(message, quoted=about))
    return (yield from _answered(namespace, hook, skb, connection, ip))


def _answered(namespace: NetNamespace, hook: str, skb: Skb, connection: IpvsConnection, before: IPv4) -> Going:
    """What follows every rewritten answer: where it leaves is looked up anew, but for the namespace's own."""
    yield Balance(namespace.place, skb.serial, skb.packet, "answer", str(connection.service), before)
    again = hook != hooks.INPUT and namespace.sysctl("net.ipv4.vs.snat_reroute", 1)
    if again and not (yield from ip_output.reroute(namespace, skb)):
        return False
    skb.ipvs = True
    if not connection.tracked and skb.connection is not None:
        skb.connection, skb.state, skb.reply, skb.untracked = None, UNTRACKED, False, True
    return True
