"""Programs of the classic packet filter: what they answer, what they cannot know, and which ones the kernel refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.net.netfilter.matches.bpf import program, run
from simnet.net.packet import UDP, Fragment, Frame, IPv4, UdpDatagram
from tests.net.build import build, context, icmp, ip, tcp, udp

# the VXLAN header's tunnel id, as an engine has it asked for
TUNNEL = "7,32 0 0 4294963252,7 0 0 0,64 0 0 4,116 0 0 8,21 1 0 {vni},6 0 0 0,6 0 0 4294967295"
FRAME = Frame("02:42:00:00:00:01", "02:42:00:00:00:02", tcp())
LATER = udp(fragment=Fragment(8, 8, False, udp()))


def answer(text, packet, mark=0):
    asked = context(packet, network=build())
    asked.skb.mark = mark
    return run(program(text), asked)


@pytest.mark.parametrize(
    ("text", "packet", "returned"),
    [
        ("1,6 0 0 7", tcp(), 7),
        ("4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", tcp(), 1),
        ("4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", udp(), 0),
        ("5,177 0 0 0,72 0 0 2,21 0 1 22,6 0 0 1,6 0 0 0", tcp(dport=22), 1),
        ("5,177 0 0 0,72 0 0 2,21 0 1 22,6 0 0 1,6 0 0 0", tcp(dport=23), 0),
        ("3,128 0 0 0,4 0 0 100,22 0 0 0", udp(), 128),
        ("2,32 0 0 4294963220,22 0 0 0", tcp(), 5),
        ("2,32 0 0 4294963200,22 0 0 0", tcp(), 0x0800),
        ("2,32 0 0 4294963252,22 0 0 0", tcp(), 52),
        ("2,32 0 0 4294963252,22 0 0 0", icmp(), 28),
        ("2,32 0 0 4294963252,22 0 0 0", LATER, 20),
        ("2,48 0 0 4293918729,22 0 0 0", tcp(), 6),
        ("4,0 0 0 7,2 0 0 15,96 0 0 15,22 0 0 0", tcp(), 7),
        ("4,1 0 0 9,3 0 0 0,135 0 0 0,22 0 0 0", tcp(), 9),
        ("3,0 0 0 7,60 0 0 0,6 0 0 1", tcp(), 0),
        ("3,0 0 0 1,20 0 0 2,22 0 0 0", tcp(), 0xFFFFFFFF),
        ("3,5 0 0 1,6 0 0 0,6 0 0 1", tcp(), 1),
        ("2,32 0 0 9000,6 0 0 1", tcp(), 0),
        ("2,40 0 0 4,6 0 0 1", tcp(), None),
        ("2,32 0 0 4294963256,6 0 0 1", tcp(), None),
        ("2,32 0 0 4292870144,6 0 0 1", tcp(), None),
    ],
)
def test_what_a_program_returns(text, packet, returned):
    assert answer(text, packet, mark=5) == returned


@pytest.mark.parametrize(("vni", "taken"), [(4097, True), (4098, False)])
def test_a_tunnel_is_known_by_its_id(vni, taken):
    packet = IPv4(ip("10.0.0.1"), ip("10.0.0.2"), UDP, UdpDatagram(40000, 4789, b"", inner=FRAME, vni=4097))
    assert bool(answer(TUNNEL.format(vni=vni), packet)) is taken


@pytest.mark.parametrize(
    "text",
    ["", "2,6 0 0 1", "1,0 0 0 1", "1,21 0 0 6", "2,21 3 0 6,6 0 0 0", "2,2 0 0 16,6 0 0 0", "2,52 0 0 0,6 0 0 0",
     "2,100 0 0 32,6 0 0 0", "2,255 0 0 0,6 0 0 0", "1,6 0 0", "1,six 0 0 1"],
)  # fmt: skip
def test_what_the_kernel_refuses(text):
    with pytest.raises(ValueError):
        program(text)


INSTRUCTION = st.tuples(st.integers(0, 255), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**32 - 1))


@given(st.lists(INSTRUCTION, max_size=8), st.sampled_from([tcp(), udp(), icmp(), LATER]))
def test_a_program_that_is_taken_ends(instructions, packet):
    parts = [" ".join(map(str, one)) for one in instructions] + ["6 0 0 1"]
    try:
        read = program(f"{len(parts)},{','.join(parts)}")
    except ValueError:
        return
    returned = run(read, context(packet, network=build()))
    assert returned is None or 0 <= returned <= 0xFFFFFFFF
