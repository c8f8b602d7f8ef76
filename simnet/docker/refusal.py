"""What an engine says when it does not do what it was asked: in its own words."""

from __future__ import annotations

from simnet.errors import UsageError


class Refused(UsageError):
    """The engine refused; the message is its own (`Error response from daemon: …` stands before it in a terminal).

    Example:
        >>> print(Refused("network_unknown", "network n1 not found"))
        network n1 not found
    """

    def __init__(self, kind: str, message: str) -> None:
        """Say which `kind` of refusal it is (the key of the message in the layout), and the message."""
        self.kind = kind
        super().__init__(message)
