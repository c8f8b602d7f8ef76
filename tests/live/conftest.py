"""Both sides of a live comparison wait equally long."""

import pytest

from simnet.net import conversation
from tests.live.talk import PATIENCE


@pytest.fixture(autouse=True)
def same_patience(monkeypatch):
    monkeypatch.setattr(conversation, "PATIENCE", int(PATIENCE * 1_000_000_000))
