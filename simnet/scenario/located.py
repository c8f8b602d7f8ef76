"""What an engine or the kernel refuses, told of the value in the file that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simnet.answer import Answer
from simnet.docker.document import Value
from simnet.errors import SimnetError, SourceError

_TOKEN = re.compile(r"[\w./-]{2,}")


class located:  # noqa: N801 - a context manager, used as a word
    """Errors raised inside, told of a value of the file.

    Example:
        >>> with located(Value("192.0.2", "a.yaml", 3, 9)):
        ...     raise ValueError("192.0.2 is no address")
        Traceback (most recent call last):
        simnet.errors.SourceError: a.yaml:3:9: 192.0.2 is no address
    """

    def __init__(self, origin: Value | None) -> None:
        """Errors inside are of this value, or of a part of it."""
        self.origin = origin

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise an error that names the place in the file instead of one that does not."""
        if self.origin is None or error is None or (isinstance(error, SourceError) and error.file):
            return
        if isinstance(error, SourceError):
            raise _nearest_leaf(self.origin, error.message).error(error.message, error.hint) from None
        if isinstance(error, (SimnetError, ValueError)):
            raise _nearest_leaf(self.origin, str(error)).error(str(error)) from None


def settled(answer: Answer, origin: Value | None = None) -> None:
    """SourceError where a command failed, in its own words, of the part of `origin` that they speak of."""
    if answer.code:
        said = answer.err.removeprefix("docker: ").split("\n\n")[0].split("\nSee '")[0].removesuffix("exit status 1\n")
        said = " ".join(said.split()) or f"exit code {answer.code}"
        if origin is None:
            raise SourceError(said)
        raise _nearest_leaf(origin, said).error(said)


def _nearest_leaf(value: Value, message: str) -> Value:
    """The part of a value that a message speaks of: the one that has a word in common with it, else all of it."""
    words = {word.strip(".") for word in _TOKEN.findall(message)}
    words |= {part for word in words for part in word.split(":")}
    leaves = list(_leaves(value))
    speaking = [leaf for leaf in leaves if words & set(_parts(leaf))]
    return min(speaking, key=lambda leaf: -len(max(words & set(_parts(leaf)), key=len)), default=value)


def _parts(leaf: Value) -> list[str]:
    text = str(leaf.held)
    return [part for part in (*_TOKEN.findall(text), *re.split(r"[:/]", text)) if len(part) > 1]


def _leaves(value: Value) -> Iterator[Value]:
    if isinstance(value.held, dict):
        for item in value.held.values():
            yield from _leaves(item)
    elif isinstance(value.held, list):
        for item in value.held:
            yield from _leaves(item)
    else:
        yield value
