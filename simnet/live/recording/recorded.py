"""One probe of a recording: what was sent, and what the real kernel made of it; to and from its entry in expected.json.

An entry's keys are `name frm proto dst dport sport args servers result walks devices`; it may also have `patience` (how
long the client waited, in seconds; 1.5 where it is not said), `greeted` (true where the client only connected, to a
program that simnet did not start) and `counters` (what the probe added to the rules' counters: `where table rule
packets bytes`, for every rule whose counter rose in any namespace of the snapshot). Keys that nobody here knows are
kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simnet.errors import SourceError, UsageError, nearest
from simnet.net import conversation
from simnet.net.address import ip_text
from simnet.net.conversation import Probe
from simnet.net.network import SECOND
from simnet.scenario.question import Listen, address_of

PATIENCE = conversation.PATIENCE / SECOND
_PROTOCOLS = ("tcp", "udp", "icmp")
# the client's options, as ping has them: what each sets, and its largest value
_OPTIONS = {"-t": ("ttl", 255), "-s": ("size", 65000)}
# no client waits a day for its answer (s)
_LONGEST = 86400
_SENT = ("name", "frm", "proto", "dst", "dport", "sport")
_WALK = {"where": str, "table": str, "src": str, "dst": str, "rules": list}
_NEEDED = {"name": str, "frm": str, "proto": str, "dst": str, "dport": int, "sport": int, "servers": list,
           "result": str, "walks": list, "devices": dict}  # fmt: skip
_OPTIONAL: dict[str, type | tuple[type, ...]] = {"args": list, "patience": (int, float),
                                                  "counters": list, "greeted": bool}  # fmt: skip
_COUNTER = {"where": str, "table": str, "rule": str}
_KINDS = {str: "a text", int: "a number", list: "a list", dict: "an object"}

# makes the error that points at an entry of a file
Wrong = Callable[[str], SourceError]


@dataclass(frozen=True, slots=True)
class RuleCounter:
    """What a probe added to a rule's counter; `rule` as iptables-save writes it, or `CHAIN policy X`.

    `packets` is None where nobody can tell: other traffic raises it too, and the rule is not compared. `bytes` is None
    where nobody can tell how many there must be: a server that is not simnet's own says what it likes.
    """

    where: str
    table: str
    rule: str
    packets: int | None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One probe: what was sent while who listened, and what the kernel made of it (empty while nobody has asked it).

    `args` are the client's options: `-t TTL`, `-s BYTES`. `patience` is in seconds. `walks` and `devices` are as in
    `expected.json`; `counters` is None where no counters were read; `greeted`: the client only connected; `other` holds
    the keys that nobody here knows.

    Example:
        >>> probe = Recorded("ping", "wan", "icmp", "192.0.2.2", 0, 40001, args=("-t", "1"))
        >>> str(probe), probe.probe.ttl
        ('icmp from wan to 192.0.2.2', 1)
    """

    name: str
    frm: str
    proto: str
    dst: str
    dport: int
    sport: int
    args: tuple[str, ...] = ()
    servers: tuple[Listen, ...] = ()
    patience: float = PATIENCE
    result: str = ""
    walks: tuple[Mapping[str, Any], ...] = ()
    devices: Mapping[str, list[str]] = field(default_factory=dict)
    counters: tuple[RuleCounter, ...] | None = None
    greeted: bool = False
    other: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """`tcp from wan to 192.0.2.2:2222`."""
        return str(self.probe)

    @classmethod
    def of(cls, entry: Any, file: str = "expected.json", number: int = 1) -> Recorded:
        """Read an entry, the `number`th of a file; SourceError says what is wrong with it."""
        return _recorded(entry, wrong_at(file, number, entry.get("name") if isinstance(entry, dict) else None))

    @property
    def probe(self) -> Probe:
        """The same as a question to a network; UsageError where the address is none."""
        to = address_of(self.dst, f"probe {self.name}")
        patience = round(self.patience * SECOND)
        return Probe(self.frm, to, self.dport, self.proto, self.sport, patience=patience, **options(self.args))

    def json(self) -> dict[str, Any]:
        """The probe's entry in `expected.json`."""
        entry: dict[str, Any] = {key: getattr(self, key) for key in _SENT}
        entry["args"] = list(self.args)
        entry["servers"] = [[one.place, one.proto, ip_text(one.address), one.port] for one in self.servers]
        if self.patience != PATIENCE:
            entry["patience"] = self.patience
        entry |= {"result": self.result, "walks": list(self.walks), "devices": dict(self.devices)}
        if self.greeted:
            entry["greeted"] = True
        if self.counters is not None:
            entry["counters"] = [_counter_json(one) for one in self.counters]
        return entry | dict(self.other)


def _counter_json(one: RuleCounter) -> dict[str, Any]:
    row = {"where": one.where, "table": one.table, "rule": one.rule, "packets": one.packets}
    return row if one.bytes is None else row | {"bytes": one.bytes}


