"""The model held against a recording, probe by probe: what agrees, what differs, what simnet refuses to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from simnet.errors import SimnetError, UnknownName
from simnet.export.json import answer_json
from simnet.live.agreement.agreement import KINDS, Agreement, compare
from simnet.live.recording.recorded import Recorded
from simnet.live.recording.recording import Recording
from simnet.scenario import snapshot
from simnet.scenario.question import ask

AGREES, DIFFERS, REFUSED = "agrees", "differs", "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """A probe and how the two answers to it agree; `refused` is simnet's own message where it gave none.

    `undecided` names the rules that the snapshot alone cannot settle, so that simnet assumed that they do not match.
    """

    probe: Recorded
    agreement: Agreement | None = None
    refused: str = ""
    undecided: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """`agrees`, `differs` or `refused`."""
        if self.agreement is None:
            return REFUSED
        return DIFFERS if self.agreement.differences else AGREES


def chosen(recording: Recording, names: Sequence[str] = ()) -> tuple[Recorded, ...]:
    """The probes with these names (`*` stands for anything), or all; UnknownName where a name fits none."""
    for name in names:
        if not any(fnmatchcase(probe.name, name) for probe in recording.probes):
            raise UnknownName("probe", name, recording.by_name)
    return tuple(
        probe for probe in recording.probes if not names or any(fnmatchcase(probe.name, name) for name in names)
    )


def validate(recording: Recording, names: Sequence[str] = ()) -> Iterator[Finding]:
    """Ask simnet every probe of a recording (or those of these names), each as if it were the first.

    SnapshotError or RulesError where the snapshot cannot be read; UnknownName where a name fits no probe.
    """
    probes = chosen(recording, names)
    snapshot.load(recording.snapshot)  # what is wrong with it is no probe's fault
    return (_tried(recording, probe) for probe in probes)


def _tried(recording: Recording, probe: Recorded) -> Finding:
    try:
        answer = ask(lambda: snapshot.load(recording.snapshot), probe.probe, probe.servers)
    except SimnetError as error:
        return Finding(probe, refused=str(error))
    undecided = tuple(f"{doubt.place}: {doubt.rule.table} {doubt.rule.text}" for doubt in answer.doubts)
    return Finding(probe, compare(probe, answer_json(answer)), undecided=undecided)


def statuses(findings: Iterable[Finding]) -> Counter[str]:
    """How many probes there are of each status."""
    return Counter(finding.status for finding in findings)


def totals(findings: Sequence[Finding]) -> Mapping[str, tuple[int, int]]:
    """Of each kind of thing how many agreed, and how many were compared.

    Example:
        >>> totals([])["walk"]
        (0, 0)
    """
    held = [finding.agreement for finding in findings if finding.agreement is not None]
    return {kind: (sum(one.agreed(kind) for one in held), sum(one.compared[kind] for one in held)) for kind in KINDS}
