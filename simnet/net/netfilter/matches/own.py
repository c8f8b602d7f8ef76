"""Matches that keep something of their own: a set, a list of recent addresses, a counter, a quota."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, always, bang, find, never, undecided, value

_SET_NAMES = ("--match-set", "--set")
_SET_COUNTERS = ("--packets-eq", "--packets-lt", "--packets-gt", "--bytes-eq", "--bytes-lt", "--bytes-gt")


def _set(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, *_SET_NAMES)
    if option is None:
        raise ValueError("--match-set is missing")
    name, directions = option.values[0], option.values[1].lower().split(",")
    if not {*directions} <= {"src", "dst"}:
        raise ValueError(f"{option.values[1]!r} are not src and dst")
    negated = option.negated
    exceptions = find(options, "--return-nomatch") is not None
    counters = find(options, *_SET_COUNTERS) is not None
    for asked in options:
        if asked.name in _SET_COUNTERS:
            values.number(asked.values[0], 2**64 - 1)

    def test(c: Context) -> bool | None:
        found = c.namespace.ipsets.get(name)
        if found is None:
            return None
        inside = found.contains(c, directions, exceptions=exceptions)
        if inside is None or (inside and counters):
            return None
        return inside != negated

    return test


def _show_set(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, *_SET_NAMES)
    words = [f"{bang(option)}match-set {' '.join(option.values)}"] if option is not None else []
    for name in ("--return-nomatch", "--update-counters", "--update-subcounters", *_SET_COUNTERS):
        option = find(options, name)
        if option is not None:
            words.append(" ".join([f"{bang(option)}{name[2:]}", *option.values]))
    return " ".join(words)


_RECENT = {"--set": "SET", "--rcheck": "CHECK", "--update": "UPDATE", "--remove": "REMOVE"}


def _recent(options: tuple[Option, ...], _proto: int) -> Test:
    """`--set` always holds; the other three ask for what passed before (recent_mt)."""
    for name in ("--seconds", "--hitcount"):
        values.number(value(options, name, default="0"))
    option = find(options, *_RECENT)
    if option is None:
        raise ValueError("one of --set, --rcheck, --update and --remove is missing")
    if option.name != "--set":
        return undecided
    return never if option.negated else always


def _show_recent(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, *_RECENT)
    words = [f"{bang(option)}recent: {_RECENT[option.name]}"] if option is not None else ["recent:"]
    seconds, hits = (values.number(value(options, name, default="0")) for name in ("--seconds", "--hitcount"))
    words += [f"seconds: {seconds}"] * bool(seconds) + ["reap"] * bool(find(options, "--reap"))
    words += [f"hit_count: {hits}"] * bool(hits) + ["TTL-Match"] * bool(find(options, "--rttl"))
    side = "dest" if find(options, "--rdest") else "source"
    mask = value(options, "--mask", default="255.255.255.255")
    return " ".join([*words, f"name: {value(options, '--name', default='DEFAULT')} side: {side} mask: {mask}"])


def _probability(options: tuple[Option, ...]) -> int:
    """A probability as the kernel keeps it: in 31 bits."""
    text = value(options, "--probability", default="0")
    try:
        part = Decimal(text)
        fits = 0 <= part <= 1
    except InvalidOperation:
        raise ValueError(f"no probability {text!r}") from None
    if not fits:
        raise ValueError(f"{text} is not between 0 and 1")
    return int((part * 2**31).to_integral_value(ROUND_HALF_EVEN))


def _statistic(options: tuple[Option, ...], _proto: int) -> Test:
    negated = any(option.negated for option in options)
    mode = value(options, "--mode")
    if mode == "random":
        chance = _probability(options)
        if chance in {0, 2**31}:
            return always if bool(chance) != negated else never
    elif mode == "nth":
        every = values.number(value(options, "--every", default="0"))
        if not every or values.number(value(options, "--packet", default="0")) >= every:
            raise ValueError("--packet is not below --every")
        if every == 1:
            return never if negated else always
    else:
        raise ValueError(f"no mode {mode!r}")
    return undecided


def _show_statistic(options: tuple[Option, ...], _numeric: bool) -> str:
    if value(options, "--mode") == "random":
        option = find(options, "--probability")
        part = (Decimal(_probability(options)) / 2**31).quantize(Decimal("1e-11"), ROUND_HALF_EVEN)
        return f"statistic mode random {bang(option)}probability {part}"
    option = find(options, "--every")
    every, packet = (values.number(value(options, name, default="0")) for name in ("--every", "--packet"))
    return f"statistic mode nth {bang(option)}every {every}" + (f" packet {packet}" if packet else "")


def _quota(options: tuple[Option, ...], _proto: int) -> Test:
    """What is left is at most the quota: a longer packet is beyond it (quota_mt)."""
    option = find(options, "--quota")
    if option is None:
        raise ValueError("--quota is missing")
    quota = values.number(option.values[0], 2**64 - 1)
    return lambda c: option.negated if c.ip.length > quota else None


def _show_quota(options: tuple[Option, ...], _numeric: bool) -> str:
    return f"quota: {values.number(options[-1].values[0], 2**64 - 1)} bytes"


MODULES = {
    "set": Module(
        {**dict.fromkeys(_SET_NAMES, 2), "--return-nomatch": 0, "--update-counters": 0, "--update-subcounters": 0,
         **dict.fromkeys(_SET_COUNTERS, 1)},
        _set,
        _show_set,
        "what the set holds or has counted is not in a snapshot (ipset save)",
    ),
    "recent": Module(
        {**dict.fromkeys(_RECENT, 0), "--seconds": 1, "--reap": 0, "--hitcount": 1, "--rttl": 0, "--name": 1,
         "--rsource": 0, "--rdest": 0, "--mask": 1},
        _recent,
        _show_recent,
        "which addresses passed of late is not in a snapshot (/proc/net/xt_recent)",
        sure=lambda options, _proto: any(option.name == "--set" for option in options),
    ),
    "statistic": Module(
        {"--mode": 1, "--probability": 1, "--every": 1, "--packet": 1},
        _statistic,
        _show_statistic,
        "chance, or a counter that is not in a snapshot, decides",
    ),
    "quota": Module(
        {"--quota": 1}, _quota, _show_quota, "how much of the quota is used up is not in a snapshot"
    ),
    "nfacct": Module(
        {"--nfacct-name": 1},
        lambda _options, _proto: undecided,
        lambda options, _: f"nfacct-name  {value(options, '--nfacct-name')}",
        "whether an accounting object has a quota, and what it counted, is not in a snapshot (nfacct list)",
    ),
}  # fmt: skip
