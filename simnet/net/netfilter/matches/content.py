"""Matches on any bytes of the packet: `u32` reads words of it, `string` searches it."""

from __future__ import annotations

import re

from .. import values
from ..context import Context
from ..rule import Option, Test
from .image import CHANCE, UNKNOWN, Image
from .module import Module, bang, find, span, value

# how many bytes of chance may be taken to differ from a text: one in 2 ** 24 comparisons finds them equal
_UNLIKELY = 3
_Range = tuple[int, int]


class _Check:
    """One test of `--u32`: where to read, as (operator, number) after the first number, and the values that fit."""

    __slots__ = ("ranges", "start", "steps")

    def __init__(self, text: str) -> None:
        where, found, wanted = text.partition("=")
        words = [word for word in re.split(r"(&|<<|>>|@)", where.replace(" ", "").replace("\t", "")) if word]
        if not found or len(words) % 2 == 0:
            raise ValueError(f"u32: {text.strip()!r} is not location=values")
        self.start = values.number(words[0])
        self.steps = [(sign, values.number(word)) for sign, word in zip(words[1::2], words[2::2], strict=True)]
        self.ranges = [self._range(part) for part in wanted.split(",")]

    @staticmethod
    def _range(text: str) -> _Range:
        low, found, high = text.strip().partition(":")
        return values.number(low), values.number(high if found else low)

    def holds(self, image: Image) -> bool | None:
        """As u32_match_it: a word outside of the packet fits nothing; of a shift five bits count, as on x86."""
        base, word = 0, _word(image, self.start)
        for sign, number in self.steps:
            if word is None:
                return False
            bits, doubt = word
            if sign == "&":
                word = bits & number, doubt & number
            elif sign == "<<":
                word = bits << (number & 31) & 0xFFFFFFFF, doubt << (number & 31) & 0xFFFFFFFF
            elif sign == ">>":
                word = bits >> (number & 31), doubt >> (number & 31)
            elif doubt:
                return None
            else:
                base += bits
                word = _word(image, base + number)
        if word is None:
            return False
        low, high = word[0] & ~word[1], word[0] | word[1]
        if any(a <= low and high <= b for a, b in self.ranges):
            return True
        return None if any(a <= high and low <= b for a, b in self.ranges) else False

    def __str__(self) -> str:
        where = "".join(f"{sign}0x{number:x}" for sign, number in self.steps)
        wanted = ",".join(span(low, high, name=lambda number: f"0x{number:x}") for low, high in self.ranges)
        return f"0x{self.start:x}{where}={wanted}"


def _word(image: Image, at: int) -> tuple[int, int] | None:
    """Four bytes of the packet, and which of their bits are in doubt."""
    if at + 4 > len(image.data):
        return None
    doubt = bytes(0xFF if kind else 0 for kind in image.kinds[at : at + 4])
    return int.from_bytes(image.data[at : at + 4]), int.from_bytes(doubt)


def _checks(text: str) -> list[_Check]:
    return [_Check(part) for part in text.split("&&")]


def _u32(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, "--u32")
    if option is None:
        raise ValueError("--u32 is missing")
    checks, negated = _checks(option.values[0]), option.negated

    def test(c: Context) -> bool | None:
        image = Image(c.ip)
        answer: bool | None = True
        for check in checks:
            one = check.holds(image)
            if one is False:
                return negated
            answer = answer if one else None
        return None if answer is None else not negated

    return test


def _show_u32(options: tuple[Option, ...], _numeric: bool) -> str:
    option = options[-1]
    return f'u32 {bang(option)}"{"&&".join(map(str, _checks(option.values[0])))}"'


def _pattern(option: Option) -> bytes:
    """The bytes that are looked for; `--hex-string` has some in hexadecimal between bars."""
    text = option.values[0].encode("utf-8", "surrogateescape")
    if option.name == "--string":
        return text
    found, inside, at = bytearray(), False, 0
    while at < len(text):
        letter = text[at : at + 1]
        if letter == b"\\" and not inside:
            found += text[at + 1 : at + 2]
            at += 2
        elif letter == b"|":
            inside = not inside
            at += 1
        elif inside and letter == b" ":
            at += 1
        elif inside:
            found += bytes.fromhex(text[at : at + 2].decode("ascii", "replace"))
            at += 2
        else:
            found += letter
            at += 1
    if inside:
        raise ValueError("--hex-string: a | is left open")
    return bytes(found)


def _found(image: Image, pattern: bytes, start: int, end: int) -> bool | None:
    """Whether bytes stand in a packet between two offsets (skb_find_text); None where unknown bytes may be they."""
    data, kinds = bytes(image.data), bytes(image.kinds)
    doubt = False
    size, end = len(pattern), min(end, len(data))
    for at in range(start, end - size + 1):
        part = kinds[at : at + size]
        if any(not kind and a != b for kind, a, b in zip(part, data[at : at + size], pattern, strict=True)):
            continue
        if not any(part):
            return True
        doubt = doubt or UNKNOWN in part or part.count(CHANCE) < _UNLIKELY
    return None if doubt else False


def _string(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, "--string", "--hex-string")
    if option is None:
        raise ValueError("--string is missing")
    pattern, negated = _pattern(option), option.negated
    icase = find(options, "--icase") is not None
    start, end = values.number(value(options, "--from", default="0")), _end(options)
    if icase:
        pattern = pattern.lower()

    def test(c: Context) -> bool | None:
        image = Image(c.ip)
        if icase:
            image.data = bytearray(bytes(image.data).lower())
        found = _found(image, pattern, start, end)
        return None if found is None else found != negated

    return test


def _end(options: tuple[Option, ...]) -> int:
    return values.number(value(options, "--to", default="65535"), 0xFFFF)


def _show_string(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, "--string", "--hex-string")
    assert option is not None
    pattern = _pattern(option)
    if all(32 <= byte < 127 for byte in pattern) and not pattern.endswith(b"\\"):
        text = '"' + re.sub(r'(["\\])', r"\\\1", pattern.decode()) + '"'
    else:
        text = f'"|{pattern.hex()}|"'
    start, end = values.number(value(options, "--from", default="0")), _end(options)
    words = [f"STRING match {bang(option, '!')} {text} ALGO name {value(options, '--algo')}"]
    words += [f"FROM {start}"] * bool(start) + [f"TO {end}"] * (end != 0xFFFF)
    return " ".join(words + ["ICASE"] * (find(options, "--icase") is not None))


MODULES = {
    "u32": Module({"--u32": 1}, _u32, _show_u32, "some of the bytes that it reads are each host's own"),
    "string": Module(
        {"--string": 1, "--hex-string": 1, "--algo": 1, "--from": 1, "--to": 1, "--icase": 0},
        _string,
        _show_string,
        "some of the bytes that it searches are not known",
    ),
}
