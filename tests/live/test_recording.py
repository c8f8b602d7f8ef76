"""Recordings are read from folders and archives, written as they were read, and what is wrong in one is said."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from simnet.errors import SourceError
from simnet.live.recording.recorded import Recorded
from simnet.live.recording.recording import Recording, opened

RECORDINGS = Path(__file__).parents[1] / "recordings"
FOLDER = RECORDINGS / "seed-modes-28.5"
WALK = {"where": "h1/host", "table": "nat", "iif": "eth0", "oif": "", "src": "192.0.2.1", "dst": "192.0.2.2",
        "sport": 40000, "dport": 80, "flags": "SYN", "rules": []}  # fmt: skip


@pytest.fixture
def copied(tmp_path):
    """A copy that may be changed."""
    shutil.copytree(FOLDER, tmp_path / "copy")
    return tmp_path / "copy"


def entries(folder):
    return json.loads((folder / "expected.json").read_text("utf-8"))


def changed(folder, **changes):
    first, *others = entries(folder)
    (folder / "expected.json").write_text(json.dumps([first | changes, *others]), "utf-8")
    return folder


def test_a_folder_is_read_and_written_as_it_was(copied):
    before = entries(copied)
    found = Recording.read(copied)
    assert [probe.name for probe in found.probes] == [entry["name"] for entry in before]
    found.write()
    assert entries(copied) == before
    assert (copied / "commands.txt").read_text("utf-8") == (FOLDER / "commands.txt").read_text("utf-8")
    assert sorted(path.name for path in copied.iterdir()) == ["commands.txt", "expected.json", "snapshot"]


def test_keys_that_nobody_knows_patience_and_counters_are_kept(copied):
    counters = [{"where": "h1/host", "table": "nat", "rule": "-A X", "packets": 2},
                {"where": "h1/host", "table": "nat", "rule": "-A Y", "packets": None}]  # fmt: skip
    extra = {"patience": 0.25, "counters": counters, "kernel": {"release": "6.1"}}
    probe = Recording.read(changed(copied, **extra)).probes[0]
    assert probe.probe.patience == 250_000_000
    assert probe.json() == entries(copied)[0]
    assert Recorded.of(probe.json()) == probe


def test_an_archive_is_unpacked_and_goes_away():
    with opened(RECORDINGS / "owner-28.5.tar.xz") as found:
        assert found.probes
        assert found.snapshot.is_dir()
    assert not found.folder.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proto": "tpc"}, "no protocol 'tpc'; did you mean 'tcp'?"),
        ({"dst": "192.0.2"}, "'192.0.2' is no IPv4 address"),
        ({"dport": 70000}, "'dport' is 70000, no port"),
        ({"dport": "80"}, "'dport' of the probe is '80', not a number"),
        ({"dport": True}, "'dport' of the probe is True, not a number"),
        ({"servers": [["h1", "tcp", 80]]}, "is not [PLACE, PROTO, ADDR, PORT]"),
        ({"servers": [["h1", "sctp", "0.0.0.0", 80]]}, "the protocol is tcp or udp, not 'sctp'"),
        ({"args": ["-t"]}, "the client's options are '-t TTL' and '-s BYTES', not '-t'"),
        ({"args": ["-t", "256"]}, "not '-t 256'"),
        ({"args": ["-x", "1"]}, "not '-x 1'"),
        ({"walks": [{}]}, "a walk has no 'where'"),
        ({"walks": ["x"]}, "a walk is no object but 'x'"),
        ({"walks": [WALK | {"sport": "80"}]}, "'sport' of a walk is '80', not a number or null"),
        ({"walks": [WALK | {"rules": [1]}]}, "'rules' of a walk is [1], not a list of texts"),
        ({"walks": [{key: WALK[key] for key in WALK if key != "iif"}]}, "'iif' of a walk is None"),
        ({"devices": {"h1/host": "eth0 In"}}, "the devices of h1/host are 'eth0 In', no list of texts"),
        ({"counters": [{"where": "h1/host"}]}, "a counter has no 'table'"),
        ({"counters": [{"where": "h1/host", "table": "nat", "rule": "-A X"}]}, "a counter has no 'packets'"),
        (
            {"counters": [{"where": "h1/host", "table": "nat", "rule": "-A X", "packets": "1"}]},
            "'packets' of a counter is '1', not a number or null",
        ),
        ({"patience": "long"}, "'patience' is 'long'"),
        ({"patience": -1}, "'patience' is -1"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_probe_is_said_with_its_place(copied, change, said):
    name = entries(copied)[0]["name"]
    with pytest.raises(SourceError) as raised:
        Recording.read(changed(copied, **change))
    assert str(raised.value).startswith(f"{copied / 'expected.json'}: probe 1 ({name}): ")
    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["", "[", "{}", "[]", "[1]", '[{"name": "x"}]', "[" * 100_000, "1" * 5000])
def test_a_broken_file_is_refused(copied, text):
    (copied / "expected.json").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"expected\.json"):
        Recording.read(copied)


def test_two_probes_of_one_name_are_refused(copied):
    first = entries(copied)[0]
    (copied / "expected.json").write_text(json.dumps([first, first]), "utf-8")
    with pytest.raises(SourceError, match="a second probe of this name"):
        Recording.read(copied)


@pytest.mark.parametrize("lost", ["snapshot", "expected.json"])
def test_a_recording_that_lacks_something_is_refused(copied, lost):
    (copied / lost).rename(copied / "elsewhere")
    with pytest.raises(SourceError, match=f"lacks .*{lost}"):
        Recording.read(copied)


def test_bytes_that_are_no_text_are_refused(copied):
    (copied / "expected.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="not text"):
        Recording.read(copied)


def test_nothing_is_written_without_a_snapshot(tmp_path):
    with pytest.raises(SourceError, match="no snapshot"):
        Recording(tmp_path, ()).write()
    assert not list(tmp_path.iterdir())


def packed(tmp_path, name, folder, **options):
    with tarfile.open(tmp_path / "bad.tar.xz", "w:xz") as archive:
        archive.add(folder, name, **options)
    return tmp_path / "bad.tar.xz"


def test_an_archive_leads_nowhere_else(tmp_path, copied):
    (copied / "snapshot/h1/out").symlink_to("/etc")
    with (
        pytest.raises(SourceError, match="is no file or folder below the archive's own"),
        opened(packed(tmp_path, "a", copied)),
    ):
        pass


def test_what_is_no_archive_or_holds_no_recording_is_refused(tmp_path):
    (tmp_path / "bad.tar.xz").write_text("no archive", "utf-8")
    with pytest.raises(SourceError, match="not an archive"), opened(tmp_path / "bad.tar.xz"):
        pass
    with pytest.raises(SourceError, match="holds 0 recordings"), opened(packed(tmp_path, "a", FOLDER / "snapshot")):
        pass
    with pytest.raises(SourceError, match="no such recording"), opened(tmp_path / "nowhere"):
        pass
    with pytest.raises(SourceError, match="cannot be read"), opened(tmp_path / "nowhere.tar.xz"):
        pass


def test_a_cut_archive_is_refused(tmp_path):
    whole = (RECORDINGS / "owner-28.5.tar.xz").read_bytes()
    (tmp_path / "cut.tar.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cut\.tar\.xz"), opened(tmp_path / "cut.tar.xz"):
        pass
