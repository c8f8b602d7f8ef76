"""What a command says and ends with: the common form of everything that a terminal of the lab runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    r"""Standard output, standard error (each with its last newline, or empty) and the exit code.

    Example:
        >>> said = Answer("172.17.0.2\n")
        >>> said.out, said.code, bool(said)
        ('172.17.0.2\n', 0, True)
    """

    out: str = ""
    err: str = ""
    code: int = 0

    def __bool__(self) -> bool:
        """Whether the command succeeded."""
        return self.code == 0

    def __str__(self) -> str:
        """Both outputs, without the last newline."""
        return (self.out + self.err).removesuffix("\n")
