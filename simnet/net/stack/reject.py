"""REJECT at work: the ICMP error or the TCP reset that answers a refused packet.

Models: net/ipv4/netfilter/nf_reject_ipv4.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Generator

from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import DEST_UNREACH, RST, IcmpMessage, TcpSegment
from ..skb import RELATED, Skb
from ..step import Origin, Step
from . import ip_output, link
from .tcp import reset_for


@hooks.refusal
def refuse(namespace: NetNamespace, refused: Skb, code: int | None, hook: str) -> Generator[Step, None, None]:
    """Answer a packet that a rule refused at a hook: with an ICMP code, or with a reset where it is None."""
    if code is None:
        yield from _reset(namespace, refused, hook)
    else:
        if hook == hooks.OUTPUT and refused.by == "kernel" and isinstance(refused.ip.transport, IcmpMessage):
            return
        yield from ip_output.send_error(namespace, refused, DEST_UNREACH, code)


def _reset(namespace: NetNamespace, refused: Skb, hook: str) -> Generator[Step, None, None]:
    """Answer a packet that a rule refused with a reset (nf_send_reset).

    A bridged packet's reset leaves by the port that it came by, past every hook, addressed as the refused one was.
    """
    ip = refused.ip
    segment = ip.transport
    if not isinstance(segment, TcpSegment) or segment.flags & RST or (ip.fragment and ip.fragment.offset):
        return
    reset = Skb(namespace.network.serial(), reset_for(ip, segment), by="kernel")
    if refused.connection is not None:
        reset.connection, reset.state, reset.reply = refused.connection, RELATED, not refused.reply
    any_source = hook in {hooks.FORWARD, hooks.PREROUTING} or not namespace.owns(reset.ip.src)
    route = namespace.route_output(reset.ip.dst, reset.ip.src, any_source=any_source)
    if isinstance(route, str):
        return
    if refused.bridge is not None:
        reset.src_mac, reset.dst_mac = refused.dst_mac, refused.src_mac
        yield Origin(namespace.place, reset.serial, reset.packet, "kernel")
        yield from link.transmit(refused.bridge.physin, reset)
        return
    reset.route, reset.out = route, namespace.output_device(route)
    yield from ip_output.local_out(namespace, reset)
