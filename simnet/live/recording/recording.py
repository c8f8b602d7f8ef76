"""A recording: a snapshot, and what the real kernel did there with each probe, as a folder or packed (`.tar.xz`).

RECORDING/snapshot/       what standard commands printed on the hosts
RECORDING/commands.txt    how the hosts were set up, a command a line
RECORDING/expected.json   the probes, each with the kernel's answer
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from simnet.errors import SourceError
from simnet.live.recording.recorded import Recorded, wrong_at

# the most that a packed recording may unpack to, in bytes
LARGEST = 1 << 29


@dataclass(frozen=True)
class Recording:
    """A recording's folder, its probes in order, and the commands that set its hosts up."""

    folder: Path
    probes: tuple[Recorded, ...]
    commands: str = ""

    @property
    def snapshot(self) -> Path:
        """The folder of its snapshot."""
        return self.folder / "snapshot"

    @cached_property
    def by_name(self) -> dict[str, Recorded]:
        """The probes by their names."""
        return {probe.name: probe for probe in self.probes}

    @classmethod
    def read(cls, folder: Path) -> Recording:
        """Read a folder; SourceError says which file, which entry and what is wrong with it."""
        if not folder.is_dir():
            raise SourceError("no such recording", file=str(folder),
                              hint="name a folder that holds expected.json, or one packed as .tar.xz")  # fmt: skip
        path = folder / "expected.json"
        if not (folder / "snapshot").is_dir():
            raise SourceError("the recording lacks its folder snapshot/", file=str(folder),
                              hint="name the folder that holds snapshot/ and expected.json")  # fmt: skip
        entries = _entries(path)
        probes: dict[str, Recorded] = {}
        for number, entry in enumerate(entries, 1):
            probe = Recorded.of(entry, str(path), number)
            if probe.name in probes:
                raise wrong_at(str(path), number, probe.name)("a second probe of this name")
            probes[probe.name] = probe
        commands = folder / "commands.txt"
        return cls(folder, tuple(probes.values()), _text(commands) if commands.exists() else "")

    def write(self) -> None:
        """Write `commands.txt` and `expected.json` beside the snapshot, each whole or not at all.

        SourceError where there is no snapshot yet.
        """
        if not self.snapshot.is_dir():
            raise SourceError("there is no snapshot to write the probes beside", file=str(self.snapshot),
                              hint="take one first: simnet snapshot")  # fmt: skip
        _put(self.folder / "commands.txt", self.commands)
        entries = json.dumps([probe.json() for probe in self.probes], indent=1)
        _put(self.folder / "expected.json", entries + "\n")


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Recording]:
    """A recording by its folder, or by the archive of one, which is unpacked for as long as this lasts.

    SourceError where it cannot be read; an archive may lead nowhere but into its own folder.
    """
    if path.is_dir() or not path.name.endswith((".tar.xz", ".tar.gz", ".tar")):
        yield Recording.read(path)
        return
    with tempfile.TemporaryDirectory(prefix="simnet-recording-") as target:
        _unpack(path, Path(target))
        found = [one.parent for one in sorted(Path(target).glob("**/expected.json"))]
        if len(found) != 1:
            raise SourceError(f"the archive holds {len(found)} recordings", file=str(path),
                              hint="pack one folder with snapshot/ and expected.json")  # fmt: skip
        yield Recording.read(found[0])


def _unpack(path: Path, target: Path) -> None:
    try:
        with tarfile.open(path) as archive:
            size = 0
            for member in archive:
                size += member.size
                if size > LARGEST:
                    raise SourceError(f"the archive unpacks to more than {LARGEST} bytes", file=str(path))
                _unpack_member(archive, member, target)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", file=str(path)) from None
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise SourceError(f"not an archive that can be unpacked: {error}", file=str(path)) from None


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write one file of an archive below `target`; ValueError for what leads elsewhere or is no plain file."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
        raise ValueError(f"{member.name} is no file or folder below the archive's own")
    path = target / name
    (path if member.isdir() else path.parent).mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member) if member.isfile() else None
    if content is not None:
        path.write_bytes(content.read())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"the recording lacks {path.name}", file=str(path.parent)) from None
    except UnicodeDecodeError as error:
        raise SourceError(f"not text: byte {error.start} is no UTF-8", file=str(path)) from None
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file=str(path)) from None


def _entries(path: Path) -> list[Any]:
    try:
        found = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise SourceError(f"broken JSON: {error.msg}", file=str(path), line=error.lineno, column=error.colno) from None
    except (RecursionError, ValueError) as error:
        raise SourceError(f"broken JSON: {error}", file=str(path), line=1) from None
    if not isinstance(found, list) or not found:
        raise SourceError("expected a list of probes, one at least", file=str(path), line=1, column=1)
    return found
