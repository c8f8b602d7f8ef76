"""A calibration as a file: what the loader takes, what is said of what is not sure, and that no half of one is left."""

from pathlib import Path

import pytest

from simnet.errors import UsageError
from simnet.live.calibrate import calibration, counts, paths
from simnet.live.calibrate.cost_file import check_output, text, write
from simnet.live.calibrate.measure import Figure
from simnet.sim.prices.costs import load, read
from simnet.sim.prices.keys import KEYS

BASE = load()


def figures(factor, wobble=0.0):
    """What a machine takes that is `factor` times as slow as the base list's, its rounds off by `wobble` in turn."""
    found = {}
    for path in paths.bare():
        if path.kind == paths.WOKEN:
            time = counts.predicted(path, BASE)
        else:
            time = sum(amount * (BASE[key] + BASE.spread(key)) for key, amount in counts.counts(path, BASE).items())
        extra = 300.0 if path.kind == paths.FIRST else 0.0
        rounds = tuple(factor * time * (1 + wobble * (-1) ** number * (number % 6) / 5) + extra for number in range(24))
        found[path] = Figure(path, rounds)
    return found


@pytest.fixture(scope="module")
def half():
    return calibration.calibrate(figures(0.5), {})


def test_the_loader_takes_it_and_a_machine_twice_as_quick_has_half_of_every_price(half):
    costs = read(text(half, "quick", "nft"), "quick.yaml")
    assert (costs.name, costs.backend, costs.machine.together) == ("quick", "nft", True)
    ratios = {key: costs[key] / BASE[key] for key in KEYS if BASE[key] and key != "wake-up.other-cpu"}
    assert ratios == pytest.approx(dict.fromkeys(ratios, 0.5), rel=0.02)
    assert costs["wake-up.other-cpu"] == pytest.approx(BASE["wake-up.other-cpu"] / 2, rel=0.1)
    assert half.sockets_first == pytest.approx(300, rel=0.05)


def test_what_was_measured_and_what_was_not_says_so(half):
    costs = read(text(half, "quick", "nft"), "quick.yaml")
    assert "told most by" in costs.prices["bridge"].source
    assert costs.prices["bridge"].hardware.endswith(f"Linux {Path('/proc/sys/kernel/osrelease').read_text().strip()}")
    assert costs.prices["device.macvlan.out"].source.startswith("not measured on this machine")
    assert half.noisy == []


def test_what_is_not_sure_is_named():
    found = calibration.calibrate(figures(1.0, wobble=0.9), {})
    assert found.noisy
    document = text(found, "loud", "legacy")
    costs = read(document, "loud.yaml")
    for price in found.noisy:
        assert "too noisy to trust" in costs.prices[price.key].source
        assert price.key in costs.about.split("Too noisy to trust")[1]


@pytest.mark.parametrize(("name", "said"), [("a.txt", "a price list is a .yaml file"), ("no/a.yaml", "no folder")])
def test_a_file_that_would_not_do_is_refused_first(tmp_path, name, said):
    with pytest.raises(UsageError, match=said):
        check_output(tmp_path / name)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write(tmp_path / "a.yaml", "name: a\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    (tmp_path / "b.yaml").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "b.yaml", "name: b\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]
