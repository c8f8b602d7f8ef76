r"""The functions that templates of docker's commands may call, and how Go prints values.

Models: text/template/funcs.go of Go, templates/templates.go of docker/cli.
Leaves out: `html`, `js`, `urlquery`, `call`; `printf` knows %s, %v, %d, %q, %t and %%, with widths.

Example:
    >>> text_of({"b": [1, True], "a": None}), json_text({"a": "x>y"})
    ('map[a:<nil> b:[1 true]]', '{"a":"x\\u003ey"}')
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

Value = Any
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_VERB = re.compile(r"%(-?[0-9]*)([svdqt%])")
# what Go prints of a pointer inside something else depends on memory; this is what simnet prints
POINTER = "0xc000000000"


class Badly(Exception):
    """A function was given what it cannot work with; the message is Go's."""


class _NoValue:
    """What a template has in its hands where there is nothing, as Go prints it."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<no value>"


NO_VALUE = _NoValue()


class Struct(dict[str, Value]):
    """A Go struct, by the names that its fields have in JSON: printed by its values alone.

    `names`: the fields that Go names otherwise; by their names in JSON a template does not find those. `empty`: the
    fields that JSON leaves out where they are empty. `nils`: how many pointers to nothing stand at its end.
    """

    names: ClassVar[Mapping[str, str]] = {}
    empty: ClassVar[Mapping[str, Value]] = {}
    nils: ClassVar[int] = 0

    def field(self, name: str) -> Value:
        """The field that Go names so; KeyError without one."""
        if name in self.names.values():
            raise KeyError(name)
        key = self.names.get(name, name)
        return self[key] if key in self else self.empty[key]


class Pointer(Struct):
    """A pointer to a struct: inside a map it is printed as an address."""


class Map(dict[str, Value]):
    """A Go map of known type: what is not in it is no error. An ordinary dictionary is one of unknown type."""


class NilSlice(list[Value]):
    """A slice that is nil: empty, and null in JSON."""


class NilMap(Map):
    """A map that is nil: empty, and null in JSON."""


def text_of(value: Value, *, inner: bool = False) -> str:
    """A value as `fmt.Print` prints it.

    Example:
        >>> text_of([Struct(HostIp="127.0.0.1", HostPort="80")]), text_of({"n1": Pointer(A=1)})
        ('[{127.0.0.1 80}]', 'map[n1:0xc000000000]')
    """
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Pointer) and inner:
        return POINTER
    if isinstance(value, Struct):
        shown = [text_of(one, inner=True) for one in value.values()]
        return "{" + " ".join([*shown, *["<nil>"] * value.nils]) + "}"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{text_of(one, inner=True)}" for key, one in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(text_of(one, inner=True) for one in value) + "]"
    return "<nil>" if value is NO_VALUE and inner else str(value)


def plain(value: Value) -> Value:
    """A value as JSON has it."""
    if isinstance(value, (NilSlice, NilMap)) or value is NO_VALUE:
        return None
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def json_text(value: Value) -> str:
    """A value as Go's encoding/json writes it: no spaces, and `<`, `>`, `&` escaped."""
    text = json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)
    return re.sub("[<>&]", lambda found: _ESCAPES[found[0]], text)


def true(value: Value) -> bool:
    """Whether a value counts as true: not false, 0, empty or nil; a struct always does."""
    return isinstance(value, Struct) or bool(value)


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        if value is None or value is NO_VALUE:
            raise Badly("index of nil pointer")
        if isinstance(value, Mapping):
            value = value.get(key, None if isinstance(value, Map) else NO_VALUE)
        elif isinstance(value, (list, str)):
            if not isinstance(key, int) or isinstance(key, bool):
                raise Badly(f"cannot index slice/array with type {_type(key)}")
            if not 0 <= key < len(value):
                raise Badly(f"index out of range: {key}")
            value = value[key] if isinstance(value, list) else ord(value[key])
        else:
            raise Badly(f"can't index item of type {_type(value)}")
    return value


