"""What others published, and the price lists made after it; `FITS` are the figures behind each list's factors.

Only what was read in the source itself, or is quoted in a text that names it (marked so on the page), stands here.
"""

from __future__ import annotations

from simnet.sim.prices.costs import Costs

from .figure import Ask, Figure, Table
from .model import one_way, slept, stream

US, GBIT = 1e3, "Gbit/s"


def half(path: str, proto: str) -> Ask:
    """What sockperf calls latency: half a round trip, in µs."""
    return lambda costs: slept(costs, path, proto, size=14, reply=14) / 2 / US


def whole(path: str, proto: str = "udp", **traffic: object) -> Ask:
    """A round trip, in µs."""
    return lambda costs: slept(costs, path, proto, **traffic) / US


def against(path: str, other: str, proto: str = "tcp", **traffic: object) -> Ask:
    """A round trip as a share of another."""
    return lambda costs: slept(costs, path, proto, **traffic) / slept(costs, other, proto, **traffic)


def carries(path: str) -> Ask:
    """A TCP stream, in Gbit/s."""
    return lambda costs: stream(costs, path)


def carried(path: str, other: str) -> Ask:
    """A TCP stream as a share of another."""
    return lambda costs: stream(costs, path) / stream(costs, other)


def more(path: str) -> Ask:
    """How much longer a request takes than in host mode on the same machine, in µs."""

    def ask(costs: Costs) -> float:
        here, there = (slept(costs, one, "tcp", size=50, reply=120) for one in (path, "local host"))
        return (here - there) / US

    return ask


LRO = "the card put segments together (LRO) for host mode and not for NAT; the model's puts them together for both"


def sends(path: str, size: int) -> Ask:
    """What a datagram takes from its sender, in µs."""
    return lambda costs: one_way(costs, path, size=size, polls=False) / US


SHARED = "the receiver was busy beside the sender (79 % of a CPU); in the model the sender's CPU goes all the way"
COPIED = "the data do not say what a copy takes; the list has the price of another machine"
STEERED = "softirqs of one flow stay on one CPU there; what putting segments together takes has no price here"

GRAFT = Table("graft", "graft-2018", (
    Figure("UDP one way, host mode", 6.326, "µs", half("host", "udp"), fitted=True),
    Figure("TCP one way, host mode", 6.614, "µs", half("host", "tcp"), fitted=True),
    Figure("UDP one way, Docker's NAT", 8.118, "µs", half("nat", "udp"), fitted=True),
    Figure("TCP one way, Docker's NAT", 8.824, "µs", half("nat", "tcp")),
    Figure("UDP one way, overlay", 12.128, "µs", half("overlay", "udp"), fitted=True),
    Figure("TCP one way, overlay", 12.981, "µs", half("overlay", "tcp")),
    Figure("UDP one way, container to its host", 4.041, "µs", half("to host", "udp"), fitted=True),
    Figure("TCP one way, container to its host", 4.581, "µs", half("to host", "tcp")),
    Figure("TCP stream, host mode", 37.60, GBIT, carries("host")),
    Figure("TCP stream, Docker's NAT", 19.34, GBIT, carries("nat"), why=LRO),
    Figure("TCP stream, overlay", 16.28, GBIT, carries("overlay"), why=STEERED),
    Figure("TCP stream, container to its host", 67.49, GBIT, carries("to host"), why=COPIED),
    Figure("a datagram of 64 bytes, container to container", 3.16, "µs", sends("neighbour", 64), why=SHARED),
    Figure("a datagram of 1024 bytes, container to container", 3.24, "µs", sends("neighbour", 1024), why=SHARED),
    Figure("TCP stream, container to container", 23.98, GBIT, carries("neighbour"), why="not explained in the source"),
))  # fmt: skip

FELTER = Table("felter", "felter-2014", (
    Figure("round trip, native", 37.5, "µs", whole("bare", size=100, reply=200), fitted=True),
    Figure("round trip, Docker's NAT", 75.0, "µs", whole("nat", size=100, reply=200), fitted=True),
    Figure("TCP round trip by UDP's, native", 1.0, "×",
           lambda costs: slept(costs, "bare", "tcp", size=100, reply=200) / slept(costs, "bare", size=100, reply=200)),
    Figure("TCP stream, native", 9.3, GBIT, carries("bare")),
    Figure("TCP stream, Docker's NAT", 9.3, GBIT, carries("nat")),
))  # fmt: skip

SLIM = Table("slim", "slim-2019", (
    Figure("TCP round trip on one host, overlay by host mode", 1.34, "×",
           against("overlay, one node", "local host", size=32, reply=32), fitted=True),
    Figure("TCP round trip between hosts, overlay by host mode", 1.85, "×",
           against("overlay", "node", size=32, reply=32), fitted=True),
    Figure("TCP stream on one host, overlay by host mode", 0.77, "×", carried("overlay, one node", "local host")),
    Figure("TCP stream between hosts, overlay by host mode", 0.52, "×", carried("overlay", "node"), why=STEERED),
))  # fmt: skip

SUO = Table("suo", "suo-2018", (
    Figure("TCP stream on one host, bridge by host mode", 0.76, "×", carried("neighbour", "local host"), fitted=True),
    Figure("the same, up", 0.82, "×", carried("neighbour", "local host")),
    Figure("the same, down", 0.70, "×", carried("neighbour", "local host")),
))  # fmt: skip

WHOISNIAN = Table("whoisnian", "whoisnian-2024", (
    Figure("a request more than in host mode, container's address", 0.97, "µs", more("local bridge"), fitted=True),
    Figure("a request more than in host mode, DNAT", 2.84, "µs", more("local nat"), fitted=True),
    Figure("a request more than in host mode, docker-proxy", 21.7, "µs", more("proxy"), fitted=True),
))  # fmt: skip

TABLES = (GRAFT, FELTER, SLIM, SUO, WHOISNIAN)


def _fits(table: Table, *order: int) -> tuple[Figure, ...]:
    return tuple(table.figures[place] for place in order)


# of each list, the figure behind its first factor, its second, …
FITS = {
    "graft-2018": _fits(GRAFT, 6, 0, 1, 2, 4),
    "felter-2014": _fits(FELTER, 0, 1),
    "slim-2019": _fits(SLIM, 0, 1),
    "suo-2018": _fits(SUO, 0),
    "whoisnian-2024": _fits(WHOISNIAN, 0, 1, 2),
}
