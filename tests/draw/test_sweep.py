"""A sweep drawn: the table says the numbers, the lines are where these are, and maps have a square for each pair."""

import subprocess
import sys

import matplotlib
import pytest

from simnet.draw import chart, sweep
from simnet.errors import UsageError
from simnet.study.interval import Mean
from simnet.study.measures import MEASURES
from simnet.study.sweep import Row

CPUS, DELAY = "h1.cpus", "wires.lan.delay"


def rows(points, traffic=("web",), value=lambda point, name: 1000.0):
    return [Row(point, name, 3, {key: Mean(value(point, name), 50.0) for key in MEASURES})
            for point in points for name in traffic]  # fmt: skip


def grid(**traffic):
    points = [{CPUS: cpus, DELAY: delay} for cpus in ("1", "2", "4") for delay in ("10us", "100us", "1ms")]
    return rows(points, value=lambda point, _: 1000.0 * int(point[CPUS]) * len(point[DELAY]), **traffic)


def drawn(monkeypatch, found, over, measure="p99", **options):
    """The figure as it would be written."""
    kept = []
    monkeypatch.setattr(sweep, "write", lambda figure, path: kept.append(figure))
    sweep.save(found, sweep.Path("a.png"), over, measure, **options)
    return kept[0]


def test_the_table_has_a_row_for_each_point_and_traffic():
    lines = sweep.render(grid(traffic=("web", "db")), [CPUS, DELAY]).splitlines()
    assert lines[0].split() == ["cpus", "delay", "traffic", "rate", "p50", "p99", "throughput"]
    assert lines[1].startswith("1     10us   web")
    assert lines[1].endswith("4.000 ± 0.050 µs   4.000 ± 0.050 kbit/s")
    assert len(lines) == 1 + 18
    assert "traffic" not in sweep.render(grid(), [CPUS, DELAY])
    assert sweep.render([], [CPUS]) == "no point has a result"


@pytest.mark.parametrize(
    ("mean", "unit", "text"),
    [
        ((0.0, None), "ns", "0 ns"), ((999.0, None), "ns", "999 ns"), ((37_240.0, 512.0), "ns", "37.24 ± 0.51 µs"),
        ((2e9, 0.0), "ns", "2 s"), ((12_345.0, 1_100.0), "/s", "12.3 ± 1.1 k/s"), ((0.25, None), "", "0.25"),
        ((41.0, 30.0), "/s", "41 ± 30/s"),
    ],
)  # fmt: skip
def test_amounts(mean, unit, text):
    assert sweep.amount(Mean(*mean), unit) == text


def test_paths_are_as_short_as_they_can_be_told_apart(monkeypatch):
    points = [{"traffic.a.requests.clients": "1", "traffic.b.requests.clients": "2"}]
    head = sweep.render(rows(points), list(points[0])).splitlines()[0]
    assert head.split()[:2] == ["a.requests.clients", "b.requests.clients"]


def test_lines_are_where_the_numbers_are(monkeypatch):
    figure = drawn(monkeypatch, grid(traffic=("web", "db")), [DELAY])
    (axes,) = figure.axes
    assert axes.get_xlabel() == "delay (us)"
    assert axes.get_ylabel() == "latency, 99th percentile (µs)"
    assert axes.get_xscale() == "log"
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    lines = [line for line in axes.get_lines() if line.get_label() == "line"]
    assert names == [f"{name}, cpus {cpus}" for cpus in (1, 2, 4) for name in ("web", "db")]
    assert [tuple(line.get_xdata()) for line in lines] == [(10.0, 100.0, 1000.0)] * 6
    assert tuple(lines[-1].get_ydata()) == (16_000.0, 20_000.0, 12_000.0)


def test_words_stand_in_their_order(monkeypatch):
    found = rows([{"h1.engine": engine} for engine in ("28.5", "legacy", "20.10")])
    (axes,) = drawn(monkeypatch, found, ["h1.engine"]).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["28.5", "legacy", "20.10"]
    assert axes.get_legend() is None


def test_a_map_has_a_square_for_each_pair_and_one_scale_of_colours(monkeypatch):
    figure = drawn(monkeypatch, grid(traffic=("web", "db")), [CPUS, DELAY])
    panels = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.get_title(loc="left") for axes in panels] == ["web", "db"]
    for axes in panels:
        (image,) = axes.get_images()
        assert image.get_array().tolist() == [[4000, 8000, 16_000], [5000, 10_000, 20_000], [3000, 6000, 12_000]]
        assert image.get_clim() == (3000, 20_000)
        assert [text.get_text() for text in axes.get_yticklabels()] == ["10us", "100us", "1ms"]
        assert {text.get_text() for text in axes.texts} == {"3", "4", "5", "6", "8", "10", "12", "16", "20"}


def test_a_sample_is_dots(monkeypatch):
    found = rows([{CPUS: str(at), DELAY: f"{at * at}us"} for at in range(1, 20)])
    figure = drawn(monkeypatch, found, [CPUS, DELAY], "rate")
    (dots,) = figure.axes[0].collections
    assert dots.get_offsets().tolist() == [[at, at * at] for at in range(1, 20)]


def test_nothing_and_too_much_can_be_drawn(monkeypatch):
    assert drawn(monkeypatch, [], [CPUS]).axes[0].texts[0].get_text() == "nothing was measured"
    many = rows([{CPUS: str(cpus), "b": str(other)} for cpus in (1, 2) for other in range(len(chart.LOOKS) + 1)])
    (axes,) = drawn(monkeypatch, many, [CPUS], "failed").axes
    assert axes.get_legend() is None
    assert axes.get_ylabel() == "share of exchanges that failed"


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("over", [[CPUS], [CPUS, DELAY]])
def test_every_measure_is_written(tmp_path, measure, over):
    sweep.save(grid(), tmp_path / "a.svg", over, measure, title="$x$")
    assert (tmp_path / "a.svg").stat().st_size > 5000
    assert matplotlib.rcParams["backend"]


def test_a_place_where_nothing_can_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        sweep.save(grid(), tmp_path / "no" / "a.png", [CPUS], "p99")


def test_it_can_be_run_by_itself(tmp_path):
    subprocess.run([sys.executable, "-m", "simnet.draw.sweep"], cwd=tmp_path, check=True,
                   env={"PYTHONPATH": str(sweep.Path.cwd()), "MPLCONFIGDIR": str(tmp_path)})  # fmt: skip
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
