"""A layout: the rules that some releases of the engine install, as `models/docker/*.yaml` hold them.

A template belongs to a section (`daemon`, `network`, `endpoint`, `port`, `link`, `ingress`, `ingress_port`): its rules
are installed whenever such a thing comes to be. `when` holds plain tests of facts about it; a list of them means that
one must hold.

Example:
    >>> template = Template("outgoing", "filter", "FORWARD", (Piece("-i {bridge} -j ACCEPT"),), "append", "out")
    >>> template.text({"family": 4}, {"bridge": "docker0"})
    '-i docker0 -j ACCEPT'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fact = str | int | bool
Facts = Mapping[str, Fact]
# one test: the fact's name and what it may be
When = tuple[tuple[str, tuple[Fact, ...]], ...]

SECTIONS = ("daemon", "network", "trusted", "endpoint", "port", "link", "ingress", "ingress_port")
CHAIN_SECTIONS = ("chains", "ingress_chains")

# facts that a `when` may ask for, with what each may be (None: any text)
MODES = ("nat", "nat-unprotected", "routed", "isolated")
FACTS: dict[str, tuple[Fact, ...] | None] = {
    "family": (4, 6),
    "userland_proxy": (True, False),
    "ip_forward": (True, False),
    "host_forwards": (True, False),
    "allow_direct_routing": (True, False),
    "ingress": (True, False),
    "icc": (True, False),
    "masquerade": (True, False),
    "internal": (True, False),
    "snat": (True, False),
    "gateway_mode": MODES,
    "proto": ("tcp", "udp", "sctp"),
    "mapped": (True, False),
    "one_address": (True, False),
    "loopback": (True, False),
}

# names that a rule's words may hold in braces
PLACES = (
    "family", "loopback", "icmp", "bridge", "subnet", "snat_address", "address", "host_address", "host_port", "port",
    "proto", "target", "parent", "child", "interface",
)  # fmt: skip

# names of the things in which engines differ beside their rules, with what each means
FEATURES = {
    "rotates_pools": "the next network takes the pool after the last one taken, not the first free one",
    "port_order_by_host": "published ports are programmed from the highest down",
    "gateway_mode": "knows com.docker.network.bridge.gateway_mode_ipv4",
    "gw_priority": "knows gw-priority",
    "internal_before_gwbridge": "a container on overlay and internal networks has its way out on the internal one",
    "tries_next_port": "takes the next port of a range where a process of the host has one",
    "one_network": "takes one network when a container is made",
    "checks_addresses_first": "refuses a fixed address outside the subnets before it makes the container",
    "fixed_cidr_is_subnet": "without --bip, --fixed-cidr is the subnet of the default bridge, not its ip-range alone",
    "one_network_a_parent": "refuses a macvlan network on a parent that another one has",
    "masked_subnets": "refuses a subnet with host bits",
    "allow_direct_routing": "knows --allow-direct-routing",
    "mac_from_address": "makes a container's hardware address of its IPv4 address",
    "veth_in_sandbox": "makes a container's interface in its own namespace, not in the host's",
    "counts_interfaces": "names interfaces by a counter that only grows, not by the lowest free number",
    "internal_way_out": "gives a container on internal networks alone a default route all the same",
    "answers_from_asked_address": "docker-proxy answers UDP from the address that was asked",
    "bridges_in_ipset": "keeps the subnets of networks that are not internal in an ipset, which its rules ask",
    "firewall_backend": "knows --firewall-backend",
    "older_client": "its docker command ends errors with a full stop and `See … --help`, and links only user networks",
    "silent_default": "takes --ip and --network-alias without --network, and leaves them alone",
    "plain_add_host": "takes --add-host as NAME:ADDRESS only, without brackets",
    "refuses_mac_of_shared_network": "refuses --mac-address where the network is the host's or another container's",
    "checks_ipc_at_start": "refuses an unknown --ipc when the container is started, not when it is made",
    "no_dns_for_made_names": "DNS does not know containers by a name that the engine made up",
    "zeros_in_hosts": "writes fe00::0 and ff00::0 in /etc/hosts",
    "forgets_names_of_network": "a container that leaves a network loses lines of /etc/hosts with names known there",
    "copies_resolv_conf": "copies the host's resolv.conf, and writes a short one where options differ from it",
    "rebuilds_hosts": "a linking container that comes back to the default bridge has its /etc/hosts written anew",
    "asks_from_host": "the embedded DNS server asks the host's name servers from the host's namespace",
}


def holds(when: tuple[When, ...], facts: Facts) -> bool:
    """Whether one of the tests holds; no test holds always.

    Example:
        >>> holds(((("icc", (False,)),),), {"icc": False}), holds((), {})
        (True, True)
    """
    return not when or any(all(facts.get(name) in wanted for name, wanted in test) for test in when)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a rule, and when they stand in it."""

    words: str
    when: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """One rule of a section: where it stands, its pieces, how it is put in, why it exists, and when.

    `place`: `append` and `insert` (at the top) do nothing where the chain holds the rule already; `top` moves it there.
    `keeps`: the rule stays when the thing that it came with goes. `without_subnet`: installed in both families,
    also for a network that has no subnet of that family.
    """

    name: str
    table: str
    chain: str
    pieces: tuple[Piece, ...]
    place: str
    why: str
    when: tuple[When, ...] = ()
    keeps: bool = False
    without_subnet: bool = False

    def text(self, facts: Facts, words: Mapping[str, str]) -> str:
        """The rule as iptables-save writes it, without `-A CHAIN`."""
        return " ".join(piece.words.format_map(words) for piece in self.pieces if holds(piece.when, facts))

    def tested(self, facts: Facts) -> tuple[tuple[str, Fact], ...]:
        """The facts on which the rule depends, as they were: the options that caused it."""
        tests = [*self.when, *(test for piece in self.pieces for test in piece.when)]
        return tuple({name: facts[name] for test in tests for name, _ in test if name in facts}.items())


@dataclass(frozen=True, slots=True)
class ChainTemplate:
    """A chain that the engine makes, and why."""

    table: str
    chain: str
    why: str
    when: tuple[When, ...] = ()

    @property
    def name(self) -> str:
        """What a layout that extends another calls it by."""
        return f"{self.table} {self.chain}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that the engine sets on a base chain when it starts, and why."""

    table: str
    chain: str
    policy: str
    why: str
    when: tuple[When, ...] = ()

    @property
    def name(self) -> str:
        """What a layout that extends another calls it by."""
        return f"{self.table} {self.chain} {self.when}"


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is known of some releases of the engine: rules, chains, policies, messages, features."""

    engine: str
    first: str
    last: str
    sections: Mapping[str, tuple[Template, ...]] = field(repr=False)
    chains: Mapping[str, tuple[ChainTemplate, ...]] = field(repr=False)
    policies: tuple[Policy, ...] = field(repr=False)
    messages: Mapping[str, str] = field(repr=False)
    features: frozenset[str] = frozenset()
    defaults: Mapping[str, bool] = field(default_factory=dict)

    def say(self, kind: str, **words: object) -> str:
        """A message of the engine's with its gaps filled."""
        return self.messages[kind].format_map({name: str(value) for name, value in words.items()})
