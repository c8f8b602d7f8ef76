"""`simnet run`: what it prints, in which form, what it keeps, and what it ends with."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simnet.cli.main import main
from simnet.cli.run import _DRAWN
from simnet.draw.run_figures import FIGURES
from simnet.study.results import Results

SCENARIO = """simnet: 1
hosts:
  h1: {containers: {web: {publish: "8080:80", listen: [tcp/80, udp/53]}}}
machines: {wan: {}}
traffic:
  web: {from: wan, to: "192.0.2.2:8080", requests: {clients: 4, reply: 1KB, poll: true}}
  dns: {from: h1, to: "web:53", proto: udp, open: {rate: 20k/s, arrivals: poisson}}
run: {duration: 5ms}
"""


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file


@pytest.fixture
def run(capsys):
    def ran(*words):
        code = 0
        try:
            main(["run", *map(str, words)])
        except SystemExit as done:
            code = done.code or 0
        said = capsys.readouterr()
        return said.out, said.err, code

    return ran


def test_text_tells_each_traffic_its_bill_and_the_stations(run, scenario):
    out, err, code = run(scenario)
    assert (err, code) == ("", 0)
    assert f"{scenario}, 5.00 ms, seed 0, prices linux-6.18-vm" in out
    assert "web: 4 × requests, tcp from wan to 192.0.2.2:8080" in out
    assert "dns: open, udp from h1 to 172.17.0.2:53" in out
    assert out.count("a later exchange takes ") == 2
    assert [line.split()[0] for line in out.splitlines() if "cpu" in line] == ["cpu0", "cpu1"]
    assert not [line for line in out.splitlines() if "±" in line]


def test_replications_tell_intervals(run, scenario):
    out, _, _ = run(scenario, "--replications", 3, "--seed", 7)
    assert "3 replications, seeds from 7" in out
    assert out.count("± (95 %)") == 2 + 2


def test_json_has_stable_keys_and_times_in_ns(run, scenario):
    out, _, code = run(scenario, "--format", "json", "--replications", 2)
    found = json.loads(out)
    assert (code, found["schema"], found["replications"], found["stopped"]) == (0, "simnet.run/1", 2, False)
    assert found["plan"] == {"exchanges": None, "duration_ns": 5_000_000, "warmup_ns": 0, "seed": 0, "replications": 2,
                             "simulator": "auto"}  # fmt: skip
    web, dns = found["traffic"]
    assert list(web) == ["name", "kind", "proto", "from", "to", "port", "parallel", "exchanges", "begun", "lost",
                         "rate_per_s", "throughput_bit_per_s", "latency_ns", "bill"]  # fmt: skip
    later = web["latency_ns"]["later"]
    assert list(later) == ["count", "mean", "p50", "p90", "p99", "p99_9", "min", "max"]
    assert later["min"] <= later["p50"]["mean"] <= later["p90"]["mean"] <= later["p99_9"]["mean"] <= later["max"]
    assert web["latency_ns"]["first"]["count"] == 4 * 2
    assert dns["rate_per_s"]["ci95"] > 0
    bill = web["bill"]["later"]
    assert sum(one["ns"] for one in bill["headings"].values()) == bill["total_ns"]
    assert sum(one["share"] for one in bill["headings"].values()) == pytest.approx(1)
    assert (bill["hops"], bill["rules_evaluated"]) == (10, 16)
    assert list(found["stations"][0]) == ["name", "jobs", "busy", "mean_wait_ns", "dropped", "lost", "longest_queue"]
    exchanges = web["exchanges"]["mean"]
    assert web["throughput_bit_per_s"]["mean"] == pytest.approx(web["rate_per_s"]["mean"] * (64 + 1000) * 8)
    assert exchanges == pytest.approx(web["rate_per_s"]["mean"] * 0.005, rel=0.05)


def test_csv_has_a_measure_a_line(run, scenario):
    out, _, _ = run(scenario, "--format", "csv", "--traffic", "web")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["of"] for row in rows} == {"traffic", "station"}
    measures = {row["measure"]: float(row["mean"]) for row in rows if row["name"] == "web"}
    assert measures["latency_ns.later.p99_9"] > 0
    assert measures["bill.total_ns"] == sum(
        value for key, value in measures.items() if key.startswith("bill.") and key != "bill.total_ns"
    )


def test_the_same_seed_gives_the_same_and_another_another(run, scenario):
    first, again, other = (run(scenario, "--format", "json", "--seed", seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert json.loads(first)["traffic"] != json.loads(other)["traffic"]


def test_options_stand_over_the_file(run, scenario):
    out, _, _ = run(scenario, "--exchanges", 9, "--traffic", "web", "--set", "traffic.web.requests.clients=2",
                    "--simulator", "loop", "--engine", "20.10", "--format", "json")  # fmt: skip
    found = json.loads(out)
    assert found["plan"]["exchanges"] == 9
    assert found["plan"]["duration_ns"] is None
    assert found["plan"]["simulator"] == "loop"
    assert [one["exchanges"]["mean"] for one in found["traffic"]] == [18]


def test_what_is_warming_up_is_not_measured(run, scenario):
    out, _, _ = run(scenario, "--warmup", "1ms", "--traffic", "web", "--format", "json")
    web = json.loads(out)["traffic"][0]
    assert web["latency_ns"]["first"] is None
    assert web["exchanges"]["mean"] < web["begun"]["mean"]


def test_a_queue_that_overflows_is_told_of(run, scenario):
    out, err, code = run(scenario, "--set", "wires.lan.rate=10Mbit", "--set", "wires.lan.queue=2",
                         "--set", "traffic.web.requests.clients=64", "--traffic", "web",
                         "--format", "json")  # fmt: skip
    assert code == 0
    assert "overflowed: " in err
    assert "packets were dropped in a run" in err
    assert json.loads(out)["overflowed"]


def test_runs_are_kept_and_none_twice(run, scenario, tmp_path):
    file = tmp_path / "r.sqlite"
    for replications in (2, 3):
        _, err, code = run(scenario, "--replications", replications, "--engine", "28.5", "-o", file)
        assert (err, code) == (f"wrote {file}\n", 0)
    run(scenario, "--traffic", "web", "-o", file)
    with Results(file) as results:
        kept = list(results)
    assert [(one.outcome.seed, len(one.outcome.flows)) for one in kept] == [(0, 2), (1, 2), (2, 2), (0, 1)]
    assert kept[0].conditions.settings == {"*.engine": "28.5"}
    assert set(kept[0].bills) == {"web", "dns"}


@pytest.mark.parametrize("figure", _DRAWN)
def test_each_figure_is_drawn(run, scenario, tmp_path, figure):
    file = tmp_path / f"{figure}.svg"
    _, err, code = run(scenario, "--figure", figure, "-o", file)
    assert (err, code) == (f"wrote {file}\n", 0)
    assert "<svg" in file.read_text(encoding="utf-8")


def test_the_option_names_every_figure():
    assert _DRAWN == FIGURES


@pytest.mark.parametrize(
    ("words", "said", "ends"),
    [
        (["--duration", "5"], "'5' lacks its unit", 2),
        (["--duration", "-5us"], "-5us is negative", 2),
        (["--exchanges", "0"], "0 is not in the range", 2),
        (["--warmup", "1s"], "the warm-up is as long as the run", 2),
        (["--simulator", "fast"], "'fast' is not one of", 2),
        (["--simulator", "tandem"], "no closed form holds for this model", 2),
        (["--traffic", "wbe"], "no traffic 'wbe'; did you mean 'web'?", 2),
        (["--costs", "linux"], "no price list 'linux'", 2),
        (["--costs", "none.yaml"], "none.yaml: No such file", 3),
        (["--set", "traffic.dns.open.rate=-1/s"], "--set traffic.dns.open.rate=-1/s: -1/s is no rate", 2),
        (["--set", "traffic.web.to=192.0.2.2:81"], "traffic web: tcp from wan to 192.0.2.2:81 ends in refused", 2),
        (["--set", "wires.wan.delay=1ms"], "no wire 'wan'", 2),
        (["-o", "r.txt"], "no format '.txt'", 2),
        (["-o", "nowhere/r.sqlite"], "no folder 'nowhere'", 2),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run, scenario, words, said, ends):
    out, err, code = run(scenario, *words)
    assert (out, code) == ("", ends)
    assert said in err
    assert "Traceback" not in err


def test_a_source_without_traffic(run):
    _, err, code = run("scenarios/basics/host.yaml")
    assert (code, "has no traffic; write `traffic:" in err) == (2, True)


def test_a_file_of_results_that_is_none(run, scenario, tmp_path):
    file = tmp_path / "r.sqlite"
    file.write_text("not a database, but long enough to be looked at as one" * 20, encoding="utf-8")
    _, err, code = run(scenario, "-o", file)
    assert code == 1
    assert "not a file of results" in err


def test_stopped_by_ctrl_c_it_prints_and_keeps_what_is_finished(scenario, tmp_path):
    file = tmp_path / "r.sqlite"
    words = ["run", str(scenario), "--replications", "100000", "--format", "json", "-o", str(file)]
    command = [sys.executable, "-c", "from simnet.cli.main import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while time.monotonic() < until and not _kept(file):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    found = json.loads(out)
    assert found["stopped"] is True
    assert found["replications"] >= 1
    assert f"stopped after {found['replications']:,} of 100,000 replications" in err
    assert _kept(file) - found["replications"] in {0, 1}  # it may have come between keeping a run and counting it


def _kept(file: Path) -> int:
    if not file.exists() or not file.stat().st_size:
        return 0
    with Results(file) as results:
        return len(results)
