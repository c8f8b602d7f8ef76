r"""A shell over commands that are functions: reads a script as `sh -c` does, runs each command by a caller's word.

Models: busybox 1.35 ash. What it does not have is said on standard error, with exit code 2 (see `reader`).
Leaves out: environment variables of a command, and how the two outputs of one command were mixed (2>&1 puts the errors
after the rest). A command's first output is complete before the next command of a pipe begins.

Example:
    >>> def execute(words, stdin):
    ...     return Answer(" ".join(words[1:]) + "\n") if words[0] == "echo" else not_found(words[0])
    >>> run("X=1; echo $X 'a  b' | wc -w; nope || echo $?", execute)
    Answer(out='3\n127\n', err='sh: nope: not found\n', code=0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simnet.answer import Answer

from .filters import FILTERS
from .reader import Command, Pipeline, ReadError, Redirect, Word, read

# runs one simple command: its words, and its standard input
Execute = Callable[[list[str], str], Answer]

# what a shell does itself and this one does not
_UNMODELLED = {"cd", "set", "read", "eval", "exec", "trap", "wait", "jobs", "fg", "bg", "umask", "source", ".", "alias",
               "shift", "local", "return", "break", "continue", "getopts", "ulimit", "test", "["}  # fmt: skip
_SYSCTLS = "/proc/sys/"


def run(script: str, execute: Execute) -> Answer:
    """Run a script; both outputs whole, and the exit code of its last command."""
    return Shell(execute).run(script)


def stream(script: str, execute: Execute) -> Iterator[Answer]:
    """Run a script and give each command's answer as it is done."""
    return Shell(execute).stream(script)


def not_found(name: str) -> Answer:
    """What a shell says of a command that is not there."""
    return Answer("", f"sh: {name}: not found\n", 127)


class _Exit(Exception):
    """`exit` was called."""


