r"""Linux commands over a model namespace: one file for each, and the table of their names.

Models: iproute2 6.1, iptables 1.8.9 and busybox 1.35 as Debian 12 has them, each file its own.

Example:
    >>> from simnet.net.network import Network
    >>> place = Place(Network().namespace("h1/host"), "h1")
    >>> run(place, ["hostname"])
    Answer(out='h1\n', err='', code=0)
    >>> run(place, ["foo"]).err
    'sh: foo: not found\n'
"""

from __future__ import annotations

from collections.abc import Callable

from simnet.answer import Answer

from ..shell import Shell, not_found
from .arp import arp
from .bridge import bridge
from .curl import curl
from .ending import Ending
from .files import cat, tee
from .ifconfig import ifconfig
from .ip import ip
from .iptables import ip6tables, iptables, iptables_restore, iptables_save
from .names import getent, hostname, nslookup
from .nc import nc
from .netstat import netstat
from .ping import ping
from .place import Place
from .route import route
from .simple import echo, false, id_, pwd, sleep, true, uname, whoami
from .ss import ss
from .sysctl import sysctl
from .telnet import telnet
from .traceroute import traceroute
from .wget import wget

__all__ = ["COMMANDS", "Place", "run"]

Tool = Callable[[Place, list[str], str], Answer]


def sh(place: Place, words: list[str], stdin: str) -> Answer:
    """`sh -c SCRIPT`, or a script on standard input."""
    if words[:1] == ["-c"] and len(words) == 2:
        script = words[1]
    elif not words:
        script = stdin
    else:
        return Answer("", "simnet's sh models `sh -c SCRIPT`\n", 2)
    return Shell(lambda inner, given: run(place, inner, given)).run(script)


COMMANDS: dict[str, Tool] = {
    "arp": arp, "ash": sh, "bash": sh, "bridge": bridge, "cat": cat, "curl": curl, "echo": echo, "false": false,
    "getent": getent, "hostname": hostname, "id": id_, "ifconfig": ifconfig, "ip": ip, "ip6tables": ip6tables,
    "iptables": iptables, "iptables-restore": iptables_restore, "iptables-save": iptables_save, "nc": nc,
    "netstat": netstat, "nslookup": nslookup, "ping": ping, "pwd": pwd, "route": route, "sh": sh, "sleep": sleep,
    "ss": ss, "sysctl": sysctl, "tee": tee, "telnet": telnet, "traceroute": traceroute, "true": true, "uname": uname,
    "wget": wget, "whoami": whoami,
}  # fmt: skip
# real tools that people reach for, and what to do instead
_UNMODELLED = {
    **dict.fromkeys(("ufw", "firewall-cmd", "nft"), "; write what it would do as iptables rules"),
    **dict.fromkeys(("tcpdump", "conntrack"), "; `simnet trace` shows what it would"),
    **dict.fromkeys(("systemctl", "service", "journalctl", "lsof", "ipset", "dig", "host", "ethtool", "tc", "mtr",
                     "nmap",
                     "env", "python3", "apt-get", "apk", "sudo", "nsenter", "kill", "ps", "top", "dmesg", "modprobe",
                     "ipvsadm", "socat", "iperf3", "tracepath", "ssh", "vi", "mount", "chroot", "docker-compose"), ""),
}  # fmt: skip
_FOLDERS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")


def run(place: Place, words: list[str], stdin: str = "") -> Answer:
    """Run one command at a place: its words, and its standard input; 127 where there is no such command.

    `busybox NAME …` is the command of that name, and so is its path in /bin, /sbin or /usr.
    """
    if words[:1] == ["busybox"] and words[1:]:
        words = words[1:]
    folder = next((one for one in _FOLDERS if words[0].startswith(one)), "")
    tool = COMMANDS.get(words[0].removeprefix(folder))
    if tool is None and words[0] in _UNMODELLED:
        return Answer("", f"simnet does not model `{words[0]}`{_UNMODELLED[words[0]]}\n", 2)
    if tool is None:
        return not_found(words[0])
    try:
        return tool(place, words[1:], stdin)
    except Ending as ending:
        return ending.answer
