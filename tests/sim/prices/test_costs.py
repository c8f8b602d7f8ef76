"""Price lists: those that ship load whole, a bad one has one message that points at the place, scaling, digests."""

import pytest

from simnet.errors import SourceError, UnknownName
from simnet.sim.prices import costs
from simnet.sim.prices.keys import KEYS, groups_of, in_group

SAID = "unit: ns, statistic: median, hardware: here, source: me"
BASE = f"name: base\nprices:\n  route: {{value: 100, {SAID}}}\n  device.veth.in: {{value: 10, spread: 4, {SAID}}}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def mine(folder, text, name="mine.yaml"):
    (folder / name).write_text(text)
    return costs.load(str(folder / name))


@pytest.mark.parametrize("name", costs.names())
def test_every_list_that_ships_loads_and_says_where_each_price_comes_from(name):
    found = costs.load(name)
    assert found.name == name
    assert len(found.about) > 100
    for price in found.prices.values():
        assert price.unit == KEYS[price.key].unit
        assert price.statistic in costs.STATISTICS
        assert len(price.hardware) > 20
        assert len(price.source) > 10


@pytest.mark.parametrize("name", costs.names())
def test_every_list_that_ships_prices_every_key_but_these(name):
    assert set(KEYS) - set(costs.load(name).prices) == set(KEYS) - set(costs.load().prices) <= {
        "wire", "proxy.connection",
    }  # fmt: skip


def test_the_lists_that_ship():
    assert set(costs.names()) >= {"linux-6.18-vm", "graft-2018", "felter-2014", "slim-2019"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nprices: {route: {value: 5, unit: ns, statistic: fit, hardware: h}}",
         r"2:17: the price of route has no source; say where it comes from"),
        ("name: x\nprices: {route: {unit: ns, statistic: fit, hardware: h, source: s}}", "route has no value"),
        ("name: x\nprices: {route: {}}", "route has no value, unit, statistic, hardware, source"),
        ("name: x\nprices: {rout: {}}", r"2:16: no key 'rout' here; did you mean 'route'\?"),
        ("name: x\nprices: {route: {valu: 5}}", r"no key 'valu' here; did you mean 'value'\?"),
        (f"name: x\nprices: {{route: {{value: 5, {SAID.replace('unit: ns', 'unit: us')}}}}}",
         r"2:34: 'us' is none of the words wanted here; .*ns"),
        (f"name: x\nprices: {{route: {{value: 5, {SAID.replace('unit: ns', 'unit: ns/byte')}}}}}",
         "2:34: route is paid in ns, not ns/byte"),
        (f"name: x\nprices: {{copy.send: {{value: 5, {SAID}}}}}", "copy.send is paid in ns/byte, not ns"),
        (f"name: x\nprices: {{route: {{value: 5, {SAID.replace('median', 'mode')}}}}}", "'mode' is none of the words"),
        (f"name: x\nprices: {{route: {{value: -5, {SAID}}}}}", "2:25: -5 is no price; a price is 0 or more"),
        (f"name: x\nprices: {{route: {{value: nan, {SAID}}}}}", "2:25: nan is no price"),
        (f"name: x\nprices: {{route: {{value: inf, {SAID}}}}}", "inf is no price"),
        (f"name: x\nprices: {{route: {{value: fast, {SAID}}}}}", "2:25: a number is wanted here, not 'fast'"),
        (f"name: x\nprices: {{route: {{value: true, {SAID}}}}}", "2:25: a number is wanted here, not True"),
        (f"name: x\nprices: {{route: {{value: [5], {SAID}}}}}", "2:25: one plain value is wanted here"),
        (f"name: x\nprices: {{route: {{value: 5, spread: -1, {SAID}}}}}", "-1 is no price"),
        ("name: x\nprices: [route]", "2:9: a mapping is wanted here"),
        ("name: x\n", "1:1: key 'prices' is missing"),
        ("prices: {}", "key 'name' is missing"),
        ("name: x\nprises: {}\nprices: {}", "no key 'prises' here; did you mean 'prices'"),
        ("name: x\nextends: linux-6.18-v\n", "2:10: no price list 'linux-6.18-v'; did you mean 'linux-6.18-vm'"),
        ("name: x\nextends: gone.yaml\n", "2:10: .*gone.yaml: No such file or directory"),
        ("name: x\nextends: mine.yaml\n", "2:10: mine.yaml leads back to itself by `extends`"),
        ("name: x\nextends: base.yaml\nscale: [{of: rout, factor: 2, hardware: h, source: s}]", "3:14: 'rout' is none"),
        ("name: x\nextends: base.yaml\nscale: [{of: route, hardware: h, source: s}]", "3:9: key 'factor' is missing"),
        ("name: x\nextends: base.yaml\nscale: [{of: route, factor: -1, hardware: h, source: s}]", "-1 is no price"),
        ("name: x\nextends: base.yaml\nscale: [{of: route, factor: 2, hardware: h}]", "factor of route has no source"),
        ("name: x\nextends: base.yaml\nbackend: nftables", "3:10: 'nftables' is none of the words wanted here"),
        ("name: x\nextends: base.yaml\nmachine: {cpus: 0}", "3:17: no machine has 0 CPUs here"),
        ("name: x\nextends: base.yaml\nmachine: {together: 5}", "3:21: true or false is wanted here"),
        ("name: [x\nprices: {}", "mine.yaml:[12]:"),
        ("", "mine.yaml:1: the file is empty"),
    ],
)  # fmt: skip
def test_a_bad_list_has_one_message_that_points_at_the_place(folder, text, message):
    with pytest.raises(SourceError, match=message) as caught:
        mine(folder, text)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    assert caught.value.line


