"""`simnet compare`: what it prints in each form, what it draws, and what it refuses."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from simnet.cli.main import main
from simnet.study.modes import MODES, Question, compare

NAMES = [mode.name for mode in MODES]


@pytest.fixture
def run(capsys):
    def ran(*words):
        code = 0
        try:
            main(["compare", "--packets", "50", *map(str, words)])
        except SystemExit as done:
            code = done.code or 0
        said = capsys.readouterr()
        return said.out, said.err, code

    return ran


def rows(out):
    """The table's figures by mode."""
    found = {}
    for line in out.splitlines():
        name, *figures = line.split() or [""]
        if name in NAMES and "→" not in line:
            found[name] = [figure for figure in figures if re.fullmatch(r"[\d.]+", figure)]
    return found


def test_a_row_for_each_mode(run):
    out, err, code = run()
    assert (err, code) == ("", 0)
    assert out.startswith("Docker 28.5, linux-6.18-vm")
    found = rows(out)
    assert list(found) == NAMES
    assert found["host"][2] == found["host"][4] == "1.00"
    assert {len(figures) for name, figures in found.items() if name != "none"} == {8}
    assert "none ✗ net-unreachable" in out


@pytest.mark.parametrize("words", [("--rules", "10000"), ("--sleep",)])
def test_nothing_is_cut_off_at_80_columns(run, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    out, _, _ = run(*words)
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80
    found = rows(out)
    for one in compare("28.5").results:
        figures = found[one.mode.name]
        assert len(figures) == (3 if one.mode.name == "none" else 8)
        if "--rules" not in words:
            assert int(figures[-1]) == one.request.later.rules_evaluated + one.reply.later.rules_evaluated


def test_some_modes_without_the_host_s_have_no_multiples(run):
    out, _, _ = run("--mode", "nat", "--mode", "bridge")
    found = rows(out)
    assert list(found) == ["bridge", "nat"]
    assert {len(figures) for figures in found.values()} == {6}


def test_counts_alone(run):
    out, _, code = run("--counts", "--engine", "20.10", "--engine", "28.5", "--mode", "host")
    assert code == 0
    assert "µs" not in out
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert [line for line in lines if line[0] == "Docker"] == [["Docker", "20.10"], ["Docker", "28.5"]]
    assert [line for line in lines if line[0] == "host"] == [["host", "4", "6", "0"], ["host", "4", "8", "2"]]


def test_json_is_what_the_library_tells(run):
    out, err, code = run("--rules", "0,100", "--mode", "host", "--mode", "nat", "--mode", "none", "--format", "json")
    assert (err, code) == ("", 0)
    found = json.loads(out)
    assert found["schema"] == "simnet.compare/2"
    plain, ruled = found["comparisons"]
    assert [one["conditions"]["rules"] for one in (plain, ruled)] == [0, 100]
    assert plain["conditions"] | {"costs_digest": ""} == {
        "costs": "linux-6.18-vm", "costs_digest": "", "backend": "legacy", "exchanges": 50, "rules": 0,
        "accept_established": True, "polls": True, "proto": "udp", "size": 64, "seed": 0,
    }  # fmt: skip
    assert [mode["mode"] for mode in plain["modes"]] == ["host", "nat", "none"]
    nothing = plain["modes"][2]
    assert (nothing["verdict"], nothing["server_saw"], "round_trip" in nothing) == ("net-unreachable", None, False)
    from simnet.sim.prices.costs import load

    result = compare(question=Question(load(), exchanges=50), modes=["host", "nat"]).results[1]
    told = plain["modes"][1]
    assert told["round_trip"]["first_ns"] == result.timing.first
    assert told["round_trip"]["later_ns"]["mean"] == result.timing.later.mean
    assert list(told["round_trip"]["later_ns"]) == ["mean", "p50", "p90", "p99", "p99.9"]
    assert told["stream"]["packets_per_s"] == result.timing.packets
    assert told["bill_ns"]["later"] == dict(result.timing.bills[1].headings)
    assert sum(told["bill_ns"]["first"].values()) == result.timing.bills[0].total
    assert told["request"]["first"]["hops"] == result.request.first.hops


def test_csv_has_a_line_for_each_way_and_packet(run):
    out, _, code = run("--format", "csv", "--rules", "0,100", "--engine", "20.10", "--engine", "28.5")
    assert code == 0
    lines = list(csv.DictReader(io.StringIO(out)))
    assert len(lines) == 2 * 2 * len(NAMES) * 4
    assert {(line["engine"], line["rules"]) for line in lines} == {
        (engine, rules) for engine in ("20.10", "28.5") for rules in ("0", "100")
    }
    told = json.loads(run("--format", "json")[0])["comparisons"][0]["modes"]
    for one in told:
        mine = {
            (line["way"], line["packet"]): line
            for line in lines if (line["engine"], line["rules"], line["mode"]) == ("28.5", "0", one["mode"])
        }  # fmt: skip
        assert len(mine) == 4
        for (way, packet), line in mine.items():
            assert int(line["rules_evaluated"]) == one[way][packet]["rules_evaluated"]
            timed = way == "request" and one["mode"] != "none"
            assert line["round_trip_first_ns"] == (str(one["round_trip"]["first_ns"]) if timed else "")
            assert line["stream_relative"] == (str(one["stream"]["relative"]) if timed else "")


def test_csv_of_counts_has_no_times(run):
    lines = list(csv.DictReader(io.StringIO(run("--format", "csv", "--counts")[0])))
    assert len(lines) == len(NAMES) * 4
    assert {line["costs"] + line["rules"] + line["round_trip_later_ns"] for line in lines} == {""}


def test_rules_with_and_without_an_accept(run):
    words = ("--rules", "0,10000", "--mode", "nat", "--format", "json")
    trips = {}
    for flag in ("--accept-established", "--no-accept-established"):
        found = json.loads(run(*words, flag)[0])["comparisons"]
        assert {one["conditions"]["accept_established"] for one in found} == {flag == "--accept-established"}
        trips[flag] = [one["modes"][0]["round_trip"] for one in found]
    (none, behind), (_, before) = trips.values()
    assert behind["first_ns"] - none["first_ns"] == pytest.approx(220_000, rel=0.05)
    assert behind["later_ns"]["mean"] <= none["later_ns"]["mean"]
    assert before["later_ns"]["mean"] - none["later_ns"]["mean"] == pytest.approx(440_000, rel=0.05)


def test_both_back_ends(run):
    means = []
    for backend in ("legacy", "nft"):
        (found,) = json.loads(run("--backend", backend, "--mode", "nat", "--format", "json")[0])["comparisons"]
        assert found["conditions"]["backend"] == backend
        means.append(found["modes"][0]["round_trip"]["later_ns"]["mean"])
    assert means[0] != means[1]


def test_a_price_list_of_one_s_own(run, tmp_path):
    own = tmp_path / "own.yaml"
    scale = "{of: all, factor: 2, hardware: none, source: a test}"
    own.write_text(f"name: twice\nextends: linux-6.18-vm\nscale:\n  - {scale}\n", encoding="utf-8")
    words = ("--mode", "nat", "--format", "json", "--costs", "linux-6.18-vm", "--costs", own)
    once, twice = json.loads(run(*words)[0])["comparisons"]
    assert twice["conditions"]["costs"] == "twice"
    assert twice["conditions"]["costs_digest"] != once["conditions"]["costs_digest"]
    mean, double = (one["modes"][0]["round_trip"]["later_ns"]["mean"] for one in (once, twice))
    assert double == pytest.approx(2 * mean, rel=0.001)


BEGINNINGS = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_a_figure_of_each_form(run, tmp_path, form):
    file = tmp_path / f"modes.{form}"
    words = ("--counts",) if form == "pdf" else ("--rules", "0,100") if form == "png" else ()
    out, err, code = run("--mode", "host", "--mode", "nat", "--format", "csv", "-o", file, *words)
    assert (err, code) == (f"wrote {file}\n", 0)
    assert out.startswith("engine,costs,rules,mode")
    assert file.read_bytes().startswith(BEGINNINGS[form])
    assert list(tmp_path.iterdir()) == [file]


def test_a_figure_whose_place_is_taken_by_a_folder(run, tmp_path):
    file = tmp_path / "modes.png"
    file.mkdir()
    out, err, code = run("--mode", "host", "-o", file)
    assert (out, code) == ("", 2)
    assert err == f"simnet: -o {file}: cannot be written: Is a directory\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("words", "said", "exits"),
    [
        (["--rules", "1,x"], "--rules 1,x: numbers from 0 to 1,000,000 are wanted, as 0,100,1000", 2),
        (["--rules", "-5"], "--rules -5: numbers from 0", 2),
        (["--rules", "1,,2"], "--rules 1,,2: numbers from 0", 2),
        (["--rules", ""], "--rules : numbers from 0", 2),
        (["--rules", "1000001"], "--rules 1000001: numbers from 0", 2),
        (["--rules", "1.5", "--counts"], "--rules 1.5: numbers from 0", 2),
        (["--costs", "linux-6.18-vn"], "no price list 'linux-6.18-vn'; did you mean 'linux-6.18-vm'?", 2),
        (["--costs", "nowhere.yaml"], "nowhere.yaml: No such file or directory", 3),
        (["--engine", "1.0"], "no engine version '1.0'", 3),
        (["--engine", "docker"], "no engine version 'docker'", 3),
        (["--mode", "brigde"], "'brigde' is not one of 'host', 'bridge'", 2),
        (["--backend", "bpf"], "'bpf' is not one of 'legacy', 'nft'", 2),
        (["--packets", "1"], "1 is not in the range x>=2", 2),
        (["--size", "0"], "0 is not in the range x>=1", 2),
        (["--size", "65508"], "a datagram holds at most 65507 bytes", 2),
        (["--seed", "-1"], "-1 is not in the range x>=0", 2),
        (["-o", "modes.gif"], "-o modes.gif: no picture format '.gif'; there are: png, svg, pdf", 2),
        (["-o", "nowhere/modes.png"], "-o nowhere/modes.png: no folder 'nowhere'", 2),
    ],
)
def test_what_is_refused(run, words, said, exits):
    out, err, code = run(*words, "--mode", "host")
    assert (out, code) == ("", exits)
    assert said in err
    assert "Traceback" not in err


def test_a_price_without_a_source(run, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("name: mine\nprices:\n  route: {value: 150, unit: ns, statistic: median, hardware: x}\n", "utf-8")
    out, err, code = run("--costs", own, "--mode", "host")
    assert (out, code) == ("", 3)
    assert f"{own}:3:" in err
    assert "the price of route has no source" in err


def test_a_full_disk():
    """Standard output that cannot be written ends the command with 1 and a word, not with a traceback."""
    words = ["compare", "--counts", "--mode", "host", "--format", "csv"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from simnet.cli.main import main; main()", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
