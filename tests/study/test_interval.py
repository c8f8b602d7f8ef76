"""Student's intervals: as printed tables have them, and holding the true mean as often as they say."""

import numpy as np
import pytest

from simnet.study.interval import Mean, quantile


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.7062), (2, 4.3027), (5, 2.5706), (10, 2.2281), (30, 2.0423), (120, 1.9799)]
)
def test_quantiles_are_those_of_the_tables(freedom, value):
    assert quantile(freedom) == pytest.approx(value, abs=6e-5)


def test_an_interval_holds_the_true_mean_95_times_of_100():
    draws = np.random.default_rng(7).normal(10.0, 3.0, (2000, 4))
    found = [Mean.of([float(value) for value in row]) for row in draws]
    held = sum(abs(one.value - 10.0) <= one.half for one in found) / len(found)
    assert abs(held - 0.95) < 0.015


def test_one_value_has_no_interval_and_equal_ones_an_empty_one():
    assert Mean.of([5.0]) == Mean(5.0)
    assert Mean(5.0).half is None
    assert Mean.of([5.0, 5.0, 5.0]) == Mean(5.0, 0.0)
