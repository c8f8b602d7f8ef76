"""Addresses: which subnet a network takes, and which address a container.

Models: libnetwork/ipam and ipams/defaultipam of moby 20.10 (pools taken in turn) and 28 (the first free one).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import chain, dropwhile, islice, takewhile

from simnet.docker.options import Pool

Subnet = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Exhausted(Exception):
    """No pool or no address is left."""


class Taken(Exception):
    """The subnet overlaps another one, or the address is in use."""


class Outside(Exception):
    """The address is not of the subnet."""


@dataclass(slots=True)
class Addresses:
    """The addresses of one subnet: the lowest free one of `within` (the ip-range) is given out next.

    `serial`: the next free one after the last that was given out, from the beginning again at the end, as in a swarm.

    Example:
        >>> pool = Addresses(IPv4Network("192.0.2.0/29"))
        >>> str(pool.take()), str(pool.take("192.0.2.4")), str(pool.take())
        ('192.0.2.1', '192.0.2.4', '192.0.2.2')
        >>> pool.give_back(IPv4Address("192.0.2.1"))
        >>> str(pool.take())
        '192.0.2.1'
        >>> pool = Addresses(IPv4Network("192.0.2.0/30"), serial=True)
        >>> pool.give_back(pool.take())
        >>> str(pool.take()), str(pool.take())
        ('192.0.2.2', '192.0.2.1')
    """

    subnet: Subnet
    within: Subnet | None = None
    serial: bool = False
    _used: set[int] = field(default_factory=set)
    _freed: list[int] = field(default_factory=list)
    _next: int = -1

    def take(self, wanted: str = "") -> Address:
        """An address: the one wanted, or the lowest free one."""
        made = IPv4Address if self.subnet.version == 4 else IPv6Address
        if wanted:
            address = made(wanted)
            if address not in self.subnet:
                raise Outside(wanted)
            if int(address) in self._used or int(address) in self._reserved():
                raise Taken(wanted)
            self._used.add(int(address))
            return address
        number = self._after_last() if self.serial else self._lowest()
        self._used.add(number)
        return made(number)

    def give_back(self, address: Address) -> None:
        """The address is free again."""
        if int(address) in self._used:
            self._used.discard(int(address))
            block = self.within or self.subnet
            if address in block and int(address) < self._next:
                heapq.heappush(self._freed, int(address))

    def _reserved(self) -> set[int]:
        """The network's own address, and the broadcast address of IPv4."""
        first, last = int(self.subnet.network_address), int(self.subnet.broadcast_address)
        return {first, last} if self.subnet.version == 4 else {first}

    def _after_last(self) -> int:
        """The next free address from the cursor on (SetAnyInRange of bitmap.go)."""
        block, reserved = self.within or self.subnet, self._reserved()
        first, last = int(block.network_address), int(block.broadcast_address)
        start = self._next if first < self._next <= last else first
        for number in chain(range(start, last + 1), range(first, start)):
            if number not in self._used and number not in reserved:
                self._next = number + 1
                return number
        raise Exhausted(str(self.subnet))

    def _lowest(self) -> int:
        while self._freed:
            number = heapq.heappop(self._freed)
            if number not in self._used:
                return number
        block = self.within or self.subnet
        number, reserved = max(self._next, int(block.network_address)), self._reserved()
        while number <= int(block.broadcast_address):
            if number not in self._used and number not in reserved:
                self._next = number + 1
                return number
            number += 1
        self._next = number
        raise Exhausted(str(self.subnet))


@dataclass(slots=True)
class Pools:
    """The subnets that networks have, and the pools that the next one is cut out of.

    `rotates`: the next network takes the subnet after the last one taken, as up to engine 26.

    Example:
        >>> pools = Pools((Pool(IPv4Network("10.0.0.0/8"), 24),))
        >>> str(pools.take()), str(pools.take())
        ('10.0.0.0/24', '10.0.1.0/24')
        >>> pools.give_back(IPv4Network("10.0.0.0/24"))
        >>> str(pools.take())
        '10.0.0.0/24'
    """

    pools: tuple[Pool, ...]
    rotates: bool = False
    reserved: tuple[Subnet, ...] = ()
    taken: list[Subnet] = field(default_factory=list)
    _last: IPv4Network | None = None

    def claim(self, subnet: Subnet) -> None:
        """Take this subnet; `Taken` where it overlaps another network's."""
        if _overlaps(subnet, self.taken):
            raise Taken(str(subnet))
        self.taken.append(subnet)

    def take(self) -> IPv4Network:
        """Take the next free subnet; subnets that the host has routes to are left out."""
        for subnet in self._candidates():
            if not _overlaps(subnet, self.taken) and not _overlaps(subnet, self.reserved):
                self.taken.append(subnet)
                self._last = subnet
                return subnet
        raise Exhausted("pools")

    def give_back(self, subnet: Subnet) -> None:
        """The subnet is free again."""
        if subnet in self.taken:
            self.taken.remove(subnet)

    def _candidates(self) -> Iterator[IPv4Network]:
        def every() -> Iterator[IPv4Network]:
            for pool in self.pools:
                yield from pool.base.subnets(new_prefix=max(pool.size, pool.base.prefixlen))

        last = self._last if self.rotates else None
        yield from islice(dropwhile(lambda subnet: subnet != last, every()), 1, None) if last is not None else every()
        if last is not None:
            yield from takewhile(lambda subnet: subnet != last, every())
            yield last


def _overlaps(subnet: Subnet, others: Iterable[Subnet]) -> bool:
    return any(other.version == subnet.version and subnet.overlaps(other) for other in others)
