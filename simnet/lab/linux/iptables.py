"""iptables, iptables-save and iptables-restore over a namespace's rules; ip6tables shows those of IPv6.

Models: iptables 1.8.9 (nf_tables); the commands themselves are in `simnet.net.iptables`.
Leaves out: changes by ip6tables, the two lines with the date that iptables-save writes about each table, and that
nf_tables counts nothing for the policy of a chain whose policy no one set.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.iptables import command
from simnet.net.iptables.listing import chains_in_order
from simnet.net.iptables.restore import restore
from simnet.net.netfilter.rule import BASE_CHAINS, Chain, Ruleset, Table
from simnet.net.netfilter.save import dump

from .ending import Ending, unmodelled
from .place import Place

_SHOWS = ("-S", "-L", "--list", "--list-rules", "-V", "--version")


def iptables(place: Place, words: list[str], _stdin: str) -> Answer:
    """`iptables COMMAND …`."""
    done = command.run(place.namespace.ruleset, words)
    place.namespace.rules_changed()
    return Answer(done.out, done.err, done.code)


def ip6tables(place: Place, words: list[str], _stdin: str) -> Answer:
    """`ip6tables -S` and `-L`."""
    shows = any(word.startswith(_SHOWS) or (word[:1] == "-" != word[1:2] and set(word) & set("LS")) for word in words)
    if not shows:
        raise unmodelled("ip6tables", " ".join(["ip6tables", *words]))
    done = command.run(place.ruleset6, words, family=6)
    return Answer(done.out, done.err, done.code)


def iptables_save(place: Place, words: list[str], _stdin: str) -> Answer:
    """`iptables-save [-c] [-t TABLE]`."""
    table, counters, given = "", False, list(words)
    while given:
        word = given.pop(0)
        if word in {"-c", "--counters"}:
            counters = True
        elif word in {"-t", "--table"} and given:
            table = given.pop(0)
        elif word.startswith("--table="):
            table = word.partition("=")[2]
        elif word in {"-V", "--version"}:
            return Answer(f"iptables-save {command.VERSION}\n")
        elif word in {"-f", "--file", "-M", "--modprobe", "-d", "--dump", "-h", "--help"}:
            raise unmodelled("iptables-save", f"iptables-save {word}")
        else:
            raise _invalid("iptables-save", word)
    rules = place.namespace.ruleset
    if table:
        if table not in BASE_CHAINS:
            raise Ending(f"Table `{table}' does not exist")
        bases = Table(table, {name: Chain(name, "ACCEPT") for name in BASE_CHAINS[table]})
        rules = Ruleset({table: rules.tables.get(table, bases)})
    return Answer(dump(_in_order(rules), counters=counters))


def _in_order(rules: Ruleset) -> Ruleset:
    """The same rules, each table's chains as the command lists them: base chains by hook, then the others by name."""
    return Ruleset({
        name: Table(name, {chain.name: chain for chain in chains_in_order(table) if chain.name in table.chains})
        for name, table in rules.tables.items()
    })  # fmt: skip


def _invalid(tool: str, word: str) -> Ending:
    """What getopt_long says of an option, and what the tool adds."""
    what = f"unrecognized option '{word}'" if word.startswith("--") else f"invalid option -- '{word[1:2]}'"
    if not word.startswith("-"):
        return Ending("Unknown arguments found on commandline")
    return Ending(f"{tool}: {what}\nLook at manual page `{tool}.8' for more information.")


def iptables_restore(place: Place, words: list[str], stdin: str) -> Answer:
    """`iptables-restore [-n] [-c]`, with the rules on standard input."""
    known = {"-n": "n", "--noflush": "n", "-c": "c", "--counters": "c", "-w": "w", "--wait": "w", "-v": "v"}
    for word in words:
        if word not in known:
            raise unmodelled("iptables-restore", f"iptables-restore {word}")
    asked = {known[word] for word in words}
    done = restore(place.namespace.ruleset, stdin, noflush="n" in asked, counters="c" in asked)
    place.namespace.rules_changed()
    return Answer(done.out, done.err, done.code)
