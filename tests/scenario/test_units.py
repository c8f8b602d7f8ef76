"""Amounts with units: what is read, what is refused, and that whole amounts come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.docker.document import Value
from simnet.errors import SourceError
from simnet.scenario import units


@pytest.mark.parametrize(
    ("as_", "text", "amount"),
    [
        (units.duration, "10us", 10_000), (units.duration, "1.5 ms", 1_500_000), (units.duration, "0", 0),
        (units.duration, "5µs", 5_000), (units.duration, "2min", 120_000_000_000),
        (units.size, "64", 64), (units.size, "1KB", 1_000), (units.size, "256KiB", 262_144),
        (units.size, "1_000", 1_000),
        (units.per_second, "100000/s", 100_000), (units.per_second, "2.5M/s", 2_500_000),
        (units.per_second, "100k", 1e5),
        (units.speed, "10Gbit", 10**10), (units.speed, "100Mbit/s", 10**8), (units.speed, "0", 0),
        (units.share, "0.1%", 0.001), (units.share, "0.25", 0.25), (units.share, "1", 1), (units.share, "0", 0),
    ],
)  # fmt: skip
def test_amounts(as_, text, amount):
    assert as_(text) == pytest.approx(amount, rel=1e-12)


@pytest.mark.parametrize(
    ("as_", "text", "said"),
    [
        (units.duration, "5", "lacks its unit"), (units.duration, "-5us", "is negative"),
        (units.duration, "5sec", "no unit 'sec'"), (units.duration, "5 MS", "did you mean 'ms'?"),
        (units.duration, "soon", "'soon' is no time"), (units.duration, "999999999999min", "is too much"),
        (units.size, "1kb", "did you mean 'KB'?"), (units.size, "-1", "is negative"),
        (units.per_second, "0/s", "a rate is more than 0"), (units.per_second, "-5k/s", "a rate is more than 0"),
        (units.per_second, "5/h", "no unit '/h'"), (units.speed, "10Gb", "did you mean 'Gbit'?"),
        (units.speed, "10", "lacks its unit"), (units.share, "101%", "between 0 and 100%"),
        (units.share, "-0.1", "between 0 and 100%"), (units.share, "5ppm", "no unit 'ppm'"),
    ],
)  # fmt: skip
def test_what_is_refused(as_, text, said):
    with pytest.raises(ValueError) as caught:
        as_(text)
    assert said in str(caught.value)


@given(st.integers(0, 10**15), st.sampled_from(sorted(units.DURATIONS)))
def test_a_whole_number_of_any_unit_is_that_many(number, unit):
    amount = number * units.DURATIONS[unit]
    if amount < 1 << 53:
        assert units.duration(f"{number}{unit}") == amount


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_message(text):
    for as_ in (units.duration, units.size, units.per_second, units.speed, units.share):
        try:
            assert as_(text) >= 0
        except ValueError as error:
            assert str(error)


def test_an_error_points_at_the_value():
    with pytest.raises(SourceError, match=r"a\.yaml:3:7: .* lacks its unit"):
        units.read(Value(5, "a.yaml", 3, 7), units.duration)
