"""Layouts: what the files hold, and what is said of a wrong one."""

import pytest

from simnet.docker import document
from simnet.docker.rules import layout_file
from simnet.docker.rules.layout import CHAIN_SECTIONS, SECTIONS
from simnet.docker.rules.version import layout_of, layouts, named
from simnet.errors import SourceError, UnknownName

HEAD = 'engine: "1"\nreleases: {from: "1", to: "1"}\n'
RULE = """network:
  - name: one
    table: filter
    chain: FORWARD
    rule: -i {bridge} -j ACCEPT
    place: append
    why: it must be so
"""


def load(text, base=None):
    return layout_file.build(document.read(text, "a.yaml"), base)


def test_a_file_becomes_a_layout():
    layout = load(HEAD + RULE)
    assert [template.name for template in layout.sections["network"]] == ["one"]
    assert layout.sections["port"] == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.yaml:1: the file is empty"),
        ('engine: "1"\n', "a.yaml:1:1: key 'releases' is missing"),
        (HEAD + 'engine: "2"\n', "a.yaml:3:1: key 'engine' stands here a second time; the first is in line 1"),
        (HEAD + "netwrok: []\n", "a.yaml:3:10: no key 'netwrok' here; did you mean 'network'?"),
        (HEAD.replace('"1"', "0x1", 1), "a.yaml:1:9: 0x1 would be read as a number; put it in quotes"),
        (HEAD.replace('"1"', "010", 1), "a.yaml:1:9: 010 would be read as a number; put it in quotes"),
        (HEAD.replace('"1"', "1", 1), "a.yaml:1:9: text is wanted here"),
        (HEAD + RULE.replace("{bridge}", "{brige}"),
         "a.yaml:7:11: nothing is called {brige} here; did you mean 'bridge'?"),
        (HEAD + RULE.replace("{bridge}", "{bridge"), "a.yaml:7:11: expected '}' before end of string"),
        (HEAD + RULE.replace("filter", "filtr"),
         "a.yaml:5:12: 'filtr' is none of the words wanted here; did you mean 'filter'?"),
        (HEAD + RULE.replace("append", "last"),
         "a.yaml:8:12: 'last' is none of the words wanted here; there are: append, insert, top"),
        (HEAD + RULE + "    when: {icc: 3}\n", "a.yaml:10:17: icc can never be 3; it is one of: true, false"),
        (HEAD + RULE + "    when: {ic: true}\n", "a.yaml:10:16: no key 'ic' here; did you mean 'icc'?"),
        (HEAD + RULE.replace("    why: it must be so\n", ""), "a.yaml:4:5: key 'why' is missing"),
        (HEAD + "network: {a: 1}\n", "a.yaml:3:10: a list is wanted here"),
        (HEAD + "features: [flies]\n", "a.yaml:3:12: 'flies' is none of the words wanted here; there are: "),
        (HEAD + "network: [\n", "a.yaml:4:1: did not find expected node content"),
        (HEAD + "drop: {network: [two]}\n", "a.yaml:3:18: no 'two' to drop"),
        (HEAD + "messages: {pool_overlaps: 'no {way}'}\n", "a.yaml:3:27: nothing is called {way} here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_pointed_at(text, said):
    with pytest.raises(SourceError) as caught:
        load(text)
    assert str(caught.value).startswith(said)


def test_a_layout_lies_over_the_one_that_it_extends():
    base = load(HEAD + RULE + RULE.partition("\n")[2].replace("one", "two"))
    text = HEAD + 'extends: "0"\n' + RULE.replace("append", "insert") + "drop: {network: [two]}\n"
    layout = load(text, lambda _: base)
    assert [(template.name, template.place) for template in layout.sections["network"]] == [("one", "insert")]


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.engine)
def test_every_layout_is_whole(layout):
    assert set(layout.sections) == set(SECTIONS)
    assert set(layout.chains) == set(CHAIN_SECTIONS)
    assert layout.messages.keys() == named("28.5.2").messages.keys()
    for templates in layout.sections.values():
        names = [template.name for template in templates]
        assert len(set(names)) == len(names)
        assert all(template.why for template in templates)


@pytest.mark.parametrize(
    ("version", "engine"),
    [
        ("20.10.24", "20.10"), ("v20.10.24+dfsg1", "20.10"), ("26.1.5", "26.1"), ("26.1", "26.1"), ("28.0.0", "28.0.0"),
        ("28.0.4", "28.0.1"), ("28.1.1", "28.0.1"), ("28.2.1", "28.2.0"), ("28.2.2", "28.5.2"), ("28", "28.5.2"),
        ("29.7.2", "29.7.2"), ("29", "29.7.2"),
    ],
)  # fmt: skip
def test_releases_share_layouts(version, engine):
    assert layout_of(version).engine == engine


@pytest.mark.parametrize("version", ["19.03", "27.5.1", "30", "newest", "", "28.x"])
def test_an_unknown_version_is_refused(version):
    with pytest.raises(UnknownName, match=f"no engine version '{version}'; (there are: 20.10|did you mean)"):
        layout_of(version)
