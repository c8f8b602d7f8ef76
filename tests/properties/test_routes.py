"""The routing table finds what a walk over all routes finds."""

from hypothesis import given
from hypothesis import strategies as st

from simnet.net.address import Prefix, mask_of
from simnet.net.route import Fib, Route, RouteQuery

lengths = st.sampled_from([0, 1, 7, 8, 15, 16, 23, 24, 30, 31, 32]) | st.integers(0, 32)
# addresses that share many leading bits, so that prefixes overlap
numbers = st.builds(
    lambda high, low: high << 24 | low, st.sampled_from([10, 11, 192]), st.integers(0, 3)
) | st.integers(0, 0xFFFFFFFF)
routes = st.builds(
    lambda number, length, device, metric, alive: Route(
        Prefix(number & mask_of(length), mask_of(length)), device, metric=metric, alive=alive
    ),
    numbers,
    lengths,
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 2),
    st.booleans(),
)


def search(known, dst, oif):
    """The longest prefix, then the lowest metric, then the oldest, of the routes that may be used."""
    usable = [r for r in known if dst in r.dst and r.alive and (not oif or r.device == oif)]
    return min(usable, key=lambda r: (-r.dst.length, r.metric), default=None)


@given(
    st.lists(routes, max_size=25),
    st.lists(numbers, min_size=1, max_size=9),
    st.sampled_from(["", "a"]),
    st.integers(1, 9),
)
def test_the_longest_prefix(known, asked, oif, at):
    fib = Fib()
    fib.add(known[:at])
    fib.add(known[at:])
    for dst in [*asked, *(route.dst.address for route in known)]:
        found, wanted = fib.lookup(RouteQuery(dst, oif=oif)), search(known, dst, oif)
        assert (found and (found.dst, found.metric)) == (wanted and (wanted.dst, wanted.metric))
        if found is not None:
            assert found.device == wanted.device
