"""Matches on what only the machine itself knows: whose a packet is, the time, the CPU, a program's verdict."""

from __future__ import annotations

import re

from ...packet import SYN, TcpSegment
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, always, bang, find, later_fragment, undecided, value

# the accounts that a Debian host has from the start
_USERS = {
    0: "root", 1: "daemon", 2: "bin", 3: "sys", 4: "sync", 5: "games", 6: "man", 7: "lp", 8: "mail", 9: "news",
    10: "uucp", 13: "proxy", 33: "www-data", 34: "backup", 38: "list", 39: "irc", 65534: "nobody",
}  # fmt: skip
_GROUPS = {
    0: "root", 1: "daemon", 2: "bin", 3: "sys", 4: "adm", 5: "tty", 6: "disk", 7: "lp", 8: "mail", 9: "news",
    10: "uucp", 12: "man", 13: "proxy", 27: "sudo", 33: "www-data", 34: "backup", 38: "list", 39: "irc", 42: "shadow",
    50: "staff", 60: "games", 100: "users", 65534: "nogroup",
}  # fmt: skip


def _accounts(option: Option) -> tuple[int, int]:
    """One account or a range of them, by number or by a name that every host has."""
    names = {name: number for number, name in (_USERS if option.name == "--uid-owner" else _GROUPS).items()}
    low, found, high = option.values[0].partition("-")
    if option.values[0] in names:
        low, found, high = str(names[option.values[0]]), "", ""
    return values.number(low), values.number(high if found else low)


def _owner(options: tuple[Option, ...], _proto: int) -> Test:
    """A packet that no socket of this namespace sent matches where every option is negated (owner_mt)."""
    options = tuple(option for option in options if option.name != "--suppl-groups")
    named = [option for option in options if option.name != "--socket-exists"]
    for option in named:
        if not option.values[0][:1].isalpha():
            _accounts(option)
    exists = find(options, "--socket-exists")

    def test(c: Context) -> bool | None:
        if not c.skb.local or (c.skb.socket is None and c.skb.by == "kernel"):
            return all(option.negated for option in options)
        if exists is not None and exists.negated:
            return False
        return None if named or c.skb.socket is None else True

    return test


def _show_owner(options: tuple[Option, ...], numeric: bool) -> str:
    words = []
    for name, what in (("--socket-exists", "socket exists"), ("--uid-owner", "UID"), ("--gid-owner", "GID")):
        option, text = find(options, name), what
        if option is None:
            continue
        if option.values:
            known = {} if numeric else _USERS if what == "UID" else _GROUPS
            named = option.values[0]
            if not named[:1].isalpha() or named in {*_USERS.values(), *_GROUPS.values()}:
                low, high = _accounts(option)
                named = known.get(low, str(low)) if low == high else f"{low}-{high}"
            text = f"{what} match {named}"
        words.append(f"{bang(option)}owner {text}")
    return " ".join(words) + (" incl. suppl. groups" if find(options, "--suppl-groups") else "")


def _cgroup(options: tuple[Option, ...], _proto: int) -> Test:
    """A packet of no socket never matches, negated or not (cgroup_mt)."""
    for option in options:
        if option.name == "--cgroup":
            values.number(option.values[0])

    def test(c: Context) -> bool | None:
        forwarded = c.hook in {"FORWARD", "POSTROUTING"} and not c.skb.local
        return False if forwarded or (c.skb.local and c.skb.by == "kernel") else None

    return test


def _show_cgroup(options: tuple[Option, ...], _numeric: bool) -> str:
    option = options[-1]
    text = str(values.number(option.values[0])) if option.name == "--cgroup" else option.values[0]
    return f"cgroup {bang(option)}{text}"


def _show_socket(options: tuple[Option, ...], _numeric: bool) -> str:
    names = ("--transparent", "--nowildcard", "--restore-skmark")
    return " ".join(["socket", *(name for name in names if find(options, name))])


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# the last second that the match can hold (UINT32_MAX cut to a signed time)
_FOREVER = "2038-01-19T03:14:07"


def _weekdays(text: str) -> set[int]:
    words = {name[:2].lower(): number for number, name in enumerate(_DAYS, 1)}
    found = {int(word) if word.isdigit() else words[word[:2].lower()] for word in text.split(",")}
    if not found <= set(range(1, 8)):
        raise ValueError(f"no days of the week {text!r}")
    return found


def _monthdays(text: str) -> set[int]:
    found = {values.number(word.lstrip("0") or "0", 31) for word in text.split(",")}
    if 0 in found:
        raise ValueError("no day 0 of a month")
    return found


