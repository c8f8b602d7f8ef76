r"""One compose file laid over another: mappings key by key, lists one after the other, plain values replaced.

Some keys have rules of their own: commands are replaced whole, lists of pairs become one list of pairs, networks and
dependencies become mappings first, subnets are matched by their address. Afterwards a list keeps one entry for each
thing that it names (a port by address, number and protocol). `!reset` takes a key away, `!override` replaces it.

Models: compose-go's override package, its oddities with subnets among them.

Example:
    >>> from .tree import Findings, documents, plain
    >>> base, over = documents("a: [1]\nb: 1\n---\na: [2]\nb: !reset\nc: 3\n", "compose.yaml")
    >>> plain(merge(base, over, Findings()))
    {'a': [1, 2], 'c': 3}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simnet.docker.document import Value

from .tree import OVERRIDE, RESET, Entry, Findings, items_of, made, mapping_of, text_of

Path = tuple[str, ...]
_PAIRS = (
    "networks.*.labels", "volumes.*.labels", "services.*.annotations", "services.*.build.args",
    "services.*.build.additional_contexts", "services.*.build.labels", "services.*.deploy.labels", "services.*.dns",
    "services.*.dns_opt", "services.*.dns_search", "services.*.env_file", "services.*.environment",
    "services.*.label_file", "services.*.labels", "services.*.sysctls", "services.*.tmpfs",
)  # fmt: skip
_REPLACED = ("services.*.command", "services.*.entrypoint", "services.*.healthcheck.test")
_HOSTS = ("services.*.extra_hosts", "services.*.build.extra_hosts")
# lists in which an entry takes the place of an earlier one of the same name
_NAMED = (
    *_PAIRS, "services.*.cap_add", "services.*.cap_drop", "services.*.links", "services.*.profiles",
    "services.*.networks.*.aliases", "services.*.networks.*.link_local_ips",
)  # fmt: skip


def merge(base: Value, over: Value, findings: Findings, path: Path = ()) -> Value:
    """Lay `over` on `base`; what cannot be laid over each other goes to the findings."""
    special = next((act for pattern, act in _SPECIAL if _is(path, pattern)), None)
    if over.held is None and path:
        return base
    if special is not None:
        return special(base, over, findings, path)
    if isinstance(base.held, dict | list) and type(base.held) is not type(over.held):
        findings.wrong(over, f"cannot override {'.'.join(path)}")
        return base
    if isinstance(base.held, dict):
        return _mappings(base, over, findings, path)
    if isinstance(base.held, list):
        return made(over, [*base.held, *items_of(over)])
    return over


def settled(value: Value) -> Value:
    r"""A tree with its marks obeyed where there is nothing below them: `!reset` keys are gone.

    Example:
        >>> from .tree import documents, plain
        >>> plain(settled(documents("a: !reset []\nb: !override [1]\n", "compose.yaml")[0]))
        {'b': [1]}
    """
    if isinstance(value.held, dict):
        return made(value, {key: settled(item) for key, item in value.held.items() if _mark(item) != RESET})
    if isinstance(value.held, list):
        return made(value, [settled(item) for item in value.held if _mark(item) != RESET])
    return made(value, value.held)


def unique(value: Value, path: Path = ()) -> Value:
    """A tree whose lists name each thing once; the last one counts, and stands where the first one stood."""
    if isinstance(value.held, dict):
        return made(value, {key: unique(item, (*path, key)) for key, item in value.held.items()})
    if not isinstance(value.held, list):
        return value
    name = next((act for pattern, act in _UNIQUE if _is(path, pattern)), None)
    if name is None:
        return value
    kept: dict[object, Value] = {}
    for item in value.held:
        kept[name(item)] = item
    return made(value, list(kept.values()))


def keyed(value: Value, **default: str | bool) -> Value:
    """A list of names as a mapping of each to `default` (or to nothing); a mapping as it is."""
    if not isinstance(value.held, list):
        return value

    def inner(item: Value) -> Value:
        return made(item, {key: made(item, held) for key, held in default.items()} or None)

    return made(value, {text_of(item): inner(item) for item in value.held})


def depended(value: Value) -> Value:
    """What a service depends on, as a mapping of services to conditions."""
    return keyed(value, condition="service_started", required=True)


def pairs(value: Value) -> list[tuple[str, str, Value]]:
    """Names and values of a mapping (in the order of names) or of a list of `name=value`.

    Example:
        >>> from .tree import documents
        >>> [pair[:2] for pair in pairs(documents("{b: 1, a: [x, y]}", "compose.yaml")[0])]
        [('a', 'x'), ('a', 'y'), ('b', '1')]
    """
    if isinstance(value.held, dict):
        return [
            (key, text_of(one), one)
            for key, item in sorted(value.held.items())
            for one in (item.held if isinstance(item.held, list) else [item])
        ]
    items = value.held if isinstance(value.held, list) else [value]
    parts = [(text_of(item).partition("="), item) for item in items]
    return [(name, text, item) for (name, _, text), item in parts]


def _is(path: Path, pattern: str) -> bool:
    parts = pattern.split(".")
    return len(parts) == len(path) and all(part in {"*", name} for part, name in zip(parts, path, strict=True))


def _mark(value: Value) -> str:
    return value.mark if isinstance(value, Entry) else ""


def _mappings(base: Value, over: Value, findings: Findings, path: Path) -> Value:
    found = dict(mapping_of(base))
    for key, value in mapping_of(over).items():
        if _mark(value) == RESET:
            found.pop(key, None)
        elif key not in found or _mark(value) == OVERRIDE:
            found[key] = settled(value)
        else:
            found[key] = merge(found[key], value, findings, (*path, key))
    return made(over, found)


def _replaced(_base: Value, over: Value, _findings: Findings, _path: Path) -> Value:
    return settled(over)


def _paired(base: Value, over: Value, _findings: Findings, _path: Path) -> Value:
    return made(over, [*_sequence(base), *_sequence(over)])


def _hosts(base: Value, over: Value, _findings: Findings, _path: Path) -> Value:
    """Hosts of the second that the first does not have, letter by letter."""
    first = _sequence(base)
    had = {text_of(item) for item in first}
    return made(over, [*first, *(item for item in _sequence(over) if text_of(item) not in had)])


def _sequence(value: Value) -> list[Value]:
    """Pairs as a list of `name=value`; what was no mapping stays as it is."""
    if isinstance(value.held, dict):
        return [made(one, f"{name}={text}" if one.held is not None else name) for name, text, one in pairs(value)]
    return items_of(value) if isinstance(value.held, list) else [value]


def _keyed(base: Value, over: Value, findings: Findings, path: Path) -> Value:
    form = depended if path[-1] == "depends_on" else keyed
    first, second = form(base), form(over)
    if not isinstance(first.held, dict) or not isinstance(second.held, dict):
        findings.wrong(over, f"cannot override {'.'.join(path)}")
        return base
    return _mappings(first, second, findings, path)


def _built(base: Value, over: Value, findings: Findings, path: Path) -> Value:
    def whole(value: Value) -> Value:
        return made(value, {"context": made(value, value.held)}) if isinstance(value.held, str) else value

    return _mappings(whole(base), whole(over), findings, path)


def _logged(base: Value, over: Value, findings: Findings, path: Path) -> Value:
    drivers = {text_of(value) for value in (mapping_of(one).get("driver") for one in (base, over)) if value is not None}
    return over if len(drivers) > 1 else _mappings(base, over, findings, path)


def _limited(_base: Value, over: Value, _findings: Findings, _path: Path) -> Value:
    return over


def _subnets(base: Value, over: Value, findings: Findings, path: Path) -> Value:
    """Blocks matched by their subnet, in the order in which compose's two loops meet them."""
    found: list[Value] = []

    def place(subnet: str) -> int:
        return next((at for at, one in enumerate(found) if _subnet(one) == subnet), -1)

    for first in items_of(base):
        left = first
        for second in items_of(over):
            if _subnet(left) != _subnet(second) and place(_subnet(second)) < 0:
                found.append(second)
                continue
            # compose merges into the first block itself, so the next of the second meet what came of it
            left = _mappings(left, second, findings, path)
            at = place(_subnet(left))
            if at < 0:
                found.append(left)
            else:
                found[at] = left
    return made(over, found)


