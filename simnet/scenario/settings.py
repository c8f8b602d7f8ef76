r"""Changes to single values of a file, by their path, as `--set` gives them.

The value is put into the document before that is read, so it means what it would mean there, and is checked likewise.
Items of a list go by their numbers, from 0.

Example:
    >>> from simnet.docker import document
    >>> top = document.read("hosts: {h1: {mtu: 1500}}\n", "a.yaml")
    >>> changed = put(top, "hosts.h1.mtu", "1400", "--set h1.mtu=1400")
    >>> changed.mapping()["hosts"].mapping()["h1"].mapping()["mtu"].held
    1400

Leaves out: keys with a point in them that are not there yet (but for a host's `sysctl` and `daemon`), and the services
of a compose file.
"""

from __future__ import annotations

from simnet.docker import document
from simnet.docker.document import Value
from simnet.errors import SourceError, UsageError


def put(top: Value, path: str, text: str, where: str) -> Value:
    """A document with `text` as the value at a path; UsageError where no value can be there.

    `where` is what errors name as the place of the new value.
    """
    return _put(top, path, _read(text, where), where)


def _read(text: str, where: str) -> Value:
    """The value that a text is in YAML; what is none is taken as it is written."""
    try:
        found = document.read(text, where)
    except SourceError:
        return Value(text, where, 0, 0)
    return Value(found.held, where, 0, 0)


def _put(value: Value | None, path: str, new: Value, where: str) -> Value:
    if not path:
        return new
    if value is None or value.held is None:
        key, _, rest = path.partition(".")
        return Value({key: _put(None, rest, new, where)}, where, 0, 0)
    held = value.held
    if isinstance(held, list):
        key, _, rest = path.partition(".")
        if not key.isdigit() or int(key) >= len(held):
            raise UsageError(f"{where}: no item {key!r} in the list of {len(held)} at {value.file}:{value.line}")
        items = [_put(one, rest, new, where) if at == int(key) else one for at, one in enumerate(held)]
        return Value(items, value.file, value.line, value.column)
    if not isinstance(held, dict):
        raise UsageError(f"{where}: there is nothing below {held!r}")
    key = next((key for key in sorted(held, key=len, reverse=True) if f"{path}.".startswith(f"{key}.")), "")
    key = key or path.partition(".")[0]
    rest = path[len(key) + 1 :]
    return Value({**held, key: _put(held.get(key), rest, new, where)}, value.file, value.line, value.column)
