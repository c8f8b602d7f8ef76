"""What the real kernel did with each recorded probe, simnet does as well: verdict, chain walks, devices."""

import atexit
import json
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

from simnet.export.json import answer_json
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.scenario import snapshot
from simnet.scenario.question import Listen, ask
from tests.conformance.compare import differences, options

RECORDINGS = Path(__file__).parents[1] / "recordings"


def names():
    """Every recording: a folder, or the same folder packed."""
    folders = {path.parent.name for path in RECORDINGS.glob("*/expected.json")}
    return sorted(folders | {path.name.removesuffix(".tar.xz") for path in RECORDINGS.glob("*.tar.xz")})


@cache
def unpacked(recording):
    """A recording's folder; a packed one is unpacked once a run."""
    folder = RECORDINGS / recording
    if folder.is_dir():
        return folder
    target = Path(tempfile.mkdtemp(prefix="simnet-recordings-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    with tarfile.open(RECORDINGS / f"{recording}.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target / recording


@cache
def expected_of(recording):
    return {probe["name"]: probe for probe in json.loads((unpacked(recording) / "expected.json").read_text("utf-8"))}


CASES = [(recording, name) for recording in names() for name in expected_of(recording)]


def test_there_are_recordings():
    assert len(CASES) >= 1000


@pytest.mark.parametrize(("recording", "name"), CASES, ids=["/".join(case) for case in CASES])
def test_the_kernel_agrees(recording, name):
    expected = expected_of(recording)[name]
    proto = expected["proto"]
    port, sport = (0, 40000) if proto == "icmp" else (expected["dport"], expected["sport"])
    probe = Probe(expected["frm"], parse_ip(expected["dst"]), port, proto, sport, **options(expected))
    listens = [Listen(place, kind, parse_ip(address), number) for place, kind, address, number in expected["servers"]]
    answer = ask(lambda: snapshot.load(unpacked(recording) / "snapshot"), probe, tuple(listens))
    assert "\n".join(differences(expected, answer_json(answer))) == ""
