"""Who listens on the host of `host.py`, and random probes from a seed."""

import random

from simnet.live.probe.talk import PATIENCE
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.scenario.question import Listen
from tests.live.rules import PORTS, first_port

_SERVERS = (
    ("h1/web", "tcp", "0.0.0.0", 80), ("h1/web", "udp", "0.0.0.0", 53), ("h1/web", "tcp", "0.0.0.0", 9000),
    ("h1/db", "tcp", "0.0.0.0", 6379), ("h1/db", "udp", "0.0.0.0", 53), ("h1/db", "tcp", "0.0.0.0", 80),
    ("h1/host", "tcp", "0.0.0.0", 22), ("h1/host", "tcp", "0.0.0.0", 9000), ("h1/host", "udp", "0.0.0.0", 9100),
    ("h1/host", "udp", "0.0.0.0", 53), ("h1/host", "tcp", "127.0.0.1", 443),
    ("wan/host", "tcp", "0.0.0.0", 80), ("wan/host", "tcp", "0.0.0.0", 443), ("wan/host", "udp", "0.0.0.0", 53),
    ("wan/host", "udp", "0.0.0.0", 9100), ("wan/host", "tcp", "192.0.2.1", 9001),
)  # fmt: skip
SERVERS = tuple(Listen(place, proto, parse_ip(address), port) for place, proto, address, port in _SERVERS)


def probes(seed, number):
    """Packets to send, each from a port of its own."""
    r = random.Random(f"simnet-probes-{seed}")
    spots = [
        ("wan/host", ["192.0.2.2", "192.0.2.77", "10.10.0.2", "10.10.0.3", "10.20.0.2", "10.10.0.1"]),
        ("h1/web", ["192.0.2.1", "198.51.100.7", "10.20.0.2", "10.10.0.1", "192.0.2.2", "192.0.2.77"]),
        ("h1/db", ["192.0.2.1", "192.0.2.99", "10.10.0.2", "10.20.0.1", "192.0.2.2", "10.10.0.1"]),
        ("h1/host", ["192.0.2.1", "192.0.2.99", "10.10.0.2", "10.20.0.2", "127.0.0.1", "192.0.2.2"]),
    ]
    found = []
    for index in range(number):
        place, addresses = r.choice(spots)
        proto = r.choice(["tcp", "tcp", "udp", "icmp"])
        port = r.choice(PORTS) if proto != "icmp" else 0
        ttl = r.choice([64, 64, 64, 64, 1, 2, 3])
        size = r.choice([0, 0, 0, 100, 1000])
        to, sport = parse_ip(r.choice(addresses)), first_port(seed) + index
        found.append(Probe(place, to, port, proto, sport, ttl, size, PATIENCE))
    return found
