"""IP on its way: TTL, MTU and fragments, DF, and the addresses that a host will not take in."""

import pytest

from simnet.net.address import Prefix
from simnet.net.route import Route
from simnet.net.skb import Skb
from simnet.net.stack import fragment
from simnet.net.step import Reshape
from tests.net.build import build, icmp, inject, ip, load, play, reasons, talk, tcp, udp

UNFILTERED = {"net.bridge.bridge-nf-call-iptables": "0"}
NAT = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -p sctp -j MASQUERADE\nCOMMIT\n"


def test_each_router_takes_one_from_the_ttl():
    trace = talk(build(), "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"], ttl=9)
    ttls = {step.place: step.packet.ttl for step in trace.steps if getattr(step.packet, "dst", 0) == ip("172.17.0.2")}
    assert (ttls["wan/host"], ttls["h1/web"]) == (9, 8)


@pytest.mark.parametrize(("ttl", "verdict"), [(1, "ttl-exceeded"), (2, "reply")])
def test_the_ttl_runs_out(ttl, verdict):
    trace = talk(build(), "wan", "172.17.0.2", proto="icmp", ttl=ttl)
    assert trace.verdict == verdict
    assert ("TTL exceeded" in reasons(trace)) is (ttl == 1)


def test_a_host_that_does_not_forward():
    trace = talk(build(sysctls={"net.ipv4.ip_forward": "0"}), "wan", "172.17.0.2", 80)
    assert trace.verdict == "timeout"
    assert "forwarding is off" in reasons(trace)[0]


def test_what_is_addressed_to_another_machine_is_left_alone():
    steps = inject(build(), "h1", "eth0", tcp("192.0.2.1", "172.17.0.2"), "02:42:00:00:00:99")
    assert reasons(steps) == ["addressed to another machine's hardware address"]


def test_a_router_without_any_route_says_nothing():
    here = build()
    here.find("h1").fib = type(here.find("h1").fib)()
    assert reasons(inject(here, "h1", "eth0", tcp("192.0.2.1", "9.9.9.9"))) == ["no route to 9.9.9.9"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [("unreachable", "host unreachable"), ("prohibit", "administratively prohibited"), ("blackhole", "")],
)
def test_a_router_says_why_it_has_no_route(kind, message):
    here = build()
    here.find("h1").fib.add([Route(Prefix.parse("9.0.0.0/8"), type=kind)])
    steps = inject(here, "h1", "eth0", tcp("192.0.2.1", "9.9.9.9"))
    errors = [str(step.packet) for step in steps if step.kind == "origin"]
    assert [error for error in errors if message and message in error] == errors


# --- addresses that cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("src", "dst", "reason"),
    [
        ("224.0.0.1", "192.0.2.2", "martian source 224.0.0.1"),
        ("255.255.255.255", "192.0.2.2", "martian source 255.255.255.255"),
        ("0.0.0.0", "192.0.2.2", "martian source 0.0.0.0"),
        ("192.0.2.1", "0.0.0.0", "martian destination 0.0.0.0"),
        ("127.0.0.1", "192.0.2.2", "martian source 127.0.0.1 on eth0"),
        ("192.0.2.1", "127.0.0.1", "martian destination 127.0.0.1 on eth0"),
        ("192.0.2.2", "172.17.0.2", "martian source: 192.0.2.2 is one of this namespace's own"),
    ],
)
def test_martians(src, dst, reason):
    assert reasons(inject(build(), "h1", "eth0", udp(src, dst)))[0].startswith(reason)


def test_loopback_addresses_are_let_in_where_route_localnet_is_on():
    here = build(sysctls={"net.ipv4.conf.eth0.route_localnet": "1"})
    assert "martian" not in reasons(inject(here, "h1", "eth0", udp("192.0.2.1", "127.0.0.1")))[0]


def test_own_sources_are_let_in_where_accept_local_is_on():
    here = build(sysctls={"net.ipv4.conf.eth0.accept_local": "1"})
    assert not [why for why in reasons(inject(here, "h1", "eth0", icmp("192.0.2.2", "172.17.0.2"))) if "martian" in why]


@pytest.mark.parametrize(
    ("mode", "src", "dropped"),
    [
        ("0", "172.17.0.9", False),
        ("1", "172.17.0.9", True),
        ("2", "172.17.0.9", False),
        ("1", "192.0.2.9", False),
        ("1", "8.8.8.8", False),
    ],
)
def test_rp_filter(mode, src, dropped):
    here = build(sysctls={"net.ipv4.conf.all.rp_filter": mode})
    steps = inject(here, "h1", "eth0", icmp(src, "192.0.2.2"))
    assert any("rp_filter: the way back" in why for why in reasons(steps)) is dropped


