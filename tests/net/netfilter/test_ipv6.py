"""IPv6 rules in the same engine: addresses, ICMPv6, hop limit, extension matches, the index; no second code path."""

from ipaddress import IPv6Address

import pytest

from simnet.net.netfilter import save, tables
from simnet.net.netfilter.context import Context
from simnet.net.netfilter.index import ChainIndex
from simnet.net.network import Network
from simnet.net.packet import ACK, ICMPV6, SYN, TCP, UDP, IcmpMessage, IPv6, TcpSegment, UdpDatagram
from simnet.net.skb import Skb

DUMP = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:open - [0:0]
[0:0] -A INPUT -s fe80::/10 -p ipv6-icmp -j ACCEPT
[0:0] -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
[0:0] -A INPUT ! -s 2001:db8::/32 -j REJECT --reject-with icmp6-adm-prohibited
[0:0] -A INPUT -d 2001:db8::1/128 -p tcp -m multiport --dports 22,80:90 -j open
[0:0] -A open -m mark --mark 0x1 -j RETURN
[0:0] -A open -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT
COMMIT
"""
TYPES = {TcpSegment: TCP, UdpDatagram: UDP, IcmpMessage: ICMPV6}


def v6(text):
    return int(IPv6Address(text))


def walk(transport, src="2001:db8::2", dst="2001:db8::1", *, dump=DUMP, mark=0, **fields):
    packet = IPv6(v6(src), v6(dst), TYPES[type(transport)], transport, **fields)
    c = Context(Network().namespace("h1/host"), Skb(1, packet, mark=mark), packet, "INPUT", None, None, "eth0", "")
    table = save.parse(dump).tables["filter"]
    step = tables.walk(table, table.chains["INPUT"], c)
    return step.verdict, [(hit.chain, hit.number) for hit in step.hits], step.evaluated


@pytest.mark.parametrize(
    ("transport", "fields", "expected"),
    [
        (IcmpMessage(128), {"src": "fe80::1"}, ("ACCEPT", [("INPUT", 1)], 1)),
        (IcmpMessage(135), {"src": "2001:db8::2", "ttl": 255}, ("ACCEPT", [("INPUT", 2)], 2)),
        (IcmpMessage(135), {"src": "2001:db8::2", "ttl": 64}, ("DROP", [], 4)),
        (IcmpMessage(128), {"src": "2001:db9::2"}, ("DROP", [("INPUT", 3)], 3)),
        (TcpSegment(1000, 85, SYN), {}, ("ACCEPT", [("INPUT", 4), ("open", 2)], 6)),
        (TcpSegment(1000, 85, SYN), {"mark": 1}, ("DROP", [("INPUT", 4), ("open", 1)], 5)),
        (TcpSegment(1000, 85, ACK), {}, ("DROP", [("INPUT", 4)], 6)),
        (TcpSegment(1000, 85, SYN), {"dst": "2001:db8::3"}, ("DROP", [], 4)),
        (UdpDatagram(1000, 22), {}, ("DROP", [], 4)),
    ],
)
def test_walks(transport, fields, expected):
    assert walk(transport, **fields) == expected


def test_a_dump_comes_back_as_it_was():
    assert save.dump(save.parse(DUMP)) == DUMP


def test_the_index_knows_long_addresses():
    rules = "".join(f"-A INPUT -s 2001:db8:{n:x}::/48 -j ACCEPT\n" for n in range(200))
    chain = save.parse(f"*filter\n:INPUT DROP [0:0]\n{rules}COMMIT\n").tables["filter"].chains["INPUT"]
    assert ChainIndex(chain.rules).first(v6("2001:db8:77::9"), 0, TCP, 1, 2) == 0x77
    assert ChainIndex(chain.rules).first(v6("2001:db9::9"), 0, TCP, 1, 2) == -1


def test_hop_limit_is_changed():
    dump = "*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -j HL --hl-dec 3\nCOMMIT\n"
    packet = IPv6(1, 2, UDP, UdpDatagram(1, 2))
    skb = Skb(1, packet)
    table = save.parse(dump).tables["mangle"]
    tables.walk(
        table, table.chains["INPUT"], Context(Network().namespace("h1"), skb, packet, "INPUT", None, None, "", "")
    )
    assert skb.packet.ttl == 61


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (IPv6(1, v6("2001:db8::1"), TCP, TcpSegment(1, 2, SYN)), "tcp [::1]:1>[2001:db8::1]:2 SYN"),
        (IPv6(1, 2, ICMPV6, IcmpMessage(128, size=56)), "ipv6-icmp ::1>::2 type 128 code 0"),
    ],
)
def test_printed(packet, text):
    assert str(packet) == text


def test_length_counts_the_longer_header():
    assert IPv6(1, 2, UDP, UdpDatagram(1, 2, b"x")).length == 49
