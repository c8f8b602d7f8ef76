"""What a match or target sees of a packet at a hook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..device import Device
    from ..namespace import NetNamespace
    from ..packet import Ip
    from ..skb import Skb


@dataclass(slots=True)
class Context:
    """A packet (`skb`, and `ip` as it is now) at a `hook` of a namespace, between two devices (None: not known there).

    `refusals` collects what REJECT wants it answered with: an ICMP code, or None for a TCP reset.
    """

    namespace: NetNamespace
    skb: Skb
    ip: Ip
    hook: str
    indev: Device | None
    outdev: Device | None
    iif: str
    oif: str
    refusals: list[int | None] = field(default_factory=list)
