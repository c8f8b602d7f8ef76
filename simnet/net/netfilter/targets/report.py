"""Targets that tell somebody of the packet and let it go on: LOG NFLOG ULOG TRACE AUDIT TEE IDLETIMER LED RATEEST.

Models: net/netfilter/xt_LOG.c, xt_NFLOG.c, xt_TRACE.c, xt_AUDIT.c, xt_TEE.c, xt_IDLETIMER.c, xt_LED.c, xt_RATEEST.c.
Leaves out: the copy of the packet that TEE sends to its gateway.
"""

from __future__ import annotations

import math
import re

from .. import values
from ..context import Context
from ..rule import Word, quote
from .extension import CONTINUE, Act, Extension, Given, flags, listed, nothing, number, string, value, words

_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LEVEL_NAMES = {"emerg": 0, "panic": 0, "alert": 1, "crit": 2, "error": 3, "warning": 4, "notice": 5, "info": 6,
                "debug": 7}  # fmt: skip
_LOG_FLAGS = {"--log-tcp-sequence": 1, "--log-tcp-options": 2, "--log-ip-options": 4, "--log-uid": 8,
              "--log-macdecode": 32}  # fmt: skip


def _level(given: Given) -> int:
    text = value(given, "--log-level") or "4"
    if text in _LEVEL_NAMES:
        return _LEVEL_NAMES[text]
    return values.number(text, 7)


def _log(given: Given) -> Act:
    _level(given)
    return nothing(given)


def _log_text(given: Given, numeric: bool) -> str:
    level = _level(given)
    if numeric:
        text = f"LOG flags {sum(bit for name, bit in _LOG_FLAGS.items() if name in given)} level {level}"
    else:
        asked = [name.removeprefix("--log-") for name in _LOG_FLAGS if name in given]
        text = " ".join(["LOG level", _LEVELS[level], *asked])
    prefix = value(given, "--log-prefix")
    return text + (f' prefix "{prefix}"' if prefix else "")


def _log_words(given: Given) -> list[Word]:
    level, prefix = _level(given), (value(given, "--log-prefix") or "")[:29]
    found = [*words("--log-prefix"), string(prefix)] if prefix else []
    return found + (words("--log-level", level) if level != 4 else []) + flags(given, *_LOG_FLAGS)


def _nflog(given: Given) -> list[tuple[str, str]]:
    """The options that are printed, and their values; a group or threshold of nothing is not."""
    found = [("nflog-prefix", quote(value(given, "--nflog-prefix") or ""))] if "--nflog-prefix" in given else []
    if group := number(given, "--nflog-group", 0, 65535):
        found.append(("nflog-group", str(group)))
    if "--nflog-size" in given:
        found.append(("nflog-size", str(number(given, "--nflog-size", 0))))
    if threshold := number(given, "--nflog-threshold", 0, 65535):
        found.append(("nflog-threshold", str(threshold)))
    return found


def _nflog_words(given: Given) -> list[Word]:
    found = []
    for name, text in _nflog(given):
        found += words(f"--{name}")
        found.append(string(value(given, f"--{name}") or "") if name == "nflog-prefix" else Word(text, 0))
    return found


def _ulog_text(given: Given, _numeric: bool) -> str:
    prefix = value(given, "--ulog-prefix")
    parts = [f"ULOG copy_range {number(given, '--ulog-cprange', 0)} nlgroup {number(given, '--ulog-nlgroup', 1, 32)}"]
    parts += [f'prefix "{prefix}"'] if prefix else []
    return " ".join([*parts, f"queue_threshold {number(given, '--ulog-qthreshold', 1, 50)}"])


def _ulog_words(given: Given) -> list[Word]:
    prefix = value(given, "--ulog-prefix")
    found = [*words("--ulog-prefix"), string(prefix)] if prefix else []
    for name, default in (("--ulog-nlgroup", 1), ("--ulog-cprange", 0), ("--ulog-qthreshold", 1)):
        if (given_number := number(given, name, default)) != default:
            found += words(name, given_number)
    return found


def _trace(_given: Given) -> Act:
    def act(c: Context) -> str:
        c.skb.traced = True
        return CONTINUE

    return act


def _tee_text(given: Given, _numeric: bool) -> str:
    device = value(given, "--oif")
    return f"TEE gw:{value(given, '--gateway') or ''}" + (f" oif={device}" if device else "")


def _tee_words(given: Given) -> list[Word]:
    return [word for name in ("--gateway", "--oif") if name in given for word in words(name, value(given, name))]


