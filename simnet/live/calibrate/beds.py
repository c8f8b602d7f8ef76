"""The networks that are measured on: hosts of a scenario, with the rules, settings and tunnels that a path meets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from simnet.net.address import Prefix, parse_ip
from simnet.net.device import InterfaceAddress, Vxlan, made_mac
from simnet.net.devinet import add_address
from simnet.net.netfilter import save
from simnet.net.network import Network
from simnet.scenario.source import read_source

PLAIN = "models/calibrate/plain.yaml"
# the ends of a bare tunnel: the place, its address inside, and the other place's outside
_TUNNEL = (("wan", "10.77.0.1", "192.0.2.2"), ("h1", "10.77.0.2", "192.0.2.1"))
_VNI, _PORT, _INNER_MTU = 77, 4789, 1450


@dataclass(frozen=True)
class Bed:
    r"""Hosts of a scenario, what `commands` of a lab add, and the rules that h1 has.

    `rules` (an iptables-save dump) take the place of its own, `inserted` lines come before those in FORWARD. `backend`
    is the iptables that loads them. With a `tunnel`, there is a VXLAN between h1 and wan.

    Example:
        >>> dump = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i eth9 -j DROP\nCOMMIT\n"
        >>> [str(rule) for rule in Bed(PLAIN, rules=dump).network.find("h1").ruleset.rules()]
        ['-A FORWARD -i eth9 -j DROP']
    """

    file: str
    backend: str = "legacy"
    commands: tuple[str, ...] = ()
    rules: str = ""
    inserted: tuple[str, ...] = ()
    tunnel: bool = False

    @property
    def network(self) -> Network:
        """The model of it; equal beds have one."""
        return _built(self)


@cache
def _built(bed: Bed) -> Network:
    lab = read_source(bed.file).open()
    for command in bed.commands:
        answer = lab.run(command)
        assert not answer.code, answer
    network = lab.network
    host = network.find("h1")
    if bed.rules:
        host.load_rules(save.parse(bed.rules))
    if bed.inserted:
        before, rule, after = save.dump(host.ruleset, counters=False).partition("-A FORWARD")
        host.load_rules(save.parse(before + "\n".join((*bed.inserted, rule)) + after))
    if bed.tunnel:
        _dig(network)
    return network


def _dig(network: Network) -> None:
    """Lay a VXLAN tunnel between two machines, as `ip link add type vxlan` does in each."""
    ends = [network.find(place) for place, _, _ in _TUNNEL]
    macs = [made_mac(f"{end.place}:vx0") for end in ends]
    for number, (end, (_, address, remote)) in enumerate(zip(ends, _TUNNEL, strict=True)):
        tunnel = Vxlan("vx0", end.new_index(), macs[number], _INNER_MTU, vni=_VNI, port=_PORT, underlay=end)
        end.add(tunnel)
        end.tunnels[_PORT, _VNI] = tunnel
        add_address(tunnel, InterfaceAddress(parse_ip(address), Prefix.parse("10.77.0.0/24").length))
        tunnel.fdb[macs[1 - number]] = [parse_ip(remote)]
        end.neighbours["vx0", parse_ip(_TUNNEL[1 - number][1])] = macs[1 - number]
