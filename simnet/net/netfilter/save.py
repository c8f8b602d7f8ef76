"""iptables-save text in and out, without loss.

`parse` reads a dump into a `Ruleset` or says where it is wrong; `dump` writes it back. Comments and the date lines of
iptables-save are not kept; counters, order, unknown modules and quoting are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import RulesError, nearest
from . import check, values
from .matches import GENERIC, MODULES, undecided
from .rule import BASE_CHAINS, Chain, Match, Option, Rule, Ruleset, Table, Word
from .targets import EXTENSIONS, UNMODELLED, VERDICTS, Target

_BARE_WORD = re.compile(r"[^ ]+")
_WORD = re.compile(r"""[ \t]*((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^ \t"'])+|(?=["']))""")
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"']+""")
_COUNTERS = re.compile(r"\[(\d{1,20}):(\d{1,20})\]", re.ASCII)
_LONG = {"--source": "-s", "--src": "-s", "--destination": "-d", "--dst": "-d", "--in-interface": "-i",
         "--out-interface": "-o", "--protocol": "-p", "--proto": "-p", "--fragment": "-f", "--match": "-m",
         "--jump": "-j", "--goto": "-g", "--append": "-A", "--set-counters": "-c"}  # fmt: skip
_IMPLIED = ("tcp", "udp", "icmp")


class _Line:
    """The words of one line, read one after another; it knows where it is, to say so."""

    def __init__(self, file: str, number: int, words: list[Word]) -> None:
        self.file, self.number, self.words, self.index = file, number, words, 0

    def more(self) -> bool:
        return self.index < len(self.words)

    def peek(self) -> str:
        """The next word's text; nothing for a quoted one, which is never an option or a `!`."""
        return self.words[self.index].text if self.more() and not self.words[self.index].quoted else ""

    def take(self, what: str) -> Word:
        if not self.more():
            column = self.words[-1].column + len(self.words[-1].text) if self.words else 1
            raise self.error(f"{what} is missing at the end of the line", column)
        self.index += 1
        return self.words[self.index - 1]

    def error(self, message: str, column: int = 0, hint: str = "") -> RulesError:
        return RulesError(message, file=self.file, line=self.number, column=column, hint=hint)


def split_words(text: str) -> list[Word]:
    """The words of a rule line, quotes removed; ValueError with the column where a quote is left open.

    Example:
        >>> [word.text for word in split_words('-m comment --comment "a b"')]
        ['-m', 'comment', '--comment', 'a b']
    """
    if not any(mark in text for mark in "\"'\t"):
        return [Word(found[0], found.start() + 1) for found in _BARE_WORD.finditer(text)]
    words: list[Word] = []
    at = 0
    while (found := _WORD.match(text, at)) is not None:
        start = found.start(1)
        if found.end(1) < len(text) and text[found.end(1)] in "\"'":
            raise ValueError(start + 1)
        quoted = any(mark in found[1] for mark in "\"'")
        words.append(Word(_PIECE.sub(_unquoted, found[1]), start + 1, quoted, found[1] if quoted else ""))
        at = found.end()
    return words


def _unquoted(piece: re.Match[str]) -> str:
    """A quoted piece of a word without its quotes; in quotes a backslash takes the next letter as it is."""
    return re.sub(r"\\(.)", r"\1", piece[0][1:-1]) if piece[0][0] in "\"'" else piece[0]


def parse(text: str, file: str = "iptables-save") -> Ruleset:
    r"""Read a dump; RulesError with file, line and column where it is wrong.

    Example:
        >>> rules = parse("*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n")
        >>> str(rules.tables["filter"].chains["INPUT"].rules[0])
        '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'
    """
    ruleset = Ruleset()
    table: Table | None = None
    number = 0
    for number, raw in enumerate(text.removesuffix("\n").split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("*"):
            table = _open_table(ruleset, line[1:], file, number)
        elif line == "COMMIT":
            if table is None:
                raise RulesError("COMMIT without a table", file=file, line=number, column=1)
            table = None
        elif table is None:
            raise RulesError(f"{line.split()[0]!r} stands outside a table", file=file, line=number, column=1,
                             hint="a dump begins with a line such as *filter")  # fmt: skip
        elif line.startswith(":"):
            _declare(table, line, file, number)
        else:
            _append(table, raw.removesuffix("\r"), file, number)
    if table is not None:
        raise RulesError(f"the dump ends inside table {table.name!r}", file=file, line=number,
                         hint="COMMIT is missing: was the file cut off?")  # fmt: skip
    for done in ruleset.tables.values():
        check.jumps(done, file)
    return ruleset


def _open_table(ruleset: Ruleset, name: str, file: str, number: int) -> Table:
    if name not in BASE_CHAINS:
        raise RulesError(f"no table {name!r}{nearest(name, BASE_CHAINS)}", file=file, line=number, column=2)
    return ruleset.tables.setdefault(name, Table(name))


def _declare(table: Table, line: str, file: str, number: int) -> None:
    """A line `:CHAIN POLICY [packets:bytes]`."""
    words = line[1:].split()
    if words and words[0] in VERDICTS:
        raise RulesError(f"no chain can be called {words[0]!r}", file=file, line=number, column=2)
    if len(words) < 2:
        raise RulesError("a chain's line is ':NAME POLICY [packets:bytes]'", file=file, line=number, column=1)
    name, policy = words[0], words[1]
    base = name in BASE_CHAINS[table.name]
    if (base and policy not in {"ACCEPT", "DROP", "-"}) or (not base and policy != "-"):
        raise RulesError(f"chain {name!r} cannot have policy {policy!r}", file=file, line=number,
                         column=line.find(policy) + 1)  # fmt: skip
    counters = _COUNTERS.fullmatch(words[2]) if len(words) > 2 else None
    if len(words) > 2 and counters is None:
        raise RulesError(f"counters {words[2]!r} are not [packets:bytes]", file=file, line=number,
                         column=line.find(words[2]) + 1)  # fmt: skip
    packets, count = map(int, counters.groups()) if counters else (0, 0)
    kept = table.chains.get(name)
    chain = Chain(name, ("ACCEPT" if policy == "-" else policy) if base else "", kept.rules if kept else [],
                  packets, count, number)  # fmt: skip
    table.chains[name] = chain


def _append(table: Table, raw: str, file: str, number: int) -> None:
    """A line `[packets:bytes] -A CHAIN …`."""
    try:
        words = split_words(raw)
    except ValueError as error:
        raise RulesError("a quote is left open", file=file, line=number, column=int(str(error))) from None
    packets = count = 0
    if words and (counters := _COUNTERS.fullmatch(words[0].text)):
        packets, count = map(int, counters.groups())
        words = words[1:]
    line = _Line(file, number, words)
    command = line.take("-A")
    if _LONG.get(command.text, command.text) != "-A":
        raise line.error(f"{command.text!r} is not a line of a dump", command.column,
                         hint="a rule begins with -A CHAIN")  # fmt: skip
    name = line.take("the chain's name")
    chain = table.chains.get(name.text)
    if chain is None:
        raise line.error(f"no chain {name.text!r} in table {table.name}{nearest(name.text, table.chains)}", name.column)
    rule = _rule(table, name.text, line)
    rule.packets, rule.bytes = packets or rule.packets, count or rule.bytes
    chain.rules.append(rule)


def parse_rule(table: Table, chain: str, text: str, file: str = "rule", number: int = 1) -> Rule:
    """One rule from the words that follow `-A CHAIN`.

    Example:
        >>> str(parse_rule(Table("filter", {"INPUT": Chain("INPUT", "ACCEPT")}), "INPUT", "-s 10.0.0.1/32 -j DROP"))
        '-A INPUT -s 10.0.0.1/32 -j DROP'
    """
    return _rule(table, chain, _Line(file, number, split_words(text)))


def _rule(table: Table, chain: str, line: _Line) -> Rule:
    start = line.index
    generic: list[Option] = []
    modules: list[tuple[str, list[Option], int]] = []
    target: Target | None = None
    goto, proto, packets, count = False, 0, 0, 0
    while line.more():
        negated = line.peek() == "!"
        if negated:
            line.take("!")
        word = line.take("an option")
        # a module's own option goes before a general one of the same name (-m policy --proto)
        of_module = any(_takes(module, word.text) for module, _, _ in modules)
        name = word.text if of_module else _LONG.get(word.text, word.text)
        if name == "-m":
            modules.append((line.take("the match's name").text, [], word.column))
        elif name in {"-j", "-g"}:
            if target is not None:
                raise line.error("a second target", word.column, hint="a rule has one -j or -g")
            goto = name == "-g"
            target = _target(table, line, goto=goto)
        elif name == "-c":
            packets, count = _counter(line), _counter(line)
        elif name in GENERIC.arity:
            option = _option(line, name, GENERIC.arity[name], word.column, negated=negated)
            generic.append(option)
            if name == "-p" and not option.negated:
                proto = _protocol(line, option)
        else:
            _module_option(line, modules, generic, word, negated=negated)
    matches = [_match(line, "ip", [option], proto) for option in generic]
    # however they are written, the kernel tries them in one order (ip_packet_match), which is that of `arity`
    matches.sort(key=lambda match: list(GENERIC.arity).index(match.options[0].name))
    matches += [_match(line, name, options, proto) for name, options, _ in modules]
    check.rule(table, chain, matches, target, line.error)
    return Rule(chain, tuple(line.words[start:]), tuple(matches), target, goto, packets, count, line.number)


def _takes(module: str, option: str) -> bool:
    known = MODULES.get(module)
    return known is not None and option.startswith("--") and option in known.arity


def _counter(line: _Line) -> int:
    word = line.take("a counter")
    if not (word.text.isascii() and word.text.isdigit() and len(word.text) <= 20):
        raise line.error(f"counter {word.text!r} is no number", word.column)
    return int(word.text)


def _protocol(line: _Line, option: Option) -> int:
    try:
        return values.protocol(option.values[0])
    except ValueError as error:
        raise line.error(f"{option.name}: {error}", option.column) from None


def _reason(error: Exception) -> str:
    return f"unknown value {error.args[0]!r}" if isinstance(error, KeyError) else str(error)


def _option(line: _Line, name: str, arity: int, column: int, *, negated: bool) -> Option:
    """One option and its values; the old spelling `--dport ! 80` counts as a negation."""
    if arity and line.peek() == "!":
        line.take("!")
        negated = not negated
    given = tuple(line.take(f"a value for {name}").text for _ in range(arity))
    return Option(name, given, negated, column)


def _module_option(
    line: _Line, modules: list[tuple[str, list[Option], int]], generic: list[Option], word: Word, *, negated: bool
) -> None:
    """An option of a match: of the last one that takes it, or of the one that `-p` implies; unknown ones are kept."""
    for name, options, _ in reversed(modules):
        module = MODULES.get(name)
        if module is not None and word.text in module.arity:
            options.append(_option(line, word.text, module.arity[word.text], word.column, negated=negated))
            return
    implied = next((option.values[0] for option in generic if option.name == "-p"), "")
    if implied in _IMPLIED and word.text in MODULES[implied].arity:
        modules.append((implied, [], word.column))
        _module_option(line, modules, generic, word, negated=negated)
        return
    if not modules or not word.text.startswith("-"):
        raise line.error(f"{word.text!r} is no option here", word.column, hint="is a -m NAME missing before it?")
    given = []
    while line.more() and not line.peek().startswith("-") and line.peek() != "!":
        given.append(line.take("a value").text)
    modules[-1][1].append(Option(word.text, tuple(given), negated, word.column))


def _match(line: _Line, name: str, options: list[Option], proto: int) -> Match:
    module = GENERIC if name == "ip" else MODULES.get(name)
    if module is None:
        return Match(name, tuple(options), undecided, f"match module {name!r} is not modelled")
    strange = [option for option in options if option.name not in module.arity and option.name not in module.loose]
    if strange:
        return Match(name, tuple(options), undecided, f"option {strange[0].name} of match {name!r} is not modelled")
    try:
        return Match(name, tuple(options), module.build(tuple(options), proto))
    except (ValueError, KeyError) as error:
        where = options[0] if options else Option(name, (), negated=False, column=0)
        raise line.error(f"{where.name}: {_reason(error)}", where.column) from None


def _target(table: Table, line: _Line, *, goto: bool) -> Target:
    word = line.take("the target's name")
    name = word.text
    if name in VERDICTS and not goto:
        verdict = VERDICTS[name]
        return Target(name, (), lambda _: verdict)
    if name in table.chains or goto:
        if name not in table.chains:
            raise line.error(_no_target(table, name), word.column)
        return Target(name)
    extension = EXTENSIONS.get(name)
    options = list(_target_options(line, extension.arity if extension else None))
    if extension is None:
        if name not in UNMODELLED:
            raise line.error(_no_target(table, name), word.column)
        return Target(name, tuple(options), None, f"target {name} is not modelled")
    strange = [option.name for option in options if option.name not in extension.arity]
    if strange:
        return Target(name, tuple(options), None, f"option {strange[0]} of target {name} is not modelled")
    try:
        return Target(name, tuple(options), extension.build({option.name: option for option in options}))
    except (ValueError, KeyError, StopIteration) as error:
        raise line.error(f"{name}: {_reason(error)}", word.column) from None


def _no_target(table: Table, name: str) -> str:
    known = [*table.chains, *VERDICTS, *EXTENSIONS, *UNMODELLED]
    return f"no chain or target {name!r} in table {table.name}{nearest(name, known)}"


def _target_options(line: _Line, arity: dict[str, int] | None) -> Iterator[Option]:
    """The options after `-j NAME`, up to the end or to an option of the rule itself."""
    while line.more() and line.peek() not in {"-m", "-s", "-d", "-i", "-o", "-p", "-c"}:
        word = line.take("an option")
        if arity is not None and word.text in arity:
            yield _option(line, word.text, arity[word.text], word.column, negated=False)
            continue
        if not word.text.startswith("-"):
            raise line.error(f"{word.text!r} is no option here", word.column)
        given = []
        while line.more() and not line.peek().startswith("-"):
            given.append(line.take("a value").text)
        yield Option(word.text, tuple(given), negated=False, column=word.column)


def dump(ruleset: Ruleset, *, counters: bool = True) -> str:
    r"""Write a rule set as `iptables-save -c` does (without `-c` where not `counters`).

    Example:
        >>> text = "*filter\n:INPUT ACCEPT [0:0]\n[1:60] -A INPUT -j DROP\nCOMMIT\n"
        >>> dump(parse(text)) == text
        True
    """
    lines: list[str] = []
    for table in ruleset.tables.values():
        lines.append(f"*{table.name}")
        chains = table.chains.values()
        lines += [f":{chain.name} {chain.policy or '-'} [{chain.packets}:{chain.bytes}]" for chain in chains]
        lines += [(f"[{r.packets}:{r.bytes}] " if counters else "") + r.text for r in table.rules()]
        lines.append("COMMIT")
    return "".join(line + "\n" for line in lines)
