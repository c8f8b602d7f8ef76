"""A file of results: what goes in comes out, whatever happens to the process, the disk or the file meanwhile."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.net.conversation import Totals
from simnet.sim.experiment import Bill, Flow, Load, Outcome
from simnet.sim.histogram import Histogram
from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson
from simnet.sim.traffic import Traffic
from simnet.study.conditions import Conditions, model_hash, text_hash
from simnet.study.results import Kept, Results, ResultsError

HERE = Conditions("a.yaml", "1f", {"h1.engine": "28.5"}, exchanges=100, costs="c", prices="2e", model="3d")
BILL = Bill({"rules": 1200, "copy": 0}, Totals(2, 8, 2, 10, 14, 21, 3, 4))


def histogram(times):
    found = Histogram()
    found.add(np.array(times, np.int64))
    return found


def outcome(seed, arrivals=None, first=(5000,), later=(100, 2000, 2000)):
    traffic = Traffic("web", "wan", 0xC0000202, 80, kind="open" if arrivals else "requests", arrivals=arrivals)
    flow = Flow(traffic, histogram(first), histogram(later), 0.25, 512, 4, 1, len(first) + len(later))
    loads = [Load("h1/cpu0", 9, 0.5, 12.5, 1, 2, 3, (0, 3, 1), 1000), Load("h1/cpu1", 0, 0, 0, 0, 0, 0)]
    return Outcome(seed, {"web": flow}, loads, 10**9, 0.125, "loop")


def held(times):
    return times.buckets(), times.count, times.sum, times.least, times.greatest


def same(one, other):
    assert (one.seed, one.stations, one.ended, one.took, one.engine) == (
        other.seed, other.stations, other.ended, other.took, other.engine)  # fmt: skip
    assert list(one.flows) == list(other.flows)
    for mine, theirs in zip(one.flows.values(), other.flows.values(), strict=True):
        assert (mine.traffic, mine.seconds, mine.payload, mine.begun, mine.failed) == (
            theirs.traffic, theirs.seconds, theirs.payload, theirs.begun, theirs.failed)  # fmt: skip
        assert (held(mine.first), held(mine.later)) == (held(theirs.first), held(theirs.later))


@pytest.fixture
def results(tmp_path):
    with Results(tmp_path / "r.sqlite") as found:
        yield found


@settings(max_examples=25)
@given(st.lists(st.integers(0, 2**52), max_size=50), st.lists(st.integers(0, 2**52), max_size=50), st.integers(0))
def test_what_goes_in_comes_out(tmp_path_factory, first, later, seed):
    seed %= 2**62
    with Results(tmp_path_factory.mktemp("r") / "r.sqlite") as results:
        results.add(HERE, [outcome(seed, None, first, later)], {"web": (BILL, BILL)})
        (kept,) = results
    assert (kept.conditions, dict(kept.bills)) == (HERE, {"web": (BILL, BILL)})
    assert kept.when
    same(kept.outcome, outcome(seed, None, first, later))


@pytest.mark.parametrize("arrivals", [Constant(10), Poisson(1e5), OnOff(10, 20, 3)])
def test_arrivals_come_back(results, arrivals):
    results.add(HERE, [outcome(1, arrivals)])
    assert next(iter(results)).outcome.flows["web"].traffic.arrivals == arrivals


def test_times_that_a_file_gave_are_not_repeated(results):
    results.add(HERE, [outcome(1, FromTimes([1, 2]))])
    assert next(iter(results)).outcome.flows["web"].traffic.arrivals is None


def test_a_run_is_kept_once(results):
    results.add(HERE, [outcome(1), outcome(2)])
    results.add(HERE, [outcome(2), outcome(3)])
    assert [kept.outcome.seed for kept in results] == [1, 2, 3]
    assert results.seeds(HERE) == {1, 2, 3}
    assert [kept.outcome.seed for kept in results.of(HERE, [3, 9, 1])] == [3, 1]


@pytest.mark.parametrize(
    "other",
    [{"text": "0"}, {"settings": {"h1.engine": "20.10"}}, {"exchanges": 101}, {"duration": 1}, {"warmup": 1},
     {"engine": "walks"}, {"prices": "0"}, {"version": "0"}, {"model": "0"}],
)  # fmt: skip
def test_other_conditions_are_other_runs(results, other):
    results.add(HERE, [outcome(1)])
    there = replace(HERE, **other)
    assert results.seeds(there) == set()
    results.add(there, [outcome(1)])
    assert len(results) == 2


def test_a_source_that_was_moved_is_the_same(results):
    results.add(HERE, [outcome(1)])
    assert results.seeds(replace(HERE, scenario="b/a.yaml")) == {1}


def test_all_of_a_point_or_none(results):
    bad = replace(outcome(2), stations=[Load("cpu", object(), 0, 0, 0, 0, 0)])
    with pytest.raises(ResultsError, match="what is in it stays"):
        results.add(HERE, [outcome(1), bad])
    assert len(results) == 0
    results.add(HERE, [outcome(1)])
    assert len(results) == 1


def test_a_frame_has_a_row_for_each_run_and_traffic(results, tmp_path):
    pandas = pytest.importorskip("pandas")
    results.add(HERE, [outcome(1), outcome(2)], {"web": (BILL, BILL)})
    frame = results.frame()
    assert list(frame["seed"]) == [1, 2]
    row = frame.iloc[0]
    assert (row["h1.engine"], row["traffic"], row["count"], row["rate"], row["bill.first.rules"]) == (
        "28.5", "web", 4, 16.0, 1200)  # fmt: skip
    assert abs(row["p50"] / 2000 - 1) < 0.001
    pytest.importorskip("pyarrow")
    results.parquet(tmp_path / "r.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "r.parquet"), frame)
    with pytest.raises(ResultsError, match="no folder"):
        results.parquet(tmp_path / "no" / "r.parquet")


def test_files_that_are_not_ours_are_left_as_they_are(tmp_path):
    text, database, newer = tmp_path / "a.txt", tmp_path / "b.sqlite", tmp_path / "c.sqlite"
    text.write_text("to be or not to be\n" * 100)
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE t (a)")
    other.close()
    Results(newer).close()
    with sqlite3.connect(newer) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    for path, said in ((text, "not a file of results"), (database, "not of simnet's"), (newer, "of another version"),
                       (tmp_path, "cannot be opened"), (tmp_path / "no" / "r", "no folder")):  # fmt: skip
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(ResultsError, match=said) as told:
            Results(path)
        assert str(told.value).startswith(str(path))
        assert before == (path.read_bytes() if path.is_file() else None)


def test_an_empty_file_is_begun(tmp_path):
    (tmp_path / "r").touch()
    with Results(tmp_path / "r") as results:
        assert list(results) == []


WRITER = """
import sys
from tests_results import HERE, outcome
from pathlib import Path
from simnet.study.results import Results
with Results(Path(sys.argv[1])) as results:
    for seed in range(10**6):
        results.add(HERE, [outcome(seed)])
        print(seed, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.031])
