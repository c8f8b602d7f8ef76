"""Fragments: a packet cut up, and put together again.

Models: net/ipv4/ip_output.c (ip_do_fragment) and ip_fragment.c of Linux 6.x.
Leaves out: overlapping fragments, and the 30 s after which an incomplete packet is dropped.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from ..namespace import NetNamespace
from ..packet import IP_HEADER, Fragment, RawPayload
from ..skb import Skb
from ..step import Reshape, Step


def fragment(namespace: NetNamespace, skb: Skb, mtu: int) -> Generator[Step, None, list[Skb]]:
    """Cut a packet into fragments of at most `mtu` bytes (ip_do_fragment)."""
    ip = skb.ip
    size = max((mtu - IP_HEADER) & ~7, 8)
    payload = ip.length - IP_HEADER
    cut = ip.fragment  # a fragment may be cut again
    begin, more_follow = (cut.offset, cut.more) if cut is not None else (0, False)
    whole = cut.whole if cut is not None else ip
    parts = []
    for offset in range(0, payload, size):
        length = min(size, payload - offset)
        piece = Fragment(begin + offset, length, more=offset + length < payload or more_follow, whole=whole)
        part = skb.clone()
        transport = ip.transport if offset == 0 else RawPayload(length)
        part.packet = replace(ip, fragment=piece, df=False, transport=transport)
        part.defragmented = 0
        parts.append(part)
    yield Reshape(namespace.place, skb.serial, ip, "fragmented into", len(parts))
    return parts


def defragment(namespace: NetNamespace, skb: Skb, user: str) -> Generator[Step, None, Skb | None]:
    """Collect the fragments of a packet (ip_defrag); None while some are missing, else `skb` holds the whole."""
    ip = skb.ip
    if ip.fragment is None or (user == "bridge" and not namespace.tracks_connections):
        return skb
    key = ip.src, ip.dst, ip.proto, skb.serial
    queue = namespace.reassembly.setdefault(key, [])
    queue.append(skb)
    found = [part.ip.fragment for part in queue if part.ip.fragment is not None]
    pieces = sorted(found, key=lambda piece: piece.offset)
    expected = 0
    for piece in pieces:
        if piece.offset != expected:
            return None
        expected += piece.length
    if pieces[-1].more:
        return None
    del namespace.reassembly[key]
    whole = pieces[0].whole
    first = next(part.ip for part in queue if part.ip.fragment is not None and part.ip.fragment.offset == 0)
    skb.defragmented = max(piece.length for piece in pieces) + IP_HEADER
    skb.packet = replace(whole, src=first.src, dst=first.dst, ttl=first.ttl, tos=first.tos, transport=first.transport)
    yield Reshape(namespace.place, skb.serial, skb.packet, "reassembled from", len(pieces))
    return skb
