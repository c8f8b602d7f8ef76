"""Student's intervals: as printed tables have them, and holding the true mean as often as they say."""

import math

import numpy as np
import pytest

from simnet.study.interval import Interval, interval, quantile


@pytest.mark.parametrize(
    ("share", "degrees", "value"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 5, 2.5706), (0.975, 10, 2.2281), (0.975, 120, 1.9799),
     (0.95, 4, 2.1318), (0.995, 7, 3.4995), (0.9, 3, 1.6377)],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(share, degrees, value):
    assert quantile(share, degrees) == pytest.approx(value, abs=6e-5)


def test_an_interval_holds_the_true_mean_95_times_of_100():
    draws = np.random.default_rng(7).normal(10.0, 3.0, (2000, 4))
    found = [interval(list(row)) for row in draws]
    held = sum(one.low <= 10.0 <= one.high for one in found) / len(found)
    assert abs(held - 0.95) < 0.015


def test_one_value_has_no_interval_and_equal_ones_an_empty_one():
    assert (interval([5.0]).mean, math.isnan(interval([5.0]).half)) == (5.0, True)
    assert (interval([5.0]).low, interval([5.0]).high) == (5.0, 5.0)
    assert interval([5.0, 5.0, 5.0]) == Interval(5.0, 0.0)
    assert math.isnan(interval([]).mean)
