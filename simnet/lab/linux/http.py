"""What wget and curl share: the parts of a URL, and a page fetched from a server of the model.

Every server answers every request with one line: how it saw its client, and its own end.
Leaves out: TLS, redirects, and servers that do not speak HTTP.
"""

from __future__ import annotations

from typing import NamedTuple

from simnet.net.namespace import NetNamespace

from .talk import Outcome, connect


class Url(NamedTuple):
    """`http://HOST[:PORT]/PATH`; `named` tells whether the port was written."""

    host: str
    port: int
    path: str
    named: bool
    scheme: str = "http"


def parse(text: str) -> Url:
    """Read a URL; without a scheme it is http. ValueError where the port is none.

    Example:
        >>> parse("web:8080/a")
        Url(host='web', port=8080, path='/a', named=True, scheme='http')
    """
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = "http", text
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition("@")[2].partition(":")
    number = int(port) if port.isdigit() else 0 if colon else 80
    if not 0 < number < 65536:
        raise ValueError(f"bad port '{port}'")
    if not host:
        raise ValueError(f"bad address '{text}'")
    return Url(host, number, slash + path or "/", bool(colon), scheme)


def fetch(namespace: NetNamespace, to: int, url: Url, by: str, *, method: str = "GET", patience: int = 0) -> Outcome:
    """Ask a server for a page."""
    agent = {"wget": "Wget", "curl": "curl/7.88.1"}[by]
    host = f"{url.host}:{url.port}" if url.port != 80 else url.host
    request = f"{method} {url.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n"
    return connect(namespace, to, url.port, by, request=request.encode(), patience=patience)


def headers(body: str) -> list[str]:
    """The head of the answer, line by line."""
    return ["HTTP/1.1 200 OK", "Content-Type: text/plain", f"Content-Length: {len(body)}", "Connection: close"]
