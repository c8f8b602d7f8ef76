"""A host whose containers are macvlan or ipvlan devices above its `eth0`, which leads to the outside machine's bridge.

    wan: lan 192.0.2.1 ── port h1 ═ eth0 192.0.2.2 [h1] ┬ a  .11
                                                        └ b  .12   (in mode passthru only a)

In modes l3 and l3s the containers have addresses of a subnet of their own, to which `wan` has a route.
"""

import json
import time
from dataclasses import dataclass

from simnet.live.probe.talk import PATIENCE
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.scenario.question import Listen
from tests.live.host import Host, run

_SUBNETS = {"flat": ("192.0.2", "via 192.0.2.1"), "routed": ("10.99.0", "dev eth0")}
SERVERS = tuple(
    Listen(place, proto, 0, port)
    for place in ("wan/host", "h1/host", "h1/a", "h1/b")
    for proto, port in (("tcp", 80), ("udp", 53), ("tcp", 9000))
)

_CHAINS = {
    "raw": "PREROUTING OUTPUT", "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
    "nat": "PREROUTING INPUT OUTPUT POSTROUTING", "filter": "INPUT FORWARD OUTPUT",
}  # fmt: skip
_RULES = {
    "h1/host": {
        "nat": [
            "-A PREROUTING -d 192.0.2.2/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination {a}:80",
            "-A OUTPUT -d 203.0.113.9/32 -p tcp -j DNAT --to-destination 192.0.2.1:80",
            "-A POSTROUTING -d 198.51.100.7/32 -o eth0 -j MASQUERADE",
        ],
        "filter": ["-A OUTPUT -p udp -m udp --dport 9100 -j REJECT", "-A INPUT -p tcp -m tcp --dport 81 -j REJECT"],
        "mangle": ["-A PREROUTING -i eth0 -p udp -j TOS --set-tos 0x10/0x3f"],
    },
    "h1/a": {
        "filter": [
            "-A INPUT -p tcp -m tcp --dport 9000 -j DROP",
            "-A OUTPUT -p tcp -m tcp --dport 9001 -j REJECT",
        ]
    },
}


@dataclass(frozen=True)
class Kind:
    """A kind of device and its mode, as `ip link add` takes it; `hairpin`: the switch outside sends frames back."""

    type: str
    mode: str
    flag: str = ""
    hairpin: bool = False
    vlan: bool = False

    @property
    def alone(self):
        return self.mode == "passthru"

    @property
    def subnet(self):
        return _SUBNETS["routed" if self.mode in {"l3", "l3s"} else "flat"]

    def __str__(self):
        words = [self.type, self.mode, self.flag, "hairpin" * self.hairpin, "vlan" * self.vlan]
        return "-".join(word for word in words if word)


# without a switch that sends frames back, macvlan modes private and vepa are alike (tests/net/test_macvlan.py)
KINDS = (
    Kind("macvlan", "bridge"), Kind("macvlan", "passthru"),
    Kind("macvlan", "private", hairpin=True), Kind("macvlan", "vepa", hairpin=True),
    Kind("ipvlan", "l2"), Kind("ipvlan", "l3"), Kind("ipvlan", "l3s"), Kind("ipvlan", "l2", "private"),
    Kind("ipvlan", "l2", "vepa", hairpin=True), Kind("ipvlan", "l3", "private"), Kind("ipvlan", "l3", "vepa"),
    Kind("macvlan", "bridge", vlan=True), Kind("ipvlan", "l2", vlan=True),
)  # fmt: skip


