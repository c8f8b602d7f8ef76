"""`simnet sweep` as a person runs it: killed, stopped, with a worker that dies, on a full disk, and gone on with."""

import csv
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simnet.cli.main import main
from simnet.study.results import Results

TWO = "tests/study/two.yaml"
COMMAND = [sys.executable, "-c", "from simnet.cli.main import main; main()", "sweep", TWO]
# six points of a good part of a second each
SIX = ["--vary", "h1.cpus=1,2", "--vary", "traffic.web.connections.clients=1,2,4", "--exchanges", "1200",
       "--workers", "2"]  # fmt: skip


def run(capsys, *words):
    code = 0
    try:
        main(["sweep", TWO, *map(str, words)])
    except SystemExit as done:
        code = done.code or 0
    said = capsys.readouterr()
    return said.out, said.err, code


def begun(*words, **how):
    """A sweep in a process group of its own."""
    return subprocess.Popen([*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, **how)  # fmt: skip


def kept(path):
    """The points in a file, with the time at which each was added; none where there is no file yet."""
    if not path.exists():
        return {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as file:
        try:
            found = dict(file.execute("SELECT key, id FROM run"))
        except sqlite3.OperationalError:
            found = {}
    file.close()
    return found


def wait_for(path, count):
    deadline = time.monotonic() + 60
    while len(kept(path)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def group(leader):
    """The processes of a group, with their parents."""
    found = {}
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, of = one.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == leader and state != "Z":
            found[int(one.parent.name)] = int(parent)
    return found


def ended(leader):
    deadline = time.monotonic() + 20
    while group(leader):
        assert time.monotonic() < deadline, group(leader)
        time.sleep(0.02)


def went_on(path, before):
    """Run the same sweep to its end: what was there stays as it is, and what was lacking is there."""
    with begun(*SIX, "-o", path, "--format", "json") as sweep:
        out, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, err
    assert f"{len(before)} of 6 points were there already" in err
    after = kept(path)
    assert len(after) == 6
    assert {key: after[key] for key in before} == before
    assert len(json.loads(out)["points"]) == 12


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("whole", [True, False], ids=["the group", "the parent alone"])
def test_a_killed_sweep_loses_no_finished_point_and_repeats_none(tmp_path, whole):
    path = tmp_path / "r.sqlite"
    with begun(*SIX, "-o", path) as sweep:
        wait_for(path, 2)
        (os.killpg if whole else os.kill)(sweep.pid, signal.SIGKILL)
        sweep.communicate(timeout=60)
    before = kept(path)
    assert 2 <= len(before) < 6
    ended(sweep.pid)
    assert kept(path) == before
    went_on(path, before)


def test_a_stopped_sweep_keeps_what_is_finished_and_says_how_to_go_on(tmp_path):
    path = tmp_path / "r.sqlite"
    with begun(*SIX, "-o", path) as sweep:
        wait_for(path, 1)
        began = time.monotonic()
        os.killpg(sweep.pid, signal.SIGINT)
        out, err = sweep.communicate(timeout=60)
    assert time.monotonic() - began < 10
    before = kept(path)
    assert (sweep.returncode, out) == (130, "")
    assert err == f"{len(before)} of 6 points are in {path}; the same command goes on from there\nsimnet: stopped\n"
    ended(sweep.pid)
    went_on(path, before)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_that_dies_is_told_of_with_its_point_and_the_others_go_on(tmp_path):
    path = tmp_path / "r.sqlite"
    with begun(*SIX, "-o", path, "--format", "csv") as sweep:
        wait_for(path, 1)
        parents = group(sweep.pid)
        # the workers are children of the server that forks them
        worker = next(one for one, parent in parents.items() if parents.get(parent) == sweep.pid)
        os.kill(worker, signal.SIGKILL)
        out, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    told, count, _wrote = err.splitlines()
    assert told.startswith("simnet: h1.cpus=")
    assert ": its process was killed by SIGKILL" in told
    assert count == "simnet: 1 of 6 points have no result; the others are kept"
    assert len(list(csv.reader(io.StringIO(out)))) == 1 + 5 * 2
    went_on(path, kept(path))


def test_a_full_disk_is_told_of_and_what_is_kept_stays(tmp_path):
    path = tmp_path / "r.sqlite"

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))

    with begun(*SIX, "--replications", "3", "-o", path, preexec_fn=small) as sweep:
        _, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    assert err.startswith(f"simnet: {path}: cannot be written: ")
    assert err.count("\n") == 1
    ended(sweep.pid)
    with Results(path) as results:
        before = [one.outcome.seed for one in results]
    assert len(before) % 3 == 0
    assert len(before) < 18


def test_table_csv_and_json_tell_the_same(capsys, tmp_path):
    words = ["--vary", "h1.cpus=1,2", "--exchanges", "50", "--replications", "2", "-o", tmp_path / "r.sqlite"]
    text, err, code = run(capsys, *words)
    assert (code, err) == (0, f"wrote {tmp_path / 'r.sqlite'}\n")
    lines = text.splitlines()
    assert lines[0].split() == ["cpus", "traffic", "rate", "p50", "p99", "throughput"]
    assert [line.split()[:2] for line in lines[1:]] == [["1", "web"], ["1", "db"], ["2", "web"], ["2", "db"]]
    found = json.loads(run(capsys, *words, "--format", "json")[0])
    assert (found["schema"], found["varied"], found["units"]["p99"]) == ("simnet.sweep/1", ["h1.cpus"], "ns")
    out, err, _ = run(capsys, *words, "--format", "csv")
    assert err == f"2 of 2 points were there already\nwrote {tmp_path / 'r.sqlite'}\n"
    for line, point in zip(csv.DictReader(io.StringIO(out)), found["points"], strict=True):
        assert (line["h1.cpus"], line["traffic"]) == (point["values"]["h1.cpus"], point["traffic"])
        for name, pair in point["measures"].items():
            assert (float(line[name]), float(line[f"{name} ±"])) == (pair["mean"], pair["ci95"])


def test_tables_and_figures_are_written_beside(capsys, tmp_path):
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    table, figure = tmp_path / "r.parquet", tmp_path / "a.svg"
    words = ["--vary", "h1.cpus=1,2", "--exchanges", "5", "-o", table, "-o", figure, "--measure", "mean"]
    _, err, code = run(capsys, *words)
    assert (code, err) == (0, f"wrote {table}\nwrote {figure}\n")
    assert sorted(pandas.read_parquet(table)["h1.cpus"]) == ["1", "1", "2", "2"]
    assert "mean latency" in figure.read_text("utf-8")


def test_where_runs_are_not_exact_it_is_said(capsys, monkeypatch):
    from simnet.sim.experiment import Experiment

    monkeypatch.setattr(Experiment, "notes", ("a word",))
    monkeypatch.setattr("simnet.study.workers.each", lambda jobs, work, *_, **__: ((job, work(job)) for job in jobs))
    assert run(capsys, "--vary", "h1.cpus=1,2", "--exchanges", "5")[1] == "note: a word\n"


def test_a_sample_is_the_same_for_the_same_seed(capsys):
    words = ["--vary", "wires.lan.delay=10us..1ms", "--vary", "h1.cpus=1..4", "--sample", "lhs", "--points", "4",
             "--exchanges", "10", "--format", "csv"]  # fmt: skip
    first, err, code = run(capsys, *words, "--seed", "3")
    assert (err, code) == ("", 0)
    points = [line["wires.lan.delay"] for line in csv.DictReader(io.StringIO(first))]
    assert len(set(points)) == 4
    assert run(capsys, *words, "--seed", "3")[0] == first


def test_points_that_are_not_different_are_told_of(capsys):
    out, err, _ = run(capsys, "--vary", "h1.cpus=1,2", "--sample", "random", "--points", "30", "--exchanges", "5")
    assert err == "note: 2 of the 30 points are different ones\n"
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--vary", "h1.cpus"], "is not PATH=VALUES"),
        (["--vary", "h1.cpus=4..1"], "from the lesser to the greater"),
        (["--vary", "h1.cpus=1,2", "--sample", "lhs"], "needs --points"),
        (["--vary", "h1.cpus=1,2", "--measure", "p98"], "no measure 'p98'; did you mean"),
        (["--vary", "h1.cpus=1,2", "--over", "h1.cpu"], "no path that varies 'h1.cpu'; did you mean 'h1.cpus'?"),
        (["--vary", "h1.cpus=1,2", "--workers", "0"], "--workers must be 1 or more"),
        (["--vary", "h1.cpus=1,2", "-o", "a.sqlite", "-o", "b.sqlite"], "one .sqlite file"),
        (["--vary", "h1.cpus=1,2", "-o", "a.jpg"], "no picture format '.jpg'"),
        (["--vary", "h1.cpus=1,2", "-o", "no/a.sqlite"], "no folder 'no'"),
        (["--vary", "h1.cpus=1,2", "--set", "h1"], "--set 'h1'"),
        (["--vary", "h1.cpus=1,2", "--engine", "1.0"], "1.0"),
        (["--vary", "a.b=1", "--vary", "c.d=1", "--vary", "e.f=1", "-o", "a.png"], "name them by --over"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(capsys, words, said):
    out, err, code = run(capsys, *words)
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert code in {2, 3}
