"""Targets that set marks: of the packet, of its connection, of its traffic class.

Models: net/netfilter/xt_mark.c, xt_connmark.c, xt_HMARK.c, xt_CLASSIFY.c; text as libxt_*.c of iptables 1.8.9.
"""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Word
from .extension import CONTINUE, Act, Extension, Given, Unknown, listed, nothing, number, value, words

FULL = 0xFFFFFFFF
_MARKS = {"--set-xmark": 1, "--set-mark": 1, "--and-mark": 1, "--or-mark": 1, "--xor-mark": 1}


def _change(given: Given) -> tuple[int, int]:
    """(bits to clear, bits to flip) of --set-xmark and its friends, which iptables-save prints as --set-xmark."""
    if (text := value(given, "--set-xmark")) is not None:
        mark, mask = values.value_mask(text, number(given, "--mask", FULL))
        return mask, mark
    if (text := value(given, "--set-mark")) is not None:
        mark, mask = values.value_mask(text, number(given, "--mask", FULL))
        return mask | mark, mark
    if (text := value(given, "--and-mark")) is not None:
        return ~values.number(text) & FULL, 0
    if (text := value(given, "--or-mark")) is not None:
        return values.number(text), values.number(text)
    if (text := value(given, "--xor-mark")) is not None:
        return 0, values.number(text)
    raise ValueError("a mark target needs --set-xmark or the like")


def _shift(given: Given, mark: int) -> int:
    """A mark as --left-shift-mark or --right-shift-mark moves it."""
    return (mark << number(given, "--left-shift-mark", 0, 32) & FULL) >> number(given, "--right-shift-mark", 0, 32)


def _mark(given: Given) -> Act:
    clear, flip = _change(given)

    def act(c: Context) -> str:
        c.skb.mark = (c.skb.mark & ~clear & FULL) ^ flip
        return CONTINUE

    return act


def _masks(given: Given) -> tuple[int, int]:
    both = number(given, "--mask", FULL)
    return number(given, "--nfmask", both), number(given, "--ctmask", both)


def _connmark(given: Given) -> Act:
    nfmask, ctmask = _masks(given)
    if "--save-mark" in given:

        def save(c: Context) -> str:
            if c.skb.connection is not None:
                new = _shift(given, c.skb.mark & nfmask)
                c.skb.connection.mark = (c.skb.connection.mark & ~ctmask & FULL) ^ new
            return CONTINUE

        return save
    if "--restore-mark" in given:

        def restore(c: Context) -> str:
            if c.skb.connection is not None:
                new = _shift(given, c.skb.connection.mark & ctmask)
                c.skb.mark = (c.skb.mark & ~nfmask & FULL) ^ new
            return CONTINUE

        return restore
    clear, flip = _change(given)

    def act(c: Context) -> str:
        if c.skb.connection is not None:
            c.skb.connection.mark = _shift(given, (c.skb.connection.mark & ~clear & FULL) ^ flip)
        return CONTINUE

    return act


def change_text(clear: int, flip: int) -> str:
    """A change of a mark in the shortest way that says it.

    Example:
        >>> change_text(0xFFFFFFFF, 1), change_text(3, 3), change_text(0xF0, 1)
        ('set 0x1', 'or 0x3', 'xset 0x1/0xf0')
    """
    if flip == 0:
        return f"and 0x{~clear & FULL:x}"
    if flip == clear:
        return f"or 0x{flip:x}"
    if clear == 0:
        return f"xor 0x{flip:x}"
    return f"set 0x{flip:x}" if clear == FULL else f"xset 0x{flip:x}/0x{clear:x}"


def _change_words(given: Given) -> list[Word]:
    clear, flip = _change(given)
    return words("--set-xmark", f"0x{flip:x}/0x{clear:x}")


def _shifts(given: Given) -> list[str]:
    names = [name for name in ("--left-shift-mark", "--right-shift-mark") if name in given]
    return [text for name in names for text in (name, str(number(given, name, 0, 32)))]


def _connmark_text(given: Given, _numeric: bool) -> str:
    nfmask, ctmask = _masks(given)
    if "--save-mark" in given or "--restore-mark" in given:
        save = "--save-mark" in given
        text = "save" if save else "restore"
        if nfmask == ctmask:
            text += f" mask 0x{nfmask:x}" if nfmask != FULL else ""
        elif save:
            text += f" nfmask 0x{nfmask:x} ctmask ~0x{ctmask:x}"
        else:
            text += f" ctmask 0x{ctmask:x} nfmask ~0x{nfmask:x}"
    else:
        text = change_text(*_change(given))
    return " ".join(["CONNMARK", text, *(word.removeprefix("--") for word in _shifts(given))])


