"""Whatever packet meets whatever rules: an answer, or one of the project's own errors; never anything else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.errors import SimnetError
from simnet.export.json import answer_json
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.net.netfilter import ipset
from simnet.net.packet import ICMP, TCP, UDP, IcmpMessage, IPv4, RawPayload, TcpSegment, UdpDatagram
from simnet.net.step import Step
from simnet.scenario.question import Listen, ask
from tests.net.build import build, inject, talk
from tests.properties.rules import ADDRESSES, rule_sets

VERDICTS = {"reply", "refused", "reset", "timeout", "net-unreachable", "host-unreachable", "ttl-exceeded",
            "eperm", "eacces", "einval", "emsgsize"}  # fmt: skip
SETS = ipset.parse(
    "create bad hash:ip family inet\nadd bad 192.0.2.1\ncreate good hash:net,port\nadd good 172.17.0.0/16,tcp:80\n"
)

addresses = st.sampled_from([*ADDRESSES, "172.17.255.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "172.17.0.99"])
numbers = addresses.map(parse_ip) | st.integers(0, 0xFFFFFFFF)
ports = st.sampled_from([22, 53, 80, 8080, 40000]) | st.integers(0, 65535)
places = st.sampled_from(["h1", "h1/web", "h1/app", "wan"])
probes = st.builds(
    Probe,
    places,
    addresses.map(parse_ip),
    ports.filter(bool),
    st.sampled_from(["tcp", "udp", "icmp"]),
    st.integers(1, 65535),
    st.integers(1, 255),
    st.sampled_from([0, 1, 56, 1400, 1500, 3000, 9000]),
)
servers = st.lists(
    st.builds("{} {} {}".format, places, st.sampled_from(["tcp", "udp"]), st.sampled_from([22, 53, 80, 8080])),
    max_size=3,
    unique=True,
)
sysctls = st.fixed_dictionaries(
    {},
    optional={
        "net.ipv4.ip_forward": st.sampled_from("01"),
        "net.bridge.bridge-nf-call-iptables": st.sampled_from("01"),
        "net.ipv4.conf.all.rp_filter": st.sampled_from("012"),
        "net.ipv4.conf.docker0.route_localnet": st.sampled_from("01"),
        "net.ipv4.conf.all.accept_local": st.sampled_from("01"),
    },
)
quoted = st.builds(lambda src, dst, a, b: IPv4(src, dst, UDP, UdpDatagram(a, b)), numbers, numbers, ports, ports)
transports = st.one_of(
    st.tuples(st.just(TCP), st.builds(TcpSegment, ports, ports, st.integers(0, 255), data=st.binary(max_size=9))),
    st.tuples(st.just(UDP), st.builds(UdpDatagram, ports, ports, st.binary(max_size=9) | st.just(b"x" * 2000))),
    st.tuples(
        st.just(ICMP),
        st.builds(IcmpMessage, st.integers(0, 255), st.integers(0, 15), ports, quoted=st.none() | quoted),
    ),
    st.tuples(st.integers(0, 255).filter(lambda n: n not in {1, 6, 17}), st.builds(RawPayload, st.integers(0, 2000))),
)
packets = st.builds(
    lambda src, dst, carried, ttl, tos, df: IPv4(src, dst, carried[0], carried[1], ttl, tos, df),
    numbers,
    numbers,
    transports,
    st.integers(0, 255),
    st.integers(0, 255),
    st.booleans(),
)


def network(rules, settings_):
    made = build(rules, settings_)
    made.find("h1").ipsets = SETS
    return made


@settings(max_examples=350)
@given(rule_sets(), sysctls, probes, servers)
def test_a_conversation_ends_in_a_verdict(rules, changed, probe, listening):
    def source():
        return network(rules, changed)

    listens = [Listen(*end.split()[:2], 0, int(end.split()[2])) for end in listening]
    try:
        answer = ask(source, probe, tuple(listens))
    except SimnetError:
        return
    assert answer.trace.verdict in VERDICTS
    assert answer_json(answer)["verdict"] == answer.trace.verdict
    assert all(str(step) for step in answer.trace.steps)


@settings(max_examples=400)
@given(rule_sets(), sysctls, st.lists(packets, min_size=1, max_size=4), st.sampled_from(["eth0", "vethweb", "docker0"]))
def test_a_packet_off_the_wire_ends_somewhere(rules, changed, made, device):
    here = network(rules, changed)
    for packet in made:
        steps = inject(here, "h1", device, packet)
        assert steps
        assert all(isinstance(step, Step) and str(step) for step in steps)


@settings(max_examples=60)
@given(rule_sets(), probes)
def test_the_same_question_has_the_same_answer(rules, probe):
    traces = [talk(network(rules, {}), probe.frm, "172.17.0.2", 80, probe.proto, ["h1/web tcp 80"]) for _ in range(2)]
    assert traces[0].steps == traces[1].steps