def options(args: tuple[str, ...]) -> dict[str, int]:
    """What a client's options say: `ttl` and `size`, where they are given; ValueError for any other.

    Example:
        >>> options(("-t", "1", "-s", "1600"))
        {'ttl': 1, 'size': 1600}
    """
    found = {}
    for option, value in zip(args[::2], args[1::2], strict=True):
        name, most = _OPTIONS.get(option, ("", 0))
        if not name or not 1 <= int(value) <= most:
            raise ValueError(f"{option} {value}")
        found[name] = int(value)
    return found


def wrong_at(file: str, number: int, name: object) -> Wrong:
    """What makes the error that points at the `number`th entry of a file, which is called `name`."""
    called = f" ({name})" if isinstance(name, str) else ""
    return lambda message: SourceError(f"probe {number}{called}: {message}", file=file)


def _recorded(entry: Any, wrong: Wrong) -> Recorded:
    entry = _held(entry, _NEEDED, wrong, "the probe")
    for key, kind in _OPTIONAL.items():
        if key in entry and (not isinstance(entry[key], kind) or isinstance(entry[key], bool) != (kind is bool)):
            raise wrong(f"{key!r} is {entry[key]!r}")
    if not 0 < entry.get("patience", PATIENCE) < _LONGEST:
        raise wrong(f"'patience' is {entry['patience']!r}, not a number of seconds")
    if entry["proto"] not in _PROTOCOLS:
        raise wrong(f"no protocol {entry['proto']!r}{nearest(entry['proto'], _PROTOCOLS)}")
    args = tuple(map(str, entry.get("args", ())))
    try:
        options(args)
    except ValueError:
        raise wrong(f"the client's options are '-t TTL' and '-s BYTES', not {' '.join(args)!r}") from None
    for key in ("dport", "sport"):
        if not 0 <= entry[key] <= 65535:
            raise wrong(f"{key!r} is {entry[key]}, no port")
    try:
        address_of(entry["dst"], "'dst'")
    except UsageError as error:
        raise wrong(str(error)) from None
    counters = entry.get("counters")
    known = {*_NEEDED, *_OPTIONAL}
    return Recorded(
        **{key: entry[key] for key in _SENT},
        args=args,
        servers=tuple(_server(one, wrong) for one in entry["servers"]),
        patience=float(entry.get("patience", PATIENCE)),
        result=entry["result"],
        walks=tuple(_walk(one, wrong) for one in entry["walks"]),
        devices=_devices(entry["devices"], wrong),
        greeted=entry.get("greeted", False),
        counters=None if counters is None else tuple(_counter(one, wrong) for one in counters),
        other={key: value for key, value in entry.items() if key not in known},
    )


def _held(entry: Any, kinds: Mapping[str, type], wrong: Wrong, what: str) -> dict[str, Any]:
    """An object with the keys that it needs, each of its kind."""
    if not isinstance(entry, dict):
        raise wrong(f"{what} is no object but {entry!r}")
    for key, kind in kinds.items():
        if key not in entry:
            raise wrong(f"{what} has no {key!r}")
        if not isinstance(entry[key], kind) or isinstance(entry[key], bool):
            raise wrong(f"{key!r} of {what} is {entry[key]!r}, not {_KINDS[kind]}")
    return entry


def _server(one: Any, wrong: Wrong) -> Listen:
    if not isinstance(one, list) or len(one) != 4:
        raise wrong(f"the server {one!r} is not [PLACE, PROTO, ADDR, PORT]")
    try:
        return Listen.parse(":".join(map(str, one)))
    except UsageError as error:
        raise wrong(str(error).replace("--listen", "the server")) from None


def _walk(one: Any, wrong: Wrong) -> Mapping[str, Any]:
    walk = _held(one, _WALK, wrong, "a walk")
    for key, kind in (("iif", str), ("oif", str), ("sport", int), ("dport", int), ("flags", str)):
        if not isinstance(walk.get(key, ...), kind | None) or isinstance(walk[key], bool):
            raise wrong(f"{key!r} of a walk is {walk.get(key)!r}, not {_KINDS[kind]} or null")
    if not all(isinstance(rule, str) for rule in walk["rules"]):
        raise wrong(f"'rules' of a walk is {walk['rules']!r}, not a list of texts")
    return walk


def _devices(found: dict[str, Any], wrong: Wrong) -> dict[str, list[str]]:
    for place, path in found.items():
        if not isinstance(path, list) or not all(isinstance(one, str) for one in path):
            raise wrong(f"the devices of {place} are {path!r}, no list of texts")
    return found


def _counter(one: Any, wrong: Wrong) -> RuleCounter:
    row = _held(one, _COUNTER, wrong, "a counter")
    for key in ("packets", "bytes"):
        if not isinstance(row.get(key), int | None) or isinstance(row.get(key), bool):
            raise wrong(f"{key!r} of a counter is {row[key]!r}, not a number or null")
    if "packets" not in row:
        raise wrong("a counter has no 'packets'")
    return RuleCounter(row["where"], row["table"], row["rule"], row["packets"], row.get("bytes"))
