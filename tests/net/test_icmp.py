"""ICMP: echo, and errors: who is told, from which address, and who never is."""

from dataclasses import replace

import pytest

from simnet.net.packet import RawPayload
from simnet.net.step import Origin
from tests.net.build import build, icmp, inject, ip, talk, tcp, udp


def errors(steps):
    return [step.packet for step in steps if isinstance(step, Origin) and step.packet.is_icmp_error]


def test_echo():
    trace = talk(build(), "wan", "172.17.0.2", proto="icmp")
    assert (trace.verdict, trace.server_saw) == ("reply", "")


def test_the_answer_carries_what_the_question_did():
    steps = inject(build(), "h1", "eth0", icmp("192.0.2.1", "192.0.2.2", ident=77, size=99))
    (answer,) = [step.packet for step in steps if isinstance(step, Origin)]
    assert (answer.transport.type, answer.transport.ident, answer.transport.size) == (0, 77, 99)


@pytest.mark.parametrize(
    ("key", "dst"), [("icmp_echo_ignore_all", "192.0.2.2"), ("icmp_echo_ignore_broadcasts", "192.0.2.255")]
)
def test_echo_may_be_off(key, dst):
    for value, answered in (("1", 0), ("0", 1)):
        here = build(sysctls={f"net.ipv4.{key}": value})
        mac = "ff:ff:ff:ff:ff:ff" if dst.endswith("255") else None
        steps = inject(here, "h1", "eth0", icmp("192.0.2.1", dst), mac)
        delivered = [step for step in steps if step.kind == "delivery" and step.place == "h1/host"]
        assert len(delivered) == answered


def test_an_error_quotes_the_packet_and_comes_from_the_asked_address():
    packet = udp("192.0.2.1", "172.17.0.1")
    (error,) = errors(inject(build(), "h1", "eth0", packet))
    assert (error.src, error.dst) == (ip("172.17.0.1"), ip("192.0.2.1"))
    assert error.transport.quoted == packet


def test_a_router_s_error_comes_from_the_address_that_leads_back():
    (error,) = errors(inject(build(), "h1", "eth0", udp("192.0.2.1", "172.17.0.2", ttl=1)))
    assert error.src == ip("192.0.2.2")


def test_an_error_is_at_most_576_bytes_long():
    (error,) = errors(inject(build(), "h1", "eth0", udp("192.0.2.1", "192.0.2.2", data=b"x" * 1400)))
    assert error.length == 576


@pytest.mark.parametrize(
    "packet",
    [
        icmp("192.0.2.1", "172.17.0.2", kind=3, code=3, ttl=1),
        icmp("192.0.2.1", "172.17.0.2", kind=11, ttl=1),
    ],
    ids=str,
)
def test_an_error_is_never_answered_with_another(packet):
    assert errors(inject(build(), "h1", "eth0", packet)) == []


def test_an_unknown_protocol():
    packet = replace(tcp("192.0.2.1", "192.0.2.2"), proto=99, transport=RawPayload(30))
    (error,) = errors(inject(build(), "h1", "eth0", packet))
    assert (error.transport.type, error.transport.code) == (3, 2)
