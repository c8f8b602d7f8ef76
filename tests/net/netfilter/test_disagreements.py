"""What the kernel did otherwise than simnet under random rules (tests/live), each disagreement by itself."""

from simnet.net.address import Prefix
from simnet.net.device import InterfaceAddress
from simnet.net.packet import IcmpMessage, TcpSegment
from simnet.net.route import LOCAL, Route
from tests.net.build import build, ip, talk

NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
TOS = "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j TOS --set-tos 0x11/0xff\nCOMMIT\n"
TRACKED = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate INVALID\nCOMMIT\n"


def hits(trace, table, chain, place="h1/host"):
    """The numbers of the rules that matched, of each packet that walked a chain."""
    walks = [walk for walk in trace.walks() if (walk.place, walk.table, walk.chain) == (place, table, chain)]
    return [[hit.number for hit in walk.hits] for walk in walks]


def tos_of(trace, kind, test):
    return {
        step.packet.tos
        for step in trace.steps
        if step.place == "h1/web" and isinstance(getattr(step.packet, "transport", None), kind) and test(step.packet)
    }


def test_a_reset_from_a_closed_port_has_the_segments_tos_but_its_ecn_bits():
    trace = talk(build(TOS), "wan", "172.17.0.2", 81)
    resets = tos_of(trace, TcpSegment, lambda packet: packet.transport.flags & 4 and packet.src == ip("172.17.0.2"))
    assert (trace.verdict, resets) == ("refused", {0x10})


def test_an_icmp_error_has_the_packets_tos_and_internetwork_control():
    trace = talk(build(TOS), "wan", "172.17.0.2", 81, "udp")
    errors = tos_of(trace, IcmpMessage, lambda packet: packet.is_icmp_error)
    assert (trace.verdict, errors) == ("refused", {0xD0})


def test_a_reset_that_ends_a_connection_counts_as_its_reply():
    rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctstatus SEEN_REPLY\nCOMMIT\n"
    assert hits(talk(build(rules), "wan", "192.0.2.2", 81), "filter", "OUTPUT") == [[1]]


def test_port_unreachable_is_made_after_udp_has_forgotten_the_connection():
    rules = "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctdir REPLY\nCOMMIT\n*mangle\n:OUTPUT ACCEPT [0:0]\n"
    rules += "-A OUTPUT -m conntrack --ctstate RELATED --ctdir REPLY\nCOMMIT\n"
    trace = talk(build(rules + TRACKED), "wan", "192.0.2.2", 81, "udp")
    assert (hits(trace, "raw", "OUTPUT"), hits(trace, "mangle", "OUTPUT")) == ([[]], [[1]])


def test_the_error_of_a_reject_has_its_connection_from_the_start():
    rules = "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctdir REPLY\nCOMMIT\n"
    rules += "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j REJECT\nCOMMIT\n"
    assert hits(talk(build(rules), "wan", "192.0.2.2", 81, "udp"), "raw", "OUTPUT") == [[1]]


def test_an_error_about_an_untracked_packet_is_invalid():
    rules = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\n"
    rules += "-A OUTPUT -m conntrack --ctstate UNTRACKED\n-A OUTPUT -m conntrack --ctstate INVALID\nCOMMIT\n"
    rules += "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p udp -j REJECT\n"
    rules += "-A OUTPUT -m conntrack --ctstate UNTRACKED\n-A OUTPUT -m conntrack --ctstate INVALID\nCOMMIT\n"
    for to, ttl in (("192.0.2.2", 64), ("172.17.0.2", 1)):
        trace = talk(build(rules), "wan", to, 81, "udp", ttl=ttl)
        assert (hits(trace, "raw", "OUTPUT"), hits(trace, "filter", "OUTPUT")) == ([[2]], [[2]])


def test_the_kernel_sends_no_error_about_its_own_echo_reply():
    rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p icmp -m icmp --icmp-type 0 -j REJECT\nCOMMIT\n"
    trace = talk(build(rules), "wan", "192.0.2.2", proto="icmp")
    assert (trace.verdict, hits(trace, "filter", "OUTPUT")) == ("timeout", [[1]])


