"""What was measured on the machine that linux-6.18-vm is of, in namespaces joined by veth pairs.

Medians, in ns where nothing else is said. `bare` has no rules at all, the other paths have those of Docker 28.5.
"""

from __future__ import annotations

from collections.abc import Iterable

from simnet.sim.prices.costs import Costs

from .figure import Ask, Figure, Table
from .model import connection, first_packet, on, one_way, round_trip, rule, stream

LIST = "linux-6.18-vm"
GBIT = "Gbit/s"

BATCHED = (
    "segments that come in a row cost less than one by one (caches, no system call each); prices are of single ones"
)
SOCKETS = "making, accepting and closing sockets has no price of its own"
FRAGMENTS = "`fragment` is charged where they are made and where they are put together, and their devices on top"
OUTER = "all of a tunnel's packets have one source port in the model, so both nodes know the outer connection already"
CACHED = "`copy` is fitted to streams; a message that is still in the cache takes less than half of that"


def polled(path: str, proto: str = "udp", backend: str = "legacy") -> Ask:
    """A round trip between polling programs."""
    return lambda costs: round_trip(on(costs, backend=backend), path, proto)


def blocked(path: str, cpus: int, proto: str = "udp", size: int = 1) -> Ask:
    """A round trip between sleeping programs."""
    return lambda costs: round_trip(on(costs, cpus), path, proto, polls=False, size=size, reply=size)


def sent(path: str, backend: str = "legacy") -> Ask:
    """What a datagram takes from its sender."""
    return lambda costs: one_way(on(costs, backend=backend), path)


def carries(path: str, cpus: int, *, offload: bool) -> Ask:
    """A TCP stream."""
    return lambda costs: stream(on(costs, cpus), path, offload=offload)


def by(ask: Ask, other: Ask) -> Ask:
    """One as a share of another."""
    return lambda costs: ask(costs) / other(costs)


def _many(template: str, unit: str, rows: Iterable[tuple[str, float, Ask]], why: str = "") -> tuple[Figure, ...]:
    return tuple(Figure(template.format(name), value, unit, ask, why=why) for name, value, ask in rows)


ROUND_TRIPS = Table("round-trips", LIST, (
    *_many("UDP, polling, {}", "ns", (
        ("loopback", 5959, polled("loopback")),
        ("no rules", 7040, polled("bare")),
        ("host mode", 8082, polled("host")),
        ("bridge", 11447, polled("bridge")),
        ("NAT", 11977, polled("nat")),
        ("container to container", 11197, polled("neighbour")),
        ("masquerade", 12107, polled("out")),
        ("overlay", 18918, polled("overlay")),
        ("host mode, nft", 8252, polled("host", backend="nft")),
        ("bridge, nft", 12168, polled("bridge", backend="nft")),
        ("NAT, nft", 12748, polled("nat", backend="nft")),
        ("overlay, nft", 19279, polled("overlay", backend="nft")),
    )),
    *_many("TCP, polling, {}", "ns", (
        ("no rules", 8292, polled("bare", "tcp")),
        ("host mode", 9303, polled("host", "tcp")),
        ("bridge", 13765, polled("bridge", "tcp")),
        ("NAT", 14096, polled("nat", "tcp")),
        ("overlay", 19320, polled("overlay", "tcp")),
    )),
    *_many("UDP, sleeping, one CPU, {}", "ns", (
        ("no rules", 12228, blocked("bare", 1)),
        ("host mode", 13280, blocked("host", 1)),
        ("bridge", 16915, blocked("bridge", 1)),
        ("NAT", 17426, blocked("nat", 1)),
        ("overlay", 23274, blocked("overlay", 1)),
    )),
    *_many("TCP, sleeping, one CPU, {}", "ns", (
        ("no rules", 13901, blocked("bare", 1, "tcp")),
        ("NAT", 19909, blocked("nat", 1, "tcp")),
    )),
    *_many("UDP, sleeping, two CPUs, {}", "ns", (
        ("no rules", 50925, blocked("bare", 2)),
        ("host mode", 51997, blocked("host", 2)),
        ("bridge", 58456, blocked("bridge", 2)),
        ("NAT", 57275, blocked("nat", 2)),
        ("overlay", 64696, blocked("overlay", 2)),
    )),
))  # fmt: skip

