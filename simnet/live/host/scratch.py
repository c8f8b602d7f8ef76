"""Folders for what a command is still working on. One whose process was killed is removed by the next command."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN = Path("/run/simnet")
_PREFIX = ".scratch-"


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder that goes away at the end; while it is there, this process holds it (flock)."""
    folder = RUN / f"{_PREFIX}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed, and had the same number
    held = _held(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)
        leave()


def _held(folder: Path) -> int:
    """Make the folder and hold it; once more where another process swept it before it was held."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        if folder.exists():
            return held
        os.close(held)


def sweep() -> int:
    """Remove the folders that nobody holds any more; gives how many."""
    found = 0
    for folder in RUN.glob(f"{_PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # another process swept it
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            found += 1
        except BlockingIOError:
            pass
        finally:
            os.close(held)
    leave()
    return found


def leave() -> None:
    """Remove the folder that everything lies in, where it is empty."""
    try:
        RUN.rmdir()
    except OSError:
        return
