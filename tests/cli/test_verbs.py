"""The verbs over sources: what they print, where, and what they end with."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simnet.cli.main import main

MODES = str(Path(__file__).parents[2] / "scenarios/basics/modes.yaml")


def simnet(*words, text=""):
    command = [sys.executable, "-c", "from simnet.cli.main import main; main()", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def run(capsys, *words):
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as done:
        code = done.code or 0
    said = capsys.readouterr()
    return said.out, said.err, code


def test_diff_prints_the_flows_and_the_rules(capsys):
    out, err, code = run(capsys, "diff", MODES, "--engine", "20.10", "--engine", "28.5")
    assert (err, code) == ("", 0)
    lines = out.splitlines()
    assert lines[3].startswith("1 flow changes; ")
    assert lines[4] == "  wan → h1/csphere-nat2:22/tcp at 172.17.0.3:22"
    assert "    + -A PREROUTING -d 172.17.0.3/32 ! -i docker0 -j DROP" in lines


def test_diff_as_data_and_as_an_exit_code(capsys):
    out, _, code = run(
        capsys, "diff", MODES, "--engine", "20.10", "--engine", "28.5", "--format", "json", "--exit-code"
    )
    found = json.loads(out)
    assert (found["schema"], code, len(found["flows"])) == ("simnet.diff/1", 1, 1)
    assert found["flows"][0]["after"]["verdict"] == "timeout"
    assert run(capsys, "diff", MODES, MODES, "--exit-code")[2] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["diff", MODES], "one source alone has no other side"),
        (["diff", MODES, "--engine", "19.03", "--engine", "28"], "no engine version '19.03'"),
        (["diff", MODES, "--set", "h1.foo=1"], "--set h1.foo=1: no key 'foo' here"),
        (["diff", MODES, "--set", "h9.engine=28"], "no host 'h9'; there are: h1"),
        (["matrix", "nowhere.yaml"], "nowhere.yaml: no such file or folder"),
        (["check", "scenarios/snapshots/seed-modes-28.5"], "claims nothing"),
        (["exec", MODES, "h9", "--", "ip", "a"], "no place 'h9'"),
        (["lab", "--engine", "1.0", "-c", "true"], "no engine version '1.0'"),
        (["lab", "nowhere.sh"], "nowhere.sh: No such file or directory"),
        (["trace", MODES, "--from", "wna", "--to", "1.2.3.4:80"], "no place 'wna'; did you mean 'wan'?"),
        (["rules", MODES, "--place", "h1/nope"], "no place 'h1/nope'"),
        (["namespaces", "scenarios/snapshots/seed-modes-28.5"], "give a scenario"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(capsys, words, said):
    out, err, code = run(capsys, *words)
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert code in {2, 3}


def test_matrix_as_text_data_table_and_picture(capsys, tmp_path):
    out, err, code = run(capsys, "matrix", MODES, "-o", tmp_path / "m.svg")
    assert (code, err) == (0, f"wrote {tmp_path / 'm.svg'}\n")
    assert "● answered, at an address of its own" in out
    assert "h1/csphere-nat2:22/tcp" in (tmp_path / "m.svg").read_text("utf-8")
    pairs = json.loads(run(capsys, "matrix", MODES, "--format", "json")[0])["pairs"]
    rows = run(capsys, "matrix", MODES, "--format", "csv")[0].splitlines()
    header = rows[0].split(",")
    table = {(row.split(",")[0], server): way for row in rows[1:]
             for server, way in zip(header[1:], row.split(",")[1:], strict=True) if way}  # fmt: skip
    assert table == {(pair["from"], pair["server"]): pair["way"] for pair in pairs}


def test_check_ends_with_1_where_a_claim_fails_and_reports_it(capsys, tmp_path):
    source = tmp_path / "a.yaml"
    source.write_text("hosts: {h1: {containers: {web: {publish: '80:80'}, db: {}}}}\nmachines: {wan: {}}\n"
                      "check:\n  - web: reachable from wan\n  - db: reachable from wan\n"
                      "  - {db: unreachable from wan, engine: '<20'}\n")  # fmt: skip
    out, _, code = run(capsys, "check", source, "--junit", tmp_path / "report.xml")
    assert code == 1
    assert f"✗ db: reachable from wan  ({source}:5)" in out
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "3", "failures": "1", "skipped": "1"}  # fmt: skip
    assert suite[1].find("failure").get("message").startswith("wan → h1/db by ping of 172.17.0.3: ")
    found = json.loads(run(capsys, "check", source, "--format", "json")[0])["findings"]
    assert [one["status"] for one in found] == ["holds", "fails", "skipped"]


def test_rules_of_a_source_say_why_they_are_there(capsys):
    out, _, code = run(capsys, "rules", MODES, "--why", "--table", "nat", "--engine", "20.10")
    lines = out.splitlines()
    at = lines.index("-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")
    assert lines[at + 1].startswith("    # containers reach outside under the host's address")
    assert code == 0


def test_lab_prints_each_output_alone_and_ends_as_its_last_command():
    done = simnet(
        "lab", "--engine", "28.5", "-c", "docker network create n1 >/dev/null; docker network ls -q | wc -l; false"
    )
    assert (done.stdout, done.stderr, done.returncode) == ("4\n", "", 1)
    done = simnet("lab", text="hostname\nwan: hostname\n")
    assert (done.stdout, done.returncode) == ("h1\nwan\n", 0)


def test_lab_takes_a_source_and_a_script(tmp_path):
    script = tmp_path / "a.sh"
    script.write_text("docker port csphere-nat2\nexit 3\n")
    done = simnet("lab", MODES, script)
    assert (done.stdout, done.returncode) == ("22/tcp -> 0.0.0.0:2222\n22/tcp -> [::]:2222\n", 3)


def test_exec_runs_one_command_in_one_place(capsys):
    out, err, code = run(capsys, "exec", MODES, "h1/csphere-nat", "--", "ip", "-4", "-o", "addr", "show", "dev", "eth0")
    assert out.startswith("4: eth0    inet 172.17.0.2/16") or out.startswith("2: eth0    inet 172.17.0.2/16")
    assert (err, code) == ("", 0)
    assert run(capsys, "exec", MODES, "h1", "--", "sh", "-c", "exit 7")[2] == 7


def test_namespaces_say_who_shares_what(capsys):
    rows = json.loads(run(capsys, "namespaces", MODES, "--format", "json")[0])["rows"]
    shared = {row["container"]: row["shared"].get("net", []) for row in rows}
    assert shared["csphere-con"] == ["csphere-nat"]
    assert shared["csphere-host"] == ["h1"]
    assert shared["csphere-none"] == []


def test_schema_is_printed(capsys):
    assert json.loads(run(capsys, "schema")[0])["title"] == "simnet scenario, format 1"


def test_a_picture_takes_any_name(capsys, tmp_path):
    odd = tmp_path / "a$b_$.yaml"
    odd.write_text("hosts: {h1: {containers: {web: {expose: 80}}}}\n")
    assert run(capsys, "matrix", odd, "-o", tmp_path / "m.png")[2] == 0
    assert (tmp_path / "m.png").stat().st_size > 1000


def test_where_nobody_listens_that_is_said(capsys, tmp_path):
    quiet = tmp_path / "a.yaml"
    quiet.write_text("hosts: {h1: {}}\n")
    assert run(capsys, "matrix", quiet)[0].startswith("nobody listens")
    assert "nothing to draw" in run(capsys, "matrix", quiet, "-o", tmp_path / "m.png")[1]
    assert not (tmp_path / "m.png").exists()


def test_a_fresh_lab_takes_settings(capsys):
    out = run(capsys, "lab", "--set", "h1.daemon.icc=false", "-c", "iptables -S DOCKER-FORWARD")[0]
    assert "-A DOCKER-FORWARD -i docker0 -o docker0 -j DROP" in out
    assert "unknown flag" in run(capsys, "lab", "--set", "h1.daemon.foo=1", "-c", "true")[1]


def test_trace_takes_a_name(capsys):
    out, _, code = run(capsys, "trace", MODES, "--from", "wan", "--to", "h1:2222")
    assert (out.splitlines()[0].split(" → ")[0], code) == ("tcp from wan to 192.0.2.2:2222", 0)
