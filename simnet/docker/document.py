r"""A YAML file as values that know where they stand, so that what is wrong in it can be pointed at.

Only what data needs: mappings with text keys, lists, text, whole numbers, true and false. What some readers make
another number of stays the text that it is (`22:22`, `28.10`); a key given twice, an unknown key and a word or number
that may mean two things (`yes`, `010`) are refused.

Example:
    >>> value = read("ports: [80, 22:22]\nengine: 28.10\n", "a.yaml").mapping()
    >>> [port.held for port in value["ports"].items()], value["engine"].text()
    ([80, '22:22'], '28.10')
    >>> print(read("ports:\n  - 010\n", "a.yaml"))
    Traceback (most recent call last):
    ...
    simnet.errors.SourceError: a.yaml:2:5: 010 would be read as a number; put it in quotes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from simnet.errors import SourceError, nearest

if TYPE_CHECKING:
    import yaml

Scalar = str | int | bool
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
# times sixty to YAML 1.1 (`22:22`), or with a point (`28.5`): kept as it is written
_AS_WRITTEN = re.compile(r"[0-9]+(?:[.:][0-9]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the file: text, number, bool, a list or a mapping of values; and its place.

    `read` makes no floats; freer readers may.
    """

    held: Scalar | float | list[Value] | dict[str, Value] | None
    file: str
    line: int
    column: int

    def error(self, message: str, hint: str = "") -> SourceError:
        """An error that points here."""
        return SourceError(message, file=self.file, line=self.line, column=self.column, hint=hint)

    def text(self) -> str:
        """The value, which must be text."""
        return cast("str", self._of(str, "text"))

    def number(self) -> int:
        """The value, which must be a whole number."""
        if isinstance(self.held, bool):
            raise self.error("a whole number is wanted here")
        return cast("int", self._of(int, "a whole number"))

    def flag(self) -> bool:
        """The value, which must be true or false."""
        return cast("bool", self._of(bool, "true or false"))

    def scalar(self) -> Scalar:
        """The value, which must be text, a number, true or false."""
        return cast("Scalar", self._of((str, int, bool), "one plain value"))

    def items(self) -> list[Value]:
        """The values of a list."""
        return cast("list[Value]", self._of(list, "a list"))

    def mapping(self, known: Iterable[str] | None = None, needed: Iterable[str] = ()) -> dict[str, Value]:
        """The values of a mapping; keys that are not `known` are refused, `needed` ones must be there."""
        found = cast("dict[str, Value]", self._of(dict, "a mapping"))
        if known is not None:
            names = list(known)
            for key, value in found.items():
                value.known(key, names)
        for key in needed:
            if key not in found:
                raise self.error(f"key {key!r} is missing")
        return found

    def known(self, key: str, known: Iterable[str], shown: str = "") -> None:
        """Refuse the key that this value has, where it is none of the known ones."""
        names = list(known)
        if key not in names:
            raise self.error(f"no key {shown or key!r} here{nearest(key, names)}")

    def one_of(self, known: Iterable[str]) -> str:
        """The value, which must be one of some words."""
        text, names = self.text(), list(known)
        if text not in names:
            raise self.error(f"{text!r} is none of the words wanted here{nearest(text, names)}")
        return text

    def _of(self, kind: type | tuple[type, ...], what: str) -> object:
        if not isinstance(self.held, kind):
            raise self.error(f"{what} is wanted here")
        return self.held


def read(text: str, file: str) -> Value:
    r"""Read a document; SourceError with file, line and column where it is wrong.

    Example:
        >>> value = read("icc: false\n", "a.yaml").mapping()["icc"]
        >>> value.flag(), value.line, value.column
        (False, 1, 6)
    """
    import yaml

    with pointed(file):
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if node is None:
        raise SourceError("the file is empty", file=file, line=1)
    return _value(node, file)


@contextmanager
def pointed(file: str) -> Iterator[None]:
    """What PyYAML raises inside, as a SourceError that points into `file`."""
    import yaml

    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise SourceError(error.problem or "no YAML", file=file, line=line, column=column) from None
    except yaml.YAMLError as error:
        raise SourceError(str(error).splitlines()[0], file=file) from None


def _value(node: yaml.Node, file: str) -> Value:
    import yaml

    def made(held: Scalar | list[Value] | dict[str, Value] | None) -> Value:
        return Value(held, file, node.start_mark.line + 1, node.start_mark.column + 1)

    if isinstance(node, yaml.MappingNode):
        return made(dict(_pairs(node, file)))
    if isinstance(node, yaml.SequenceNode):
        return made([_value(item, file) for item in node.value])
    return made(_scalar(node, made(None)))


def _pairs(node: yaml.MappingNode, file: str) -> Iterator[tuple[str, Value]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = _value(key_node, file)
        name = key.text()
        if name in seen:
            raise key.error(f"key {name!r} stands here a second time", f"the first is in line {seen[name]}")
        seen[name] = key.line
        yield name, _value(value_node, file)


def _scalar(node: yaml.Node, place: Value) -> Scalar | None:
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    if kind == "str":
        return text
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in {"true", "false"}:
            raise place.error(f"{text} would be read as true or false", "put it in quotes")
        return text.lower() == "true"
    if kind == "int" and _DECIMAL.fullmatch(text):
        return int(text)
    if kind in {"int", "float"} and _AS_WRITTEN.fullmatch(text):
        return text
    raise place.error(f"{text} would be read as a {'number' if kind in {'int', 'float'} else kind}",
                      "put it in quotes")  # fmt: skip
