"""cat and tee: the files of a place, and those of /proc/sys.

Models: busybox 1.35. `tee` is what the shell writes with where output goes into /proc/sys.
Leaves out: every file that the place was not given.
"""

from __future__ import annotations

from simnet.answer import Answer

from .place import Place
from .sysctl import key_of, keys, write
from .words import STRERROR


def cat(place: Place, words: list[str], stdin: str) -> Answer:
    """`cat [FILE…]`."""
    out, err, code = "", "", 0
    for word in [one for one in words if one != "-u"] or ["-"]:
        text = _read(place, word) if word != "-" else stdin
        if text is None:
            err, code = f"{err}cat: can't open '{word}': No such file or directory\n", 1
        out += text or ""
    return Answer(out, err, code)


def _read(place: Place, path: str) -> str | None:
    if path == "/dev/null":
        return ""
    if path.startswith("/proc/sys/"):
        value = keys(place.namespace).get(key_of(path))
        return None if value is None else f"{value}\n"
    if path == "/etc/hostname":
        return place.files.get(path, f"{place.hostname}\n")
    return place.files.get(path)


def tee(place: Place, words: list[str], stdin: str) -> Answer:
    """`tee FILE…`, of which only those in /proc/sys can be written."""
    err, code = "", 0
    for word in words:
        if word == "/dev/null":
            continue
        if not word.startswith("/proc/sys/"):
            err, code = f"{err}simnet's tee does not model files that can be written (`{word}`)\n", 2
            continue
        key = key_of(word)
        refused = write(place.namespace, key, stdin) if key in keys(place.namespace) else "ENOENT"
        if refused:
            err, code = f"{err}tee: {word}: {STRERROR[refused]}\n", 1
    return Answer(stdin, err, code)
