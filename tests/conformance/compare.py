"""How a trace is held against what the real kernel did with the same probe.

A recording's `expected.json` names, for each probe, the result, the chain walks and the devices. Three things are
compared; what one side cannot know is left out of both:

- the verdict, and the address that the server saw (a port `*` was the kernel's free choice: the address alone counts);
- every chain walk of the probe's own protocol in which a rule matched or a policy dropped, found by where it was, its
  table, its devices, its addresses, ports and flags. Of a connection only the handshake and bare acknowledgements
  count, and ports that nobody chose (from 32768 on) are all the same;
- the devices that the first packet crossed in each namespace, as far as both sides saw them.
"""

from itertools import pairwise

ERRNO_VERDICTS = {
    "ECONNREFUSED": "refused",
    "ENETUNREACH": "net-unreachable",
    "EHOSTUNREACH": "host-unreachable",
    "ECONNRESET": "reset",
}
PING_VERDICTS = {"reply": "reply", "timeout": "timeout", "unreachable": "net-unreachable"}
COMPARED_FLAGS = {"", "SYN", "SYN ACK", "ACK"}
FIRST_FREE_PORT = 32768


def differences(expected, answer):
    """Each difference between a probe's entry in `expected.json` and the JSON of its trace, as one line of text."""
    return [
        *_verdict(expected, answer),
        *_walks(expected, answer["walks"]),
        *_devices(expected["devices"], answer["devices"]),
    ]


def options(expected):
    """The options of the probe's client: `ttl` and `size`, where it was given one."""
    words = expected.get("args") or []
    names = {"-t": "ttl", "-s": "size"}
    return {names[word]: int(value) for word, value in pairwise(words) if word in names}


def _verdict(expected, answer):
    word, _, rest = expected["result"].partition(" ")
    verdict, seen = answer["verdict"], answer["server_saw"] or ""
    if expected["proto"] == "icmp":
        wanted = PING_VERDICTS[word]
        verdict = "timeout" if verdict == "ttl-exceeded" else verdict  # ping goes on waiting, and so ends in time
    elif word == "error":
        wanted = ERRNO_VERDICTS.get(rest, rest.lower())
    else:
        wanted = word
    if verdict != wanted:
        yield f"verdict: the kernel {expected['result']!r}, simnet {answer['verdict']!r}"
    elif rest and word == "reply":
        client = rest.partition(">")[0]
        address, _, port = client.rpartition(":")
        if seen != client and not (port == "*" and seen.rpartition(":")[0] == address):
            yield f"server saw: the kernel {client!r}, simnet {seen!r}"


def _walks(expected, found):
    chosen = {expected["sport"], expected["dport"], *(server[3] for server in expected["servers"])}
    kernel = _deciding(expected["walks"], chosen)
    simnet = _deciding((walk for walk in found if walk["proto"] == expected["proto"]), chosen)
    for key in kernel.keys() | simnet.keys():
        if kernel.get(key) != simnet.get(key):
            yield f"walk {key}:\n    kernel {kernel.get(key)}\n    simnet {simnet.get(key)}"


def _deciding(walks, chosen):
    """The walks that say something, by what identifies them; of several alike the first."""
    kept = {}
    for walk in walks:
        rules = [rule for rule in walk["rules"] if not rule.endswith((" policy ACCEPT", " policy "))]
        flags = "SYN ACK" if walk["flags"] == "ACK SYN" else walk["flags"] or ""
        if rules and flags in COMPARED_FLAGS:
            ports = (_port(walk["sport"], chosen), _port(walk["dport"], chosen))
            devices = (walk["iif"] or "", walk["oif"] or "")
            key = (walk["where"], walk["table"], *devices, walk["src"], walk["dst"], *ports, flags)
            kept.setdefault(key, rules)
    return kept


def _port(number, chosen):
    number = number or 0
    return number if number in chosen or number < FIRST_FREE_PORT else 0


def _devices(kernel, simnet):
    for place, path in kernel.items():
        own = simnet.get(place, [])
        common = min(len(path), len(own))
        if path[:common] != own[:common] or (path and not own):
            yield f"devices of {place}: the kernel {path}, simnet {own}"
