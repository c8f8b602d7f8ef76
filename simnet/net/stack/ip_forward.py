"""Forwarding: a packet that is for another machine.

Models: net/ipv4/ip_forward.c of Linux 6.x.
Leaves out: ICMP redirects, source routes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import DEST_UNREACH, FRAG_NEEDED, TIME_EXCEEDED
from ..skb import Skb
from ..step import Drop, Step
from . import ip_output


def forward(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Pass a packet on to another device (ip_forward): TTL, MTU, the FORWARD hook, then out."""
    ip, out, place = skb.ip, skb.out, namespace.place
    if skb.packet_type != "In":
        yield Drop(place, skb.serial, ip, "not addressed to this machine's hardware address")
        return
    if ip.ttl <= 1:
        yield Drop(place, skb.serial, ip, "TTL exceeded")
        yield from ip_output.send_error(namespace, skb, TIME_EXCEEDED, 0)
        return
    if out is None:
        yield Drop(place, skb.serial, ip, "the route's device is not known")
        return
    mtu = ip_output.mtu_of(skb, out)
    if skb.segment_length > mtu and ip.df and not skb.defragmented:
        yield Drop(place, skb.serial, ip, f"{ip.length} bytes exceed the MTU of {mtu} and DF is set")
        yield from ip_output.send_error(namespace, skb, DEST_UNREACH, FRAG_NEEDED, mtu)
        return
    skb.packet = replace(ip, ttl=ip.ttl - 1)
    if (yield from hooks.run(namespace, hooks.FORWARD, skb, skb.device, out)):
        yield from ip_output.output(namespace, skb)
