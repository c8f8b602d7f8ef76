"""IPVS: which real server is next, and what its packets meet on their way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import SourceError
from simnet.net import ipvs
from simnet.net.conversation import Probe, converse
from simnet.net.ipvs import Ipvs, RealServer, VirtualService
from simnet.net.netfilter import save
from simnet.net.program import Server
from simnet.net.step import Balance, ChainWalk
from tests.net.build import APP, GATEWAY, HOST, WEB, build

TCP, UDP = 6, 17
# what makes answers come back through the balancer, as Docker does it
SNAT = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m ipvs --ipvs -j SNAT --to-source 172.17.0.1\nCOMMIT\n"
MARKED = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-mark 7\nCOMMIT\n"


def balanced(service, *servers, rules="", track="1", listening=(WEB, APP), port=80):
    """The small network, with a service on h1; servers listen in the containers."""
    network = build(rules, {"net.ipv4.vs.conntrack": track})
    host = network.find("h1")
    host.ipvs.add(service)
    for server in servers:
        service.add(server)
    host.rules_changed()
    places = {WEB: "h1/web", APP: "h1/app"}
    for address in listening:
        Server(network.find(places[address]), "udp" if service.proto == UDP else "tcp", 0, port).listen()
    return network


def service_at_host(proto=TCP):
    return VirtualService(0, proto, HOST, 8080)


def steps_of(trace, kind):
    return [step for step in trace.steps if isinstance(step, kind)]


@pytest.mark.parametrize("track", ["0", "1"])
def test_clients_go_to_the_real_servers_in_turn_the_newest_first(track):
    network = balanced(service_at_host(), RealServer(WEB, 80), RealServer(APP, 80), track=track)
    answers = [converse(network, Probe("wan", HOST, 8080, sport=40000 + turn)) for turn in range(3)]
    assert [answer.verdict for answer in answers] == ["reply"] * 3
    assert [answer.served_at for answer in answers] == ["172.17.0.3:80", "172.17.0.2:80", "172.17.0.3:80"]
    assert {answer.server_saw.partition(":")[0] for answer in answers} == {"192.0.2.1"}
    first = steps_of(answers[0], Balance)
    assert str(first[0]) == "IPVS TCP 192.0.2.2:8080 rr scheduled: 192.0.2.2:8080 → 172.17.0.3:80"
    assert str(first[1]) == "IPVS TCP 192.0.2.2:8080 rr answer: 172.17.0.3:80 → 192.0.2.2:8080"
    assert {step.action for step in first[2:]} == {"known", "answer"}


def test_a_mark_leads_to_a_service_whose_servers_keep_the_port():
    network = balanced(VirtualService(7), RealServer(WEB), rules=MARKED + SNAT, port=8080)
    answer = converse(network, Probe("wan", HOST, 8080))
    assert (answer.verdict, answer.served_at) == ("reply", "172.17.0.2:8080")
    assert answer.server_saw == "172.17.0.1:40000"
    walk = next(walk for walk in steps_of(answer, ChainWalk) if (walk.table, walk.chain) == ("nat", "POSTROUTING"))
    assert [hit.number for hit in walk.hits] == [1]
    assert converse(network, Probe("wan", HOST, 9090)).verdict == "refused"


def test_the_request_passes_input_before_ipvs_and_output_after_it():
    chains = "".join(f"*{table}\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
                     for table in ("mangle", "filter"))  # fmt: skip
    network = balanced(service_at_host(), RealServer(WEB, 80), rules=chains + SNAT)
    answer = converse(network, Probe("wan", HOST, 8080))
    syn = [step for step in answer.packets()[0] if step.place == "h1/host" and isinstance(step, ChainWalk | Balance)]
    seen = [f"{step.table} {step.chain}" if isinstance(step, ChainWalk) else "ipvs" for step in syn]
    assert seen == ["mangle INPUT", "filter INPUT", "ipvs", "mangle OUTPUT", "filter OUTPUT", "nat POSTROUTING"]
    assert [step.packet.ttl for step in syn] == [64, 64, 63, 63, 63, 63]


def test_without_conntrack_no_rule_of_nat_sees_the_packet():
    network = balanced(service_at_host(), RealServer(WEB, 80), rules=SNAT, track="0")
    answer = converse(network, Probe("wan", HOST, 8080))
    assert answer.server_saw == "192.0.2.1:40000"
    assert not [walk for walk in steps_of(answer, ChainWalk) if walk.chain == "POSTROUTING" and walk.hits]


def test_datagrams_and_the_error_of_a_closed_port():
    network = balanced(service_at_host(UDP), RealServer(WEB, 80), rules=SNAT)
    answer = converse(network, Probe("wan", HOST, 8080, "udp"))
    assert (answer.verdict, answer.server_saw) == ("reply", "172.17.0.1:40000")
    network = balanced(service_at_host(UDP), RealServer(WEB, 80), rules=SNAT, listening=())
    answer = converse(network, Probe("wan", HOST, 8080, "udp"))
    assert answer.verdict == "refused"
    error = steps_of(answer, Balance)[-1]
    assert str(error.packet) == "icmp 192.0.2.2>192.0.2.1 port unreachable"
    assert str(error.packet.transport.quoted) == "udp 192.0.2.1:40000>192.0.2.2:8080"


@pytest.mark.parametrize("servers", [(), (RealServer(WEB, 80, weight=0),)])
def test_a_service_without_servers_is_unreachable(servers):
    answer = converse(balanced(service_at_host(), *servers), Probe("wan", HOST, 8080))
    assert answer.verdict == "refused"
    assert answer.dropped_by().reason == "IPVS TCP 192.0.2.2:8080 rr: no real server is there"


def test_a_local_client_and_a_local_server():
    network = balanced(service_at_host(), RealServer(WEB, 80))
    answer = converse(network, Probe("h1", HOST, 8080))
    assert (answer.verdict, answer.served_at) == ("reply", "172.17.0.2:80")
    network = balanced(service_at_host(), RealServer(GATEWAY, 80), listening=())
    Server(network.find("h1"), "tcp", 0, 80).listen()
    answer = converse(network, Probe("wan", HOST, 8080))
    assert (answer.verdict, answer.served_at) == ("reply", "172.17.0.1:80")


def test_what_is_not_modelled_is_dropped_with_its_reason():
    network = balanced(service_at_host(), RealServer(WEB, 80, method="Route"))
    answer = converse(network, Probe("wan", HOST, 8080))
    assert answer.dropped_by().reason == "IPVS to 172.17.0.2:80 by Route is not modelled"


def test_a_large_packet_is_told_the_servers_mtu():
    network = balanced(service_at_host(UDP), RealServer(WEB, 80))
    network.find("h1").devices["docker0"].mtu = 1400
    answer = converse(network, Probe("wan", HOST, 8080, "udp", size=1450))
    assert answer.dropped_by().reason == "1478 bytes exceed the MTU of 1400 and DF is set"
    error = next(step.packet for step in answer.steps if "icmp" in str(step.packet))
    assert (str(error), error.transport.mtu) == ("icmp 192.0.2.2>192.0.2.1 fragmentation needed", 1400)


@pytest.mark.parametrize("again", ["0", "1"])
def test_a_connection_whose_server_went(again):
    network = balanced(service_at_host(), RealServer(WEB, 80), RealServer(APP, 80), track="0")
    host = network.find("h1")
    host.sysctls["net.ipv4.vs.expire_nodest_conn"] = again
    assert converse(network, Probe("wan", HOST, 8080)).served_at == "172.17.0.3:80"
    next(iter(host.ipvs.services.values())).remove(APP, 80)
    answer = converse(network, Probe("wan", HOST, 8080))
    assert answer.verdict == ("reply" if again == "1" else "timeout")


def test_a_hook_runs_where_there_is_a_service_and_no_rule():
    network = build()
    assert not network.find("h1/web").filters_packets
    network.find("h1/web").ipvs.add(service_at_host())
    network.find("h1/web").rules_changed()
    assert network.find("h1/web").filters_packets


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ("--ipvs", 1), ("! --ipvs", 0), ("--vaddr 192.0.2.2", 1), ("--vaddr 192.0.2.3", 0), ("! --vaddr 192.0.2.3", 1),
        ("--vport 8080", 1), ("--vport 80", 0), ("--vproto tcp", 1), ("--vmethod masq", 1), ("--vmethod gate", 0),
        ("--vdir ORIGINAL", 1), ("--vdir REPLY", 0), ("--vportctl 21", 0), ("--ipvs --vaddr 192.0.2.0/24", 1),
    ],
)  # fmt: skip
def test_the_match_knows_the_connection(rule, hits):
    rules = f"*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m ipvs {rule}\nCOMMIT\n{SNAT}"
    network = balanced(service_at_host(), RealServer(WEB, 80), rules=rules)
    syn = converse(network, Probe("wan", HOST, 8080)).packets()[0]
    walks = [step for step in syn if isinstance(step, ChainWalk) and (step.table, step.place) == ("mangle", "h1/host")]
    assert sum(len(walk.hits) for walk in walks) == hits


# -- the table by itself -----------------------------------------------------------------------------------------------

ADDRESSES = st.integers(1, 2**32 - 1)
SERVERS = st.builds(RealServer, ADDRESSES, st.integers(0, 65535), st.integers(0, 9), st.sampled_from(ipvs.METHODS))
SERVICES = st.one_of(
    st.builds(VirtualService, st.integers(1, 2**32 - 1), servers=st.lists(SERVERS, max_size=4)),
    st.builds(VirtualService, st.just(0), st.sampled_from(list(ipvs.PROTOCOLS.values())), ADDRESSES,
              st.integers(1, 65535), st.sampled_from(("rr", "wrr", "sh")),
              st.sampled_from(("", "ops", "persistent 300 FFFFFFFF")), st.lists(SERVERS, max_size=4)),
)  # fmt: skip


def plain(service):
    servers = [(one.address, one.port, one.weight, one.method) for one in service.servers]
    return service.key, service.scheduler, service.flags, servers


@given(st.lists(SERVICES, max_size=4, unique_by=lambda service: service.key))
def test_what_is_printed_is_read_back(services):
    table = Ipvs()
    for service in services:
        table.add(service)
    assert [plain(one) for one in ipvs.parse(table.text())] == [plain(one) for one in services]


@given(st.lists(st.tuples(st.sampled_from("+-?"), st.integers(1, 5)), max_size=30))
def test_round_robin_serves_all_alike_whatever_comes_and_goes(acts):
    service = VirtualService(1)
    for act, address in acts:
        if act == "+" and all(one.address != address for one in service.servers):
            service.add(RealServer(address))
        elif act == "-":
            service.remove(address)
        else:
            assert (service.schedule() is None) == (not service.servers)
    turns = [service.schedule() for _ in range(2 * len(service.servers))]
    assert all(turns.count(server) == 2 for server in service.servers)


@pytest.mark.parametrize("line", ["  -> 0A000004:0000 Masq 1 0 0", "FWM 0 rr", "TCP 0A0000:1 rr", "FWM", "XYZ 1 rr"])
def test_a_line_that_is_none_is_pointed_at(line):
    with pytest.raises(SourceError, match=r"h1/ipvs:2:1: no line of /proc/net/ip_vs"):
        ipvs.parse(f"\n{line}\n", "h1/ipvs")


def test_what_a_snapshot_holds_and_is_not_modelled_is_named():
    services = ipvs.parse("TCP  0A000001:0050 wrr  persistent 300 FFFFFFFF\n")
    assert list(ipvs.unmodelled(services)) == [
        "TCP 10.0.0.1:80 wrr: the scheduler wrr is taken as rr",
        "TCP 10.0.0.1:80 wrr: persistent 300 FFFFFFFF is not modelled",
    ]


def test_rules_print_as_they_were():
    text = "-A POSTROUTING -d 10.0.0.0/24 -m ipvs --ipvs -j SNAT --to-source 10.0.0.2"
    ruleset = save.parse(f"*nat\n:POSTROUTING ACCEPT [0:0]\n{text}\nCOMMIT\n")
    assert [str(rule) for rule in ruleset.rules()] == [text]