def _days(option: Option | None, read: dict[str, set[int]]) -> list[int]:
    """The days that an option names, or with `!` the others; none where it leaves none out."""
    if option is None:
        return []
    chosen = _weekdays(option.values[0]) if option.name == "--weekdays" else _monthdays(option.values[0])
    chosen = read[option.name] - chosen if option.negated else chosen
    return [] if chosen == read[option.name] else sorted(chosen)


_ALL_DAYS = {"--weekdays": set(range(1, 8)), "--monthdays": set(range(1, 32))}


def _clock(text: str, missing: str) -> str:
    if not text:
        return missing
    parts = [values.number(part.lstrip("0") or "0", 59) for part in text.split(":")]
    if not 2 <= len(parts) <= 3 or parts[0] > 23:
        raise ValueError(f"no time of day {text!r}")
    return ":".join(f"{part:02}" for part in [*parts, 0][:3])


def _date(text: str) -> str:
    """A date that may be cut short at any part, in full."""
    found = re.fullmatch(r"(\d{4})(?:-(\d+)(?:-(\d+)(?:T(\d+)(?::(\d+)(?::(\d+))?)?)?)?)?", text, re.ASCII)
    if found is None:
        raise ValueError(f"no date {text!r}")
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(found.groups(), (0, 1, 1, 0, 0, 0), strict=True)
    )
    return f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def _time(options: tuple[Option, ...], _proto: int) -> Test:
    return always if _show_time(options, True) in {"TIME", "TIME UTC"} else undecided


def _ordinal(day: int) -> str:
    """A day of the month as the match prints it, which goes by the last digit alone: 11st, 12nd."""
    return f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th') }"


def _show_time(options: tuple[Option, ...], _numeric: bool) -> str:
    start = _clock(value(options, "--timestart"), "00:00:00")
    stop = _clock(value(options, "--timestop"), "23:59:59")
    words = ["TIME"]
    if (start, stop) != ("00:00:00", "23:59:59"):
        words.append(f"from {start} to {stop}")
    week = _days(find(options, "--weekdays"), _ALL_DAYS)
    month = _days(find(options, "--monthdays"), _ALL_DAYS)
    words += [f"on {','.join(_DAYS[day - 1] for day in week)}"] * bool(week)
    words += [f"on {','.join(_ordinal(day) for day in month)}"] * bool(month)
    first, last = (
        _date(value(options, "--datestart", default="1970")),
        _date(value(options, "--datestop", default=_FOREVER)),
    )
    words += [f"starting from {first}"] * (first != _date("1970"))
    words += [f"until date {last}"] * (last != _date(_FOREVER))
    words += ["UTC"] * (find(options, "--kerneltz", "--localtz") is None)
    return " ".join(words + ["contiguous"] * (find(options, "--contiguous") is not None))


def _osf(_options: tuple[Option, ...], _proto: int) -> Test:
    """Only a SYN has a fingerprint (nf_osf_match)."""

    def test(c: Context) -> bool | None:
        segment = c.ip.transport
        syn = isinstance(segment, TcpSegment) and not later_fragment(c) and segment.flags & SYN
        return None if syn else False

    return test


def _nobody(_options: tuple[Option, ...], _proto: int) -> Test:
    return undecided


MODULES = {
    "owner": Module(
        {"--uid-owner": 1, "--gid-owner": 1, "--socket-exists": 0, "--suppl-groups": 0},
        _owner,
        _show_owner,
        "which user a program runs as is not in a snapshot (ps -o user,group)",
    ),
    "cgroup": Module(
        {"--path": 1, "--cgroup": 1}, _cgroup, _show_cgroup, "which control group a program is in is not in a snapshot"
    ),
    "socket": Module(
        {"--nowildcard": 0, "--transparent": 0, "--restore-skmark": 0},
        _nobody,
        _show_socket,
        "which sockets are open besides those that listen is not in a snapshot (ss -a)",
    ),
    "cpu": Module(
        {"--cpu": 1},
        _nobody,
        lambda options, _: f"cpu {bang(options[-1])}{values.number(options[-1].values[0])}",
        "which CPU handles a packet is not in a snapshot",
    ),
    "time": Module(
        {"--datestart": 1, "--datestop": 1, "--timestart": 1, "--timestop": 1, "--monthdays": 1, "--weekdays": 1,
         "--kerneltz": 0, "--localtz": 0, "--utc": 0, "--contiguous": 0},
        _time,
        _show_time,
        "when the packet comes is not known",
    ),
    "osf": Module(
        {"--genre": 1, "--ttl": 1, "--log": 1},
        _osf,
        lambda options, _: f"OS fingerprint match {bang(find(options, '--genre'))}{value(options, '--genre')}",
        "which system a SYN's form betrays depends on the fingerprints that the host has loaded",
    ),
}  # fmt: skip