def _idle_text(given: Given, _numeric: bool) -> str:
    text = f"timeout:{number(given, '--timeout', 0)} label:{value(given, '--label') or ''}"
    return text + (" alarm" if "--alarm" in given else "")


def _idle_words(given: Given) -> list[Word]:
    found = words("--timeout", number(given, "--timeout", 0), "--label", value(given, "--label") or "")
    return found + flags(given, "--alarm")


def _led_delay(given: Given) -> str:
    text = value(given, "--led-delay") or "0"
    return "inf" if text.lower().startswith("inf") else str(values.number(text))


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _led_text(given: Given, _numeric: bool) -> str:
    delay = _led_delay(given)
    text = f'led-trigger-id:"{_escaped(value(given, "--led-trigger-id") or "")}" led-delay:'
    text += delay if delay == "inf" else f"{delay}ms"
    return text + (" led-always-blink" if "--led-always-blink" in given else "")


def _led_words(given: Given) -> list[Word]:
    delay = _led_delay(given)
    found = [*words("--led-trigger-id"), string(value(given, "--led-trigger-id") or "", always=True)]
    return found + (words("--led-delay", delay) if delay != "0" else []) + flags(given, "--led-always-blink")


_UNITS = {"s": 1_000_000, "sec": 1_000_000, "secs": 1_000_000, "ms": 1000, "msec": 1000, "msecs": 1000, "us": 1,
          "usec": 1, "usecs": 1, "": 1_000_000}  # fmt: skip


def _microseconds(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d*)?)([a-z]*)", text)
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"no time {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])


def _time_text(microseconds: int) -> str:
    if microseconds >= 1_000_000:
        return f"{microseconds / 1_000_000:.1f}s"
    return f"{microseconds / 1000:.1f}ms" if microseconds >= 1000 else f"{microseconds}us"


def _rate(given: Given) -> tuple[str, str]:
    """The interval and the time constant as the kernel keeps them: powers of two of a quarter of a second."""
    interval = _microseconds(value(given, "--rateest-interval") or "0")
    constant = _microseconds(value(given, "--rateest-ewmalog") or "0")
    kept = next((step for step in (250_000 << power for power in range(6)) if interval <= step), 8_000_000)
    log = next((n for n in range(1, 32) if interval / -math.log(1 - 1 / (1 << n)) > constant), 32) - 1
    return _time_text(kept), _time_text(kept << log)


def _rate_text(given: Given, _numeric: bool) -> str:
    interval, constant = _rate(given)
    return f"name {value(given, '--rateest-name') or ''} interval {interval} ewmalog {constant}"


def _rate_words(given: Given) -> list[Word]:
    interval, constant = _rate(given)
    name = value(given, "--rateest-name") or ""
    return words("--rateest-name", name, "--rateest-interval", interval, "--rateest-ewmalog", constant)


EXTENSIONS = {
    "LOG": Extension({"--log-level": 1, "--log-prefix": 1, **dict.fromkeys(_LOG_FLAGS, 0)}, _log, listed(_log_text),
                     _log_words),
    "NFLOG": Extension(
        {"--nflog-group": 1, "--nflog-prefix": 1, "--nflog-range": 1, "--nflog-size": 1, "--nflog-threshold": 1},
        nothing, listed(lambda given, _numeric: " ".join(part for pair in _nflog(given) for part in pair)),
        _nflog_words,
    ),
    "ULOG": Extension(
        {"--ulog-nlgroup": 1, "--ulog-prefix": 1, "--ulog-cprange": 1, "--ulog-qthreshold": 1},
        nothing, listed(_ulog_text), _ulog_words,
    ),
    "TRACE": Extension({}, _trace, listed(lambda _given, _numeric: ""), lambda _: []),
    "AUDIT": Extension(
        {"--type": 1}, nothing, listed(lambda given, _numeric: f"AUDIT {value(given, '--type') or ''}"),
        lambda given: words("--type", value(given, "--type") or ""),
    ),
    "TEE": Extension({"--gateway": 1, "--oif": 1}, nothing, listed(_tee_text), _tee_words),
    "IDLETIMER": Extension({"--timeout": 1, "--label": 1, "--alarm": 0}, nothing, listed(_idle_text), _idle_words),
    "LED": Extension(
        {"--led-trigger-id": 1, "--led-delay": 1, "--led-always-blink": 0}, nothing, listed(_led_text), _led_words
    ),
    "RATEEST": Extension(
        {"--rateest-name": 1, "--rateest-interval": 1, "--rateest-ewmalog": 1}, nothing, listed(_rate_text),
        _rate_words,
    ),
}  # fmt: skip
