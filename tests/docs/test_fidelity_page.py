"""The page of figures is what the model says today, and the price lists give the figures that they were fitted to."""

import re

import pytest

from benchmarks.fidelity import fit, measured, published
from benchmarks.fidelity.page import PAGE, TABLES, lines, named
from simnet.sim.costs import load

TEXT = PAGE.read_text(encoding="utf-8")


def written(name):
    return re.search(rf"<!-- figures: {name} -->\n(.*?)<!-- end -->", TEXT, re.DOTALL)[1].splitlines()


@pytest.mark.parametrize("name", TABLES)
def test_the_page_says_what_the_model_says(name):
    assert written(name) == list(lines(TABLES[name])), "python -m benchmarks.fidelity --write"


def test_every_table_is_on_the_page_once():
    assert sorted(named(TEXT)) == sorted(TABLES)


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


def test_what_misses_says_why():
    for table in TABLES.values():
        costs = load(table.costs)
        for figure in table.figures:
            assert figure.fitted or figure.why or 2 / 3 < figure.ask(costs) / figure.value < 3 / 2, figure.what


def test_factors_are_found_again():
    name, figures = "felter-2014", published.FITS["felter-2014"]
    path = PAGE.parents[2] / f"models/costs/{name}.yaml"
    text = path.read_text(encoding="utf-8")
    spoilt = fit.with_factors(text, [1.0, 1.0])
    assert fit.factors(spoilt) == [1, 1]
    found = fit.factors(fit.fit(spoilt, str(path), figures))
    assert found == pytest.approx(fit.factors(text), rel=0.02)


def test_figures_that_no_factors_give_are_refused():
    path = PAGE.parents[2] / "models/costs/suo-2018.yaml"
    text = path.read_text(encoding="utf-8")
    impossible = published.Figure("more than host mode", 1.5, "×", published.SUO.figures[0].ask)
    with pytest.raises(ValueError, match="no factors give these figures"):
        fit.fit(text, str(path), [impossible])
    with pytest.raises(ValueError, match="has 1 factors and 2 figures"):
        fit.fit(text, str(path), [impossible] * 2)
