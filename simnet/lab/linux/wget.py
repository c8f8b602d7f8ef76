"""`wget`: a page by HTTP.

Models: busybox 1.35.
Leaves out: files that are written (give `-O -` or `-O /dev/null`), https and ftp, and speeds.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text

from . import http
from .ending import Ending, Options, unmodelled, usage
from .place import Place
from .talk import Outcome, page
from .words import STRERROR

_LONG = {"--header", "--post-data", "--post-file", "--no-check-certificate", "--continue", "--quiet", "--tries",
         "--output-document", "--output-file", "--server-response", "--directory-prefix", "--user-agent",
         "--timeout"}  # fmt: skip


def wget(place: Place, words: list[str], _stdin: str) -> Answer:
    """`wget [-q] [-S] [-T SEC] [--spider] -O -|/dev/null URL`."""
    spider = "--spider" in words
    kept = [word for word in words if word != "--spider"]
    for word in kept:
        if word.partition("=")[0] in _LONG:
            raise unmodelled("wget", f"wget {word}")
        if word.startswith("--"):
            raise usage("wget", f"wget: unrecognized option '{word}'")
    asked = Options("wget", kept, flags="qSc", values="OTUY", real="oP")
    if len(asked.words) != 1:
        raise usage("wget")
    try:
        url = http.parse(asked.words[0])
    except ValueError as error:
        raise Ending(f"wget: {error}") from None
    if url.scheme != "http":
        raise unmodelled("wget", f"wget {url.scheme}://")
    target = asked.values.get("O", "")
    if target not in {"-", "/dev/null"} and not spider:
        raise unmodelled("wget", "wget without `-O -` or `-O /dev/null")
    found = place.look_up(url.host)
    if not found:
        raise Ending(f"wget: bad address '{url.host}'")
    shown = f"{url.host}:{url.port}" if url.named else url.host
    log = "" if "q" in asked.flags else f"Connecting to {shown} ({ip_text(found[0])}:{url.port})\n"
    done = http.fetch(place.namespace, found[0], url, "wget", patience=asked.number("T", 0))
    failure = _failure(done, ip_text(found[0]), limited="T" in asked.values)
    if failure:
        return Answer("", f"{log}wget: {failure}\n", 1)
    body = page(done.data)
    if "S" in asked.flags:
        log += "".join(f"  {line}\n" for line in [*http.headers(body), ""])
    quiet = "q" in asked.flags
    if spider:
        return Answer("", log if quiet else f"{log}remote file exists\n")
    return Answer(body if target == "-" else "", log if quiet else log + _progress(target, body))


def _failure(done: Outcome, address: str, *, limited: bool) -> str:
    """What is said of a page that did not come."""
    if not done.connected:
        if done.errno == "ETIMEDOUT" and limited:
            return "download timed out"
        return f"can't connect to remote host ({address}): {STRERROR[done.errno]}"
    if done.data:
        return ""
    if done.errno:
        return f"error getting response: {STRERROR[done.errno]}"
    return "error getting response" if done.ended else "download timed out"


def _progress(target: str, body: str) -> str:
    """What is told of a page that came."""
    name = target.rpartition("/")[2]
    where = "to stdout" if target == "-" else f"'{target}'"
    bar = f"{name:<20} 100% |{'*' * 32}| {len(body):>5}  0:00:00 ETA\n"
    begin, end = (
        ("writing to stdout\n", "written to stdout\n")
        if target == "-"
        else (f"saving to {where}\n", f"{where} saved\n")
    )
    return begin + bar + end
