"""Whatever the size and the order: fragments come together as the packet that was cut."""

from hypothesis import given
from hypothesis import strategies as st

from simnet.net.network import Network
from simnet.net.skb import Skb
from simnet.net.stack import fragment
from tests.net.build import play, udp

sizes = st.integers(1, 9000)
mtus = st.integers(68, 9000)


@given(sizes, mtus, st.randoms(use_true_random=False))
def test_fragments_come_together(size, mtu, chance):
    here = Network().namespace("h1/host")
    packet = udp(data=bytes(n % 251 for n in range(size)))
    pieces = play(fragment.fragment(here, Skb(1, packet), mtu))[1]
    assert all(piece.ip.length <= mtu for piece in pieces)
    assert sum(piece.ip.fragment.length for piece in pieces) == packet.length - 20
    assert all(piece.ip.fragment.offset % 8 == 0 for piece in pieces)
    chance.shuffle(pieces)
    whole = [play(fragment.defragment(here, piece, "deliver"))[1] for piece in pieces]
    assert [skb is not None for skb in whole] == [False] * (len(pieces) - 1) + [True]
    assert whole[-1].ip == packet
    assert here.reassembly == {}


@given(sizes, mtus)
def test_a_packet_without_its_first_or_last_piece_never_comes(size, mtu):
    here = Network().namespace("h1/host")
    pieces = play(fragment.fragment(here, Skb(1, udp(data=b"x" * size)), mtu))[1]
    kept = pieces[1:] if size % 2 else pieces[:-1]
    assert all(play(fragment.defragment(here, piece, "deliver"))[1] is None for piece in kept)
