"""The commands in the head of each recorded file lead to the rules in it, table by table, in order."""

from pathlib import Path

import pytest

from simnet.docker.command.cli import Session
from simnet.net.iptables.listing import specification
from simnet.net.netfilter.rule import Table

RECORDED = Path(__file__).parent.parent / "docker-rules"
LIVES = Path(__file__).parent / "recorded"
FILES = sorted(
    path for folder in (RECORDED, LIVES) for path in folder.glob("*/*.rules*") if path.suffix[:6] == ".rules"
)
# versions whose files hold every table with a rule; files of the others hold some tables
WHOLE = {"20.10", "26.1", "28.5.2"}


def head(path):
    """The commands, as they would be typed."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


def tables(path):
    """What `iptables -S` printed, by table."""
    found = {}
    for line in path.read_text().splitlines():
        if line.startswith("*"):
            found[line[1:]] = []
        elif line and not line.startswith("#"):
            found[next(reversed(found))].append(line)
    return found


def built(path):
    """An engine of the file's version after the file's commands, and the rules of the file's family."""
    session = Session(path.parent.name)
    session.script(head(path))
    return session.engine, session.engine.ruleset6 if path.suffix == ".rules6" else session.engine.ruleset


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_commands_lead_to_the_recorded_rules(path):
    _, ruleset = built(path)
    for name, lines in tables(path).items():
        assert specification(ruleset.tables.get(name, Table(name))).splitlines() == lines, name


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in WHOLE and "-given" not in path.name],
                         ids=lambda path: f"{path.parent.name}/{path.name}")  # fmt: skip
def test_tables_that_were_not_recorded_hold_no_rule(path):
    _, ruleset = built(path)
    recorded = tables(path)
    assert [str(rule) for name, table in ruleset.tables.items() if name not in recorded for rule in table.rules()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_rule_says_why_it_is_there(path):
    engine, ruleset = built(path)
    for rule in ruleset.rules():
        why = engine.why(rule)
        assert why.why and why.subject and why.engine, rule


def test_files_of_every_layout_are_there():
    assert {path.parent.name for path in FILES} == {"20.10", "26.1", "28.0.0", "28.0.1", "28.2.0", "28.5.2", "29.7.2"}
