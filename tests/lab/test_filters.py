"""Filters: what busybox' applets printed for one input, and reading a file by its path."""

import shlex
import shutil
import subprocess

import pytest

from simnet.answer import Answer
from simnet.lab.filters import FILTERS

TEXT = "b:2\na:b:c\nno\n10 z\n9 y\n"
# command, output, errors, code: as busybox 1.35 has them
COMMANDS = [
    ("grep -c a", "1\n", "", 0),
    ("grep -n b", "1:b:2\n2:a:b:c\n", "", 0),
    ("grep -v a", "b:2\nno\n10 z\n9 y\n", "", 0),
    ("grep -E 'a|n'", "a:b:c\nno\n", "", 0),
    (r"grep '\(a\|x\)'", "a:b:c\n", "", 0),
    ("grep -E '^[[:digit:]]+ '", "10 z\n9 y\n", "", 0),
    ("grep '[0-9] [yz]$'", "10 z\n9 y\n", "", 0),
    ("grep 'a+'", "", "", 1),
    ("grep -o b", "b\nb\n", "", 0),
    ("grep -i B", "b:2\na:b:c\n", "", 0),
    ("grep -w b", "b:2\na:b:c\n", "", 0),
    ("grep -x a:b:c", "a:b:c\n", "", 0),
    ("grep -F a:b", "a:b:c\n", "", 0),
    ("grep -q zz", "", "", 1),
    ("grep -A1 a", "a:b:c\nno\n", "", 0),
    ("grep -nB1 y", "4-10 z\n5:9 y\n", "", 0),
    ("grep -C1 -e 2 -e y", "b:2\na:b:c\n--\n10 z\n9 y\n", "", 0),
    ("grep -m 1 b", "b:2\n", "", 0),
    ("grep '['", "", "grep: bad regex '['\n", 2),
    ("head -n 1", "b:2\n", "", 0),
    ("head -2", "b:2\na:b:c\n", "", 0),
    ("head -c 2", "b:", "", 0),
    ("head -n -1", "b:2\na:b:c\nno\n10 z\n", "", 0),
    ("head -n x", "", "head: invalid number 'x'\n", 1),
    ("tail -n 1", "9 y\n", "", 0),
    ("tail -2", "10 z\n9 y\n", "", 0),
    ("tail -n +4", "10 z\n9 y\n", "", 0),
    ("wc -l", "5\n", "", 0),
    ("wc", "        5         7        22\n", "", 0),
    ("wc -lw", "        5         7\n", "", 0),
    ("sort", "10 z\n9 y\na:b:c\nb:2\nno\n", "", 0),
    ("sort -r", "no\nb:2\na:b:c\n9 y\n10 z\n", "", 0),
    ("sort -n", "a:b:c\nb:2\nno\n9 y\n10 z\n", "", 0),
    ("cut -d: -f1", "b\na\nno\n10 z\n9 y\n", "", 0),
    ("cut -f 1,2 -d :", "b:2\na:b\nno\n10 z\n9 y\n", "", 0),
    ("cut -d: -f 2-", "2\nb:c\nno\n10 z\n9 y\n", "", 0),
    ("cut -c 1-2", "b:\na:\nno\n10\n9 \n", "", 0),
    ("cut", "", "cut: expected a list of bytes, characters, or fields\n", 1),
    ("uniq", TEXT, "", 0),
    ("tr a-c X", "X:2\nX:X:X\nno\n10 z\n9 y\n", "", 0),
    ("tr -d '\\n'", "b:2a:b:cno10 z9 y", "", 0),
]


@pytest.mark.parametrize(("command", "out", "err", "code"), COMMANDS)
def test_answers_as_busybox_does(command, out, err, code):
    name, *words = shlex.split(command)
    assert FILTERS[name](words, TEXT, lambda _: Answer(code=1)) == Answer(out, err, code)


@pytest.mark.skipif(shutil.which("busybox") is None, reason="no command `busybox`")
@pytest.mark.parametrize(("command", "out", "err", "code"), COMMANDS)
def test_busybox_still_answers_so(command, out, err, code):
    done = subprocess.run(["busybox", *shlex.split(command)], input=TEXT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (out, err, code)


def test_a_file_is_read_where_one_is_named():
    def read(path):
        return Answer("one\ntwo\n") if path == "/etc/hosts" else Answer(code=1)

    assert FILTERS["grep"](["two", "/etc/hosts"], "", read).out == "two\n"
    assert FILTERS["wc"](["-l", "/etc/hosts"], "", read).out == "2 /etc/hosts\n"
    assert FILTERS["head"](["/nope"], "", read) == Answer("", "head: /nope: No such file or directory\n", 1)


def test_an_option_that_is_not_modelled_is_named():
    assert FILTERS["grep"](["-P", "a"], "", lambda _: Answer()) == Answer("", "simnet's grep does not model `-P`\n", 2)
