"""Matches on how fast packets come: `limit`, `hashlimit`, `rateest`; how a rate is read, kept and printed."""

from __future__ import annotations

import re

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, bang, find, undecided, value

_UNITS = (("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1))
_WORDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"([0-9]+)(?:/([a-z]+))?", re.IGNORECASE | re.ASCII)
# a packet's cost in the units of xt_limit.h and of xt_hashlimit.h (revision 2 and later)
_LIMIT_SCALE, _HASHLIMIT_SCALE = 10_000, 1_000_000


def _unit(word: str) -> int:
    """The seconds of a unit, which may be cut short: `m`, `min`, `minute`."""
    found = [seconds for name, seconds in _WORDS.items() if name.startswith(word.lower())]
    if not found:
        raise ValueError(f"no unit of time {word!r}")
    return found[0]


def _period(text: str, scale: int) -> tuple[int, int]:
    """What a rate such as `3/min` lets a packet cost, and the seconds of its unit; ValueError when it is none."""
    found = _RATE.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError(f"no rate {text!r}")
    seconds = _unit(found[2]) if found[2] else 1
    period = scale * seconds // int(found[1])
    if not period:
        raise ValueError(f"rate {text!r} is too fast")
    return period, seconds


def _rate_text(period: int, scale: int) -> tuple[str, int]:
    """A rate in the largest unit that says it well, and the seconds of that unit (print_rate)."""
    chosen = 0
    for index, (_, seconds) in enumerate(_UNITS[1:], 1):
        whole = scale * seconds
        if period > whole or whole // period < whole % period:
            break
        chosen = index
    name, seconds = _UNITS[chosen]
    return f"{scale * seconds // period}/{name}", seconds


def _burst_of(options: tuple[Option, ...]) -> int:
    return values.number(value(options, "--limit-burst", default="5"), 10000) or 5


def _limit(options: tuple[Option, ...], _proto: int) -> Test:
    """A token bucket at time zero: the burst passes, the rest does not (no time goes by in a trace)."""
    _period(value(options, "--limit", default="3/hour"), _LIMIT_SCALE)
    credit = [_burst_of(options)]

    def test(_: Context) -> bool:
        if credit[0] <= 0:
            return False
        credit[0] -= 1
        return True

    return test


def _show_limit(options: tuple[Option, ...], _numeric: bool) -> str:
    period, _ = _period(value(options, "--limit", default="3/hour"), _LIMIT_SCALE)
    return f"limit: avg {_rate_text(period, _LIMIT_SCALE)[0]} burst {_burst_of(options)}"


_MODES = ("srcip", "srcport", "dstip", "dstport")
_BYTES = re.compile(r"([0-9]+)([km]?)b/s", re.ASCII)
_SIZES = {"m": 1 << 20, "k": 1 << 10, "": 1}
# how long an entry lives that counts bytes, without and with a burst (seconds)
_BYTE_EXPIRE, _BYTE_EXPIRE_BURST = 15, 60


class _Hashlimit:
    """The configuration of a hashlimit, as struct hashlimit_cfg3 keeps it."""

    def __init__(self, options: tuple[Option, ...]) -> None:
        option = find(options, "--hashlimit", "--hashlimit-upto", "--hashlimit-above")
        if option is None:
            raise ValueError("--hashlimit-upto or --hashlimit-above is missing")
        self.above = (option.name == "--hashlimit-above") != option.negated
        self.matches_rate = find(options, "--hashlimit-rate-match") is not None
        self.interval = values.number(value(options, "--hashlimit-rate-interval", default="0"))
        burst = value(options, "--hashlimit-burst")
        counted = _BYTES.fullmatch(option.values[0])
        if counted:
            self.rate, seconds = self._bytes(counted, burst)
        else:
            period, seconds = _period(option.values[0], _HASHLIMIT_SCALE)
            if self.matches_rate:
                period //= seconds
                self.interval = self.interval or seconds
            period *= self.interval or 1
            text, self.implied = _rate_text(period, _HASHLIMIT_SCALE)
            self.rate = f"{text} burst {values.number(burst) if burst else 5}"
        if counted and self.matches_rate:
            self.interval = self.interval or 1
        self.expire = values.number(value(options, "--hashlimit-htable-expire", default=str(seconds * 1000)))
        modes = re.split(r"[,|]", value(options, "--hashlimit-mode"))
        if not set(modes) <= {*_MODES, ""}:
            raise ValueError(f"no mode {min(set(modes) - {*_MODES})!r}")
        self.modes = [mode for mode in _MODES if mode in modes]

    def _bytes(self, rate: re.Match[str], burst: str) -> tuple[str, int]:
        """A rate of bytes, which is kept as a cost in 16-byte units and so loses some digits (print_bytes)."""
        number = int(rate[1]) * _SIZES[rate[2]]
        cost = 0xFFFFFFFF // ((number >> 4) + 1)
        if not number or not cost:
            raise ValueError(f"no rate {rate[0]!r}")
        kept = (0xFFFFFFFF // cost - 1) << 4
        size = next(
            (name for name, size in _SIZES.items()
             if size == 1 or (kept >= size and 0xFFFFFFFF // (((kept & 0xFFFFFFFF & -size) >> 4) + 1) == cost)), ""
        )  # fmt: skip
        text = f"{kept // _SIZES[size]}{size}b/s"
        self.implied = _BYTE_EXPIRE
        if not burst:
            return text, _BYTE_EXPIRE
        found = re.fullmatch(r"([0-9]+)([km]?)b?", burst, re.ASCII)
        if found is None or not kept:
            raise ValueError(f"no burst {burst!r}")
        whole = -(-int(found[1]) * _SIZES[found[2]] // kept) * kept
        self.implied = _BYTE_EXPIRE_BURST
        size = next(name for name, size in _SIZES.items() if whole >= size)
        return f"{text} burst {whole // _SIZES[size]}{size}b", _BYTE_EXPIRE_BURST


def _hashlimit(options: tuple[Option, ...], _proto: int) -> Test:
    _Hashlimit(options)
    return undecided


def _show_hashlimit(options: tuple[Option, ...], _numeric: bool) -> str:
    kept = _Hashlimit(options)
    words = [f"limit: {'above' if kept.above else 'up to'} {kept.rate}"]
    if kept.modes:
        words.append(f"mode {'-'.join(kept.modes)}")
    for name, default in (("size", "0"), ("max", "0"), ("gcinterval", "1000")):
        number = values.number(value(options, f"--hashlimit-htable-{name}", default=default))
        if number != int(default):
            words.append(f"htable-{name} {number}")
    if kept.expire != kept.implied * 1000:
        words.append(f"htable-expire {kept.expire}")
    for side in ("src", "dst"):
        mask = value(options, f"--hashlimit-{side}mask", default="32")
        if mask not in {"32", "128"}:
            words.append(f"{side}mask {values.number(mask)}")
    if kept.matches_rate:
        words += ["rate-match"] + [f"rate-interval {kept.interval}"] * (kept.interval != 1)
    return " ".join(words)


# suffixes of a rate of bits or bytes, in bits (libxt_rateest.c)
_BITS = {
    "bit": 1, "kibit": 1 << 10, "kbit": 1000, "mibit": 1 << 20, "mbit": 10**6, "gibit": 1 << 30, "gbit": 10**9,
    "tibit": 1 << 40, "tbit": 10**12, "bps": 8, "kibps": 8 << 10, "kbps": 8000, "mibps": 8 << 20, "mbps": 8 * 10**6,
    "gibps": 8 << 30, "gbps": 8 * 10**9, "tibps": 8 << 40, "tbps": 8 * 10**12, "": 1,
}  # fmt: skip


def _bits_text(option: Option | None, *, numeric: bool) -> str:
    """A rate in bytes a second, or with a unit of bits."""
    text = option.values[0] if option is not None and option.values else "0"
    found = re.fullmatch(r"([0-9.]+)([a-z]*)", text, re.IGNORECASE | re.ASCII)
    if found is None or found[2].lower() not in _BITS:
        raise ValueError(f"no rate {text!r}")
    size = int(float(found[1]) * _BITS[found[2].lower()]) // 8
    if numeric:
        return str(size)
    if size * 8 >= 10**9:
        return f"{size * 8 / 10**6:.0f}Mbit"
    return f"{size * 8 / 1000:.0f}Kbit" if size * 8 >= 10**6 else f"{size * 8}bit"


def _show_rateest(options: tuple[Option, ...], numeric: bool) -> str:
    """Against a number each rate stands with the comparison, against another estimator it stands between both."""

    def number(kind: str, which: str) -> str:
        option = find(options, f"--rateest-{kind}{which}")
        if kind == "bps":
            return _bits_text(option, numeric=numeric)
        return str(values.number(option.values[0])) if option is not None and option.values else "0"

    sign = find(options, "--rateest-lt", "--rateest-gt", "--rateest-eq")
    mode = f"{bang(sign)}{sign.name[-2:]}" if sign is not None else ""
    delta, second = find(options, "--rateest-delta") is not None, value(options, "--rateest2")
    kinds = [kind for kind in ("bps", "pps") if any(o.name.startswith(f"--rateest-{kind}") for o in options)]
    words = [f"rateest match {value(options, '--rateest', '--rateest1')}"] + ["delta"] * delta
    if not second:
        for kind in kinds:
            asked = number(kind, "2" if delta and find(options, f"--rateest-{kind}2") else "")
            base = [number(kind, "1")] if delta else []
            words += [kind, *base, *((asked, mode) if kind == "bps" else (mode, asked))]
        return " ".join(words)
    words += [" ".join([kind, number(kind, "1")] if delta else [kind]) for kind in kinds]
    words += [mode, second]
    return " ".join(words + [" ".join([kind, number(kind, "2")] if delta else [kind]) for kind in kinds])


_HASHLIMIT_OPTIONS = (
    "--hashlimit", "--hashlimit-upto", "--hashlimit-above", "--hashlimit-mode", "--hashlimit-srcmask",
    "--hashlimit-dstmask", "--hashlimit-name", "--hashlimit-burst", "--hashlimit-htable-size",
    "--hashlimit-htable-max", "--hashlimit-htable-gcinterval", "--hashlimit-htable-expire",
    "--hashlimit-rate-interval",
)  # fmt: skip

MODULES = {
    "limit": Module({"--limit": 1, "--limit-burst": 1}, _limit, _show_limit),
    "hashlimit": Module(
        {**dict.fromkeys(_HASHLIMIT_OPTIONS, 1), "--hashlimit-rate-match": 0},
        _hashlimit,
        _show_hashlimit,
        "how fast packets came of late is not in a snapshot (/proc/net/ipt_hashlimit)",
    ),
    "rateest": Module(
        {"--rateest": 1, "--rateest1": 1, "--rateest2": 1, "--rateest-delta": 0, "--rateest-lt": 0,
         "--rateest-gt": 0, "--rateest-eq": 0},
        lambda _options, _proto: undecided,
        _show_rateest,
        "the rate that an estimator has measured is not in a snapshot",
        loose=frozenset(f"--rateest-{kind}{which}" for kind in ("bps", "pps") for which in ("", "1", "2")),
    ),
}  # fmt: skip