MODES = Table("modes", LIST, (
    *_many("round trip, UDP, polling, {} by no rules", "×", (
        ("bridge", 1.64, by(polled("bridge"), polled("bare"))),
        ("NAT", 1.78, by(polled("nat"), polled("bare"))),
        ("overlay", 2.44, by(polled("overlay"), polled("bare"))),
    )),
    *_many("stream of datagrams, {} by no rules", "×", (
        ("bridge", 0.61, by(sent("bare"), sent("bridge"))),
        ("NAT", 0.55, by(sent("bare"), sent("nat"))),
        ("overlay", 0.41, by(sent("bare"), sent("overlay"))),
    )),
))  # fmt: skip

ONE_WAY = Table("one-way", LIST, _many("a datagram, {}", "ns", (
    ("loopback", 2544, sent("loopback")),
    ("no rules", 3285, sent("bare")),
    ("host mode", 3786, sent("host")),
    ("bridge", 5137, sent("bridge")),
    ("NAT", 5478, sent("nat")),
    ("overlay", 8403, sent("overlay")),
    ("bridge, nft", 5698, sent("bridge", "nft")),
    ("NAT, nft", 5988, sent("nat", "nft")),
)))  # fmt: skip


def _first_on_overlay(costs: Costs) -> float:
    return first_packet(costs, "overlay")


_OVERLAY = Figure("a flow's first datagram, overlay", 4257, "ns more", _first_on_overlay, why=OUTER)
FIRST = Table("first", LIST, (*_many("a flow's first datagram, {}", "ns more", (
    ("host mode", 1271, lambda costs: first_packet(costs, "host")),
    ("bridge", 1252, lambda costs: first_packet(costs, "bridge")),
    ("NAT", 1362, lambda costs: first_packet(costs, "nat")),
    ("masquerade", 1813, lambda costs: first_packet(costs, "out")),
)), _OVERLAY))  # fmt: skip


def _rules(backend: str, rows: Iterable[tuple[str, str, float]]) -> tuple[Figure, ...]:
    def ask(matches: str) -> Ask:
        return lambda costs: rule(on(costs, backend=backend), matches)

    return tuple(Figure(f"{name}, {backend}", value, "ns a rule", ask(matches)) for name, matches, value in rows)


RULES = Table("rules", LIST, (
    *_rules("legacy", (
        ("address", "-s 198.51.100.7", 3.0), ("protocol", "-p icmp", 4.1), ("interface", "-i eth9", 3.2),
        ("port", "-p udp -m udp --dport 9", 20.7), ("ctstate", "-m conntrack --ctstate INVALID", 21.6),
        ("comment that matches", "-m comment --comment x", 26), ("multiport", "-p udp -m multiport --dports 7,9", 21.8),
        ("addrtype", "-m addrtype --dst-type LOCAL", 89),
    )),
    *_rules("nft", (
        ("address", "-s 198.51.100.7", 4.1), ("protocol", "-p icmp", 12), ("interface", "-i eth9", 33),
        ("port", "-p udp -m udp --dport 9", 15.4), ("ctstate", "-m conntrack --ctstate INVALID", 40),
        ("comment that matches", "-m comment --comment x", 53), ("multiport", "-p udp -m multiport --dports 7,9", 55),
        ("addrtype", "-m addrtype --dst-type LOCAL", 106),
    )),
))  # fmt: skip


def _sizes(proto: str, why: str, *rows: tuple[int, float]) -> tuple[Figure, ...]:
    return tuple(
        Figure(f"{proto.upper()}, no rules, {size} bytes", value, "ns", blocked("bare", 1, proto, size),
               why=why if size > 1400 else "")
        for size, value in rows
    )  # fmt: skip


