"""A host with devices above its `eth0`, made by hand: what Docker's macvlan and ipvlan networks come to.

wan 192.0.2.1 ── eth0 192.0.2.2 [h1] ┬ a 192.0.2.11 (in the routed modes 10.99.0.11)
                                     └ b 192.0.2.12
"""

from simnet.net.address import Prefix, parse_ip
from simnet.net.device import Device, Macvlan, Physical, Segment, Vlan
from simnet.net.network import Network
from simnet.net.route import Route
from simnet.net.step import Crossing, NeighbourStep
from tests.net.build import address, default, load, loopback, mac, talk

EVERY_CHAIN = """
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""


def above(kind=Macvlan, names="ab", lower="physical", **how):
    """The network of the drawing; `how` goes to each device above; `lower` may be `dummy` or `vlan` instead."""
    network = Network()
    host, wan = network.namespace("h1/host"), network.namespace("wan/host")
    cable = Segment("cable")
    cards = []
    for number, namespace in enumerate([wan, host], 1):
        loopback(namespace)
        card = Physical("eth0", 2, mac(0x10 + number), segment=cable)
        cable.devices.append(card)
        namespace.add(card)
        cards.append(card)
        if lower == "vlan":
            card = Vlan("eth0.10", 3, lower=card, vid=10)
            namespace.add(card)
        address(namespace, card, f"192.0.2.{number}/24")
    default(host, card.name, "192.0.2.1")
    if lower == "dummy":
        card = Device("dm-1234", 9, mac(0x19), noarp=True)
        host.add(card)
    for number, name in enumerate(names, 11):
        container(network, name, number, card, kind, how)
    for namespace in network.namespaces.values():
        namespace.sysctls["net.ipv4.ip_forward"] = "1"
        load(network, namespace.place, EVERY_CHAIN)
    return network


def container(network, name, number, lower, kind, how):
    namespace = network.namespace(f"h1/{name}")
    loopback(namespace)
    routed = how.get("mode", "") in {"l3", "l3s"}
    device = kind("eth0", 20 + number, *([mac(number)] if kind is Macvlan else []), lower=lower, **how)
    namespace.add(device)
    address(namespace, device, f"{'10.99.0' if routed else '192.0.2'}.{number}/24")
    if routed:
        namespace.fib.add([Route(Prefix(0, 0), "eth0", scope="link")])
    else:
        default(namespace, "eth0", "192.0.2.1")


def route(network, place, block, device="eth0", gateway="0.0.0.0"):
    network.find(place).fib.add([Route(Prefix.parse(block), device, parse_ip(gateway))])


def ping(network, frm, to, **options):
    return talk(network, frm, to, proto="icmp", **options)


def crossings(trace, what="echo"):
    """The devices that packets of a kind crossed, in time order: `request` and `reply` (of ARP) or `echo`, any IP."""
    found = []
    for step in getattr(trace, "steps", trace):
        if not isinstance(step, Crossing):
            continue
        op = getattr(step.packet, "op", 0)
        kind = {0: "echo", 1: "request", 2: "reply"}[op]
        if kind == what:
            found.append(f"{step.place.removeprefix('h1/')}:{step}")
    return found


def walked(trace):
    """Place and chain of every chain walk of a trace, in order."""
    return [f"{walk.place.removeprefix('h1/')} {walk.chain}" for walk in trace.walks()]


def asked(trace):
    """Whether anybody looked a neighbour up."""
    return any(isinstance(step, NeighbourStep) for step in trace.steps)
