"""An outside machine beside a Docker host that has none within reach: a namespace and a cable, while probes are sent.

The machine has the first address of a network for documentation (RFC 5737) that the host has no route to, the host gets
the second, on a device of its own. Namespace, cable and address go with this process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

from simnet.errors import HostError
from simnet.live.host.namespace import NetworkNamespace

DEVICE = "simnet-wan"
_NETWORKS = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


@contextmanager
def outside(host: NetworkNamespace) -> Iterator[NetworkNamespace]:
    """A machine `wan` on a cable to the host, whose way to everything is the host; HostError where it cannot be."""
    own, other = (str(free(host)[number]) for number in (1, 2))
    with NetworkNamespace.made("wan/host") as wan:
        host.run(["ip", "link", "add", DEVICE, "type", "veth", "peer", "name", "eth0", "netns", wan.path])
        try:
            host.run(["ip", "addr", "add", f"{other}/24", "dev", DEVICE])
            host.run(["ip", "link", "set", DEVICE, "up"])
            wan.run(["ip", "-batch", "-"], stdin=_WAN.format(own=own, other=other))
            yield wan
        finally:
            host.run(["ip", "link", "del", DEVICE])


_WAN = """
link set lo up
addr add {own}/24 dev eth0
link set eth0 up
route add default via {other}
"""


def free(host: NetworkNamespace) -> IPv4Network:
    """A network for documentation that no route of the host but the default one covers."""
    routes = json.loads(host.run(["ip", "-j", "route", "show", "table", "all", "type", "unicast"]))
    taken = [
        IPv4Network(one["dst"], strict=False) for one in routes if one["dst"] != "default" and ":" not in one["dst"]
    ]
    for network in _NETWORKS:
        if not any(network.overlaps(one) for one in taken):
            return network
    raise HostError("every network for documentation is in use on this host", "--no-outside does without")
