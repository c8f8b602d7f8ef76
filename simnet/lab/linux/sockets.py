"""The sockets that ss and netstat list: what a namespace listens on.

The kernel walks its hash tables from the newest entry of a bucket on; here all are listed newest first.
"""

from __future__ import annotations

from typing import NamedTuple

from simnet.net.address import ip_text
from simnet.net.namespace import NetNamespace
from simnet.net.socket import DatagramSocket


class Listening(NamedTuple):
    """One socket: protocol, state, the longest queue of connections, its own end; `six`: of IPv6."""

    proto: str
    state: str
    backlog: int
    address: str
    port: int
    six: bool = False


def listening(namespace: NetNamespace, protos: set[str]) -> list[Listening]:
    """What listens, UDP first. The kernel's own tunnels (VXLAN) count as UDP sockets.

    A program's backlog is not modelled: 4096 (net.core.somaxconn), which most servers ask for.
    """
    found = []
    if "udp" in protos:
        tunnels = [Listening("udp", "UNCONN", 0, "0.0.0.0", port) for port in {port for port, _ in namespace.tunnels}]
        sockets = [one for one in namespace.sockets if isinstance(one, DatagramSocket)]
        found += tunnels + [Listening("udp", "UNCONN", 0, ip_text(one.address), one.port) for one in reversed(sockets)]
    if "tcp" in protos:
        heard = reversed(namespace.sockets.listeners)
        found += [Listening("tcp", "LISTEN", 4096, ip_text(one.address), one.port) for one in heard]
    for proto, address, port in reversed(namespace.sockets.six):
        if proto in protos:
            state, backlog = ("LISTEN", 4096) if proto == "tcp" else ("UNCONN", 0)
            found.append(Listening(proto, state, backlog, address, port, six=True))
    return sorted(found, key=lambda one: one.proto != "udp")
