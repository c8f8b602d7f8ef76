"""TCP's acknowledgements: when they wait, when they ride on data, what repeated ones and early segments lead to."""

import pytest

from simnet.net.socket import Listener
from simnet.net.stack.tcp import Stream
from simnet.net.step import HandOver, Origin
from tests.net.build import WAN, WEB, build, load, talk

MSS = 1448
MILLISECOND = 1_000_000


class Pair:
    """A connection from wan to h1/web that is open; both ends may delay acknowledgements."""

    def __init__(self, network=None, *, delays=True):
        self.network = network or build()
        self.arrived, accepted = [], []
        self.network.find("h1/web").sockets.open(Listener(0, 80, "server", accepted.append))
        self.client = Stream(self.network.find("wan"), (WAN, 40000), (WEB, 80), "client")
        self.client.delays_acks = delays
        self.network.defer(self.client.connect())
        self.play(self.network.now)
        (self.server,) = accepted
        self.server.delays_acks = delays
        self.server.received = self.arrived.append
        self.began = self.network.now

    def play(self, until):
        """Run up to a time; the TCP packets that were made meanwhile, as (by, flags, bytes of data)."""
        steps = list(self.network.run(until))
        return [
            (step.by, step.packet.flags, len(step.packet.transport.data))
            for step in steps
            if isinstance(step, Origin) and step.packet.proto_name == "tcp"
        ]

    def upto(self, milliseconds):
        return self.play(self.began + int(milliseconds * MILLISECOND))

    def write(self, size, end=None):
        self.network.defer((end or self.client).write(b"x" * size))


def sent(size):
    return "client", "ACK PSH", size


ACKED = ("server", "ACK", 0)


def test_one_segment_is_acknowledged_after_40_ms():
    pair = Pair()
    pair.write(100)
    assert pair.upto(0) == [sent(100)]
    assert pair.arrived == [b"x" * 100]
    assert pair.upto(39.999999) == []
    assert pair.upto(40) == [ACKED]
    assert pair.upto(1000) == []


def test_at_once_where_it_is_not_to_wait():
    pair = Pair(delays=False)
    pair.write(100)
    assert pair.upto(0) == [sent(100), ACKED]


