"""Layouts from YAML files: read, checked word by word, and laid over the layout that they extend."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from simnet.docker import document
from simnet.docker.document import Value
from simnet.docker.rules.layout import (
    CHAIN_SECTIONS,
    FACTS,
    FEATURES,
    PLACES,
    SECTIONS,
    ChainTemplate,
    Fact,
    Layout,
    Piece,
    Policy,
    Template,
    When,
)
from simnet.errors import nearest
from simnet.net.netfilter.rule import BASE_CHAINS

_HEAD = ("engine", "extends", "releases", "features", "defaults", "messages", "policies", "drop", "whole")
_RULE = ("name", "table", "chain", "rule", "place", "why", "when", "keeps", "without_subnet")
# what a message may have gaps for
_GAPS = (
    "address", "bridge", "endpoints", "gateway", "host", "id", "masked", "name", "network", "option", "other", "port",
    "reason", "subnet", "value",
)  # fmt: skip

Named = TypeVar("Named", Template, ChainTemplate, Policy)


def load(path: Path, base: Callable[[str], Layout]) -> Layout:
    """Read one file; `base` gives the layout that it extends. SourceError says where it is wrong."""
    top = document.read(path.read_text(encoding="utf-8"), str(path))
    return build(top, base)


def build(top: Value, base: Callable[[str], Layout]) -> Layout:
    r"""A layout of a document's value.

    Example:
        >>> text = 'engine: "1"\nreleases: {from: "1", to: "2"}\nnetwrk: []\n'
        >>> build(document.read(text, "a.yaml"), None)
        Traceback (most recent call last):
        ...
        simnet.errors.SourceError: a.yaml:3:9: no key 'netwrk' here; did you mean 'network'?
    """
    found = top.mapping([*_HEAD, *SECTIONS, *CHAIN_SECTIONS], needed=["engine", "releases"])
    releases = found["releases"].mapping(["from", "to"], needed=["from", "to"])
    extended = base(found["extends"].text()) if "extends" in found else None
    drop = {name: {item.text(): item for item in value.items()} for name, value in _get(found, "drop").items()}
    for name, names in drop.items():
        if name not in {*SECTIONS, *CHAIN_SECTIONS, "features"}:
            raise next(iter(names.values()), top).error(f"no section {name!r}{nearest(name, SECTIONS)}")
    whole = (
        {item.one_of([*SECTIONS, *CHAIN_SECTIONS]) for item in found["whole"].items()} if "whole" in found else set()
    )

    def laid(name: str, below: tuple[Named, ...], make: Callable[[Value], Named]) -> tuple[Named, ...]:
        own = [make(item) for item in found[name].items()] if name in found else []
        return _laid(() if name in whole else below, own, drop.get(name, {}))

    features = frozenset(item.one_of(FEATURES) for item in found["features"].items()) if "features" in found else set()
    below = extended.features if extended else frozenset()
    for feature, value in drop.get("features", {}).items():
        if feature not in below:
            raise value.error(f"no {feature!r} to drop{nearest(feature, below)}")
    defaults = {name: value.flag() for name, value in _get(found, "defaults").items()}
    messages = {name: _message(value) for name, value in _get(found, "messages").items()}
    return Layout(
        found["engine"].text(),
        releases["from"].text(),
        releases["to"].text(),
        {name: laid(name, extended.sections[name] if extended else (), _template) for name in SECTIONS},
        {name: laid(name, extended.chains[name] if extended else (), _chain) for name in CHAIN_SECTIONS},
        laid("policies", extended.policies if extended else (), _policy),
        {**(extended.messages if extended else {}), **messages},
        frozenset(features) | below - set(drop.get("features", ())),
        {**(extended.defaults if extended else {}), **defaults},
    )


def _get(found: Mapping[str, Value], name: str) -> dict[str, Value]:
    return found[name].mapping() if name in found else {}


def _laid(below: tuple[Named, ...], own: list[Named], dropped: dict[str, Value]) -> tuple[Named, ...]:
    """Own items over those below: one of the same name takes its place, the others follow."""
    names = [item.name for item in below]
    for name, value in dropped.items():
        if name not in names:
            raise value.error(f"no {name!r} to drop{nearest(name, names)}")
    mine: dict[str, Named] = {item.name: item for item in own}
    kept: list[Named] = [mine.pop(item.name, item) for item in below if item.name not in dropped]
    return tuple(kept + list(mine.values()))


def _table(found: Mapping[str, Value]) -> str:
    return found["table"].one_of(BASE_CHAINS)


def _chain(value: Value) -> ChainTemplate:
    found = value.mapping(["table", "chain", "why", "when"], needed=["table", "chain", "why"])
    return ChainTemplate(_table(found), found["chain"].text(), found["why"].text(), _whens(found))


def _policy(value: Value) -> Policy:
    found = value.mapping(["table", "chain", "policy", "why", "when"], needed=["table", "chain", "policy", "why"])
    table = _table(found)
    chain = found["chain"].one_of(BASE_CHAINS[table])
    return Policy(table, chain, found["policy"].one_of(["ACCEPT", "DROP"]), found["why"].text(), _whens(found))


def _template(value: Value) -> Template:
    found = value.mapping(_RULE, needed=["name", "table", "chain", "rule", "place", "why"])
    rule = found["rule"]
    pieces = tuple(map(_piece, rule.items())) if isinstance(rule.held, list) else (_piece(rule),)
    return Template(
        found["name"].text(),
        _table(found),
        found["chain"].text(),
        pieces,
        found["place"].one_of(["append", "insert", "top"]),
        found["why"].text(),
        _whens(found),
        keeps="keeps" in found and found["keeps"].flag(),
        without_subnet="without_subnet" in found and found["without_subnet"].flag(),
    )


def _piece(value: Value) -> Piece:
    if isinstance(value.held, str):
        return Piece(_gaps(value, PLACES))
    found = value.mapping(["when", "words"], needed=["when", "words"])
    return Piece(_gaps(found["words"], PLACES), _whens(found))


def _message(value: Value) -> str:
    return _gaps(value, _GAPS)


def _gaps(value: Value, known: tuple[str, ...]) -> str:
    """Text whose names in braces are all known."""
    text = value.text()
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise value.error(str(error)) from None
    for name in names:
        if name not in known:
            raise value.error(f"nothing is called {{{name}}} here{nearest(name, known)}")
    return text


def _whens(found: Mapping[str, Value]) -> tuple[When, ...]:
    """The tests under `when`: one mapping, or a list of which one must hold."""
    if "when" not in found:
        return ()
    value = found["when"]
    return tuple(map(_when, value.items())) if isinstance(value.held, list) else (_when(value),)


def _when(value: Value) -> When:
    return tuple((name, _wanted(name, test)) for name, test in value.mapping(FACTS).items())


def _wanted(name: str, test: Value) -> tuple[Fact, ...]:
    known = FACTS[name]
    tests = test.items() if isinstance(test.held, list) else [test]
    for one in tests:
        if known is not None and one.scalar() not in known:
            allowed = ", ".join(str(item).lower() if isinstance(item, bool) else str(item) for item in known)
            raise one.error(f"{name} can never be {one.scalar()!r}", f"it is one of: {allowed}")
    return tuple(one.scalar() for one in tests)
