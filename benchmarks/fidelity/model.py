"""What the model says of the paths that figures were measured on: round trips, streams, connections, rules.

Each function takes a price list and gives one number. Round trips that polling programs make have no randomness; where
a list's wake-ups have some, the median of many with one seed is taken.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from simnet.net.address import parse_ip
from simnet.net.network import Network
from simnet.scenario.source import Source, read_source
from simnet.sim.experiment import Bill, Experiment, Flow, Plan
from simnet.sim.prices.costs import Costs
from simnet.sim.traffic import CONNECTIONS, REQUESTS, STREAM, Traffic

# who asks whom: the hosts, the place, the address and the port
PATHS = {
    "loopback": ("bare", "right", "127.0.0.1", 9001),
    "bare": ("bare", "left", "203.0.113.2", 9001),
    "host": ("host", "wan", "192.0.2.2", 9001),
    "bridge": ("host", "wan", "172.17.0.2", 80),
    "nat": ("host", "wan", "192.0.2.2", 8080),
    "out": ("host", "h1/web", "192.0.2.1", 80),
    "neighbour": ("host", "h1/other", "172.17.0.2", 80),
    "local host": ("host", "h1", "192.0.2.2", 9001),
    "local bridge": ("host", "h1", "172.17.0.2", 80),
    "local nat": ("host", "h1", "192.0.2.2", 8080),
    "proxy": ("host", "h1", "127.0.0.1", 8080),
    "to host": ("host", "h1/web", "172.17.0.1", 9001),
    "overlay": ("swarm", "h2/near", "10.0.1.12", 80),
    "overlay, one node": ("swarm", "h2/near", "10.0.1.11", 80),
    "node": ("swarm", "h2", "198.51.100.3", 9001),
}
_EXCHANGES = 400
_HERE = Path(__file__).parent


@cache
def _source(name: str) -> Source:
    return read_source(str(_HERE / f"{name}.yaml"))


def network(name: str, commands: tuple[str, ...] = ()) -> Network:
    """Fresh hosts, after some commands on the first."""
    lab = _source(name).open()
    for command in commands:
        answer = lab.run(command)
        assert not answer.code, answer
    return lab.network


def on(costs: Costs, cpus: int = 0, backend: str = "") -> Costs:
    """The same list on another number of CPUs, or with the other iptables."""
    machine = replace(costs.machine, cpus=cpus) if cpus else costs.machine
    return replace(costs, machine=machine, backend=backend or costs.backend)


def experiment(costs: Costs, path: str, *, commands: tuple[str, ...] = (), **traffic: object) -> Experiment:
    """Traffic over one of the paths."""
    hosts, frm, to, port = PATHS[path]
    asked = Traffic("x", frm, parse_ip(to), port, **traffic)  # type: ignore[arg-type]
    return Experiment(lambda: network(hosts, commands), [asked], costs)


_found: dict[object, Flow] = {}


def flow(costs: Costs, path: str, exchanges: int = _EXCHANGES, **traffic: object) -> Flow:
    """What became of some traffic."""
    key = costs.digest, costs.machine, costs.backend, path, exchanges, tuple(sorted(traffic.items()))
    if key not in _found:
        (outcome,) = experiment(costs, path, **traffic).run(Plan(exchanges=exchanges))
        _found[key] = outcome.flows["x"]
    return _found[key]


def bills(costs: Costs, path: str, **traffic: object) -> tuple[Bill, Bill]:
    """What the first exchange and a later one come to."""
    return experiment(costs, path, **traffic).bills()["x"]


def round_trip(costs: Costs, path: str, proto: str = "udp", **traffic: object) -> float:
    """A round trip's median between programs that poll, in ns."""
    asked = {"kind": REQUESTS, "size": 1, "reply": 1, "polls": True, **traffic}
    return flow(costs, path, proto=proto, **asked).later.percentile(50)


def slept(costs: Costs, path: str, proto: str = "udp", **traffic: object) -> float:
    """A round trip's mean between programs that sleep until they are woken, in ns."""
    asked = {"kind": REQUESTS, "size": 1, "reply": 1, **traffic}
    return flow(costs, path, proto=proto, **asked).later.mean


def one_way(costs: Costs, path: str, **traffic: object) -> float:
    """What a sender takes for each datagram when the path is done by its CPU, in ns."""
    asked = {"kind": STREAM, "size": 1, "polls": True, **traffic}
    return 1e9 / flow(costs, path, proto="udp", **asked).rate


def first_packet(costs: Costs, path: str) -> float:
    """How much more a flow's first datagram takes than a later one, in ns."""
    first, later = bills(costs, path, proto="udp", kind=STREAM, size=1, polls=True)
    return first.total - later.total


def connection(costs: Costs, path: str) -> float:
    """Opening a connection, asking, being answered, closing: how long one takes when they follow each other, in ns."""
    return 1e9 / flow(costs, path, proto="tcp", kind=CONNECTIONS, size=1, reply=1).rate


def stream(costs: Costs, path: str, **traffic: object) -> float:
    """What a TCP stream carries, in Gbit/s."""
    return flow(costs, path, proto="tcp", kind=STREAM, **traffic).throughput / 1e9


def rule(costs: Costs, matches: str, count: int = 200) -> float:
    """What one rule that does not match adds to each datagram that is forwarded, in ns."""
    many = tuple(f"iptables -I FORWARD {matches}" for _ in range(count))
    return (one_way(costs, "bridge", commands=many) - one_way(costs, "bridge")) / count
