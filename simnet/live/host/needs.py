"""What real hosts need of the machine that simnet runs on, each lack as one line with what works without it."""

from __future__ import annotations

import os
import sys

from simnet.errors import HostError
from simnet.live.host import command

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


def root_or_sudo(what: str) -> None:
    """The same, where `sudo` without a password does as well."""
    linux(what)
    try:
        allowed = not os.geteuid() or not command.answer(["sudo", "-n", "true"]).code
    except HostError:  # there is no sudo
        allowed = False
    if not allowed:
        root(what)
