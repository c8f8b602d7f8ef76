"""The lab's shell: what busybox' shell printed for the same scripts, quoting both ways, and what it says is missing."""

import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.answer import Answer
from simnet.lab import linux, shell
from simnet.lab.linux import Place
from simnet.net.network import Network

# script, output, errors, code: as busybox 1.35 has them
SCRIPTS = [
    ("foo", "", "sh: foo: not found\n", 127),
    ("./x", "", "sh: ./x: not found\n", 127),
    ('""', "", "sh: : Permission denied\n", 127),
    ("echo a; echo b\necho c", "a\nb\nc\n", "", 0),
    ("echo a;", "a\n", "", 0),
    ("\n\n# nothing\n", "", "", 0),
    ("a=1 b=2; echo $a$b", "12\n", "", 0),
    ("echo ${x}y", "y\n", "", 0),
    ("false; echo $?", "1\n", "", 0),
    ("x=$(false); echo $?", "1\n", "", 0),
    ("exit 3; echo a", "", "", 3),
    ("echo a | false || echo b", "b\n", "", 0),
    ("true || echo a && echo b", "b\n", "", 0),
    ("false && echo a || echo b", "b\n", "", 0),
    ("! true; echo $?", "1\n", "", 0),
    ("foo | cat", "", "sh: foo: not found\n", 0),
    (r'echo "a\"b\$c\d"', 'a"b$c\\d\n', "", 0),
    ("echo a\\\nb", "ab\n", "", 0),
    ("echo a\\", "a\\\n", "", 0),
    ("echo a#b #c", "a#b\n", "", 0),
    ("echo -p [::1]:8083:83 [", "-p [::1]:8083:83 [\n", "", 0),
    ('x="a  b"; echo $x "$x"', "a b a  b\n", "", 0),
    ('x=" a b "; echo -$x-', "- a b -\n", "", 0),
    ("x=; echo a$x$x-$x b", "a- b\n", "", 0),
    ("echo $y '' b", " b\n", "", 0),
    ("echo \"$(echo 'a\n\n')\"x", "ax\n", "", 0),
    ('echo a"$(echo "b  c")"d', "ab  cd\n", "", 0),
    ('echo $(echo "x)y") `echo z`', "x)y z\n", "", 0),
    ("echo $(foo)", "\n", "sh: foo: not found\n", 0),
    ("echo $ a$", "$ a$\n", "", 0),
    ("echo if a }", "if a }\n", "", 0),
    ("echo a >/dev/null; foo 2> /dev/null", "", "", 127),
    ("foo 2>&1 | cat", "sh: foo: not found\n", "", 0),
    ("echo a >&2 | cat", "", "a\n", 0),
    ("echo a | cat </dev/null", "", "", 0),
    ("echo a && && b", "", 'sh: syntax error: unexpected "&&"\n', 2),
    ("echo 'a", "", "sh: syntax error: unterminated quoted string\n", 2),
    ('echo "a', "", "sh: syntax error: unterminated quoted string\n", 2),
    ("echo a |", "", "sh: syntax error: unexpected end of file\n", 2),
    ("echo a && ", "", "sh: syntax error: unexpected end of file\n", 2),
    ("echo a >", "", "sh: syntax error: unexpected end of file\n", 2),
    ("; echo", "", 'sh: syntax error: unexpected ";"\n', 2),
    ("| a", "", 'sh: syntax error: unexpected "|"\n', 2),
    ("echo a;; echo b", "", 'sh: syntax error: unexpected ";;"\n', 2),
    (")", "", 'sh: syntax error: unexpected ")"\n', 2),
    ("fi", "", 'sh: syntax error: unexpected "fi"\n', 2),
    ("echo $(", "", 'sh: syntax error: unexpected end of file (expecting ")")\n', 2),
    ("echo `a", "", "sh: syntax error: EOF in backquote substitution\n", 2),
    ("echo ${x", "", "sh: syntax error: missing '}'\n", 2),
    ("echo a; fi", "", 'sh: syntax error: unexpected "fi"\n', 2),
    ("echo a;  # b", "a\n", "", 0),
    ("echo a; # b\necho c", "a\nc\n", "", 0),
    ("echo a\nfi\necho b", "a\n", 'sh: syntax error: unexpected "fi"\n', 2),
    ("cat < /nofile", "", "sh: can't open /nofile: no such file\n", 1),
]


