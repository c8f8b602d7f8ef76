"""Findings as a JUnit report, which continuous-integration servers read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from simnet.study.check import FAILS, SKIPPED, Finding


def report(name: str, findings: Sequence[Finding]) -> str:
    """The report as text: a suite of the source's name, a case for each claim.

    Example:
        >>> report("a.yaml", []).splitlines()[1]
        '<testsuites><testsuite name="a.yaml" tests="0" failures="0" skipped="0" /></testsuites>'
    """
    counts = Counter(finding.status for finding in findings)
    top = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(top, "testsuite", name=name, tests=str(len(findings)),
                                   failures=str(counts[FAILS]), skipped=str(counts[SKIPPED]))  # fmt: skip
    for finding in findings:
        origin = finding.claim.origin
        case = ElementTree.SubElement(suite, "testcase", name=str(finding), classname=finding.claim.subject,
                                      file=origin.file, line=str(origin.line))  # fmt: skip
        if finding.status in {FAILS, SKIPPED}:
            kind = "failure" if finding.status == FAILS else "skipped"
            said = ElementTree.SubElement(case, kind, message=finding.seen[0] if finding.seen else "")
            said.text = "\n".join(finding.seen)
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=True) + "\n"
