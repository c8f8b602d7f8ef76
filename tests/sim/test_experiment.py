"""Experiments: what a plan means, what is measured, and that it adds up."""

from itertools import pairwise

import pytest

from simnet.errors import UsageError
from simnet.sim.experiment import ENGINES, Plan
from simnet.sim.hardware import Cpus
from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson
from simnet.sim.traffic import CONNECTIONS, OPEN, STREAM
from tests.sim.small import BRIDGE, HOST, PRICES, PUBLISHED, experiment, traffic

SECOND = 1_000_000_000


def run(*flows, machines=None, **plan):
    return next(experiment(*flows, **(machines or {})).run(Plan(**plan)))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "a run needs an end: a duration, or a number of exchanges"),
        ({"exchanges": -1}, "exchanges must be 0 or more, not -1"),
        ({"exchanges": 5, "duration": -2}, "duration must be 0 or more, not -2"),
        ({"exchanges": 5, "warmup": -3}, "warmup must be 0 or more, not -3"),
        ({"exchanges": 5, "seed": -4}, "seed must be 0 or more, not -4"),
        ({"exchanges": 5, "replications": 0}, "replications must be 1 or more, not 0"),
        ({"duration": 5, "warmup": 5}, "the warm-up is as long as the run"),
        ({"duration": 5, "warmup": 6}, "the warm-up is as long as the run"),
        ({"exchanges": 5, "engine": "walk"}, "walk"),
    ],
)
def test_a_plan_that_makes_no_sense(said, error):
    with pytest.raises(UsageError, match=error):
        run(traffic(), **said)


def test_a_plan_that_does():
    assert Plan(duration=5, warmup=4).checked() == Plan(duration=5, warmup=4)
    assert Plan(exchanges=1, warmup=10).checked().duration == 0


@pytest.mark.parametrize("kind", [{}, {"proto": "udp"}, {"kind": CONNECTIONS}, {"proto": "udp", "kind": STREAM}])
def test_each_lane_has_its_exchanges(kind):
    outcome = run(traffic(parallel=3, **kind), exchanges=7)
    flow = outcome.flows["x"]
    assert (flow.begun, flow.failed) == (21, 0)
    assert (flow.first.count, flow.later.count, flow.latency.count) == (3, 18, 21)
    assert flow.first.least > 0
    assert flow.latency.sum == flow.first.sum + flow.later.sum
    assert outcome.took > 0


