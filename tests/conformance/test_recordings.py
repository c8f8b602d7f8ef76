"""What the real kernel did with each recorded probe, simnet does as well: verdict, chain walks, devices."""

import atexit
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from simnet.export.json import answer_json
from simnet.live.agreement.agreement import compare
from simnet.live.recording.recording import opened
from simnet.scenario import snapshot
from simnet.scenario.question import ask

RECORDINGS = Path(__file__).parents[1] / "recordings"


def names():
    """Every recording: a folder, or the same folder packed."""
    folders = {path.parent.name for path in RECORDINGS.glob("*/expected.json")}
    return sorted(folders | {path.name.removesuffix(".tar.xz") for path in RECORDINGS.glob("*.tar.xz")})


@cache
def recording_of(name):
    """A recording; a packed one is unpacked once a run."""
    folder = RECORDINGS / name
    return unpacked.enter_context(opened(folder if folder.is_dir() else RECORDINGS / f"{name}.tar.xz"))


unpacked = ExitStack()
atexit.register(unpacked.close)
CASES = [(recording, name) for recording in names() for name in recording_of(recording).by_name]


def test_there_are_recordings():
    assert len(CASES) >= 1000


@pytest.mark.parametrize(("recording", "name"), CASES, ids=["/".join(case) for case in CASES])
def test_the_kernel_agrees(recording, name):
    found = recording_of(recording)
    recorded = found.by_name[name]
    answer = ask(lambda: snapshot.load(found.snapshot), recorded.probe, recorded.servers)
    assert str(compare(recorded, answer_json(answer))) == ""
