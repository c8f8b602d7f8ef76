"""What live tests share: both sides of a comparison wait equally long, and sockets get paths that are short enough."""

import tempfile
from pathlib import Path

import pytest

from simnet.net import conversation
from tests.live.talk import PATIENCE


@pytest.fixture(autouse=True)
def same_patience(monkeypatch):
    monkeypatch.setattr(conversation, "PATIENCE", int(PATIENCE * 1_000_000_000))


@pytest.fixture
def short_path():
    """A folder for an engine; a Unix socket's path has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="simnet") as folder:
        yield Path(folder)
