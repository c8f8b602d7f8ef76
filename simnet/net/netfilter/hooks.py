"""The five hooks: which tables, conntrack and NAT run at each, in the kernel's order.

Models: include/uapi/linux/netfilter_ipv4.h (priorities), nf_conntrack_proto.c, nf_nat_proto.c (nf_nat_inet_fn), the
hooks of ip_vs_core.c, and the rerouting of changed own packets in nft_chain_route.c.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from ..packet import IcmpMessage
from ..skb import ESTABLISHED, RELATED, Skb
from ..step import ChainWalk, ConntrackStep, Drop, Hook, Rewrite, Step
from . import nat, tables
from .context import Context

if TYPE_CHECKING:
    from ..device import Device
    from ..namespace import NetNamespace

PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"

# what runs at each hook, in the order of priority; a name is a table. iptables-nft gives `security` priority 150, so
# that in INPUT it comes after nat (100); with the legacy tool it has 50 and comes before.
ORDER = {
    PREROUTING: ("raw", "conntrack", "mangle", "nat"),
    INPUT: ("mangle", "filter", "nat", "security", "confirm"),
    FORWARD: ("mangle", "filter", "security"),
    OUTPUT: ("raw", "conntrack", "mangle", "nat", "filter", "security"),
    POSTROUTING: ("mangle", "nat", "confirm"),
}

# the same where a namespace has IPVS services
ORDER_WITH_IPVS = {
    **ORDER,
    INPUT: ("mangle", "filter", "ipvs reply", "ipvs request", "nat", "security", "confirm"),
    FORWARD: ("mangle", "filter", "ipvs reply", "security"),
    OUTPUT: ("raw", "conntrack", "mangle", "nat", "ipvs reply", "ipvs request", "filter", "security"),
}

# answers a refused packet: with an ICMP code, or a TCP reset where it is None
Refusal = Callable[["NetNamespace", Skb, int | None, str], Generator[Step, None, None]]
Reroute = Callable[["NetNamespace", Skb], Generator[Step, None, bool]]
# what else runs at a hook: of the namespace, the hook and the packet; whether the packet goes on
Stage = Callable[["NetNamespace", str, Skb], Generator[Step, None, bool]]

_refuse: list[Refusal] = []
_stages: dict[str, Stage] = {}


def stage(name: str) -> Callable[[Stage], Stage]:
    """Register what runs at a hook under a name of its order (nf_register_net_hooks)."""

    def put(act: Stage) -> Stage:
        _stages[name] = act
        return act

    return put


def refusal(answer: Refusal) -> Refusal:
    """Register what answers packets that REJECT refused; the answer leaves once the hook is done."""
    _refuse[:] = [answer]
    return answer


def run(
    namespace: NetNamespace,
    hook: str,
    skb: Skb,
    indev: Device | None,
    outdev: Device | None,
    reroute: Reroute | None = None,
) -> Generator[Step, None, bool]:
    """Take a packet through a hook; returns whether it goes on.

    At OUTPUT, `reroute` is called where the packet was changed so that its route must be found anew; the hook's own
    idea of the outgoing device stays what it was.
    """
    if not namespace.filters_packets:
        return True
    yield Hook(namespace.place, skb.serial, skb.packet, hook, namespace.seen(indev), namespace.seen(outdev))
    c = Context(namespace, skb, skb.ip, hook, indev, outdev,
                indev.name if indev is not None else "", outdev.name if outdev is not None else "")  # fmt: skip
    for name in (ORDER_WITH_IPVS if namespace.ipvs.services else ORDER)[hook]:
        if name == "conntrack":
            going = yield from _track(namespace, skb)
        elif name == "confirm":
            going = yield from _confirm(namespace, skb)
        elif name == "nat":
            going = yield from _nat(c, reroute)
        elif name in _stages:
            going = yield from _stages[name](namespace, hook, skb)
        else:
            going = yield from _filter(c, name, reroute)
        for code in c.refusals:
            namespace.network.defer(_refuse[0](namespace, skb.clone(), code, hook))
        if not going:
            return False
        c.ip = skb.ip
    return True


def _track(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, bool]:
    if not namespace.tracks_connections:
        return True
    outcome = namespace.conntrack.track(skb)
    place, serial, packet = namespace.place, skb.serial, skb.packet
    if outcome == "full":
        yield ConntrackStep(place, serial, packet, "full", "", "")
        yield Drop(place, serial, packet, f"conntrack table full ({namespace.conntrack.maximum} entries)")
        return False
    state = "UNTRACKED" if skb.untracked else skb.state + (" reply" if skb.reply else "")
    yield ConntrackStep(place, serial, packet, "ignored" if outcome == "ignored" else "lookup", state,
                        str(skb.connection) if skb.connection is not None else "")  # fmt: skip
    return True


def _confirm(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, bool]:
    if not namespace.tracks_connections:
        return True
    outcome = namespace.conntrack.confirm(skb)
    if outcome is None:
        return True
    place, serial, packet = namespace.place, skb.serial, skb.packet
    yield ConntrackStep(place, serial, packet, "confirm", skb.state, str(skb.connection))
    if not outcome:
        yield Drop(place, serial, packet, "another connection with the same tuple was confirmed first")
    return outcome


def _filter(c: Context, name: str, reroute: Reroute | None) -> Generator[Step, None, bool]:
    table = c.namespace.ruleset.tables.get(name)
    chain = table.chains.get(c.hook) if table is not None else None
    if table is None or chain is None:
        return True
    before, mark = c.ip, c.skb.mark
    step = tables.walk(table, chain, c)
    yield step
    if step.verdict != "ACCEPT":
        yield _dropped(step, c)
        return False
    changed = (before.src, before.dst, before.tos, mark) != (c.ip.src, c.ip.dst, c.ip.tos, c.skb.mark)
    if name == "mangle" and changed and reroute is not None:
        return (yield from reroute(c.namespace, c.skb))
    return True


def _nat(c: Context, reroute: Reroute | None) -> Generator[Step, None, bool]:
    """The nat hook: rules for a connection's first packet only, then the rewriting of every packet."""
    skb, connection = c.skb, c.skb.connection
    table = c.namespace.ruleset.tables.get("nat")
    if table is None or connection is None:
        return True
    manip = nat.MANIP_AT[c.hook]
    error = skb.state == RELATED and isinstance(skb.ip.transport, IcmpMessage)
    if not error and skb.state != ESTABLISHED and manip not in connection.manip_done:
        chain = table.chains.get(c.hook)
        if chain is not None:
            step = tables.walk(table, chain, c)
            yield step
            if step.verdict != "ACCEPT":
                yield _dropped(step, c)
                return False
        nat.bind_null(c.namespace, skb, manip)
    if (
        c.hook == POSTROUTING
        and connection.masquerade_device
        and not skb.reply
        and c.outdev is not None
        and connection.masquerade_device != c.outdev.name
    ):
        c.namespace.conntrack.kill(connection)
        yield Drop(c.namespace.place, skb.serial, skb.packet, "a masqueraded connection changed its outgoing device")
        return False
    before = nat.translate(skb, manip)
    if before is None:
        return True
    yield Rewrite(c.namespace.place, skb.serial, skb.packet, manip, before)
    if c.hook == PREROUTING and before.dst != skb.ip.dst:
        skb.route = None
    if c.hook == OUTPUT and reroute is not None and before.dst != skb.ip.dst:
        return (yield from reroute(c.namespace, skb))
    return True


def _dropped(step: ChainWalk, c: Context) -> Drop:
    """The drop that a chain decided, with the rule or policy that did it."""
    place, serial, packet = step.place, step.serial, c.skb.packet
    where = f"{step.table} {step.chain}"
    if step.policy:
        return Drop(place, serial, packet, f"{where} policy {step.policy}")
    rule = step.hits[-1]
    refused = " (rejected)" if rule.verdict == "REJECT" else ""
    return Drop(place, serial, packet, f"{where} rule {rule.chain} {rule.number}{refused}: {rule.text}", rule)
