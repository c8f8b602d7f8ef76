"""Which layout an engine version has.

Example:
    >>> layout_of("28.1.1").engine, layout_of("28.5").engine, layout_of("20.10.24").engine
    ('28.0.1', '28.5.2', '20.10')
    >>> layout_of("19.03")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    simnet.errors.UnknownName: no engine version '19.03'; there are: 20.10 to 24, 25 to 26, 28.0.0, 28.0.1 to 28.1, ...
"""

from __future__ import annotations

import re
from functools import cache

from simnet.bundled import bundled
from simnet.docker.rules import layout_file
from simnet.docker.rules.layout import Layout
from simnet.errors import UnknownName

_VERSION = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:[-+~].*)?", re.ASCII)
_NEWEST = 10**6


def numbers(version: str) -> tuple[int, int, int] | None:
    """A version as three numbers; what is left out means the newest there is. None where it is no version.

    Example:
        >>> numbers("28.5.2+dfsg4"), numbers("28"), numbers("new")
        ((28, 5, 2), (28, 1000000, 1000000), None)
    """
    found = _VERSION.fullmatch(version.removeprefix("v"))
    if found is None:
        return None
    first, second, third = (int(part) if part else _NEWEST for part in found.groups())
    return first, second, third


@cache
def named(engine: str) -> Layout:
    """The layout of a file, by its name (`28.0.1`)."""
    path = bundled(f"models/docker/{engine}.yaml")
    if path is None:
        raise UnknownName("layout", engine, _names())
    return layout_file.load(path, named)


@cache
def layouts() -> tuple[Layout, ...]:
    """Every layout, the oldest first."""
    return tuple(sorted(map(named, _names()), key=_first))


def layout_of(version: str) -> Layout:
    """The layout that a version has; UnknownName says which versions there are."""
    wanted = numbers(version)
    for layout in layouts():
        last = numbers(layout.last)
        if wanted is not None and last is not None and _first(layout) <= wanted <= last:
            return layout
    raise UnknownName("engine version", version, map(_range, layouts()))


def _names() -> list[str]:
    folder = bundled("models/docker")
    return [path.stem for path in folder.glob("*.yaml")] if folder else []


def _first(layout: Layout) -> tuple[int, ...]:
    return tuple(int(part) for part in layout.first.split("."))


def _range(layout: Layout) -> str:
    return layout.first if layout.first == layout.last else f"{layout.first} to {layout.last}"
