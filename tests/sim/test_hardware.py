"""Machines and wires: which CPU takes a packet in, and how long a wire is busy with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import UnknownName, UsageError
from simnet.net.packet import UDP, Arp, Frame, IPv4, UdpDatagram
from simnet.sim.hardware import Cpus, Hardware, Wire, check_steering, flow_of
from simnet.sim.prices.costs import Machine
from simnet.sim.queueing import engine
from simnet.sim.queueing.model import Exchange, Flow, Model, Run, Visit
from simnet.sim.toeplitz import flow_hash
from simnet.study.modes import hosts
from tests.net.build import build, ip, mac, tcp, udp

# Microsoft, "Verifying the RSS hash calculation": IPv4 with ports (destination, source, hash)
VERIFICATION = [
    ("161.142.100.80:1766", "66.9.149.187:2794", 0x51CCC178),
    ("65.69.140.83:4739", "199.92.111.2:14230", 0xC626B0EA),
    ("12.22.207.184:38024", "24.19.198.95:12898", 0x5C2B394A),
    ("209.142.163.6:2217", "38.27.205.30:48228", 0xAFC7327F),
    ("202.188.127.2:1303", "153.39.163.191:44251", 0x10E828A2),
]
FLOWS = [tcp(sport=port) for port in range(2000, 2200)]


def end(text):
    address, _, port = text.partition(":")
    return address, int(port)


@pytest.mark.parametrize(("destination", "source", "expected"), VERIFICATION)
def test_the_hash_of_the_verification_suite(destination, source, expected):
    (dst, dport), (src, sport) = end(destination), end(source)
    assert flow_hash(ip(src), ip(dst), sport, dport) == expected
    assert flow_of(tcp(src, dst, sport, dport)) == expected
    assert flow_of(udp(src, dst, sport, dport)) == expected


@given(*[st.tuples(*[st.integers(0, (1 << bits) - 1) for bits in (32, 32, 16, 16)])] * 2)
def test_the_hash_is_linear(one, other):
    both = tuple(a ^ b for a, b in zip(one, other, strict=True))
    assert flow_hash(*both) == flow_hash(*one) ^ flow_hash(*other)


def test_a_tunnel_s_flow_is_that_of_what_it_carries():
    inner = tcp()
    outer = UdpDatagram(49152, 4789, vni=7, inner=Frame(mac(1), mac(2), inner))
    assert flow_of(IPv4(1, 2, UDP, outer)) == flow_of(inner)


def test_what_has_no_flow():
    assert flow_of(Arp(1, mac(1), 1, mac(2), 2)) == 0


def machine(count=4, steering="rss", **more):
    return Hardware(Machine(), {"h1": Cpus(count, steering, **more)})


def test_rss_takes_each_flow_in_by_its_hash_and_stays_there():
    hardware = machine()
    numbers = [hardware.taken_in("h1", packet) for packet in FLOWS]
    assert numbers == [flow_of(packet) % 4 for packet in FLOWS]
    assert min(map(numbers.count, range(4))) > 30  # of 200
    assert {hardware.steered("h1", packet, 3) for packet in FLOWS} == {3}


def test_rps_goes_on_by_the_hash():
    hardware = machine(steering="rps")
    assert [hardware.steered("h1", packet, 3) for packet in FLOWS] == [flow_of(packet) % 4 for packet in FLOWS]


def test_rfs_goes_on_where_the_flow_was_read():
    hardware = machine(steering="rfs")
    one, other = FLOWS[:2]
    assert hardware.steered("h1", one, 3) == flow_of(one) % 4  # nobody has read it
    hardware.read_by("h1", one, 2)
    assert hardware.steered("h1", one, 3) == 2
    assert hardware.steered("h1", other, 3) == flow_of(other) % 4
    hardware.read_by("h1", one, 1)
    assert hardware.steered("h1", one, 3) == 1
    assert hardware.steered("wan", one, 3) == 3  # another machine's table, and it steers by rss


def test_who_reads_matters_to_rfs_alone():
    hardware = machine(steering="rps")
    hardware.read_by("h1", FLOWS[0], (flow_of(FLOWS[0]) + 1) % 4)
    assert hardware.steered("h1", FLOWS[0], 3) == flow_of(FLOWS[0]) % 4


def test_ways_to_steer():
    assert check_steering("rfs") == "rfs"
    with pytest.raises(UsageError, match="no steering 'xps'; there are: rss, rps, rfs"):
        check_steering("xps")


def test_a_wire_is_busy_with_frames_and_their_gaps():
    gigabit = Wire(rate=10**9)
    # header 14, check sequence 4, preamble and gap 20: 1538 bytes of a full frame, 12.304 us
    assert gigabit.service(1500) == 12_304
    assert gigabit.service(46) == 672
    assert Wire(rate=10**10).service(1500) == 1231  # rounded up
    assert Wire().service(1500) == 0


@given(st.integers(1, 40), st.integers(1, 1448))
def test_a_large_packet_is_on_the_wire_as_its_segments(full, last):
    """Each with its own framing and headers: as long as all of them one by one."""
    wire = Wire(rate=8 * 10**9)  # a byte takes 1 ns
    whole = 52 + full * 1448 + last
    assert wire.service(whole, full + 1) == full * wire.service(1500) + wire.service(52 + last)


@pytest.mark.parametrize(
    ("wire", "queues"),
    [(Wire(), False), (Wire(delay=500, queue=3), False), (Wire(rate=1), True), (Wire(loss=0.1), True),
     (Wire(reorder=0.1), True)],
)  # fmt: skip
def test_a_sender_is_a_station_where_anything_waits_or_is_lost(wire, queues):
    hardware = Hardware(Machine(), wires={"cable": wire})
    card = build().find("h1").devices["eth0"]
    assert wire.queues is queues
    assert (hardware.sender(card) >= 0) is queues
    assert [one.name for one in hardware.stations] == (["h1/host:eth0"] if queues else [])


def test_a_sender_s_station_has_what_the_wire_says():
    wire = Wire(10**9, queue=77, burst=20_000, loss=0.25, reorder=0.5, reorder_delay=9)
    hardware = Hardware(Machine(), wires={"cable": wire})
    hardware.sender(build().find("h1").devices["eth0"])
    (station,) = hardware.stations
    # 20 kB at 1 Gbit/s are 160 us
    assert (station.capacity, station.slack, station.loss) == (77, 160_000, 0.25)
    assert (station.reorder, station.reorder_delay) == (0.5, 9)


def test_a_burst_leaves_at_once_and_what_follows_at_the_rate():
    wire = Wire(rate=10**9, burst=10 * 1538)
    hardware = Hardware(Machine(), wires={"cable": wire})
    hardware.sender(build().find("h1").devices["eth0"])
    frame = wire.service(1500)
    send = Exchange((Visit(0, frame, release=True, record=True),))
    flows = (Flow((0,), limit=1),) * 25
    run = Run(Model(tuple(hardware.stations), (send,), flows))
    ended = sorted(time for block in engine.blocks(run) for time in block.ended.tolist())
    assert ended == [0] * 10 + [frame * later for later in range(1, 16)]


def test_stations_are_made_in_one_order():
    network = build()
    hardware = Hardware(Machine(cpus=2, rate=10**9))
    hardware.install(network)
    names = ["h1/cpu0", "h1/cpu1", "wan/cpu0", "wan/cpu1", "h1/host:eth0", "wan/host:eth0"]
    assert [one.name for one in hardware.stations] == names
    before = list(hardware.stations)
    hardware.install(network)
    assert hardware.stations == before


def test_cpus_of_one_machine_may_differ():
    hardware = Hardware(Machine(cpus=2), {"h1": Cpus(3, backlog=50)})
    hardware.install(build())
    capacities = {one.name: one.capacity for one in hardware.stations}
    assert capacities == {"h1/cpu0": 50, "h1/cpu1": 50, "h1/cpu2": 50, "wan/cpu0": 1000, "wan/cpu1": 1000}


def test_together_all_share_the_cpus_and_wires_are_none():
    hardware = Hardware(Machine(cpus=2, together=True, rate=10**9))
    hardware.install(hosts().open().network)
    assert [one.name for one in hardware.stations] == ["cpu0", "cpu1"]
    assert {hardware.host(place) for place in ("h1/host", "h1/web", "wan/host")} == {""}
    assert hardware.cpu("", 3) == 1


@pytest.mark.parametrize("own", [{"cpus": {"h1": Cpus(1)}}, {"wires": {"cable": Wire(10**9)}}])
def test_machines_that_are_described_are_apart(own):
    hardware = Hardware(Machine(cpus=2, together=True), **own)
    assert not hardware.together
    assert hardware.host("h1/web") == "h1"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"cpus": {"wam": Cpus()}}, "no host or machine 'wam'; did you mean 'wan'?"),
        ({"cpus": {"h1/web": Cpus()}}, "no host or machine 'h1/web'"),
        ({"wires": {"cabel": Wire()}}, "no wire 'cabel'; did you mean 'cable'?"),
    ],
)
def test_what_is_not_there(own, said):
    with pytest.raises(UnknownName) as error:
        Hardware(Machine(), **own).install(build())
    assert said in str(error.value)
