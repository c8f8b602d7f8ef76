"""Go's text templates read: from tokens to blocks, pipelines, commands and operands.

Models: text/template/parse of Go.

Example:
    >>> [block] = Reader("{{if .Up}}up{{end}}", {}).read()
    >>> block.kind, block.pipe.commands[0].operands[0].fields, block.body
    ('if', ('Up',), ['up'])
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import NoReturn

from simnet.docker.gotemplate import lex as golex
from simnet.errors import TemplateError


@dataclass(frozen=True, slots=True)
class Operand:
    """Something that has a value: where it stands, how it is written, where it starts from, and the fields after it.

    `start` is `.` (the dot), `$name`, a `Pipe` in parentheses, or a `golex.Literal`.
    """

    at: int
    text: str
    start: object
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a pipeline: a function with its operands, or one operand alone."""

    at: int
    text: str
    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given what the one before it made; the result goes to the variables, where there are some."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    declares: bool = True


@dataclass(slots=True)
class Block:
    """`if`, `with` or `range`, with what it holds; an action by itself (`print`), or a call of a `template`."""

    kind: str
    pipe: Pipe
    body: list[Block | str] = field(default_factory=list)
    otherwise: list[Block | str] = field(default_factory=list)


class Reader:
    """Reads one template; `functions` are the names that it may call. TemplateError in Go's words where it is wrong."""

    def __init__(self, text: str, functions: Container[str]) -> None:
        self.text, self.functions = text, functions
        self.names = ["$"]
        self._parts = golex.parts(text)
        self._word = ""
        self._rest: _Tokens | None = None

    def read(self) -> list[Block | str]:
        """The whole template."""
        return self._list(("",))

    def wrong(self, at: int, message: str) -> NoReturn:
        """Refuse what stands at a place."""
        raise TemplateError(f"template: :{self.text.count(chr(10), 0, at) + 1}: {message}")

    def _list(self, ends: tuple[str, ...]) -> list[Block | str]:
        """What stands up to one of some words (`end`, `else`; `` for the end of the template); leaves it in `_word`."""
        found: list[Block | str] = []
        for part in self._parts:
            if isinstance(part, str):
                found.append(part)
                continue
            tokens = _Tokens(self, part)
            word = tokens.keyword()
            if word in {"end", "else"}:
                if word not in ends:
                    self.wrong(part.at, f"unexpected {{{{{word}}}}}")
                self._word, self._rest = word, tokens
                return found
            if word == "template":
                found.append(Block(word, tokens.named(part.at - 2)))
            else:
                found.append(self._block(word, tokens) if word else Block("print", tokens.pipe()))
        if "" not in ends:
            self.wrong(len(self.text), "unexpected EOF")
        return found

    def _block(self, kind: str, tokens: _Tokens) -> Block:
        depth = len(self.names)
        block = Block(kind, tokens.pipe(several=kind == "range"))
        block.body = self._list(("end", "else"))
        if self._word == "else":
            assert self._rest is not None
            word = self._rest.keyword()
            if word:
                block.otherwise = [self._block(word, self._rest)]
            else:
                block.otherwise = self._list(("end",))
        del self.names[depth:]
        return block


class _Tokens:
    """The tokens of one action, read from the left."""

    def __init__(self, reader: Reader, part: golex.Action) -> None:
        self._reader, self._left = reader, golex.tokens(reader.text, part)
        self._end = part.at + len(part.text)

    def _peek(self) -> golex.Token:
        return self._left[0] if self._left else golex.Token("end", "", self._end)

    def _skip(self) -> golex.Token:
        """Past spaces, to what comes next."""
        while self._left and self._left[0].kind == "space":
            self._left.pop(0)
        return self._peek()

    def keyword(self) -> str:
        """The word that makes an action more than a pipeline, or nothing."""
        first = self._skip()
        if first.kind == "name" and first.text in {"if", "with", "range", "else", "end", "template"}:
            self._left.pop(0)
            return first.text
        if first.kind == "name" and first.text in {"define", "block", "break", "continue"}:
            self._reader.wrong(first.at, f"{{{{{first.text}}}}} is not modelled")
        return ""

    def named(self, begin: int) -> Pipe:
        """The name of another template, as a command that only has a name."""
        token = self._skip()
        if token.kind != "literal" or token.text[0] not in '"`':
            self._reader.wrong(token.at, f'unexpected "{token.text}" in template clause')
        text = self._reader.text[begin : self._reader.text.index("}}", token.at) + 2]
        return Pipe((Command(token.at, text, str(golex.value_of(token.text)), ()),))

    def pipe(self, *, several: bool = False, close: bool = False) -> Pipe:
        """A pipeline, up to the end of the action or, with `close`, to `)`."""
        names, declares = self._variables(several=several)
        commands = []
        while True:
            commands.append(self._command())
            token = self._skip()
            if token.text != "|":
                break
            self._left.pop(0)
        if close and token.text == ")":
            self._left.pop(0)
        elif token.text == ")":
            self._reader.wrong(token.at, "unexpected right paren")
        elif token.kind != "end" or close:
            self._reader.wrong(
                token.at, f'unexpected "{token.text}" in operand' if token.text else "unclosed left paren"
            )
        self._reader.names += names
        return Pipe(tuple(commands), tuple(names), declares)

    def _variables(self, *, several: bool) -> tuple[list[str], bool]:
        """`$a :=`, `$a, $b :=` or `$a =` at the beginning."""
        self._skip()
        words = [token for token in self._left if token.kind != "space"]
        count = 3 if several and len(words) > 3 and words[1].text == "," else 1
        if len(words) <= count or words[0].kind != "variable" or words[count].text not in {":=", "="}:
            return [], True
        names, declares = [token.text for token in words[:count:2]], words[count].text == ":="
        for name in [] if declares else names:
            if name not in self._reader.names:
                self._reader.wrong(words[0].at, f'undefined variable "{name}"')
        while self._left.pop(0) is not words[count]:
            pass
        return names, declares

    def _command(self) -> Command:
        first = self._skip()
        function = ""
        if first.kind == "name":
            function = first.text
            if function not in self._reader.functions:
                self._reader.wrong(first.at, f'function "{function}" not defined')
            self._left.pop(0)
        operands = []
        while self._skip().kind not in {"end"} and self._peek().text not in {"|", ")"}:
            operands.append(self._operand())
        end = self._peek().at
        text = self._reader.text[first.at : end].strip()
        if not operands and not function:
            self._reader.wrong(first.at, "missing value for command")
        return Command(first.at, text, function, tuple(operands))

    def _operand(self) -> Operand:
        token = self._left.pop(0)
        if token.kind == "literal":
            return Operand(token.at, token.text, golex.Literal(golex.value_of(token.text)))
        if token.text == "(":
            start: object = self.pipe(close=True)
        elif token.kind == "variable":
            start = token.text
            if token.text not in self._reader.names:
                self._reader.wrong(token.at, f'undefined variable "{token.text}"')
        elif token.kind in {"field", "dot"}:
            start = "."
        else:
            self._reader.wrong(token.at, f'unexpected "{token.text}" in operand')
        fields = [token.text[1:]] if token.kind == "field" else []
        at = token.at
        while self._peek().kind == "field":
            one = self._left.pop(0)
            at = one.at if len(fields) == (token.kind == "field") else at
            fields.append(one.text[1:])
        return Operand(at, self._reader.text[token.at : self._peek().at].strip(), start, tuple(fields))