def run(script):
    place = Place(Network().namespace("h1/host"))
    return shell.run(script, lambda words, stdin: linux.run(place, words, stdin))


@pytest.mark.parametrize(("script", "out", "err", "code"), SCRIPTS)
def test_answers_as_busybox_does(script, out, err, code):
    assert run(script) == Answer(out, err, code)


@pytest.mark.skipif(shutil.which("busybox") is None, reason="no command `busybox`")
@pytest.mark.parametrize(("script", "out", "err", "code"), SCRIPTS)
def test_busybox_still_answers_so(script, out, err, code):
    done = subprocess.run(["busybox", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (out, err, code)


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("for x in a; do echo $x; done", "loops (`for`)"),
        ("while true; do x; done", "loops (`while`)"),
        ("if true; then x; fi", "`if`"),
        ("(echo a)", "subshells and functions (`(`)"),
        ("f() { x; }", "subshells and functions (`(`)"),
        ("{ echo a; }", "groups (`{`)"),
        ("sleep 1 &", "running in the background (`&`)"),
        ("echo *.txt", "patterns of file names; quote the `*`"),
        ("echo [ab].txt", "patterns of file names; quote the `[`"),
        ("cat <<EOF\na\nEOF", "here-documents (`<<`)"),
        ("echo a > file", "files that can be written (`>file`)"),
        ("echo $((1+1))", "arithmetic (`$((`)"),
        ("echo ${x:-a}", "the expansion `${x:-a}`"),
        ("echo $1", "the parameter `$1`"),
        ("cd /tmp", "`cd`"),
        ("X=1 echo a", "variables for one command (`X=… COMMAND`)"),
        ("echo a 3>&1", "other streams than 0, 1 and 2 (`3>`)"),
    ],
)
def test_says_what_is_missing(script, what):
    assert run(script) == Answer("", f"sh: simnet's shell does not model {what}\n", 2)


def collect(words, _stdin):
    return Answer("\0".join(words[1:]))


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_quoted_words_come_through(words):
    script = " ".join(["say", *map(shlex.quote, words)])
    assert shell.run(script, collect).out == "\0".join(words)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_script_ends_in_an_answer(script):
    assert isinstance(shell.run(script, lambda words, stdin: Answer(stdin)), Answer)


@given(st.text("ab '\"\\$`(){};|&<>#\n*x=", max_size=12))
def test_any_punctuation_ends_in_an_answer(script):
    answer = shell.run(script, collect)
    assert answer.code in {0, 1, 2, 127}


@given(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"])))
def test_a_variable_in_quotes_keeps_its_text(text):
    assert shell.run(f'x={shlex.quote(text)}; say "$x" "${{x}}"', collect).out == f"{text}\0{text}"


def test_a_script_may_be_streamed_and_a_shell_keeps_its_variables():
    place = Place(Network().namespace("h1/host"))
    one = shell.Shell(lambda words, stdin: linux.run(place, words, stdin))
    answers = one.stream("echo a; nope; echo $?")
    assert next(answers) == Answer("a\n")
    assert next(answers).code == 127
    assert next(answers) == Answer("127\n")
    one.run("x=kept; false")
    assert one.run("echo $? $x") == Answer("1 kept\n")
    one.run("exit 4")
    assert (one.exited, one.code) == (True, 4)


def test_a_substitution_gives_several_words():
    asked = []

    def execute(words, _stdin):
        asked.append(words)
        return Answer("c1\nc2\n") if "-q" in words else Answer()

    shell.run("docker rm -f $(docker ps -a -q)", execute)
    assert asked == [["docker", "ps", "-a", "-q"], ["docker", "rm", "-f", "c1", "c2"]]
    shell.run("docker ps -q | xargs docker stop", execute)
    assert asked[-1] == ["docker", "stop", "c1", "c2"]


def test_output_goes_into_proc_sys():
    place = Place(Network().namespace("h1/host"))

    def at_place(script):
        return shell.run(script, lambda words, stdin: linux.run(place, words, stdin))

    forward = "/proc/sys/net/ipv4/ip_forward"
    assert at_place(f"echo 1 > {forward}; cat {forward}") == Answer("1\n")
    assert place.namespace.forwards
    assert at_place(f"echo x > {forward}") == Answer("", "sh: write error: Invalid argument\n", 1)
    missing = "/proc/sys/net/ipv4/foo"
    assert at_place(f"echo 1 > {missing}") == Answer("", f"sh: can't create {missing}: nonexistent directory\n", 1)
