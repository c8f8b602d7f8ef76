"""Connection tracking: what state a packet is in, how TCP moves an entry, and what belongs to no connection."""

import pytest

from simnet.net.netfilter.conntrack import Conntrack, tuple_of
from simnet.net.packet import ACK, FIN, PSH, RST, SYN, Fragment
from simnet.net.skb import Skb
from tests.net.build import build, icmp, ip, reasons, talk, tcp, udp

THERE = {"SYN": SYN, "ACK": ACK, "FIN": FIN | ACK, "RST": RST, "DATA": PSH | ACK, "SYN ACK": SYN | ACK, "NULL": 0}


def there(flags=SYN):
    return tcp(flags=flags)


def back(flags):
    return tcp("10.0.0.2", "10.0.0.1", 80, 1000, flags)


def take(table, packet):
    skb = Skb(1, packet)
    outcome = table.track(skb)
    table.confirm(skb)
    return skb, outcome


def play(*segments):
    """Segments as `> SYN` (there) and `< SYN ACK` (back): the last one's state, and the entry's."""
    table, skb = Conntrack(), None
    for text in segments:
        make = there if text[0] == ">" else back
        skb, _ = take(table, make(THERE[text[2:]]))
    entries = table.connections()
    return skb.state, entries[0].tcp_state if entries else ""


HANDSHAKE = ("> SYN", "< SYN ACK", "> ACK")


@pytest.mark.parametrize(
    ("segments", "state", "tcp_state"),
    [
        (("> SYN",), "NEW", "SYN_SENT"),
        (("> SYN", "> SYN"), "NEW", "SYN_SENT"),
        (("> SYN", "< SYN ACK"), "ESTABLISHED", "SYN_RECV"),
        (HANDSHAKE, "ESTABLISHED", "ESTABLISHED"),
        ((*HANDSHAKE, "> DATA", "< DATA"), "ESTABLISHED", "ESTABLISHED"),
        ((*HANDSHAKE, "> FIN"), "ESTABLISHED", "FIN_WAIT"),
        ((*HANDSHAKE, "> FIN", "< ACK"), "ESTABLISHED", "CLOSE_WAIT"),
        ((*HANDSHAKE, "> FIN", "< ACK", "< FIN"), "ESTABLISHED", "LAST_ACK"),
        ((*HANDSHAKE, "> FIN", "< ACK", "< FIN", "> ACK"), "ESTABLISHED", "TIME_WAIT"),
        ((*HANDSHAKE, "< RST"), "ESTABLISHED", "CLOSE"),
        ((*HANDSHAKE, "> RST"), "ESTABLISHED", "CLOSE"),
        ((*HANDSHAKE, "> RST", "> SYN"), "NEW", "SYN_SENT"),
        (("> ACK",), "NEW", "ESTABLISHED"),
        (("> SYN", "< SYN"), "ESTABLISHED", "SYN_SENT2"),
        (("> SYN", "> ACK"), "INVALID", "SYN_SENT"),
        (("> SYN", "> FIN"), "INVALID", "SYN_SENT"),
        ((*HANDSHAKE, "> NULL"), "INVALID", "ESTABLISHED"),
        (("> SYN ACK",), "INVALID", ""),
        (("> FIN",), "INVALID", ""),
        (("> RST",), "INVALID", ""),
        (("> NULL",), "INVALID", ""),
        (("> SYN", "< RST"), "ESTABLISHED", ""),
    ],
    ids=str,
)
def test_tcp(segments, state, tcp_state):
    assert play(*segments) == (state, tcp_state)


def test_a_connection_is_assured_by_the_third_segment():
    table = Conntrack()
    assured = [take(table, packet)[0].connection.assured for packet in (there(), back(SYN | ACK), there(ACK))]
    assert assured == [False, False, True]


def test_udp_is_new_until_answered():
    table = Conntrack()
    request, reply = udp(), udp("10.0.0.2", "10.0.0.1", 53, 1000)
    states = [
        (skb.state, skb.reply) for skb, _ in (take(table, packet) for packet in (request, request, reply, request))
    ]
    assert states == [("NEW", False), ("NEW", False), ("ESTABLISHED", True), ("ESTABLISHED", False)]


def test_echo():
    table = Conntrack()
    assert take(table, icmp())[0].state == "NEW"
    assert take(table, icmp("10.0.0.2", "10.0.0.1", kind=0))[0].state == "ESTABLISHED"
    assert take(table, icmp("10.0.0.2", "10.0.0.1", kind=0, ident=8))[0].state == "INVALID"
    assert take(table, icmp(kind=9))[0].state == "INVALID"


