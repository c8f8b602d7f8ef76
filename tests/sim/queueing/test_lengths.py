"""Queue lengths over time: the same whatever order queues are found in, and the longest is where it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simnet.net.address import parse_ip
from simnet.scenario.question import Listen, serve
from simnet.scenario.source import open_source
from simnet.sim.experiment import Experiment, Plan
from simnet.sim.prices.costs import load
from simnet.sim.queueing import engine
from simnet.sim.queueing.arrivals import FromTimes
from simnet.sim.queueing.lengths import SPANS, Lengths
from simnet.sim.queueing.model import Exchange, Flow, Model, Run, Station, Visit
from simnet.sim.traffic import Traffic

found = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1 << 24), st.integers(1, 99)), max_size=60)


def noted(queues):
    lengths = Lengths.of(2)
    for station, time, waiting in queues:
        lengths.note(station, time, waiting)
    return lengths


@given(found, st.randoms())
def test_the_order_does_not_matter_and_each_span_holds_its_longest(queues, order):
    lengths = noted(queues)
    again = list(queues)
    order.shuffle(again)
    assert noted(again) == lengths
    expected = np.zeros((2, SPANS), int)
    for station, time, waiting in queues:
        span = time // lengths.width
        expected[station, span] = max(expected[station, span], waiting)
    assert lengths.rows == expected.tolist()
    last = max((time for _, time, _ in queues), default=0)
    assert lengths.width == 1024 or last >= lengths.width // 2 * SPANS


@given(found)
def test_many_at_once_and_a_row_of_its_own_come_to_the_same(queues):
    expected, at_once, apart = noted(queues), Lengths.of(2), Lengths.of(2)
    for station in range(2):
        mine = sorted(queue[1:] for queue in queues if queue[0] == station)
        times, waiting = np.array(mine, np.int64).reshape(-1, 2).T
        at_once.note_all(station, times, waiting)
        # some that found nobody, later than all others
        at_once.note_all(station, np.array([1 << 40, 1 << 41]), np.array([0, 0]))
        own = noted((0, *queue) for queue in mine)
        apart.merge(station, own.rows[0], own.shift)
    assert at_once == apart == expected


def test_a_burst_is_seen_when_it_was():
    """Ten jobs come at 50 µs and each takes 2 µs; nobody waits before, nor after."""
    times = [10_000, *[50_000] * 10, 90_000]
    model = Model(
        (Station("s"),), (Exchange((Visit(0, 2000, bounded=True),)),), (Flow((0,), arrivals=FromTimes(times)),)
    )
    for name in ("reference", "loop", "tandem", "auto"):
        run = Run(model)
        list(engine.blocks(run, name))
        (row,) = run.tally.lengths.rows
        assert {at * run.tally.lengths.width: longest for at, longest in enumerate(row) if longest} == {49_152: 8}


def test_walks_and_recorded_ways_find_the_same_queues():
    def network():
        found = open_source("scenarios/snapshots/seed-modes-28.5")
        serve(found, Listen.parse("h1/csphere-nat2:udp:0.0.0.0:53"))
        return found

    burst = FromTimes([*[0] * 20, *range(400_000, 420_000, 1000), *[900_000] * 9])
    asked = Traffic("dns", "h1", parse_ip("172.17.0.3"), 53, "udp", "open", arrivals=burst)
    experiment = Experiment(network, [asked], load())
    outcomes = [next(experiment.run(Plan(exchanges=49, engine=name))) for name in ("loop", "walks")]
    ways, walks = ({one.name: (one.lengths, one.span) for one in outcome.stations} for outcome in outcomes)
    assert ways == walks
    assert max(max(lengths, default=0) for lengths, _ in ways.values()) > 2
