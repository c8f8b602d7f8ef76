"""sysctl, and the tree of /proc/sys that it reads and writes.

Models: procps 4.0 (sysctl), and which keys a namespace has, as far as the model asks for them.
Leaves out: every key that no packet of the model hangs on; it is said to be missing, as one that no kernel has.
`net.ipv4.conf.default.*` holds for no device that is made later.
"""

from __future__ import annotations

import re

from simnet.answer import Answer
from simnet.net.namespace import NetNamespace

from .ending import Ending, unmodelled
from .place import Place
from .words import STRERROR

_DEFAULTS = {
    "net.ipv4.ip_forward": "0", "net.ipv4.icmp_echo_ignore_all": "0", "net.ipv4.icmp_echo_ignore_broadcasts": "1",
}  # fmt: skip
_OF_DEVICE = {"rp_filter": "0", "route_localnet": "0", "accept_local": "0", "src_valid_mark": "0", "forwarding": "0",
              "promote_secondaries": "0"}  # fmt: skip
_OF_BRIDGES = {"net.bridge.bridge-nf-call-iptables": "1", "net.bridge.bridge-nf-call-ip6tables": "1"}
_SYSCTLS = "/proc/sys/"


def keys(namespace: NetNamespace) -> dict[str, str]:
    """Every key of a namespace that the model knows, with its value, in order of their names."""
    found = dict(_DEFAULTS)
    for name in ("all", "default", *namespace.devices):
        found |= {f"net.ipv4.conf.{name}.{key}": value for key, value in _OF_DEVICE.items()}
    if any(key.startswith("net.bridge.") for key in namespace.sysctls):
        found |= _OF_BRIDGES
    if namespace.tracks_connections:
        found |= {"net.netfilter.nf_conntrack_max": str(namespace.conntrack.maximum),
                  "net.netfilter.nf_conntrack_count": str(len(namespace.conntrack))}  # fmt: skip
    forwarding = namespace.sysctls.get("net.ipv4.ip_forward", "0")
    found |= {key: forwarding for key in found if key.endswith(".forwarding")}
    return dict(sorted((found | namespace.sysctls).items()))


def write(namespace: NetNamespace, key: str, value: str) -> str:
    """Set a key; the errno where the kernel refuses the value. `ip_forward` is that of all devices at once."""
    number = re.match(r"\s*(-?\d+)(\s|$)", value)
    if number is None or key == "net.netfilter.nf_conntrack_count":
        return "EINVAL"
    if key == "net.netfilter.nf_conntrack_max":
        namespace.conntrack.maximum = int(number[1])
    elif key in {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"}:
        namespace.sysctls["net.ipv4.ip_forward"] = str(int(number[1]))
    elif key.endswith(".forwarding"):
        raise unmodelled("kernel", f"{key} apart from net.ipv4.ip_forward")
    else:
        namespace.sysctls[key] = str(int(number[1]))
    return ""


def key_of(path: str) -> str:
    """The key of a file under /proc/sys; a dot in a device's name is a slash in a key, as sysctl writes it.

    Example:
        >>> key_of("/proc/sys/net/ipv4/ip_forward")
        'net.ipv4.ip_forward'
    """
    return path.removeprefix(_SYSCTLS).translate(str.maketrans("/.", "./"))


def sysctl(place: Place, words: list[str], _stdin: str) -> Answer:
    """`sysctl [-n] [-w] [-q] [-e] [-a] KEY[=VALUE]…`."""
    asked, given = set[str](), list[str]()
    for word in words:
        if word.startswith("--"):
            raise unmodelled("sysctl", f"sysctl {word}")
        if word.startswith("-"):
            unknown = set(word[1:]) - set("nwqeaA")
            if unknown:
                raise unmodelled("sysctl", f"sysctl -{min(unknown)}")
            asked |= set(word[1:].replace("A", "a"))
        else:
            given.append(word)
    known = keys(place.namespace)
    if "a" in asked:
        return Answer("".join(_line(key, value, asked) for key, value in known.items()))
    if not given:
        raise Ending("\nUsage:\n sysctl [options] [variable[=value] ...]\n\nFor more details see sysctl(8).")
    out, err, code = "", "", 0
    for word in given:
        name, sets, value = word.partition("=")
        key = name.strip() if "/" not in name.partition(".")[0] else key_of(_SYSCTLS + name.strip())
        if key not in known:
            if "e" not in asked:
                path = _SYSCTLS + key.translate(str.maketrans("/.", "./"))
                err, code = f"{err}sysctl: cannot stat {path}: {STRERROR['ENOENT']}\n", 1
            continue
        if "w" in asked and not sets:
            err, code = err + "sysctl: command line(0): invalid syntax, continuing...\n", 1
            continue
        refused = write(place.namespace, key, value) if sets else ""
        if refused:
            err, code = err + f'sysctl: setting key "{key}": {STRERROR[refused]}\n', 1
            continue
        if not (sets and "q" in asked):
            out += _line(key, keys(place.namespace)[key] if not sets else value.strip(), asked)
    return Answer(out, err, code)


def _line(key: str, value: str, asked: set[str]) -> str:
    return f"{value}\n" if "n" in asked else f"{key} = {value}\n"
