"""A tiny network made by hand: an outside machine, a Docker-like host with a bridge, and two containers on it.

    wan 192.0.2.1 ── eth0 192.0.2.2 [h1] docker0 172.17.0.1 ── web 172.17.0.2
                                                           └── app 172.17.0.3

Tests change what they need (rules, sysctls, MTUs, ports of the bridge) before they play a conversation.
"""

from simnet.net.address import Prefix, mask_of, parse_ip
from simnet.net.conversation import Probe, converse
from simnet.net.device import Bridge, InterfaceAddress, Loopback, Physical, Segment, Veth
from simnet.net.netfilter import save
from simnet.net.netfilter.context import Context
from simnet.net.network import Network
from simnet.net.packet import ICMP, SYN, TCP, UDP, IcmpMessage, IPv4, TcpSegment, UdpDatagram
from simnet.net.program import Server
from simnet.net.route import BROADCAST, LOCAL, Route
from simnet.net.skb import Skb
from simnet.net.stack import link
from simnet.net.step import Drop

WAN, HOST, GATEWAY = (parse_ip(text) for text in ("192.0.2.1", "192.0.2.2", "172.17.0.1"))
WEB, APP, NOBODY = (parse_ip(text) for text in ("172.17.0.2", "172.17.0.3", "172.17.0.99"))

PUBLISH = """
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.2/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
"""


def ip(text):
    return parse_ip(text)


def mac(number):
    return f"02:42:00:00:00:{number:02x}"


def address(namespace, device, text):
    """Give a device an address, with the routes that the kernel adds by itself."""
    own, _, bits = text.partition("/")
    length, number = int(bits), parse_ip(own)
    mask = mask_of(length)
    last = number | (~mask & 0xFFFFFFFF)
    scope = "host" if isinstance(device, Loopback) else "global"
    device.addresses.append(InterfaceAddress(number, length, last, scope))
    mine = Prefix(number, mask_of(32)) if not isinstance(device, Loopback) else Prefix(number & mask, mask)
    routes = [Route(mine, device.name, prefsrc=number, type=LOCAL, table="local", scope="host")]
    if not isinstance(device, Loopback):
        routes.append(
            Route(Prefix(last, mask_of(32)), device.name, prefsrc=number, type=BROADCAST, table="local", scope="link")
        )
        routes.append(Route(Prefix(number & mask, mask), device.name, prefsrc=number, scope="link"))
    namespace.fib.add(routes)


def default(namespace, device, gateway):
    namespace.fib.add([Route(Prefix(0, 0), device, parse_ip(gateway))])


def loopback(namespace):
    device = Loopback("lo", 1, mtu=65536)
    namespace.add(device)
    address(namespace, device, "127.0.0.1/8")


def container(network, name, number, text):
    """A container on h1's bridge, joined to it by a veth pair."""
    host, namespace = network.find("h1/host"), network.namespace(f"h1/{name}")
    loopback(namespace)
    inner, outer = Veth("eth0", 2, mac(number)), Veth(f"veth{name}", 10 + number, mac(0x80 + number))
    inner.peer, outer.peer = outer, inner
    namespace.add(inner)
    host.add(outer)
    bridge = host.devices["docker0"]
    outer.master = bridge
    bridge.ports.append(outer)
    address(namespace, inner, text)
    default(namespace, "eth0", "172.17.0.1")
    return namespace


def build(rules="", sysctls=None):
    """The network of the drawing above; `rules` are h1's, `sysctls` are added to those of a Docker host."""
    network = Network()
    host, wan = network.namespace("h1/host"), network.namespace("wan/host")
    cable = Segment("cable")
    for number, (namespace, text) in enumerate([(wan, "192.0.2.1/24"), (host, "192.0.2.2/24")], 1):
        loopback(namespace)
        card = Physical("eth0", 2, mac(0x10 + number), segment=cable)
        cable.devices.append(card)
        namespace.add(card)
        address(namespace, card, text)
    bridge = Bridge("docker0", 3, mac(0x20))
    host.add(bridge)
    address(host, bridge, "172.17.0.1/16")
    default(host, "eth0", "192.0.2.1")
    default(wan, "eth0", "192.0.2.2")
    container(network, "web", 2, "172.17.0.2/16")
    container(network, "app", 3, "172.17.0.3/16")
    host.sysctls |= {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1", **(sysctls or {})}
    load(network, "h1", rules)
    return network


def load(network, place, rules):
    network.find(place).load_rules(save.parse(rules))


def serve(network, *ends):
    """Servers by `PLACE PROTO PORT` or `PLACE PROTO ADDR PORT`."""
    servers = []
    for end in ends:
        place, proto, *where, port = end.split()
        servers.append(Server(network.find(place), proto, parse_ip(where[0]) if where else 0, int(port)))
        servers[-1].listen()
    return servers


def talk(network, frm, to, port=0, proto="tcp", servers=(), **options):
    """Play one conversation and give its trace; `to` is an address as text."""
    serve(network, *servers)
    return converse(network, Probe(frm, parse_ip(to), port, proto, **options))


def reasons(trace_or_steps):
    """Why packets died, in order."""
    steps = getattr(trace_or_steps, "steps", trace_or_steps)
    return [step.reason for step in steps if isinstance(step, Drop)]


def texts(trace_or_steps, place):
    """The steps at one place, as they print."""
    steps = getattr(trace_or_steps, "steps", trace_or_steps)
    return [str(step) for step in steps if step.place == place]


def tcp(src="10.0.0.1", dst="10.0.0.2", sport=1000, dport=80, flags=SYN, data=b"", **fields):
    return IPv4(parse_ip(src), parse_ip(dst), TCP, TcpSegment(sport, dport, flags, data=data), **fields)


def udp(src="10.0.0.1", dst="10.0.0.2", sport=1000, dport=53, data=b"", **fields):
    return IPv4(parse_ip(src), parse_ip(dst), UDP, UdpDatagram(sport, dport, data), **fields)


def icmp(src="10.0.0.1", dst="10.0.0.2", kind=8, code=0, ident=7, size=56, quoted=None, **fields):
    return IPv4(parse_ip(src), parse_ip(dst), ICMP, IcmpMessage(kind, code, ident, size=size, quoted=quoted), **fields)


def context(packet, hook="FORWARD", network=None, iif="eth0", oif="docker0", **notes):
    """What a rule sees of a packet on h1; `notes` are fields of the skb."""
    namespace = (network or build()).find("h1")
    skb = Skb(1, packet)
    for name, value in notes.items():
        setattr(skb, name, value)
    indev, outdev = namespace.devices.get(iif), namespace.devices.get(oif)
    return Context(namespace, skb, packet, hook, indev, outdev, iif, oif)


def play(generator):
    """Run a walk to its end: its steps and what it returned."""
    steps = []
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return steps, end.value


def inject(network, place, device, packet, dst_mac=None):
    """Let a frame come in by a device of a place, and everything that follows; gives the steps."""
    namespace = network.find(place)
    card = namespace.devices[device]
    skb = Skb(network.serial(), packet, src_mac=mac(0x70), dst_mac=dst_mac or card.mac, by="test")
    skb.packet_type = card.packet_type(skb.dst_mac)
    network.defer(link.receive(card, skb))
    return list(network.run(4_000_000_000))