def _subnet(value: Value) -> str:
    return text_of(mapping_of(value).get("subnet"))


def _pair_name(value: Value) -> object:
    return text_of(value).partition("=")[0]


def _plain_name(value: Value) -> object:
    return text_of(value)


def _port_name(value: Value) -> object:
    found = mapping_of(value)
    if not found:
        return text_of(value)
    address = text_of(found.get("host_ip")) or "0.0.0.0"
    proto = text_of(found.get("protocol")) or "tcp"
    return f"{address}:{text_of(found.get('published'))}:{text_of(found.get('target'))}/{proto}"


def _mount_name(value: Value) -> object:
    """Where a volume, a secret or a config goes; a volume's short form ends in its target, or in options after it."""
    found = mapping_of(value)
    if found:
        return text_of(found.get("target")) or text_of(found.get("source")) or id(value)
    parts = text_of(value).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


_Merge = Callable[[Value, Value, Findings, Path], Value]
_SPECIAL: Sequence[tuple[str, _Merge]] = (
    *((pattern, _paired) for pattern in _PAIRS),
    *((pattern, _replaced) for pattern in _REPLACED),
    *((pattern, _hosts) for pattern in _HOSTS),
    ("services.*.networks", _keyed),
    ("services.*.depends_on", _keyed),
    ("services.*.models", _keyed),
    ("services.*.build", _built),
    ("services.*.logging", _logged),
    ("services.*.ulimits.*", _limited),
    ("networks.*.ipam.config", _subnets),
)
_UNIQUE: Sequence[tuple[str, Callable[[Value], object]]] = (
    *((pattern, _pair_name) for pattern in _NAMED),
    ("services.*.expose", _plain_name),
    ("services.*.ports", _port_name),
    *((f"services.*.{key}", _mount_name) for key in ("volumes", "secrets", "configs", "devices")),
)
