"""The iptables command: recorded sessions with the real one, its restore, and what it leaves untouched.

A session in tests/dumps/commands holds commands (`$ …`), what the real command printed, and its exit code (`=> N`).
"""

import shlex
import subprocess
from pathlib import Path

import pytest

from simnet.net.iptables.canonical import canonical
from simnet.net.iptables.command import run
from simnet.net.iptables.restore import restore
from simnet.net.netfilter import save
from simnet.net.netfilter.rule import Ruleset

DUMPS = Path(__file__).parents[2] / "dumps"
SESSIONS = sorted(DUMPS.glob("commands/*.session"))
ABOUT = "Try `iptables-restore -h' or 'iptables-restore --help' for more information.\n"
VERSION = "iptables-restore v1.8.9 (nf_tables): "


def steps(text):
    """The commands of a session, each with what followed it."""
    found = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:].rstrip("\n"), ""])
        else:
            found[-1][1] += line
    return found


def ours(commands):
    rules = Ruleset()
    for command in commands:
        answer = run(rules, shlex.split(command)[1:])
        yield answer.out + answer.err + (f"=> {answer.code}\n" if answer.code else "")


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_answers_as_the_real_command_did(path):
    recorded = steps(path.read_text())
    answers = ours(command for command, _ in recorded)
    wrong = [(command, want, got) for (command, want), got in zip(recorded, answers, strict=True) if got != want]
    assert wrong == []


@pytest.mark.live
@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_the_real_command_still_answers_so(path):
    recorded = steps(path.read_text())
    script = "".join(
        f"echo '=== '; out=$({command} 2>&1; echo rc$?); rc=${{out##*rc}}; printf %s \"${{out%rc*}}\"\n"
        '[ "$rc" = 0 ] || echo "=> $rc"\n'
        for command, _ in recorded
    )
    done = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True, check=True)
    found = done.stdout.split("=== \n")[1:]
    assert [*zip((command for command, _ in recorded), found, strict=True)] == [(one, want) for one, want in recorded]


# text, options, code, what is said
RESTORES = [
    ("*filter\n-A INPUT -j nope\nCOMMIT\n", 2,
     f"{VERSION}Chain 'nope' does not exist\nError occurred at line: 3\n{ABOUT}"),
    ("*filter\n-A nope -j DROP\nCOMMIT\n", 1,
     "iptables-restore: line 2 failed: No chain/target/match by that name.\n"),
    ("*filter\n-D INPUT -j DROP\nCOMMIT\n", 1,
     "iptables-restore: line 2 failed: Bad rule (does a matching rule exist in that chain?).\n"),
    ("*filter\n-A INPUT --foo\nCOMMIT\n", 2, f'{VERSION}unknown option "--foo"\nError occurred at line: 2\n{ABOUT}'),
    ("*filter\n-A INPUT -j REJECT\n", 1, "iptables-restore: COMMIT expected at line 3\n"),
    ("*nope\nCOMMIT\n", 2,
     f"{VERSION}iptables-restore: line 1 table name 'nope' invalid\nError occurred at line: 1\n{ABOUT}"),
    ("*filter\nfoo\nCOMMIT\n", 2, f"Bad argument `foo'\nError occurred at line: 2\n{ABOUT}"),
    ("*filter\n:INPUT FOO [0:0]\nCOMMIT\n", 1, "iptables-restore: line 2 failed: Bad policy name.\n"),
    ("*filter\n:INPUT\nCOMMIT\n", 2,
     f"{VERSION}iptables-restore: line 2 policy invalid\nError occurred at line: 2\n{ABOUT}"),
    ("*filter\n-t nat -A INPUT -j ACCEPT\nCOMMIT\n", 2,
     f"{VERSION}The -t option cannot be used in iptables-restore.\n\nError occurred at line: 2\n{ABOUT}"),
    ("*filter\n-A INPUT -j DNAT --to-destination 1.2.3.4\nCOMMIT\n", 4,
     f"{VERSION}\nline 2: RULE_APPEND failed (Invalid argument): rule in chain INPUT\n"),
    ("COMMIT\n", 1, "iptables-restore: line 1 failed\n"),
    ("", 0, ""),
    ("# nothing\n\n*filter\nCOMMIT\n", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said"), RESTORES)
def test_restore_refuses_in_the_real_words(text, code, said):
    answer = restore(Ruleset(), text, noflush=True)
    assert (answer.code, answer.err) == (code, said)


@pytest.mark.live
@pytest.mark.parametrize(("text", "code", "said"), RESTORES)
def test_the_real_restore_says_the_same(text, code, said):
    done = subprocess.run(
        ["unshare", "-n", "iptables-restore", "-n"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, said)


def specification(rules, table="filter"):
    return run(rules, ["-t", table, "-S", "-v"]).out


def test_a_refused_restore_changes_nothing():
    rules = Ruleset()
    restore(rules, "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n")
    before = specification(rules)
    assert restore(rules, "*filter\n-F\n-A INPUT -j ACCEPT\n-X nope\nCOMMIT\n", noflush=True).code == 1
    assert specification(rules) == before


def test_restore_flushes_unless_told_not_to():
    rules = Ruleset()
    restore(rules, "*filter\n:old - [0:0]\n-A INPUT -j old\n-A old -j DROP\nCOMMIT\n")
    restore(rules, "*filter\n:old - [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n", noflush=True)
    assert [line for line in specification(rules).splitlines() if line.startswith("-A")] == [
        "-A INPUT -c 0 0 -j old",
        "-A INPUT -c 0 0 -j ACCEPT",
    ]
    restore(rules, "*filter\nCOMMIT\n")
    assert "old" not in specification(rules)


def test_restore_takes_counters_only_when_asked():
    text = "*filter\n:INPUT DROP [7:8]\n[5:6] -A INPUT -j ACCEPT\nCOMMIT\n"
    rules = Ruleset()
    restore(rules, text)
    assert "-P INPUT DROP -c 0 0" in specification(rules)
    restore(rules, text, counters=True)
    assert "-P INPUT DROP -c 7 8" in specification(rules)
    assert "-A INPUT -c 5 6 -j ACCEPT" in specification(rules)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DUMPS.glob("*/iptables-save")))
def test_what_was_saved_restores_to_itself(name):
    text = (DUMPS / name / "iptables-save").read_text()
    rules = Ruleset()
    assert restore(rules, text, counters=True).err == ""
    assert save.dump(rules) == text


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DUMPS.glob("*/iptables-save")))
def test_saved_rules_are_canonical(name):
    for table in save.parse((DUMPS / name / "iptables-save").read_text()).tables.values():
        for rule in table.rules():
            assert str(canonical(table, rule)) == str(rule)


def test_the_other_family_names_itself():
    assert run(Ruleset(), ["-X", "nope"], family=6).err == "ip6tables: No chain/target/match by that name.\n"
    assert run(Ruleset(), ["-V"], family=6).out == "ip6tables v1.8.9 (nf_tables)\n"


def test_a_loop_is_taken_back():
    rules = Ruleset()
    for line in ("-N a", "-N b", "-A a -j b", "-A b -j a"):
        assert run(rules, line.split()).code == 0
    answer = run(rules, ["-A", "INPUT", "-j", "a"])
    assert answer.err == "iptables v1.8.9 (nf_tables):  RULE_APPEND failed (Too many links): rule in chain INPUT\n"
    assert run(rules, ["-S", "INPUT"]).out == "-P INPUT ACCEPT\n"
