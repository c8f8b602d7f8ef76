"""A bridge: it learns, forwards, floods what it does not know, and keeps from ports what they may not have."""

import pytest

from simnet.net.step import BridgeStep
from tests.net.build import APP, WEB, build, container, inject, mac, reasons, tcp, udp

UNFILTERED = {"net.bridge.bridge-nf-call-iptables": "0"}
UNKNOWN = mac(0x66)


def world():
    return build(sysctls=UNFILTERED)


def frame(network, dst_mac, device="vethweb", packet=None):
    return inject(network, "h1", device, packet or udp("172.17.0.2", "172.17.0.3"), dst_mac)


def decisions(steps):
    return [str(step) for step in steps if isinstance(step, BridgeStep)]


def test_a_sender_s_address_is_learned():
    here = world()
    frame(here, UNKNOWN)
    bridge = here.find("h1").devices["docker0"]
    assert bridge.fdb == {mac(0x70): here.find("h1").devices["vethweb"]}


def test_a_port_that_does_not_learn():
    here = world()
    here.find("h1").devices["vethweb"].learning = False
    frame(here, UNKNOWN)
    assert here.find("h1").devices["docker0"].fdb == {}


def test_what_is_known_goes_to_its_port_alone():
    here = world()
    host = here.find("h1")
    host.devices["docker0"].fdb[UNKNOWN] = host.devices["vethapp"]
    assert decisions(frame(here, UNKNOWN)) == ["bridge docker0: forward to vethapp"]


def test_what_is_unknown_is_flooded_to_the_other_ports_newest_first():
    here = world()
    container(here, "third", 4, "172.17.0.4/16")
    assert decisions(frame(here, UNKNOWN)) == ["bridge docker0: flood to veththird, vethapp"]


def test_a_broadcast_reaches_the_bridge_s_own_host_too():
    assert decisions(frame(world(), "ff:ff:ff:ff:ff:ff"))[0] == "bridge docker0: flood to vethapp, docker0"


def test_a_port_that_is_not_flooded():
    here = world()
    here.find("h1").devices["vethapp"].flood = False
    assert decisions(frame(here, UNKNOWN)) == ["bridge docker0: flood"]


@pytest.mark.parametrize("address", [mac(0x20), mac(0x82)], ids=["its own", "a port's"])
def test_frames_for_the_bridge_s_own_host(address):
    assert decisions(frame(world(), address))[0] == "bridge docker0: local"


def test_a_frame_back_to_where_it_came_from_needs_hairpin_mode():
    here = world()
    host = here.find("h1")
    port = host.devices["vethweb"]
    host.devices["docker0"].fdb[UNKNOWN] = port
    assert "no hairpin mode" in reasons(frame(here, UNKNOWN))[0]
    port.hairpin = True
    assert decisions(frame(here, UNKNOWN)) == ["bridge docker0: forward to vethweb"]


@pytest.mark.parametrize(("isolated", "passes"), [("", True), ("vethweb", True), ("vethapp", True), ("both", False)])
def test_isolated_ports_do_not_talk_to_each_other(isolated, passes):
    here = world()
    host = here.find("h1")
    for name in ("vethweb", "vethapp"):
        host.devices[name].isolated = isolated in {name, "both"}
    host.devices["docker0"].fdb[UNKNOWN] = host.devices["vethapp"]
    assert bool(decisions(frame(here, UNKNOWN))) is passes


def test_a_blocked_port_takes_nothing_in_and_gives_nothing_out():
    here = world()
    host = here.find("h1")
    host.devices["vethweb"].forwarding = False
    assert reasons(frame(here, UNKNOWN)) == ["port vethweb of docker0 is blocked"]
    assert host.devices["docker0"].fdb == {}
    assert decisions(frame(here, UNKNOWN, "vethapp")) == ["bridge docker0: flood"]


def test_bridged_packets_pass_the_ip_hooks_only_where_br_netfilter_is_on():
    rules = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
    packet = tcp("172.17.0.2", "172.17.0.3")
    for value, dropped in (("0", False), ("1", True)):
        here = build(rules, {"net.bridge.bridge-nf-call-iptables": value})
        steps = inject(here, "h1", "vethweb", packet, mac(3))
        assert ("filter FORWARD policy DROP" in reasons(steps)) is dropped


def test_in_the_hooks_the_bridge_is_the_device_on_both_sides():
    here = build("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n")
    steps = inject(here, "h1", "vethweb", tcp("172.17.0.2", "172.17.0.3"), mac(3))
    walk = next(step for step in steps if step.kind == "chain")
    assert (walk.iif, walk.oif, walk.packet.src, walk.packet.dst, walk.packet.ttl) == (
        "docker0",
        "docker0",
        WEB,
        APP,
        64,
    )


def test_a_packet_longer_than_a_port_s_mtu_is_dropped():
    here = world()
    here.find("h1").devices["vethapp"].mtu = 1000
    assert "exceed vethapp's MTU of 1000" in reasons(frame(here, UNKNOWN, packet=udp(data=b"x" * 1200)))[0]
