"""UDP conversations: request and reply, nobody there, and errors that a connected socket hears of."""

import pytest

from tests.net.build import build, inject, reasons, talk, udp


def test_request_and_reply():
    trace = talk(build(), "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"])
    assert (trace.verdict, trace.server_saw, trace.served_at) == ("reply", "192.0.2.1:40000", "172.17.0.2:53")


def test_nobody_listens():
    trace = talk(build(), "wan", "172.17.0.2", 54, "udp", ["h1/web udp 53"])
    assert (trace.verdict, trace.errno) == ("refused", "ECONNREFUSED")
    assert reasons(trace)[0] == "nobody listens on udp port 54"


def test_a_tcp_server_takes_no_datagram():
    assert talk(build(), "wan", "172.17.0.2", 53, "udp", ["h1/web tcp 53"]).verdict == "refused"


def test_a_broadcast_that_nobody_takes_is_answered_with_nothing():
    steps = inject(build(), "h1", "docker0", udp("172.17.0.2", "172.17.255.255"), "ff:ff:ff:ff:ff:ff")
    assert reasons(steps) == ["nobody listens on udp port 53"]
    assert not [step for step in steps if step.kind == "origin"]


def test_sending_to_a_broadcast_address_is_not_allowed():
    trace = talk(build(), "h1/web", "172.17.255.255", 53, "udp")
    assert (trace.verdict, trace.errno) == ("eacces", "EACCES")


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("icmp-port-unreachable", "refused"),
        ("icmp-admin-prohibited", "host-unreachable"),
        ("icmp-host-prohibited", "host-unreachable"),
        ("icmp-net-prohibited", "net-unreachable"),
        ("icmp-proto-unreachable", "enoprotoopt"),
        ("icmp-host-unreachable", "timeout"),
        ("icmp-net-unreachable", "timeout"),
    ],
)
def test_only_hard_errors_reach_the_program(kind, verdict):
    rules = f"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -j REJECT --reject-with {kind}\nCOMMIT\n"
    assert talk(build(rules), "wan", "172.17.0.2", 53, "udp", ["h1/web udp 53"]).verdict == verdict


def test_a_dropped_own_packet_is_an_error_at_once():
    trace = talk(build("*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n"), "h1", "172.17.0.2", 53, "udp")
    assert (trace.verdict, trace.errno) == ("eperm", "EPERM")
