"""A source by its path: what kind it is, and the network that it holds."""

from __future__ import annotations

from pathlib import Path

from simnet.bundled import bundled
from simnet.errors import SourceError
from simnet.net.network import Network

from . import snapshot


def open_source(name: str) -> Network:
    """The network of a snapshot folder, or of one that ships with simnet (`scenarios/snapshots/…`).

    Raises SourceError (or one of its kinds) where there is none or it cannot be read.
    """
    path = Path(name)
    if not path.exists():
        path = bundled(name) or path
    if path.is_dir():
        return snapshot.load(path)
    if not path.exists():
        raise SourceError("no such file or folder", file=name, hint="a source is a snapshot folder")
    raise SourceError("not a snapshot folder", file=name, hint="scenario and compose files cannot be read yet")
