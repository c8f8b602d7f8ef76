"""Where a command runs: one namespace, and what its machine or container has besides a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simnet.net.address import parse_ip
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter.rule import Ruleset


def _nobody(_name: str) -> list[int]:
    return []


@dataclass(eq=False, slots=True)
class Place:
    """A namespace with a hostname, what knows other names, the IPv6 rules, and small files by path.

    `resolve` gives the IPv4 addresses of a name, or none.

    Example:
        >>> from simnet.net.network import Network
        >>> place = Place(Network().namespace("h1/host"), "h1", files={"/etc/hosts": "127.0.0.1 localhost"})
        >>> place.look_up("localhost"), place.look_up("10.0.0.1"), place.look_up("web")
        ([2130706433], [167772161], [])
    """

    namespace: NetNamespace
    hostname: str = "localhost"
    resolve: Callable[[str], list[int]] = _nobody
    files: Mapping[str, str] = field(default_factory=dict)
    ruleset6: Ruleset = field(default_factory=Ruleset)

    def look_up(self, name: str) -> list[int]:
        """The addresses of a name as getaddrinfo finds them: written out, in /etc/hosts, by the resolver."""
        try:
            return [parse_ip(name)]
        except ValueError:
            return self.in_hosts(name) or self.resolve(name)

    def names_of(self, text: str) -> list[str]:
        """The names that /etc/hosts has for an address as it is written there."""
        lines = [line.partition("#")[0].split() for line in self.files.get("/etc/hosts", "").splitlines()]
        return next((words[1:] for words in lines if words[:1] == [text]), [])

    def in_hosts(self, name: str) -> list[int]:
        """The IPv4 addresses of a name in /etc/hosts."""
        lines = [line.partition("#")[0].split() for line in self.files.get("/etc/hosts", "").splitlines()]
        return [parse_ip(words[0]) for words in lines if name in words[1:] and ":" not in words[0]]
