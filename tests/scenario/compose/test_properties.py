"""What must hold of every compose file: nothing but a ScenarioError comes of a bad one; readers undo writers."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.docker.publish import PublishedPort
from simnet.errors import ScenarioError
from simnet.scenario.compose import Project, dotenv, ports, read
from simnet.scenario.compose.interpolate import substitute
from simnet.scenario.compose.merge import merge, settled, unique
from simnet.scenario.compose.tree import Entry, Findings, documents, plain

FILES = sorted((Path(__file__).parent / "projects").glob("*/*compose.y*ml"))
PIECES = st.sampled_from(
    ["", "- x", "  foo: 1", "${", "$X", "!reset", "&a", "*a", "<<: 3", "<<: *common", "[", "{}", "null", "80:80", ": "]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="ascii"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdx-", min_size=1), inner, max_size=3),
    max_leaves=12,
)
TREES = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
NUMBERS = st.integers(1, 65535)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), st.integers(0, 60), st.integers(0, 20), PIECES, st.booleans())
def test_a_damaged_file_is_read_or_refused(
    tmp_path: Path, file: Path, line: int, column: int, piece: str, cut: bool
) -> None:
    lines = file.read_text().splitlines()
    at = line % len(lines)
    lines[at] = lines[at][:column] + piece + ("" if cut else lines[at][column:])
    (tmp_path / "a.yaml").write_text("\n".join(lines))
    try:
        assert isinstance(read(tmp_path / "a.yaml", environ={}), Project)
    except ScenarioError as error:
        assert all(problem.file or problem.hint for problem in error.problems)


@given(st.text())
def test_a_dollar_that_is_doubled_stays(text: str) -> None:
    assert substitute(text.replace("$", "$$"), {}.get) == text


@given(st.text(st.characters(exclude_characters="'\\\r")))
def test_single_quotes_keep_everything(text: str) -> None:
    assert dotenv.parse(f"A='{text}' # and no more\n", {}.get) == {"A": text}


@given(TREES)
def test_json_is_read_as_json(tree: dict[str, object]) -> None:
    (top,) = documents(json.dumps(tree), "a.yaml")
    assert plain(top) == tree


@given(TREES)
def test_a_tree_over_nothing_and_nothing_over_a_tree_change_nothing(tree: dict[str, object]) -> None:
    (top,) = documents(json.dumps(tree), "a.yaml")
    empty, findings = Entry({}, "b.yaml", 1, 1), Findings()
    assert plain(merge(empty, top, findings)) == plain(merge(top, empty, findings)) == tree == plain(settled(top))
    assert not findings.problems


@given(st.lists(st.sampled_from(["80:80", "0.0.0.0:80:80", "81:80", "80:80/udp"]), min_size=1))
def test_a_list_that_names_each_port_once_stays_so(texts: list[str]) -> None:
    findings = Findings()
    every = [long for text in texts for long in ports.long(Entry(text, "", 1, 1), "p", findings)]
    top = Entry({"services": Entry({"w": Entry({"ports": Entry(every, "", 1, 1)}, "", 1, 1)}, "", 1, 1)}, "", 1, 1)
    once = unique(top)
    assert plain(unique(once)) == plain(once)
    named = {(text.removeprefix("0.0.0.0:")) for text in texts}
    assert len(plain(once)["services"]["w"]["ports"]) == len(named)


@given(st.builds(PublishedPort, NUMBERS, st.sampled_from(["tcp", "udp", "sctp"]),
                 st.sampled_from(["", "127.0.0.1", "::1"]), NUMBERS, NUMBERS))  # fmt: skip
def test_a_port_comes_back_from_its_short_form(port: PublishedPort) -> None:
    if port.first > port.last:
        port = PublishedPort(port.port, port.proto, port.address, port.last, port.first)
    findings = Findings()
    (long,) = ports.long(Entry(str(port), "", 1, 1), "p", findings)
    found = ports.read(long, "p", findings)
    assert found is not None
    assert found.as_published() == port
