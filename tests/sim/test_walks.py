"""Recorded ways run by any engine give the same times, to the nanosecond, as the walks themselves with a clock."""

from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.net.address import parse_ip
from simnet.scenario.source import read_source
from simnet.sim import stage, ways
from simnet.sim.experiment import WALKS, Experiment, Plan
from simnet.sim.hardware import Cpus, Wire
from simnet.sim.prices import costs
from simnet.sim.queueing import engine
from simnet.sim.queueing.arrivals import Constant, Poisson
from simnet.sim.queueing.model import Run, Tally
from simnet.sim.traffic import CONNECTIONS, OPEN, REQUESTS, STREAM, Traffic
from simnet.sim.walks import Clocked

PRICES = costs.load()
HOST, BRIDGE, NAT = ("wan", "192.0.2.2", 9001), ("wan", "172.30.0.2", 80), ("wan", "192.0.2.2", 8080)
OUT, PROXY = ("h1/web", "192.0.2.1", 80), ("h1", "127.0.0.1", 8080)
SHARED, OVERLAY = ("h1/shared", "127.0.0.1", 80), ("h1/near", "10.99.0.21", 80)
# questions that one server answers
GROUPS = ((HOST,), (BRIDGE, NAT, PROXY, SHARED), (OUT,), (OVERLAY,))
EXCHANGES = 12
DELAYED = 40_000_000


@cache
def hosts():
    return read_source("scenarios/performance/modes.yaml")


def network():
    return hosts().open().network


def asked(name, question, **said):
    frm, to, port = question
    return Traffic(name, frm, parse_ip(to), port, **said)


@st.composite
def traffic(draw):
    found = []
    for index, group in enumerate(draw(st.permutations(GROUPS))[: draw(st.integers(1, 3))]):
        question = draw(st.sampled_from(group))
        # what docker-proxy does with a connection hangs on which of its two is ready first
        proto = draw(st.sampled_from(["udp"] if question == PROXY else ["udp", "tcp"]))
        kinds = {"udp": [REQUESTS, STREAM, OPEN], "tcp": [REQUESTS, STREAM, OPEN, CONNECTIONS]}[proto]
        kind = draw(st.sampled_from(kinds))
        arrivals = None
        if kind == OPEN:
            arrivals = draw(st.sampled_from([Constant(20_000), Constant(5_000), Poisson(5e4)]))
        # more bytes under way than two segments hold would be acknowledged in the middle of an open flow's exchange
        sizes = st.sampled_from([1, 64] if kind == OPEN else [1, 64, 1000])
        found.append(
            asked(f"t{index}", question, proto=proto, kind=kind, parallel=draw(st.integers(1, 4)), size=draw(sizes),
                  reply=draw(sizes), think=draw(st.sampled_from([0, 3000])), offload=draw(st.booleans()),
                  polls=draw(st.booleans()), arrivals=arrivals)
        )  # fmt: skip
    return found


@st.composite
def hardware(draw):
    if draw(st.booleans()):
        return {}, {}
    cpus = {
        name: Cpus(draw(st.integers(1, 4)), draw(st.sampled_from(["rss", "rps"])), 1_000_000)
        for name in ("h1", "h2", "wan")
    }
    rate, delay = draw(st.sampled_from([0, 10**9, 10**10])), draw(st.sampled_from([0, 5000]))
    return cpus, {"lan": Wire(rate, delay, 1_000_000, draw(st.sampled_from([0, 20_000])))}


def rows(blocks):
    """Measurements up to the first acknowledgement that waited long enough, a timer that no recorded way holds."""
    columns = ((block.flow, block.number, block.began, block.ended) for block in blocks)
    found = sorted(row for four in columns for row in zip(*(one.tolist() for one in four), strict=True))
    return [row for row in found if row[3] < DELAYED]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(traffic(), hardware(), st.integers(0, 1000))
def test_ways_take_as_long_as_walks(flows, machines, seed):
    recorded = ways.record(stage.ready(network(), flows, PRICES, *machines))
    run = Run(recorded.limited(EXCHANGES), seed)
    by_way = rows(engine.blocks(run))
    clocked = Clocked(stage.ready(network(), flows, PRICES, *machines), seed, EXCHANGES)
    assert by_way == rows(clocked.blocks())
    tally = Tally.of(run.model)
    clocked.tally(tally)
    assert tally.begun.tolist() == run.tally.begun.tolist()
    if all(flow.proto == "udp" for flow in flows):  # TCP acknowledges late what came last
        for what in ("jobs", "busy", "waited", "dropped", "longest"):
            assert getattr(tally, what).tolist() == getattr(run.tally, what).tolist(), what


def outcome(flow, plan, **machines):
    return next(Experiment(network, [flow], PRICES, **machines).run(plan))


def test_datagrams_that_a_wire_loses_fail_their_exchanges_and_the_next_begin_after_the_timeout():
    flow = asked("udp", NAT, proto="udp", timeout=1_000_000)
    lossy = {"cpus": {"wan": Cpus(2)}, "wires": {"lan": Wire(loss=0.1)}}
    told = {name: outcome(flow, Plan(exchanges=300, seed=3, engine=name), **lossy) for name in ("auto", WALKS)}
    for one in told.values():
        flow_of = one.flows["udp"]
        assert flow_of.begun == 300
        assert flow_of.failed + flow_of.latency.count == 300
        assert 30 < flow_of.failed < 90  # a tenth each way
        assert one.ended > flow_of.failed * 1_000_000


def test_tcp_sends_again_what_a_wire_loses():
    flow = asked("tcp", NAT, proto="tcp")
    lossy = {"cpus": {"wan": Cpus(2)}, "wires": {"lan": Wire(loss=0.05)}}
    one = outcome(flow, Plan(exchanges=100, seed=5), **lossy)
    assert one.flows["tcp"].latency.count == 100
    assert sum(load.lost for load in one.stations) > 0
    assert one.flows["tcp"].latency.greatest > 200_000_000  # its first time-out


def test_a_stream_over_a_wire_that_loses_and_reorders_arrives_whole():
    flow = asked("bulk", NAT, proto="tcp", kind=STREAM, window=65_536, offload=False)
    lossy = {
        "cpus": {"wan": Cpus(2)},
        "wires": {"lan": Wire(10**9, 5000, loss=0.01, reorder=0.05, reorder_delay=40_000)},
    }
    one = outcome(flow, Plan(exchanges=40, seed=2), **lossy)
    assert one.flows["bulk"].latency.count == 40 * 22
    assert sum(load.lost for load in one.stations) > 0
