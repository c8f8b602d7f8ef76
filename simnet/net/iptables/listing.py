r"""What `iptables -L` and `iptables -S` print.

Models: iptables/xshared.c and nft-shared.c of iptables 1.8.9, for the nf_tables and the legacy command alike.

Example:
    >>> from simnet.net.netfilter.save import parse
    >>> rules = parse("*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n")
    >>> print(listing(rules.tables["filter"], Form(numeric=True), chain="INPUT"), end="")
    Chain INPUT (policy DROP)
    target     prot opt source               destination...
    ACCEPT     0    --  10.0.0.0/8           0.0.0.0/0...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..netfilter.matches import shown
from ..netfilter.rule import BASE_CHAINS, Chain, Option, Rule, Table, quote
from ..netfilter.targets import EXTENSIONS, Target
from . import names

# a target that is another one's under a name of its own
_LISTED_AS = {"NOTRACK": "CT"}


@dataclass(frozen=True, slots=True)
class Form:
    """How to list: `numeric` as -n, `verbose` as -v, `numbers` as --line-numbers, `exact` as -x.

    `old` lists protocols by name even with -n, as iptables up to 1.8.8 did.
    """

    numeric: bool = False
    verbose: bool = False
    numbers: bool = False
    exact: bool = False
    family: int = 4
    old: bool = False


def chains_in_order(table: Table) -> list[Chain]:
    """A table's chains as the command lists them: base chains by hook, missing ones too, then the others by name."""
    base = BASE_CHAINS[table.name]
    found = [table.chains.get(name) or Chain(name, "ACCEPT") for name in base]
    return found + [table.chains[name] for name in sorted(table.chains) if name not in base]


def references(table: Table) -> dict[str, int]:
    """How many rules jump to each chain."""
    found = dict.fromkeys(table.chains, 0)
    for rule in table.rules():
        if rule.target is not None and rule.target.act is None and rule.target.name in found:
            found[rule.target.name] += 1
    return found


def amount(number: int) -> str:
    """A counter in five letters, in thousands, millions and so on where it is large.

    Example:
        >>> amount(99999), amount(100000), amount(9_999_500), amount(12345678901)
        ('99999', '100K', '10M', '12G')
    """
    if number <= 99999:
        return str(number)
    for unit in "KMG":
        number = (number + 500) // 1000
        if number <= 9999:
            return f"{number}{unit}"
    return f"{(number + 500) // 1000}T"


def _counter(number: int, form: Form) -> str:
    return f"{number:>8} " if form.exact else f"{amount(number):>5} "


def listing(table: Table, form: Form, chain: str = "", number: int = 0) -> str:
    """What -L prints: of the whole table, of one chain, or of one rule (from 1) of a chain.

    A chain or rule that is not there prints nothing.
    """
    if number:
        rules = table.chains[chain].rules if chain in table.chains else []
        found = rules[number - 1 : number]
        return "".join(f"{rule_line(rule, form, number)}\n" for rule in found)
    counts = references(table)
    chains = [one for one in chains_in_order(table) if not chain or one.name == chain]
    return "\n".join("".join(f"{line}\n" for line in _chain_lines(one, counts, form)) for one in chains)


def _chain_lines(chain: Chain, counts: dict[str, int], form: Form) -> Iterator[str]:
    if not chain.policy:
        note = f"{counts[chain.name]} references"
    elif form.verbose:
        packets, size = (str(n) if form.exact else amount(n) for n in (chain.packets, chain.bytes))
        note = f"policy {chain.policy} {packets} packets, {size} bytes"
    else:
        note = f"policy {chain.policy}"
    yield f"Chain {chain.name} ({note})"
    yield _title(form)
    for number, rule in enumerate(chain.rules, 1):
        yield rule_line(rule, form, number)


def _title(form: Form) -> str:
    parts = ["num  "] if form.numbers else []
    if form.verbose:
        parts.append("    pkts      bytes " if form.exact else " pkts bytes ")
    parts.append("target     prot opt")
    if form.verbose:
        parts.append(" in     out    ")
    parts.append(f" {'source':<19}  {'destination':<19} ")
    return "".join(parts)


