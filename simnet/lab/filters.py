r"""What output is piped into: grep, head, tail, wc, sort, uniq, cut and tr, in busybox' forms.

A filter is a function of its words, its standard input, and what reads a file by its path.

Models: busybox 1.35, the options that its applets share with POSIX and the ones in daily use.
Leaves out: options that are rarely typed; each is named on standard error, with exit code 2.

Example:
    >>> FILTERS["cut"](["-d:", "-f2"], "a:b:c\n", lambda path: Answer())
    Answer(out='b\n', err='', code=0)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from simnet.answer import Answer

Reading = Callable[[str], Answer]
Filter = Callable[[list[str], str, Reading], Answer]

# the signs that mean something in one kind of regular expression plain, in the other behind a backslash
_SWAPPED = "(){}|+?"
_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "blank": " \t", "upper": "A-Z",
            "lower": "a-z", "xdigit": "0-9a-fA-F", "punct": r"!-/:-@\[-`{-~"}  # fmt: skip


class _Wrong(Exception):
    """A filter ends early: what it says on standard error, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.answer = Answer("", f"{text}\n", code)


def _options(name: str, words: list[str], flags: str, values: str = "") -> tuple[list[tuple[str, str]], list[str]]:
    """Short options in order, each with its value, and the operands."""
    found, rest, given = list[tuple[str, str]](), list[str](), list(words)
    while given:
        word = given.pop(0)
        if word == "--":
            return found, rest + given
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                found.append((letter, ""))
                continue
            if letter not in values:
                raise _Wrong(f"simnet's {name} does not model `-{letter}`", 2)
            if not letters and not given:
                raise _Wrong(f"{name}: option requires an argument -- '{letter}'")
            found.append((letter, letters or given.pop(0)))
            letters = ""
    return found, rest


def _input(name: str, paths: list[str], stdin: str, read: Reading) -> str:
    """The text of all files, or standard input."""
    text = ""
    for path in paths or ["-"]:
        if path == "-":
            text += stdin
            continue
        answer = read(path)
        if not answer:
            raise _Wrong(f"{name}: {path}: No such file or directory")
        text += answer.out
    return text


def _number(name: str, text: str) -> int:
    if not text.lstrip("+-").isdigit():
        raise _Wrong(f"{name}: invalid number '{text}'")
    return int(text)


def _old_number(words: list[str]) -> list[str]:
    """`-3` as `-n 3`, unless it is an option's value."""
    first = words[:1] if words and re.fullmatch(r"-\d+", words[0]) else []
    return ["-n", first[0][1:], *words[1:]] if first else words


def expression(text: str, *, extended: bool = False) -> str:
    r"""A POSIX regular expression as Python's.

    Example:
        >>> expression(r"\(a\|b\)c+"), expression("(a|b)c+", extended=True)
        ('(a|b)c\\+', '(a|b)c+')
    """
    found, at = "", 0
    while at < len(text):
        letter, then = text[at], text[at + 1 : at + 2]
        if letter == "\\" and then:
            found += then if then in _SWAPPED and not extended else {"<": r"\b", ">": r"\b"}.get(then, "\\" + then)
            at += 2
        elif letter == "[":
            end = text.find("]", text.find(":]", at) + 2 if "[:" in text[at:] else at + 2)
            if end < 0:
                raise ValueError(text)
            inner = re.sub(r"\[:(\w+):\]", lambda one: _CLASSES.get(one[1], ""), text[at + 1 : end])
            found += f"[{inner.replace('[', chr(92) + '[')}]"
            at = end + 1
        else:
            found += "\\" + letter if letter in _SWAPPED and not extended else letter
            at += 1
    return found


def _pattern(texts: list[str], flags: set[str]) -> re.Pattern[str]:
    parts = []
    for text in (one for given in texts for one in given.split("\n")):
        part = re.escape(text) if "F" in flags else expression(text, extended="E" in flags)
        part = rf"(?<!\w)(?:{part})(?!\w)" if "w" in flags else part
        parts.append(rf"^(?:{part})$" if "x" in flags else part)
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE if "i" in flags else 0)


