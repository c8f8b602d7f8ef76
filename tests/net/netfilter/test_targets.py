"""Each target by what it does to a packet, and the verdict that it gives."""

import pytest

from simnet.net.address import Prefix
from simnet.net.netfilter.conntrack import Connection, tuple_of
from simnet.net.netfilter.rule import Table
from simnet.net.netfilter.save import parse_rule
from simnet.net.route import PolicyRule, Route
from simnet.net.step import Origin
from tests.net.build import build, context, talk, tcp


def act(target, packet=None, **notes):
    c = context(packet or tcp(), **notes)
    table = "raw" if target.split()[0] in {"CT", "NOTRACK", "TRACE"} else "mangle"
    verdict = parse_rule(Table(table), "X", f"-j {target}").target.act(c)
    return verdict, c.skb


@pytest.mark.parametrize("verdict", ["ACCEPT", "DROP", "RETURN"])
def test_verdicts(verdict):
    assert act(verdict)[0] == verdict


@pytest.mark.parametrize(
    ("option", "before", "after"),
    [
        ("--set-xmark 0x5", 0xF0, 0x05),
        ("--set-xmark 0x5/0x0f", 0xF0, 0xF5),
        ("--set-xmark 0x5/0x0", 0x01, 0x04),
        ("--set-mark 0x5", 0xF0, 0x05),
        ("--set-mark 0x5/0x1", 0xF4, 0xF5),
        ("--and-mark 0x0f", 0xF5, 0x05),
        ("--or-mark 0x0f", 0xF0, 0xFF),
        ("--xor-mark 0xff", 0xF0, 0x0F),
    ],
)
def test_marks(option, before, after):
    verdict, skb = act(f"MARK {option}", mark=before)
    assert (verdict, skb.mark) == ("CONTINUE", after)
    connection = Connection(tuple_of(tcp()), tuple_of(tcp()).inverse, mark=before)
    assert act(f"CONNMARK {option}", connection=connection)[0] == "CONTINUE"
    assert connection.mark == after


def test_marks_saved_and_restored():
    connection = Connection(tuple_of(tcp()), tuple_of(tcp()).inverse, mark=0xA0)
    act("CONNMARK --save-mark --nfmask 0xf --ctmask 0xf", connection=connection, mark=0x35)
    assert connection.mark == 0xA5
    skb = act("CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf", connection=connection, mark=0x1FF)[1]
    assert skb.mark == 0x105


def test_a_connection_mark_without_a_connection_does_nothing():
    assert act("CONNMARK --restore-mark", mark=7)[1].mark == 7


@pytest.mark.parametrize(
    ("option", "ttl"), [("set 9", 9), ("dec 1", 63), ("dec 99", 0), ("inc 1", 65), ("inc 255", 255)]
)
def test_ttl(option, ttl):
    assert act(f"TTL --ttl-{option}")[1].packet.ttl == ttl


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("DSCP --set-dscp 0x0a", 0x03, 0x2B),
        ("DSCP --set-dscp-class EF", 0x00, 0xB8),
        ("TOS --set-xtos 0x10/0x3f", 0xC5, 0xD0),
        ("TOS --and-tos 0x0f", 0xFF, 0x0F),
        ("TOS --or-tos 0x0f", 0xF0, 0xFF),
        ("TOS --xor-tos 0xff", 0xF0, 0x0F),
    ],
)
def test_type_of_service(target, before, after):
    assert act(target, tcp(tos=before))[1].packet.tos == after


@pytest.mark.parametrize("target", ["NOTRACK", "CT --notrack"])
def test_notrack(target):
    assert act(target)[1].untracked
    connection = Connection(tuple_of(tcp()), tuple_of(tcp()).inverse)
    assert not act(target, connection=connection)[1].untracked


def test_trace():
    assert act("TRACE")[1].traced


@pytest.mark.parametrize(
    "target",
    ["LOG --log-prefix x", "NFLOG --nflog-group 1", "CHECKSUM --checksum-fill", "TCPMSS --clamp-mss-to-pmtu",
     "CLASSIFY --set-class 1:2", "CT --helper ftp"],
)  # fmt: skip
def test_what_changes_nothing(target):
    verdict, skb = act(target)
    assert (verdict, skb.packet, skb.mark) == ("CONTINUE", tcp(), 0)


KINDS = [
    ("icmp-net-unreachable", 0),
    ("icmp-host-unreachable", 1),
    ("icmp-proto-unreachable", 2),
    ("icmp-port-unreachable", 3),
    ("icmp-net-prohibited", 9),
    ("icmp-host-prohibited", 10),
    ("icmp-admin-prohibited", 13),
]


@pytest.mark.parametrize("chain", ["INPUT", "FORWARD"])
@pytest.mark.parametrize(("kind", "code"), KINDS)
def test_reject_with_an_icmp_error(kind, code, chain):
    rules = f"*filter\n:{chain} ACCEPT [0:0]\n-A {chain} -p udp -j REJECT --reject-with {kind}\nCOMMIT\n"
    to = "172.17.0.2" if chain == "FORWARD" else "192.0.2.2"
    trace = talk(build(rules), "wan", to, 53, "udp", ["h1/web udp 53", "h1 udp 53"])
    (error,) = [step.packet.transport for step in trace.steps if isinstance(step, Origin) and step.packet.is_icmp_error]
    assert (error.type, error.code) == (3, code)


def test_reject_is_port_unreachable_unless_told():
    rules = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j REJECT\nCOMMIT\n"
    assert talk(build(rules), "wan", "192.0.2.2", 80, servers=["h1 tcp 80"]).verdict == "refused"


@pytest.mark.parametrize("chain", ["INPUT", "FORWARD"])
def test_reject_with_a_reset(chain):
    rules = f"*filter\n:{chain} ACCEPT [0:0]\n-A {chain} -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n"
    to = "172.17.0.2" if chain == "FORWARD" else "192.0.2.2"
    trace = talk(build(rules), "wan", to, 80, servers=["h1/web tcp 80", "h1 tcp 80"])
    assert trace.verdict == "refused"
    assert "(rejected)" in trace.dropped_by().reason


def test_a_changed_mark_finds_another_route():
    rules = "*mangle\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j MARK --set-xmark 0x1\nCOMMIT\n"
    here = build(rules)
    host = here.find("h1")
    host.fib.add([Route(Prefix.parse("9.0.0.0/8"), "docker0", table="own")])
    host.fib.rules.insert(1, PolicyRule(100, "own", fwmark=1))
    trace = talk(here, "h1", "9.9.9.9", 80)
    assert [str(step) for step in trace.steps if step.kind == "route"][:2] == [
        "route unicast via 192.0.2.1 dev eth0 (main)",
        "route unicast dev docker0 (own)",
    ]
