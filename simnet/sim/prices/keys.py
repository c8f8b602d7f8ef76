"""What has a price: the name of each, what it pays for, and the heading that it goes under in a bill.

What comes before a point in a name is a group, which a price list may scale as a whole (`device`, `device.veth`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

UNITS = ("ns", "ns/byte")


class Key(NamedTuple):
    """What a price pays for, the bill's heading, and the unit."""

    pays: str
    heading: str
    unit: str = UNITS[0]


SOCKETS, COPIES, WAKEUPS, DEVICES, BRIDGES = "system calls", "copies", "wake-ups", "devices", "bridges"
ROUTES, HOOKS, CONNTRACK, NAT, RULES = "routing", "hooks", "conntrack", "NAT", "rules"
TUNNELS, WIRES, PROXIES, HALTS = "tunnels", "wires", "docker-proxy", "halted CPUs"
# time that no CPU is busy for
IDLE = (HALTS, WIRES)
HEADINGS = (
    SOCKETS,
    COPIES,
    WAKEUPS,
    HALTS,
    PROXIES,
    DEVICES,
    BRIDGES,
    ROUTES,
    HOOKS,
    CONNTRACK,
    NAT,
    RULES,
    TUNNELS,
    WIRES,
)

_DEVICE_KINDS = ("loopback", "veth", "physical", "bridge", "vxlan", "vlan", "macvlan", "ipvlan", "device")
_MODULES = (
    "tcp", "udp", "icmp", "multiport", "comment", "conntrack", "state", "addrtype", "set", "mark", "physdev", "limit",
    "hashlimit", "iprange", "other",
)  # fmt: skip
_TARGETS = ("jump", "DNAT", "SNAT", "MASQUERADE", "LOG", "MARK", "other")


def _keys() -> dict[str, Key]:
    found = {
        "send.udp": Key("the system call that sends a datagram, down to IP", SOCKETS),
        "send.tcp": Key("the system call that writes to a stream, down to IP", SOCKETS),
        "send.icmp": Key("the system call that sends an echo request, down to IP", SOCKETS),
        "receive.udp": Key("the system call that takes in a datagram", SOCKETS),
        "receive.tcp": Key("the system call that reads from a stream", SOCKETS),
        "origin": Key("a packet's making: headers, and IP output up to the device", SOCKETS),
        "delivery.udp": Key("UDP input: finding the socket, queueing", SOCKETS),
        "delivery.tcp": Key("TCP input: finding the socket, the state machine", SOCKETS),
        "copy.send": Key("copying data from a process", COPIES, UNITS[1]),
        "copy.receive": Key("copying data to a process", COPIES, UNITS[1]),
        "checksum": Key("each byte's checksum in software, where a device does none", COPIES, UNITS[1]),
        "wake-up.poll": Key("a process that polls seeing its data", WAKEUPS),
        "wake-up.switch": Key("putting a process to sleep and switching to it when it is woken", WAKEUPS),
        "wake-up.other-cpu": Key(
            "until another CPU, which may be halted, takes note (it is not busy meanwhile)", HALTS
        ),
        "wake-up.waker": Key("what waking takes from the one that wakes", WAKEUPS),
        "proxy.datagram": Key("docker-proxy's own work for each datagram or piece of a stream", PROXIES),
        "proxy.connection": Key("docker-proxy's own work for each connection", PROXIES),
        "softirq": Key("handing a packet to a backlog and taking it out", DEVICES),
        "softirq.other-cpu": Key("handing a packet to another CPU's backlog (RPS)", DEVICES),
        "bridge": Key("a bridge's decision: learning, looking up, forwarding", BRIDGES),
        "bridge.netfilter": Key("br_netfilter's own work at a hook", BRIDGES),
        "route": Key("a routing decision", ROUTES),
        "forward": Key("forwarding a packet beside its hooks", ROUTES),
        "neighbour": Key("finding the next hop's hardware address", ROUTES),
        "fragment": Key("each fragment made or put together", ROUTES),
        "hook": Key("passing a hook that has something registered", HOOKS),
        "conntrack.lookup": Key("finding a packet's connection", CONNTRACK),
        "conntrack.new": Key("making a connection's entry", CONNTRACK),
        "conntrack.confirm": Key("entering it into the table", CONNTRACK),
        "nat.rewrite": Key("rewriting a packet", NAT),
        "ipvs": Key("IPVS finding or choosing a real server", NAT),
        "tunnel.encapsulate": Key("wrapping a frame into VXLAN", TUNNELS),
        "tunnel.decapsulate": Key("taking a frame out of VXLAN", TUNNELS),
        "encrypt.packet": Key("IPsec's work for each packet, at each end", TUNNELS),
        "encrypt.byte": Key("IPsec's work for each byte, at each end", TUNNELS, UNITS[1]),
        "segment": Key("cutting one segment off a large one in software", DEVICES),
        "wire": Key("being on a wire, or waiting to be", WIRES),
    }
    for kind in _DEVICE_KINDS:
        found[f"device.{kind}.out"] = Key(f"sending by a device of kind {kind}", DEVICES)
        found[f"device.{kind}.in"] = Key(f"receiving from a device of kind {kind}", DEVICES)
    for backend in ("legacy", "nft"):
        found[f"chain.{backend}"] = Key("beginning a base chain", RULES)
        found[f"rule.{backend}"] = Key("a rule's being compared, whatever it asks", RULES)
        for name in ("address", "interface", "protocol", "fragment"):
            found[f"condition.{backend}.{name}"] = Key(f"a condition on {name}", RULES)
        for name in _MODULES:
            found[f"match.{backend}.{name}"] = Key(f"match {name} running", RULES)
        for name in _TARGETS:
            found[f"target.{backend}.{name}"] = Key(f"target {name}, for a rule that matched", RULES)
    return found


KEYS = _keys()


def groups_of(keys: Iterable[str]) -> list[str]:
    """What can be scaled: `all`, every key, and every group.

    Example:
        >>> groups_of(["route", "device.veth.in"])
        ['all', 'route', 'device', 'device.veth', 'device.veth.in']
    """
    parts = [key.split(".") for key in keys]
    return ["all", *dict.fromkeys(".".join(part[: count + 1]) for part in parts for count in range(len(part)))]


def in_group(key: str, group: str) -> bool:
    """Whether a key is one of a group's, or the group itself."""
    return group in {"all", key} or key.startswith(f"{group}.")