@pytest.mark.parametrize("mode", ["1", "2"])
def test_rp_filter_without_any_way_back(mode):
    here = build(sysctls={"net.ipv4.conf.eth0.rp_filter": mode})
    host = here.find("h1")
    kept = [route for route in host.fib.routes() if route.dst.length]
    host.fib = type(host.fib)()
    host.fib.add(kept)
    assert reasons(inject(here, "h1", "eth0", icmp("8.8.8.8", "192.0.2.2"))) == ["rp_filter: no route back to 8.8.8.8"]


# --- size -------------------------------------------------------------------------------------------------------------


def cut(packet, mtu):
    here = build()
    return [part.ip for part in play(fragment.fragment(here.find("h1"), Skb(1, packet), mtu))[1]]


def test_fragments():
    parts = cut(udp(data=b"x" * 2000), 1000)
    assert [(part.fragment.offset, part.fragment.length, part.fragment.more) for part in parts] == [
        (0, 976, True),
        (976, 976, True),
        (1952, 56, False),
    ]
    assert [part.length for part in parts] == [996, 996, 76]
    assert [part.dport for part in parts] == [53, 0, 0]


def test_reassembly_waits_for_the_last_piece():
    here = build().find("h1")
    packet = udp(data=b"x" * 3000)
    pieces = play(fragment.fragment(here, Skb(1, packet), 1000))[1]
    answers = [play(fragment.defragment(here, piece, "deliver"))[1] for piece in (*pieces[1:], pieces[0])]
    assert answers[:-1] == [None] * (len(pieces) - 1)
    assert answers[-1].ip == packet
    assert here.reassembly == {}


@pytest.mark.parametrize("rules", ["", NAT], ids=["plain", "tracked"])
def test_a_large_datagram_arrives_whole(rules):
    trace = talk(build(rules), "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"], size=4000)
    assert trace.verdict == "reply"
    actions = [(step.place, str(step)) for step in trace.steps if isinstance(step, Reshape)]
    assert actions[0] == ("wan/host", "fragmented into 3")
    assert (("h1/host", "reassembled from 3") in actions) is bool(rules)
    assert ("h1/web", "reassembled from 3") in actions


def small(here, mtu=1000):
    here.find("h1").devices["docker0"].mtu = mtu
    return here


def test_df_on_a_link_that_is_too_small():
    trace = talk(small(build(sysctls=UNFILTERED)), "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"], size=1400)
    assert trace.verdict == "timeout"
    assert reasons(trace)[0] == "1428 bytes exceed the MTU of 1000 and DF is set"
    error = next(step.packet for step in trace.steps if getattr(step.packet, "is_icmp_error", False))
    assert (error.transport.type, error.transport.code, error.transport.mtu) == (3, 4, 1000)


def test_a_router_cuts_what_may_be_cut():
    here = small(build(sysctls=UNFILTERED))
    steps = inject(here, "h1", "eth0", udp("192.0.2.1", "172.17.0.2", data=b"x" * 1400))
    assert next(str(step) for step in steps if isinstance(step, Reshape)) == "fragmented into 2"


def test_a_route_s_own_mtu():
    here = build()
    here.find("wan").fib.add([Route(Prefix.parse("172.17.0.2"), "eth0", ip("192.0.2.2"), mtu=600)])
    trace = talk(here, "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"], size=1000)
    assert trace.verdict == "reply"
    assert "fragmented into 2" in [str(step) for step in trace.steps]


def test_an_own_broadcast_comes_in_again_where_no_capture_sees_it():
    here = build()
    rules = "-A INPUT -p icmp -j ACCEPT", "-A POSTROUTING -j ACCEPT"
    load(here, "h1", "\n".join(["*mangle", ":INPUT ACCEPT", ":POSTROUTING ACCEPT", *rules, "COMMIT", ""]))
    trace = talk(here, "h1", "192.0.2.255", proto="icmp")
    own = [walk for walk in trace.walks() if walk.place == "h1/host" and walk.table == "mangle" and walk.hits]
    assert [walk.chain for walk in own] == ["POSTROUTING", "POSTROUTING", "INPUT"]
    assert trace.devices()["h1/host"] == ["eth0 Out"]
    assert trace.verdict == "timeout"