class VlanHost(Host):
    """The namespaces for one kind of device."""

    def __init__(self, kind):
        self.kind = kind
        self.lower, self.lan = ("eth0.10", "lan.10") if kind.vlan else ("eth0", "lan")
        self.containers = ["a"] if kind.alone else ["a", "b"]
        self.places = {"wan/host": "wan", "h1/host": "h1"} | {f"h1/{name}": name for name in self.containers}
        self.addresses = {"wan": self._wan(), "h1": self._host()} | {name: self._container(name) for name in "ab"}
        super().__init__()

    def _wire(self, short):
        for place in ("wan/host", "h1/host"):
            self.inside(place, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        cable = "link add eth0 netns {h1} type veth peer name h1 netns {wan}".format(**short)
        run("ip", *cable.split())
        lines = ["link set eth0 up"]
        if self.kind.vlan:
            lines += ["link add link eth0 name eth0.10 type vlan id 10", "link set eth0.10 up"]
        how = f"type {self.kind.type} mode {self.kind.mode} {self.kind.flag}"
        for name in self.containers:
            lines += [f"link add link {self.lower} name {name} {how}", f"link set dev {name} netns {short[name]}"]
        run("ip", "-n", short["h1"], "-batch", "-", stdin="\n".join(lines))

    def _wan(self):
        hairpin = "on" if self.kind.hairpin else "off"
        tagged = ["link add link lan name lan.10 type vlan id 10", "link set lan.10 up"] if self.kind.vlan else []
        lines = [
            "link add lan type bridge", "link set h1 master lan", "link set lan up", "link set h1 up",
            f"link set h1 type bridge_slave hairpin {hairpin}", *tagged,
            f"addr add 192.0.2.1/24 dev {self.lan}", "addr add 198.51.100.7/32 dev lo",
            f"route add 10.99.0.0/24 via 192.0.2.2 dev {self.lan}",
        ]  # fmt: skip
        return "\n".join(lines)

    def _host(self):
        return f"addr add 192.0.2.2/24 dev {self.lower}\nroute add default via 192.0.2.1"

    def _container(self, name):
        own = self.address(f"h1/{name}")
        lines = [f"link set dev {name} name eth0", "link set eth0 up", f"addr add {own}/24 dev eth0"]
        return "\n".join([*lines, f"route add default {self.kind.subnet[1]}"])

    def address(self, place):
        """The address of a place on the common cable, or in the containers' subnet."""
        own = {"wan/host": "192.0.2.1", "h1/host": "192.0.2.2"}
        return own.get(place) or f"{self.kind.subnet[0]}.{11 if place == 'h1/a' else 12}"

    def settle(self):
        """Wait until the bridge takes in frames: a port follows its cable's state only after a moment."""
        for _ in range(200):
            link, *_ = json.loads(self.inside("wan/host", "ip", "-j", "-d", "link", "show", "h1"))
            if link["linkinfo"]["info_slave_data"]["state"] == "forwarding":
                return
            time.sleep(0.02)
        raise RuntimeError("the bridge's port does not become forwarding")

    def quiet(self):
        """Forget neighbours and connections, so that each probe begins anew."""
        for name in self.names.values():
            run("ip", "-n", name, "neigh", "flush", "all")
        self.forget()

    def rules(self, place):
        """What a place's tables hold: every chain, so that every hook that a packet passes is seen."""
        own = _RULES.get(place, {})
        lines = []
        for table, chains in _CHAINS.items():
            lines += [f"*{table}", *(f":{chain} ACCEPT [0:0]" for chain in chains.split())]
            lines += [rule.format(a=self.address("h1/a")) for rule in own.get(table, [])]
            lines.append("COMMIT")
        return "\n".join(lines) + "\n"

    def probes(self):
        """Every way between two places, and what rules on the way do to packets; ports tell the probes apart."""
        left_out = {("h1/b", "h1/a"), ("h1/b", "wan/host"), ("wan/host", "h1/b")}
        ends = [(a, b) for a in self.places for b in self.places if a != b and (a, b) not in left_out]
        asked = [(frm, "tcp", self.address(to), 80, 64) for frm, to in ends]
        asked += [
            ("h1/a", "icmp", "198.51.100.7", 0, 64), ("h1/a", "tcp", "203.0.113.9", 7, 64),
            ("h1/a", "udp", "192.0.2.1", 9100, 64), ("h1/a", "tcp", "192.0.2.1", 9001, 64),
            ("wan/host", "tcp", "192.0.2.2", 8080, 64), ("wan/host", "tcp", self.address("h1/a"), 81, 64),
            ("wan/host", "tcp", self.address("h1/a"), 9000, 64), ("wan/host", "udp", self.address("h1/a"), 53, 1),
            ("h1/a", "udp", "192.0.2.1", 9, 1), ("wan/host", "icmp", self.address("h1/a"), 0, 64),
            ("h1/a", "icmp", f"{self.kind.subnet[0]}.77", 0, 64),
        ]  # fmt: skip
        return [
            Probe(frm, parse_ip(to), port, proto, 20000 + number, ttl, patience=PATIENCE)
            for number, (frm, proto, to, port, ttl) in enumerate(asked)
        ]