@pytest.mark.parametrize(("segments", "at_once"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_every_second_segment_is_acknowledged(segments, at_once):
    pair = Pair()
    pair.write(segments * MSS)
    assert pair.upto(0).count(ACKED) == at_once
    assert pair.upto(40).count(ACKED) == segments % 2
    assert sum(map(len, pair.arrived)) == segments * MSS


def test_a_large_packet_is_two_segments_at_least():
    pair = Pair()
    pair.client.largest = 4 * MSS
    pair.write(4 * MSS)
    assert pair.upto(0) == [sent(4 * MSS), ACKED]


def test_an_acknowledgement_rides_on_the_answer():
    pair = Pair()
    wake = pair.network.wake
    pair.server.received = lambda _: wake(pair.server.write(b"y" * 200), pair.server.namespace, "server")
    pair.write(100)
    assert pair.upto(0) == [sent(100), ("server", "ACK PSH", 200)]
    # the client has nothing more to say: its own comes alone, and that of the server never
    assert pair.upto(1000) == [("client", "ACK", 0)]


def test_a_request_acknowledges_the_answer_before_it():
    pair = Pair()
    wake, rounds = pair.network.wake, iter([100] * 5 + [0])
    pair.server.received = lambda _: wake(pair.server.write(b"y"), pair.server.namespace, "server")
    pair.client.received = lambda _: wake(pair.client.write(b"x" * next(rounds)), pair.client.namespace, "client")
    pair.write(100)
    assert pair.upto(0) == [sent(100), ("server", "ACK PSH", 1)] * 6


def test_what_is_owed_anew_waits_its_own_40_ms():
    pair = Pair()
    pair.write(100)
    pair.upto(10)
    pair.write(50, pair.server)  # what is owed rides on it
    pair.upto(30)
    pair.write(100)
    assert ACKED not in pair.upto(69.999999)
    assert ACKED in pair.upto(70)


def test_what_is_owed_first_sets_the_time():
    pair = Pair()
    pair.write(100)
    pair.upto(30)
    pair.write(100)
    assert ACKED not in pair.upto(39.999999)
    assert pair.upto(40) == [ACKED]
    assert ACKED not in pair.upto(199)


def test_a_fin_is_acknowledged_at_once():
    pair = Pair()
    pair.network.defer(pair.client.close())
    assert pair.upto(0) == [("client", "ACK FIN", 0), ACKED]


LOSES_ONE = """*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -d 172.17.0.2/32 -p tcp -m tcp --tcp-flags PSH PSH -m limit --limit 1/day --limit-burst 1 -j DROP
COMMIT
"""


def losing():
    """A pair whose first packet with data is lost on h1."""
    pair = Pair()
    load(pair.network, "h1", LOSES_ONE)
    return pair


def test_early_segments_wait_for_the_one_that_was_lost():
    pair = losing()
    pair.network.defer(pair.client.write(bytes([1]) * MSS + bytes([2]) * MSS + bytes([3]) * 10))
    made = pair.upto(0)
    assert pair.arrived == []
    assert made.count(ACKED) == 2  # one for each that came early, at once
    assert pair.upto(199) == []
    assert sent(MSS) in pair.upto(1000)
    assert pair.arrived == [bytes([1]) * MSS, bytes([2]) * MSS, bytes([3]) * 10]


@pytest.mark.parametrize(("segments", "again"), [(2, 0), (3, 0), (4, 1), (5, 1), (9, 1)])
def test_the_third_repeated_acknowledgement_sends_the_oldest_again(segments, again):
    """Which takes three segments after the lost one, and no timer; more repetitions send no more."""
    pair = losing()
    pair.write(segments * MSS)
    made = pair.upto(0)
    assert made.count(sent(MSS)) == segments + again
    assert len(pair.arrived) == segments * again


def test_the_third_counts_after_data_was_acknowledged_as_well():
    pair = Pair()
    pair.write(2 * MSS)
    pair.upto(0)
    load(pair.network, "h1", LOSES_ONE)
    pair.write(4 * MSS)
    made = pair.upto(0)
    assert made.count(sent(MSS)) == 5
    assert len(pair.arrived) == 6


def test_very_many_segments_wait():
    pair = losing()
    pair.write(1200 * MSS)
    pair.upto(0)
    assert len(pair.arrived) == 1200


def test_an_old_segment_is_acknowledged_and_not_taken_twice():
    pair = Pair()
    pair.write(100)
    pair.upto(0)
    (segment,) = pair.client._unacked
    pair.network.defer(pair.client._transmit(segment))
    assert pair.upto(0) == [sent(100), ACKED]
    assert pair.arrived == [b"x" * 100]


def test_who_is_woken():
    trace = talk(build(), "wan", "172.17.0.2", 80, servers=["h1/web tcp 80"])
    woken = [
        (step.place, step.packet.flags)
        for step in trace.steps
        if isinstance(step, HandOver) and step.to == "wake-up"
    ]  # fmt: skip
    assert woken == [
        ("wan/host", "SYN ACK"),
        ("h1/web", "ACK"),
        ("h1/web", "ACK PSH"),
        ("wan/host", "ACK PSH"),
        ("wan/host", "ACK FIN"),
        ("h1/web", "ACK FIN"),
    ]


def test_an_acknowledgement_alone_wakes_nobody():
    pair = Pair(delays=False)
    pair.write(100)
    steps = list(pair.network.run(pair.began))
    woken = [step.place for step in steps if isinstance(step, HandOver) and step.to == "wake-up"]
    assert woken == ["h1/web"]
