"""What programs of well-known images listen on: models/images.yaml.

Example:
    >>> list(ports_of("docker.io/library/postgres:16")), list(ports_of("example.test:5000/own/postgres"))
    ([('tcp', 5432)], [])
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from simnet.bundled import bundled
from simnet.docker import document
from simnet.errors import SourceError


def ports_of(image: str) -> Iterator[tuple[str, int]]:
    """Protocol and number of each port that an image of a known name exposes; tag and digest do not matter."""
    for text in images().get(short_name(image), ()):
        proto, _, number = text.partition("/")
        yield proto, int(number)


def short_name(image: str) -> str:
    """An image's name without docker's own registry, tag and digest.

    Example:
        >>> short_name("docker.io/library/busybox:1.36"), short_name("example.test:5000/own/web")
        ('busybox', 'example.test:5000/own/web')
    """
    name = image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    head, _, tag = name.rpartition(":")
    return head if head and "/" not in tag else name


@cache
def images() -> dict[str, tuple[str, ...]]:
    """Ports by the image's name.

    Example:
        >>> images()["postgres"]
        ('tcp/5432',)
    """
    path = bundled("models/images.yaml")
    if path is None:
        raise SourceError("no such file", file="models/images.yaml")
    top = document.read(path.read_text(encoding="utf-8"), str(path)).mapping(["images"])
    return {name: tuple(item.text() for item in value.items()) for name, value in top["images"].mapping().items()}
