"""The reference of claims: every sentence that it lists is understood, and so is every one of the module's own list."""

import re
from pathlib import Path

import pytest

from simnet.scenario import claims

PAGE = (Path(__file__).parents[2] / "docs/reference/scenario.md").read_text(encoding="utf-8")
LISTED = re.search(r"<!-- claims -->\n```text\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
OWN = [line.split(":", 1)[1] for line in claims.__doc__.splitlines() if re.match(r"    \w+: ", line)]


@pytest.mark.parametrize("line", [*LISTED, *OWN])
def test_a_sentence_that_is_listed_is_understood(line):
    sentence = re.split(r"\s{2,}", line.strip())[0]
    assert str(claims.parse(sentence)) == sentence


def test_every_kind_of_sentence_is_listed_in_both():
    kinds = set(claims._PATTERNS)
    for lines in (LISTED, OWN):
        assert {claims.parse(re.split(r"\s{2,}", line.strip())[0]).kind for line in lines} == kinds
