"""What real engines answered (`tests/docker/recorded`), and how far that can be compared with simnet's answers."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).parent.parent / "recorded"
VERSIONS = ("20.10", "26.1", "28.5.2")
_LOOP = re.compile(r"for n in ([^;]+); do (.*); done")
# what differs between two runs of the same engine: ids, times, hardware addresses, process ids
_BLANKS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b[0-9a-z]{25}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| \+0000 UTC)"), "TIME"),
    (re.compile(r"(?:Less than a second|\d+ seconds?)( ago)?"), r"SPAN\1"),
    (re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"), "MAC"),
    # the networks of a container are in a map's order, which is a random one
    (re.compile(r"n1,bridge"), "bridge,n1"),
    (re.compile(r'("Pid": ?)\d+'), r"\1PID"),
    (re.compile(r"\(virtual [\d.]+[A-Za-z]+\)"), "(virtual SIZE)"),
    (re.compile(r"\+dfsg\d+"), ""),
    (re.compile(r"(?<=false )\d{3,7}(?= )"), "PID"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "ADDRESS"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True)
class Said:
    """A command and what was said to it, with its exit code."""

    command: str
    text: str
    code: int


def answers(version, name):
    """The commands of one file with their answers; a loop of the shell as the commands that it ran."""
    found = []
    for block in re.split(r"^\$ ", (RECORDED / version / f"{name}.txt").read_text(), flags=re.MULTILINE)[1:]:
        command, _, text = block.partition("\n")
        code = re.search(r"^\[exit (\d+)\]\n\Z", text, re.MULTILINE)
        found.append(Said(command, text[: code.start()] if code else text, int(code[1]) if code else 0))
    return found


def looped(said):
    """A loop of the shell as its commands, or the command itself."""
    loop = _LOOP.fullmatch(said.command)
    return [loop[2].replace("$n", name) for name in loop[1].split()] if loop else [said.command]


def by_name(text):
    """A list of documents with the containers of each in the order of their names, not of their ids."""
    documents, end = json.JSONDecoder().raw_decode(text)
    for one in documents:
        if "Containers" in one:
            one["Containers"] = sorted(one["Containers"].values(), key=lambda container: container["Name"])
    return json.dumps(documents, indent=4) + text[end:]


def blank(text):
    """A text without what differs from run to run."""
    if text.startswith("[\n"):
        text = by_name(text)
    for pattern, instead in _BLANKS:
        text = pattern.sub(instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def words(command):
    """A command as the shell splits it."""
    return shlex.split(command)
