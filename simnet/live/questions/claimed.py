"""The questions that a scenario itself asks for: every conversation of its claims and of its traffic."""

from __future__ import annotations

from collections.abc import Iterator

from simnet.errors import UnknownName
from simnet.live.questions.questions import Question
from simnet.net.network import Network
from simnet.scenario.question import Listen
from simnet.scenario.source import Source
from simnet.study.check import flows_of
from simnet.study.flows import Study, inner
from simnet.study.timing import experiment

CLAIM, TRAFFIC = "claim", "traffic"


def claimed_questions(source: Source) -> tuple[Question, ...]:
    """The conversations of a scenario's claims and traffic, each once, with the scenario's servers behind them.

    The addresses are those that the scenario leads to. SourceError where a claim or traffic names what is not there.

    Example:
        >>> from simnet.scenario.source import read_source
        >>> asked = claimed_questions(read_source("scenarios/basics/published-port.yaml"))
        >>> [(one.frm, one.to, one.dport, str(one.servers[0])) for one in asked][0]
        ('wan', 'h1/csphere-nat2', 2222, 'h1/csphere-nat2:tcp:0.0.0.0:22')
    """
    found: dict[tuple[object, ...], Question] = {}
    for one in (*_of_claims(source), *_of_traffic(source)):
        found.setdefault(one.key, one)
    return tuple(found.values())


def _of_claims(source: Source) -> Iterator[Question]:
    study = Study(source)
    network = study.lab.network
    for claim in source.claims:
        try:
            flows = list(flows_of(study, claim))
        except UnknownName as error:
            raise claim.origin.error(str(error)) from None
        for flow, size in flows:
            target = flow.target
            known = target.place if "/" in target.place or target.place in study.places() else ""
            args = ("-s", str(size)) if size else ()
            yield Question(CLAIM, flow.frm, target.place, target.proto, target.address, target.dport,
                           _servers(network, target.proto, known), args)  # fmt: skip


def _of_traffic(source: Source) -> Iterator[Question]:
    if source.plan is None or not source.plan.timing.traffic:
        return
    played = experiment(source)
    network = played.open()
    for one in played.traffic:
        yield Question(TRAFFIC, one.frm, one.name, one.proto, one.to, one.port, _servers(network, one.proto))


def _servers(network: Network, proto: str, place: str = "") -> tuple[Listen, ...]:
    """The servers of a scenario of one protocol: those of a place, or all where it is not said whose is asked."""
    own = network.find(place) if place else None
    return tuple(
        Listen(server.place or server.namespace.place.removesuffix("/host"), proto, server.address, server.port)
        for server in network.servers
        if server.proto == proto and own in {server.namespace, None} and not inner(server.namespace.place)
    )
