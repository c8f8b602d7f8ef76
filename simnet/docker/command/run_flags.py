"""What `docker run` is told besides its networks and ports: namespaces to share, names, DNS, sysctls, the command.

The docker command itself refuses some of it, before the engine hears of it.

Example:
    >>> from simnet.docker.command.flags import VALUE, read
    >>> from simnet.docker.rules.version import layout_of
    >>> besides(read(["--pid", "container:", "busybox"], {"pid": VALUE}, {}), layout_of("28.5.2"))
    Traceback (most recent call last):
    ...
    simnet.docker.command.flags.BadFlag: --pid: invalid PID mode

Models: cli/command/container/opts.go and opts/*.go of docker's command line.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from simnet.docker.command.flags import BadFlag, Given
from simnet.docker.container.files import split_host

if TYPE_CHECKING:
    from simnet.docker.rules.layout import Layout

_NOT_USER_MADE = {"bridge", "default", "host", "none"}
# the sysctls that belong to a namespace, beside net.* and fs.mqueue.*
_SYSCTLS = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced"}  # fmt: skip
# how clients before 28 know a server that only the host reaches: no anchor in front, so 2001:db8::1 counts as well
_OLD_LOCAL = re.compile(r"127\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}|::1$")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")


def besides(given: Given, layout: Layout) -> dict[str, Any]:
    """Fields of ContainerOptions; BadFlag in docker's words where the command line does not take them."""
    pid, uts, userns = given.last("pid"), given.last("uts"), given.last("userns")
    if pid not in {"", "host"} and not (pid.startswith("container:") and pid != "container:"):
        raise BadFlag("--pid: invalid PID mode", "client")
    if uts not in {"", "host"}:
        raise BadFlag("--uts: invalid UTS mode", "client")
    if userns not in {"", "host"}:
        raise BadFlag("--userns: invalid USER mode", "client")
    mac = given.last("mac-address")
    if mac and not _MAC.fullmatch(mac):
        raise BadFlag(f"{mac} is not a valid mac address", "client")
    return {
        "pid": pid, "uts": uts, "userns": userns, "ipc": given.last("ipc"), "domainname": given.last("domainname"),
        "dns": tuple(_server(text, layout) for text in given.all("dns")),
        "dns_search": tuple(given.all("dns-search")), "dns_options": tuple(given.all("dns-option")),
        "extra_hosts": tuple(_host(text, layout) for text in given.all("add-host")),
        "sysctls": tuple(_sysctl(text, layout) for text in given.all("sysctl")),
        "command": tuple(given.words[1:]),
    }  # fmt: skip


def check_network(given: Given, layout: Layout, names: list[str]) -> None:
    """What the command line refuses of a network that no user made; `names` are those given, if any."""
    user_made = bool(names) and names[0] not in _NOT_USER_MADE and not names[0].startswith("container:")
    old = "older_client" in layout.features
    if user_made:
        return
    if (given.all("network-alias") or given.all("net-alias")) and (names or "silent_default" not in layout.features):
        raise BadFlag("network-scoped aliases are only supported for user-defined networks", "client")
    if given.all("link") and names and old:
        raise BadFlag("links are only supported for user-defined networks", "client")


def warnings(given: Given, layout: Layout) -> list[str]:
    """What the command line warns of by itself: name servers that the host alone reaches."""
    old = "older_client" in layout.features
    local = (text for text in given.all("dns") if (_OLD_LOCAL.search(text) if old else ip_address(text).is_loopback))
    return [layout.say("dns_local", address=text) for text in local][:1]


def link(text: str) -> tuple[str, str]:
    """The value of `--link`: a container, and the name that it goes by."""
    name, colon, alias = text.partition(":")
    if ":" in alias or not name or (colon and not alias):
        raise _bad(text, "link", f"bad format for links: {text}")
    return name, alias or name


def _server(text: str, layout: Layout) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise _bad(text, "dns", layout.say("dns_invalid", value=text)) from None


def _host(text: str, layout: Layout) -> str:
    plain = "plain_add_host" in layout.features
    name, address = text.partition(":")[::2] if plain else split_host(text)
    if not name or not address:
        raise _bad(text, "add-host", f'bad format for add-host: "{text}"')
    try:
        ip_address(address if plain else address.removeprefix("[").removesuffix("]"))
    except ValueError:
        if address != "host-gateway":
            raise _bad(text, "add-host", f'invalid IP address in add-host: "{address}"') from None
    return text


def _sysctl(text: str, layout: Layout) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not (key in _SYSCTLS or key.startswith(("net.", "fs.mqueue."))):
        raise _bad(text, "sysctl", layout.say("sysctl_invalid", value=text))
    return key, value


def _bad(text: str, flag: str, why: str) -> BadFlag:
    return BadFlag(f'invalid argument "{text}" for "--{flag}" flag: {why}')