SIZES = Table("sizes", LIST, (
    *_sizes("udp", FRAGMENTS, (64, 12198), (1024, 12329), (8192, 29293), (32768, 74851)),
    *_sizes("tcp", CACHED, (64, 13831), (1024, 13901), (8192, 19439), (32768, 21432)),
))  # fmt: skip

CONNECTIONS = Table("connections", LIST, _many("one connection after the other, one CPU, {}", "µs", (
    ("loopback", 61.5, lambda costs: connection(on(costs, 1), "loopback") / 1e3),
    ("no rules", 69.4, lambda costs: connection(on(costs, 1), "bare") / 1e3),
    ("host mode", 81.4, lambda costs: connection(on(costs, 1), "host") / 1e3),
    ("bridge", 101.8, lambda costs: connection(on(costs, 1), "bridge") / 1e3),
    ("NAT", 106.0, lambda costs: connection(on(costs, 1), "nat") / 1e3),
    ("overlay", 128.2, lambda costs: connection(on(costs, 1), "overlay") / 1e3),
), why=SOCKETS))  # fmt: skip

PROXY = Table("proxy", LIST, (
    Figure("UDP, sleeping, one CPU, container's address", 14822, "ns", blocked("local bridge", 1)),
    Figure("UDP, sleeping, one CPU, docker-proxy", 41732, "ns", blocked("proxy", 1)),
    Figure("TCP, sleeping, one CPU, container's address", 16695, "ns", blocked("local bridge", 1, "tcp")),
    Figure("TCP, sleeping, one CPU, docker-proxy", 41642, "ns", blocked("proxy", 1, "tcp"),
           why="the price is fitted to UDP's; for TCP the proxy's acknowledgements come on top"),
    Figure("one connection, one CPU, docker-proxy", 275.3, "µs", lambda costs: connection(on(costs, 1), "proxy") / 1e3,
           why=SOCKETS),
    Figure("TCP stream, one CPU, docker-proxy", 9.2, GBIT, carries("proxy", 1, offload=True),
           why="each piece is copied four times, at the price of a stream's"),
))  # fmt: skip

STREAMS = Table("streams", LIST, (
    *_many("TCP stream, {}", GBIT, (
        ("one CPU, no rules", 19.2, carries("bare", 1, offload=True)),
        ("one CPU, bridge", 17.1, carries("bridge", 1, offload=True)),
        ("one CPU, NAT", 16.7, carries("nat", 1, offload=True)),
        ("one CPU, overlay", 14.6, carries("overlay", 1, offload=True)),
        ("two CPUs, no rules", 32.9, carries("bare", 2, offload=True)),
        ("two CPUs, bridge", 27.9, carries("bridge", 2, offload=True)),
        ("two CPUs, NAT", 28.9, carries("nat", 2, offload=True)),
        ("two CPUs, overlay", 22.7, carries("overlay", 2, offload=True)),
    )),
    *_many("TCP stream without offload, {}", GBIT, (
        ("one CPU, no rules", 6.81, carries("bare", 1, offload=False)),
        ("one CPU, NAT", 3.27, carries("nat", 1, offload=False)),
        ("two CPUs, no rules", 8.89, carries("bare", 2, offload=False)),
        ("two CPUs, NAT", 3.82, carries("nat", 2, offload=False)),
    ), why=BATCHED),
    *_many("TCP stream without offload, {}", "×", (
        ("one CPU, NAT by no rules", 0.48, by(carries("nat", 1, offload=False), carries("bare", 1, offload=False))),
        ("two CPUs, NAT by no rules", 0.43, by(carries("nat", 2, offload=False), carries("bare", 2, offload=False))),
    )),
))  # fmt: skip

TABLES = (MODES, ROUND_TRIPS, ONE_WAY, FIRST, RULES, SIZES, CONNECTIONS, PROXY, STREAMS)


def worst(costs: Costs, table: Table) -> float:
    """How far the model is off at most, as a share."""
    return max(abs(figure.ask(costs) / figure.value - 1) for figure in table.figures)
