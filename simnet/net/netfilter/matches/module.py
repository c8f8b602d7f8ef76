"""What a match module is, and the pieces that tests are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...packet import TcpSegment, UdpDatagram
from ..context import Context
from ..rule import Option, Test, quote

Build = Callable[[tuple[Option, ...], int], Test]
# the options and whether names are left out (-n)
Show = Callable[[tuple[Option, ...], bool], str]


@dataclass(frozen=True, slots=True)
class Module:
    """A match module: the number of values of each option, and the function that makes the test.

    `show` makes the text by which `iptables -L` lists the match (`numeric` as with -n), without a leading blank;
    where that depends on the rule's protocol, `show_for` makes it for one. `reason` says what a snapshot would have to
    hold where the test is undecided, and `sure` tells options (and the rule's protocol) with which it never is.
    `loose` are options that take a value or none.
    """

    arity: dict[str, int]
    build: Build
    show: Show | None = None
    reason: str = ""
    show_for: Callable[[int], Show] | None = None
    loose: frozenset[str] = frozenset()
    sure: Callable[[tuple[Option, ...], int], bool] | None = None

    def may_doubt(self, options: tuple[Option, ...], proto: int) -> bool:
        """Whether the test of these options, in a rule of this protocol, may be undecided."""
        return bool(self.reason) and not (self.sure is not None and self.sure(options, proto))


def raw(name: str, options: Iterable[Option]) -> str:
    """A match in the words of the rule, for one that has no text of its own.

    Example:
        >>> raw("mark", [Option("--mark", ("0x1",), True, 0)])
        '-m mark ! --mark 0x1'
    """
    words = [f"-m {name}"]
    for option in options:
        words += [*(["!"] if option.negated else []), option.name]
        words += [quote(value) if not value or set(value) & set(" \t\"'\\") else value for value in option.values]
    return " ".join(words)


def all_of(tests: Iterable[Test]) -> Test:
    """A test that holds where all hold; undecided where none fails and one is undecided."""
    parts = tuple(tests)
    if len(parts) == 1:
        return parts[0]

    def test(c: Context) -> bool | None:
        answer: bool | None = True
        for part in parts:
            one = part(c)
            if one is None:
                answer = None
            elif not one:
                return False
        return answer

    return test


def each(make: Callable[[Option, int], Test]) -> Build:
    """A module whose options are independent conditions."""
    return lambda options, proto: all_of([make(option, proto) for option in options] or [lambda _: True])


def within(read: Callable[[Context], int | None], low: int, high: int, negated: bool) -> Test:
    """Whether a number lies in a range; a packet that has no such number never matches."""

    def test(c: Context) -> bool:
        value = read(c)
        return value is not None and (low <= value <= high) != negated

    return test


def interface_matches(pattern: str, name: str) -> bool:
    """Whether a device name fits `eth0` or `eth+`; no device fits no plain name.

    Example:
        >>> interface_matches("eth+", "eth0"), interface_matches("eth0", "")
        (True, False)
    """
    return name.startswith(pattern[:-1]) if pattern.endswith("+") else name == pattern


def later_fragment(c: Context) -> bool:
    """Whether a packet is a fragment without the header of its protocol."""
    return bool(c.ip.fragment and c.ip.fragment.offset)


def port_of(c: Context, *, source: bool) -> int | None:
    """A packet's port; a later fragment carries none."""
    transport = c.ip.transport
    if (c.ip.fragment and c.ip.fragment.offset) or not isinstance(transport, TcpSegment | UdpDatagram):
        return None
    return transport.sport if source else transport.dport


def undecided(_: Context) -> None:
    """The test of what nobody knows."""
    return


def always(_: Context) -> bool:
    """The test of what holds for every packet."""
    return True


def never(_: Context) -> bool:
    """The test of what holds for none."""
    return False


def find(options: Iterable[Option], *names: str) -> Option | None:
    """The last option of some names."""
    return next((option for option in reversed(tuple(options)) if option.name in names), None)


def value(options: Iterable[Option], *names: str, default: str = "") -> str:
    """The value of the last option of some names."""
    found = find(options, *names)
    return found.values[0] if found is not None and found.values else default


def bang(option: Option | None, text: str = "! ") -> str:
    """The text of a negation where an option has one."""
    return text if option is not None and option.negated else ""


def span(low: int, high: int, separator: str = ":", name: Callable[[int], str] = str) -> str:
    """A range as it is printed: one number where it holds one.

    Example:
        >>> span(1, 1), span(1, 9)
        ('1', '1:9')
    """
    return name(low) if low == high else f"{name(low)}{separator}{name(high)}"


def ranged(label: str, low: int, high: int, negated: bool, name: Callable[[int], str] = str) -> str:
    """A range with its label, which is in the plural for more than one number.

    Example:
        >>> ranged("dpt", 22, 22, True), ranged("dpt", 22, 80, False)
        ('dpt:!22', 'dpts:22:80')
    """
    return f"{label}{'s' if low != high else ''}:{'!' if negated else ''}{span(low, high, name=name)}"


def joined(*words: str) -> str:
    """The words that there are, with blanks between them."""
    return " ".join(word for word in words if word)
