"""Points of a sweep: the grid has them all, a sample is spread as it should be, and a seed gives them again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import UsageError
from simnet.scenario import units
from simnet.study.sampling import Axis, points


def grid(text):
    return list(Axis.parse(f"p={text}").values())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("28.5,20.10", ["28.5", "20.10"]),
        ("true", ["true"]),
        ("3..6", ["3", "4", "5", "6"]),
        ("-1..1", ["-1", "0", "1"]),
        ("1..100*10", ["1", "10", "100"]),
        ("1..64*2", ["1", "2", "4", "8", "16", "32", "64"]),
        ("1..63*2", ["1", "2", "4", "8", "16", "32"]),
        ("1..4*1.5", ["1", "2", "3"]),
        ("0.1..0.9/5", ["0.1", "0.3", "0.5", "0.7", "0.9"]),
        ("1..2/3", ["1", "2"]),
        ("10us..1ms*10", ["10us", "100us", "1000us"]),
        ("1Gbit..10Gbit/4", ["1Gbit", "4Gbit", "7Gbit", "10Gbit"]),
        ("1KiB..1MiB*32", ["1KiB", "32KiB", "1024KiB"]),
        ("1k/s..1M/s*1000", ["1k/s", "1000k/s"]),
        ("10..20us/2", ["10us", "20us"]),
        ("0%..1%/3", ["0%", "0.5%", "1%"]),
    ],
)
def test_values_of_a_grid(text, values):
    assert grid(text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p", "is not PATH=VALUES"), ("=1", "is not PATH=VALUES"), ("p=", "is not PATH=VALUES"),
        ("p=1,,2", "twice, or empty"), ("p=1,1", "twice, or empty"), ("p=5..1", "from the lesser to the greater"),
        ("p=a..b", "is no range"), ("p=1..2..3", "is no range"), ("p=0..8*2", "begins above 0"),
        ("p=1..8*1", "a factor above 1"), ("p=1us..1KB/2", "not units of one kind"),
        ("p=1us..2/2", "not units of one kind"), ("p=1..9/1", "2 values or more"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_said(text, said):
    with pytest.raises(UsageError, match=said):
        Axis.parse(text)


@pytest.mark.parametrize(
    ("texts", "sample", "count", "said"),
    [
        (["p=0.1..0.9"], "grid", 0, "how many values"), (["p=1..10000000"], "grid", 0, "more than 1000000 values"),
        (["p=1..2000", "q=1..2000"], "grid", 0, "4000000 points"), (["p=1..2", "p=1,2"], "grid", 0, "p varies twice"),
        (["p=1..2"], "lhs", 0, "needs --points"), (["p=1..2"], "grid", 9, "--points is for"),
        (["p=1..2"], "sobol", 9, "no sample 'sobol'"),
    ],
)  # fmt: skip
def test_points_that_there_cannot_be(texts, sample, count, said):
    with pytest.raises(UsageError, match=said):
        points([Axis.parse(text) for text in texts], sample, count)


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_each_part_of_every_range_of_a_latin_hypercube_holds_one_point(count, seed):
    axes = [Axis.parse("a=0.0..1000.0"), Axis.parse("b=1us..1001us"), Axis.parse("c=1.0..1000.0*10")]
    found = points(axes, "lhs", count, seed)
    assert len(found) == count
    assert found == points(axes, "lhs", count, seed)
    edge = 1e-3 * count  # six digits
    parts = sorted(float(point["a"]) / 1000 * count for point in found)
    assert all(number - edge <= part <= number + 1 + edge for number, part in enumerate(parts))
    parts = sorted((units.duration(point["b"]) - 1000) / 1_000_000 * count for point in found)
    assert all(number - edge <= part <= number + 1 + edge for number, part in enumerate(parts))


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1, exclude_max=True), st.sampled_from(["", "*2"]))
def test_whole_numbers_stay_within_their_range(low, more, share, factor):
    value = Axis.parse(f"p={low}..{low + more}{factor}").at(share)
    assert low <= int(value) <= low + more


def test_a_sample_of_whole_numbers_is_even_and_a_geometric_one_even_in_its_logarithm():
    even = [int(point["p"]) for point in points([Axis.parse("p=1..4"), Axis.parse("q=0.0..1.0")], "lhs", 400)]
    assert [even.count(number) for number in range(1, 5)] == [100] * 4
    steep = [float(point["p"]) for point in points([Axis.parse("p=1.0..10000.0*10")], "lhs", 400)]
    assert [sum(low <= number < low * 10 for number in steep) for low in (1, 10, 100, 1000)] == [100] * 4


def test_points_that_a_sample_has_twice_are_there_once():
    found = points([Axis.parse("p=1,2,3")], "random", 100)
    assert sorted(point["p"] for point in found) == ["1", "2", "3"]


def test_another_seed_is_another_sample():
    axes = [Axis.parse("p=0.0..1.0")]
    assert points(axes, "random", 5, 1) != points(axes, "random", 5, 2)
