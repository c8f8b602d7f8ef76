"""The wire between machines: a learning switch, and large packets cut into what it carries."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.net.device import Physical, Segment
from simnet.net.packet import UDP, Frame, IPv4, UdpDatagram
from simnet.net.skb import Skb
from simnet.net.socket import Listener
from simnet.net.stack import segmentation
from simnet.net.stack.tcp import Stream
from simnet.net.step import Crossing, Drop, Origin
from simnet.study.modes import hosts
from tests.net.build import WAN, WEB, build, ip, mac, reasons, tcp

MSS = 1448
BROADCAST = "ff:ff:ff:ff:ff:ff"


def switch(count=4):
    segment = Segment("lan")
    segment.devices += [Physical(f"eth{at}", at, mac(at), segment=segment) for at in range(count)]
    return segment, segment.devices


def test_an_unknown_destination_is_flooded_and_never_back_to_the_sender():
    segment, (a, *others) = switch()
    assert segment.ports(a, a.mac, mac(0x66)) == others


def test_a_broadcast_is_always_flooded():
    segment, (a, b, c, d) = switch()
    for _ in range(2):
        assert segment.ports(a, a.mac, BROADCAST) == [b, c, d]
        assert segment.ports(b, b.mac, BROADCAST) == [a, c, d]


def test_what_was_heard_goes_to_one_port():
    segment, (a, b, *_) = switch()
    assert b in segment.ports(a, a.mac, b.mac)
    assert segment.ports(b, b.mac, a.mac) == [a]
    assert segment.ports(a, a.mac, b.mac) == [b]


def test_an_address_moves_when_it_is_heard_elsewhere():
    segment, (a, b, c, _) = switch()
    segment.ports(a, mac(0x50), BROADCAST)
    assert segment.ports(c, c.mac, mac(0x50)) == [a]
    segment.ports(b, mac(0x50), BROADCAST)
    assert segment.ports(c, c.mac, mac(0x50)) == [b]


def test_a_frame_for_an_address_behind_its_own_port_goes_nowhere():
    segment, (a, *_) = switch()
    segment.ports(a, mac(0x50), BROADCAST)
    assert segment.ports(a, a.mac, mac(0x50)) == []


def test_a_card_that_was_taken_off_is_forgotten():
    segment, (a, b, c, d) = switch()
    segment.ports(b, b.mac, BROADCAST)
    segment.devices.remove(b)
    assert segment.ports(a, a.mac, b.mac) == [c, d]


def test_a_conversation_is_heard_by_the_two_that_hold_it():
    here = build()
    cable = here.find("wan").devices["eth0"].segment
    other = here.namespace("other/host")
    card = Physical("eth0", 2, mac(0x44), segment=cable)
    cable.devices.append(card)
    other.add(card)
    trace_steps, _ = stream(here, b"x" * 100)
    heard = [step for step in trace_steps if step.place == "other/host" and isinstance(step, Crossing)]
    assert {step.direction for step in heard} == {"B"}  # ARP questions alone


def large(data, segment, **fields):
    packet = tcp(data=data, df=True, **fields)
    return Skb(1, packet, segment=segment, excess=len(data) - segment)


def wrapped(skb):
    outer = UdpDatagram(49152, 4789, vni=7, inner=Frame(mac(1), mac(2), skb.packet))
    return Skb(1, IPv4(ip("192.0.2.2"), ip("192.0.2.3"), UDP, outer), segment=skb.segment, excess=skb.excess)


def carried(packet):
    transport = packet.transport
    return transport.inner.payload if isinstance(transport, UdpDatagram) else packet


@given(st.binary(min_size=2, max_size=300), st.integers(1, 120), st.booleans())
def test_pieces_joined_again_are_the_data(data, segment, tunnel):
    segment = min(segment, len(data) - 1)
    whole = large(data, segment)
    skb = wrapped(whole) if tunnel else whole
    pieces = list(segmentation.pieces(skb))
    inner = [carried(piece.packet) for piece in pieces]
    assert b"".join(one.transport.data for one in inner) == data
    assert len(pieces) == segmentation.count(skb)
    assert {len(one.transport.data) for one in inner[:-1]} == {segment}
    assert all(b.transport.seq - a.transport.seq == segment for a, b in pairwise(inner))
    assert all(piece.serial == skb.serial and not piece.segment and not piece.excess for piece in pieces)
    assert all(piece.packet.length == piece.segment_length for piece in pieces)
    assert max(piece.packet.length for piece in pieces) == skb.segment_length


def test_what_is_not_large_is_one():
    assert segmentation.count(Skb(1, tcp(data=b"x" * 100))) == 1
    assert segmentation.count(large(b"x" * 2001, 1000)) == 3


def stream(network, data, largest=0, *, frm="wan", to="h1/web", ends=((WAN, 40000), (WEB, 80))):
    """Write data over a connection, in packets of up to `largest` bytes; the steps, and what arrived."""
    arrived, (own, other) = [], ends
    server = network.find(to)

    def accepted(end):
        end.received = arrived.append

    server.sockets.open(Listener(0, other[1], "server", accepted))
    client = Stream(network.find(frm), own, other, "client")
    client.largest = largest
    network.defer(client.connect())
    steps = list(network.run())
    network.defer(client.write(data))
    return steps + list(network.run(network.now + 1_000_000_000)), b"".join(arrived)


def lengths(steps, place, device, direction):
    """Of the packets with data that crossed a device, their lengths."""
    return [
        step.packet.length
        for step in steps
        if isinstance(step, Crossing) and (step.place, step.device, step.direction) == (place, device, direction)
        and isinstance(step.packet, IPv4) and step.packet.length > 400
    ]  # fmt: skip


DATA = bytes(range(256)) * 41


def test_a_large_packet_goes_the_whole_way_as_one():
    here = build()
    steps, arrived = stream(here, DATA, largest=8 * MSS)
    assert arrived == DATA
    assert not [step for step in steps if isinstance(step, Drop)]
    assert lengths(steps, "h1/web", "eth0", "In") == [len(DATA) + 52]


def test_a_card_without_gro_gets_the_pieces():
    here = build()
    here.find("h1").devices["eth0"].gro = False
    steps, arrived = stream(here, DATA, largest=8 * MSS)
    assert arrived == DATA
    last = len(DATA) % MSS + 52
    assert lengths(steps, "wan/host", "eth0", "Out") == [len(DATA) + 52]
    assert lengths(steps, "h1/host", "eth0", "In") == [1500] * 7 + [last]
    assert lengths(steps, "h1/web", "eth0", "In") == [1500] * 7 + [last]


def test_without_offload_segments_leave():
    steps, arrived = stream(build(), DATA)
    assert arrived == DATA
    assert set(lengths(steps, "wan/host", "eth0", "Out")) == {1500, len(DATA) % MSS + 52}


@pytest.mark.parametrize("largest", [0, 8 * MSS])
def test_a_segment_that_is_longer_than_a_later_device_takes_is_cut_again(largest):
    here = build()
    here.find("h1").devices["docker0"].mtu = 1400
    steps, arrived = stream(here, DATA, largest=largest)
    assert "exceed the MTU of 1400 and DF is set" in reasons(steps)[0]
    assert arrived == DATA
    assert max(lengths(steps, "h1/web", "eth0", "In")) <= 1400


def test_a_segment_is_longer_than_the_card_at_the_other_end_takes():
    here = build()
    here.find("h1").devices["eth0"].mtu = 1400
    steps, arrived = stream(here, b"x" * 3 * MSS, largest=8 * MSS)
    assert arrived == b""
    assert "more than h1/host:eth0 at the other end takes (MTU 1400)" in reasons(steps)[0]


@pytest.mark.parametrize("gro", [True, False])
def test_a_tunnel_wraps_each_segment(gro):
    here = hosts().open().network
    for host in ("h1", "h2"):
        here.find(host).devices["eth0"].gro = gro
    own, other = (ip("10.99.0.20"), 40000), (ip("10.99.0.21"), 81)
    steps, arrived = stream(here, DATA, 8 * 1398, frm="h1/near", to="h2/far", ends=(own, other))
    assert arrived == DATA
    wire = [step for step in steps if isinstance(step, Crossing) and step.place == "h2/host"
            and (step.device, step.direction) == ("eth0", "In") and step.packet.length > 400]  # fmt: skip
    assert all(isinstance(step.packet, IPv4) and step.packet.transport.inner is not None for step in wire)
    segments = -(-len(DATA) // 1398)
    assert len(wire) == (1 if gro else segments)
    if not gro:
        assert [step.packet.length for step in wire[:-1]] == [1500] * (segments - 1)
    sent = [step for step in steps if isinstance(step, Origin) and step.place == "h1/near" and step.packet.length > 400]
    assert len(sent) == 1
