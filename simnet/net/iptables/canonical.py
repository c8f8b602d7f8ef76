"""Rules as iptables-save writes them, whatever way they were typed.

`-p tcp --dport http -s 10.0.0.1` becomes `-s 10.0.0.1/32 -p tcp -m tcp --dport 80`. What is not known stays as it is.

Models: the `save` functions of libxt_*.c and libipt_*.c, and nft-shared.c, of iptables 1.8.9.
"""

from __future__ import annotations

from ..netfilter.rule import Match, Option, Rule, Table, Word, quote
from ..netfilter.save import parse_rule
from ..netfilter.targets import EXTENSIONS
from . import names
from .shapes import ADDED, ALIASES, DEFAULTS, MODULES, QUOTED, STRINGS, Value

_ORDER = ("-s", "-d", "-i", "-o", "-p", "-f")


def canonical(table: Table, rule: Rule) -> Rule:
    """The same rule as iptables-save writes it; ValueError where a value is none.

    Example:
        >>> from simnet.net.netfilter.rule import Chain
        >>> table = Table("filter", {"INPUT": Chain("INPUT", "ACCEPT")})
        >>> str(canonical(table, parse_rule(table, "INPUT", "-p tcp --dport http -s 10.0.0.1 -j DROP")))
        '-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j DROP'
    """
    own = {match.options[0].name: match.options[0] for match in rule.matches if match.module == "ip"}
    proto = "tcp"
    if "-p" in own:
        proto = names.protocol_name(names.protocol_number(own["-p"].values[0]))
    found = [word for name in _ORDER if name in own for word in _own(own[name])]
    for match in rule.matches:
        if match.module != "ip":
            found += [Word("-m", 0), Word(match.module, 0), *_match(match, proto)]
    target = rule.target
    if target is not None:
        found += [Word("-g" if rule.goto else "-j", 0), Word(target.name, 0)]
        extension = EXTENSIONS.get(target.name)
        given = {option.name: option for option in target.options}
        known = extension is not None and all(name in extension.arity for name in given)
        if known and extension is not None and extension.canon is not None and (target.act or target.why):
            found += extension.canon(given)
        else:
            found += [word for option in target.options for word in _plain(option)]
    made = parse_rule(table, rule.chain, " ".join(map(written, found)))
    made.packets, made.bytes, made.line = rule.packets, rule.bytes, rule.line
    return made


def written(word: Word) -> str:
    """A word as a rule's text holds it: in quotes where it must be."""
    return quote(word.text) if word.quoted or not word.text or set(word.text) & set(" \t\"'") else word.text


def _own(option: Option) -> list[Word]:
    """One of the rule's own options; nothing where it asks for nothing."""
    if option.name == "-f":
        return _negated(option, [])
    text = option.values[0]
    if option.name in {"-s", "-d"}:
        text = names.saved_block(text)
        if text.endswith("/0") and not option.negated:
            return []
    elif option.name == "-p":
        number = names.protocol_number(text)
        if number == 0 and not option.negated:
            return []
        text = names.protocol_name(number)
    elif text == "+" and not option.negated:
        return []
    return _negated(option, [text])


def _negated(option: Option, given: list[str], name: str = "") -> list[Word]:
    name = name or option.name
    texts = [Word(text, 0, quoted=name in QUOTED or (name in STRINGS and quote(text) != text)) for text in given]
    return [*([Word("!", 0)] if option.negated else []), Word(name, 0), *texts]


def _plain(option: Option) -> list[Word]:
    """An option as it was given; a text in quotes where it needs them, or where its extension always writes them."""
    always = option.name in QUOTED
    given = [Word(text, 0, quoted=always or bool(set(text) & set(" \"'"))) for text in option.values]
    return [*_negated(option, []), *given]


def _match(match: Match, proto: str) -> list[Word]:
    shapes = MODULES.get(match.module)
    if shapes is None or match.why:
        return [word for option in match.options for word in _plain(option)]
    order = list(shapes)
    there = {option.name for option in match.options}
    added = [Option(more[0], more[1:], negated=False, column=0)
             for instead, more in ADDED.get(match.module, ()) if not there & {*instead}]  # fmt: skip
    placed = sorted([*match.options, *added], key=lambda option: _place(order, option))
    return [word for option in placed for word in _option(match.module, shapes, option, proto)]


def _place(order: list[str], option: Option) -> int:
    name = ALIASES.get(option.name, option.name)
    return order.index(name) if name in order else len(order)


def _option(module: str, shapes: dict[str, Value | None], option: Option, proto: str) -> list[Word]:
    name = ALIASES.get(option.name, option.name)
    given = ("FIN,SYN,RST,ACK", "SYN") if option.name == "--syn" else option.values
    shape = shapes.get(name)
    texts = [shape(text, proto) for text in given] if shape is not None else list(given)
    if texts and (module, name, texts[0]) in DEFAULTS and not option.negated:
        return []
    return _negated(option, texts, name)
