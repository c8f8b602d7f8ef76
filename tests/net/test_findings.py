"""What was once wrong in the model, found by tests, each named by what the kernel does."""

import json

import pytest

from simnet.net.address import Prefix
from simnet.net.conversation import Probe
from simnet.net.netfilter import ipset, save
from simnet.net.netfilter.conntrack import Connection, Conntrack, Tuple
from simnet.net.packet import RST
from simnet.net.route import Fib, PolicyRule, Route, RouteQuery
from simnet.net.skb import BridgeInfo, Skb
from simnet.net.stack import fragment
from simnet.scenario.question import Listen, ask
from simnet.scenario.snapshot import interfaces
from tests.net.build import build, context, icmp, inject, ip, play, reasons, talk, tcp, udp


def test_suppress_prefix_leaves_a_failing_route_alone():  # fib_rules_lookup: suppress only where err == 0
    fib = Fib(rules=[PolicyRule(10, "main", suppress_prefix=0), PolicyRule(20, "other")])
    fib.add([Route(Prefix(0, 0), type="unreachable"), Route(Prefix(0, 0), "eth0", table="other")])
    assert fib.lookup(RouteQuery(ip("10.0.0.1"))).type == "unreachable"


def test_a_fragment_cut_again_comes_together():
    n = build()
    ns = n.find("h1")
    whole = udp(data=bytes(range(250)) * 12)
    parts = play(fragment.fragment(ns, Skb(1, whole), 1500))[1]
    small = [p for part in parts for p in play(fragment.fragment(ns, part, 600))[1]]
    assert [p.ip.fragment.offset for p in small] == sorted({p.ip.fragment.offset for p in small})
    done = [x for x in (play(fragment.defragment(ns, p, "prerouting"))[1] for p in small) if x is not None]
    assert len(done) == 1 and done[0].ip == whole


def test_two_smaller_mtus_on_the_way():
    n = build(sysctls={"net.bridge.bridge-nf-call-iptables": "0"})
    n.find("wan").devices["eth0"].mtu = 9000
    n.find("h1").devices["eth0"].mtu = 9000
    n.find("wan").devices["eth0"].mtu = 1400
    n.find("h1").devices["docker0"].mtu = 600
    t = talk(n, "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"], size=3000)
    assert t.verdict == "reply"