def rule_line(rule: Rule, form: Form, number: int = 0) -> str:
    """One rule as -L shows it."""
    asked = {match.options[0].name: match.options[0] for match in rule.matches if match.module == "ip"}
    parts = [f"{number:<4} "] if form.numbers else []
    if form.verbose:
        parts += [_counter(rule.packets, form), _counter(rule.bytes, form)]
    name = rule.target.name if rule.target is not None else ""
    parts.append(f"{_LISTED_AS.get(name, name):<9} ")
    parts.append(_protocol(asked.get("-p"), form))
    fragment = asked.get("-f")
    parts.append("-- " if fragment is None else "!f " if fragment.negated else "-f ")
    if form.verbose:
        every = "*" if form.numeric else "any"
        parts.append(f" {_device(asked.get('-i'), every):<6} {_device(asked.get('-o'), every):<6} ")
    parts += [_block(asked.get("-s"), form), " ", _block(asked.get("-d"), form), " "]
    if rule.goto:
        parts.append("[goto] ")
    return "".join(parts) + _texts(rule, form, _number(asked.get("-p")))


def _protocol(option: Option | None, form: Form) -> str:
    number = _number(option)
    text = str(number) if form.numeric and not form.old else names.protocol_name(number)
    return f"{_bang(option)}{text:<4} "


def _number(option: Option | None) -> int:
    return 0 if option is None else names.protocol_number(option.values[0])


def _bang(option: Option | None) -> str:
    return "!" if option is not None and option.negated else " "


def _device(option: Option | None, every: str) -> str:
    if option is None or option.values[0] == "+":
        return every
    return f"{'!' if option.negated else ''}{option.values[0]}"


def _block(option: Option | None, form: Form) -> str:
    text = option.values[0] if option is not None else "0.0.0.0/0" if form.family == 4 else "::/0"
    return f"{_bang(option)}{names.block_text(text, numeric=form.numeric):<19}"


def _texts(rule: Rule, form: Form, proto: int) -> str:
    """What the matches and the target say of themselves, each with the blank before it."""
    text = "".join(
        shown(match.module, match.options, numeric=form.numeric, proto=proto)
        for match in rule.matches
        if match.module != "ip"
    )
    said = _target_text(rule.target, form) if rule.target is not None else ""
    return text + (f" {said}" if said else "")


def _target_text(target: Target, form: Form) -> str:
    if target.act is None and not target.why:
        return ""
    extension = EXTENSIONS.get(target.name)
    if extension is None or extension.show is None or any(one.name not in extension.arity for one in target.options):
        return raw(target.options)
    return extension.show(target.options, form.numeric)


def raw(options: Iterable[Option]) -> str:
    """Options as they were written: how an extension is listed whose own form is not known.

    Example:
        >>> raw([Option("--mode", ("a b",), negated=True, column=1)])
        '! --mode "a b"'
    """
    texts = []
    for option in options:
        given = (f'"{one}"' if " " in one else one or quote(one) for one in option.values)
        texts.append(" ".join([*(["!"] if option.negated else []), option.name, *given]))
    return " ".join(texts)


def specification(table: Table, chain: str = "", number: int = 0, *, counters: bool = False) -> str:
    """What -S prints: of the whole table, of one chain, or of one rule (from 1) of a chain; `counters` as with -v."""
    chains = [one for one in chains_in_order(table) if not chain or one.name == chain]
    lines: list[str] = []
    if not number:
        for one in chains:
            kept = f" -c {one.packets} {one.bytes}" if counters and one.policy else ""
            lines.append(f"-P {one.name} {one.policy}{kept}" if one.policy else f"-N {one.name}")
    for one in chains:
        for place, rule in enumerate(one.rules, 1):
            if not number or place == number:
                lines.append(with_counters(rule) if counters else rule.text)
    return "".join(f"{line}\n" for line in lines)


def with_counters(rule: Rule) -> str:
    """A rule with its counters where -v puts them: before its target."""
    kept = f"-c {rule.packets} {rule.bytes}"
    at = next((place for place, word in enumerate(rule.words) if word.text in {"-j", "-g"}), len(rule.words))
    parts = [str(word) for word in rule.words]
    return " ".join([f"-A {rule.chain}", *parts[:at], kept, *parts[at:]])


def echo_line(rule: Rule, form: Form) -> str:
    """One rule as -v shows it when it is added or taken away."""
    asked = {match.options[0].name: match.options[0] for match in rule.matches if match.module == "ip"}
    protocol, fragment = asked.get("-p"), asked.get("-f")
    name = names.protocol_name(_number(protocol))
    opt = "--" if fragment is None else "!f" if fragment.negated else "-f"
    source, target = (_block(asked.get(option), form).rstrip() for option in ("-s", "-d"))
    devices = f"in {_device(asked.get('-i'), '*')} out {_device(asked.get('-o'), '*')}"
    text = f"{rule.target.name if rule.target is not None else ''} {_bang(protocol)}{name} opt {opt} {devices} "
    text += f"{source} {target[0]}-> {target[1:]}  {'[goto] ' if rule.goto else ''}"
    return text + _texts(rule, form, _number(protocol))
