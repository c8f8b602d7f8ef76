"""Which paths are measured: those that prices are fitted to, and those of Docker's modes, which are predicted.

The first are bare: each differs from another by little, a cable, a bridge, a table, a rule, so that prices come apart.
The second are what `simnet compare` plays, with the rules of an engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simnet.net.netfilter.rule import BASE_CHAINS
from simnet.study.modes import MODES, SCENARIO

from .beds import PLAIN, Bed

TRIP, BURST, FIRST, STREAM = "round trip", "datagram", "first packet", "stream"
# round trips whose programs sleep: on one CPU, and each on its own
SLEPT, WOKEN = "round trip, sleeping", "round trip, sleeping, two CPUs"
BACKENDS = ("legacy", "nft")
# how many rules of a kind a path has
RULES, MORE_RULES = 500, 1200


@dataclass(frozen=True)
class Path:
    """Who asks whom where (`name` says it), how (`kind`, `proto`), with how many bytes each way."""

    name: str
    bed: Bed
    frm: str
    to: str
    port: int
    kind: str = TRIP
    proto: str = "udp"
    size: int = 1
    proxied: bool = False

    def __str__(self) -> str:
        """`bridge, nft: round trip, udp, 1 byte`."""
        what = self.kind if self.kind in {BURST, FIRST, STREAM} else f"{self.kind}, {self.proto}"
        size = f", {self.size} bytes" if self.size > 1 else ""
        return f"{self.name}: {what}{size}"


# a condition or module, the protocol that it needs, and a rule that has it and stops nothing
KINDS = {
    "address": ("udp", "-s 198.51.100.7/32"),
    "interface": ("udp", "-o eth9"),
    "protocol": ("udp", "-p icmp"),
    "fragment": ("udp", "-f"),
    "udp": ("udp", "-p udp -m udp --dport 9"),
    "tcp": ("tcp", "-p tcp -m tcp --dport 9"),
    "multiport": ("udp", "-p udp -m multiport --dports 7,9"),
    "comment": ("udp", "-m comment --comment x"),
    "conntrack": ("udp", "-m conntrack --ctstate INVALID"),
    "state": ("udp", "-m state --state INVALID"),
    "addrtype": ("udp", "-m addrtype --dst-type BROADCAST"),
    "mark": ("udp", "-m mark --mark 0x7"),
    "limit": ("udp", "-m limit --limit 1/sec"),
    "iprange": ("udp", "-m iprange --src-range 198.51.100.7-198.51.100.9"),
    "jump": ("udp", "-j OTHER"),
    "MARK": ("udp", "-j MARK --set-xmark 0x0/0x0"),
}
# the kinds that a prediction is tried on, as rules in FORWARD of a Docker host
PREDICTED_KINDS = ("address", "interface", "protocol", "udp", "multiport", "comment", "conntrack", "addrtype", "jump")
_IDLE = "-s 198.51.100.7/32 -j ACCEPT"
_LOOPBACK, _CABLE = ("h1", "127.0.0.1", 9001), ("wan", "192.0.2.2", 9001)
_NAMED = ("h1", "172.31.0.2", 80)
_GATEWAY, _BRIDGED = ("wan", "172.17.0.2", 80), ("h1/other", "172.17.0.2", 80)


def table(name: str, *rules: str, idle: str = _IDLE) -> str:
    """An iptables-save dump of one table: a rule in each base chain that stops nothing, and others.

    Example:
        >>> print(table("raw", "-A OUTPUT -p icmp", idle=""), end="")
        *raw
        :PREROUTING ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A OUTPUT -p icmp
        COMMIT
    """
    chains = BASE_CHAINS[name]
    idlers = [f"-A {chain} {idle}" for chain in chains] if idle else []
    return "\n".join((f"*{name}", *(f":{chain} ACCEPT [0:0]" for chain in chains), *idlers, *rules, "COMMIT\n"))


def bare() -> Iterator[Path]:
    """The paths that prices are fitted to."""
    plain = Bed(PLAIN)
    for name, end in {"loopback": _LOOPBACK, "cable": _CABLE, "gateway": _GATEWAY, "bridged": _BRIDGED}.items():
        yield from _all_kinds(Path(name, plain, *end))
    cable = Path("cable", plain, *_CABLE)
    yield from (replace(cable, size=1400), replace(cable, size=8000), replace(cable, proto="tcp", size=1400))
    yield from (replace(cable, kind=SLEPT), replace(cable, kind=WOKEN))
    yield proxied("udp")
    yield from _all_kinds(Path("tunnel", Bed(PLAIN, tunnel=True), "wan", "10.77.0.2", 9001))
    for backend in BACKENDS:
        yield from _tables(backend)
        yield from _rules(backend)


def proxied(proto: str) -> Path:
    """What docker-proxy answers on the host."""
    mode = next(mode for mode in MODES if mode.name == "proxy")
    return Path("docker-proxy", Bed(SCENARIO), mode.frm, mode.to, mode.port, SLEPT, proto, proxied=True)


def _all_kinds(path: Path) -> Iterator[Path]:
    yield from (path, replace(path, proto="tcp"), replace(path, kind=BURST))
    yield from (replace(path, kind=STREAM, proto="tcp"), replace(path, kind=FIRST))


def _tables(backend: str) -> Iterator[Path]:
    """Tables that stop nothing, conntrack with what translation adds to it, br_netfilter, and translation."""
    filters, nat = table("filter"), table("nat")
    tracks = table("filter", "-A FORWARD -m conntrack --ctstate INVALID -j DROP")
    dnat = table("nat", *(f"-A PREROUTING -d 192.0.2.2/32 -p {proto} -m {proto} --dport 8080 "
                          "-j DNAT --to-destination 172.17.0.2:80" for proto in ("udp", "tcp")))  # fmt: skip
    masquerade = table("nat", "-A POSTROUTING -o eth0 -j MASQUERADE")
    for name, dump, end in (
        ("gateway, filter", filters, _GATEWAY),
        ("gateway, three tables", filters + table("raw") + table("mangle"), _GATEWAY),
        ("loopback, conntrack", tracks + nat, _LOOPBACK),
        ("cable, conntrack", tracks + nat, _CABLE),
        ("gateway, conntrack there and behind it", tracks + nat, ("wan", *_NAMED[1:])),
        ("gateway, conntrack", tracks + nat, _GATEWAY),
        ("gateway, DNAT", tracks + dnat, ("wan", "192.0.2.2", 8080)),
        ("gateway, MASQUERADE", tracks + masquerade, ("h1/web", "192.0.2.1", 80)),
        ("bridged, filter", filters, _BRIDGED),
        ("bridged, conntrack", tracks + nat, _BRIDGED),
    ):
        path = Path(f"{name}, {backend}", Bed(PLAIN, backend, rules=dump), *end)
        yield from (path, replace(path, proto="tcp"))
        if dump not in {filters, filters + table("raw") + table("mangle")}:
            yield replace(path, kind=FIRST)


def _rules(backend: str) -> Iterator[Path]:
    """Many rules of each kind in OUTPUT."""
    for kind, (proto, rule) in KINDS.items():
        dump = table("mangle" if kind == "MARK" else "filter", *[f"-A OUTPUT {rule}"] * RULES)
        if kind == "jump":
            dump = dump.replace("-A", f":OTHER - [0:0]\n-A OTHER {_IDLE}\n-A", 1)
        # nft takes longer for longer names, and lo is a shorter one than the bridges of Docker's networks have
        end = _NAMED if kind == "interface" else _LOOPBACK
        yield Path(f"{RULES} rules, {kind}, {backend}", Bed(PLAIN, backend, rules=dump), *end, proto=proto)


def modes() -> Iterator[Path]:
    """Docker's modes as `simnet compare` plays them: round trips, datagrams, streams and first packets."""
    other = "docker run -d --name other --network open busybox"
    for backend in BACKENDS:
        bed = Bed(SCENARIO, backend, commands=(other,))
        asked = [(mode.name, mode.frm, mode.to, mode.port) for mode in MODES if mode.name not in {"none", "proxy"}]
        asked.append(("container to container", "h1/other", "172.30.0.2", 80))
        for name, frm, to, port in asked:
            path = Path(f"{name}, {backend}", bed, frm, to, port)
            yield from (*_all_kinds(path), replace(path, kind=SLEPT))


def slopes(backend: str) -> Iterator[tuple[Path, Path]]:
    """Pairs of paths through a container's host, without and with many rules of a kind in FORWARD."""
    mode = next(mode for mode in MODES if mode.name == "bridge")
    without = Path(f"bridge, {backend}", Bed(SCENARIO, backend), mode.frm, mode.to, mode.port)
    for kind in PREDICTED_KINDS:
        chain = [":OTHER - [0:0]", f"-A OTHER {_IDLE}"] if kind == "jump" else []
        lines = (*chain, *[f"-A FORWARD {KINDS[kind][1]}"] * MORE_RULES)
        bed = Bed(SCENARIO, backend, inserted=lines)
        yield without, replace(without, name=f"{MORE_RULES} rules, {kind}, {backend}", bed=bed)
