"""The charts of time: what is written on them, that nothing on it meets anything else, and the file that it becomes."""

import re
import subprocess
import sys
from itertools import combinations, pairwise
from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from simnet.draw import bill, chart, labels, latency, lengths, queues, slope, throughput
from simnet.errors import UnknownName, UsageError
from simnet.net.conversation import count
from simnet.sim.experiment import Bill, Load
from simnet.sim.histogram import Histogram
from simnet.sim.prices import keys


def histogram(*times):
    found = Histogram()
    found.add(np.array(times, np.int64))
    return found


def spread(low, width, number, seed=1):
    return histogram(*(low + np.random.default_rng(seed).lognormal(0, 0.8, number) * width))


def bill_of(**parts):
    return Bill({heading: parts.get(heading.replace("-", "_").replace(" ", "_"), 0) for heading in keys.HEADINGS}, None)


MANY = 12
FULL = Bill({heading: 1000 * at for at, heading in enumerate(keys.HEADINGS, 1)}, count([]))
RULES = (0, 100, 1000, 5000, 10_000)
MODES = {"host": spread(21e3, 900, 20_000), "bridge": spread(29e3, 1500, 20_000), "proxy": spread(147e3, 9000, 20_000)}
FIRST = {"host": spread(45e3, 900, 40), "bridge": spread(80e3, 1500, 40), "proxy": spread(250e3, 9000, 40)}
COSTLY = {"bridge": {rules: 31_000 + 1.2 * rules for rules in RULES}, "host": dict.fromkeys(RULES, 22_000)}
LOADS = [
    Load("h1/cpu0", 40_000, 0.92, 18_400.0, 0, 0, 31),
    Load("idle", 0, 0.0, 0.0, 0, 0, 0),
    Load("h1/host:eth0", 80_000, 0.5, 1_200_000.0, 310, 5, 1000),
]


def waiting(name, found):
    return Load(name, 9, 0.5, 100.0, 0, 0, max(found), tuple(found), 1 << 20)


