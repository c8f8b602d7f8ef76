"""Recorded sessions with real engines: what is refused, names, files, DNS, namespaces. The model says the same."""

import re
from pathlib import Path

import pytest

from tests.docker.replay import play

RECORDED = Path(__file__).parent / "recorded"
LOCAL = "# local\nnameserver 127.0.0.1\nsearch example.test\n"
MANY = (
    "# a comment\nsearch a.test b.test\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 192.0.2.53\n"
    "options timeout:1 ndots:2\n"
)
# the host's resolv.conf in a recording, where it is not the usual one
RESOLV = {"resolv-local": LOCAL, "resolv-empty": "", "resolv-many": MANY}
# how many networks the engine had had before: up to 26 the pools go round
EARLIER = {"container-two-networks": 1, "container-links": 2}
FILES = sorted(RECORDED.glob("*/*.txt"))


def before(path):
    """What the engine was told before the recording."""
    daemon = "dockerd --userns-remap=default\n" if "remap" in path.stem else ""
    return daemon + "docker network create x\ndocker network rm x\n" * EARLIER.get(path.stem, 0)


def plain(command, text):
    """An output without what differs from one run to the next: times, numbers, the order of maps and of answers."""
    if "nslookup" in command:
        found = re.findall(r"^(?:Name:.*\nAddress: |.*name = )(\S+)", text, re.MULTILINE)
        text = "\n".join(sorted(set(found))) if found or "127.0.0.11" in text or "timed out" in text else text
    text = re.sub(r"\b(?:[a-z]+_[a-z]+|container\d+)\.n1", "MADE.n1", text)
    text = re.sub(r"\b(?:[0-9a-f]{12}|[0-9a-f]{64})\b", "ID", text)
    text = re.sub(r" (Up|Exited)\b.*", r" \1", text)
    text = re.sub(r"AS /l2/(?:one|l1)", "AS /l2/LINK", text)
    text = re.sub(r"(?m)^(Error: )(No such container)", r"Error response from daemon: \2", text)
    if "cat /etc/hosts" in command:
        text = "\n".join(sorted(text.splitlines()))
    if "/proc/self/ns" in command:
        text = re.sub(r"\w{3} [ \d]\d \d\d:\d\d|\[\d+\]", "", text)
    if command.endswith(" ps"):
        text = re.sub(r"(?m)^ +\d\d? (?=0 +ps$)|(?m:^ +[67] )", "    N ", text)
    return text.strip()


def numbers(text):
    """The namespaces of a listing of /proc/self/ns, in its order."""
    return re.findall(r"-> (\w+:\[\d+\])$", text, re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_session_goes_the_same_way(path):
    resolv = RESOLV.get(path.stem, "search example.test\nnameserver 192.0.2.1\n")
    same, differs = {}, []
    for command, real, ours in play(path, resolv, before(path)):
        if "/proc/self/ns" in command:
            # numbers are given out anew, so only containers that stay are held against each other
            pairs = list(zip(numbers(real), numbers(ours), strict=True))
            assert len(pairs) == 10
            same |= dict(pairs) if " exec " in command else {}
            assert [same.get(one, mine) for one, mine in pairs] == numbers(ours)
            assert len(set(same.values())) == len(same)
        if plain(command, real) != plain(command, ours):
            differs.append((command, plain(command, real), plain(command, ours)))
    assert differs == []
