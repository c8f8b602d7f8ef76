"""What ships with simnet: `models/` and `scenarios/`, in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

import simnet

_PACKAGE = Path(simnet.__file__).parent


def bundled(name: str) -> Path | None:
    """The path of a shipped file or folder, by its name from the root (`scenarios/snapshots/…`); None without one."""
    for root in (_PACKAGE.parent, _PACKAGE):
        if (root / "scenarios").is_dir() and (root / name).exists():
            return root / name
    return None
