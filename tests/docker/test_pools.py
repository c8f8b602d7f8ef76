"""Which subnet the next network takes: the first free one, or, up to engine 26, the one after the last."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.docker.command.cli import Session
from simnet.docker.ipam import Exhausted, Pools, Taken
from simnet.docker.options import Pool

OLD, NEW = ("20.10", "26.1"), ("28.0.0", "28.5.2", "29.7.2")


def blocks(*texts):
    return tuple(Pool(IPv4Network(text), int(size)) for text, _, size in (text.rpartition("-") for text in texts))


def pools(*texts, rotates=False, reserved=()):
    return Pools(blocks(*texts), rotates, tuple(map(IPv4Network, reserved)))


def take(pools, count=1):
    return [str(pools.take()) for _ in range(count)]


def test_the_pools_in_their_order():
    assert take(pools("10.1.0.0/23-24", "10.9.0.0/16-16"), 3) == ["10.1.0.0/24", "10.1.1.0/24", "10.9.0.0/16"]


def test_none_is_left():
    some = pools("10.1.0.0/23-24")
    take(some, 2)
    with pytest.raises(Exhausted):
        some.take()
    some.give_back(IPv4Network("10.1.1.0/24"))
    assert take(some) == ["10.1.1.0/24"]


@pytest.mark.parametrize("rotates", [False, True])
def test_what_overlaps_is_skipped(rotates):
    some = pools("10.1.0.0/21-24", rotates=rotates, reserved=["10.1.1.7/32", "0.0.0.0/32"])
    some.claim(IPv4Network("10.1.2.0/23"))
    with pytest.raises(Taken):
        some.claim(IPv4Network("10.1.3.128/25"))
    assert take(some, 2) == ["10.1.0.0/24", "10.1.4.0/24"]


def test_the_first_free_one_is_taken_again():
    some = pools("10.1.0.0/22-24")
    take(some, 3)
    some.give_back(IPv4Network("10.1.0.0/24"))
    assert take(some, 2) == ["10.1.0.0/24", "10.1.3.0/24"]


def test_rotation_goes_on_after_the_last_and_begins_anew():
    some = pools("10.1.0.0/23-24", "10.2.0.0/24-24", rotates=True)
    assert take(some) == ["10.1.0.0/24"]
    some.give_back(IPv4Network("10.1.0.0/24"))  # also where the last one is free again
    assert take(some, 2) == ["10.1.1.0/24", "10.2.0.0/24"]
    some.give_back(IPv4Network("10.1.1.0/24"))
    assert take(some, 2) == ["10.1.0.0/24", "10.1.1.0/24"]


def test_rotation_comes_back_to_the_last_itself():
    some = pools("10.1.0.0/24-24", rotates=True)
    for _ in range(3):
        assert take(some) == ["10.1.0.0/24"]
        some.give_back(IPv4Network("10.1.0.0/24"))


def test_a_large_pool_is_not_gone_through():
    some = pools("10.0.0.0/8-32", rotates=True)
    assert take(some, 3)[-1] == "10.0.0.2/32"


def expected(candidates, held, last, *, rotates):
    """The next one by a plain list."""
    start = candidates.index(last) + 1 if rotates and last is not None else 0
    free = [one for one in candidates[start:] + candidates[:start] if not any(one.overlaps(other) for other in held)]
    return free[0] if free else None


@given(st.booleans(), st.lists(st.integers(-4, 9), max_size=40))
def test_every_sequence_gives_what_a_plain_list_gives(rotates, acts):
    """Negative: take one; else give back the one at that place, or claim it where nobody has it."""
    some, last = pools("10.1.0.0/22-24", "10.2.0.0/23-25", "10.3.0.0/16-16", rotates=rotates), None
    candidates = [subnet for pool in some.pools for subnet in pool.base.subnets(new_prefix=pool.size)]
    held = []
    for act in acts:
        if act >= 0:
            subnet = candidates[act % len(candidates)]
            if subnet in held:
                held.remove(subnet)
                some.give_back(subnet)
            else:
                held.append(subnet)
                some.claim(subnet)
            continue
        wanted = expected(candidates, held, last, rotates=rotates)
        if wanted is None:
            with pytest.raises(Exhausted):
                some.take()
            continue
        last = some.take()
        assert last == wanted
        held.append(last)


def subnets(version, *lines):
    made = Session(version)
    for line in lines:
        assert made.run(line).code == 0
    return made.run("docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' last").out.strip()


@pytest.mark.parametrize(
    ("version", "subnet"), [(one, "172.19.0.0/16") for one in OLD] + [(one, "172.18.0.0/16") for one in NEW]
)
def test_engines(version, subnet):
    lines = ("docker network create a", "docker network rm a", "docker network create last")
    assert subnets(version, *lines) == subnet
