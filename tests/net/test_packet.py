"""Packets: lengths in bytes, how they print, and that an error is known as one."""

import dataclasses

import pytest

from simnet.net.packet import ACK, FIN, PSH, RST, SYN, Arp, Fragment, Frame, IPv4, TcpSegment, UdpDatagram, flag_text
from tests.net.build import icmp, ip, tcp, udp


@pytest.mark.parametrize(
    ("packet", "length"),
    [
        (IPv4(1, 2, 6, TcpSegment(1, 2, SYN, options=20)), 60),
        (IPv4(1, 2, 6, TcpSegment(1, 2, ACK, data=b"12345")), 57),
        (udp(data=b"123"), 31),
        (icmp(size=56), 84),
        (udp(data=b"x" * 100, fragment=Fragment(8, 40, True, udp())), 60),
    ],
)
def test_length(packet, length):
    assert packet.length == length


def test_a_tunnel_packet_is_fifty_bytes_longer():
    inner = Frame("a", "b", udp(data=b"x" * 100))
    assert IPv4(1, 2, 17, UdpDatagram(1, 4789, vni=7, inner=inner)).length == inner.payload.length + 50


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (SYN, "SYN"),
        (SYN | ACK, "SYN ACK"),
        (ACK | PSH, "ACK PSH"),
        (ACK | FIN, "ACK FIN"),
        (ACK | RST, "ACK RST"),
        (0, ""),
    ],
)
def test_flags_print_in_the_rule_trace_s_order(flags, text):
    assert flag_text(flags) == text


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (tcp(), "tcp 10.0.0.1:1000>10.0.0.2:80 SYN"),
        (udp(), "udp 10.0.0.1:1000>10.0.0.2:53"),
        (icmp(), "icmp 10.0.0.1>10.0.0.2 echo request"),
        (icmp(kind=3, code=13), "icmp 10.0.0.1>10.0.0.2 administratively prohibited"),
        (udp(fragment=Fragment(1480, 8, False, udp())), "udp 10.0.0.1>10.0.0.2 fragment at 1480"),
        (Arp(1, "a", ip("10.0.0.1"), "b", ip("10.0.0.2")), "arp who-has 10.0.0.2 tell 10.0.0.1"),
        (Arp(2, "a", ip("10.0.0.1"), "b", ip("10.0.0.2")), "arp 10.0.0.1 is-at a"),
    ],
)
def test_text(packet, text):
    assert str(packet) == text


@pytest.mark.parametrize(("kind", "error"), [(0, False), (3, True), (5, True), (8, False), (11, True), (12, True)])
def test_icmp_errors(kind, error):
    assert icmp(kind=kind).is_icmp_error is error


def test_ports_and_flags_of_what_has_none():
    packet = icmp()
    assert (packet.sport, packet.dport, packet.flags) == (0, 0, "")


def test_a_packet_is_never_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        tcp().ttl = 1
