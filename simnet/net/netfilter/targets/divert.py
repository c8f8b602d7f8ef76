"""Targets that hand the packet to somebody else, or change what is known of it beside its header.

CT NOTRACK SET SECMARK CONNSECMARK NFQUEUE TPROXY SYNPROXY CLUSTERIP

Models: net/netfilter/xt_CT.c, xt_set.c, xt_NFQUEUE.c, xt_TPROXY.c and their text in libxt_*.c of iptables 1.8.9.
Leaves out: the members that SET adds and deletes.
"""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Word
from .extension import CONTINUE, Act, Extension, Given, Unknown, flags, listed, nothing, number, value, words


def _notrack(_given: Given) -> Act:
    def act(c: Context) -> str:
        if c.skb.connection is None:
            c.skb.untracked = True
        return CONTINUE

    return act


_CT = ("--helper", "--timeout", "--ctevents", "--expevents", "--zone-orig", "--zone-reply", "--zone")


def _ct(given: Given) -> Act:
    if "--notrack" in given:
        return _notrack(given)
    zone = next((name for name in _CT if name.startswith("--zone") and name in given), None)
    return Unknown(f"CT {zone} keeps connections apart by a zone, which is not modelled") if zone else nothing(given)


def _ct_parts(given: Given) -> list[tuple[str, str]]:
    return [(name, value(given, name) or "") for name in _CT if name in given]


def _ct_text(given: Given, _numeric: bool) -> str:
    parts = [f"{name.removeprefix('--')} {text}" for name, text in _ct_parts(given)]
    return " ".join(["CT", *(["notrack"] if "--notrack" in given else []), *parts])


def _ct_words(given: Given) -> list[Word]:
    return flags(given, "--notrack") + [word for pair in _ct_parts(given) for word in words(*pair)]


_MAPS = ("--map-mark", "--map-prio", "--map-queue")


def _set(given: Given) -> Act:
    if not any(name in given for name in ("--add-set", "--del-set", "--map-set")):
        raise ValueError("SET needs --add-set, --del-set or --map-set")
    if "--map-set" in given:
        return Unknown(f"SET takes marks from set {value(given, '--map-set')}, whose extras are not in a snapshot")
    return nothing(given)


def _set_words(given: Given) -> list[Word]:
    found: list[Word] = []
    for name in ("--add-set", "--del-set", "--map-set"):
        if name in given:
            found += words(name, *given[name].values)
        if name == "--add-set":
            found += flags(given, "--exist")
            found += words("--timeout", number(given, "--timeout", 0)) if "--timeout" in given else []
    return found + flags(given, *_MAPS)


def _queue(given: Given) -> Act:
    queue = value(given, "--queue-balance", "--queue-num") or "0"
    without = "lets it go on" if "--queue-bypass" in given else "drops it"
    return Unknown(f"the program on queue {queue} decides; without one the kernel {without}")


def _queue_words(given: Given) -> list[Word]:
    if (balance := value(given, "--queue-balance")) is not None:
        found = words("--queue-balance", balance)
    else:
        found = words("--queue-num", number(given, "--queue-num", 0, 65535))
    return found + flags(given, "--queue-bypass", "--queue-cpu-fanout")


def _queue_text(given: Given, _numeric: bool) -> str:
    texts = [str(word).removeprefix("--queue-") for word in _queue_words(given)]
    return " ".join(["NFQUEUE", *texts])


def _proxy(given: Given) -> tuple[str, int, str]:
    mark, mask = values.value_mask(value(given, "--tproxy-mark") or "0/0")
    port = values.port(value(given, "--on-port") or "0")
    return value(given, "--on-ip") or "0.0.0.0", port, f"0x{mark:x}/0x{mask:x}"


def _tproxy(given: Given) -> Act:
    address, port, _ = _proxy(given)
    return Unknown(f"goes to a transparent socket on {address}:{port} if a program holds one, else it is dropped")


def _tproxy_text(given: Given, _numeric: bool) -> str:
    address, port, mark = _proxy(given)
    return f"TPROXY redirect {address}:{port} mark {mark}"


