"""Recorded ways: what an exchange is made of, and that its visits are what its bill says."""

import pytest

from simnet.net.step import Crossing
from simnet.sim import stage, ways
from simnet.sim.hardware import Cpus, Wire
from simnet.sim.prices.keys import CONNTRACK, NAT, RULES, SOCKETS, WAKEUPS
from simnet.sim.queueing.arrivals import Constant
from simnet.sim.traffic import CONNECTIONS, OPEN, REQUESTS, STREAM
from simnet.study.modes import MODES, hosts
from tests.sim.small import BRIDGE, HOST, PRICES, alone, experiment, made, network, traffic

KINDS = [
    {"proto": "udp"}, {"proto": "tcp"}, {"proto": "udp", "kind": STREAM}, {"proto": "tcp", "kind": STREAM},
    {"proto": "tcp", "kind": STREAM, "offload": False}, {"proto": "tcp", "kind": CONNECTIONS},
    {"proto": "tcp", "kind": OPEN, "arrivals": Constant(9000)},
]  # fmt: skip
RIGID = {"cpus": {"h1": Cpus(3, "rps")}, "wires": {"cable": Wire(10**9, 700)}}


def recorded(*flows, found=None, prices=PRICES, **machines):
    return ways.record(stage.ready(found or network(), flows, prices, **machines))


def spent(way, model):
    """What the CPUs do in an exchange, in ns."""
    return sum(visit.fixed for visit in way.exchange.visits if "/cpu" in f"/{model.stations[visit.station].name}")


@pytest.mark.parametrize("machines", [{}, RIGID], ids=["together", "apart"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_visits_come_to_the_bill(kind, machines):
    found = recorded(traffic(parallel=2, size=900, **kind), **machines)
    for way in found.ways:
        assert spent(way, found.model) == sum(cost for _, cost in way.bill) > 0


def test_sleeping_costs_time_in_which_a_cpu_is_free():
    """What it takes until another CPU takes note is on the bill, and no CPU is busy with it."""
    found = recorded(traffic(proto="udp", polls=False))
    later = found.ways[-1]
    lag, noise = round(PRICES["wake-up.other-cpu"]), round(PRICES.spread("wake-up.switch"))
    assert lag > 0
    woken = [visit for visit in later.exchange.visits if visit.noise]
    assert len(woken) == 2  # the server, and the client
    assert {visit.noise - noise for visit in woken} <= {0, round(PRICES.spread("wake-up.other-cpu"))}
    # both programs have CPUs of their own, and one of them is that of the softirq
    assert sum(cost for _, cost in later.bill) - spent(later, found.model) in {lag, 2 * lag}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.name != "none"], ids=lambda mode: mode.name)
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_every_mode_s_visits_come_to_its_bill(mode, proto):
    asked = traffic(mode.name, (mode.to, mode.port), mode.frm, proto=proto)
    found = recorded(asked, found=hosts().open().network)
    first, later = (found.ways[found.model.flows[0].exchanges[at]] for at in (0, -1))
    for way in (first, later):
        assert spent(way, found.model) == sum(cost for _, cost in way.bill)
        roots = [at for at, visit in enumerate(way.exchange.visits) if visit.parent < 0]
        assert roots == [0]
        assert sum(visit.release for visit in way.exchange.visits) == 1
        assert sum(visit.record for visit in way.exchange.visits) == 1
    assert spent(first, found.model) > spent(later, found.model)


def test_a_wire_is_a_visit_of_its_own():
    machines = {"cpus": {"wan": Cpus(1)}, "wires": {"cable": Wire(10**9, 700)}}
    found = recorded(traffic(proto="udp", size=972, reply=1), **machines)
    names = [station.name for station in found.model.stations]
    for way in found.ways:
        there, back = (visit for visit in way.exchange.visits if names[visit.station].endswith("eth0"))
        assert [names[visit.station] for visit in (there, back)] == ["wan/host:eth0", "h1/host:eth0"]
        assert (there.fixed, back.fixed) == ((1000 + 38) * 8, (29 + 38) * 8)
        # a delay is on the way from the wire to who takes the frame in
        after = [visit for visit in way.exchange.visits if visit.parent >= 0
                 and way.exchange.visits[visit.parent] in (there, back)]  # fmt: skip
        assert [visit.lag for visit in after] == [700, 700]


def packets(way):
    return [(flags, size) for _, flags, size in made(way.steps)]


def test_a_tcp_request_is_two_packets_and_its_reply_carries_the_acknowledgement():
    first, later = recorded(traffic(size=100, reply=200)).ways
    assert packets(later) == [("ACK PSH", 100), ("ACK PSH", 200)]
    assert packets(first) == [("SYN", 0), ("SYN ACK", 0), ("ACK", 0), *packets(later)]


def test_a_udp_request_is_two_packets():
    first, later = recorded(traffic(proto="udp", size=100, reply=200)).ways
    assert [size for _, size in packets(first)] == [size for _, size in packets(later)] == [100, 200]


def test_a_connection_is_nine_packets():
    found = recorded(traffic(kind=CONNECTIONS, size=100, reply=200))
    one = packets(found.ways[0])
    assert one[:5] == [("SYN", 0), ("SYN ACK", 0), ("ACK", 0), ("ACK PSH", 100), ("ACK PSH", 200)]
    assert [size for _, size in one[5:]] == [0] * 4
    assert sum("FIN" in flags for flags, _ in one) == 2
    (flow,) = found.model.flows
    assert (len(flow.exchanges), flow.cycle) == (16, 16)


