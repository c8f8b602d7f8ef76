"""What real hosts need of the machine that simnet runs on, each lack as one line with what works without it."""

from __future__ import annotations

import os
import sys

from simnet.errors import HostError

_INSTEAD = "trace, compare, check, lab and validate RECORDING work without"


def linux(what: str) -> None:
    """HostError where this is no Linux."""
    if sys.platform != "linux":
        raise HostError(f"{what} needs Linux, not {sys.platform}", _INSTEAD)


def root(what: str) -> None:
    """HostError where this is no Linux, or not root."""
    linux(what)
    if os.geteuid():
        raise HostError(f"{what} needs root", f"sudo simnet …; {_INSTEAD}")
