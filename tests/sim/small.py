"""The network of `tests.net.build` with servers, and traffic over it."""

from dataclasses import replace

from simnet.net.address import parse_ip
from simnet.net.packet import IPv4
from simnet.net.step import Origin
from simnet.scenario.question import Listen, serve
from simnet.sim.experiment import Experiment
from simnet.sim.prices import costs
from simnet.sim.traffic import Traffic
from tests.net.build import PUBLISH, build

PRICES = costs.load()
PUBLISHED, BRIDGE, HOST = ("192.0.2.2", 8080), ("172.17.0.2", 80), ("192.0.2.2", 9001)


def network(rules=""):
    """The network; `rules` stand beside those that publish web's port 80 as 8080."""
    also = "-A PREROUTING -d 192.0.2.2/32 -p udp -m udp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n"
    found = build(PUBLISH.replace("-A POSTROUTING", f"{also}-A POSTROUTING") + rules)
    for end in ("h1/web:{}:0.0.0.0:80", "h1/app:{}:0.0.0.0:80", "h1:{}:0.0.0.0:9001", "wan:{}:0.0.0.0:80"):
        for proto in ("tcp", "udp"):
            serve(found, Listen.parse(end.format(proto)))
    return found


def traffic(name="x", to=PUBLISHED, frm="wan", **said):
    """Traffic to one of the ends above; its programs poll."""
    address, port = to
    return Traffic(name, frm, parse_ip(address), port, **{"polls": True, **said})


def experiment(*flows, prices=PRICES, rules="", **machines):
    return Experiment(lambda: network(rules), flows, prices, **machines)


def alone(prices=PRICES, **machine):
    """A price list of machines that each have CPUs of their own, and wires without a rate."""
    return replace(prices, machine=replace(prices.machine, together=False, **machine))


def made(steps, *, data=None):
    """The packets that were made in some steps: (by, flags, bytes of data); with or without `data`, or all."""
    return [
        (step.by, step.packet.flags, len(step.packet.transport.data))
        for step in steps
        if isinstance(step, Origin) and isinstance(step.packet, IPv4)
        and (data is None or bool(step.packet.transport.data) == data)
    ]  # fmt: skip
