"""Ipvlan devices: the facts that Linux 6.1 showed; tests/live/test_vlan.py holds simnet against the running kernel."""

import pytest

from simnet.net.address import Prefix
from simnet.net.device import Bridge, Ipvlan, Physical
from simnet.net.packet import ICMP
from simnet.net.route import Fib, Route
from simnet.net.skb import Skb
from simnet.net.stack import ip_output
from simnet.net.step import Crossing, Drop
from tests.net.above import above, asked, crossings, ping, route, walked
from tests.net.build import address, icmp, load, mac, reasons, talk


def routed(mode, **how):
    here = above(Ipvlan, mode=mode, **how)
    route(here, "wan", "10.99.0.0/24", gateway="192.0.2.2")
    return here


def test_the_lower_device_s_address_is_everyone_s():
    here = above(Ipvlan)
    assert {here.find(place).devices["eth0"].mac for place in ("h1", "h1/a", "h1/b")} == {mac(0x12)}


def test_siblings_in_mode_l2_ask_by_arp_and_then_reach_each_other_past_the_host():
    trace = ping(above(Ipvlan), "h1/a", "192.0.2.12")
    assert trace.verdict == "reply"
    assert crossings(trace) == ["a:eth0 Out", "b:eth0 In", "b:eth0 Out", "a:eth0 In"]
    assert crossings(trace, "request") == ["a:eth0 Out", "host:eth0 Out", "b:eth0 B", "wan/host:eth0 B"]
    assert crossings(trace, "reply") == ["b:eth0 Out", "a:eth0 In"]


@pytest.mark.parametrize(("frm", "to"), [("h1/a", "192.0.2.2"), ("h1", "192.0.2.11")])
def test_in_mode_l2_host_and_container_do_not_hear_each_other(frm, to):
    assert reasons(ping(above(Ipvlan), frm, to)) == [f"nobody answers ARP for {to} on eth0"]


def test_in_mode_l2_a_known_neighbour_lets_a_container_reach_the_host():
    here = above(Ipvlan)
    here.find("h1/a").neighbours["eth0", 0xC0000202] = mac(0x12)
    assert crossings(ping(here, "h1/a", "192.0.2.2"))[:2] == ["a:eth0 Out", "host:eth0 In"]


def test_in_mode_l2_no_hook_of_the_host_sees_a_container_s_packets():
    trace = ping(above(Ipvlan), "wan", "192.0.2.11")
    assert trace.verdict == "reply"
    assert crossings(trace)[1:3] == ["host:eth0 In", "a:eth0 In"]
    assert not [one for one in walked(trace) if one.startswith("host ")]


@pytest.mark.parametrize("mode", ["l3", "l3s"])
def test_routed_siblings_reach_each_other_without_arp(mode):
    trace = ping(routed(mode), "h1/a", "10.99.0.12")
    assert trace.verdict == "reply"
    assert crossings(trace) == ["a:eth0 Out", "b:eth0 In", "b:eth0 Out", "a:eth0 In"]
    assert not asked(trace)


def test_in_mode_l3_the_host_s_hooks_see_what_leaves_and_not_what_comes():
    trace = ping(routed("l3"), "wan", "10.99.0.11")
    assert trace.verdict == "reply"
    inner = [one for one in walked(trace) if not one.startswith("wan")]
    assert inner == ["a PREROUTING", "a INPUT", "a OUTPUT", "a POSTROUTING", "host OUTPUT", "host POSTROUTING"]
    assert crossings(trace)[1:5] == ["host:eth0 In", "a:eth0 In", "a:eth0 Out", "host:eth0 Out"]


def test_in_mode_l3s_the_host_s_hooks_see_what_comes_and_the_container_s_do_not():
    trace = ping(routed("l3s"), "wan", "10.99.0.11")
    assert trace.verdict == "reply"
    inner = [one for one in walked(trace) if not one.startswith("wan")]
    assert inner == ["host PREROUTING", "host INPUT", "a OUTPUT", "a POSTROUTING", "host OUTPUT", "host POSTROUTING"]
    assert crossings(trace)[1:4] == ["host:eth0 In", "a:eth0 Out", "host:eth0 Out"]


@pytest.mark.parametrize("mode", ["l3", "l3s"])
def test_the_host_s_namespace_routes_without_a_look_at_the_ttl(mode):
    here = routed(mode)
    assert talk(here, "h1/a", "192.0.2.1", 53, "udp", ["wan udp 53"], ttl=1).verdict == "reply"
    assert talk(here, "wan", "10.99.0.11", 53, "udp", ["h1/a udp 53"], ttl=1).verdict == "reply"


def test_a_routed_container_reaches_the_host_through_its_lo():
    trace = ping(routed("l3"), "h1/a", "192.0.2.2")
    assert crossings(trace)[:2] == ["a:eth0 Out", "host:lo In"]


def test_the_outside_needs_a_route_to_routed_containers():
    here = above(Ipvlan, mode="l3")
    assert ping(here, "wan", "10.99.0.11").verdict == "net-unreachable"