def test_table_security_comes_after_nat_in_input():
    rules = NAT + "-A INPUT -j SNAT --to-source 192.0.2.9\nCOMMIT\n"
    rules += "*security\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.9/32\nCOMMIT\n"
    trace = talk(build(rules), "wan", "192.0.2.2", 22, servers=["h1 tcp 22"])
    assert hits(trace, "security", "INPUT")[0] == [1]


def test_a_fin_rides_on_data_that_the_own_rules_refused():
    rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --tcp-flags PSH PSH -j DROP\nCOMMIT\n"
    trace = talk(build(rules), "wan", "192.0.2.2", 22, servers=["h1 tcp 22"])
    sent = [walk.packet.flags for walk in trace.walks() if walk.chain == "OUTPUT"]
    assert trace.verdict == "timeout"
    assert sent[:4] == ["SYN ACK", "ACK", "ACK PSH", "ACK PSH FIN"]


def test_an_error_to_an_own_second_address_comes_from_the_first():
    rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REJECT\nCOMMIT\n"
    here = build(rules)
    host = here.find("h1")
    second = Prefix.parse("192.0.2.77/32")
    host.devices["eth0"].addresses.append(InterfaceAddress(second.address, 24, ip("192.0.2.255"), secondary=True))
    host.fib.add([Route(second, "eth0", prefsrc=ip("192.0.2.2"), type=LOCAL, table="local", scope="host")])
    trace = talk(here, "wan", "192.0.2.77", 81)
    errors = [walk.packet for walk in trace.walks() if walk.chain == "OUTPUT" and walk.packet.is_icmp_error]
    assert {(error.src, error.dst) for error in errors} == {(ip("192.0.2.2"), second.address)}


def test_who_sent_a_packet_that_found_no_route_after_nat_is_told_why():
    rules = NAT + "-A OUTPUT -o lo -j DNAT --to-destination 172.17.0.2\nCOMMIT\n"
    trace = talk(build(rules), "h1", "127.0.0.1", 9001, "udp")
    assert (trace.verdict, trace.errno) == ("einval", "EINVAL")


def test_nothing_is_written_to_a_connection_that_was_reset_before_the_program_woke():
    rules = NAT + "-A PREROUTING -d 192.0.2.2/32 -p tcp -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n"
    rules += (
        "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -m tcp --tcp-flags SYN,ACK ACK -j CT --notrack\n"
    )
    rules += "COMMIT\n"
    trace = talk(build(rules), "wan", "192.0.2.2", 80, servers=["h1/web tcp 80"])
    sent = [walk.packet.flags for walk in trace.walks() if walk.table == "raw" and walk.packet.src == ip("192.0.2.1")]
    assert (trace.verdict, sent) == ("reset", ["SYN", "ACK"])


def test_a_server_closes_in_a_system_call_of_its_own():
    rules = "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    rules += "-A INPUT -p tcp -m tcp --sport 22 --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset\nCOMMIT\n"
    trace = talk(build(rules), "h1", "127.0.0.1", 22, servers=["h1 tcp 22"])
    sent = [walk.packet.flags for walk in trace.walks() if walk.chain == "OUTPUT" and walk.packet.sport == 22]
    assert (trace.verdict, sent) == ("timeout", ["SYN ACK", "ACK", "ACK PSH"])


def test_a_connection_fails_whose_handshake_was_answered_with_an_icmp_error():
    rules = "*filter\n:INPUT ACCEPT [0:0]\n"
    rules += "-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK ACK -j REJECT --reject-with icmp-host-unreachable\nCOMMIT\n"
    trace = talk(build(rules), "wan", "192.0.2.2", 22, servers=["h1 tcp 22"])
    sent = [walk.packet.flags for walk in trace.walks() if walk.chain == "INPUT"]
    assert (trace.verdict, sent[:3]) == ("host-unreachable", ["SYN", "ACK", "ACK FIN"])