def test_linkdown_route_is_still_taken(tmp_path):  # ip_ignore_linkdown: off by default
    n = build()
    ns = n.find("h1")
    (tmp_path / "ip-route.json").write_text(
        json.dumps(
            [
                {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": []},
                {
                    "dst": "172.17.0.0/16",
                    "dev": "docker0",
                    "scope": "link",
                    "prefsrc": "172.17.0.1",
                    "flags": ["linkdown"],
                },
            ]
        )
    )
    interfaces.read_routes(ns, tmp_path / "ip-route.json", [])
    assert ns.fib.lookup(RouteQuery(ip("172.17.0.9"))).device == "docker0"


def test_tcp_data_above_the_mtu_is_segmented():
    assert talk(build(), "wan", "172.17.0.2", 80, servers=["h1/web tcp 80"], size=4000).verdict == "reply"


@pytest.mark.parametrize("proto", ["udp", "icmp"])
def test_a_packet_above_65535_bytes_is_refused(proto):
    t = talk(build(), "wan", "172.17.0.2", 53, proto, ["h1/web udp 53"], size=70000)
    assert t.errno == "EMSGSIZE"


@pytest.mark.parametrize(
    "rule",
    [
        "-A FORWARD -j NFQUEUE --queue-num 0",
        "-A FORWARD -m statistic --mode random --probability 0.5 -j NFQUEUE --queue-num 0",
    ],
)
def test_an_unmodelled_target_makes_the_answer_uncertain(rule):
    rules = f"*filter\n:FORWARD ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    a = ask(lambda: build(rules), Probe("wan", ip("172.17.0.2"), 80), (Listen("h1/web", "tcp", 0, 80),))
    assert a.doubts and not a.certain


def test_a_doubt_behind_a_doubt_is_asked():
    rules = (
        "*filter\n:FORWARD ACCEPT [0:0]\n:A - [0:0]\n-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j A\n"
        "-A A -m recent --rcheck --name X -j DROP\nCOMMIT\n"
    )
    a = ask(lambda: build(rules), Probe("wan", ip("172.17.0.2"), 80), (Listen("h1/web", "tcp", 0, 80),))
    assert not a.certain


def test_ctstatus_none_never_matches():  # XT_CONNTRACK_STATUS with mask 0: !!(0 & status) is 0
    rules = save.parse("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstatus NONE -j DROP\nCOMMIT\n")
    test = rules.tables["filter"].chains["INPUT"].rules[0].matches[0].test
    key = Tuple(1, 2, 6, 3, 4)
    assert not test(context(tcp(), connection=Connection(key, key.inverse), state="NEW"))


def test_udp_is_not_assured_within_two_seconds():  # udp.stream_ts = jiffies + 2 * HZ
    t = Conntrack()
    a = udp()
    b = udp(a and "10.0.0.2", "10.0.0.1", 53, 1000)
    s = Skb(1, a)
    t.track(s)
    t.confirm(s)
    for packet in (b, a, b, b):
        t.track(Skb(2, packet))
    assert not s.connection.assured


def test_own_reset_before_any_answer_ends_the_entry():  # th->rst && !SEEN_REPLY, in either direction
    t = Conntrack()
    s = Skb(1, tcp())
    t.track(s)
    t.confirm(s)
    t.track(Skb(2, tcp(flags=RST)))
    assert len(t) == 0


def test_negated_physdev_out_fails_without_a_port_out():  # physdev_mt: if (!outdev) return false
    n = build()
    host = n.find("h1")
    rules = save.parse("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m physdev ! --physdev-out vethweb -j DROP\nCOMMIT\n")
    test = rules.tables["filter"].chains["INPUT"].rules[0].matches[0].test
    assert not test(context(tcp(), "INPUT", n, "docker0", "", bridge=BridgeInfo(host.devices["vethweb"])))


@pytest.mark.parametrize("packet", [tcp("192.0.2.1"), icmp("192.0.2.1")])
def test_set_with_an_icmp_or_mark_member(packet):
    sets = ipset.parse(
        "create a hash:ip,port family inet\nadd a 192.0.2.1,icmp:echo-request\n"
        "create m hash:ip,mark\nadd m 192.0.2.1,0x00000001\n"
    )
    for name in ("a", "m"):
        sets[name].contains(context(packet), ["src", "dst"])


def test_unjoined_multicast_never_reaches_input():
    n = build("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n")
    steps = inject(n, "h1", "eth0", udp("192.0.2.1", "239.1.2.3"), "01:00:5e:01:02:03")
    assert not [s for s in steps if s.kind == "chain"]


def test_broadcast_source_is_validated():  # ip_route_input_slow: brd_input calls fib_validate_source
    n = build(sysctls={"net.ipv4.conf.all.rp_filter": "1"})
    steps = inject(n, "h1", "eth0", udp("172.17.0.9", "255.255.255.255"), "ff:ff:ff:ff:ff:ff")
    assert "rp_filter" in reasons(steps)[0]


def test_veth_drops_what_its_peer_cannot_take():  # __dev_forward_skb: is_skb_forwardable(rcv)
    n = build(sysctls={"net.bridge.bridge-nf-call-iptables": "0"})
    n.find("h1/web").devices["eth0"].mtu = 9000
    t = talk(n, "h1/web", "172.17.0.1", 53, "udp", ["h1 udp 53"], size=4000)
    assert t.verdict == "timeout"


def test_loose_rp_filter_on_a_device_without_addresses():  # no_addr -> last_resort -> rpf
    n = build(sysctls={"net.ipv4.conf.all.rp_filter": "2"})
    n.find("h1").devices["eth0"].addresses.clear()
    steps = inject(n, "h1", "eth0", udp("172.17.0.9", "172.17.0.1"))
    assert any("rp_filter" in r for r in reasons(steps))


def test_mtu_below_a_header():
    n = build()
    n.find("h1/web").devices["eth0"].mtu = 20
    talk(n, "h1/web", "172.17.0.1", 53, "udp", ["h1 udp 53"], size=100)


def test_connecting_to_the_zero_address_means_this_host():  # ip_route_output_key: no daddr is INADDR_LOOPBACK
    trace = talk(build(), "h1", "0.0.0.0", 80, servers=["h1 tcp 80"])
    assert (trace.verdict, trace.served_at) == ("reply", "127.0.0.1:80")
