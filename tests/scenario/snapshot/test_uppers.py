"""Macvlan, ipvlan and VLAN devices of a snapshot find the device that they are above."""

import json

import pytest

from simnet.errors import SnapshotError
from simnet.net.device import Ipvlan, Macvlan, Vlan
from simnet.scenario import snapshot
from tests.net.above import ping

LO = {"ifindex": 1, "ifname": "lo", "link_type": "loopback", "flags": ["UP"], "mtu": 65536}


def link(name, index, mac, kind="", address="", **more):
    """An entry of `ip -j -d addr`; `kind` may carry a mode and a flag (`ipvlan l3 private`)."""
    info, *data = kind.split() or [""]
    keys = {"info_kind": info, "info_data": {"mode": data[0]} if data else {}}
    keys["info_data"] |= dict.fromkeys(data[1:], True)
    own = [{"family": "inet", "local": address, "prefixlen": 24, "scope": "global"}] if address else []
    hardware = f"02:42:00:00:00:{mac:02x}"
    return {"ifindex": index, "ifname": name, "link_type": "ether", "address": hardware, "mtu": 1500, "flags": ["UP"],
            "addr_info": own, "linkinfo": keys if info else {}, **more}  # fmt: skip


def write(folder, place, links):
    target = folder / place
    target.mkdir(parents=True)
    routes = []
    for entry in links:
        for own in entry.get("addr_info", []):
            address, dev = own["local"], entry["ifname"]
            net = address.rpartition(".")[0] + ".0/24"
            routes += [
                {"type": "local", "dst": address, "dev": dev, "table": "local", "prefsrc": address, "scope": "host"},
                {"dst": net, "dev": dev, "prefsrc": address, "scope": "link"},
            ]
    (target / "ip-addr.json").write_text(json.dumps([LO, *links]))
    (target / "ip-route.json").write_text(json.dumps(routes))
    (target / "iptables-save").write_text("")


def world(folder, host, containers):
    write(folder, "wan/host", [link("eth0", 2, 1, address="192.0.2.1")])
    write(folder, "h1/host", host)
    for name, links in containers.items():
        write(folder, f"h1/{name}", links)
    return snapshot.load(folder)


def above(mac, number, kind, address, index=30):
    return [link("eth0", index + number, mac, kind, address, link_index=2, link_netnsid=0)]


def test_containers_above_the_host_s_card_answer_the_outside(tmp_path):
    here = world(
        tmp_path,
        [link("eth0", 2, 2)],
        {"a": above(11, 1, "macvlan bridge", "192.0.2.11"), "b": above(12, 0, "macvlan private", "192.0.2.12")},
    )
    devices = [here.find(f"h1/{name}").devices["eth0"] for name in "ba"]
    assert here.find("h1").devices["eth0"].uppers == devices
    assert [device.mode for device in devices if isinstance(device, Macvlan)] == ["private", "bridge"]
    # the card has no address, but what is above it shares wan's subnet
    assert ping(here, "wan", "192.0.2.11").verdict == "reply"
    assert ping(here, "h1/b", "192.0.2.1").verdict == "reply"


def test_an_ipvlan_device_s_lower_one_has_its_hardware_address(tmp_path):
    host = [link("eth0", 2, 2, address="192.0.2.2")]
    other = {"ns": [link("eth0", 2, 9)], "a": above(2, 1, "ipvlan l3s vepa", "10.9.0.1")}
    device = world(tmp_path, host, other).find("h1/a").devices["eth0"]
    assert isinstance(device, Ipvlan)
    assert (str(device.lower), device.mode, device.flag, device.noarp) == ("h1/host:eth0", "l3s", "vepa", True)


def test_a_sub_interface_names_its_lower_device(tmp_path):
    tagged = link("eth0.10", 3, 2, "vlan", "192.0.2.2", link="eth0")
    tagged["linkinfo"]["info_data"] = {"protocol": "802.1Q", "id": 10}
    device = world(tmp_path, [link("eth0", 2, 2), tagged], {}).find("h1").devices["eth0.10"]
    assert isinstance(device, Vlan)
    assert (str(device.lower), device.vid) == ("h1/host:eth0", 10)


def test_a_number_that_a_veth_gives_meaning_to_decides(tmp_path):
    """The lower device is in another container: the same number leads there from a veth end."""
    host = [link("eth0", 2, 2), link("vb", 7, 7, "veth", link_index=8, link_netnsid=1)]
    router = [link("eth0", 2, 5), link("v0", 9, 8, "veth", link_index=6, link_netnsid=3)]
    inner = [link("v1", 6, 6, "veth", link_index=9, link_netnsid=4),
             link("m0", 31, 31, "macvlan bridge", link_index=2, link_netnsid=4)]  # fmt: skip
    here = world(tmp_path, host, {"router": router, "inner": inner})
    assert str(here.find("h1/inner").devices["m0"].lower) == "h1/router:eth0"


def test_a_lower_device_that_is_in_no_folder_is_said(tmp_path):
    here = world(tmp_path, [link("eth7", 7, 2)], {"a": above(11, 1, "macvlan bridge", "192.0.2.11")})
    assert "h1/a:eth0: its lower device is in no namespace of the snapshot" in here.notes
    trace = ping(here, "h1/a", "192.0.2.1")
    assert any("the lower device of eth0 is not known" in str(step) for step in trace.steps)


@pytest.mark.parametrize("kind", ["macvlan loud", "ipvlan l4"])
def test_a_mode_that_no_kernel_has(tmp_path, kind):
    with pytest.raises(SnapshotError, match="mode"):
        world(tmp_path, [link("eth0", 2, 2)], {"a": above(2, 1, kind, "192.0.2.11")})


def test_devices_above_each_other_are_left_alone(tmp_path):
    tagged = [link(f"v{n}", 3 + n, 2, "vlan", link=f"v{(n + 1) % 3}") for n in range(3)]
    for entry in tagged:
        entry["linkinfo"]["info_data"] = {"id": 10}
    here = world(tmp_path, [link("eth0", 2, 2), *tagged], {})
    assert [str(one.lower) for one in list(here.find("h1").devices.values())[2:]] == [
        "h1/host:v1",
        "h1/host:v2",
        "None",
    ]
    assert len([note for note in here.notes if "its lower device" in note]) == 1
