"""What would spoil a probe's answer: errors that were withheld, packets that wait, silent containers, fragments."""

import json
import socket
import time
from contextlib import ExitStack

import pytest

from simnet.live.host.namespace import NetworkNamespace
from simnet.live.probe.announce import announce
from simnet.live.probe.calm import Calm
from simnet.live.probe.capture import Capture

pytestmark = pytest.mark.live


@pytest.fixture
def pair():
    """Two namespaces on a cable: 192.0.2.1 and, behind a bridge `br0`, 192.0.2.2."""
    with ExitStack() as stack:
        near, far = (stack.enter_context(NetworkNamespace.made(name)) for name in ("near", "far"))
        near.run(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", far.path])
        far.run(["ip", "link", "add", "br0", "type", "bridge"])
        far.run(["ip", "link", "set", "eth0", "master", "br0", "up"])
        for space, device, address in ((near, "eth0", "192.0.2.1/24"), (far, "br0", "192.0.2.2/24")):
            for words in ("link set lo up", f"addr add {address} dev {device}", f"link set {device} up"):
                space.run(["ip", *words.split()])
        yield near, far


def sent(space, to, port, number=1, size=2):
    with space.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(number):
            client.sendto(b"h" * size, (to, port))


def test_withheld_errors_are_counted(pair):
    near, far = pair
    calm = Calm([near, far])
    sent(near, "192.0.2.2", 9)
    time.sleep(0.1)
    assert calm.withheld() == 0
    sent(near, "192.0.2.2", 9, number=20)
    time.sleep(0.1)
    assert calm.withheld() > 0


def test_a_next_hop_that_does_not_answer_is_waited_for(pair):
    near, far = pair
    calm = Calm([near, far])
    started = time.monotonic()
    calm.wait()
    assert time.monotonic() - started < 0.5
    sent(near, "192.0.2.77", 9)
    calm.wait()
    assert "192.0.2.77" not in near.run(["ip", "neigh", "show", "nud", "incomplete"])
    assert time.monotonic() - started > 1


def test_a_bridge_knows_whoever_was_announced(pair):
    near, far = pair
    (device,) = [one for one in json.loads(near.run(["ip", "-j", "addr"])) if one["ifname"] == "eth0"]
    far.run(["bridge", "fdb", "flush", "dev", "eth0"]) if device["address"] in far.run(["bridge", "fdb"]) else None
    announce(near)
    time.sleep(0.1)
    assert f"{device['address']} dev eth0 master br0" in far.run(["bridge", "fdb"])


def test_later_fragments_count_as_the_first_though_nat_changes_them(pair):
    near, far = pair
    far.run(["iptables", "-t", "nat", "-A", "PREROUTING", "-p", "udp", "-j", "DNAT", "--to-destination", "192.0.2.9"])
    far.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=0"])
    far.run(["ip", "neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "br0"])
    capture = Capture(far, "far")
    try:
        sent(near, "192.0.2.2", 5302, size=1600)
        crossed = capture.drain(0.3)
    finally:
        capture.close()
    for way in ("br0 In", "br0 Out"):
        first, later = (key for key, crossing in crossed if crossing == way and key[2] == socket.IPPROTO_UDP)
        assert first == later
