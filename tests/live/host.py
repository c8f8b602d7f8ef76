"""A Docker host in miniature, made of network namespaces: the real kernel to hold simnet against.

`wan` (an outside machine) is wired to `h1` (a router with two bridges), whose "containers" `h1/web` and `h1/db` have
one bridge each. Only namespaces made here are touched, and a `Host` takes down what it put up, whatever happens.
"""

import atexit
import itertools
import os
import subprocess
from pathlib import Path

from simnet.live.host.namespace import NetworkNamespace

PLACES = {"wan/host": "wan", "h1/host": "h1", "h1/web": "web", "h1/db": "db"}
TABLES = ("raw", "mangle", "nat", "filter", "security")
_LINKS = """
link add eth0 netns {h1} type veth peer name eth0 netns {wan}
link add vethweb netns {h1} type veth peer name eth0 netns {web}
link add vethdb netns {h1} type veth peer name eth0 netns {db}
"""
_ADDRESSES = {
    "wan": """
        addr add 192.0.2.1/24 dev eth0
        addr add 192.0.2.99/24 dev eth0
        addr add 192.0.2.200/24 dev eth0
        addr add 198.51.100.7/32 dev lo
        link set eth0 up
        route add 10.0.0.0/8 via 192.0.2.2
    """,
    "h1": """
        addr add 192.0.2.2/24 dev eth0
        addr add 192.0.2.77/24 dev eth0
        link add br-front type bridge
        link add br-back type bridge
        addr add 10.10.0.1/24 dev br-front
        addr add 10.20.0.1/24 dev br-back
        link set vethweb master br-front
        link set vethdb master br-back
        link set eth0 up
        link set vethweb up
        link set vethdb up
        link set br-front up
        link set br-back up
        route add default via 192.0.2.1
    """,
    "web": """
        addr add 10.10.0.2/24 dev eth0
        addr add 10.10.0.3/24 dev eth0
        addr add 10.10.0.4/24 dev eth0
        addr add 10.10.0.5/24 dev eth0
        link set eth0 up
        route add default via 10.10.0.1
    """,
    "db": """
        addr add 10.20.0.2/24 dev eth0
        addr add 10.20.0.3/24 dev eth0
        link set eth0 up
        route add default via 10.20.0.1
    """,
}
_SYSCTLS = ("net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.route_localnet",
            "net.bridge.bridge-nf-call-iptables")  # fmt: skip
# Nothing but the probes is to be heard, and nothing may hang on what was sent before: no IPv6, no limit to the rate of
# ICMP errors, no redirects, and no error seconds later where nobody answered by ARP.
_QUIET = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
    "net.ipv4.icmp_ratelimit=0",
    "net.ipv4.conf.all.send_redirects=0",
    "net.ipv4.conf.default.send_redirects=0",
)
_PATIENT = "for file in /proc/sys/net/ipv4/neigh/*/mcast_solicit; do echo 1000 > $file; done"
_SNAPSHOT = {
    "ip-addr.json": ("ip", "-j", "-d", "addr"),
    "ip-route.json": ("ip", "-j", "route", "show", "table", "all"),
    "ip-rule.json": ("ip", "-j", "rule"),
    "ip-neigh.json": ("ip", "-j", "neigh"),
    "bridge-fdb.json": ("bridge", "-j", "fdb"),
    "listen": ("ss", "-Hlntu"),
    "sysctl": ("sh", "-c", f"for k in {' '.join(_SYSCTLS)}; do echo $k=$(sysctl -n $k 2>/dev/null); done"),
}
_numbers = itertools.count()


def run(*command, stdin=None):
    """A command's output; RuntimeError with its words where it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


class Host:
    """The namespaces, up between `with` and its end.

    A subclass with `places`, `addresses` and `_wire` of its own makes others than those above.
    """

    places = PLACES
    addresses = _ADDRESSES

    def __init__(self):
        prefix = f"simnet-{os.getpid()}-{next(_numbers)}"
        self.names = {place: f"{prefix}-{short}" for place, short in self.places.items()}
        self._made = []
        self.spaces = {}

    def __enter__(self):
        atexit.register(self.down)  # for the case that `down` itself is interrupted
        try:
            self._up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def down(self):
        """Delete the namespaces that were made; their devices go with them."""
        while self.spaces:
            self.spaces.popitem()[1].close()
        while self._made:
            subprocess.run(["ip", "netns", "del", self._made[-1]], capture_output=True, check=False)
            self._made.pop()

    def _up(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
            self._made.append(name)
        self.spaces = {place: NetworkNamespace(Path("/run/netns", name), place) for place, name in self.names.items()}
        short = {self.places[place]: name for place, name in self.names.items()}
        for place in self.places:
            self.inside(place, "sysctl", "-qw", *_QUIET)
            self.inside(place, "ip", "link", "set", "lo", "up")
        self._wire(short)
        for place, kind in self.places.items():
            run("ip", "-n", self.names[place], "-batch", "-", stdin=self.addresses[kind])
            self.inside(place, "sh", "-c", _PATIENT)

    def _wire(self, short):
        """Make the devices that lead from one namespace to another; `short` has each one's name."""
        self.inside("h1/host", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1")
        run("ip", "-batch", "-", stdin=_LINKS.format(**short))

    def inside(self, place, *command, stdin=None):
        """Run a command in a place's namespace."""
        return run("ip", "netns", "exec", self.names[place], *command, stdin=stdin)

    def load(self, place, rules):
        """Put a rule set into force; RuntimeError with the rules, numbered, where one is refused."""
        try:
            self.inside(place, "iptables-restore", stdin=rules)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{numbered(rules)}") from error

    def macs(self):
        """The hardware addresses of all devices."""
        links = [line.split() for place in self.places for line in self.inside(place, "ip", "link").splitlines()]
        return sorted(words[1] for words in links if words[0] == "link/ether")

    def trace(self, place):
        """Let the kernel trace every packet of a place from now on: two rules more, which no snapshot is to hold."""
        for chain in ("PREROUTING", "OUTPUT"):
            self.inside(place, "iptables", "-w", "-t", "raw", "-I", chain, "-j", "TRACE")

    def forget(self):
        """Empty the conntrack tables."""
        for place in self.places:
            self.inside(place, "conntrack", "-F")

    def snapshot(self, folder):
        """Every namespace as standard commands print it, with the rules that are in force."""
        for place in self.places:
            target = folder / place
            target.mkdir(parents=True, exist_ok=True)
            for name, command in _SNAPSHOT.items():
                (target / name).write_text(self.inside(place, *command), "utf-8")
            (target / "iptables-save").write_text(self.inside(place, "iptables-save", "-c"), "utf-8")


def numbered(text):
    """Lines with their numbers, as iptables-restore names them."""
    return "\n".join(f"{number:4} {line}" for number, line in enumerate(text.splitlines(), 1))
