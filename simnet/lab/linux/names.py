"""hostname, getent and nslookup: names and addresses.

Models: busybox 1.35 (hostname, nslookup), glibc's getent.
Leaves out: other records than A, and addresses looked up backwards in the DNS.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text, parse_ip

from .ending import Ending, unmodelled, usage
from .place import Place


def hostname(place: Place, words: list[str], _stdin: str) -> Answer:
    """`hostname [-i|-s|-f|-I]`."""
    if words in (["-i"], ["-I"]):
        found = place.look_up(place.hostname) if words == ["-i"] else [
            one.address for device in place.namespace.devices.values() for one in device.addresses
            if one.scope != "host"
        ]  # fmt: skip
        if not found:
            raise Ending(f"hostname: {place.hostname}: Unknown host" if words == ["-i"] else "")
        return Answer(" ".join(map(ip_text, found)) + "\n")
    if words not in ([], ["-s"], ["-f"]):
        raise unmodelled("hostname", f"hostname {' '.join(words)}")
    return Answer(f"{place.hostname}\n")


def getent(place: Place, words: list[str], _stdin: str) -> Answer:
    """`getent hosts|ahosts|ahostsv4 NAME…`: code 2 where one is not known."""
    if not words or words[0] not in {"hosts", "ahosts", "ahostsv4"}:
        raise unmodelled("getent", " ".join(["getent", *words[:1]]))
    out, code = "", 0
    for name in words[1:]:
        found = place.look_up(name)
        shown = name
        try:
            parse_ip(name)
            shown = " ".join(place.names_of(name))
            found = found if shown else []
        except ValueError:
            pass
        code = code if found else 2
        if words[0] == "hosts":
            out += "".join(f"{ip_text(one):<15} {shown}\n" for one in found[:1])
            continue
        for one in found:
            out += f"{ip_text(one):<15} STREAM {shown}\n{ip_text(one):<15} DGRAM  \n{ip_text(one):<15} RAW    \n"
    return Answer(out, "", code)


def nslookup(place: Place, words: list[str], _stdin: str) -> Answer:
    """`nslookup NAME`: the resolver of /etc/resolv.conf is asked, /etc/hosts is not."""
    if any(word.startswith("-") for word in words) or len(words) > 1:
        raise unmodelled("nslookup", f"nslookup {' '.join(words)}")
    if not words:
        raise usage("nslookup")
    server = _nameserver(place)
    head = f"Server:\t\t{server}\nAddress:\t{server}:53\n\n"
    found = place.resolve(words[0])
    if not found:
        return Answer(
            head, f"** server can't find {words[0]}: NXDOMAIN\n\n** server can't find {words[0]}: NXDOMAIN\n\n", 1
        )
    answers = "".join(f"Name:\t{words[0]}\nAddress: {ip_text(one)}\n" for one in found)
    return Answer(f"{head}Non-authoritative answer:\n{answers}\nNon-authoritative answer:\n\n")


def _nameserver(place: Place) -> str:
    lines = [line.split() for line in place.files.get("/etc/resolv.conf", "").splitlines()]
    return next((words[1] for words in lines if words[:1] == ["nameserver"] and words[1:]), "127.0.0.1")
