"""Tables made from the model are what it says today, and the price lists give the figures that they were fitted to."""

import re
from pathlib import Path

import pytest

from benchmarks.fidelity import fit, measured, published
from benchmarks.fidelity.page import FIDELITY, MADE, PRICES, TABLES, written
from simnet.sim.prices import costs as lists
from simnet.sim.prices.costs import load

WRITTEN = {name: rows for page in (FIDELITY, PRICES) for name, rows in written(page.read_text("utf-8")).items()}
COSTS = Path(__file__).parents[2] / "models/costs"


@pytest.mark.parametrize("name", MADE)
def test_a_page_says_what_the_model_says(name):
    assert WRITTEN[name] == list(MADE[name]()), "python -m benchmarks.fidelity --write"


def test_every_table_is_written_and_none_is_unknown():
    assert set(WRITTEN) == set(MADE)


def test_every_list_that_ships_has_its_line_and_its_section():
    listed = re.findall(
        r"^\| `([a-z0-9.-]+)` \| .*\|$", PRICES.read_text("utf-8").split("## The file")[0], re.MULTILINE
    )
    assert sorted(listed) == lists.names()
    titles = re.findall(r"^## (?:Measured|Published): (.*)$", FIDELITY.read_text("utf-8"), re.MULTILINE)
    assert sorted(titles) == lists.names()


def test_the_reference_names_all_that_a_list_may_hold():
    page = PRICES.read_text("utf-8")
    for known in (lists._TOP, lists._MACHINE, lists._SAID, lists.STATISTICS, ("value", "spread", "of", "factor")):
        for word in known:
            assert f"`{word}`" in page, word


def test_the_guide_s_example_loads(tmp_path):
    guide = (PRICES.parents[1] / "howto/costs.md").read_text("utf-8")
    example = re.search(r"<!-- example -->\n```yaml\n(.*?)```", guide, re.DOTALL)[1]
    (tmp_path / "rack-7.yaml").write_text(example)
    found = load(str(tmp_path / "rack-7.yaml"))
    assert (found.name, found["copy.send"], found.machine.rate) == ("rack-7", 0.05, 25_000_000_000)
    assert found["origin"] == pytest.approx(0.8 * load("graft-2018")["origin"])
    assert found["bridge"] == pytest.approx(0.7 * load("graft-2018")["bridge"])


@pytest.mark.parametrize("name", published.FITS)
def test_a_list_gives_the_figures_that_its_factors_are_named_after(name):
    costs = load(name)
    for figure in published.FITS[name]:
        assert figure.ask(costs) == pytest.approx(figure.value, rel=0.01), "python -m benchmarks.fidelity --fit"


@pytest.mark.parametrize(("table", "share"), [
    (measured.MODES, 0.15), (measured.ROUND_TRIPS, 0.10), (measured.ONE_WAY, 0.10), (measured.RULES, 0.30),
])  # fmt: skip
def test_measured_figures_are_met(table, share):
    assert measured.worst(load(table.costs), table) < share


def test_what_was_not_fitted_is_met_as_well():
    graft = {figure.what: figure for figure in published.GRAFT.figures if not figure.fitted}
    for what in ("TCP one way, Docker's NAT", "TCP one way, overlay", "TCP one way, container to its host"):
        assert graft[what].ask(load("graft-2018")) == pytest.approx(graft[what].value, rel=0.10)


@pytest.mark.parametrize("name", TABLES)
def test_what_misses_says_why(name):
    for row in WRITTEN[name][2:]:
        what, *_, ratio, note = (cell.strip() for cell in row.strip("|").split("|"))
        assert note or 2 / 3 < float(ratio) < 3 / 2, what


def test_factors_are_found_again():
    name, figures = "felter-2014", published.FITS["felter-2014"]
    path = COSTS / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    spoilt = fit.with_factors(text, [1.0, 1.0])
    assert fit.factors(spoilt) == [1, 1]
    found = fit.factors(fit.fit(spoilt, str(path), figures))
    assert found == pytest.approx(fit.factors(text), rel=0.02)


def test_figures_that_no_factors_give_are_refused():
    path = COSTS / "suo-2018.yaml"
    text = path.read_text(encoding="utf-8")
    impossible = published.Figure("more than host mode", 1.5, "×", published.SUO.figures[0].ask)
    with pytest.raises(ValueError, match="no factors give these figures"):
        fit.fit(text, str(path), [impossible])
    with pytest.raises(ValueError, match="has 1 factors and 2 figures"):
        fit.fit(text, str(path), [impossible] * 2)
