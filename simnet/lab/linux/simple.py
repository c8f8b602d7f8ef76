"""Commands that say one thing: true, false, echo, sleep, whoami, id, pwd, uname.

Models: busybox 1.35.
Leaves out: waiting; `sleep` takes no time.
"""

from __future__ import annotations

import re

from simnet.answer import Answer

from .ending import Ending, unmodelled
from .place import Place

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r", "a": "\a", "e": "\x1b"}


def true(_place: Place, _words: list[str], _stdin: str) -> Answer:
    """`true`."""
    return Answer()


def false(_place: Place, _words: list[str], _stdin: str) -> Answer:
    """`false`."""
    return Answer(code=1)


def echo(_place: Place, words: list[str], _stdin: str) -> Answer:
    r"""`echo [-neE] WORD…`.

    Example:
        >>> echo(None, ["-n", "-e", r"a\tb"], "").out
        'a\tb'
    """
    given, asked = list(words), ""
    while given and re.fullmatch(r"-[neE]+", given[0]):
        asked += given.pop(0)[1:]
    text = " ".join(given)
    if asked.rfind("e") > asked.rfind("E"):
        text = re.sub(r"\\([ntrae\\])", lambda one: _ESCAPES[one[1]], text)
    return Answer(text if "n" in asked else f"{text}\n")


def sleep(_place: Place, words: list[str], _stdin: str) -> Answer:
    """`sleep N…`: no time goes by."""
    if not words:
        raise Ending("sleep: missing operand")
    for word in words:
        if not re.fullmatch(r"\d+(\.\d+)?[smhd]?", word):
            raise Ending(f"sleep: invalid number '{word}'")
    return Answer()


def whoami(_place: Place, _words: list[str], _stdin: str) -> Answer:
    """`whoami`: always root."""
    return Answer("root\n")


def id_(_place: Place, words: list[str], _stdin: str) -> Answer:
    """`id [-u]`."""
    if words not in ([], ["-u"]):
        raise unmodelled("id", f"id {' '.join(words)}")
    return Answer("0\n" if words else "uid=0(root) gid=0(root) groups=0(root)\n")


def pwd(_place: Place, _words: list[str], _stdin: str) -> Answer:
    """`pwd`: there are no folders but `/`."""
    return Answer("/\n")


def uname(place: Place, words: list[str], _stdin: str) -> Answer:
    """`uname [-n]`."""
    if words not in ([], ["-n"], ["-s"]):
        raise unmodelled("uname", f"uname {' '.join(words)}")
    return Answer(f"{place.hostname}\n" if words == ["-n"] else "Linux\n")