def crossing(way, place, device, direction):
    return sum(
        isinstance(step, Crossing) and (step.place, step.device, step.direction) == (place, device, direction)
        for step in way.steps
    )


def test_a_stream_with_offload_is_one_packet_a_piece_and_one_acknowledgement():
    asked = stage.ready(network(), [traffic(kind=STREAM)], PRICES)
    size = asked.lanes[0].payload
    (way,) = ways.record(asked).ways
    assert packets(way) == [("ACK PSH", size), ("ACK", 0)]
    assert size == 42 * 1448
    assert crossing(way, "h1/web", "eth0", "In") == crossing(way, "h1/web", "eth0", "Out") == 1


def test_a_stream_without_offload_is_two_segments_a_piece_and_one_acknowledgement():
    (way,) = recorded(traffic(kind=STREAM, offload=False)).ways
    assert packets(way) == [("ACK PSH", 1448), ("ACK PSH", 1448), ("ACK", 0)]


def test_a_card_without_gro_takes_in_each_segment():
    found = network()
    found.find("h1").devices["eth0"].gro = False
    (way,) = recorded(traffic(kind=STREAM), found=found, prices=alone()).ways
    assert crossing(way, "wan/host", "eth0", "Out") == 1
    assert crossing(way, "h1/web", "eth0", "In") == 42


def test_a_stream_of_datagrams_is_one_packet_each():
    first, later = recorded(traffic(proto="udp", kind=STREAM, size=900)).ways
    assert [size for _, size in packets(first)] == [size for _, size in packets(later)] == [900]
    # the sender goes on when send() is over, the measurement ends where the datagram is read
    release, record = (next(at for at, visit in enumerate(later.exchange.visits) if getattr(visit, what))
                       for what in ("release", "record"))  # fmt: skip
    assert release == 0 < record


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_the_first_exchange_pays_for_what_the_later_ones_find(proto):
    # two rules before the one that accepts what is known
    lines = ["-s 10.0.0.1/32 -j DROP", "-s 10.0.0.2/32 -j DROP", "-m conntrack --ctstate ESTABLISHED -j ACCEPT"]
    rules = (
        "*filter\n:FORWARD ACCEPT [0:0]\n" + "".join(f"-A FORWARD {line}\n" for line in [*lines, lines[0]]) + "COMMIT\n"
    )
    first, later = experiment(traffic(proto=proto), rules=rules).bills()["x"]
    assert later.totals.packets == 2
    assert later.totals.rules_evaluated == 6  # three rules each way
    per_packet = (first.totals.packets - 1) * 3 + 4  # the first walks past the accept
    nat = first.totals.rules_evaluated - per_packet
    assert nat > 0  # nat tables see a connection's first packet alone
    for heading in (CONNTRACK, RULES):
        assert first.headings[heading] > later.headings[heading]
    assert set(later.headings) <= set(first.headings)
    assert first.total > later.total


def test_rewriting_is_paid_by_every_packet():
    bills = [experiment(traffic(to=to, proto="udp")).bills()["x"] for to in (BRIDGE, ("192.0.2.2", 8080))]
    direct, published = (later.headings.get(NAT, 0) for _, later in bills)
    assert (direct, published) == (0, 2 * round(PRICES["nat.rewrite"]))


def test_fewer_steps_cost_less():
    host, bridge = (experiment(traffic(to=to, proto="udp")).bills()["x"][1] for to in (HOST, BRIDGE))
    assert host.total < bridge.total
    assert host.totals.hops < bridge.totals.hops
    assert host.headings[SOCKETS] == bridge.headings[SOCKETS]
    assert host.headings.get(WAKEUPS, 0) == bridge.headings.get(WAKEUPS, 0)


def test_lanes_that_do_the_same_share_a_way():
    found = recorded(traffic(proto="udp", parallel=6))
    assert len(found.model.flows) == 6
    assert {flow.exchanges for flow in found.model.flows[0::2]} == {found.model.flows[0].exchanges}
    assert {flow.exchanges for flow in found.model.flows[1::2]} == {found.model.flows[1].exchanges}
    assert len(found.ways) == 4  # first and later, on either of two CPUs
    assert found.notes == ()


def test_the_limit_is_every_flow_s():
    found = recorded(traffic(parallel=2, think=5, timeout=77))
    limited = found.limited(9)
    assert [(flow.limit, flow.think, flow.timeout) for flow in limited.flows] == [(9, 5, 77)] * 2
    assert limited.exchanges == found.model.exchanges
    assert [flow.limit for flow in found.model.flows] == [0, 0]


def test_nothing_is_recorded_of_what_is_bare():
    prepared = stage.ready(network(), [traffic(kind=OPEN, arrivals=Constant(10)), traffic("y", HOST)], PRICES)
    model = ways.bare(prepared)
    assert [flow.arrivals for flow in model.flows] == [Constant(10), None]
    assert model.exchanges == ()
    assert [station.name for station in model.stations] == ["cpu0", "cpu1"]
    assert prepared.lanes[1].traffic.kind == REQUESTS