class Shell:
    """A shell between its start and its end: it keeps variables and the last exit code from script to script."""

    def __init__(self, execute: Execute) -> None:
        """A shell that runs commands by `execute`."""
        self.execute, self.variables, self.code, self.exited = execute, dict[str, str](), 0, False

    def run(self, script: str) -> Answer:
        """Run a script; both outputs whole."""
        answers = list(self.stream(script))
        return Answer("".join(one.out for one in answers), "".join(one.err for one in answers), self.code)

    def stream(self, script: str) -> Iterator[Answer]:
        """Run a script and give each command's answer as it is done; after `exit` nothing more runs."""
        try:
            for line in read(script):
                for pipeline in line:
                    if pipeline.after == ";" or (pipeline.after == "&&") == (self.code == 0):
                        yield self._pipeline(pipeline)
        except ReadError as error:
            self.code = 2
            yield Answer("", f"{error}\n", 2)
        except _Exit:
            self.exited = True

    def _pipeline(self, pipeline: Pipeline) -> Answer:
        out, err, code = "", "", 0
        for command in pipeline.commands:
            answer = self._command(command, out)
            out, err, code = answer.out, err + answer.err, answer.code
        self.code = int(code == 0) if pipeline.negated else code
        return Answer(out, err, self.code)

    def _command(self, command: Command, stdin: str) -> Answer:
        if command.assignments and command.words:
            raise ReadError.missing(f"variables for one command (`{command.assignments[0][0]}=… COMMAND`)")
        err, code = "", 0
        words: list[str] = []
        for word in command.words:
            fields, said = self._fields(word)
            words += fields
            err += said.err
        for name, word in command.assignments:
            self.variables[name], said = self._text(word)
            err, code = err + said.err, said.code
        if not words:
            return Answer("", err, code)
        return self._redirected(command.redirects, words, stdin, err)

    def _redirected(self, redirects: list[Redirect], words: list[str], stdin: str, err: str) -> Answer:
        """Run a command with its outputs led where they are to go; `err` was said on the way to it."""
        ends: dict[int, str] = {0: "0", 1: "1", 2: "2"}
        for one in redirects:
            ends[one.stream] = ends[one.onto] if one.onto else self._text(one.target)[0]
        source = ends.pop(0)
        if source not in {"0", "/dev/null"}:
            read_from = self.execute(["cat", source], "")
            if not read_from:
                return Answer("", f"{err}sh: can't open {source}: no such file\n", 1)
            stdin = read_from.out
        stdin = "" if source == "/dev/null" else stdin
        files = [end for end in ends.values() if end not in {"1", "2", "/dev/null"}]
        for end in files:
            if not end.startswith(_SYSCTLS):
                raise ReadError.missing(f"files that can be written (`>{end}`)")
            if not self.execute(["cat", end], ""):
                return Answer("", f"{err}sh: can't create {end}: nonexistent directory\n", 1)
        answer = self._simple(words, stdin)
        outputs = {"1": "", "2": err}
        for number, text in ((1, answer.out), (2, answer.err)):
            end = ends[number]
            if end in outputs:
                outputs[end] += text
            elif end != "/dev/null" and not self.execute(["tee", end], text):
                return Answer(outputs["1"], outputs["2"] + "sh: write error: Invalid argument\n", 1)
        return Answer(outputs["1"], outputs["2"], answer.code)

    def _simple(self, words: list[str], stdin: str) -> Answer:
        name = words[0]
        if name == "exit":
            self.code = int(words[1]) & 255 if words[1:] and words[1].isdigit() else self.code
            raise _Exit
        if name == ":":
            return Answer()
        if name == "export":
            return self._export(words[1:])
        if name == "unset":
            for one in words[1:]:
                self.variables.pop(one, None)
            return Answer()
        if name == "xargs":
            return self._xargs(words[1:], stdin)
        if name in _UNMODELLED:
            return Answer("", f"sh: simnet's shell does not model `{name}`\n", 2)
        if not name:
            return Answer("", "sh: : Permission denied\n", 127)
        if name in FILTERS:
            return FILTERS[name](words[1:], stdin, lambda path: self.execute(["cat", path], ""))
        return self.execute(words, stdin)

    def _export(self, words: list[str]) -> Answer:
        for word in words:
            name, given, value = word.partition("=")
            if given:
                self.variables[name] = value
        return Answer()

    def _xargs(self, words: list[str], stdin: str) -> Answer:
        if words and words[0].startswith("-"):
            return Answer("", f"simnet's xargs does not model `{words[0]}`\n", 2)
        answer = self._simple([*(words or ["echo"]), *stdin.split()], "")
        return answer if answer.code in {0, 127} else Answer(answer.out, answer.err, 123)

    def _value(self, name: str) -> str:
        return str(self.code) if name == "?" else self.variables.get(name, "")

    def _pieces(self, word: Word) -> Iterator[tuple[str, bool, Answer]]:
        """Each piece of a word as text, whether blanks in it part words, and what was said on the way."""
        for piece in word:
            if piece.kind == "script":
                inner = Shell(self.execute)
                inner.variables, inner.code = dict(self.variables), self.code
                answer = inner.run(piece.text)
                yield answer.out.rstrip("\n"), not piece.quoted, answer
            elif piece.kind == "variable":
                yield self._value(piece.text), not piece.quoted, Answer()
            else:
                yield piece.text, False, Answer()

    def _text(self, word: Word) -> tuple[str, Answer]:
        """A word as one text, and what its scripts said."""
        text, err, code = "", "", 0
        for part, _, said in self._pieces(word):
            text, err, code = text + part, err + said.err, said.code
        return text, Answer("", err, code)

    def _fields(self, word: Word) -> tuple[list[str], Answer]:
        """A word as the words that it becomes: an unquoted variable or script is parted at blanks, or vanishes."""
        fields: list[str] = []
        err, grows = "", False  # whether the next part belongs to the last field
        for piece, (text, splits, said) in zip(word, self._pieces(word), strict=True):
            err += said.err
            if not splits:
                if not text and not piece.quoted:
                    continue
                fields, grows = ([*fields[:-1], fields[-1] + text] if grows else [*fields, text]), True
                continue
            grows = grows and not text[:1].isspace()
            for part in text.split():
                fields = [*fields[:-1], fields[-1] + part] if grows else [*fields, part]
                grows = False
            grows = not text[-1:].isspace() if text.strip() else grows and not text
        return fields, Answer("", err)