def grep(words: list[str], stdin: str, read: Reading) -> Answer:
    """`grep [-EFHcilnoqvwx] [-e PATTERN] [-m N] [-A N] [-B N] [-C N] PATTERN [FILE]`."""
    options, rest = _options("grep", words, "EFchilnoqsvwx", "emABC")
    flags, given = {letter for letter, _ in options}, dict(options)
    texts = [value for letter, value in options if letter == "e"]
    if not texts:
        if not rest:
            raise _Wrong("Usage: grep [-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... } [FILE]...", 2)
        texts = [rest.pop(0)]
    if len(rest) > 1:
        raise _Wrong("simnet's grep does not model several files", 2)
    try:
        pattern = _pattern(texts, flags)
    except (ValueError, re.error):
        raise _Wrong(f"grep: bad regex '{texts[0]}'", 2) from None
    lines = _input("grep", rest, stdin, read).splitlines()
    hits = [at for at, line in enumerate(lines) if (pattern.search(line) is not None) != ("v" in flags)]
    hits = hits[: int(given["m"])] if given.get("m", "").isdigit() else hits
    code = 0 if hits else 1
    if "q" in flags:
        return Answer(code=code)
    if "c" in flags:
        return Answer(f"{len(hits)}\n", "", code)
    if "l" in flags:
        return Answer(f"{rest[0] if rest else '(standard input)'}\n" if hits else "", "", code)
    if "o" in flags:
        return Answer("".join(f"{one[0]}\n" for at in hits for one in pattern.finditer(lines[at]) if one[0]), "", code)
    around = [_number("grep", given.get(letter, given.get("C", "0"))) for letter in "BA"]
    return Answer("".join(_with_context(lines, hits, around, numbered="n" in flags)), "", code)


def _with_context(lines: list[str], hits: list[int], around: list[int], *, numbered: bool) -> Iterator[str]:
    """The lines that hit, and those about them; `--` where some are left out."""
    shown = sorted({near for at in hits for near in range(at - around[0], at + around[1] + 1)} & set(range(len(lines))))
    chosen, before = set(hits), -1
    for at in shown:
        if any(around) and before >= 0 and at != before + 1:
            yield "--\n"
        yield (f"{at + 1}{':' if at in chosen else '-'}" if numbered else "") + lines[at] + "\n"
        before = at


def head(words: list[str], stdin: str, read: Reading) -> Answer:
    """`head [-n N] [-c N]`: the first lines; `-n -N` all but the last N."""
    options, rest = _options("head", _old_number(words), "q", "nc")
    text, given = _input("head", rest, stdin, read), dict(options)
    if "c" in given:
        return Answer(text[: _number("head", given["c"])])
    return Answer("".join(text.splitlines(keepends=True)[: _number("head", given.get("n", "10"))]))


def tail(words: list[str], stdin: str, read: Reading) -> Answer:
    """`tail [-n N] [-c N]`: the last lines; `-n +N` from the Nth on."""
    options, rest = _options("tail", _old_number(words), "q", "nc")
    text, given = _input("tail", rest, stdin, read), dict(options)
    asked = given.get("c", given.get("n", "10"))
    number = _number("tail", asked)
    units = list(text) if "c" in given else text.splitlines(keepends=True)
    start = max(number - 1, 0) if asked.startswith("+") else max(len(units) - abs(number), 0)
    return Answer("".join(units[start:]))


def wc(words: list[str], stdin: str, read: Reading) -> Answer:
    """`wc [-lwc]`: lines, words, bytes."""
    options, rest = _options("wc", words, "lwc")
    text = _input("wc", rest, stdin, read)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode())}
    asked = [letter for letter in "lwc" if not options or (letter, "") in options]
    name = f" {rest[0]}" if len(rest) == 1 else ""
    if len(asked) == 1:
        return Answer(f"{counts[asked[0]]}{name}\n")
    return Answer(" ".join(f"{counts[letter]:>9}" for letter in asked) + f"{name}\n")


