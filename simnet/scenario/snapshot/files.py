"""The files of a snapshot: read with errors that say where, and a note for each one that is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from simnet.errors import SnapshotError

Value = TypeVar("Value")


def read_text(path: Path, *, needed: bool, notes: list[str], without: str = "") -> str | None:
    """A file's text; SnapshotError where it is needed and not there, else a note that says what is done `without`."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if needed:
            raise SnapshotError(f"the snapshot lacks {path.name}", file=str(path),
                                hint="take it again, or add the file") from None  # fmt: skip
        notes.append(f"{path}: not in the snapshot; {without}")
        return None
    except UnicodeDecodeError as error:
        raise SnapshotError(f"not text: byte {error.start} is no UTF-8", file=str(path)) from None
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror}", file=str(path)) from None


def read_list(path: Path, *, needed: bool, notes: list[str], without: str = "") -> list[dict[str, Any]]:
    """A JSON list of objects; an empty file (as `ip -j` prints when there is nothing) is an empty list."""
    text = read_text(path, needed=needed, notes=notes, without=without)
    if text is None:
        return []
    if not text.strip():
        if needed:
            raise SnapshotError("the file is empty", file=str(path), hint="did the command fail? take it again")
        return []
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        raise SnapshotError(f"{'truncated' if cut else 'broken'} JSON: {error.msg}", file=str(path), line=error.lineno,
                            column=error.colno, hint="take the snapshot again") from None  # fmt: skip
    except RecursionError:
        raise SnapshotError("JSON nested too deeply", file=str(path), line=1, hint="take the snapshot again") from None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SnapshotError("expected a list of objects", file=str(path), line=1, column=1)
    return [item for item in found if item]


@contextmanager
def understood(path: Path, command: str) -> Iterator[None]:
    """Turn a surprise in a file's shape into a SnapshotError that says which command should have printed it."""
    try:
        yield
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
        raise SnapshotError(f"not what '{command}' prints: {error}", file=str(path), line=1,
                            hint="take the snapshot again") from None  # fmt: skip


def field(item: dict[str, Any], name: str, path: Path, convert: Callable[[Any], Value]) -> Value:
    """A field that must be there, converted; SnapshotError otherwise."""
    if name not in item:
        shown = item.get("ifname") or item.get("dst") or item.get("Name") or "an entry"
        raise SnapshotError(f"{shown} has no field {name!r}", file=str(path), line=1)
    return converted(item[name], name, path, convert)


def converted(value: object, name: str, path: Path, convert: Callable[[Any], Value]) -> Value:
    """A value converted; SnapshotError where it cannot be."""
    try:
        return convert(value)
    except (ValueError, TypeError, KeyError):
        raise SnapshotError(f"field {name!r} is {value!r}", file=str(path), line=1) from None
