"""Matches on encryption: the headers of ESP, AH and IPComp, and whether a packet came through IPsec."""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Build, Module, Show, always, bang, find, later_fragment, never, ranged, value

_ALL_SPIS = (0, 0xFFFFFFFF)


def _spis(option: Option | None) -> tuple[int, int]:
    return values.number_range(option.values[0], 0xFFFFFFFF) if option is not None else _ALL_SPIS


def _header(proto: int) -> Build:
    """What an encrypted packet carries is not modelled; where nothing is asked of its header, its protocol decides."""

    def build(options: tuple[Option, ...], _proto: int) -> Test:
        asked = [option for option in options if not option.name.endswith("spi")]
        for option in asked:
            if option.values:
                values.number(option.values[0])
        spi = next((option for option in options if option.name.endswith("spi")), None)
        plain = not asked and _spis(spi) == _ALL_SPIS and not (spi and spi.negated)

        def test(c: Context) -> bool | None:
            if c.ip.proto != proto or later_fragment(c):
                return False
            return True if plain else None

        return test

    return build


def _show_spi(word: str, name: str) -> Show:
    def show(options: tuple[Option, ...], _numeric: bool) -> str:
        option = find(options, name)
        low, high = _spis(option)
        text = word
        if (low, high) != _ALL_SPIS or (option is not None and option.negated):
            text = f"{word.strip()} {ranged('spi', low, high, bool(bang(option)))}"
        length = find(options, "--ahlen")
        if length is not None:
            text += f"length:{bang(length, '!')}{values.number(length.values[0])}"
        return text + (" reserved" if find(options, "--ahres", "--compres") else "")

    return show


# the options that begin or make up an element of a policy, in the order in which each is printed
_ELEMENT = ("--reqid", "--spi", "--proto", "--mode", "--tunnel-dst", "--tunnel-src")
_PROTOCOLS = {50: "esp", 51: "ah", 108: "ipcomp"}


def _policy(options: tuple[Option, ...], _proto: int) -> Test:
    """No packet here came through IPsec or leaves through it: that is what `none` matches, and nothing else does."""
    wanted = value(options, "--pol")
    if wanted not in {"none", "ipsec"}:
        raise ValueError(f"no policy {wanted!r}")
    return always if wanted == "none" else never


def _policy_part(option: Option, *, numeric: bool) -> str:
    text = option.values[0]
    if option.name == "--spi":
        text = f"0x{values.number(text):x}"
    elif option.name == "--reqid":
        text = str(values.number(text))
    elif option.name == "--proto":
        number = values.protocol(text)
        text = str(number) if numeric else _PROTOCOLS.get(number, str(number))
    elif option.name.startswith("--tunnel"):
        text = text.removesuffix("/32" if ":" not in text else "/128")
    return f"{bang(option)}{option.name[2:]} {text}"


def _show_policy(options: tuple[Option, ...], numeric: bool) -> str:
    elements: list[list[Option]] = [[]]
    for option in options:
        if option.name == "--next":
            elements.append([])
        elif option.name in _ELEMENT:
            elements[-1].append(option)
    words = [f"policy match dir {value(options, '--dir')} pol {value(options, '--pol')}"]
    words += ["strict"] if find(options, "--strict") else []
    for number, element in enumerate(elements):
        if len(elements) > 1:
            words.append(f"[{number}]")
        ordered = sorted(element, key=lambda option: _ELEMENT.index(option.name))
        words += [_policy_part(option, numeric=numeric) for option in ordered]
    return " ".join(words)


_REASON = "what stands in an encrypted packet's header is not modelled"

MODULES = {
    "ah": Module({"--ahspi": 1, "--ahlen": 1, "--ahres": 0}, _header(51), _show_spi("ah ", "--ahspi"), _REASON),
    "esp": Module({"--espspi": 1}, _header(50), _show_spi("esp", "--espspi"), _REASON),
    "ipcomp": Module(
        {"--ipcompspi": 1, "--compres": 0}, _header(108), _show_spi("comp ", "--ipcompspi"), _REASON
    ),
    "policy": Module(
        {"--dir": 1, "--pol": 1, "--strict": 0, "--next": 0, **dict.fromkeys(_ELEMENT, 1)}, _policy, _show_policy
    ),
}  # fmt: skip
