r"""Claims of a source put to the test: each one tried with real conversations, and what stands against it.

Example:
    >>> from simnet.scenario.scenario_file import read
    >>> from simnet.scenario.build import build
    >>> text = "hosts: {h1: {containers: {web: {publish: '8080:80'}}}}\ncheck: {web: reachable from h1}"
    >>> plan = read(text, "a.yaml")
    >>> [str(finding.status) for finding in check(Source("a.yaml", lambda: build(plan), plan))]
    ['holds']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt

from simnet.docker.rules.version import numbers
from simnet.errors import UnknownName
from simnet.net.address import ip_text, is_loopback, parse_ip
from simnet.scenario import claims
from simnet.scenario.claims import Assertion
from simnet.scenario.plan import Claim
from simnet.scenario.source import Source

from .flows import Flow, Outcome, Study, Target

HOLDS, FAILS, SKIPPED = "holds", "fails", "skipped"
_COMPARISONS = {">=": ge, "<=": le, ">": gt, "<": lt, "==": eq, "": eq}
# an address of nobody's: what leads there is the way out
_ANYWHERE = parse_ip("203.0.113.9")
_CONDITION = re.compile(r"(>=|<=|>|<|==|)\s*(\d+(?:\.\d+){0,2})")


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, the sentence that was tried (`otherwise` under another engine), whether it holds, and what was seen."""

    claim: Claim
    sentence: str
    status: str
    seen: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`web: reachable from wan`."""
        return f"{self.claim.subject}: {self.sentence}"


def check(source: Source) -> Iterator[Finding]:
    """Try every claim of a source; SourceError where one names a place that is not there."""
    study = Study(source)
    for claim in source.claims:
        try:
            yield _tried(study, claim)
        except UnknownName as error:
            raise claim.origin.error(str(error)) from None


def _tried(study: Study, claim: Claim) -> Finding:
    subject = resolve(study, claim.subject)
    sentence = _sentence(study, subject, claim)
    if not sentence:
        return Finding(claim, claim.text, SKIPPED, (f"it is claimed of engines {claim.engine} only",))
    seen = tuple(_against(study, subject, claims.parse(sentence)))
    return Finding(claim, sentence, FAILS if seen else HOLDS, seen)


def _sentence(study: Study, subject: str, claim: Claim) -> str:
    """What is claimed under the engine of the subject's host; empty where that is nothing."""
    return claim.text if not claim.engine or _meets(_version(study, subject), claim) else claim.otherwise


def flows_of(study: Study, claim: Claim) -> Iterator[tuple[Flow, int]]:
    """Every conversation that a claim is tried with, and how many bytes it sends (0: as a probe does by itself)."""
    subject = resolve(study, claim.subject)
    sentence = _sentence(study, subject, claim)
    said = claims.parse(sentence) if sentence else Assertion("has", "")
    others = [resolve(study, place) for place in said.places]
    if said.kind == "sees":
        pairs = [(flow.frm, subject) for flow in study.flows(to=subject) if flow.frm != subject]
        pairs = [pair for pair in dict.fromkeys(pairs) if not others or pair[0] in others]
    elif said.kind in {"compares", "crosses"}:
        pairs = [(resolve(study, said.frm), place) for place in (subject, *others)]
    elif said.kind == "reaches":
        pairs = [(subject, place) for place in (others or [""])]
    else:
        pairs = [(place, subject) for place in others] if said.kind in {"reachable", "isolated"} else []
        pairs += [(subject, place) for place in others] if said.kind == "isolated" else []
    for frm, to in pairs:
        yield from ((flow, said.size) for flow in _ways(study, frm, to, said))


