"""Macvlan and ipvlan devices: the real kernel and simnet agree on every device crossed, ARP too, and on every hook.

Kinds that the running kernel lacks are skipped.
"""

import json
import socket
import subprocess
from functools import partial

import pytest

from simnet.live.probe.capture import Capture
from simnet.live.probe.talk import Conversation
from simnet.live.probe.trace import FLAGS, Monitor
from simnet.net.address import ip_text
from simnet.net.device import Macvlan, Physical
from simnet.net.packet import Arp, IcmpMessage
from simnet.net.stack import macvlan
from simnet.net.step import Crossing
from simnet.scenario import snapshot
from simnet.scenario.question import ask
from tests.live.agreement import disagreement
from tests.live.vlan import KINDS, SERVERS, Kind, VlanHost

pytestmark = pytest.mark.live
QUIET = 0.012
ATTEMPTS = 3


def kernel_lacks(kind):
    """What the kernel says when it is to make such a device, where it cannot."""
    made = ["ip", "link", "add", "link", "v0", "type", kind.type, "mode", kind.mode, *kind.flag.split()]
    script = "ip link add v0 type veth && " + " ".join(made)
    if kind.vlan:
        script += " && ip link add link v0 type vlan id 10"
    done = subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True, text=True, check=False)
    return done.stderr.strip()


def kernel_says(host, listeners, probe):
    """The verdict, the client as the server saw it, and for each packet its crossings and its first walks."""
    host.quiet()
    monitors, captures = listeners
    for one in (*monitors, *captures):
        one.drain()
    talk = Conversation(host.spaces, probe, [server for server in SERVERS if server.place in host.places])
    try:
        verdict = talk.play()
        walks = [walk for monitor in monitors for walk in monitor.drain(QUIET)]
        crossed = [(capture.place, *pair) for capture in captures for pair in capture.drain()]
    finally:
        talk.close()
    found = {}
    for place, key, crossing in crossed:
        note(found, place, known(key, probe), crossing)
    for walk in walks:
        found.setdefault(walk_key(walk.place, walk, known(walk.packet, probe)), walk.rules)
    return verdict, talk.server_saw, found


def simnet_says(host, folder, probe):
    """The same from simnet."""
    listens = tuple(server for server in SERVERS if server.place in host.places)
    answer = ask(lambda: unlearned(snapshot.load(folder)), probe, listens)
    assert not answer.doubts, answer.doubts
    found = {}
    for step in answer.trace.steps:
        if isinstance(step, Crossing):
            note(found, step.place, known(key_of(step.packet), probe), str(step))
    for walk in answer.trace.walks():
        rules = [(hit.chain, hit.number) for hit in walk.hits]
        rules += [(walk.chain, walk.policy)] if walk.policy else []
        found.setdefault(walk_key(walk.place, walk, known(key_of(walk.packet), probe)), rules)
    return answer.trace.verdict, answer.trace.server_saw, found


def unlearned(network):
    """A network in which nobody knows a neighbour, as after `quiet`."""
    for namespace in network.namespaces.values():
        namespace.neighbours.clear()
    return network


def note(found, place, key, crossing):
    """Add a crossing to a packet's, once."""
    crossings = found.setdefault(("devices", place, *key), [])
    if crossing not in crossings:
        crossings.append(crossing)


def walk_key(place, walk, key):
    """A walk's own key; in table mangle the kernel's trace does not tell TTL and TOS as they were."""
    return ("walk", place, walk.table, walk.chain, walk.iif, walk.oif, *(key[:6] if walk.table == "mangle" else key))


def key_of(packet):
    """A packet of simnet's, as `trace.packet_of` and `capture.arp_key` have it."""
    if isinstance(packet, Arp):
        ends = ip_text(packet.sender_ip), ip_text(packet.target_ip)
        return "arp", "request" if packet.op == 1 else "reply", *ends
    detail = ""
    if packet.proto == 6:
        detail = " ".join(name for name, bit in FLAGS if packet.transport.flags & bit)
    if isinstance(packet.transport, IcmpMessage):
        detail = f"type {packet.transport.type} code {packet.transport.code}"
    ends = ip_text(packet.src), ip_text(packet.dst), packet.proto, packet.sport or 0, packet.dport or 0
    return (*ends, detail, packet.ttl, packet.tos, packet.length)


def known(key, probe):
    """A packet's key with all ports alike that nobody chose."""
    if key[0] == "arp":
        return key
    fixed = {0, probe.sport, probe.port, *(server.port for server in SERVERS)}
    return (*key[:3], *(port if port in fixed else "*" for port in key[3:5]), *key[5:])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_kernel_agrees(tmp_path, kind):
    if lack := kernel_lacks(kind):
        pytest.skip(f"live: this kernel makes no {kind.type} of this kind: {lack}")
    with VlanHost(kind) as host:
        for place in host.places:
            host.load(place, host.rules(place))
        host.settle()
        host.snapshot(tmp_path)
        monitors = [Monitor(host.spaces[place], place) for place in host.places]
        captures = [Capture(host.spaces[place], place) for place in host.places]
        try:
            for monitor in monitors:
                monitor.number_rules()
                host.trace(monitor.place)
            probes = host.probes()
            wrong = {
                str(probe): disagreement(
                    partial(kernel_says, host, (monitors, captures), probe),
                    simnet_says(host, tmp_path, probe),
                    ATTEMPTS,
                )
                for probe in probes
            }
        finally:
            for one in (*monitors, *captures):
                one.close()
    lines = [f"{kind}: {probe}\n  " + "\n  ".join(found) for probe, found in wrong.items() if found]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_copies_of_a_broadcast_come_in_the_kernel_s_order():
    """Macvlan devices of one namespace get their copies in the order of the kernel's hash table."""
    with VlanHost(Kind("macvlan", "bridge")) as host:
        names = [f"m{number}" for number in range(9)]
        lines = [f"link add link eth0 name {name} type macvlan mode bridge\nlink set {name} up" for name in names]
        host.inside("h1/host", "ip", "-batch", "-", stdin="\n".join(lines))
        host.settle()
        links = json.loads(host.inside("h1/host", "ip", "-j", "link"))
        macs = {link["ifname"]: link["address"] for link in links}
        card = Physical("eth0", 2, macs["eth0"])
        devices = [Macvlan(name, 3, macs[name], lower=card) for name in names]
        capture = Capture(host.spaces["h1/host"], "h1/host")
        sender = host.spaces["wan/host"].socket(socket.AF_PACKET, socket.SOCK_RAW)
        try:
            arp = bytes.fromhex("0001080006040001020000000099c0000201000000000000c00002c8")
            sender.bind(("h1", 0))
            sender.send(b"\xff" * 6 + bytes.fromhex("0200000000990806") + arp)
            seen = [crossing.removesuffix(" B") for key, crossing in capture.drain(0.1) if key[0] == "arp"]
        finally:
            sender.close()
            capture.close()
    expected = macvlan.hearers(card, None, ("bridge",), "ff:ff:ff:ff:ff:ff")
    assert len(expected) == len(devices)
    assert seen == ["eth0", *(device.name for device in expected)]