def sort(words: list[str], stdin: str, read: Reading) -> Answer:
    """`sort [-nru] [-t SEP] [-k N]`."""
    options, rest = _options("sort", words, "nruf", "tk")
    flags, given = {letter for letter, _ in options}, dict(options)
    lines = _input("sort", rest, stdin, read).splitlines()
    start = re.match(r"\d+", given.get("k", "1"))
    if start is None:
        raise _Wrong(f"sort: invalid number '{given['k']}'")

    def key(line: str) -> tuple[float, str]:
        parts = line.split(given["t"]) if "t" in given else re.findall(r"\s*\S+", line)
        text = line if "k" not in given else (given.get("t", "")).join(parts[int(start[0]) - 1 :])
        number = re.match(r"\s*(-?\d+(?:\.\d+)?)", text)
        return (float(number[1]) if number else 0.0) if "n" in flags else 0.0, text.lower() if "f" in flags else text

    found = sorted(lines, key=lambda line: (*key(line), line), reverse="r" in flags)
    if "u" in flags:
        found = [next(same) for _, same in groupby(found, key)]
    return Answer("".join(f"{line}\n" for line in found))


def uniq(words: list[str], stdin: str, read: Reading) -> Answer:
    """`uniq [-cdu]`: neighbouring lines that are the same, once."""
    options, rest = _options("uniq", words, "cdu")
    flags = {letter for letter, _ in options}
    groups = [(line, len(list(same))) for line, same in groupby(_input("uniq", rest, stdin, read).splitlines())]
    kept = [
        (line, count) for line, count in groups if not (("d" in flags and count < 2) or ("u" in flags and count > 1))
    ]
    return Answer("".join((f"{count:>7} " if "c" in flags else "") + f"{line}\n" for line, count in kept))


def cut(words: list[str], stdin: str, read: Reading) -> Answer:
    """`cut -d SEP -f LIST` or `-c LIST`."""
    options, rest = _options("cut", words, "s", "dfcb")
    given = dict(options)
    chosen = next((letter for letter in "fcb" if letter in given), "")
    if not chosen:
        raise _Wrong("cut: expected a list of bytes, characters, or fields")
    ranges = [_range(part) for part in given[chosen].split(",")]
    between = given.get("d", "\t")
    lines = []
    for line in _input("cut", rest, stdin, read).splitlines():
        if chosen == "f" and between not in line:
            lines += [] if "s" in given else [line]
            continue
        parts = line.split(between) if chosen == "f" else list(line)
        kept = [part for at, part in enumerate(parts, 1) if any(first <= at <= last for first, last in ranges)]
        lines.append((between if chosen == "f" else "").join(kept))
    return Answer("".join(f"{line}\n" for line in lines))


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (first + last).isdigit():
        raise _Wrong(f"cut: invalid number '{text}'")
    return int(first or "1"), int(last) if last else (1 << 30 if dash else int(first))


def tr(words: list[str], stdin: str, _read: Reading) -> Answer:
    """`tr SET1 SET2`, `tr -d SET`, `tr -s SET`."""
    options, rest = _options("tr", words, "ds")
    flags = {letter for letter, _ in options}
    sets = [_set(text) for text in rest]
    if len(sets) != (1 if flags else 2):
        raise _Wrong("simnet's tr models `tr SET1 SET2`, `tr -d SET` and `tr -s SET`", 2)
    if "d" in flags:
        return Answer("".join(letter for letter in stdin if letter not in sets[0]))
    if "s" in flags:
        runs = groupby(stdin)
        return Answer("".join(letter if letter in sets[0] else "".join(same) for letter, same in runs))
    to = sets[1] + sets[1][-1:] * len(sets[0])
    return Answer(stdin.translate({ord(letter): to[at] for at, letter in enumerate(sets[0]) if to}))


def _set(text: str) -> str:
    text = re.sub(r"\\([nt\\])", lambda one: {"n": "\n", "t": "\t", "\\": "\\"}[one[1]], text)
    return re.sub(r"(.)-(.)", lambda one: "".join(map(chr, range(ord(one[1]), ord(one[2]) + 1))), text)


def _safe(function: Filter) -> Filter:
    """A filter whose early end is its answer."""

    def filtered(words: list[str], stdin: str, read: Reading) -> Answer:
        try:
            return function(words, stdin, read)
        except _Wrong as wrong:
            return wrong.answer

    return filtered


FILTERS: dict[str, Filter] = {
    one.__name__: _safe(one) for one in (grep, head, tail, wc, sort, uniq, cut, tr)
}  # fmt: skip