def test_a_writer_that_is_killed_loses_no_run_that_it_has_told_of(tmp_path, delay):
    shutil.copy(__file__, tmp_path / "tests_results.py")
    path = tmp_path / "r.sqlite"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, env=environment) as writer:
        for _ in range(5):
            writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        told = 5 + len(writer.stdout.read().splitlines())
    with Results(path) as results:
        seeds = [kept.outcome.seed for kept in results]
        assert seeds == list(range(len(seeds)))
        assert told <= len(seeds) <= told + 1
        for kept in results:
            same(kept.outcome, outcome(kept.outcome.seed))


FULL = """
import resource, sys
from tests_results import HERE, outcome
from pathlib import Path
from simnet.study.results import Results, ResultsError
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
results, seed = Results(Path(sys.argv[1])), 0
try:
    while True:
        results.add(HERE, [outcome(seed)])
        seed += 1
except ResultsError as error:
    print(seed, error)
"""


def test_a_full_disk_is_told_and_what_is_in_it_stays(tmp_path):
    shutil.copy(__file__, tmp_path / "tests_results.py")
    path = tmp_path / "r.sqlite"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, env=environment, check=True
    )
    count, _, said = done.stdout.partition(" ")
    assert said.startswith(f"{path}: cannot be written: ")
    assert said.endswith("; what is in it stays\n")
    with Results(path) as results:
        assert [kept.outcome.seed for kept in results] == list(range(int(count)))
        results.add(HERE, [outcome(int(count))])
        assert len(results) == int(count) + 1


def test_hashes_are_the_same_in_every_process():
    asked = """
from simnet.scenario.source import read_source
from simnet.study.conditions import model_hash, text_hash
sources = "scenarios/basics/modes.yaml", "scenarios/snapshots/seed-modes-28.5"
print(model_hash(), *(text_hash(read_source(source)) for source in sources))
"""
    said = {subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
            for _ in range(2)}  # fmt: skip
    assert len(said) == 1
    assert said.pop().startswith(model_hash())


def test_what_a_source_says_counts_not_where_it_says_it(tmp_path):
    from simnet.scenario.source import read_source

    def hashed(name, text):
        (tmp_path / name).write_text(text)
        return text_hash(read_source(str(tmp_path / name)))

    one = hashed("a.yaml", "hosts: {h1: {containers: {web: {publish: '80:80'}}}}")
    assert one == hashed("b.yaml", "# a word\nhosts:\n  h1:\n    containers: {web: {publish: '80:80'}}\n")
    assert one != hashed("c.yaml", "hosts: {h1: {containers: {web: {publish: '81:80'}}}}")


def test_times_that_a_source_names_count(tmp_path):
    from simnet.scenario.source import read_source

    source, times = tmp_path / "a.yaml", tmp_path / "times.csv"
    source.write_text("hosts: {h1: {containers: {web: {publish: '80:80'}}}}\nmachines: {wan: {}}\n"
                      "traffic: {web: {from: wan, to: 'web:80', open: {times: times.csv}},\n"
                      "          db: {from: wan, to: 'web:80', requests: {}}}\n")  # fmt: skip
    times.write_text("0\n0.1\n")
    before = [text_hash(read_source(str(source)), names) for names in ((), ["web"], ["db"])]
    times.write_text("0\n0.2\n")
    after = [text_hash(read_source(str(source)), names) for names in ((), ["web"], ["db"])]
    assert len({*before, *after}) == 5
    assert before[2] == after[2]


def test_kept_runs_can_be_merged(results):
    results.add(HERE, [outcome(1, None, (), (1, 2)), outcome(2, None, (), (3,))])
    both = Histogram()
    for kept in results:
        assert isinstance(kept, Kept)
        both.merge(kept.outcome.flows["web"].latency)
    assert (both.count, both.sum, both.greatest) == (3, 6, 3)