def _connmark_words(given: Given) -> list[Word]:
    nfmask, ctmask = _masks(given)
    found = next((name for name in ("--save-mark", "--restore-mark") if name in given), None)
    if found is None:
        return _change_words(given) + words(*_shifts(given))
    return words(found, "--nfmask", f"0x{nfmask:x}", "--ctmask", f"0x{ctmask:x}", *_shifts(given))


def _class(given: Given) -> tuple[int, int]:
    major, _, minor = (value(given, "--set-class") or "0:0").partition(":")
    return int(major, 16), int(minor, 16)


# HMARK: each part of the tuple, and the option and mask that the short form --hmark-tuple stands for
_TUPLE = {
    "src": ("src-prefix", 32), "dst": ("dst-prefix", 32), "sport": ("sport-mask", 0xFFFF),
    "dport": ("dport-mask", 0xFFFF), "spi": ("spi-mask", FULL),
}  # fmt: skip
# in the order in which they are printed, with the digits that iptables-save gives each (0: decimal)
_HMARK = {"src-prefix": 0, "dst-prefix": 0, "sport-mask": 4, "dport-mask": 4, "spi-mask": 8, "sport": 4, "dport": 4,
          "spi": 8, "proto-mask": 2, "rnd": 8}  # fmt: skip


def _hmark(given: Given) -> tuple[dict[str, int], bool]:
    """The fields that HMARK hashes, by name, and whether it looks at the connection's own tuple."""
    parts = (value(given, "--hmark-tuple") or "").split(",")
    fields = dict(_TUPLE[part] for part in parts if part in _TUPLE)
    fields |= {name: number(given, f"--hmark-{name}", 0) for name in _HMARK if f"--hmark-{name}" in given}
    return fields, "ct" in parts


def _hmark_text(given: Given, _numeric: bool) -> str:
    fields, connection = _hmark(given)
    parts = [f"HMARK mod {number(given, '--hmark-mod', 0)}"]
    parts += [f"+ 0x{number(given, '--hmark-offset', 0):x}"] if "--hmark-offset" in given else []
    parts += ["ct,"] if connection else []
    for name, digits in _HMARK.items():
        if name in fields:
            parts.append(f"{name} 0x{fields[name]:x}" if digits else f"{name} {fields[name]}")
    return " ".join(parts) + " "


def _hmark_words(given: Given) -> list[Word]:
    fields, connection = _hmark(given)
    found: list[object] = []
    for name, digits in _HMARK.items():
        if name in fields:
            found += [f"--hmark-{name}", f"0x{fields[name]:0{digits}x}" if digits else fields[name]]
    found += ["--hmark-mod", number(given, "--hmark-mod", 0)]
    found += ["--hmark-offset", number(given, "--hmark-offset", 0)] if "--hmark-offset" in given else []
    found += ["--hmark-tuple", "ct"] if connection else []
    return words(*found)


_HMARK_ARITY = {f"--hmark-{name}": 1 for name in (*_HMARK, "mod", "offset", "tuple")}

EXTENSIONS = {
    "MARK": Extension(
        _MARKS, _mark, listed(lambda given, _numeric: f"MARK {change_text(*_change(given))}"), _change_words
    ),
    "CONNMARK": Extension(
        {**_MARKS, "--save-mark": 0, "--restore-mark": 0, "--nfmask": 1, "--ctmask": 1, "--mask": 1,
         "--left-shift-mark": 1, "--right-shift-mark": 1},
        _connmark, listed(_connmark_text), _connmark_words,
    ),
    "CLASSIFY": Extension(
        {"--set-class": 1}, nothing,
        listed(lambda given, _numeric: "CLASSIFY set {:x}:{:x}".format(*_class(given))),
        lambda given: words("--set-class", "{:04x}:{:04x}".format(*_class(given))),
    ),
    "HMARK": Extension(
        _HMARK_ARITY, lambda _: Unknown("the mark that HMARK sets comes from a hash that is not modelled"),
        listed(_hmark_text), _hmark_words,
    ),
}  # fmt: skip