def test_nothing_begins_after_the_duration():
    outcome = run(traffic(proto="udp"), duration=SECOND // 1000)
    flow = outcome.flows["x"]
    assert flow.latency.count == flow.begun
    assert SECOND // 1000 <= outcome.ended < SECOND // 1000 + flow.latency.greatest
    assert flow.begun == pytest.approx(SECOND / 1000 / flow.later.mean, abs=2)


def test_what_ends_first_ends_the_run():
    short = run(traffic(), exchanges=3, duration=SECOND)
    assert short.flows["x"].begun == 3
    long = run(traffic(), exchanges=10**9, duration=100_000)
    assert long.flows["x"].begun < 100


def test_what_begins_in_the_warm_up_is_not_measured():
    plan = {"duration": 4_000_000}
    whole, later = run(traffic(), **plan), run(traffic(), warmup=1_000_000, **plan)
    everything, measured = whole.flows["x"], later.flows["x"]
    assert everything.begun == measured.begun  # the run is the same
    assert measured.first.count == 0
    before = run(traffic(), duration=1_000_000).flows["x"]
    assert measured.latency.count == everything.latency.count - before.latency.count
    assert measured.latency.sum == everything.latency.sum - before.latency.sum
    assert measured.payload == measured.completed * 128
    assert measured.seconds == 0.003
    assert measured.rate == pytest.approx(everything.rate, rel=0.02)


def test_a_warm_up_longer_than_all_exchanges_leaves_nothing():
    flow = run(traffic(), exchanges=10, warmup=SECOND).flows["x"]
    assert (flow.latency.count, flow.rate, flow.throughput, flow.begun) == (0, 0.0, 0.0, 10)


def buckets(outcome):
    return {name: (flow.first.buckets(), flow.later.buckets()) for name, flow in outcome.flows.items()}


def test_replications_have_seeds_of_their_own():
    tried = experiment(traffic(polls=False, parallel=2))
    outcomes = list(tried.run(Plan(exchanges=200, seed=5, replications=3)))
    assert [one.seed for one in outcomes] == [5, 6, 7]
    assert all(buckets(one) != buckets(other) for one, other in pairwise(outcomes))
    # each is the run of its seed
    assert buckets(run(traffic(polls=False, parallel=2), exchanges=200, seed=6)) == buckets(outcomes[1])
    assert [buckets(one) for one in tried.run(Plan(exchanges=200, seed=5, replications=3))] == [
        buckets(one) for one in outcomes
    ]


def test_where_nothing_is_random_no_seed_matters():
    assert buckets(run(traffic(), exchanges=50)) == buckets(run(traffic(), exchanges=50, seed=9))


@pytest.mark.parametrize("engine", [one for one in ENGINES if one not in {"auto", "tandem"}])
def test_every_engine_gives_the_same(engine):
    if engine == "compiled":
        pytest.importorskip("numba")
    flows = traffic("a", parallel=2, proto="udp", polls=False), traffic("b", HOST, proto="udp", think=4000)
    expected = run(*flows, exchanges=40, seed=3)
    found = run(*flows, exchanges=40, seed=3, engine=engine)
    assert buckets(found) == buckets(expected)
    assert (found.engine, found.ended) == (engine, expected.ended)
    busy = [{load.name: load.jobs for load in one.stations} for one in (found, expected)]
    assert busy[0] == busy[1]


def test_a_mix_keeps_each_traffic_s_measurements_apart():
    mix = traffic("small", size=10, reply=20), traffic("large", HOST, size=1000, reply=400, parallel=2)
    flows = run(*mix, exchanges=30).flows
    assert list(flows) == ["small", "large"]
    assert [flow.latency.count for flow in flows.values()] == [30, 60]
    assert [flow.payload for flow in flows.values()] == [30 * 30, 60 * 1400]
    for flow in flows.values():
        assert flow.throughput == pytest.approx(flow.payload * 8 / flow.seconds)
        assert flow.rate == pytest.approx(flow.latency.count / flow.seconds)


def test_traffic_that_shares_cpus_waits_for_each_other():
    alone = run(traffic("a"), duration=2_000_000).flows["a"]
    beside = run(traffic("a"), traffic("b", HOST, parallel=4), duration=2_000_000).flows["a"]
    assert beside.later.mean > 1.5 * alone.later.mean
    assert beside.rate < alone.rate


@pytest.mark.parametrize(("parallel", "think"), [(1, 0), (1, 20_000), (5, 0), (8, 50_000)])
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_little_s_law(parallel, think, proto):
    """So many are under way as exchanges a second times how long each takes, thinking included."""
    flow = run(traffic(proto=proto, parallel=parallel, think=think), duration=20_000_000, warmup=1_000_000).flows["x"]
    assert flow.rate * (flow.later.mean + think) / 1e9 == pytest.approx(parallel, rel=0.02)


@pytest.mark.parametrize(
    ("arrivals", "tolerance"),
    [(Constant(100_000), 0.001), (Poisson(10_000), 0.05), (OnOff(1_000_000, 1_000_000, 50_000), 0.2)],
    ids=lambda one: type(one).__name__,
)
def test_open_traffic_has_its_rate(arrivals, tolerance):
    flow = run(traffic(kind=OPEN, arrivals=arrivals, proto="udp"), duration=SECOND // 2, seed=4).flows["x"]
    assert flow.failed == 0
    assert flow.rate == pytest.approx(10_000, rel=tolerance)
    assert flow.throughput == pytest.approx(flow.rate * 128 * 8)


def test_open_traffic_of_several_flows():
    found = run(traffic(kind=OPEN, parallel=3, arrivals=Constant(100_000), proto="udp"), duration=10_000_000)
    assert found.flows["x"].begun == 300
    own = tuple(FromTimes([at * 1000, 5_000_000]) for at in range(3))
    found = run(traffic(kind=OPEN, parallel=3, arrivals=own, proto="udp"), duration=4_000_000)
    assert found.flows["x"].begun == 3


def test_more_than_a_cpu_can_do_is_dropped_at_its_backlog():
    flood = traffic(kind=OPEN, proto="udp", arrivals=Constant(1000), parallel=2, timeout=1_000_000)
    machines = {"cpus": {"h1": Cpus(1, backlog=50), "wan": Cpus(4, backlog=50)}}
    outcome = run(flood, machines=machines, duration=5_000_000)
    flow = outcome.flows["x"]
    (full,) = [load for load in outcome.stations if load.name == "h1/cpu0"]
    assert full.dropped > 1000
    assert full.longest == 50
    assert full.busy == pytest.approx(1, abs=0.05)
    assert flow.failed >= full.dropped
    assert flow.begun == flow.latency.count + flow.failed
    # as many as the CPU can do: what an exchange takes there
    assert flow.rate < 1e6


def test_bills_bound_what_one_exchange_takes():
    for to in (HOST, BRIDGE, PUBLISHED):
        tried = experiment(traffic(to=to, proto="udp"))
        first, later = tried.bills()["x"]
        flow = next(tried.run(Plan(exchanges=20))).flows["x"]
        assert 0.8 * later.total < flow.later.greatest <= later.total
        assert flow.first.greatest <= first.total
        assert (flow.later.least, flow.first.count) == (flow.later.greatest, 1)


def test_bills_of_a_mix():
    bills = experiment(traffic("a", parallel=3), traffic("b", HOST, proto="udp")).bills()
    assert list(bills) == ["a", "b"]
    assert bills["a"][0].totals.packets == 5


def test_a_stream_s_throughput_is_its_pieces():
    tried = experiment(traffic(kind=STREAM))
    flow = next(tried.run(Plan(duration=20_000_000, warmup=2_000_000))).flows["x"]
    assert flow.payload == flow.completed * 42 * 1448
    assert abs(flow.completed - flow.latency.count) <= 8  # what is under way at either end
    assert flow.throughput == pytest.approx(flow.rate * 42 * 1448 * 8)
    assert flow.throughput > 1e9


def test_progress_is_told():
    seen = []
    tried = experiment(traffic(parallel=2))
    outcomes = list(tried.run(Plan(exchanges=50, replications=2), lambda done, of: seen.append((done, of))))
    assert len(outcomes) == 2
    assert {of for _, of in seen} == {100}
    assert [done for done, _ in seen].count(100) == 2
    seen.clear()
    list(tried.run(Plan(duration=100_000), lambda done, of: seen.append((done, of))))
    assert {of for _, of in seen} == {0}


def test_what_was_recorded_serves_every_run():
    tried = experiment(traffic())
    assert tried.ways is tried.ways
    outcomes = [next(tried.run(Plan(exchanges=count))).flows["x"].latency.count for count in (3, 9)]
    assert outcomes == [3, 9]
    assert tried.notes == ()


def test_stations_tell_what_they_did():
    outcome = run(traffic(proto="udp", parallel=4), exchanges=50)
    bill = experiment(traffic(proto="udp", parallel=4)).bills()["x"][1].total
    busy = sum(load.busy for load in outcome.stations) * outcome.ended
    assert busy == pytest.approx(200 * bill, rel=0.05)
    assert all(0 < load.busy <= 1 and load.wait >= 0 and load.dropped == load.lost == 0 for load in outcome.stations)
    assert len(outcome.stations) == PRICES.machine.cpus
