r"""The text of a compose file as a tree of values that know their places: YAML 1.2 as compose reads it.

`22:22`, `yes` and dates are text; anchors, aliases, merge keys and several documents are followed; a key given twice is
refused. Tags: `!reset` and `!override` are kept for the merge of files, others are ignored.

Models: compose-go's loader on go.yaml.in/yaml (numbers as Go writes them: `0x50`, `0o17`, `0120`, `1_000`).
Leaves out: binary values (`!!binary` stays text); dates become text, where compose gives a point in time.

Example:
    >>> (top,) = documents("a: &x {b: 22:22, c: yes}\nd: {<<: *x, c: 1.5}\n", "compose.yaml")
    >>> {name: value.held for name, value in top.mapping()["d"].mapping().items()}
    {'b': '22:22', 'c': 1.5}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from simnet.docker.document import Value, pointed
from simnet.errors import SourceError

if TYPE_CHECKING:
    import yaml

RESET, OVERRIDE = "!reset", "!override"
_MOST_VALUES, _DEEPEST = 200_000, 100
_INT = r"[-+]?(?:0b[01_]+|0o?[0-7_]+|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_KINDS = (
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
)


@dataclass(frozen=True, slots=True)
class Entry(Value):
    """A value of a compose file; `key` is the line and column of its key, `mark` its `!reset` or `!override`."""

    key: tuple[int, int] = (0, 0)
    mark: str = ""


@dataclass(slots=True)
class Findings:
    """What was found while files were read: what is wrong, what is worth saying, and which keys mean nothing here."""

    problems: list[SourceError] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)

    def wrong(self, value: Value, message: str, hint: str = "") -> None:
        """Keep a problem that a value has."""
        self.problems.append(value.error(message, hint))

    def wrong_key(self, value: Value, message: str, hint: str = "") -> None:
        """Keep a problem that lies in a value's key."""
        line, column = value.key if isinstance(value, Entry) and value.key[0] else (value.line, value.column)
        self.problems.append(SourceError(message, file=value.file, line=line, column=column, hint=hint))

    def note(self, text: str) -> None:
        """Keep something worth saying, once."""
        self.notes[text] = None

    def tried(self, value: Value, error: ValueError, hint: str = "") -> None:
        """Keep what a smaller reader said about a value."""
        self.wrong(value, str(error), hint)


def documents(text: str, file: str) -> list[Value]:
    """Every document of a file that holds something; SourceError with file, line and column where it is no YAML."""
    import yaml

    with pointed(file):
        nodes = list(yaml.compose_all(text, Loader=_loader()))
    return [_Maker(file).value(node) for node in nodes if not _is_empty(node)]


def made(value: Value, held: Any) -> Entry:
    """Something else at a value's place."""
    key = value.key if isinstance(value, Entry) else (0, 0)
    return Entry(held, value.file, value.line, value.column, key)


def mapping_of(value: Value | None) -> dict[str, Value]:
    """The values of a mapping; of anything else, none."""
    return value.held if value is not None and isinstance(value.held, dict) else {}


def items_of(value: Value | None) -> list[Value]:
    """The values of a list; of anything else, none."""
    return value.held if value is not None and isinstance(value.held, list) else []


def text_of(value: Value | None) -> str:
    """A plain value as compose prints it (`true`, `1024`, `0.5`); of anything else, nothing.

    Example:
        >>> text_of(Entry(True, "", 0, 0)), text_of(Entry(1024, "", 0, 0)), text_of(None)
        ('true', '1024', '')
    """
    if value is None or value.held is None or isinstance(value.held, list | dict):
        return ""
    if isinstance(value.held, bool):
        return "true" if value.held else "false"
    return f"{value.held:g}" if isinstance(value.held, float) else str(value.held)


def is_address(text: str, version: int = 0) -> bool:
    """Whether a text is an IP address (of a version).

    Example:
        >>> is_address("192.0.2.1"), is_address("::1", 4), is_address("192.0.2.0/24")
        (True, False, False)
    """
    try:
        return ip_address(text).version in {version or 4, version or 6}
    except ValueError:
        return False


def plain(value: Value) -> Any:
    """A tree without its places.

    Example:
        >>> plain(documents("a: [1, {b: x}]", "compose.yaml")[0])
        {'a': [1, {'b': 'x'}]}
    """
    if isinstance(value.held, dict):
        return {name: plain(item) for name, item in value.held.items()}
    if isinstance(value.held, list):
        return [plain(item) for item in value.held]
    return value.held


@cache
def _loader() -> type[yaml.SafeLoader]:
    import yaml

    class Core(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # chosen at run time
        """PyYAML with the plain values of YAML 1.2 as Go reads them."""

        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 # PyYAML's own name and form

    for kind, pattern, first in _KINDS:
        letters = [*first, ""] if kind == "null" else [*first]
        Core.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z"), letters)
    return Core


def _is_empty(node: yaml.Node) -> bool:
    return node.tag.endswith(":null") and node.value == ""


def _is_mapping(node: yaml.Node) -> bool:
    import yaml

    return isinstance(node, yaml.MappingNode)


class _Maker:
    """Values of the nodes of one file; counts them, as aliases of aliases can stand for millions."""

    def __init__(self, file: str) -> None:
        self.file, self.count = file, 0
        self.open: set[int] = set()

    def value(self, node: yaml.Node, key: tuple[int, int] = (0, 0)) -> Value:
        mark = node.tag if node.tag in {RESET, OVERRIDE} else ""
        place = Entry(None, self.file, node.start_mark.line + 1, node.start_mark.column + 1, key, mark)
        self.count += 1
        if len(self.open) > _DEEPEST:
            raise place.error("values are nested too deep")
        if self.count > _MOST_VALUES or id(node) in self.open:
            raise place.error("document contains excessive aliasing", "an alias stands for too much, or for itself")
        if isinstance(node.value, str):
            return replace(place, held=_scalar(node))
        self.open.add(id(node))
        held: Any = self.pairs(node) if _is_mapping(node) else [self.value(item) for item in node.value]
        self.open.discard(id(node))
        return replace(place, held=held)

    def pairs(self, node: yaml.Node) -> dict[str, Value]:
        """A mapping's values; what `<<` brings stands behind what the mapping says itself."""
        found: dict[str, Value] = {}
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node)
            if key_node.tag.endswith(":merge"):
                for name, value in self.merged(value_node):
                    found.setdefault(name, value)
                continue
            if not isinstance(key.held, str):
                raise key.error(f"non-string key: {key_node.value}", "put it in quotes")
            if key.held in own:
                raise key.error(f'mapping key "{key.held}" already defined at line {own[key.held]}')
            own[key.held] = key.line
            found[key.held] = self.value(value_node, (key.line, key.column))
        return found

    def merged(self, node: yaml.Node) -> Iterator[tuple[str, Value]]:
        for one in [node] if _is_mapping(node) or isinstance(node.value, str) else node.value:
            value = self.value(one)
            if not isinstance(value.held, dict):
                raise value.error("map merge requires map or sequence of maps as the value")
            yield from value.held.items()


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _int(text)
    if kind == "float":
        try:
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
    return text


def _int(text: str) -> int | str:
    """A whole number in one of Go's forms; text where it is none after all (`08`, `!!int x`)."""
    digits = text.replace("_", "")
    sign, digits = (digits[0], digits[1:]) if digits[:1] in {"-", "+"} else ("", digits)
    if digits.startswith("0") and digits[1:].isdigit():
        digits = f"0o{digits[1:]}"
    try:
        return int(sign + digits, 0)
    except ValueError:
        return text