def test_what_is_not_there():
    with pytest.raises(UnknownName, match=r"no price list 'linux-6\.18'; did you mean 'linux-6.18-vm'"):
        costs.load("linux-6.18")
    with pytest.raises(SourceError, match=r"gone\.yaml: No such file or directory"):
        costs.load("gone.yaml")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="not UTF-8 text"):
        costs.load(str(tmp_path / "mine.yaml"))


def test_lists_that_extend_each_other_in_a_ring(folder):
    (folder / "a.yaml").write_text("name: a\nextends: b.yaml\n")
    (folder / "b.yaml").write_text("name: b\nextends: c.yaml\n")
    (folder / "c.yaml").write_text("name: c\nextends: a.yaml\n")
    with pytest.raises(SourceError, match=r"c\.yaml:2:10: a\.yaml leads back to itself"):
        costs.load(str(folder / "a.yaml"))


def test_what_is_wrong_in_the_list_below_is_shown_there(folder):
    (folder / "base.yaml").write_text("name: base\nprices: {rout: {}}\n")
    with pytest.raises(SourceError, match=r"base\.yaml:2:16: no key 'rout'"):
        mine(folder, "name: x\nextends: base.yaml\n")


def test_defaults_hold_for_what_does_not_say_it_itself(folder):
    found = mine(
        folder, f"name: x\ndefaults: {{{SAID}}}\nprices: {{route: {{value: 1}}, hook: {{value: 2, source: you}}}}"
    )
    assert (found.prices["route"].source, found.prices["hook"].source) == ("me", "you")


def test_a_list_takes_over_what_it_extends_and_scales_it_in_order(folder):
    found = mine(
        folder,
        f"""\
name: x
extends: base.yaml
defaults: {{hardware: another machine}}
scale:
  - {{of: all, factor: 2, source: table 1}}
  - {{of: [device.veth, hook], factor: 3, source: table 2}}
prices:
  hook: {{value: 7, {SAID}}}
""",
    )
    assert (found["route"], found["device.veth.in"], found["hook"]) == (200, 60, 7)
    assert found.spread("device.veth.in") == 24
    price = found.prices["device.veth.in"]
    assert (price.hardware, price.source) == ("another machine", "table 2; 3 × table 1; 2 × me")


def test_a_machine_is_taken_over_but_for_what_is_said(folder):
    (folder / "base.yaml").write_text(BASE + "machine: {cpus: 4, together: true, rate: 1000, delay: 5}\nbackend: nft\n")
    found = mine(folder, "name: x\nextends: base.yaml\nmachine: {cpus: 8}\n")
    assert (found.machine, found.backend) == (costs.Machine(8, True, 1000, 5), "nft")


def test_a_path_in_extends_begins_at_the_file(folder):
    (folder / "deeper").mkdir()
    (folder / "deeper/mine.yaml").write_text("name: x\nextends: ../base.yaml\n")
    assert costs.load(str(folder / "deeper/mine.yaml"))["route"] == 100


def test_what_has_no_price_takes_no_time(folder):
    found = mine(folder, BASE)
    assert (found["hook"], found.spread("hook")) == (0, 0)


def test_a_digest_follows_the_content_of_all_files(folder):
    text = "name: x\nextends: base.yaml\n"
    first = mine(folder, text).digest
    assert mine(folder, text, "again.yaml").digest == first
    assert mine(folder, text + "backend: nft\n").digest != first
    (folder / "base.yaml").write_text(BASE.replace("100", "101"))
    assert mine(folder, text).digest != first


def test_groups():
    groups = groups_of(KEYS)
    assert {"all", "device", "device.veth", "device.veth.in", "match.nft"} <= set(groups)
    assert "devic" not in groups
    assert [key for key in KEYS if in_group(key, "device.veth")] == ["device.veth.out", "device.veth.in"]
    assert not in_group("routes", "route")
    assert all(in_group(key, "all") for key in KEYS)