def _slice(value: Value, first: int = 0, last: int | None = None) -> Value:
    if not isinstance(value, (str, list)):
        raise Badly(f"can't slice item of type {_type(value)}")
    end = len(value) if last is None else last
    for number in (first, end):
        if not 0 <= number <= len(value):
            raise Badly(f"index out of range: {number}")
    if first > end:
        raise Badly(f"invalid slice index: {first} > {end}")
    return value[first:end]


def _length(value: Value) -> int:
    if not isinstance(value, (str, list, Mapping)):
        raise Badly(f"len of type {_type(value)}")
    return len(value)


def _type(value: Value) -> str:
    """The Go type of a value."""
    kinds = {bool: "bool", int: "int", str: "string", float: "float64", list: "[]interface {}", type(None): "nil"}
    return kinds.get(type(value), "map[string]interface {}")


def _same(one: Value, *others: Value) -> bool:
    if not others:
        raise Badly("missing argument for comparison")
    for other in others:
        if one is not None and other is not None and type(one) is not type(other):
            raise Badly("incompatible types for comparison")
    return any(one == other for other in others)


def _less(one: Value, other: Value) -> bool:
    if type(one) is not type(other) or not isinstance(one, (str, int, float)) or isinstance(one, bool):
        raise Badly("incompatible types for comparison")
    return bool(one < other)


def _and(first: Value, *others: Value) -> Value:
    values = (first, *others)
    return next((value for value in values if not true(value)), values[-1])


def _or(first: Value, *others: Value) -> Value:
    values = (first, *others)
    return next((value for value in values if true(value)), values[-1])


def _print(*values: Value) -> str:
    """Spaces stand only between operands of which neither is text."""
    out = ""
    for before, value in zip((None, *values), values, strict=False):
        spaced = before is not None and not isinstance(before, str) and not isinstance(value, str)
        out += (" " if spaced else "") + text_of(value)
    return out


def _printf(shape: str, *values: Value) -> str:
    left = list(values)

    def verb(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        if not left:
            return f"%!{found[2]}(MISSING)"
        value = left.pop(0)
        text = json.dumps(value, ensure_ascii=False) if found[2] == "q" else text_of(value)
        width = int(found[1] or 0)
        return text.ljust(-width) if width < 0 else text.rjust(width)

    return _VERB.sub(verb, shape)


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else ""


def _join(words: Sequence[Value], between: str) -> str:
    return between.join(map(text_of, words))


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "json": json_text,
    "split": lambda text, between: text.split(between),
    "join": _join,
    "title": lambda text: re.sub(r"\b[a-z]", lambda found: found[0].upper(), text),
    "lower": str.lower,
    "upper": str.upper,
    "pad": _pad,
    "truncate": lambda text, length: text[:length],
    "index": _index,
    "slice": _slice,
    "len": _length,
    "eq": _same,
    "ne": lambda one, other: not _same(one, other),
    "lt": _less,
    "le": lambda one, other: one == other or _less(one, other),
    "gt": lambda one, other: one != other and not _less(one, other),
    "ge": lambda one, other: not _less(one, other),
    "and": _and,
    "or": _or,
    "not": lambda value: not true(value),
    "print": _print,
    "println": lambda *values: " ".join(map(text_of, values)) + "\n",
    "printf": _printf,
}
# what functions of docker's take, in Go's words; Go's own functions look at that themselves
PARAMETERS: dict[str, tuple[str, ...]] = {
    "split": ("string", "string"), "join": ("[]string", "string"), "title": ("string",), "lower": ("string",),
    "upper": ("string",), "pad": ("string", "int", "int"), "truncate": ("string", "int"),
}  # fmt: skip


def mismatch(function: str, number: int, value: Value) -> str:
    """What is wrong with a value as an operand of a function of docker's; nothing where it is right.

    Example:
        >>> mismatch("join", 0, "web"), mismatch("join", 0, ["a"])
        ('wrong type for value; expected []string; got string', '')
    """
    wanted = PARAMETERS.get(function, ())[number : number + 1]
    given = "[]string" if isinstance(value, list) else _type(value)
    return f"wrong type for value; expected {wanted[0]}; got {given}" if wanted and given != wanted[0] else ""
