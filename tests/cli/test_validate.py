"""`simnet validate`: recordings of a real kernel agree, one that was changed does not, and what differs is named."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simnet.cli.main import main

RECORDINGS = Path(__file__).parents[1] / "recordings"
SEED = RECORDINGS / "seed-modes-28.5"
SOME = [SEED, RECORDINGS / "overlay-28.5", RECORDINGS / "router-20.10.tar.xz"]  # tests/conformance tries them all


def run(capsys, *words):
    code = 0
    try:
        main(["validate", *map(str, words)])
    except SystemExit as done:
        code = done.code or 0
    said = capsys.readouterr()
    return said.out, said.err, code


@pytest.fixture
def copied(tmp_path):
    """A copy that may be changed."""
    shutil.copytree(SEED, tmp_path / "copy")
    return tmp_path / "copy"


def edit(folder, name, change):
    path = folder / "expected.json"
    probes = json.loads(path.read_text("utf-8"))
    change(next(probe for probe in probes if probe["name"] == name))
    path.write_text(json.dumps(probes), "utf-8")


def replace(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("recording", SOME, ids=lambda path: path.name)
def test_what_a_kernel_did_agrees(capsys, recording):
    out, _, code = run(capsys, recording)
    head, counts = out.splitlines()
    number = head.partition(" ")[0]
    assert code == 0
    assert head == f"{number} probes: {number} agree"
    assert counts.startswith(f"verdicts {number}/{number} · ")


def verdict(probe):
    probe["result"] = "timeout"


def seen(probe):
    probe["result"] = probe["result"].replace("192.0.2.1:", "172.17.0.1:")


def device(probe):
    probe["devices"]["h1/host"][-1] = "eth7 Out"


def rule(probe):
    next(walk for walk in probe["walks"] if walk["table"] == "filter")["rules"][1:2] = []


def lost_walk(probe):
    probe["walks"] = [walk for walk in probe["walks"] if walk["table"] != "nat"]


def counter(probe):
    row = {"where": "h1/host", "table": "nat", "rule": "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"}
    probe["counters"] = [row | {"packets": 2}]


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        (verdict, "verdict", None),
        (seen, "server-saw", None),
        (device, "devices", "h1/host"),
        (rule, "walk", "h1/host"),
        (lost_walk, "walk", "h1/host"),
        (counter, "counters", "h1/host"),
    ],
)
def test_another_answer_of_the_kernel_s_is_a_difference(capsys, copied, change, kind, where):
    edit(copied, "wan-to-published", change)
    out, _, code = run(capsys, copied, "--format", "json")
    found = json.loads(out)
    assert code == 1
    assert (found["schema"], found["probes"], found["agree"]) == ("simnet.validate/1", 24, 23)
    (wrong,) = [one for one in found["findings"] if one["status"] == "differs"]
    assert wrong["probe"] == "wan-to-published"
    assert {(one["kind"], one["where"]) for one in wrong["differences"]} == {(kind, where)}
    assert found["compared"][kind]["agreed"] == found["compared"][kind]["of"] - len(wrong["differences"])


def test_another_rule_is_shown_side_by_side_with_the_step(capsys, copied):
    replace(
        copied / "snapshot/h1/host/iptables-save", "--to-destination 172.17.0.3:22", "--to-destination 172.17.0.2:22"
    )
    out, _, code = run(capsys, copied, "--only", "wan-to-published")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "1 probe: 1 differs"
    assert max(map(len, lines)) <= 100
    at = next(index for index, line in enumerate(lines) if line.startswith("    ► -A DOCKER ! -i docker0 -p tcp"))
    assert [part.strip() for part in lines[at + 2].split("│")] == ["172.17.0.3:22", "172.17.0.2:22"]
    assert any(line.startswith("    ► h1/host  nat PREROUTING: 2 of ") for line in lines[at:])


def test_probes_that_agree_are_named_when_asked(capsys):
    out, _, code = run(capsys, SEED, "--only", "container-ping-*", "-v")
    assert code == 0
    assert out.splitlines()[2] == "✓ container-ping-container  icmp from h1/csphere-nat to 172.17.0.3: reply"
    assert len(out.splitlines()) == 5


def test_a_junit_report_has_a_case_for_each_probe(capsys, copied, tmp_path):
    edit(copied, "wan-to-published", verdict)
    _, err, code = run(capsys, copied, "--junit", tmp_path / "report.xml")
    assert (code, err) == (1, f"wrote {tmp_path / 'report.xml'}\n")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == ("24", "1", 24)
    (failed,) = [case for case in suite if len(case)]
    assert failed.get("name") == "wan-to-published"
    assert failed[0].get("message").startswith("verdict: the kernel timeout, simnet reply")


def test_a_picture_shows_which_addresses_agree_from_where(capsys, copied, tmp_path):
    edit(copied, "wan-to-published", verdict)
    picture = tmp_path / "agree.svg"
    _, err, code = run(capsys, copied, "-o", picture)
    assert (code, err) == (1, f"wrote {picture}\n")
    drawn = picture.read_text("utf-8")
    assert "<!-- copy: 23 of 24 probes agree with the kernel -->" in drawn
    assert "<!-- 3/4 -->" in drawn  # wan asked the host's own address four times
    assert "<!-- simnet says something else -->" in drawn
    assert run(capsys, copied, "-o", tmp_path / "agree.txt")[2] == 2


def test_a_place_that_is_not_there_is_said_of_that_probe_alone(capsys, copied):
    edit(copied, "wan-to-published", lambda probe: probe.update(frm="h1/nobody"))
    out, _, code = run(capsys, copied)
    assert code == 1
    assert out.startswith("24 probes: 23 agree, 1 refused\n")
    assert "simnet gives no answer: no place 'h1/nobody'" in out


def test_what_a_terminal_would_obey_is_not_printed(capsys, copied):
    edit(copied, "wan-to-published", lambda probe: probe.update(name="evil\x1b[2J\ud800", result="timeout"))
    out, _, code = run(capsys, copied, "--junit", copied / "report.xml")
    assert code == 1
    assert "\x1b[2J" not in out
    assert ElementTree.parse(copied / "report.xml").getroot()[0].get("failures") == "1"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere"], 3, "nowhere: no such recording; name a folder that holds expected.json"),
        ([SEED / "snapshot"], 3, "the recording lacks its folder snapshot/"),
        ([SEED, "--only", "wan-to-publishde"], 2, "no probe 'wan-to-publishde'; did you mean 'wan-to-published'?"),
        ([SEED, "--junit", "nowhere/report.xml"], 2, "--junit nowhere/report.xml: no folder 'nowhere'"),
        ([SEED, "--format", "xml"], 2, "'xml' is not one of 'text', 'json'"),
        ([], 2, "name a recording, or hold simnet against a real host with --live"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_message(capsys, words, code, said):
    out, err, ended = run(capsys, *words)
    assert (out, ended) == ("", code)
    assert said in err


def test_a_snapshot_that_cannot_be_read_ends_with_3(capsys, copied):
    (copied / "snapshot/h1/host/ip-addr.json").write_text("[", "utf-8")
    out, err, code = run(capsys, copied)
    assert (out, code) == ("", 3)
    assert err.count("\n") == 1
    assert "ip-addr.json:1:2: truncated JSON" in err
