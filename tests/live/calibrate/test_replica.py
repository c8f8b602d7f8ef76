"""A model's network in the kernel: the same devices, addresses and rules, and packets go where the model says."""

import json
import socket

import pytest

from simnet.errors import HostError
from simnet.live.calibrate import calibration, counts, load, paths, run
from simnet.live.calibrate.measure import Bench
from simnet.live.calibrate.replica import Replica
from simnet.net.address import ip_text, parse_ip
from simnet.net.conversation import Probe, converse
from simnet.net.netfilter import save

pytestmark = pytest.mark.live
MODES = [path for path in paths.modes() if path.kind == paths.TRIP and path.proto == "udp"]
BACKENDS = ("legacy", "nft")


def chains(table):
    return {name: [str(rule) for rule in chain.rules] for name, chain in table.chains.items() if chain.rules}


def built(path):
    restore = calibration.backends()
    if path.bed.backend not in restore:
        pytest.skip(f"live: no iptables-{path.bed.backend}-restore")
    return Replica(path.bed.network, counts.way(path).places, restore[path.bed.backend])


@pytest.mark.parametrize("path", MODES, ids=str)
def test_a_datagram_arrives_and_the_server_sees_whom_the_model_says(path):
    way, network = counts.way(path), path.bed.network
    trace = converse(network, Probe(path.frm, parse_ip(path.to), path.port, "udp"))
    network.forget_connections()
    with built(path) as replica:
        where = path.frm, parse_ip(path.to), path.port, (way.place, way.port)
        client, server = load.datagrams(replica, *where)
        with client, server:
            saw, _ = server.getpeername()
            assert saw == trace.server_saw.rpartition(":")[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_devices_addresses_and_rules_are_those_of_the_model(backend):
    path = next(path for path in MODES if path.name == f"nat, {backend}")
    with built(path) as replica:
        for place, space in replica.spaces.items():
            namespace = path.bed.network.namespaces[place]
            links = {link["ifname"]: link for link in json.loads(space.run(["ip", "-j", "addr"]))}
            for name, link in links.items():
                device = namespace.devices[name]
                found = {one["local"] for one in link["addr_info"] if one["family"] == "inet"}
                assert found == {ip_text(one.address) for one in device.addresses}
                assert device.mac == link["address"]
                assert link["mtu"] == device.mtu
            words = calibration.backends()[backend].replace("restore", "save")
            kept = save.parse(space.run([words]))
            for name, table in namespace.ruleset.tables.items():
                assert chains(kept.tables[name]) == chains(table)


def test_what_the_kernel_refuses_is_said_and_nothing_is_left_open():
    path = next(path for path in MODES if path.name == "nat, legacy")
    with pytest.raises(HostError, match="the command 'iptables-nothing' is missing"):
        Replica(path.bed.network, counts.way(path).places, "iptables-nothing")


def test_what_takes_longer_is_measured_as_longer():
    wanted = {"loopback", "tunnel", "500 rules, address, legacy", "500 rules, addrtype, legacy"}
    asked = [path for path in paths.bare() if path.name in wanted and path.kind == paths.TRIP
             and (path.proto, path.size) == ("udp", 1)]  # fmt: skip
    with Bench(asked, calibration.backends()) as bench:
        took = {path.name: figure.median for path, figure in bench.measure(200).items()}
    assert took["loopback"] < took["tunnel"]
    assert took["loopback"] < took["500 rules, address, legacy"] < took["500 rules, addrtype, legacy"]


def test_a_socket_that_waits_in_vain_gives_up():
    path = next(path for path in MODES if path.name == "host, legacy")
    with built(path) as replica, load.opened(replica, "wan", socket.SOCK_DGRAM) as alone:
        alone.bind(("0.0.0.0", 9))
        with pytest.raises(BlockingIOError):
            alone.recv(1)


def test_where_no_rules_can_be_loaded_nothing_is_measured():
    measured = []
    with pytest.raises(HostError, match=r"no rules can be loaded here \(false .*\); is netfilter in this kernel"):
        run.run(24, {"legacy": "false"}, progress=lambda *done: measured.append(done))
    assert measured == []
