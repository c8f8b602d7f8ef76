"""`nc`: connect to a port, or listen on one.

Models: busybox 1.35; where an option of netcat 1.10 is given (-z, -v, -u, -n, -s), the applet that Alpine builds
(networking/nc_bloaty.c), whose words differ: without -v it says nothing.
A listener (`nc -l -p PORT`) is there as soon as the command is, and stays: as if started in the background, with -k. It
answers each client with one line: how it saw the client, and its own end.
Without an input the connection is opened and closed, and nothing is asked.
Leaves out: -e, -f, -i, -o, and what a listener prints.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text, parse_ip
from simnet.net.program import Server
from simnet.net.socket import Listener

from .ending import Ending, Options, usage
from .place import Place
from .talk import connect, page, send, settle
from .words import STRERROR

_COMPATIBLE = set("zvuns")


def nc(place: Place, words: list[str], stdin: str) -> Answer:
    """`nc [-z] [-v] [-u] [-n] [-w SEC] [-p PORT] HOST PORT`, or `nc -l -p PORT`."""
    asked = Options("nc", words, flags="lzvunk", values="pws", real="eifob")
    if "l" in asked.flags:
        return _listen(place, asked)
    if len(asked.words) != 2:
        raise usage("nc")
    host, text = asked.words
    found = place.look_up(host)
    if not found:
        raise Ending(f"nc: bad address '{host}'")
    port = _port(text)
    if "u" in asked.flags:
        return _datagrams(place, asked, found[0], port, stdin)
    request = None if "z" in asked.flags else stdin.encode() or None
    wait, sport = asked.number("w", 0), asked.number("p", 0)
    done = connect(place.namespace, found[0], port, "nc", request=request, patience=wait, sport=sport)
    compatible = bool(_COMPATIBLE & (asked.flags | set(asked.values)))
    if compatible:
        said = _verbose(asked, found[0], port, done.errno if not done.connected else "")
    elif done.connected:
        said = ""
    elif done.errno == "ETIMEDOUT" and wait:
        said = "nc: timed out\n"
    else:
        said = f"nc: can't connect to remote host ({ip_text(found[0])}): {STRERROR[done.errno]}\n"
    return Answer(page(done.data), said, 0 if done.connected else 1)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Ending(f"nc: bad port '{text}'")
    return int(text)


def _verbose(asked: Options, to: int, port: int, errno: str) -> str:
    """What -v says: that it is open, or why not (a refusal only with a second -v)."""
    often = asked.times.get("v", 0)
    where = f"{asked.words[0]} ({ip_text(to)}:{port})"
    if not errno:
        return f"{where} open\n" if often else ""
    return f"nc: {where}: {STRERROR[errno]}\n" if often > 1 or (often and errno != "ECONNREFUSED") else ""


def _datagrams(place: Place, asked: Options, to: int, port: int, stdin: str) -> Answer:
    """UDP: a port is open unless an ICMP error says that it is not."""
    wait, data = asked.number("w", 1), b"\0" if "z" in asked.flags else stdin.encode()
    if not data:
        return Answer()
    done = send(place.namespace, to, port, data, "nc", patience=wait, sport=asked.number("p", 0))
    settle(place.namespace.network)
    answer = "" if "z" in asked.flags else page(done.data)
    return Answer(answer, _verbose(asked, to, port, done.errno), 1 if done.errno else 0)


def _listen(place: Place, asked: Options) -> Answer:
    """Start a server."""
    proto = "udp" if "u" in asked.flags else "tcp"
    port = _port(asked.values["p"]) if "p" in asked.values else 0
    if not port:
        raise usage("nc")
    address, namespace = 0, place.namespace
    if "s" in asked.values:
        try:
            address = parse_ip(asked.values["s"])
        except ValueError:
            raise Ending(f"nc: bad address '{asked.values['s']}'") from None
        if address and not namespace.owns(address):
            raise Ending(f"nc: bind: {STRERROR['EADDRNOTAVAIL']}")
    for one in namespace.sockets:
        same = isinstance(one, Listener) == (proto == "tcp") and one.port == port
        if same and (not one.address or not address or one.address == address):
            raise Ending(f"nc: bind: {STRERROR['EADDRINUSE']}")
    Server(namespace, proto, address, port, by="nc").listen()
    return Answer()
