"""Macvlan devices: the facts that the real kernel showed; tests/live/test_vlan.py holds simnet against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.net.device import Macvlan, Physical
from simnet.net.packet import Arp
from simnet.net.skb import Skb
from simnet.net.stack import link
from simnet.net.step import Crossing
from tests.net.above import above, crossings, ping, walked
from tests.net.build import inject, mac, reasons

BROADCAST = "ff:ff:ff:ff:ff:ff"


def test_siblings_in_mode_bridge_reach_each_other_through_the_lower_device():
    trace = ping(above(), "h1/a", "192.0.2.12")
    assert trace.verdict == "reply"
    assert crossings(trace)[:3] == ["a:eth0 Out", "host:eth0 P", "b:eth0 In"]
    assert crossings(trace, "request") == ["a:eth0 Out", "host:eth0 Out", "b:eth0 B", "wan/host:eth0 B"]


def test_no_hook_of_the_host_sees_what_containers_send_and_receive():
    trace = ping(above(), "h1/a", "192.0.2.1")
    assert trace.verdict == "reply"
    assert not [one for one in walked(trace) if one.startswith("host ")]
    assert crossings(trace)[:2] == ["a:eth0 Out", "host:eth0 Out"]
    assert crossings(trace)[-2:] == ["host:eth0 P", "a:eth0 In"]


@pytest.mark.parametrize(("frm", "to"), [("h1/a", "192.0.2.2"), ("h1", "192.0.2.11")])
def test_host_and_container_do_not_hear_each_other(frm, to):
    trace = ping(above(), frm, to)
    assert reasons(trace) == [f"nobody answers ARP for {to} on eth0"]
    there = "host" if frm == "h1/a" else "a"
    heard = [one for one in crossings(trace, "request") if one.startswith(f"{there}:") and not one.endswith("Out")]
    assert heard == []


def test_a_known_neighbour_does_not_help_the_host():
    here = above()
    here.find("h1").neighbours["eth0", 0xC000020B] = mac(11)
    trace = ping(here, "h1", "192.0.2.11")
    assert crossings(trace) == ["host:eth0 Out", "wan/host:eth0 P"]


def test_an_outside_broadcast_reaches_the_host_and_all_containers():
    trace = ping(above(), "wan", "192.0.2.11")
    assert trace.verdict == "reply"
    assert set(crossings(trace, "request")) == {"wan/host:eth0 Out", "host:eth0 B", "a:eth0 B", "b:eth0 B"}


@pytest.mark.parametrize("mode", ["private", "vepa", "source"])
def test_other_modes_leave_siblings_to_the_switch(mode):
    here = above(mode=mode)
    trace = ping(here, "h1/a", "192.0.2.12")
    assert reasons(trace) == ["nobody answers ARP for 192.0.2.12 on eth0"]
    assert crossings(trace, "request") == ["a:eth0 Out", "host:eth0 Out", "wan/host:eth0 B"]


@pytest.mark.parametrize(("mode", "hears"), [("bridge", []), ("vepa", ["b"]), ("private", ["a"]), ("source", ["a"])])
def test_a_broadcast_that_the_switch_sends_back(mode, hears):
    here = above(mode=mode)
    card = here.find("h1").devices["eth0"]
    skb = Skb(1, Arp(1, mac(11), 1, "", 2), src_mac=mac(11), dst_mac=BROADCAST, packet_type="B")
    here.defer(link.receive(card, skb))
    steps = [step for step in here.run() if isinstance(step, Crossing)]
    assert [str(step) for step in steps if step.place == "h1/host"] == ["eth0 B"]
    assert [step.place.removeprefix("h1/") for step in steps if step.place != "h1/host"] == hears


def test_passthru_takes_everything_and_has_the_lower_device_s_address():
    here = above(names="a", mode="passthru")
    assert here.find("h1/a").devices["eth0"].mac == here.find("h1").devices["eth0"].mac
    trace = ping(here, "wan", "192.0.2.11")
    assert trace.verdict == "reply"
    assert crossings(trace)[1:3] == ["host:eth0 In", "a:eth0 In"]
    assert ping(here, "wan", "192.0.2.2").verdict == "timeout"


def test_a_device_that_is_down_gets_nothing():
    here = above()
    here.find("h1/b").devices["eth0"].up = False
    trace = ping(here, "h1/a", "192.0.2.12")
    assert not [one for one in crossings(trace, "request") if one.startswith("b:")]


def test_a_dummy_as_lower_device_joins_containers_and_leads_nowhere():
    here = above(lower="dummy")
    assert ping(here, "h1/a", "192.0.2.12").verdict == "reply"
    trace = ping(above(lower="dummy"), "h1/a", "192.0.2.1")
    assert trace.verdict == "timeout"
    assert "nothing is known at the other end of dm-1234" in reasons(trace)


def test_a_sub_interface_as_lower_device_tags_what_leaves():
    trace = ping(above(lower="vlan"), "h1/a", "192.0.2.1")
    assert trace.verdict == "reply"
    assert crossings(trace)[:5] == [
        "a:eth0 Out", "host:eth0.10 Out", "host:eth0 Out", "wan/host:eth0 In", "wan/host:eth0.10 In",
    ]  # fmt: skip


def test_a_tagged_frame_is_for_nobody_without_its_sub_interface():
    here = above(lower="vlan")
    here.find("wan").devices["eth0.10"].vid = 20
    trace = ping(here, "h1/a", "192.0.2.1")
    assert trace.verdict == "timeout"
    assert [one for one in crossings(trace, "request") if one.startswith("wan")] == ["wan/host:eth0 B"]


def test_only_the_group_that_every_host_is_in_reaches_containers():
    for group, heard in (("01:00:5e:00:00:01", 2), ("01:00:5e:00:00:09", 0)):
        here = above()
        steps = inject(here, "h1", "eth0", Arp(1, mac(0x70), 1, "", 2), group)
        places = [step.place for step in steps if isinstance(step, Crossing)]
        assert len([place for place in places if place != "h1/host"]) == heard


def test_a_deleted_device_lets_go_of_its_lower_one():
    card = Physical("eth0", 2, mac(1))
    one, other = Macvlan("m1", 3, mac(2), lower=card), Macvlan("m2", 4, mac(3), lower=card)
    one.detach()
    one.detach()
    assert (card.uppers, one.lower) == ([other], None)


@given(st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=8, unique=True), st.data())
def test_every_other_sibling_gets_one_copy_of_a_broadcast(numbers, data):
    here = above(names="")
    host = here.find("h1")
    for index, number in enumerate(numbers):
        text = f"{number:08x}"
        own = f"02:00:{':'.join(text[at : at + 2] for at in range(0, 8, 2))}"
        host.add(Macvlan(f"m{index}", 30 + index, own, lower=host.devices["eth0"]))
    sender = host.devices[f"m{data.draw(st.integers(0, len(numbers) - 1))}"]
    frame = Skb(1, Arp(1, sender.mac, 1, "", 2), src_mac=sender.mac, dst_mac=BROADCAST)
    here.defer(link.transmit(sender, frame))
    heard = [step.device for step in here.run() if isinstance(step, Crossing) and step.direction == "B"]
    assert sorted(heard) == sorted(["eth0", *(f"m{n}" for n in range(len(numbers)) if f"m{n}" != sender.name)])
