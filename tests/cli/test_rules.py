"""`simnet rules`: every form, every table, from a file and from standard input; and what it says when it cannot."""

import subprocess
import sys
from pathlib import Path

import pytest

DUMPS = Path(__file__).parents[1] / "dumps"
UFW = DUMPS / "ufw" / "iptables-save"


def rules(*words, text=""):
    command = [sys.executable, "-c", "from simnet.cli.main import main; main()", "rules", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", ["S", "L", "L-n", "L-n-v"])
def test_filter_is_the_table_that_is_listed(form):
    assert rules(UFW, "--form", form).stdout == (UFW.parent / f"filter-{form}").read_text()


def test_another_table_is_listed_when_asked_for():
    nat = DUMPS / "kube-proxy"
    done = rules("-", "--form", "L-n-v", "--table", "nat", text=(nat / "iptables-save").read_text())
    assert (done.returncode, done.stdout) == (0, (nat / "nat-L-n-v").read_text())


def test_a_table_that_is_not_in_the_dump_is_empty():
    assert rules(UFW, "--form", "S", "--table", "raw").stdout == "-P PREROUTING ACCEPT\n-P OUTPUT ACCEPT\n"


def test_save_prints_every_table_or_one():
    text = (DUMPS / "firewalld" / "iptables-save").read_text()
    assert rules("-", "--form", "save", text=text).stdout == text
    assert rules("-", "--form", "save", "--table", "raw", text=text).stdout.startswith("*raw\n")


def test_save_has_counters_where_the_dump_has_them():
    text = "*filter\n:INPUT ACCEPT [1:2]\n-A INPUT -j DROP\nCOMMIT\n"
    assert rules("-", "--form", "save", text=text).stdout == text


def test_without_a_form_it_says_what_is_in_the_dump_and_what_is_in_doubt():
    text = (
        "*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n"
        "-A INPUT -p tcp -m tcp --dport 80 -j web\n-A web -j NFQUEUE --queue-num 3\nCOMMIT\n"
    )
    shown = rules("-", text=text).stdout
    assert "table filter: 2 chains, 2 rules" in shown
    assert "matches: tcp 1" in shown
    assert "targets: NFQUEUE 1" in shown
    assert "web 1: the program on queue 3 decides" in shown
    assert "-A web -j NFQUEUE --queue-num 3" in shown


def test_the_other_family_has_its_own_addresses():
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
    assert "::/0                 ::/0" in rules("-", "--form", "L-n", "--family", "6", text=text).stdout


@pytest.mark.parametrize(
    ("words", "text", "code", "said"),
    [
        (["-"], "*filter\n-A INPUT -j DROP\nCOMMIT\n", 3, "simnet: standard input:2:4: no chain 'INPUT'"),
        (["-"], "*filter\n:INPUT ACCEPT [0:0]\n", 3, "COMMIT is missing"),
        (["/nowhere/at/all"], "", 3, "/nowhere/at/all: No such file or directory"),
        (["-", "--table", "nta"], "", 2, "no table 'nta'; did you mean 'nat'?"),
        (["-", "--form", "X"], "", 2, "'X' is not one of"),
        ([], "", 2, "Missing argument 'DUMP|SOURCE'"),
    ],
)
def test_says_what_is_wrong_and_where(words, text, code, said):
    done = rules(*words, text=text)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == ""