# name: the module, what it is given, and options
CASES = {
    "latency": (latency, MODES, {"first": FIRST}),
    "latency's tail": (latency, MODES, {"first": FIRST, "tail": True, "title": "Tails"}),
    "one latency": (latency, {"bridge": histogram(*[12_300] * 1000)}, {"first": {"bridge": histogram(54_000)}}),
    "equal latencies": (latency, {f"f{at}": histogram(12_300) for at in range(3)}, {}),
    "many latencies": (latency, {f"f{at}": spread(10 ** (3 + at * 7 / 11), 900, 500) for at in range(MANY)}, {}),
    "many equal tails": (latency, {f"f{at}": histogram(*[9] * 5000) for at in range(MANY)}, {"tail": True}),
    "latencies of 0": (latency, {"none": Histogram(), "zero": histogram(0), "few": histogram(1000, 1000, 2000)}, {}),
    "no latency": (latency, {}, {"title": "Nothing"}),
    "throughput": (throughput, {"host": (9.41e9, 0.02e9), "bridge": (8.12e9, 0.11e9), "proxy": (2.93e9, 0)}, {}),
    "relative": (throughput, {"host": (9.41e9, 0.02e9), "proxy": (2.93e9, 0)}, {"baseline": "host", "title": "T"}),
    "one rate": (throughput, {"only": (43_210.0, 120.0)}, {"unit": "exchanges/s"}),
    "many rates": (throughput, {f"f{at}": (10.0**at, 10.0**at / 10) for at in range(MANY)}, {}),
    "equal rates": (throughput, {f"f{at}": (5e5, 1e4) for at in range(MANY)}, {"unit": "exchanges/s"}),
    "rates of 0": (throughput, {"a": (0, 0), "b": (0, 0)}, {}),
    "no rate": (throughput, {}, {}),
    "slope": (slope, COSTLY, {"first": {"bridge": {rules: 58_000 + 44.0 * rules for rules in RULES}}}),
    "slope, log": (
        slope,
        COSTLY,
        {"first": {"bridge": {rules: 58_000 + 44.0 * rules for rules in RULES}}, "log": True},
    ),
    "one point": (slope, {"bridge": {10: 4000.0}}, {}),
    "many slopes": (slope, {f"f{at}": {n: 10 ** (3 + at / 2) + at * n for n in RULES} for at in range(MANY)}, {}),
    "many, log": (
        slope,
        {f"f{at}": {n: 10 ** (3 + at / 2) + at * n for n in RULES} for at in range(MANY)},
        {"log": True},
    ),
    "slopes of 0": (slope, {"a": {0: 0.0, 10: 0.0}, "b": {0: 0.0, 10: 0.0}}, {"log": True}),
    "no slope": (slope, {"a": {}}, {}),
    "bill": (bill, {"host": (FULL, bill_of(rules=900, NAT=300)), "bridge": (FULL, FULL)}, {"first": True}),
    "one bill": (bill, {"host": (FULL, FULL)}, {"width": chart.COLUMN, "title": "Bills"}),
    "many bills": (bill, {f"f{at}": (FULL, FULL) for at in range(MANY)}, {"first": True}),
    "far apart": (bill, {"µs": (FULL, bill_of(NAT=1000)), "s": (FULL, bill_of(rules=10**10))}, {}),
    "bills of 0": (bill, {"a": (bill_of(), bill_of())}, {}),
    "no bill": (bill, {}, {}),
    "queues": (queues, LOADS, {"title": "h1"}),
    "many queues": (queues, [Load(f"h1/cpu{at}", 9, at / 11, 10.0**at, at, 0, at) for at in range(MANY)], {}),
    "no queue": (queues, [LOADS[1]], {}),
    "lengths": (lengths, [waiting("h1/cpu0", [0, 3, 9, 4, 0, 0, 1]), waiting("wan/cpu0", [30, 20, 25, 22])], {}),
    "one length": (lengths, [waiting("h1/cpu0", [1])], {"title": "h1", "width": chart.COLUMN}),
    "many lengths": (lengths, [waiting(f"h1/cpu{at}", range(at, 250)) for at in range(MANY)], {}),
    "equal lengths": (lengths, [waiting(f"h1/cpu{at}", [7] * 256) for at in range(MANY)], {}),
    "no length": (lengths, LOADS, {}),
}
each = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws a case, and gives its figure as it was written."""
    kept = []

    def draw(name):
        module, given_, options = CASES[name]
        write = module.write
        monkeypatch.setattr(module, "write", lambda figure, path: (kept.append(figure), write(figure, path)))
        module.save(given_, tmp_path / "chart.png", **options)
        return kept[-1]

    return draw


def texts_of(figure):
    """All that is written, with its rectangle in pixels, as far as it is seen."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    seen = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    # (an annotation's rectangle without its leader)
    return [(text, Text.get_window_extent(text, renderer)) for text in seen]


def words(figure):
    return [text.get_text() for text, _ in texts_of(figure)]


@each
def test_no_text_meets_another_and_all_are_inside(drawn, name):
    figure = drawn(name)
    found = texts_of(figure)
    assert found
    page = figure.bbox
    for text, box in found:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1
        assert inside, f"{text.get_text()!r} leaves the picture"
        assert text.get_fontsize() >= chart.POINTS
    for (one, box), (other, beside) in combinations(found, 2):
        across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        up = min(box.y1, beside.y1) - max(box.y0, beside.y0)
        assert across < 1 or up < 2, f"{one.get_text()!r} meets {other.get_text()!r}"


@each
@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_the_same_chart_is_the_same_file(tmp_path, name, suffix):
    module, given_, options = CASES[name]
    files = [tmp_path / f"{number}.{suffix}" for number in range(2)]
    for path in files:
        module.save(given_, path, **options)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize("module", [latency, throughput, slope, bill, queues, lengths])
