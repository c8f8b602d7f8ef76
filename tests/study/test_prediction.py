"""A prediction test's figures: what holds, group by group, as text, as data and as a picture."""

import pytest

from simnet.draw.prediction import save
from simnet.errors import UsageError
from simnet.export.prediction import prediction_json
from simnet.study.prediction import FIRSTS, GROUPS, ROUND_TRIPS, SLOPES, THROUGHPUT, Compared, verdicts

NEAR = Compared(ROUND_TRIPS, "nat, legacy", "ns", 108.0, 100.0)
FAR = Compared(ROUND_TRIPS, "overlay, nft", "ns", 85.0, 100.0)
OPEN = Compared(FIRSTS, "host, nft", "ns more", 50.0, 100.0)


@pytest.mark.parametrize(
    ("group", "predicted", "holds"),
    [(ROUND_TRIPS, 109, True), (ROUND_TRIPS, 111, False), (ROUND_TRIPS, 89, False), (THROUGHPUT, 114, True),
     (THROUGHPUT, 84, False), (SLOPES, 86, True), (FIRSTS, 100, None)],
)  # fmt: skip
def test_what_holds_hangs_on_the_group(group, predicted, holds):
    assert Compared(group, "a", "ns", predicted, 100.0).holds is holds


def test_each_group_has_its_middle_its_largest_and_how_many_hold():
    trips, firsts = verdicts([OPEN, FAR, NEAR])
    assert (trips.group, trips.hold, trips.of) == (ROUND_TRIPS, 1, 2)
    assert (trips.middle, trips.largest) == pytest.approx((0.115, 0.15))
    assert str(trips) == "round trips: 11.5% off in the middle, 15.0% at most; 1 of 2 within 10%"
    assert str(firsts) == "first packets: 50.0% off in the middle, 50.0% at most"


def test_as_data():
    found = prediction_json([NEAR, FAR, OPEN], "2 CPUs")
    assert found["groups"] == [
        {"group": "round trips", "target": 0.1, "median_error": 0.115, "largest_error": 0.15, "hold": 1, "of": 2},
        {"group": "first packets", "target": None, "median_error": 0.5, "largest_error": 0.5, "hold": None, "of": 1},
    ]
    assert [one["holds"] for one in found["figures"]] == [True, False, None]


def test_the_picture_names_what_is_farthest_off_in_each_group(tmp_path):
    compared = [
        Compared(group, f"{group} {number}", "ns", 100 + 5 * number, 100) for group in GROUPS for number in range(3)
    ]
    save(compared, tmp_path / "a.svg", "2 CPUs")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for group in GROUPS:
        assert f"<!-- {group} 2 -->" in drawn
        assert f"<!-- {group} 1 -->" not in drawn


def test_nothing_is_no_picture(tmp_path):
    with pytest.raises(UsageError, match="nothing was predicted"):
        save([], tmp_path / "a.svg", "")
