"""ARP: a question and its answer before the first packet, nothing before the second, and what silence means."""

from simnet.net.packet import Arp
from simnet.net.skb import Skb
from simnet.net.stack import ip_output
from simnet.net.step import Drop, NeighbourStep
from tests.net.build import HOST, WAN, WEB, build, icmp, inject, ip, mac, reasons, talk, udp


def arps(trace):
    return list(dict.fromkeys(str(step.packet) for step in trace.steps if isinstance(step.packet, Arp)))


def test_question_and_answer():
    trace = talk(build(), "h1/web", "172.17.0.3", proto="icmp")
    assert arps(trace)[:2] == ["arp who-has 172.17.0.3 tell 172.17.0.2", "arp 172.17.0.3 is-at 02:42:00:00:00:03"]


def test_who_was_asked_need_not_ask():
    here = build()
    talk(here, "h1/web", "172.17.0.3", proto="icmp")
    assert here.find("h1/app").neighbours == {("eth0", WEB): mac(2)}
    assert here.find("h1").neighbours == {}
    assert arps(talk(here, "h1/app", "172.17.0.2", proto="icmp", sport=7)) == []


def test_what_is_known_is_used():
    here = build()
    here.find("h1/web").neighbours["eth0", ip("172.17.0.3")] = mac(3)
    trace = talk(here, "h1/web", "172.17.0.3", proto="icmp")
    first = next(step for step in trace.steps if isinstance(step, NeighbourStep))
    assert first.mac == mac(3)


def test_nobody_answers():
    trace = talk(build(), "h1/web", "172.17.0.99", 80)
    assert trace.verdict == "timeout"
    assert "nobody answers ARP for 172.17.0.99 on eth0" in reasons(trace)


def test_after_three_seconds_the_sender_hears_of_it():
    here = build()
    trace_steps = inject(here, "h1", "eth0", icmp("192.0.2.1", "172.17.0.99"))
    died = [step for step in trace_steps if isinstance(step, Drop)]
    assert died[0].reason == "nobody answers ARP for 172.17.0.99 on docker0"
    assert any("host unreachable" in str(step.packet) for step in trace_steps)


def test_packets_wait_together_for_one_answer():
    here = build()
    for number in range(3):
        talk_start(here, number)
    steps = list(here.run())
    asked = [step for step in steps if step.kind == "device" and "who-has 172.17.0.3" in str(step.packet)]
    assert len([step for step in asked if step.place == "h1/web"]) == 1
    assert sum(step.kind == "device" and str(step) == "eth0 In" and step.place == "h1/app" for step in steps) == 3


def talk_start(here, number):
    web = here.find("h1/web")
    packet = udp("172.17.0.2", "172.17.0.3", 1000 + number, 9)
    here.defer(ip_output.send(web, Skb(here.serial(), packet, by="test")))


def test_a_foreign_question_is_not_answered():
    here = build()
    steps = inject(here, "h1", "eth0", Arp(1, mac(0x11), WAN, "00:00:00:00:00:00", WEB), "ff:ff:ff:ff:ff:ff")
    assert not [step for step in steps if isinstance(step.packet, Arp) and step.packet.op == 2]
    steps = inject(here, "h1", "eth0", Arp(1, mac(0x11), WAN, "00:00:00:00:00:00", HOST), "ff:ff:ff:ff:ff:ff")
    assert [step.packet.sender_mac for step in steps if isinstance(step.packet, Arp) and step.packet.op == 2]
