"""What a scenario claims: sentences about places, read into assertions that can be tried.

    web: reachable from wan                        some address and port of web answers wan
    web: reachable directly from wan               … without any published port
    web: reachable from wan, app on 80             … from each of them, at that port
    web: reachable from wan at 192.0.2.2:8080      … at that very address
    db: unreachable from wan                       nothing of db answers wan
    app: reaches db                                the same as `db: reachable from app`
    app: reaches 192.0.2.1:80                      app gets an answer there (`/udp` after it, or an address alone: ping)
    app: does not reach wan                        nothing of wan answers app
    app: reaches wan with 1472 bytes               … when it sends so much data (after `reachable from` as well)
    app: isolated from db                          neither reaches the other
    web: sees client address                       every client that reaches web is seen under its own address
    web: sees 172.17.0.1 from app                  app is seen under that address
    web: has address 172.17.0.2                    one of its addresses
    web: has no address                            none but 127.0.0.1
    web: has gateway 172.17.0.1                    it sends there what is for no network of its own
    web: has mtu 1450                              the MTU of one of its devices (lo does not count)
    web: has interfaces of its own                 its network namespace is neither its host's nor another container's
    con: has the interfaces of web                 one network namespace, so all addresses are the same
    web: compares more rules than fast from wan    the kernel compares more rules on the way to web than to fast
    web: crosses more devices than fast from wan   its packets go in and out of more devices (`as many … as`: the same)

Example:
    >>> str(parse("unreachable directly from wan, app on 80/udp"))
    'unreachable directly from wan, app on 80/udp'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simnet.docker.document import Value
from simnet.errors import nearest

from .plan import Claim

_PLACE = r"[\w.-]+(?:/[\w.-]+)?"
_PLACES = rf"{_PLACE}(?:\s*,\s*{_PLACE})*"
_ADDRESS = r"\d+\.\d+\.\d+\.\d+"
_WITH = r"(?: with (?P<size>\d{1,5}) bytes)?"
_THAN = rf"(?:than|as) (?P<places>{_PLACE}) from (?P<frm>{_PLACE})"
_TO = rf"(?P<address>{_ADDRESS})(?::(?P<aport>\d+))?(?:/(?P<aproto>tcp|udp))?"
_PATTERNS = {
    "reachable": re.compile(
        rf"(?P<word>reachable|unreachable)(?P<direct> directly)? from (?P<places>{_PLACES})"
        rf"(?: on (?P<port>\d+)(?:/(?P<proto>tcp|udp))?| at {_TO})?{_WITH}"
    ),
    "reaches": re.compile(rf"(?P<word>reaches|does not reach) (?:{_TO}|(?P<places>{_PLACES})){_WITH}"),
    "isolated": re.compile(rf"(?P<word>isolated) from (?P<places>{_PLACES})"),
    "sees": re.compile(rf"(?P<word>sees) (?:client address|(?P<address>{_ADDRESS}))(?: from (?P<places>{_PLACES}))?"),
    "has": re.compile(
        rf"(?P<word>has) (?:no address|interfaces of its own|address (?P<address>{_ADDRESS})"
        rf"|the interfaces of (?P<places>{_PLACE}))"
    ),
    "gateway": re.compile(rf"(?P<word>has) gateway (?P<address>{_ADDRESS})"),
    "mtu": re.compile(r"(?P<word>has) mtu (?P<size>\d{1,5})"),
    "compares": re.compile(rf"(?P<word>compares) (?P<more>more|as many) rules {_THAN}"),
    "crosses": re.compile(rf"(?P<word>crosses) (?P<more>more|as many) devices {_THAN}"),
}
_STARTS = ("reachable from", "unreachable from", "reaches", "does not reach", "isolated from", "sees client address",
           "has address", "has no address", "has gateway", "has mtu", "has interfaces of its own",
           "has the interfaces of", "compares more rules than", "compares as many rules as",
           "crosses more devices than", "crosses as many devices as")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assertion:
    """One sentence about a subject; what a kind does not need is empty or 0. `positive`: it is to be so.

    `size` counts bytes: of data that is sent (0: what a probe sends by itself), or of an MTU.
    """

    kind: str
    text: str
    positive: bool = True
    places: tuple[str, ...] = ()
    frm: str = ""
    address: str = ""
    port: int = 0
    proto: str = ""
    direct: bool = False
    size: int = 0

    def __str__(self) -> str:
        """The sentence, as it was written."""
        return self.text


def parse(text: str) -> Assertion:
    """Read one sentence; ValueError says what is known where it is none."""
    words = " ".join(text.split())
    for kind, pattern in _PATTERNS.items():
        found = pattern.fullmatch(words)
        if found is not None:
            said = {key: value or "" for key, value in found.groupdict().items()}
            places = tuple(place.strip() for place in said.get("places", "").split(",") if place.strip())
            port = said.get("port") or said.get("aport") or "0"
            proto = said.get("proto") or said.get("aproto") or ("tcp" if int(port) else "")
            positive = said["word"] not in {"unreachable", "does not reach"} and said.get("more") != "as many"
            return Assertion(kind, words, positive, places, said.get("frm", ""), said.get("address", ""), int(port),
                             proto, bool(said.get("direct")), int(said.get("size") or 0))  # fmt: skip
    if words in _STARTS or f"{words} from" in _STARTS:
        raise ValueError(f"{text!r} lacks its end, such as `reachable from wan`, `reaches db`, `isolated from web`")
    raise ValueError(f"{text!r} is no claim that can be tried{nearest(words, _STARTS)}")


def read(entry: Value, options: tuple[str, ...]) -> Iterator[Claim]:
    """The claims of one entry: `SUBJECT: sentence` or a list of them, perhaps with `engine`, `otherwise`, `because`."""
    found = entry.mapping()
    shared = {key: found[key].text() for key in options if key in found}
    if "otherwise" in shared:
        _sentence(found["otherwise"])
    for subject, value in found.items():
        if subject in options:
            continue
        for item in value.held if isinstance(value.held, list) else [value]:
            _sentence(item)
            yield Claim(subject, item.text(), item, **shared)


def _sentence(value: Value) -> Assertion:
    """A sentence, or an error that points at it."""
    try:
        return parse(value.text())
    except ValueError as error:
        raise value.error(str(error)) from None
