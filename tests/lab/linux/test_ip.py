"""ip: what addresses do to routes, whatever they are; and what ends in no traceback."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.net.address import ip_text
from tests.lab.world import Model

blocks = st.tuples(st.integers(0x0A000000, 0x0A0000FF), st.integers(20, 32))
WORDS = st.sampled_from([
    "addr", "link", "route", "rule", "neigh", "show", "add", "del", "set", "get", "replace", "flush", "dev", "eth0",
    "docker0", "nope", "10.0.0.1", "10.0.0.0/8", "172.17.0.2", "via", "table", "100", "all", "up", "down", "mtu",
    "1400",
    "-j", "-br", "-4", "-o", "from", "to", "pref", "type", "master", "scope", "link", "src", "metric", "lladdr", "x",
    "02:42:00:00:00:09", "nomaster", "default", "iif", "fwmark", "1/3", "bridge", "veth", "unreachable", "brd", "+",
])  # fmt: skip


def routes(model, place="h1"):
    return model.answer(place, "ip route show table all").out


@given(blocks)
def test_adding_and_deleting_an_address_restores_the_routes(block):
    model = Model()
    before, text = routes(model), f"{ip_text(block[0])}/{block[1]}"
    assert model.run("h1", f"ip addr add {text} dev docker0") == ""
    assert text in model.answer("h1", "ip addr show docker0").out
    assert model.run("h1", f"ip addr del {text} dev docker0") == ""
    assert routes(model) == before


@given(st.lists(blocks, min_size=1, max_size=5, unique=True), st.randoms(use_true_random=False))
def test_so_do_several_in_any_order(found, random):
    model = Model()
    before = routes(model)
    texts = [f"{ip_text(number)}/{length}" for number, length in found]
    for text in texts:
        model.run("h1", f"ip addr add {text} dev docker0 brd +")
    random.shuffle(texts)
    for text in texts:
        model.run("h1", f"ip addr del {text} dev docker0")  # a secondary one may be gone with its primary
    assert routes(model) == before


@given(st.lists(blocks, max_size=4, unique=True))
def test_a_device_that_was_down_comes_back_with_its_connected_routes(found):
    model = Model()
    for number, length in found:
        model.run("web", f"ip addr add {ip_text(number)}/{length} dev eth0")
    before = routes(model, "web").splitlines()
    model.run("web", "ip link set eth0 down; ip link set eth0 up")
    assert sorted(routes(model, "web").splitlines()) == sorted(line for line in before if " via " not in line)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=8))
def test_any_words_end_in_an_answer(words):
    answer = Model().answer("h1", " ".join(["ip", *words]))
    assert answer.code in {0, 1, 2, 255}
    assert answer.code == 0 or answer.err


def test_a_host_is_reached_by_a_route_that_was_typed():
    model = Model()
    assert "100% packet loss" in model.run(
        "wan", "ip route del default; ping -c 1 -W 1 172.17.0.2 2>&1 || echo 100% packet loss"
    )
    model.run("wan", "ip route add 172.17.0.0/16 via 192.0.2.2")
    assert "0% packet loss" in model.run("wan", "ping -c 1 172.17.0.2")
