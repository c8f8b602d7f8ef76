"""What a shell script says: lists of pipelines of commands, read line by line as `sh` reads them.

A script is read one complete command line at a time, so what stands before a mistake has run when it is found.

Models: the grammar of busybox 1.35 ash, as far as it is used to type commands.
Leaves out: loops, conditions, functions, subshells, here-documents, arithmetic, patterns of file names, jobs. Each is
named when it is met; nothing is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

_RESERVED = {"then", "else", "elif", "fi", "do", "done", "esac", "}"}
_COMPOUND = {"if": "`if`", "for": "loops (`for`)", "while": "loops (`while`)", "until": "loops (`until`)",
             "case": "`case`", "{": "groups (`{`)", "function": "functions", "[[": "`[[`"}  # fmt: skip
_OPERATORS = (";;", "&&", "||", "<<", ">>", ";", "|", "&", "(", ")", "<", ">")
_ENDS = " \t\n;|&()<>"
_SPECIAL = "#@*$!-0123456789"
# an IPv6 address in brackets: a pattern of file names by its form, which matches no file and so stays as it is
_BRACKETED = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*\]:")


class ReadError(Exception):
    """A script that cannot be read on: a syntax error, or something that the lab's shell does not have."""

    @classmethod
    def syntax(cls, what: str) -> ReadError:
        """A mistake, in the shell's own words."""
        return cls(f"sh: syntax error: {what}")

    @classmethod
    def missing(cls, what: str) -> ReadError:
        """Something that a real shell has."""
        return cls(f"sh: simnet's shell does not model {what}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: text (`kind` text), a variable's name (variable), or a script whose output it is (script)."""

    text: str
    kind: str = "text"
    quoted: bool = False


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """`N>WORD`, `N>&M` where `onto` is M, or `<WORD`, whose stream is 0."""

    stream: int
    target: Word = ()
    onto: int = 0


@dataclass(slots=True)
class Command:
    """A simple command: variables set before it, its words, where its outputs go."""

    assignments: list[tuple[str, Word]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing was said yet."""
        return not (self.assignments or self.words or self.redirects)


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`; `after` says when it runs: always (`;`), on success (`&&`) or on failure (`||`)."""

    after: str
    commands: list[Command] = field(default_factory=list)
    negated: bool = False


def read(script: str) -> Iterator[list[Pipeline]]:
    """The command lines of a script, each as its pipelines in order; ReadError where it cannot be read on.

    Example:
        >>> [[len(pipeline.commands) for pipeline in line] for line in read("true; docker ps | wc -l")]
        [[1, 2]]
    """
    reader = _Reader(script)
    while not reader.done():
        line = reader.line()
        if line:
            yield line


class _Reader:
    """A script and the place that was reached in it."""

    def __init__(self, script: str) -> None:
        self.text, self.at = script, 0

    def done(self) -> bool:
        self._blanks(newlines=True)
        return self.at >= len(self.text)

    def _starts(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _blanks(self, *, newlines: bool = False) -> None:
        """Pass blanks, continued lines and comments; `newlines`: line ends too."""
        while self.at < len(self.text):
            if self._starts("\\\n"):
                self.at += 2
            elif self._next() in (" \t\r\n" if newlines else " \t\r"):
                self.at += 1
            elif self._next() == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
            else:
                return

    def _operator(self) -> str:
        self._blanks()
        return next((one for one in _OPERATORS if self._starts(one)), "\n" if self._next() == "\n" else "")

    def _unexpected(self) -> NoReturn:
        operator = self._operator()
        if operator == "(":
            raise ReadError.missing("subshells and functions (`(`)")
        if operator == "\n":
            raise ReadError.syntax("unexpected newline")
        raise ReadError.syntax(f'unexpected "{operator}"' if operator else "unexpected end of file")

    def line(self) -> list[Pipeline]:
        """One command line, to its newline."""
        found: list[Pipeline] = []
        after = ";"
        while True:
            found.append(self._pipeline(after))
            operator = self._operator()
            if operator in {"&&", "||"}:
                self.at += 2
                self._blanks(newlines=True)
                after = operator
                continue
            if operator == ";":
                self.at += 1
                after = ";"
                if self._operator() == "\n" or self.at >= len(self.text):
                    return found
                continue
            if operator == "&":
                raise ReadError.missing("running in the background (`&`)")
            if operator in {"", "\n"}:
                return found
            self._unexpected()

    def _pipeline(self, after: str) -> Pipeline:
        pipeline = Pipeline(after)
        self._blanks()
        if self._next() == "!" and self.text[self.at + 1 : self.at + 2] in {" ", "\t"}:
            self.at += 1
            pipeline.negated = True
        while True:
            pipeline.commands.append(self._command())
            if self._operator() != "|":
                return pipeline
            self.at += 1
            self._blanks(newlines=True)

    def _command(self) -> Command:
        command = Command()
        while True:
            operator = self._operator()
            number = self._stream_number()
            if number >= 0 or operator in {">", ">>", "<", "<<"}:
                command.redirects.append(self._redirect(number))
                continue
            if operator or self.at >= len(self.text):
                if command.empty or operator == "(":
                    self._unexpected()
                return command
            self._take_word(command)

    def _take_word(self, command: Command) -> None:
        start = self.at
        name = self._assigned() if not command.words else ""
        word = self._word()
        if name:
            command.assignments.append((name, word))
            return
        plain = self.text[start : self.at]
        if not command.words and plain in _COMPOUND:
            raise ReadError.missing(_COMPOUND[plain])
        if not command.words and plain in _RESERVED:
            raise ReadError.syntax(f'unexpected "{plain}"')
        command.words.append(word)

    def _assigned(self) -> str:
        """The name before a `=` that starts here, passed over; empty where no variable is set."""
        end = self.at
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] == "_") and self.text[end].isascii():
            end += 1
        name = self.text[self.at : end]
        if not name or name[0].isdigit() or not self.text.startswith("=", end):
            return ""
        self.at = end + 1
        return name

    def _stream_number(self) -> int:
        """The number of a `2>`, passed over; -1 where there is none."""
        digit, then = self._next(), self.text[self.at + 1 : self.at + 2]
        if digit.isdigit() and then in {">", "<"} and then:
            self.at += 1
            return int(digit)
        return -1

    def _redirect(self, number: int) -> Redirect:
        operator = self._operator()
        if operator == "<<":
            raise ReadError.missing("here-documents (`<<`)")
        self.at += len(operator)
        standard = 0 if operator == "<" else 1
        stream = standard if number < 0 else number
        if stream not in ({0} if operator == "<" else {1, 2}):
            raise ReadError.missing(f"other streams than 0, 1 and 2 (`{stream}{operator}`)")
        if self._next() == "&":
            self.at += 1
            onto = self._next()
            if onto not in {"1", "2"} or not stream:
                raise ReadError.missing(f"redirection to `&{onto}`")
            self.at += 1
            return Redirect(stream, onto=int(onto))
        self._blanks()
        if self._operator() or self.at >= len(self.text):
            self._unexpected()
        return Redirect(stream, self._word())

    def _word(self) -> Word:
        """The pieces of one word, up to a blank or an operator."""
        pieces: list[Piece] = []
        first = self.at
        while self.at < len(self.text) and self._next() not in _ENDS:
            letter = self._next()
            if letter == "'":
                pieces.append(Piece(self._single(), quoted=True))
            elif letter == '"':
                pieces += self._double()
            elif letter == "\\":
                pieces.append(self._escaped())
            elif letter in "$`":
                pieces.append(self._expansion(quoted=False))
            else:
                self._refuse_pattern(letter, first=self.at == first)
                pieces.append(Piece(letter))
                self.at += 1
        return tuple(_joined(pieces))

    def _refuse_pattern(self, letter: str, *, first: bool) -> None:
        rest = self.text[self.at : self._word_end()]
        if letter in "*?" or (letter == "[" and "]" in rest and not _BRACKETED.match(rest)):
            raise ReadError.missing(f"patterns of file names; quote the `{letter}`")
        if letter == "~" and first:
            raise ReadError.missing("home directories; quote the `~`")

    def _word_end(self) -> int:
        return next((at for at in range(self.at, len(self.text)) if self.text[at] in _ENDS), len(self.text))

    def _escaped(self) -> Piece:
        letter = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if letter == "\n":
            return Piece("")
        return Piece(letter or "\\", quoted=True)

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise ReadError.syntax("unterminated quoted string")
        text, self.at = self.text[self.at + 1 : end], end + 1
        return text

    def _double(self) -> list[Piece]:
        """What stands in double quotes; at least an empty piece, so that `""` is a word."""
        pieces = [Piece("", quoted=True)]
        self.at += 1
        while self._next() != '"':
            letter, then = self._next(), self.text[self.at + 1 : self.at + 2]
            if not letter:
                raise ReadError.syntax("unterminated quoted string")
            if letter == "\\" and then and then in '$`"\\\n':
                pieces.append(Piece("" if then == "\n" else then, quoted=True))
                self.at += 2
            elif letter in "$`":
                pieces.append(self._expansion(quoted=True))
            else:
                pieces.append(Piece(letter, quoted=True))
                self.at += 1
        self.at += 1
        return pieces

    def _expansion(self, *, quoted: bool) -> Piece:
        """`$X`, `${X}`, `$?`, `$(…)` or backquotes; a `$` before anything else is itself."""
        if self._next() == "`":
            return Piece(self._backquoted(), "script", quoted)
        if self._starts("$(("):
            raise ReadError.missing("arithmetic (`$((`)")
        if self._starts("$("):
            return Piece(self._nested(), "script", quoted)
        if self._starts("${"):
            return Piece(self._braced(), "variable", quoted)
        end = self.at + 1
        while end < len(self.text) and self.text[end].isascii() and (self.text[end].isalnum() or self.text[end] == "_"):
            end += 1
        name = self.text[self.at + 1 : end]
        follows = self.text[self.at + 1 : self.at + 2]
        if follows == "?":
            self.at += 2
            return Piece("?", "variable", quoted)
        if follows and follows in _SPECIAL:
            raise ReadError.missing(f"the parameter `${follows}`")
        self.at = end
        return Piece(name, "variable", quoted) if name else Piece("$", quoted=quoted)

    def _braced(self) -> str:
        end = self.text.find("}", self.at)
        if end < 0:
            raise ReadError.syntax("missing '}'")
        name = self.text[self.at + 2 : end]
        if not name.isidentifier() and name != "?":
            raise ReadError.missing(f"the expansion `${{{name}}}`")
        self.at = end + 1
        return name

    def _backquoted(self) -> str:
        end = self.at + 1
        while end < len(self.text) and self.text[end] != "`":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise ReadError.syntax("EOF in backquote substitution")
        inner, self.at = self.text[self.at + 1 : end], end + 1
        return inner.replace("\\`", "`").replace("\\$", "$").replace("\\\\", "\\")

    def _nested(self) -> str:
        """The script in `$(…)`: read by a reader of its own until the bracket that closes it."""
        inner = _Reader(self.text)
        inner.at = start = self.at + 2
        while True:
            inner._blanks(newlines=True)
            if inner._starts(")"):
                break
            if inner.at >= len(inner.text):
                raise ReadError.syntax('unexpected end of file (expecting ")")')
            inner._nested_line()
        self.at = inner.at + 1
        return self.text[start : inner.at]

    def _nested_line(self) -> None:
        """Pass one word or operator of a nested script."""
        operator = self._operator()
        if operator == "(":
            self._unexpected()
        if operator:
            self.at += len(operator)
        elif self.at < len(self.text):
            self._word()


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Neighbouring pieces of one kind as one."""
    kept: Piece | None = None
    for piece in pieces:
        if kept is not None and kept.kind == piece.kind == "text" and kept.quoted == piece.quoted:
            kept = Piece(kept.text + piece.text, "text", piece.quoted)
            continue
        if kept is not None:
            yield kept
        kept = piece
    if kept is not None:
        yield kept
