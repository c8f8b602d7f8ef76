"""Times of arrival: their laws, and what is refused."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import UsageError
from simnet.sim.queueing import arrivals
from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson


def times(process, count=100_000, seed=1):
    blocks, found = process.blocks(np.random.default_rng(seed)), []
    while sum(map(len, found)) < count:
        found.append(next(blocks))
    return np.concatenate(found)[:count]


def test_constant():
    assert times(Constant(250, begin=7), 20_000).tolist() == list(range(7, 7 + 250 * 20_000, 250))


def test_poisson_has_exponential_gaps():
    gaps = np.diff(times(Poisson(2e6, begin=100)))
    # mean and deviation are equal; standard errors 0.3 % and 0.45 %
    assert gaps.mean() == pytest.approx(500, rel=0.015)
    assert gaps.std() == pytest.approx(500, rel=0.02)
    assert times(Poisson(2e6, begin=100), 1)[0] > 100


def test_bursts_have_their_rate_and_their_gap():
    process = OnOff(on=10_000, off=30_000, gap=100)
    found = times(process, 400_000)
    gaps = np.diff(found)
    assert (gaps >= 0).all()
    assert (gaps == 100).mean() > 0.98
    # a burst has half an arrival more than its length tells; the standard error is about 2 %
    assert len(found) / found[-1] == pytest.approx(100.5 / 40_000, rel=0.08)


def test_one_burst_of_very_many_comes_in_blocks():
    first = list(islice(OnOff(on=10**12, off=1, gap=1).blocks(np.random.default_rng(1)), 3))
    assert [len(block) for block in first] == [8192] * 3
    assert np.array_equal(np.concatenate(first), np.arange(3 * 8192))


@given(st.sampled_from([Constant(30), Poisson(1e6), OnOff(500, 900, 70)]), st.integers(1, 500), st.integers(0, 99))
def test_times_do_not_depend_on_the_size_of_blocks(process, size, seed):
    expected = times(process, 1500, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrivals, "_BLOCK", size)
        assert np.array_equal(times(process, 1500, seed), expected)


@given(st.lists(st.integers(0, 1 << 50)).map(sorted))
def test_given_times_come_as_they_are(given_times):
    found = [time for block in FromTimes(given_times).blocks(np.random.default_rng(1)) for time in block.tolist()]
    assert found == given_times


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0), "a gap between arrivals is 0"),
        (lambda: Poisson(-1), "a rate of arrivals is -1"),
        (lambda: OnOff(1, 0, 1), "a pause's mean length is 0"),
        (lambda: FromTimes([3, 2]), "must ascend"),
        (lambda: FromTimes([-1]), "must not be negative"),
        (lambda: FromTimes([0.5]), "whole numbers"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
