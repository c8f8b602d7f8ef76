"""First match in a long chain: the index and the flow cache beside a plain linear walk, in one run.

    python benchmarks/first_match.py [--rules 10000] [--packets 50000]

Prints packets per second of each, the time to build the index, and the ratios. All three give the same answers, which
is checked before anything is timed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

from simnet.net.address import ip_text
from simnet.net.netfilter import flowcache, tables
from simnet.net.netfilter.context import Context
from simnet.net.netfilter.index import ChainIndex
from simnet.net.netfilter.rule import Chain, Table
from simnet.net.netfilter.save import parse
from simnet.net.network import Network
from simnet.net.packet import TCP, IPv4, TcpSegment, UdpDatagram
from simnet.net.skb import Skb

Flow = tuple[int, int, int, int, int]


def block(dice: random.Random) -> str:
    """A random block of addresses, long prefixes more often than short ones."""
    length = dice.choice([8, 16, 16, 24, 24, 24, 28, 32, 32])
    return f"{ip_text(dice.getrandbits(32) >> (32 - length) << (32 - length))}/{length}"


def ports(dice: random.Random) -> str:
    """A random port, or a range of them."""
    low = dice.randrange(1, 60000)
    return str(low) if dice.random() < 0.7 else f"{low}:{low + dice.randrange(1, 500)}"


def five_tuple_rule(dice: random.Random) -> str:
    """A random rule over addresses, protocol and ports."""
    words = [f"-s {block(dice)}"] if dice.random() < 0.7 else []
    words += [f"-d {block(dice)}"] if dice.random() < 0.7 else []
    proto = dice.choice(["tcp", "udp"])
    words.append(f"-p {proto} -m {proto}")
    words += [f"--sport {ports(dice)}"] if dice.random() < 0.3 else []
    words += [f"--dport {ports(dice)}"] if dice.random() < 0.8 else []
    return f"-A INPUT {' '.join(words)} -j {dice.choice(['ACCEPT', 'DROP'])}"


def table_of(count: int, dice: random.Random) -> Table:
    """A filter table with one long chain."""
    rules = "\n".join(five_tuple_rule(dice) for _ in range(count))
    return parse(f"*filter\n:INPUT ACCEPT [0:0]\n{rules}\nCOMMIT\n").tables["filter"]


def flow(dice: random.Random) -> Flow:
    """A random five-tuple."""
    return (
        dice.getrandbits(32),
        dice.getrandbits(32),
        dice.choice([6, 17]),
        dice.randrange(65536),
        dice.randrange(65536),
    )


def context_of(network: Network, one: Flow) -> Context:
    """A packet of a flow, as a hook sees it."""
    src, dst, proto, sport, dport = one
    transport = TcpSegment(sport, dport, 2) if proto == TCP else UdpDatagram(sport, dport)
    packet = IPv4(src, dst, proto, transport)
    return Context(network.namespace("h1/host"), Skb(1, packet), packet, "INPUT", None, None, "eth0", "")


def linear(chain: Chain, c: Context) -> int:
    """The position of the first rule that matches, found one by one; -1 without one."""
    for position, rule in enumerate(chain.rules):
        if all(match.test(c) for match in rule.matches):
            return position
    return -1


def rate(count: int, run: Callable[[], object]) -> float:
    """Calls per second of the best of three runs over `count` packets."""
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return count / best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=10000)
    parser.add_argument("--packets", type=int, default=50000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    table = table_of(asked.rules, dice)
    chain = table.chains["INPUT"]
    flows = [flow(dice) for _ in range(asked.packets)]
    network = Network()
    few = [context_of(network, one) for one in flows[:300]]

    builds = []
    for _ in range(3):
        begin = time.perf_counter()
        index = ChainIndex(chain.rules)
        builds.append(time.perf_counter() - begin)
    wrong = [one for one, c in zip(flows, few, strict=False) if linear(chain, c) != index.first(*one)]
    if wrong:
        sys.exit(f"the index differs from the linear walk for {wrong[0]}")
    first = index.first
    cold = rate(len(flows), lambda: [first(*one) for one in flows])
    slow = rate(len(few), lambda: [linear(chain, c) for c in few])

    cache = flowcache.FlowCache(table, chain)
    chain.cache = cache
    contexts = [context_of(network, one) for one in flows[:5000]]
    for c in contexts:
        tables.walk(table, chain, c)
    keys = [cache.key(c) for c in contexts] * 20
    find, key = cache.find, cache.key
    if None in map(find, keys):
        sys.exit("the flow cache forgot a flow")
    cached = rate(len(keys), lambda: [find(one) for one in keys])
    keyed = rate(len(contexts), lambda: [find(key(c)) for c in contexts])
    walked = rate(len(contexts), lambda: [tables.walk(table, chain, c) for c in contexts])

    print(f"{asked.rules} rules, {asked.packets} packets")
    print(f"build the index     {min(builds):10.3f} s")
    print(f"linear walk         {slow:12,.0f} packets/s")
    print(f"index, cold         {cold:12,.0f} packets/s   {cold / slow:8.0f} × linear")
    print(f"flow cache          {cached:12,.0f} packets/s   {cached / cold:8.1f} × index")
    print(f"  and its key made  {keyed:12,.0f} packets/s   {keyed / cold:8.1f} × index")
    print(f"  and the walk told {walked:12,.0f} packets/s   {walked / cold:8.1f} × index")


if __name__ == "__main__":
    main()
