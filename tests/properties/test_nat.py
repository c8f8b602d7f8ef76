"""Whatever NAT makes of a connection: an answer, translated back, is exactly the inverse of what was sent."""

from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from simnet.net.netfilter import nat
from simnet.net.netfilter.conntrack import Conntrack, tuple_of
from simnet.net.packet import ICMP, TCP, UDP, IcmpMessage, IPv4, TcpSegment, UdpDatagram
from simnet.net.skb import Skb

addresses = st.integers(1, 0xDFFFFFFF)
few = st.integers(0x0A000001, 0x0A000004)
ports = st.integers(1, 65535)


@st.composite
def requests(draw):
    src, dst, sport, dport = draw(few), draw(few), draw(st.integers(1000, 1003) | ports), draw(ports)
    proto, transport = draw(
        st.sampled_from(
            [
                (TCP, TcpSegment(sport, dport, 2)),
                (UDP, UdpDatagram(sport, dport)),
                (ICMP, IcmpMessage(8, ident=sport)),
            ]
        )
    )
    return IPv4(src, dst, proto, transport)


@st.composite
def spans(draw):
    low = draw(addresses)
    high = low + draw(st.sampled_from([0, 0, 1, 7]))
    first = draw(ports)
    return nat.Range(
        *draw(st.sampled_from([(0, 0), (low, high)])),
        first,
        min(65535, first + draw(st.integers(0, 5))),
        ports_given=draw(st.booleans()),
        persistent=draw(st.booleans()),
        random=draw(st.booleans()),
    )


def answer_to(packet):
    """The packet that a server sends back."""
    transport = packet.transport
    if isinstance(transport, IcmpMessage):
        return replace(packet, src=packet.dst, dst=packet.src, transport=replace(transport, type=0))
    turned = replace(transport, sport=transport.dport, dport=transport.sport)
    if isinstance(turned, TcpSegment):
        turned = replace(turned, flags=18)
    return replace(packet, src=packet.dst, dst=packet.src, transport=turned)


@given(st.lists(st.tuples(requests(), st.none() | spans(), st.none() | spans()), min_size=1, max_size=6))
def test_an_answer_finds_its_way_back(wanted):
    table = Conntrack()
    here = SimpleNamespace(conntrack=table)
    for request, destination, source in wanted:
        skb = Skb(1, request)
        if table.track(skb) != "new":
            continue
        for manip, span in (("DNAT", destination), ("SNAT", source)):
            if span is None:
                nat.bind_null(here, skb, manip)
            else:
                nat.setup(here, skb, span, manip)
            nat.translate(skb, manip)
        if not table.confirm(skb):
            continue  # no free port was left in the range
        assert tuple_of(skb.ip) == skb.connection.reply.inverse
        answer = Skb(2, answer_to(skb.ip))
        assert table.track(answer) == "found"
        assert (answer.connection, answer.reply) == (skb.connection, True)
        nat.translate(answer, "DNAT")
        nat.translate(answer, "SNAT")
        assert tuple_of(answer.ip) == tuple_of(request).inverse
        assert answer.ip == answer_to(request)


@given(requests(), spans(), spans())
def test_an_error_quotes_what_its_receiver_sent(request, destination, source):
    table = Conntrack()
    here = SimpleNamespace(conntrack=table)
    skb = Skb(1, request)
    table.track(skb)
    for manip, span in (("DNAT", destination), ("SNAT", source)):
        nat.setup(here, skb, span, manip)
        nat.translate(skb, manip)
    assert table.confirm(skb)
    error = Skb(2, IPv4(99, skb.ip.src, ICMP, IcmpMessage(11, quoted=skb.ip)))
    assert table.track(error) == "related"
    nat.translate(error, "DNAT")
    nat.translate(error, "SNAT")
    assert error.ip.transport.quoted == request
    assert error.ip.dst == request.src