def test_what_cannot_be_written_is_a_usage_error(tmp_path, module):
    with pytest.raises(UsageError, match="no picture format"):
        module.save([] if module in (queues, lengths) else {}, tmp_path / "chart.gif")
    with pytest.raises(UsageError, match="no folder"):
        module.save([] if module in (queues, lengths) else {}, tmp_path / "gone" / "chart.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["latency", "throughput", "slope", "bill", "queues", "lengths"])
def test_each_runs_by_itself(tmp_path, name):
    path = tmp_path / "example.png"
    subprocess.run([sys.executable, "-m", f"simnet.draw.{name}", str(path)], check=True, timeout=60)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_importing_them_imports_no_drawing_library():
    code = "import sys; from simnet.draw import latency, throughput, slope, bill, queues, lengths, chart"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'matplotlib' not in sys.modules"], check=True, timeout=60)


def test_three_charts_are_panels_of_one_figure(tmp_path):
    figure, panels = chart.new(10.5, 3.0, 3)
    latency.draw_on(panels[0], MODES, first=FIRST)
    throughput.draw_on(panels[1], CASES["throughput"][1])
    bill.draw_on(panels[2], CASES["bill"][1], first=True)
    chart.fit(figure, panels, top=0.4, least=1.5)
    boxes = [axes.get_tightbbox() for axes in panels]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
    assert boxes[0].x0 >= 0
    assert max(box.y1 for box in boxes) <= figure.bbox.y1 - 0.4 * figure.dpi
    assert min(box.y0 for box in boxes) >= 0


# --- what each says ---------------------------------------------------------------------------------------------------


def lines_of(figure):
    return [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]


def test_one_latency_alone_is_an_upright_line(drawn):
    figure = drawn("one latency")
    later, first = lines_of(figure)
    assert later.get_xydata().tolist() == [[12_300, 0], [12_300, 1]]
    assert first.get_xydata().tolist() == [[54_000, 0], [54_000, 1]]
    assert later.get_linestyle() == "-"
    assert first.is_dashed()
    assert "latency (µs), dashed: first exchanges" in words(figure)


def test_a_tail_is_what_a_distribution_leaves():
    axes = chart.new(7, 3)[1][0]
    latency.draw_on(axes, {"some": histogram(10, 10, 10, 20)}, tail=True)
    (line,) = (line for line in axes.lines if line.get_drawstyle() == "steps-post")
    assert line.get_xdata().tolist() == [10, 10, 20]
    assert line.get_ydata()[:2].tolist() == [1, 0.25]
    assert line.get_ydata()[2] < axes.get_ylim()[0]
    assert axes.get_yscale() == axes.get_xscale() == "log"


def test_percentiles_are_marked_where_they_are_as_far_as_exchanges_tell():
    axes = chart.new(7, 3)[1][0]
    latency.draw_on(axes, {"many": MODES["host"], "few": histogram(*range(1, 101))})
    marks = [line.get_xydata().tolist() for line in axes.lines if line.get_linestyle() == "None"]
    many = MODES["host"].percentiles((50, 99, 99.9))
    assert marks == [[[many[0], 0.5], [many[1], 0.99], [many[2], 99.9 / 100]], [[50, 0.5], [99, 0.99]]]


def test_a_line_of_many_points_is_thinned_by_less_than_print_shows(drawn):
    found = spread(1e3, 1e5, 200_000)
    times, shares = found.distribution()
    axes = chart.new(7, 3)[1][0]
    latency.draw_on(axes, {"some": found})
    drawn_times, drawn_shares = axes.lines[-2].get_data()
    assert len(drawn_times) < len(times)
    there = np.searchsorted(drawn_times, times, side="right") - 1
    assert np.max(np.abs(drawn_shares[there] - shares)) < 0.003


def test_equal_lines_are_named_together_and_all_seen(drawn):
    figure = drawn("equal latencies")
    assert "f0\nf1\nf2" in words(figure)
    widths = [line.get_linewidth() for line in lines_of(figure)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3


def test_times_of_nothing_have_a_place(drawn):
    figure = drawn("latencies of 0")
    assert figure.axes[0].get_xlim()[0] < 0
    assert {"0", "none: none measured"} <= set(words(figure))


def test_many_lines_are_told_apart_without_colour():
    assert len({chart.look(at).mark for at in range(MANY)}) == MANY
    styles = list(bill.STYLES.values())
    greys = [np.dot([int(colour[at : at + 2], 16) for at in (1, 3, 5)], (0.299, 0.587, 0.114)) for colour, _ in styles]
    for at in range(len(styles) - 1):
        assert abs(greys[at] - greys[at + 1]) > 25 or styles[at][1] != styles[at + 1][1]
    assert tuple(bill.STYLES) == keys.HEADINGS


def test_bars_say_their_interval_and_unit(drawn):
    assert {"9.410 ± 0.020", "8.12 ± 0.11", "2.93", "Gbit/s"} <= set(words(drawn("throughput")))
    assert {"1.0000 ± 0.0021", "0.311", "times host"} <= set(words(drawn("relative")))
    assert {"43.21 ± 0.12", "thousand exchanges/s"} <= set(words(drawn("one rate")))
    assert {"1.00 ± 0.10 kbit/s", "100 ± 10", "Gbit/s"} <= set(words(drawn("many rates")))


def test_a_baseline_must_be_there_and_more_than_nothing(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'host'"):
        throughput.save({"host": (1, 0)}, tmp_path / "x.png", baseline="hots")
    with pytest.raises(UsageError, match="host is 0"):
        throughput.save({"host": (0, 0)}, tmp_path / "x.png", baseline="host")
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=9, unique=True), st.integers(0, 99), st.integers(0, 10**6))
def test_a_straight_line_is_fitted_as_it_is(counts, step, base):
    fit = slope.fitted(counts, [base + step * number for number in counts])
    assert isclose(fit.slope, step, abs_tol=1e-6)
    assert isclose(fit.base, base, abs_tol=1e-3)


@pytest.mark.parametrize("name", ["slope", "slope, log"])
def test_slopes_stand_at_their_lines(drawn, name):
    assert {"bridge, first\n44 ns/rule", "bridge\n1.2 ns/rule", "host\n0 ns/rule"} <= set(words(drawn(name)))


def test_bills_are_in_the_order_of_the_headings_with_their_totals(drawn):
    figure = drawn("bill")
    said = words(figure)
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == list(keys.HEADINGS)
    assert [text for text in said if "first" in text or text == "later"] == [
        "host, first",
        "later",
        "bridge, first",
        "later",
    ]
    assert said.count(f"{sum(range(1, len(keys.HEADINGS) + 1))} µs") == 3
    assert "1.2 µs" in said
    spans = [collection.get_paths()[0].get_extents() for collection in figure.axes[0].collections]
    assert all(isclose(one.x1, other.x0) for one, other in pairwise(spans))
    assert isclose(spans[-1].x1, sum(range(1, len(keys.HEADINGS) + 1)))


def test_an_own_heading_comes_last():
    axes = chart.new(7, 3)[1][0]
    own = Bill({"mine": 10, keys.WIRES: 5}, None)
    bill.draw_on(axes, {"x": (own, own)})
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [keys.WIRES, "mine"]


def test_queues_leave_out_what_had_nothing_to_do(drawn):
    said = words(drawn("queues"))
    assert {"92 %", "1.2 ms", "18.4 µs", "1,000, 310 dropped, 5 lost", "31", "h1/cpu0"} <= set(said)
    assert "idle" not in said
    with pytest.raises(UnknownName, match="no measure"):
        queues.draw_on(chart.new(7, 3)[1][0], LOADS, "bussy")


def test_a_queue_is_level_in_each_span_and_gone_after_the_last(drawn):
    first, _ = drawn("lengths").axes[0].lines
    span = 1 << 20
    assert first.get_xydata().tolist()[:4] == [[0, 0], [span, 0], [span, 3], [2 * span, 3]]
    assert first.get_xydata().tolist()[-3:] == [[7 * span, 1], [7 * span, 0], [7 * span, 0]]


@pytest.mark.parametrize("name", ["no latency", "no rate", "no slope", "no bill", "no queue", "no length"])
def test_nothing_is_said_to_be_nothing(drawn, name):
    assert re.search(r"nothing (was measured|had anything to do|waited)", " ".join(words(drawn(name))))


def test_a_name_is_never_read_as_a_formula(tmp_path):
    path = tmp_path / "chart.svg"
    latency.save({"$a_1$": histogram(5), "b": histogram(9)}, path)
    throughput.save({"$a_1$": (5, 1)}, tmp_path / "bars.svg")
    for file in tmp_path.iterdir():
        assert "$a_1$" in file.read_text(encoding="utf-8")


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 1)), min_size=1, max_size=12),
    st.floats(1, 8),
)
def test_labels_at_the_ends_do_not_meet(wanted, most):
    wanted.sort()
    places, heights = [place for place, _ in wanted], [height for _, height in wanted]
    found = labels._spread(places, heights, most)
    if sum(heights) > most:
        assert found is None
        return
    edges = [(place - height / 2, place + height / 2) for place, height in zip(found, heights, strict=True)]
    assert edges[0][0] >= -1e-9
    assert edges[-1][1] <= most + 1e-9
    assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(edges))


@given(st.floats(1, 1e12), st.floats(1.06, 1e8), st.integers(2, 9))
def test_logarithmic_ticks_are_few_and_inside(low, factor, most):
    places = chart.log_ticks(low, low * factor, most)
    assert len(places) <= most + 1
    assert places == sorted(set(places))
    assert all(low * 0.99 <= place <= low * factor * 1.01 for place in places)
