"""A trace as text: one line a step, indented by namespace, as one would put it on a slide.

Run it by itself to see one: `python -m simnet.draw.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from simnet.net.conversation import Trace
from simnet.net.packet import ACK, SYN, Arp, Ip, IPv4, TcpSegment
from simnet.net.step import (
    Balance,
    ChainWalk,
    ConntrackStep,
    Crossing,
    Drop,
    HandOver,
    Hook,
    NeighbourStep,
    Origin,
    Rewrite,
    RouteStep,
    Step,
)
from simnet.scenario.question import Answer, Doubt, outcome

_HEARD = {"P": "  P: for another hardware address than its own", "B": "  broadcast", "M": "  multicast"}


# says of a rule at a place, in a table, what caused it
Why = Callable[[str, str, str], str]


def render(answer: Answer, *, everything: bool = False, why: Why | None = None) -> str:
    """The whole answer: the outcome, the packets, the rules that it hangs on, the totals.

    Step by step are shown the first packet of each way of each connection, or `everything`. With `why` each rule of an
    engine's is followed by what caused it.
    """
    trace = answer.trace
    lines = [_headline(answer), ""]
    shown: set[tuple[str, ...]] = set()
    number = 0
    for steps in trace.packets():
        packet = steps[0].packet
        if isinstance(packet, Arp):
            continue
        number += 1
        key = _sort_of(packet)
        lines.append(_packet_line(number, steps))
        if everything or key not in shown:
            lines += [f"     {line}" for line in _steps(steps, why)]
            lines.append("")
        shown.add(key)
    lines += _reason(trace)
    for doubt in answer.doubts:
        lines += _doubt(doubt)
    lines.append(_totals(trace))
    return "\n".join(lines)


def _headline(answer: Answer) -> str:
    trace = answer.trace
    colour = "green" if trace.verdict == "reply" else "red"
    line = click.style(str(trace.probe), bold=True) + " → " + click.style(trace.verdict, fg=colour, bold=True)
    if trace.server_saw:
        line += f": the server at {trace.served_at} saw {trace.server_saw}"
    elif trace.errno:
        line += f" ({trace.errno})"
    others = [str(one) for one in answer.outcomes[1:]]
    if others:
        line += click.style(f" — or {', or '.join(others)}: it hangs on an undecided rule, see below", fg="yellow")
    elif not answer.followed:
        line += click.style(" — perhaps: more undecided rules were met than could be followed", fg="yellow")
    return line


def _sort_of(packet: Ip) -> tuple[str, ...]:
    """Packets of one sort are shown in full once: the first SYN, the first SYN ACK, a datagram of each direction."""
    transport = packet.transport
    ends = str(packet.src), str(packet.dst), str(packet.sport), str(packet.dport), packet.proto_name
    if isinstance(transport, TcpSegment):
        return (*ends, "open" if transport.flags & SYN or not transport.flags & ACK else "later")
    return (*ends, str(transport))


def _packet_line(number: int, steps: list[Step]) -> str:
    packet = steps[0].packet
    by = next((step.by for step in steps if isinstance(step, Origin)), "")
    assert isinstance(packet, IPv4)
    ending = next((step for step in reversed(steps) if isinstance(step, Drop) and not step.other_host), None)
    line = click.style(f"{number:3}  {packet}", bold=True) + f"   {packet.length} bytes"
    if by:
        line += f", from {by} at {steps[0].place}"
    return line + (click.style(f"   ✗ {ending.place}: {ending.reason}", fg="red") if ending is not None else "")


def _steps(steps: list[Step], why: Why | None) -> Iterator[str]:
    """The steps of a packet, under the name of the namespace that they happen in."""
    place = ""
    for step in steps:
        if isinstance(step, Origin | HandOver) or (isinstance(step, ConntrackStep) and step.action == "ignored"):
            continue
        if step.place != place:
            place = step.place
            yield click.style(place, fg="cyan")
        for line in _step_lines(step, why):
            yield f"  {line}"


def _step_lines(step: Step, why: Why | None) -> Iterator[str]:
    if isinstance(step, Crossing):
        device = click.style(step.device, fg="blue")
        yield f"{device} →" if step.direction == "Out" else f"→ {device}{_HEARD.get(step.direction, '')}"
    elif isinstance(step, Hook):
        yield click.style(str(step).removeprefix("hook "), dim=True)
    elif isinstance(step, ChainWalk):
        yield from (f"  {line}" for line in _chain(step, why))
    elif isinstance(step, ConntrackStep):
        if step.action != "confirm":
            yield f"  conntrack  {step.state}"
    elif isinstance(step, Rewrite | Balance):
        yield click.style(f"  {step}", fg="magenta")
    elif isinstance(step, Drop):
        yield click.style(f"✗ {step.reason}", fg="red", bold=True)
    elif isinstance(step, RouteStep | NeighbourStep):
        yield str(step)
    else:
        yield str(step)


def _chain(walk: ChainWalk, why: Why | None) -> Iterator[str]:
    """A base chain: each matched rule with its chain and number, then what decided."""
    name = click.style(f"{walk.table:9}", fg="yellow")
    if not walk.hits and walk.policy == "ACCEPT":
        compared = f"{walk.evaluated} compared, none matched" if walk.evaluated else "empty"
        yield f"{name}  {walk.chain}: {compared}, policy {walk.policy}"
        return
    width = max((len(f"{hit.chain} {hit.number}") for hit in walk.hits), default=0)
    for index, hit in enumerate(walk.hits):
        where = f"{hit.chain} {hit.number}"
        text = hit.text.removeprefix(f"-A {hit.chain}").strip()
        yield f"{name if index == 0 else ' ' * 9}  {where:{width}}  {text}"
        reason = why(walk.place, walk.table, hit.text) if why is not None else ""
        if reason:
            yield click.style(f"{' ' * 9}  {' ' * width}    {reason}", dim=True)
    if walk.policy:
        yield f"{name if not walk.hits else ' ' * 9}  {walk.chain} policy {walk.policy}"


def _reason(trace: Trace) -> list[str]:
    drop = trace.dropped_by()
    if drop is None and not trace.steps and trace.errno:
        return [click.style(f"no packet left {trace.probe.frm}: the program got {trace.errno}", fg="red", bold=True)]
    if drop is None:
        return []
    return ["", click.style(f"ended at {drop.place}: {drop.reason}", fg="red", bold=True)]


def _doubt(doubt: Doubt) -> list[str]:
    """An undecided rule: what comes of it, and how to find out."""
    rule = doubt.rule
    where = f"undecided at {doubt.place}: {rule.table} {rule.chain} {rule.number}: {rule.text}"
    lines = ["", click.style(where, fg="yellow"), f"  {rule.why}"]
    if doubt.matters:
        lines.append(f"  if it matches: {outcome(doubt.if_match)}; if not: {outcome(doubt.if_not)}")
    else:
        lines.append(f"  either way: {outcome(doubt.if_not)}")
    lines.append(f"  to settle it, see whether its counter rises: {doubt.settle}")
    lines.append(f"  to fix it here: --let {doubt.key}=match (or =no-match)")
    return lines


def _totals(trace: Trace) -> str:
    totals = trace.totals()
    parts = [
        f"{totals.packets} packets",
        f"{totals.hops} hops",
        f"{totals.namespaces} namespaces",
        f"{totals.hooks} hooks",
        f"{totals.rules_evaluated} rules compared",
        f"{totals.rules_matched} matched",
        f"{totals.conntrack_lookups} conntrack look-ups",
    ]
    return "\n" + click.style("total  ", bold=True) + " · ".join(parts)


if __name__ == "__main__":
    from simnet.net.address import parse_ip
    from simnet.net.conversation import Probe
    from simnet.scenario.question import Listen, ask
    from simnet.scenario.source import open_source

    example = ask(
        lambda: open_source("scenarios/snapshots/seed-modes-28.5"),
        Probe("wan", parse_ip("192.0.2.2"), 2222),
        (Listen.parse("h1/csphere-nat2:tcp:0.0.0.0:22"),),
    )
    click.echo(render(example))
