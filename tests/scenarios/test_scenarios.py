"""The scenarios that ship: each says what it shows, claims something, and is right under every engine."""

import re
import shlex
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from simnet.cli.main import VERBS
from simnet.docker import document
from simnet.docker.rules.version import layout_of, layouts
from simnet.errors import ScenarioError
from simnet.scenario.scenario_file import read
from simnet.scenario.schema import schema
from simnet.scenario.source import read_source
from simnet.study.check import FAILS, HOLDS, check
from simnet.study.timing import experiment, plan_of

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "scenarios").glob("*/*.yaml"))
ENGINES = ("20.10", "26.1", "28.0.0", "28.0.1", "28.2.0", "28.5.2", "29.7.2")
# what an older engine cannot be asked for: the engines that refuse, and what they say
REFUSED = {
    "scenarios/what-if/gateway-priority.yaml": (("20.10", "26.1"), "unknown flag: --gw-priority"),
    "scenarios/what-if/direct-routing.yaml": (
        ("20.10", "26.1", "28.0.0", "28.0.1"),
        "unknown flag: --allow-direct-routing",
    ),
}


@cache
def findings(file, engine):
    return tuple(check(read_source(str(ROOT / file), engine)))


def accepted(file):
    return [engine for engine in ENGINES if engine not in REFUSED.get(file, ((), ""))[0]]


def test_there_are_scenarios_in_every_folder_and_every_layout_is_tried():
    assert len(FILES) >= 22
    assert {file.split("/")[1] for file in FILES} == {"basics", "teaching", "what-if", "performance"}
    assert {layout_of(engine).engine for engine in ENGINES} == {layout.engine for layout in layouts()}


@pytest.mark.parametrize("file", FILES)
def test_each_says_what_it_is_and_claims_something(file):
    plan = read_source(str(ROOT / file)).plan
    assert plan.title
    assert len(plan.about.split()) > 20
    assert plan.claims


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_claim_holds_under_every_engine(file, engine):
    engines, said = REFUSED.get(file, ((), ""))
    if engine in engines:
        with pytest.raises(ScenarioError, match=re.escape(said)):
            findings(file, engine)
        return
    failed = [(str(one), one.claim.origin.line, one.seen) for one in findings(file, engine) if one.status == FAILS]
    assert failed == []


@pytest.mark.parametrize("file", FILES)
def test_no_claim_is_left_untried_by_all_engines(file):
    tried = [findings(file, engine) for engine in accepted(file)]
    assert [str(same[0]) for same in zip(*tried, strict=True) if all(one.status != HOLDS for one in same)] == []


@pytest.mark.parametrize("file", FILES)
def test_every_command_to_try_is_one_that_there_is_and_names_this_very_file(file):
    about = read_source(str(ROOT / file)).plan.about
    lines = [line.strip() for line in about.splitlines() if line.startswith("  simnet ")]
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert words[1] in VERBS, line
        assert file in words, line


TIMED = [file for file in FILES if read_source(str(ROOT / file)).plan.timing.traffic]


@pytest.mark.parametrize("file", TIMED)
def test_all_traffic_of_each_comes_through_and_the_file_says_how_to_run_it(file):
    source = read_source(str(ROOT / file))
    (outcome,) = experiment(source).run(plan_of(source, exchanges=20, warmup=0, replications=1))
    assert {name: flow.later.count > 0 for name, flow in outcome.flows.items()} == dict.fromkeys(outcome.flows, True)
    assert f"simnet run {file}" in source.plan.about


@pytest.mark.parametrize("file", FILES)
def test_each_is_valid_by_the_schema_that_editors_use(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    jsonschema.validate(_plain(document.read(text, file)), schema())


def _plain(value):
    if isinstance(value.held, dict):
        return {key: _plain(item) for key, item in value.held.items()}
    if isinstance(value.held, list):
        return [_plain(item) for item in value.held]
    return value.held


@pytest.mark.parametrize(
    ("mode", "message"),
    [("containers: {a: {publish: '2222:22'}, b: {publish: '2222:22'}}", "port is already allocated"),
     ("containers: {a: {}, b: {network: 'container:a', publish: '80:80'}}", "port publishing")],
)  # fmt: skip
def test_two_that_want_one_port_of_the_host_are_refused_by_the_engine(mode, message, tmp_path):
    file = tmp_path / "clash.yaml"
    file.write_text(f"hosts:\n  h1:\n    {mode}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        read_source(str(file)).open()


def test_a_scenario_says_which_format_it_has():
    for file in FILES:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert text.startswith("simnet: 1\n"), file
        assert read(text, file).title
