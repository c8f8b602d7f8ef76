"""Which of the forms that docker prints a version has.

Where a form changed was seen between the engines that were asked: 20.10, 26.1 and 28.5 (each with its own client). A
change between 20.10 and 26.1 is taken to have come with 25, one between 26.1 and 28.5 with 28.
"""

from simnet.docker.rules.version import numbers


def since(version: str, first: int) -> bool:
    """Whether a version is at least `first`.

    Example:
        >>> since("28.5.2", 28), since("26.1", 28)
        (True, False)
    """
    read = numbers(version)
    return read is None or read[0] >= first
