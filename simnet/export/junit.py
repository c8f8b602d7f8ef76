"""Findings as a JUnit report, which continuous-integration servers read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from simnet.study.check import FAILS, SKIPPED, Finding

FAILURE, NOT_TRIED = "failure", "skipped"
# what XML 1.0 has no form for
_UNWRITABLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd")


class Case(NamedTuple):
    """One case: its name, what it belongs to, `failure`, `skipped` or nothing, what is said, and where it was read."""

    name: str
    group: str
    status: str = ""
    said: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


def report(name: str, cases: Iterable[Case]) -> str:
    """The report as text: one suite of that name, with its cases.

    Example:
        >>> report("a.yaml", []).splitlines()[1]
        '<testsuites><testsuite name="a.yaml" tests="0" failures="0" skipped="0" /></testsuites>'
    """
    cases = list(cases)
    counts = Counter(case.status for case in cases)
    top = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(top, "testsuite", name=_text(name), tests=str(len(cases)),
                                   failures=str(counts[FAILURE]), skipped=str(counts[NOT_TRIED]))  # fmt: skip
    for case in cases:
        entry = ElementTree.SubElement(suite, "testcase", name=_text(case.name), classname=_text(case.group))
        if case.file:
            entry.attrib |= {"file": _text(case.file), "line": str(case.line)}
        if case.status:
            said = ElementTree.SubElement(entry, case.status, message=_text(case.said[0]) if case.said else "")
            said.text = _text("\n".join(case.said))
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def claims(findings: Iterable[Finding]) -> Iterator[Case]:
    """A case for each claim that was tried."""
    status = {FAILS: FAILURE, SKIPPED: NOT_TRIED}
    for finding in findings:
        claim = finding.claim
        yield Case(str(finding), claim.subject, status.get(finding.status, ""), finding.seen, claim.origin.file,
                   claim.origin.line)  # fmt: skip


def _text(text: str) -> str:
    return text.translate(_UNWRITABLE)
