"""TCP conversations: handshake, request, reply and close, and every way in which they end early."""

from simnet.net.packet import ACK, FIN, RST, SYN
from simnet.net.step import Origin
from tests.net.build import build, inject, load, reasons, serve, talk, tcp

SERVER = ["h1/web tcp 80"]


def sent(trace):
    return [
        (step.by, step.packet.flags)
        for step in trace.steps
        if isinstance(step, Origin) and step.packet.proto_name == "tcp"
    ]


def test_a_whole_conversation():
    trace = talk(build(), "wan", "172.17.0.2", 80, servers=SERVER)
    assert (trace.verdict, trace.server_saw, trace.served_at) == ("reply", "192.0.2.1:40000", "172.17.0.2:80")
    assert sent(trace)[:6] == [
        ("client", "SYN"),
        ("server", "SYN ACK"),
        ("client", "ACK"),
        ("client", "ACK PSH"),
        ("server", "ACK"),
        ("server", "ACK PSH"),
    ]
    assert {("server", "ACK FIN"), ("client", "ACK FIN")} <= set(sent(trace))


def test_the_request_and_the_reply_arrive():
    here = build()
    trace = talk(here, "wan", "172.17.0.2", 80, servers=SERVER)
    sends = [step.packet for step in trace.steps if isinstance(step, Origin)]
    carried = [packet.transport.data for packet in sends if packet.flags == "ACK PSH"]
    assert carried == [b"hi", b"192.0.2.1:40000>172.17.0.2:80"]


def test_a_request_of_several_segments_has_one_answer():
    trace = talk(build(), "wan", "172.17.0.2", 80, servers=SERVER, size=5000)
    sends = [step.packet for step in trace.steps if isinstance(step, Origin) and step.by == "server"]
    assert [packet.transport.data for packet in sends if "PSH" in packet.flags] == [b"192.0.2.1:40000>172.17.0.2:80"]


def test_both_ends_are_closed():
    here = build()
    talk(here, "wan", "172.17.0.2", 80, servers=SERVER)
    ends = [*here.find("wan").sockets.streams.values(), *here.find("h1/web").sockets.streams.values()]
    assert all(end.fin_sent and end.fin_seen for end in ends)


def test_nobody_listens():
    trace = talk(build(), "wan", "172.17.0.2", 81, servers=SERVER)
    assert (trace.verdict, trace.errno) == ("refused", "ECONNREFUSED")
    assert sent(trace) == [("client", "SYN"), ("kernel", "ACK RST")]


def test_silence_the_syn_is_sent_again_after_a_second():
    rules = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
    trace = talk(build(rules), "wan", "172.17.0.2", 80, servers=SERVER)
    assert trace.verdict == "timeout"
    assert sent(trace) == [("client", "SYN")] * 2
    assert reasons(trace) == ["filter FORWARD policy DROP"] * 2


def test_silence_after_the_handshake_data_is_sent_again():
    rules = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -m tcp --tcp-flags PSH PSH -j DROP\nCOMMIT\n"
    trace = talk(build(rules), "wan", "172.17.0.2", 80, servers=SERVER)
    assert trace.verdict == "timeout"
    assert sent(trace).count(("client", "ACK PSH")) == 4  # at once, then 200, 600 and 1400 ms later


def test_a_lost_syn_ack_is_sent_again():
    here = build()
    once = "-A FORWARD -s 172.17.0.2/32 -m limit --limit 1/day --limit-burst 1 -j DROP"
    load(here, "h1", f"*filter\n:FORWARD ACCEPT [0:0]\n{once}\nCOMMIT\n")
    trace = talk(here, "wan", "172.17.0.2", 80, servers=SERVER)
    assert trace.verdict == "reply"
    assert sent(trace).count(("server", "SYN ACK")) >= 2


def test_a_stray_segment_is_answered_with_a_reset():
    steps = inject(build(), "h1", "eth0", tcp("192.0.2.1", "192.0.2.2", flags=ACK))
    assert [step.packet.flags for step in steps if isinstance(step, Origin)] == ["RST"]


def test_a_stray_reset_is_answered_with_nothing():
    steps = inject(build(), "h1", "eth0", tcp("192.0.2.1", "192.0.2.2", flags=RST))
    assert not [step for step in steps if isinstance(step, Origin)]


def test_a_listener_takes_a_syn_alone():
    here = build()
    serve(here, "h1 tcp 80")
    steps = inject(here, "h1", "eth0", tcp("192.0.2.1", "192.0.2.2", flags=FIN | ACK))
    assert reasons(steps) == ["nobody listens on tcp port 80"]
    steps = inject(here, "h1", "eth0", tcp("192.0.2.1", "192.0.2.2", flags=SYN))
    assert "delivered to server (tcp 0.0.0.0:80)" in [str(step) for step in steps]


def test_an_icmp_error_ends_a_handshake():
    rules = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j REJECT --reject-with icmp-host-unreachable\nCOMMIT\n"
    trace = talk(build(rules), "wan", "172.17.0.2", 80, servers=SERVER)
    assert (trace.verdict, trace.errno) == ("host-unreachable", "EHOSTUNREACH")


def test_no_route_at_all():
    here = build()
    web = here.find("h1/web")
    web.fib = type(web.fib)()
    trace = talk(here, "h1/web", "172.17.0.3", 80)
    assert (trace.verdict, trace.steps) == ("net-unreachable", ())
