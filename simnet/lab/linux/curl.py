"""`curl`: a page by HTTP.

Models: curl 7.88 with its output on a terminal, where no progress is shown.
Leaves out: files that are written (but /dev/null), https, sent data, and what -v tells.
"""

from __future__ import annotations

import re

from simnet.answer import Answer
from simnet.net.address import ip_text

from . import http
from .ending import Ending, unmodelled
from .place import Place
from .talk import page

_LONG = {"--silent": "s", "--show-error": "S", "--head": "I", "--fail": "f", "--location": "L", "--output": "o",
         "--max-time": "m", "--connect-timeout": "c", "--write-out": "w", "--ipv4": "4", "--insecure": "k",
         "--include": "i", "--no-progress-meter": "P"}  # fmt: skip
_FLAGS, _VALUES = "sSIfLk4iP", "omcw"
_TRY = "curl: try 'curl --help' or 'curl --manual' for more information"
_MILLION = 1_000_000


def curl(place: Place, words: list[str], _stdin: str) -> Answer:
    """`curl [-s] [-S] [-I] [-i] [-f] [-L] [-o /dev/null] [-m SEC] [--connect-timeout SEC] [-w FORMAT] URL`."""
    flags, values, urls = _options(words)
    if len(urls) != 1:
        if urls:
            raise unmodelled("curl", "curl with several URLs")
        raise Ending(_TRY, 2)
    if values.get("o", "-") not in {"-", "/dev/null"}:
        raise unmodelled("curl", f"curl -o {values['o']}")
    loud = "s" not in flags or "S" in flags
    try:
        url = http.parse(urls[0])
    except ValueError:
        return _fail(3, "URL using bad/illegal format or missing URL", loud=loud)
    if url.scheme != "http":
        raise unmodelled("curl", f"curl {url.scheme}://")
    found = place.look_up(url.host)
    if not found:
        return _fail(6, f"Could not resolve host: {url.host}", loud=loud)
    limits = [_seconds(values[letter]) for letter in "mc" if letter in values]
    method = "HEAD" if "I" in flags else "GET"
    done = http.fetch(place.namespace, found[0], url, "curl", method=method, patience=min(limits, default=0))
    waited = -(-done.elapsed // _MILLION)
    if not done.connected:
        if done.errno == "ETIMEDOUT" and "m" in values and limits[0] == min(limits):
            return _fail(28, f"Connection timed out after {waited} milliseconds", loud=loud)
        late = done.errno == "ETIMEDOUT"
        why = "Timeout was reached" if late else "Couldn't connect to server"
        said = f"Failed to connect to {url.host} port {url.port} after {waited} ms: {why}"
        return _fail(28 if late else 7, said, loud=loud)
    if not done.data:
        if done.errno == "ECONNRESET":
            return _fail(56, "Recv failure: Connection reset by peer", loud=loud)
        if done.ended:
            return _fail(52, "Empty reply from server", loud=loud)
        return _fail(28, f"Operation timed out after {waited} milliseconds with 0 bytes received", loud=loud)
    body = page(done.data)
    head = "".join(f"{line}\r\n" for line in [*http.headers(body), ""])
    out = head if "I" in flags else (head if "i" in flags else "") + body
    out = "" if values.get("o") == "/dev/null" else out
    return Answer(out + _written(values.get("w", ""), ip_text(found[0]), url.port))


def _options(words: list[str]) -> tuple[set[str], dict[str, str], list[str]]:
    """Flags, values and URLs."""
    flags, values, urls, given = set[str](), dict[str, str](), list[str](), list(words)
    while given:
        word = given.pop(0)
        if not word.startswith("-") or word == "-":
            urls.append(word)
            continue
        letters = word[1:]
        if word.startswith("--"):
            if word not in _LONG:
                raise _unknown(word)
            letters = _LONG[word]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in _VALUES:
                if not letters and not given:
                    raise Ending(f"curl: option {word}: requires parameter\n{_TRY}", 2)
                values[letter], letters = letters or given.pop(0), ""
            elif letter in _FLAGS:
                flags.add(letter)
            else:
                raise unmodelled("curl", f"curl -{letter}")
    return flags, values, urls


def _unknown(word: str) -> Ending:
    """An option that curl has is named; any other gets curl's own words."""
    real = {"--verbose", "--data", "--header", "--request", "--user-agent", "--proxy", "--resolve", "--http1.1",
            "--retry",
            "--interface", "--ipv6", "--unix-socket", "--cacert", "--upload-file", "--form", "--user"}  # fmt: skip
    if word in real:
        return unmodelled("curl", f"curl {word}")
    return Ending(f"curl: option {word}: is unknown\n{_TRY}", 2)


def _seconds(text: str) -> int:
    """A time limit, in whole seconds."""
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise Ending(f"curl: expected a proper numerical parameter\n{_TRY}", 2)
    return max(round(float(text)), 1)


def _fail(code: int, said: str, *, loud: bool) -> Answer:
    return Answer("", f"curl: ({code}) {said}\n" if loud else "", code)


def _written(form: str, address: str, port: int) -> str:
    """What -w writes when all is done."""
    known = {"http_code": "200", "response_code": "200", "remote_ip": address, "remote_port": str(port)}

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise unmodelled("curl", f"curl -w %{{{found[1]}}}")
        return known[found[1]]

    return re.sub(r"%\{(\w+)\}", value, form).replace("\\n", "\n")
