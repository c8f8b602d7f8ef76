"""Who reaches whom: every place against every server, by the best way that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simnet.scenario.source import Source

from .flows import Flow, Outcome, Study


@dataclass(frozen=True, slots=True)
class Server:
    """A column: a server by its place, protocol and port."""

    place: str
    proto: str
    port: int

    def __str__(self) -> str:
        """`h1/web:80/tcp`."""
        return f"{self.place}:{self.port}/{self.proto}"


@dataclass(frozen=True, slots=True)
class Cell:
    """The best outcome of a place with a server, and the target that gave it."""

    flow: Flow
    outcome: Outcome

    @property
    def way(self) -> str:
        """`direct` or `published` where there was an answer, `other` where another place gave it, else the verdict."""
        if self.outcome.other:
            return "other"
        if not self.outcome.answered:
            return self.outcome.verdict
        return "published" if self.flow.target.via else "direct"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Places (rows), servers (columns) and what came of each pair; a place is not asked for its own server."""

    places: tuple[str, ...]
    servers: tuple[Server, ...]
    cells: dict[tuple[str, Server], Cell]


def matrix(source: Source, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Matrix:
    """Try every pair: first the server's own addresses, then published ports, until one answers.

    `progress` is told how many pairs of all are done.
    """
    study = Study(source)
    ways: dict[tuple[str, Server], list[Flow]] = {}
    for flow in study.flows():
        target = flow.target
        if target.place != flow.frm:
            ways.setdefault((flow.frm, Server(target.place, target.proto, target.port)), []).append(flow)
    cells = {}
    for done, (pair, flows) in enumerate(ways.items(), 1):
        cells[pair] = _best(study, sorted(flows, key=lambda flow: bool(flow.target.via)))
        progress(done, len(ways))
    servers = dict.fromkeys(server for _, server in ways)
    return Matrix(tuple(study.places()), tuple(servers), cells)


def _best(study: Study, flows: list[Flow]) -> Cell:
    """The first way that is answered, or the first one tried."""
    tried: list[Cell] = []
    for flow in flows:
        tried.append(Cell(flow, study.ask(flow)))
        if tried[-1].outcome.answered:
            return tried[-1]
    return tried[0]