def resolve(study: Study, name: str) -> str:
    """A place by its full name, or by a container's name where only one host has it; UnknownName without one."""
    places = study.places()
    name = study.lab.network.nicknames.get(name, name)
    if name in places:
        return name
    found = [place for place in places if place.partition("/")[2] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownName("place that this name alone means,", name, found)
    raise UnknownName("place", name, [*places, *(place.partition("/")[2] for place in places if "/" in place)])


def _version(study: Study, subject: str) -> str:
    """The engine of a place's host, else of the first host."""
    sessions = study.lab.sessions
    host = subject.partition("/")[0]
    session = sessions.get(host) or next(iter(sessions.values()), None)
    return session.version if session is not None else ""


def _meets(version: str, claim: Claim) -> bool:
    """Whether a version is among those that a claim is made of; `28` means every 28.x."""
    own = numbers(version)
    for part in claim.engine.split(","):
        found = _CONDITION.fullmatch(part.strip())
        if found is None:
            raise claim.origin.error(f"{claim.engine!r} is no condition on engines", "write '>=28' or '>=20.10, <28'")
        wanted = tuple(map(int, found[2].split(".")))
        if own is None or not _COMPARISONS[found[1]](own[: len(wanted)], wanted):
            return False
    return True


def _against(study: Study, subject: str, said: Assertion) -> Iterator[str]:
    """What stands against a sentence; nothing where it holds."""
    others = [resolve(study, place) for place in said.places]
    if said.kind == "reachable":
        for place in others:
            yield from _reach(study, place, subject, said)
    elif said.kind == "reaches" and said.address:
        yield from _reach(study, subject, "", said)
    elif said.kind == "reaches":
        for place in others:
            yield from _reach(study, subject, place, said)
    elif said.kind == "isolated":
        for place in others:
            for one, other in ((subject, place), (place, subject)):
                yield from (str_of(flow, out) for flow, out in _tries(study, one, other, said) if out.answered)
    elif said.kind == "sees":
        yield from _sees(study, subject, others, said)
    elif said.kind == "has":
        yield from _has(study, subject, others, said)
    elif said.kind in {"gateway", "mtu"}:
        yield from _is_set_up(study, subject, said)
    else:
        yield from _compares(study, subject, others[0], said)


def str_of(flow: Flow, outcome: Outcome) -> str:
    """One line: the flow, what came of it, and why."""
    return f"{flow}: {outcome}" + (f" ({'; '.join(outcome.because)})" if outcome.because else "")


def _reach(study: Study, frm: str, to: str, said: Assertion) -> Iterator[str]:
    tries = list(_tries(study, frm, to, said))
    if not said.positive:
        yield from (str_of(flow, out) for flow, out in tries if out.answered)
    elif not any(out.answered for _, out in tries):
        yield from (str_of(flow, out) for flow, out in tries)
        if not tries:
            yield f"nothing of {to} can be asked: it neither listens nor has an address"


def _tries(study: Study, frm: str, to: str, said: Assertion) -> Iterator[tuple[Flow, Outcome]]:
    """Every way to ask, and what comes of it."""
    return ((flow, study.ask(flow, said.size)) for flow in _ways(study, frm, to, said))


def _ways(study: Study, frm: str, to: str, said: Assertion) -> Iterator[Flow]:
    """Every way to ask: the address that is named, else each server of the place, else (without one) a ping."""
    if said.address and said.kind in {"reachable", "reaches"}:
        address = parse_ip(said.address)
        yield Flow(frm, Target(to or said.address, said.proto or "icmp", said.port, address, said.port, ""))
        return
    flows = [flow for flow in study.flows(frm, to) if _wanted(flow, said)]
    yield from flows
    if not flows and not said.port:
        namespace = study.lab.network.find(to)
        for device in namespace.devices.values():
            for one in device.addresses:
                if not is_loopback(one.address):
                    yield Flow(frm, Target(to, "icmp", 0, one.address, 0, ""))


def _wanted(flow: Flow, said: Assertion) -> bool:
    target = flow.target
    right_port = not said.port or (said.port, said.proto) == (target.port, target.proto)
    return right_port and not (said.direct and target.via)


def _sees(study: Study, subject: str, clients: list[str], said: Assertion) -> Iterator[str]:
    asked = False
    for flow in study.flows(to=subject):
        if flow.frm == subject or (clients and flow.frm not in clients):
            continue
        outcome = study.ask(flow)
        if not outcome.answered:
            continue
        asked = True
        own = study.lab.network.find(flow.frm).owns(parse_ip(outcome.saw))
        if outcome.saw != said.address if said.address else not own:
            yield str_of(flow, outcome)
    if not asked:
        yield f"{' and '.join(clients) or 'nobody'} never reached {subject}"


def _has(study: Study, subject: str, others: list[str], said: Assertion) -> Iterator[str]:
    network = study.lab.network
    own = network.find(subject)
    held = [one.address for device in own.devices.values() for one in device.addresses if not is_loopback(one.address)]
    if others:
        if network.find(others[0]) is not own:
            yield f"{subject} and {others[0]} have a network namespace each"
    elif said.text.endswith("its own"):
        if own is not network.namespaces.get(subject if "/" in subject else f"{subject}/host"):
            yield f"{subject} uses the network namespace of {own.place}"
    elif said.address and parse_ip(said.address) not in held:
        yield f"{subject} has {', '.join(map(ip_text, held)) or 'no address'}"
    elif not said.address and held:
        yield f"{subject} has {', '.join(map(ip_text, held))}"


def _is_set_up(study: Study, subject: str, said: Assertion) -> Iterator[str]:
    """Hold a gateway or an MTU against the namespace's routes and devices."""
    own = study.lab.network.find(subject)
    if said.kind == "mtu":
        mtus = {device.name: device.mtu for device in own.devices.values() if device.name != "lo"}
        if said.size not in mtus.values():
            yield f"{subject} has {', '.join(f'{name} with {mtu}' for name, mtu in mtus.items()) or 'no device'}"
        return
    route = own.route_output(_ANYWHERE)
    if isinstance(route, str):
        yield f"{subject} has no way out"
    elif route.gateway != parse_ip(said.address):
        yield f"{subject} has the way out {route}"


def _compares(study: Study, subject: str, other: str, said: Assertion) -> Iterator[str]:
    """Hold two ways against each other; where there are several to one place, the cheapest counts."""
    frm = resolve(study, said.frm)
    counts = []
    for place in (subject, other):
        answered = [out for _, out in _tries(study, frm, place, said) if out.answered]
        if not answered:
            yield f"{frm} does not reach {place}"
            return
        counts.append(min(out.evaluated if said.kind == "compares" else out.hops for out in answered))
    right = counts[0] > counts[1] if said.positive else counts[0] == counts[1]
    if not right:
        what = "rules are compared" if said.kind == "compares" else "devices are crossed"
        yield f"{counts[0]} {what} for {subject}, {counts[1]} for {other}"