@pytest.mark.parametrize("mode", ["l3", "l3s"])
def test_routed_devices_neither_ask_nor_answer_arp(mode):
    here = routed(mode)
    route(here, "wan", "10.99.0.11/32")
    trace = ping(here, "wan", "10.99.0.11")
    assert reasons(trace) == ["nobody answers ARP for 10.99.0.11 on eth0"]
    # what is for an address of theirs is theirs: in mode l3 the host does not even see the question
    assert ("a:eth0 B" in crossings(trace, "request")) is (mode == "l3")


@pytest.mark.parametrize("to", ["203.0.113.9", "172.17.0.1"], ids=["unreachable", "on another device"])
def test_where_the_host_has_no_route_by_the_lower_device_the_destination_counts_as_on_its_link(to):
    here = routed("l3")
    host = here.find("h1")
    here_only = Bridge("docker0", 5, mac(0x20))
    host.fib = Fib()
    host.add(here_only)
    address(host, here_only, "172.17.0.1/16")
    address(host, host.devices["eth0"], "192.0.2.2/24")
    host.fib.add([Route(Prefix.parse("203.0.113.0/24"), type="unreachable")])
    trace = ping(here, "h1/a", to)
    assert crossings(trace, "request")[0] == "host:eth0 Out"
    assert reasons(trace) == [f"nobody answers ARP for {to} on eth0"]


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("224.0.0.9", "in mode l3 nothing is sent to groups"),
        ("192.0.2.255", "192.0.2.255 is a broadcast address in h1/host"),
        ("255.255.255.255", "255.255.255.255 is no address of one machine"),
    ],
)
def test_groups_are_not_routed(to, reason):
    here = routed("l3")
    route(here, "h1/a", "224.0.0.0/4")
    assert reasons(sent(here, "h1/a", to)) == [reason]


def test_a_routed_container_s_own_broadcast_address_is_as_any_other_to_the_host():
    here = routed("l3")
    assert crossings(sent(here, "h1/a", "10.99.0.255"))[:3] == ["a:eth0 Out", "host:eth0 Out", "wan/host:eth0 In"]


def sent(here, place, to):
    """The steps of an echo request, whatever kind of address it is for."""
    here.defer(ip_output.send(here.find(place), Skb(here.serial(), icmp("10.99.0.11", to))))
    return list(here.run())


def test_a_rule_of_the_host_refuses_what_a_routed_container_sends():
    here = routed("l3")
    load(here, "h1", "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -s 10.99.0.0/24 -j DROP\nCOMMIT\n")
    assert reasons(ping(here, "h1/a", "192.0.2.1")) == [
        "filter OUTPUT rule OUTPUT 1: -A OUTPUT -s 10.99.0.0/24 -j DROP"
    ]


def test_the_host_masquerades_what_a_routed_container_sends():
    here = above(Ipvlan, mode="l3s")
    load(here, "h1", "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s 10.99.0.0/24 -o eth0 -j MASQUERADE\nCOMMIT\n")
    trace = talk(here, "h1/a", "192.0.2.1", 80, servers=["wan tcp 80"])
    assert (trace.verdict, trace.server_saw) == ("reply", "192.0.2.2:40000")


def test_a_host_s_port_leads_to_a_container_in_mode_l3s_only():
    publish = "-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.99.0.11:80"
    rules = f"*nat\n:PREROUTING ACCEPT [0:0]\n{publish}\nCOMMIT\n"
    for mode, verdict in (("l3s", "reply"), ("l3", "timeout")):
        here = routed(mode)
        load(here, "h1", rules)
        assert talk(here, "wan", "192.0.2.2", 8080, servers=["h1/a tcp 80"]).verdict == verdict


def test_what_the_host_rejects_in_mode_l3s_the_container_answers():
    here = routed("l3s")
    load(here, "h1", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -j REJECT\nCOMMIT\n")
    trace = talk(here, "wan", "10.99.0.11", 53, "udp", ["h1/a udp 53"])
    assert trace.verdict == "refused"
    crossed = [step for step in trace.steps if isinstance(step, Crossing)]
    errors = [f"{step.place}:{step}" for step in crossed if getattr(step.packet, "proto", 0) == ICMP]
    assert errors[:2] == ["h1/a:eth0 Out", "h1/host:eth0 Out"]


@pytest.mark.parametrize(("mode", "address"), [("l2", "192.0.2.12"), ("l3", "10.99.0.12"), ("l3s", "10.99.0.12")])
def test_private_devices_do_not_reach_each_other(mode, address):
    trace = ping(above(Ipvlan, mode=mode, flag="private"), "h1/a", address)
    assert trace.verdict == "timeout"
    drops = [step.reason for step in trace.steps if isinstance(step, Drop)]
    assert any("eth0 and h1/" in reason and "are private" in reason for reason in drops)


def test_vepa_sends_to_a_sibling_by_the_lower_device():
    here = above(Ipvlan, flag="vepa")
    here.find("h1/a").neighbours["eth0", 0xC000020C] = mac(0x12)
    assert crossings(ping(here, "h1/a", "192.0.2.12"))[:2] == ["a:eth0 Out", "host:eth0 Out"]


def test_the_latest_device_sets_the_mode_and_flag_of_all():
    card = Physical("eth0", 2, mac(1))
    first = Ipvlan("i1", 3, lower=card, mode="l3")
    Ipvlan("i2", 4, lower=card, flag="private")
    assert (first.mode, first.flag, first.noarp) == ("l2", "private", False)
