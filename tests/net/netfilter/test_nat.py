"""NAT: each kind of mapping in both directions, ranges, clashes, and mappings that change nothing."""

import pytest

from simnet.net.netfilter import nat
from simnet.net.netfilter.conntrack import Conntrack
from simnet.net.skb import Skb
from simnet.net.step import Rewrite
from tests.net.build import PUBLISH, build, icmp, ip, talk, tcp, udp


def nat_table(*rules):
    chains = [f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
    return "\n".join(["*nat", *chains, *rules, "COMMIT", ""])


def rewrites(trace):
    return [str(step) for step in trace.steps if isinstance(step, Rewrite)]


def test_dnat_there_and_back():
    trace = talk(build(PUBLISH), "wan", "192.0.2.2", 8080, servers=["h1/web tcp 80"])
    assert (trace.verdict, trace.server_saw, trace.served_at) == ("reply", "192.0.2.1:40000", "172.17.0.2:80")
    assert rewrites(trace)[:2] == [
        "DNAT 192.0.2.2:8080 → 172.17.0.2:80",
        "SNAT 172.17.0.2:80 → 192.0.2.2:8080",
    ]


def test_masquerade_there_and_back():
    trace = talk(build(PUBLISH), "h1/web", "192.0.2.1", 80, servers=["wan tcp 80"])
    assert (trace.verdict, trace.server_saw) == ("reply", "192.0.2.2:40000")
    assert rewrites(trace)[:2] == [
        "SNAT 172.17.0.2:40000 → 192.0.2.2:40000",
        "DNAT 192.0.2.2:40000 → 172.17.0.2:40000",
    ]


def test_the_rules_are_asked_once_for_each_connection():
    trace = talk(build(PUBLISH), "wan", "192.0.2.2", 8080, servers=["h1/web tcp 80"])
    asked = [
        (walk.chain, walk.packet.flags) for walk in trace.walks() if walk.table == "nat" and walk.place == "h1/host"
    ]
    assert asked == [("PREROUTING", "SYN"), ("POSTROUTING", "SYN")]


@pytest.mark.parametrize(
    ("rule", "saw"),
    [
        ("-A POSTROUTING -j SNAT --to-source 192.0.2.2", "192.0.2.2:40000"),
        ("-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.2:5000", "192.0.2.2:5000"),
        ("-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.2:39000-41000", "192.0.2.2:40000"),
        ("-A POSTROUTING -p udp -j SNAT --to-source :5000", "172.17.0.2:5000"),
        ("-A POSTROUTING -p udp -j MASQUERADE --to-ports 6000", "192.0.2.2:6000"),
        ("-A POSTROUTING -j NETMAP --to 192.0.2.0/30", "192.0.2.2:40000"),
        ("-A POSTROUTING -j ACCEPT", "172.17.0.2:40000"),
    ],
)
def test_source_nat(rule, saw):
    here = build(nat_table(rule))
    trace = talk(here, "h1/web", "192.0.2.1", 53, "udp", ["wan udp 53"])
    assert (trace.verdict, trace.server_saw) == ("reply", saw)


@pytest.mark.parametrize(
    ("rule", "served"),
    [
        ("-A PREROUTING -j DNAT --to-destination 172.17.0.2", "172.17.0.2:53"),
        ("-A PREROUTING -p udp -j DNAT --to-destination 172.17.0.2:54", "172.17.0.2:54"),
        ("-A PREROUTING -p udp -j DNAT --to-destination 172.17.0.2:54-55", "172.17.0.2:54"),
        ("-A PREROUTING -p udp -j DNAT --to-destination :54", "192.0.2.2:54"),
        ("-A PREROUTING -p udp -j REDIRECT --to-ports 54", "192.0.2.2:54"),
        ("-A PREROUTING -j REDIRECT", "192.0.2.2:53"),
        ("-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 172.17.0.0/24", "172.17.0.2:53"),
        ("-A PREROUTING -j ACCEPT", "192.0.2.2:53"),
    ],
)
def test_destination_nat(rule, served):
    servers = [f"{place} udp {port}" for place in ("h1", "h1/web") for port in (53, 54)]
    trace = talk(build(nat_table(rule)), "wan", "192.0.2.2", 53, "udp", servers)
    assert (trace.verdict, trace.served_at) == ("reply", served)


def test_own_packets_are_redirected_to_loopback():
    trace = talk(
        build(nat_table("-A OUTPUT -p tcp -j REDIRECT --to-ports 81")), "h1", "9.9.9.9", 80, servers=["h1 tcp 81"]
    )
    assert (trace.verdict, trace.served_at) == ("reply", "127.0.0.1:81")


def test_own_packets_are_translated_and_routed_anew():
    rule = "-A OUTPUT -d 9.9.9.9/32 -p tcp -j DNAT --to-destination 172.17.0.2:80"
    trace = talk(build(nat_table(rule)), "h1", "9.9.9.9", 80, servers=["h1/web tcp 80"])
    assert trace.verdict == "reply"
    assert "route unicast dev docker0 (main)" in [str(step) for step in trace.steps]


def test_an_error_of_a_translated_flow_is_turned_back():
    trace = talk(build(PUBLISH), "h1/web", "192.0.2.1", 54, "udp")
    assert trace.verdict == "refused"
    last = trace.steps[-1].packet
    quoted = last.transport.quoted
    assert (last.dst, quoted.src, quoted.dst) == (ip("172.17.0.2"), ip("172.17.0.2"), ip("192.0.2.1"))


def test_masquerade_without_an_address_drops():
    here = build(nat_table("-A POSTROUTING -o eth0 -j MASQUERADE"))
    host = here.find("h1")
    for device in host.devices.values():
        device.addresses.clear()
    trace = talk(here, "h1/web", "192.0.2.1", 53, "udp")
    assert trace.verdict == "timeout"
    assert any("MASQUERADE" in step.reason for step in trace.steps if step.kind == "drop")


def test_an_untracked_packet_is_not_translated():
    rules = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\nCOMMIT\n" + PUBLISH
    trace = talk(build(rules), "h1/web", "192.0.2.1", 80, servers=["wan tcp 80"])
    assert trace.server_saw == "172.17.0.2:40000"


# --- the choice of a tuple --------------------------------------------------------------------------------------------


def mapped(table, packet, span, manip):
    """Open a connection with a mapping and confirm it: its translated tuple."""
    skb = Skb(1, packet)
    table.track(skb)
    nat.setup(HERE(table), skb, span, manip)
    assert table.confirm(skb)
    return skb.connection.reply.inverse


class HERE:
    """As much of a namespace as a mapping asks for."""

    def __init__(self, conntrack):
        self.conntrack = conntrack


OUT = ip("192.0.2.2")
ONE = nat.Range(OUT, OUT)


def test_a_port_that_is_free_stays():
    assert mapped(Conntrack(), udp(), ONE, "SNAT") == (OUT, ip("10.0.0.2"), 17, 1000, 53)


def test_a_port_that_is_taken_moves():
    table = Conntrack()
    mapped(table, udp("10.0.0.1"), ONE, "SNAT")
    second = mapped(table, udp("10.0.0.9"), ONE, "SNAT")
    assert second.src == OUT
    assert second.sport not in {0, 1000}


def test_another_destination_takes_nothing():
    table = Conntrack()
    mapped(table, udp("10.0.0.1"), ONE, "SNAT")
    assert mapped(table, udp("10.0.0.9", "10.0.0.3"), ONE, "SNAT").sport == 1000


@pytest.mark.parametrize(
    ("port", "low", "high"),
    [(53, 1, 511), (600, 600, 1023), (1023, 600, 1023), (1024, 1024, 65535), (50000, 1024, 65535)],
)
def test_a_moved_port_stays_in_its_class(port, low, high):
    table = Conntrack()
    moved = [mapped(table, udp(f"10.0.0.{n}", sport=port), ONE, "SNAT").sport for n in range(5, 25)]
    assert moved[0] == port
    assert len(set(moved)) == 20
    assert all(low <= one <= high for one in moved)


def test_a_null_mapping_moves_a_port_only_where_it_clashes():
    table = Conntrack()
    mapped(table, udp("10.0.0.1"), nat.Range(OUT, OUT), "SNAT")
    skb = Skb(2, udp("192.0.2.2"))
    table.track(skb)
    nat.bind_null(HERE(table), skb, "SNAT")
    assert skb.connection.src_nat
    assert skb.connection.reply.dport != 1000
    free = Skb(3, udp("192.0.2.2", sport=7))
    table.track(free)
    nat.bind_null(HERE(table), free, "SNAT")
    assert not free.connection.src_nat
    assert free.connection.manip_done == {"SNAT"}


def test_a_range_of_ports_is_used_up():
    table = Conntrack()
    span = nat.Range(OUT, OUT, 5000, 5002, ports_given=True)
    ports = {mapped(table, udp(f"10.0.0.{n}"), span, "SNAT").sport for n in range(5, 8)}
    assert ports == {5000, 5001, 5002}


def test_a_single_port_is_used_though_it_is_taken():
    table = Conntrack()
    span = nat.Range(ip("10.9.9.9"), ip("10.9.9.9"), 80, 80, ports_given=True)
    assert mapped(table, tcp(), span, "DNAT")[1:] == (ip("10.9.9.9"), 6, 1000, 80)


def test_shifted_ports():
    span = nat.Range(ip("10.9.9.9"), ip("10.9.9.9"), 5000, 5100, ports_given=True, base=8000)
    assert mapped(Conntrack(), tcp(dport=8042), span, "DNAT").dport == 5042


def test_a_range_of_addresses():
    low, high = ip("10.9.0.0"), ip("10.9.0.7")
    chosen = [mapped(Conntrack(), udp(f"10.0.0.{n}"), nat.Range(low, high), "SNAT").src for n in range(1, 60)]
    assert set(chosen) <= set(range(low, high + 1))
    assert len(set(chosen)) > 4


def test_a_source_keeps_its_mapping_in_a_range():
    table = Conntrack()
    span = nat.Range(ip("10.9.0.0"), ip("10.9.0.7"))
    first, second = (mapped(table, udp(dst=f"10.0.0.{n}"), span, "SNAT") for n in (2, 3))
    assert (first.src, first.sport) == (second.src, second.sport)


def test_echo_identifiers_clash_like_ports():
    table = Conntrack()
    first = mapped(table, icmp("10.0.0.1"), ONE, "SNAT")
    second = mapped(table, icmp("10.0.0.9"), ONE, "SNAT")
    assert (first.src, second.src, first.sport) == (OUT, OUT, 7)
    assert second.sport != 7


def test_a_mapping_is_decided_once():
    table = Conntrack()
    skb = Skb(1, udp())
    table.track(skb)
    nat.setup(HERE(table), skb, ONE, "SNAT")
    nat.setup(HERE(table), skb, nat.Range(ip("10.9.9.9"), ip("10.9.9.9")), "SNAT")
    assert skb.connection.reply.dst == OUT
