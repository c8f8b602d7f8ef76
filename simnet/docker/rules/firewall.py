"""The engine's hand on iptables: puts the rules of a layout in, takes them out, and knows why each is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simnet.docker.rules.layout import ChainTemplate, Fact, Facts, Layout, Policy, Template, holds
from simnet.errors import UnknownName
from simnet.net.netfilter.rule import BASE_CHAINS, Chain, Rule, Ruleset, Table
from simnet.net.netfilter.save import parse_rule

Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a rule comes from: its name, what it came with, the options that caused it, and why it exists.

    Example:
        >>> print(Provenance("icc-drop", "network n1", "containers do not talk", (("icc", False),), "28.5.2"))
        containers do not talk (icc-drop of engine 28.5.2, with network n1; icc: false)
    """

    name: str
    subject: str
    why: str
    options: tuple[tuple[str, Fact], ...]
    engine: str

    def __str__(self) -> str:
        """One line that a person can read."""
        asked = ", ".join(
            f"{name}: {str(fact).lower() if isinstance(fact, bool) else fact}" for name, fact in self.options
        )
        return f"{self.why} ({self.name} of engine {self.engine}, with {self.subject}{'; ' if asked else ''}{asked})"


@dataclass(slots=True)
class _Known:
    """What the engine knows of a chain: its rules by their text, as they were at a version of it."""

    chain: Chain | None = None
    version: int = -1
    rules: dict[str, Rule] = field(default_factory=dict)


@dataclass(slots=True)
class Firewall:
    """The rule sets of a host by family (4, 6), as one layout fills them in the families that the engine manages.

    Others may change the same rules: like `iptables -C` before `-A`, the engine looks at what stands there.
    """

    layout: Layout
    families: tuple[int, ...]
    rulesets: dict[int, Ruleset] = field(default_factory=lambda: {4: Ruleset(), 6: Ruleset()})
    _known: dict[Place, _Known] = field(default_factory=dict, repr=False)
    _origins: dict[Place, dict[str, Provenance]] = field(default_factory=dict, repr=False)
    _asked: dict[str, list[tuple[Place, str]]] = field(default_factory=dict, repr=False)

    def set_up(self, facts: Mapping[int, Facts], section: str = "chains") -> None:
        """Make the chains of a section in the families of `facts`, and set policies where the engine starts."""
        for family in facts:
            for chain in self.layout.chains[section]:
                if holds(chain.when, facts[family]):
                    self._table(family, chain.table).chains.setdefault(chain.chain, Chain(chain.chain))
                    self._explain(family, chain, f"-N {chain.chain}", facts[family])
            for policy in self.layout.policies if section == "chains" else ():
                if holds(policy.when, facts[family]):
                    self._table(family, policy.table).chains[policy.chain].policy = policy.policy
                    self._explain(family, policy, f"-P {policy.chain} {policy.policy}", facts[family])

    def _explain(self, family: int, made: ChainTemplate | Policy, line: str, facts: Facts) -> None:
        """Say why a chain or a policy is there."""
        options = tuple({name: facts[name] for test in made.when for name, _ in test}.items())
        name = f"{made.table} {made.chain}"
        origin = Provenance(name, "the engine", made.why, options, self.layout.engine)
        self._origins.setdefault((family, made.table, made.chain), {})[line] = origin

    def install(self, section: str, subject: str, family: int, facts: Facts, words: Mapping[str, str],
                *, has_subnet: bool = True) -> None:  # fmt: skip
        """Put in the rules of a section for one thing (`subject`) in one family; `NoChain` where a chain is gone."""
        if family not in self.families:
            return
        for template in self.layout.sections[section]:
            if (has_subnet or template.without_subnet) and holds(template.when, facts):
                self._put(template, subject, family, facts, words)

    def remove(self, subject: str) -> None:
        """Take out the rules that came with a thing, where they still stand."""
        for place, text in self._asked.pop(subject, ()):
            self._take(place, text)

    def why(self, rule: Rule) -> Provenance:
        """Where a rule comes from; UnknownName where the engine did not install it."""
        found = self.origin(rule.text)
        if found is None:
            known = (text for origins in self._origins.values() for text in origins)
            raise UnknownName("rule of the engine's", rule.text, known)
        return found

    def origin(self, text: str, table: str = "") -> Provenance | None:
        """Where a line of `iptables -S` (`-A …`, `-N CHAIN`, `-P CHAIN DROP`) comes from; None if not the engine's."""
        places = (place for place, origins in self._origins.items() if text in origins and table in {"", place[1]})
        return next((self._origins[place][text] for place in places), None)

    def _put(self, template: Template, subject: str, family: int, facts: Facts, words: Mapping[str, str]) -> None:
        table = self._table(family, template.table)
        text = template.text(facts, words)
        place = (family, template.table, template.chain)
        chain = table.chains.get(template.chain)
        full = f"-A {template.chain} {text}"
        if chain is None:
            raise NoChain(family, template.table, full)
        known = self._look(place, chain)
        standing = known.rules.get(full)
        if not template.keeps:
            self._asked.setdefault(subject, []).append((place, full))
        if standing is not None and template.place != "top":
            return
        if standing is not None:
            chain.delete(_position(chain, standing))
            chain.insert(0, standing)
        else:
            rule = parse_rule(table, template.chain, text, f"engine {self.layout.engine}: {template.name}")
            chain.insert(len(chain.rules) if template.place == "append" else 0, rule)
            known.rules[full] = rule
        came_with = "the engine" if template.keeps else subject
        origin = Provenance(template.name, came_with, template.why, template.tested(facts), self.layout.engine)
        self._origins.setdefault(place, {}).setdefault(full, origin)
        known.version = chain.version

    def _take(self, place: Place, text: str) -> None:
        family, table, name = place
        self._origins.get(place, {}).pop(text, None)
        chain = self.rulesets[family].tables[table].chains.get(name)
        if chain is None:
            return
        known = self._look(place, chain)
        found = known.rules.pop(text, None)
        if found is not None:
            chain.delete(_position(chain, found))
            known.version = chain.version

    def _look(self, place: Place, chain: Chain) -> _Known:
        """What stands in a chain; read anew where somebody else has changed it."""
        known = self._known.setdefault(place, _Known())
        if known.chain is not chain or known.version != chain.version:
            known.rules = {rule.text: rule for rule in reversed(chain.rules)}
            known.chain, known.version = chain, chain.version
        return known

    def _table(self, family: int, name: str) -> Table:
        tables = self.rulesets[family].tables
        if name not in tables:
            tables[name] = Table(name, {chain: Chain(chain, "ACCEPT") for chain in BASE_CHAINS[name]})
        return tables[name]


class NoChain(Exception):
    """A chain that the engine puts rules into is gone: somebody deleted it. `command` is what the engine ran."""

    def __init__(self, family: int, table: str, rule: str) -> None:
        """Say what was to be done where."""
        self.command = f"ip{'6' if family == 6 else ''}tables --wait -t {table} {rule}"
        super().__init__(self.command)


def _position(chain: Chain, rule: Rule) -> int:
    return next(at for at, one in enumerate(chain.rules) if one is rule)
