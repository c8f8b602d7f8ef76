"""A large packet cut into the segments that a wire carries.

Models: net/core/gso.c and net/ipv4/tcp_offload.c of Linux 6.x (skb_segment, tcp_gso_segment).
Leaves out: flags that differ from segment to segment, and IP identifications.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from ..packet import IPv4, TcpSegment, UdpDatagram
from ..skb import Skb


def count(skb: Skb) -> int:
    """How many segments a packet is to be cut into; 1 where it is none to be cut."""
    return 1 + ceil(skb.excess / skb.segment) if skb.segment else 1


def pieces(skb: Skb) -> Iterator[Skb]:
    """The segments of a large packet, a tunnel's each wrapped for itself."""
    ip = skb.ip
    length = len(_data(ip))
    for start in range(0, length, skb.segment):
        piece = skb.clone()
        piece.packet = _cut(ip, start, start + skb.segment)
        piece.segment = piece.excess = 0
        yield piece


def _data(ip: IPv4) -> bytes:
    transport = ip.transport
    if isinstance(transport, UdpDatagram) and transport.inner is not None:
        inner = transport.inner.payload
        assert isinstance(inner, IPv4)
        return _data(inner)
    assert isinstance(transport, TcpSegment)
    return transport.data


def _cut(ip: IPv4, start: int, end: int) -> IPv4:
    transport = ip.transport
    if isinstance(transport, UdpDatagram):
        frame = transport.inner
        assert frame is not None
        assert isinstance(frame.payload, IPv4)
        return replace(ip, transport=replace(transport, inner=replace(frame, payload=_cut(frame.payload, start, end))))
    assert isinstance(transport, TcpSegment)
    return replace(ip, transport=replace(transport, seq=transport.seq + start, data=transport.data[start:end]))