@pytest.mark.parametrize("packet", [tcp(), udp(), icmp(), icmp(kind=13), tcp("1.2.3.4", "5.6.7.8", 1, 2)], ids=str)
def test_an_inverse_s_inverse(packet):
    key = tuple_of(packet)
    assert key.inverse.inverse == key
    assert (key.inverse.src, key.inverse.dst) == (key.dst, key.src)


@pytest.mark.parametrize("packet", [udp(fragment=Fragment(8, 8, False, udp())), icmp(kind=3), icmp(kind=200)], ids=str)
def test_what_has_no_tuple(packet):
    assert tuple_of(packet) is None


# --- errors of a flow -------------------------------------------------------------------------------------------------


def test_an_error_belongs_to_the_flow_that_it_quotes():
    table = Conntrack()
    opened = take(table, udp())[0].connection
    skb, outcome = take(table, icmp("10.0.0.9", "10.0.0.1", 3, 3, quoted=udp()))
    assert (outcome, skb.state, skb.connection, skb.reply) == ("related", "RELATED", opened, True)
    assert len(table) == 1


@pytest.mark.parametrize(
    "error",
    [
        icmp("10.0.0.9", "10.0.0.1", 3, 3),
        icmp("10.0.0.9", "10.0.0.1", 3, 3, quoted=udp(dport=54)),
        icmp("10.0.0.9", "10.0.0.7", 3, 3, quoted=udp()),
    ],
    ids=["no quotation", "another flow", "another address"],
)
def test_an_error_of_no_flow_is_invalid(error):
    table = Conntrack()
    take(table, udp())
    assert take(table, error)[0].state == "INVALID"


# --- the table --------------------------------------------------------------------------------------------------------


def test_an_entry_is_found_only_once_it_is_confirmed():
    table = Conntrack()
    skb = Skb(1, udp())
    assert table.track(skb) == "new"
    assert (len(table), table.find(tuple_of(udp()))) == (0, None)
    assert table.confirm(skb) is True
    assert table.find(tuple_of(udp())) == (skb.connection, False)
    assert table.find(tuple_of(udp()).inverse) == (skb.connection, True)
    assert table.confirm(skb) is None


def test_who_is_confirmed_second_is_dropped():
    table = Conntrack()
    first, second = Skb(1, udp()), Skb(2, udp())
    table.track(first)
    table.track(second)
    assert [table.confirm(first), table.confirm(second)] == [True, False]


def test_a_full_table():
    table = Conntrack(maximum=2)
    outcomes = [take(table, udp(sport=port))[1] for port in (1, 2, 3, 1)]
    assert outcomes == ["new", "new", "full", "found"]


def test_a_full_table_drops_what_is_new():
    here = build("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n")
    here.find("h1").conntrack.maximum = 1
    assert talk(here, "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"]).verdict == "reply"
    trace = talk(here, "wan", "172.17.0.2", 53, "udp", sport=9)
    assert reasons(trace) == ["conntrack table full (1 entries)"]


def test_a_packet_that_has_a_connection_or_wants_none_is_left_alone():
    table = Conntrack()
    skb, _ = take(table, udp())
    assert table.track(skb) == "ignored"
    assert table.track(Skb(2, udp(sport=9), untracked=True)) == "ignored"


def test_a_killed_entry_is_gone_from_both_sides():
    table = Conntrack()
    skb, _ = take(table, udp())
    table.kill(skb.connection)
    assert (len(table), table.same_source(tuple_of(udp()))) == (0, [])
    assert skb.connection.dying


def test_connections_are_tracked_only_where_a_rule_needs_it():
    plain = build("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n").find("h1")
    asked = build("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n").find(
        "h1"
    )
    empty = build("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n").find("h1")
    nat = build("*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 80\nCOMMIT\n").find("h1")
    assert [one.tracks_connections for one in (plain, asked, empty, nat)] == [False, True, False, True]


def test_names_of_what_holds():
    table = Conntrack()
    skb, _ = take(table, udp())
    take(table, udp("10.0.0.2", "10.0.0.1", 53, 1000))
    assert {"CONFIRMED", "SEEN_REPLY"} <= skb.connection.status_names()
    assert str(skb.connection) == "udp 10.0.0.1:1000>10.0.0.2:53 | udp 10.0.0.2:53>10.0.0.1:1000"
    assert ip("10.0.0.1") == skb.connection.original.src
