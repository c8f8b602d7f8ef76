"""Replications summed up: means, intervals by Student's t, and what dropped packets."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.sim.experiment import Flow, Load, Outcome
from simnet.sim.traffic import Traffic
from simnet.study.interval import Mean, quantile
from simnet.study.summary import summed_up

TRAFFIC = Traffic("web", "wan", 1, 80)


def outcome(seed, first=(500,), later=(100, 200, 300), dropped=0):
    flow = Flow(TRAFFIC, seconds=2.0, payload=1000, begun=len(later) + 2, failed=1,
                completed=len(first) + len(later))  # fmt: skip
    flow.first.add(np.array(first, np.int64))
    flow.later.add(np.array(later, np.int64))
    stations = [Load("h1/cpu10", 4, 0.25, 10.0, 0, 0, 1), Load("h1/cpu2", 4, 0.5, 0.0, dropped, 0, seed)]
    return Outcome(seed, {"web": flow}, stations, 2_000_000_000, 0.1, "loop")


@pytest.mark.parametrize(
    ("freedom", "known"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (29, 2.0452), (100, 1.9840), (999, 1.9623)],
)
def test_students_t(freedom, known):
    assert quantile(freedom) == pytest.approx(known, abs=1e-4)


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=40))
def test_an_interval_is_students(values):
    found = Mean.of(values)
    assert found.value == pytest.approx(statistics.fmean(values), abs=1e-3)
    expected = quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    assert found.half == pytest.approx(expected, abs=1e-3)


def test_one_run_tells_no_interval():
    found = summed_up([outcome(0)], {})
    flow = found.flows[0]
    assert (flow.exchanges, flow.begun, flow.lost) == (Mean(4.0), Mean(5.0), Mean(1.0))
    assert (flow.rate, flow.throughput) == (Mean(2.0), Mean(4000.0))
    assert flow.later.mean == Mean(200.0)
    assert (flow.later.count, flow.later.least, flow.later.greatest) == (3, 100, 300)
    assert {percent: mean.value for percent, mean in flow.later.percentiles.items()} == {
        50: 200, 90: 300, 99: 300, 99.9: 300}  # fmt: skip


def test_several_are_means_of_runs():
    found = summed_up([outcome(0), outcome(1, first=(), later=(400, 400))], {})
    assert found.flows[0].later.mean == Mean.of([200.0, 400.0])
    assert found.flows[0].first.mean == Mean(500.0)  # one run alone has some
    assert (found.replications, found.ended.value) == (2, 2e9)


def test_stations_stand_in_the_order_of_their_numbers_and_those_that_overflowed_are_told():
    found = summed_up([outcome(0), outcome(1, dropped=6)], {})
    assert [one.name for one in found.stations] == ["h1/cpu2", "h1/cpu10"]
    assert [(one.name, one.dropped.value) for one in found.overflowed] == [("h1/cpu2", 3.0)]


def test_no_first_exchanges_are_none():
    assert summed_up([outcome(0, first=())], {}).flows[0].first is None
