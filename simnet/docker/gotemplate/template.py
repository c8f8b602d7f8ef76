"""Go's text templates, as far as `--format` of docker's commands uses them.

Fields (`.Names`, `.NetworkSettings.Networks.n1.IPAddress`), variables, `range`, `if`, `with`, `else`, pipelines,
parentheses, comments, trimming, and the functions of `gofunctions`. What a template prints of is made of Python's own
values: text, numbers, booleans, None, lists, and dictionaries for Go's maps and structs.

Models: text/template of Go, templates/templates.go of docker/cli.
Leaves out: `define` and `block` (so no `template` has a name), `break`, methods, complex numbers.

Example:
    >>> Template("{{range $name, $net := .Networks}}{{$name}} {{json $net.IPAddress}}{{end}}").execute(
    ...     {"Networks": {"n1": {"IPAddress": "10.0.0.2"}}}
    ... )
    'n1 "10.0.0.2"'
    >>> Template("{{.Names").execute({})
    Traceback (most recent call last):
    ...
    simnet.errors.TemplateError: template: :1: unclosed action
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from simnet.docker.gotemplate.functions import FUNCTIONS, NO_VALUE, Badly, Map, Struct, mismatch, text_of, true
from simnet.docker.gotemplate.lex import Literal
from simnet.docker.gotemplate.parse import Block, Operand, Pipe, Reader
from simnet.errors import TemplateError

Value = Any


class Record(dict[str, Value]):
    """A Go struct by its fields, known by the name of its type: a field that it lacks is refused as Go does."""

    def __init__(self, kind: str, fields: Mapping[str, Value]) -> None:
        """A struct of the type `kind` (`*formatter.ContainerContext`)."""
        self.kind = kind
        super().__init__(fields)


class Template:
    """A template, read; TemplateError in Go's words where it is wrong.

    Example:
        >>> Template("{{if .Up}}up{{else}}down{{end}}").execute({"Up": True})
        'up'
        >>> Template("{{nope .Id}}")
        Traceback (most recent call last):
        ...
        simnet.errors.TemplateError: template: :1: function "nope" not defined
    """

    def __init__(self, text: str, functions: Mapping[str, Callable[..., Value]] = FUNCTIONS) -> None:
        """Read `text`; `functions` are those that it may call."""
        self.text, self.functions = text, functions
        self._body = Reader(text, functions).read()

    def execute(self, value: Value) -> str:
        """What it prints of a value; TemplateError in Go's words where it asks for what is not there."""
        return "".join(self._run(self._body, value, [("$", value)]))

    def _run(self, body: list[Block | str], dot: Value, held: list[tuple[str, Value]]) -> Iterator[str]:
        depth = len(held)
        for part in body:
            if isinstance(part, str):
                yield part
            elif part.kind == "print":
                found = self._pipe(part.pipe, dot, held)
                if not part.pipe.variables:
                    yield text_of(found)
            elif part.kind == "template":
                command = part.pipe.commands[0]
                self._failed(command.at, command.text, f'template "{command.function}" not defined')
            elif part.kind == "range":
                yield from self._range(part, dot, held)
                del held[depth:]
            else:
                inner = len(held)
                found = self._pipe(part.pipe, dot, held)
                chosen = part.body if true(found) else part.otherwise
                yield from self._run(chosen, found if part.kind == "with" and true(found) else dot, held)
                del held[inner:]
        del held[depth:]

    def _range(self, block: Block, dot: Value, held: list[tuple[str, Value]]) -> Iterator[str]:
        names = block.pipe.variables
        found = self._pipe(Pipe(block.pipe.commands), dot, held)
        if isinstance(found, Mapping):
            pairs: list[tuple[Value, Value]] = sorted(found.items())
        elif isinstance(found, list):
            pairs = list(enumerate(found))
        elif isinstance(found, int) and not isinstance(found, bool):
            pairs = [(number, number) for number in range(found)]
        elif found is None or found is NO_VALUE:
            pairs = []
        else:
            command = block.pipe.commands[-1]
            self._failed(command.at, command.text, f"range can't iterate over {text_of(found)}")
        depth = len(held)
        for key, value in pairs:
            given = (value,) if len(names) == 1 else (key, value)
            held += zip(names, given, strict=False)
            yield from self._run(block.body, value, held)
            del held[depth:]
        if not pairs:
            yield from self._run(block.otherwise, dot, held)

    def _pipe(self, pipe: Pipe, dot: Value, held: list[tuple[str, Value]]) -> Value:
        given: tuple[Value, ...] = ()
        for command in pipe.commands:
            values = [self._value(one, dot, held) for one in command.operands]
            if command.function:
                for number, value in enumerate([*values, *given]):
                    wrong = mismatch(command.function, number, value)
                    if wrong:
                        at = command.operands[number] if number < len(values) else command
                        self._failed(at.at, at.text, wrong)
                try:
                    given = (self.functions[command.function](*values, *given),)
                except Badly as error:
                    self._failed(command.at, command.text, f"error calling {command.function}: {error}")
                except TypeError:
                    self._failed(command.at, command.function, f"wrong number of args for {command.function}")
            elif given or len(values) > 1:
                self._not_a_function(command.operands[0])
            else:
                given = (values[0],)
        for name in pipe.variables:
            if pipe.declares:
                held.append((name, given[0]))
            else:
                place = max(number for number, (one, _) in enumerate(held) if one == name)
                held[place] = name, given[0]
        return given[0]

    def _value(self, one: Operand, dot: Value, held: list[tuple[str, Value]]) -> Value:
        if isinstance(one.start, Literal):
            return one.start.value
        if isinstance(one.start, Pipe):
            found = self._pipe(one.start, dot, held)
        elif one.start == ".":
            found = dot
        else:
            found = next(value for name, value in reversed(held) if name == one.start)
        for name in one.fields:
            found = self._field(one, found, name)
        return found

    def _field(self, one: Operand, found: Value, name: str) -> Value:
        if isinstance(found, Struct):
            try:
                return found.field(name)
            except KeyError:
                self._failed(one.at, one.text, f"can't evaluate field {name}")
        if isinstance(found, Map) or found is NO_VALUE:
            return found.get(name, NO_VALUE) if isinstance(found, Map) else NO_VALUE
        if isinstance(found, Mapping) and name in found:
            return found[name]
        if isinstance(found, Record):
            wrong = f"can't evaluate field {name} in type {found.kind}"
        elif isinstance(found, Mapping):
            wrong = f'map has no entry for key "{name}"'
        elif found is None:
            wrong = f'nil data; no entry for key "{name}"'
        else:
            wrong = f"can't evaluate field {name} in type interface {{}}"
        return self._failed(one.at, one.text, wrong)

    def _not_a_function(self, one: Operand) -> NoReturn:
        if one.fields:
            self._failed(one.at, one.text, f"{one.fields[-1]} is not a method but has arguments")
        self._failed(one.at, one.text, f"can't give argument to non-function {one.text}")

    def _failed(self, at: int, text: str, message: str) -> NoReturn:
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1)
        raise TemplateError(f'template: :{line}:{column}: executing "" at <{text}>: {message}')
