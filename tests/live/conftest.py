"""What live tests share: sockets get paths that are short enough."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def short_path():
    """A folder for an engine; a Unix socket's path has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="simnet") as folder:
        yield Path(folder)
