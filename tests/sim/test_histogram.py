"""Histograms: percentiles close to exact ones, and sums that do not depend on how times came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.sim.histogram import Histogram

times = st.one_of(
    st.integers(0, 3000),
    st.integers(0, 1 << 40),
    st.integers(0, 50).map(lambda power: 1 << power),
    st.integers(1, 50).map(lambda power: (1 << power) - 1),
)
lists = st.lists(times, min_size=1, max_size=200)
percents = st.sampled_from([0.1, 1, 25, 50, 75, 90, 99, 99.9, 100]) | st.floats(0.001, 100)


def of(*parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(np.array(part, np.int64))
    return histogram


def everything(histogram):
    return histogram.count, histogram.sum, histogram.least, histogram.greatest, histogram.buckets()


@given(lists, percents)
def test_a_percentile_is_within_a_thousandth_of_the_exact_one(some, percent):
    exact = sorted(some)[max(int(np.ceil(len(some) * percent / 100)), 1) - 1]
    assert of(some).percentile(percent) == pytest.approx(exact, rel=0.001, abs=0)


@given(st.lists(st.integers(0, 2047), min_size=1), percents)
def test_short_times_are_exact(some, percent):
    exact = sorted(some)[max(int(np.ceil(len(some) * percent / 100)), 1) - 1]
    assert of(some).percentile(percent) == exact


@given(lists)
def test_what_is_counted(some):
    found = of(some)
    assert (found.count, found.sum, found.least, found.greatest) == (len(some), sum(some), min(some), max(some))
    assert found.mean == sum(some) / len(some)
    for percent, exact in ((100, max(some)), (1e-9, min(some))):
        assert found.percentile(percent) == pytest.approx(exact, rel=0.001, abs=0)
    assert sum(found.buckets().values()) == len(some)


@given(st.lists(st.lists(times, max_size=50), max_size=6))
def test_merging_is_adding_all(parts):
    merged = Histogram()
    for part in parts:
        merged.merge(of(part))
    together = of([time for part in parts for time in part])
    assert everything(merged) == everything(together) == everything(of(*parts))


@given(lists)
def test_buckets_restore_it(some):
    found = of(some)
    again = Histogram.load(found.buckets(), found.sum, found.least, found.greatest)
    assert everything(again) == everything(found)
    assert again.percentiles() == found.percentiles()
    assert [column.tolist() for column in again.distribution()] == [column.tolist() for column in found.distribution()]


@given(lists)
def test_the_distribution_rises_to_one(some):
    found, shares = of(some).distribution()
    assert (np.diff(found) > 0).all()
    assert (np.diff(shares) > 0).all()
    assert shares[-1] == pytest.approx(1)
    assert (found[0], found[-1]) == (pytest.approx(min(some), rel=0.001), pytest.approx(max(some), rel=0.001))


def test_nothing():
    empty = Histogram()
    empty.add(np.zeros(0, np.int64))
    assert (empty.count, empty.mean, empty.percentiles()) == (0, 0.0, [0, 0, 0, 0])
    assert [len(column) for column in empty.distribution()] == [0, 0]
    assert everything(Histogram.load({}, 0, 0, 0)) == everything(empty)
    some = of([5, 7])
    some.merge(empty)
    assert everything(some) == everything(of([5, 7]))
