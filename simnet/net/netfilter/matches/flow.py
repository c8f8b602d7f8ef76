"""Matches on what the kernel counts and notes of connections: bytes, how many, helpers, labels, nodes."""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, bang, find, undecided, value


def _helper(options: tuple[Option, ...], _proto: int) -> Test:
    """No connection here was foreseen by a helper, so a name matches none (helper_mt)."""
    negated = options[-1].negated if options else False
    return lambda _: negated


def _show_helper(options: tuple[Option, ...], _numeric: bool) -> str:
    return f'helper match {bang(options[-1])}"{options[-1].values[0]}"'


def _connlabel(options: tuple[Option, ...], _proto: int) -> Test:
    """A connection that the rule labels has the label from then on; what others have is not known (connlabel_mt)."""
    option = find(options, "--label")
    if option is None:
        raise ValueError("--label is missing")
    sets = find(options, "--set") is not None

    def test(c: Context) -> bool | None:
        if c.skb.connection is None:
            return option.negated
        return not option.negated if sets else None

    return test


def _show_connlabel(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, "--label")
    return f"connlabel {bang(option)}{value(options, '--label')}" + (" set" if find(options, "--set") else "")


def _limit_of(options: tuple[Option, ...]) -> tuple[int, bool]:
    """The number of connections, and whether more than that are asked for."""
    option = find(options, "--connlimit-above", "--connlimit-upto")
    if option is None:
        raise ValueError("--connlimit-above or --connlimit-upto is missing")
    return values.number(option.values[0]), (option.name == "--connlimit-above") != option.negated


def _connlimit(options: tuple[Option, ...], _proto: int) -> Test:
    """The packet's own connection is one; how many others there are is not known."""
    limit, above = _limit_of(options)
    return undecided if limit else lambda _: above


def _show_connlimit(options: tuple[Option, ...], _numeric: bool) -> str:
    limit, above = _limit_of(options)
    mask = value(options, "--connlimit-mask", default="32")
    if not mask.isdigit():
        mask = str(values.address(mask).bit_count())
    side = "dst" if find(options, "--connlimit-daddr") else "src"
    return f"#conn {side}/{mask} {'>' if above else '<='} {limit}"


def _bounds(option: Option) -> tuple[int, int | None]:
    low, found, high = option.values[0].partition(":")
    first = values.number(low, 2**64 - 1) if low else 0
    return first, values.number(high, 2**64 - 1) if found and high else None


def _connbytes(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, "--connbytes")
    if option is None:
        raise ValueError("--connbytes is missing")
    _bounds(option)
    return lambda c: False if c.skb.connection is None else None


def _show_connbytes(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, "--connbytes")
    low, high = _bounds(option) if option is not None else (0, None)
    mode, direction = value(options, "--connbytes-mode"), value(options, "--connbytes-dir")
    text = str(low) if high is None else f"{low}:{high}"
    return f"{bang(option)}connbytes {text} connbytes mode {mode} connbytes direction {direction}"


def _cluster_mask(options: tuple[Option, ...]) -> tuple[int, Option | None]:
    option = find(options, "--cluster-local-node", "--cluster-local-nodemask")
    if option is None:
        return 1, None
    if option.name == "--cluster-local-node":
        return 1 << values.number(option.values[0], 32) - 1, option
    return values.number(option.values[0]), option


def _cluster(options: tuple[Option, ...], _proto: int) -> Test:
    _cluster_mask(options)
    return lambda c: False if c.skb.connection is None else None


def _show_cluster(options: tuple[Option, ...], _numeric: bool) -> str:
    mask, option = _cluster_mask(options)
    total, seed = value(options, "--cluster-total-nodes"), values.number(value(options, "--cluster-hash-seed"))
    nodes = f"{bang(option, '!')}node_mask=0x{mask:08x}"
    return f"cluster {nodes} total_nodes={values.number(total)} hash_seed=0x{seed:08x}"


MODULES = {
    "helper": Module({"--helper": 1}, _helper, _show_helper),
    "connlabel": Module(
        {"--label": 1, "--set": 0},
        _connlabel,
        _show_connlabel,
        "which labels a connection bears is not in a snapshot (conntrack -L -o labels)",
    ),
    "connlimit": Module(
        {"--connlimit-upto": 1, "--connlimit-above": 1, "--connlimit-mask": 1, "--connlimit-saddr": 0,
         "--connlimit-daddr": 0},
        _connlimit,
        _show_connlimit,
        "how many connections are open already is not in a snapshot (conntrack -L)",
    ),
    "connbytes": Module(
        {"--connbytes": 1, "--connbytes-dir": 1, "--connbytes-mode": 1},
        _connbytes,
        _show_connbytes,
        "what a connection carried so far is not in a snapshot (conntrack -L)",
    ),
    "cluster": Module(
        {"--cluster-total-nodes": 1, "--cluster-local-node": 1, "--cluster-local-nodemask": 1,
         "--cluster-hash-seed": 1},
        _cluster,
        _show_cluster,
        "which node of a cluster a connection falls to, the kernel alone computes",
    ),
}  # fmt: skip