def _tproxy_words(given: Given) -> list[Word]:
    address, port, mark = _proxy(given)
    return words("--on-port", port, "--on-ip", address, "--tproxy-mark", mark)


def _synproxy_words(given: Given) -> list[Word]:
    found = flags(given, "--sack-perm", "--timestamp")
    for name, highest in (("--wscale", 14), ("--mss", 65535)):
        found += words(name, number(given, name, 0, highest)) if name in given else []
    return found + flags(given, "--ecn")


def _synproxy_text(given: Given, _numeric: bool) -> str:
    return " ".join(["SYNPROXY", *(word.text.removeprefix("--") for word in _synproxy_words(given))]) + " "


def _cluster_text(given: Given, _numeric: bool) -> str:
    if "--new" not in given:
        return "CLUSTERIP"
    mode, mac = value(given, "--hashmode") or "", (value(given, "--clustermac") or "").upper()
    nodes, local = number(given, "--total-nodes", 0), number(given, "--local-node", 0)
    start = number(given, "--hash-init", 0)
    return f"CLUSTERIP hashmode={mode} clustermac={mac} total_nodes={nodes} local_node={local} hash_init={start}"


def _cluster_words(given: Given) -> list[Word]:
    if "--new" not in given:
        return []
    return words(
        "--new", "--hashmode", value(given, "--hashmode") or "",
        "--clustermac", (value(given, "--clustermac") or "").upper(),
        "--total-nodes", number(given, "--total-nodes", 0), "--local-node", number(given, "--local-node", 0),
        "--hash-init", number(given, "--hash-init", 0),
    )  # fmt: skip


EXTENSIONS = {
    "CT": Extension({"--notrack": 0, **dict.fromkeys(_CT, 1)}, _ct, listed(_ct_text), _ct_words),
    "NOTRACK": Extension({}, _notrack, listed(lambda _given, _numeric: "NOTRACK"), lambda _: []),
    "SET": Extension(
        {"--add-set": 2, "--del-set": 2, "--map-set": 2, "--exist": 0, "--timeout": 1, **dict.fromkeys(_MAPS, 0)},
        _set,
        listed(lambda given, _numeric: " ".join(word.text.removeprefix("--") for word in _set_words(given))),
        _set_words,
    ),
    "SECMARK": Extension(
        {"--selctx": 1}, nothing, listed(lambda given, _numeric: f"SECMARK selctx {value(given, '--selctx') or ''}"),
        lambda given: words("--selctx", value(given, "--selctx") or ""),
    ),
    "CONNSECMARK": Extension(
        {"--save": 0, "--restore": 0}, nothing,
        listed(lambda given, _numeric: "CONNSECMARK " + ("save" if "--save" in given else "restore")),
        lambda given: flags(given, "--save", "--restore"),
    ),
    "NFQUEUE": Extension(
        {"--queue-num": 1, "--queue-balance": 1, "--queue-bypass": 0, "--queue-cpu-fanout": 0},
        _queue, listed(_queue_text), _queue_words,
    ),
    "TPROXY": Extension(
        {"--on-port": 1, "--on-ip": 1, "--tproxy-mark": 1}, _tproxy, listed(_tproxy_text), _tproxy_words
    ),
    "SYNPROXY": Extension(
        {"--sack-perm": 0, "--timestamp": 0, "--wscale": 1, "--mss": 1, "--ecn": 0},
        lambda _: Unknown("SYNPROXY answers for the server until the handshake is over; that is not modelled"),
        listed(_synproxy_text), _synproxy_words,
    ),
    "CLUSTERIP": Extension(
        {"--new": 0, "--hashmode": 1, "--clustermac": 1, "--total-nodes": 1, "--local-node": 1, "--hash-init": 1},
        lambda _: Unknown("CLUSTERIP drops what its hash gives to another node; that is not modelled"),
        listed(_cluster_text), _cluster_words,
    ),
}  # fmt: skip
