"""A matplotlib figure written to a file: by its suffix, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simnet.errors import UsageError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# what would make two pictures of the same thing differ
_UNDATED: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
# a smaller .png would take several times as long to write
_MORE: dict[str, dict[str, Any]] = {"png": {"pil_kwargs": {"compress_level": 1}}}
FORMATS = ("png", "svg", "pdf")


def check_output(path: Path) -> str:
    """The format that a file's name asks for; UsageError where it is none that can be written.

    Example:
        >>> check_output(Path("modes.svg"))
        'svg'
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UsageError(f"-o {path}: no picture format {path.suffix!r}{nearest(form, FORMATS)}")
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: no folder {str(path.parent)!r}")
    return form


def write(figure: Figure, path: Path) -> None:
    """Write a figure; a file that cannot be written whole is not written at all (UsageError)."""
    form = check_output(path)
    import matplotlib

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=f".{form}")
        os.close(handle)
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from None
    draft = Path(name)
    try:
        # (identifiers in an .svg are made of its contents, not at random)
        with matplotlib.rc_context({"svg.hashsalt": "simnet", "pdf.fonttype": 42}):
            figure.savefig(draft, format=form, metadata=_UNDATED.get(form), **_MORE.get(form, {}))
        draft.chmod(0o644)
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
