"""The index and the flow cache give what a linear walk gives: rules, order, counters, the number of rules compared."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.net.address import ip_text
from simnet.net.netfilter import flowcache, index, save, tables
from simnet.net.netfilter.context import Context
from simnet.net.network import Network
from simnet.net.packet import ACK, ICMP, SYN, TCP, UDP, Fragment, IcmpMessage, IPv4, RawPayload, TcpSegment, UdpDatagram
from simnet.net.skb import Skb

DEVICES = ["eth0", "eth1", "docker0", "lo"]
few_addresses = st.integers(0, 15).map(lambda low: 0x0A000000 | low)
few_ports = st.integers(78, 86)


@st.composite
def rules(draw):
    words = []
    if draw(st.booleans()):
        words.append(f"{draw(negation)}-s {ip_text(draw(few_addresses))}/{draw(st.sampled_from([0, 28, 30, 31, 32]))}")
    if draw(st.booleans()):
        words.append(f"{draw(negation)}-d {ip_text(draw(few_addresses))}/{draw(st.sampled_from([0, 28, 30, 31, 32]))}")
    if draw(st.booleans()):
        words.append(f"{draw(negation)}-i {draw(st.sampled_from(['eth0', 'eth+', 'docker0', '+']))}")
    proto = draw(st.sampled_from(["", "tcp", "udp", "icmp"]))
    if proto:
        words.append(f"-p {proto}")
    if proto in {"tcp", "udp"}:
        low = draw(few_ports)
        words.append(draw(st.sampled_from([
            "", f"-m {proto} {draw(negation)}--dport {low}", f"-m {proto} {draw(negation)}--sport {low}:{low + 3}",
            f"-m multiport {draw(negation)}--dports {low},{low + 2}:{low + 4}", f"-m multiport --ports {low}",
            f"-m {proto} --sport {low} --dport 80:82",
        ])))  # fmt: skip
    words.append(
        draw(st.sampled_from(["", "", "-m ttl --ttl-lt 64", "-m mark --mark 0x1/0x3", "-m length --length 0:50"]))
    )
    words.append("-j " + draw(st.sampled_from(["ACCEPT", "DROP", "RETURN", "U", "MARK --set-xmark 0x1/0xffffffff"])))
    return " ".join(word for word in words if word)


negation = st.sampled_from(["", "", "! "])
packets = st.builds(
    lambda src, dst, transport, ttl: IPv4(
        src,
        dst,
        {TcpSegment: TCP, UdpDatagram: UDP, IcmpMessage: ICMP, RawPayload: 47}[type(transport)],
        transport,
        ttl,
    ),
    few_addresses,
    few_addresses,
    st.one_of(
        st.builds(TcpSegment, few_ports, few_ports, st.sampled_from([SYN, SYN | ACK, ACK])),
        st.builds(UdpDatagram, few_ports, few_ports),
        st.just(IcmpMessage(8)),
        st.just(RawPayload(20)),
    ),
    st.integers(63, 64),
)


def table_of(main, user):
    text = "".join(f"-A INPUT {rule}\n" for rule in main)
    text += "".join(f"-A U {rule}\n" for rule in user if "-j U" not in rule)
    return save.parse(f"*mangle\n:INPUT ACCEPT [0:0]\n:U - [0:0]\n{text}COMMIT\n").tables["mangle"]


def walked(table, packet, device):
    network = Network()
    skb = Skb(1, packet, mark=packet.ttl & 1)
    c = Context(network.namespace("h1/host"), skb, packet, "INPUT", None, None, device, "")
    return tables.walk(table, table.chains["INPUT"], c), skb.mark


@pytest.fixture(autouse=True, scope="module")
def from_the_first_rule_on():
    """Use index and cache for the shortest chains, so that small examples tell."""
    kept = index.WORTH_IT, flowcache.WORTH_IT
    yield
    index.WORTH_IT, flowcache.WORTH_IT = kept


def compare(table, linear, packet, device):
    index.WORTH_IT, flowcache.WORTH_IT = 10**9, 10**9
    expected = walked(linear, packet, device)
    index.WORTH_IT, flowcache.WORTH_IT = 1, 1
    assert walked(table, packet, device) == expected
    assert [rule.packets for rule in table.rules()] == [rule.packets for rule in linear.rules()]
    assert [rule.bytes for rule in table.rules()] == [rule.bytes for rule in linear.rules()]


@given(
    st.lists(rules(), max_size=40), st.lists(rules(), max_size=8), st.lists(packets, min_size=1, max_size=6), st.data()
)
def test_index_and_cache_equal_a_linear_walk(main, user, some, data):
    table, linear = table_of(main, user), table_of(main, user)
    for packet in some * 2:
        compare(table, linear, packet, data.draw(st.sampled_from(DEVICES)))


@settings(max_examples=60)
@given(
    st.lists(rules(), min_size=2, max_size=20),
    st.lists(st.tuples(st.integers(0, 30), st.none() | rules()), max_size=90),
    packets,
)
def test_index_keeps_up_with_inserts_and_deletes(main, changes, packet):
    table, linear = table_of(main, []), table_of(main, [])
    compare(table, linear, packet, "eth0")
    for where, text in changes:
        for one in (table, linear):
            chain = one.chains["INPUT"]
            if text is None:
                if chain.rules:
                    chain.delete(where % len(chain.rules))
            else:
                chain.insert(where % (len(chain.rules) + 1), save.parse_rule(one, "INPUT", text))
        compare(table, linear, packet, "eth0")
    assert [str(rule) for rule in table.rules()] == [str(rule) for rule in linear.rules()]


def test_a_later_fragment_has_no_ports():
    main = ["-p udp -m udp ! --dport 80 -j DROP", "-p udp -j ACCEPT"]
    whole = IPv4(1, 2, UDP, UdpDatagram(1, 2, b"x" * 100))
    piece = IPv4(1, 2, UDP, RawPayload(50), fragment=Fragment(56, 50, more=False, whole=whole))
    table = table_of(main, [])
    compare(table, copy.deepcopy(table), piece, "eth0")
    assert walked(table, piece, "eth0")[0].hits[0].number == 2
