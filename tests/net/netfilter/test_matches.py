"""Each match by a table: an option, the packets that it takes, the packets that it leaves; negated, the reverse."""

import pytest

from simnet.net.netfilter import ipset
from simnet.net.netfilter.conntrack import Connection, tuple_of
from simnet.net.netfilter.rule import Table
from simnet.net.netfilter.save import parse_rule
from simnet.net.packet import ACK, FIN, PSH, RST, SYN, Fragment
from simnet.net.skb import BridgeInfo
from tests.net.build import build, context, icmp, tcp, udp

LATER = udp(fragment=Fragment(8, 8, False, udp()))


def matches(rule, c):
    """What the matches of a rule say of a packet: all true, one false, or None."""
    answers = [match.test(c) for match in parse_rule(Table("filter"), "X", rule).matches]
    return False if False in answers else None if None in answers else True


def negate(rule):
    words = rule.split()
    at = next(i for i in range(len(words) - 1, -1, -1) if words[i].startswith("-") and words[i] not in {"-m", "-p"})
    return " ".join([*words[:at], "!", *words[at:]])


CASES = [
    ("-s 10.0.0.0/24", tcp("10.0.0.9"), tcp("10.0.1.9")),
    ("-s 10.0.2.0/255.0.255.0", tcp("10.9.2.9"), tcp("10.9.3.9")),
    ("-d 10.0.0.2/32", tcp(), tcp(dst="10.0.0.3")),
    ("-p tcp -m tcp --sport 1000", tcp(), tcp(sport=1001)),
    ("-p tcp -m tcp --dport 80", tcp(), tcp(dport=81)),
    ("-p tcp -m tcp --dport 70:80", tcp(), tcp(dport=69)),
    ("-p tcp -m tcp --dport :79", tcp(dport=79), tcp()),
    ("-p tcp -m tcp --dport 81:", tcp(dport=65535), tcp()),
    ("-p udp -m udp --dport 53", udp(), udp(dport=54)),
    ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", tcp(flags=SYN | PSH), tcp(flags=SYN | ACK)),
    ("-p tcp -m tcp --tcp-flags ALL NONE", tcp(flags=0), tcp(flags=ACK)),
    ("-p tcp -m tcp --tcp-flags ALL ACK,FIN", tcp(flags=ACK | FIN), tcp(flags=ACK | FIN | RST)),
    ("-p icmp -m icmp --icmp-type 8", icmp(), icmp(kind=0)),
    ("-p icmp -m icmp --icmp-type 3/1", icmp(kind=3, code=1), icmp(kind=3, code=0)),
    ("-p icmp -m icmp --icmp-type port-unreachable", icmp(kind=3, code=3), icmp(kind=3, code=1)),
    ("-p tcp -m multiport --dports 22,80", tcp(), tcp(dport=81)),
    ("-p tcp -m multiport --sports 900:1100,5", tcp(), tcp(sport=6)),
    ("-p tcp -m multiport --ports 1000", tcp(dport=1), tcp(sport=1, dport=2)),
    ("-m iprange --src-range 10.0.0.1-10.0.0.5", tcp("10.0.0.5"), tcp("10.0.0.6")),
    ("-m iprange --dst-range 10.0.0.2-10.0.0.5", tcp(), tcp(dst="10.0.0.1")),
    ("-m ttl --ttl-eq 64", tcp(), tcp(ttl=63)),
    ("-m length --length 60:70", tcp(data=b"x" * 10), tcp(data=b"x" * 30)),
    ("-m dscp --dscp 0x0a", tcp(tos=0x28), tcp(tos=0x2C)),
    ("-m dscp --dscp-class AF11", tcp(tos=0x28), tcp()),
    ("-m tos --tos 0x10/0x3f", tcp(tos=0xD0), tcp(tos=0x20)),
    ("-m addrtype --dst-type LOCAL", tcp(dst="192.0.2.2"), tcp()),
    ("-m addrtype --src-type MULTICAST,BROADCAST", tcp("172.17.255.255"), tcp()),
    ("-m addrtype --dst-type UNICAST", tcp(), tcp(dst="127.0.0.1")),
    ("-m set --match-set bad src", tcp(), tcp("10.0.0.2")),
    ("-m set --match-set pairs src,dst", tcp(), tcp(dport=81)),
]
SETS = ipset.parse(
    "create bad hash:ip family inet\nadd bad 10.0.0.1\n"
    "create pairs hash:net,port family inet\nadd pairs 10.0.0.0/24,tcp:80\nadd pairs 10.0.0.0/24,udp:50-60\n"
)


def on(packet, **notes):
    c = context(packet, **notes)
    c.namespace.ipsets = SETS
    return c


@pytest.mark.parametrize(("rule", "taken", "left"), CASES, ids=[case[0] for case in CASES])
def test_match(rule, taken, left):
    assert matches(rule, on(taken)) is True
    assert matches(rule, on(left)) is False
    assert matches(negate(rule), on(taken)) is False
    assert matches(negate(rule), on(left)) is True


@pytest.mark.parametrize(("rule", "value", "hit"), [("--ttl-lt 64", 63, True), ("--ttl-lt 64", 64, False),
                                                  ("--ttl-gt 64", 65, True), ("--ttl-gt 64", 64, False)])  # fmt: skip
def test_ttl_bounds(rule, value, hit):
    assert matches(f"-m ttl {rule}", on(tcp(ttl=value))) is hit


@pytest.mark.parametrize(
    ("proto", "packet", "hit"),
    [("tcp", tcp(), True), ("udp", tcp(), False), ("17", udp(), True), ("all", icmp(), True), ("icmp", icmp(), True)],
)
def test_protocol(proto, packet, hit):
    assert matches(f"-p {proto}", on(packet)) is hit
    assert matches(f"! -p {proto}", on(packet)) is not hit


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ("-i eth0", True),
        ("-i eth+", True),
        ("-i +", True),
        ("-i eth", False),
        ("-i docker0", False),
        ("-o docker0", True),
        ("-o eth0", False),
        ("-o dock+", True),
    ],
)
def test_interfaces(rule, hit):
    assert matches(rule, on(tcp())) is hit
    assert matches(f"! {rule}", on(tcp())) is not hit


def test_no_interface_fits_no_name():
    c = context(tcp(), "INPUT", oif="")
    assert matches("-o eth0", c) is False
    assert matches("! -o eth0", c) is True


@pytest.mark.parametrize(
    "rule", ["-m udp --dport 53", "-m udp ! --dport 53", "-m multiport --dports 53", "-m multiport ! --ports 53"]
)
def test_a_later_fragment_has_no_ports(rule):
    assert matches(f"-p udp {rule}", on(LATER)) is False


def test_fragments():
    assert [matches(rule, on(LATER)) for rule in ("-f", "! -f")] == [True, False]
    assert [matches(rule, on(udp())) for rule in ("-f", "! -f")] == [False, True]


@pytest.mark.parametrize(
    ("mark", "hit"), [("0x5", True), ("5", True), ("0x1/0x1", True), ("0x4/0x6", True), ("0x1", False)]
)
def test_marks(mark, hit):
    connection = Connection(tuple_of(tcp()), tuple_of(tcp()).inverse, mark=5)
    assert matches(f"-m mark --mark {mark}", on(tcp(), mark=5)) is hit
    assert matches(f"-m mark ! --mark {mark}", on(tcp(), mark=5)) is not hit
    assert matches(f"-m connmark --mark {mark}", on(tcp(), connection=connection)) is hit


def test_a_connection_mark_without_a_connection():
    assert matches("-m connmark --mark 0x0", on(tcp())) is False
    assert matches("-m connmark ! --mark 0x1", on(tcp())) is False


def tracked(state="ESTABLISHED", *, reply=False, **fields):
    original = tuple_of(tcp("192.0.2.1", "192.0.2.2", dport=8080))
    answer = tuple_of(tcp("172.17.0.2", "192.0.2.1", sport=80, dport=1000))
    connection = Connection(original, answer, dst_nat=True, confirmed=True, **fields)
    return on(tcp(), connection=connection, state=state, reply=reply)


@pytest.mark.parametrize(
    ("option", "hit"),
    [
        ("--ctstate ESTABLISHED", True),
        ("--ctstate RELATED,ESTABLISHED", True),
        ("--ctstate NEW", False),
        ("--ctstate DNAT", True),
        ("--ctstate SNAT", False),
        ("--ctstatus CONFIRMED", True),
        ("--ctstatus ASSURED,SEEN_REPLY", False),
        ("--ctproto 6", True),
        ("--ctproto 17", False),
        ("--ctorigsrc 192.0.2.1/32", True),
        ("--ctorigdst 192.0.2.2/32", True),
        ("--ctreplsrc 172.17.0.0/16", True),
        ("--ctreplsrc 192.0.2.0/24", False),
        ("--ctrepldst 192.0.2.1/32", True),
        ("--ctorigsrcport 1000", True),
        ("--ctorigdstport 8080", True),
        ("--ctorigdstport 80", False),
        ("--ctreplsrcport 80:81", True),
        ("--ctrepldstport 1000", True),
    ],
)
def test_conntrack(option, hit):
    assert matches(f"-m conntrack {option}", tracked()) is hit
    assert matches(f"-m conntrack ! {option}", tracked()) is not hit


@pytest.mark.parametrize("reply", [False, True])
def test_direction(reply):
    assert matches("-m conntrack --ctdir REPLY", tracked(reply=reply)) is reply
    assert matches("-m conntrack --ctdir ORIGINAL", tracked(reply=reply)) is not reply


def test_several_conditions_of_conntrack_hold_together():
    assert matches("-m conntrack --ctstate ESTABLISHED --ctorigdstport 8080", tracked()) is True
    assert matches("-m conntrack --ctstate ESTABLISHED --ctorigdstport 80", tracked()) is False
    assert matches("-m conntrack --ctstate NEW --ctorigdstport 8080", tracked()) is False


@pytest.mark.parametrize(
    ("rule", "untracked", "hit"),
    [
        ("--ctstate INVALID", False, True),
        ("--ctstate UNTRACKED", True, True),
        ("--ctstate INVALID", True, False),
        ("! --ctstate NEW", False, True),
        ("--ctstate INVALID --ctorigdstport 9", False, True),
        ("--ctorigdstport 9", False, False),
        ("! --ctorigdstport 9", False, False),
    ],
)
def test_conntrack_without_a_connection(rule, untracked, hit):
    assert matches(f"-m conntrack {rule}", on(tcp(), untracked=untracked)) is hit


def test_the_old_state_match():
    assert matches("-m state --state RELATED,ESTABLISHED", tracked()) is True
    assert matches("-m state --state NEW", tracked()) is False


def test_addrtype_on_the_incoming_device_alone():
    assert matches("-m addrtype --dst-type LOCAL --limit-iface-in", on(tcp(dst="192.0.2.2"))) is True
    assert matches("-m addrtype --dst-type LOCAL --limit-iface-in", on(tcp(dst="172.17.0.1"))) is False
    assert matches("-m addrtype --dst-type LOCAL --limit-iface-out", on(tcp(dst="172.17.0.1"))) is True


def test_hardware_addresses():
    network = build()
    card = network.find("h1").devices["eth0"]
    c = context(tcp(), network=network, src_mac="02:42:00:00:00:11", device=card)
    assert matches("-m mac --mac-source 02:42:00:00:00:11", c) is True
    assert matches("-m mac ! --mac-source 02:42:00:00:00:11", c) is False
    assert matches("-m mac --mac-source 02:42:00:00:00:12", c) is False
    c.skb.local = True
    assert matches("-m mac ! --mac-source 02:42:00:00:00:12", c) is False


@pytest.mark.parametrize(("kind", "name"), [("In", "unicast"), ("B", "broadcast"), ("M", "multicast")])
def test_packet_types(kind, name):
    for other in ("unicast", "broadcast", "multicast"):
        assert matches(f"-m pkttype --pkt-type {other}", on(tcp(), packet_type=kind)) is (other == name)


def test_bridge_ports():
    network = build()
    devices = network.find("h1").devices
    c = context(tcp(), network=network, bridge=BridgeInfo(devices["vethweb"], devices["vethapp"]))
    assert matches("-m physdev --physdev-in vethweb --physdev-out veth+ --physdev-is-bridged", c) is True
    assert matches("-m physdev --physdev-in vethapp", c) is False
    assert matches("-m physdev ! --physdev-is-bridged", c) is False
    assert matches("-m physdev ! --physdev-in vethapp", c) is True
    plain = on(tcp())
    assert matches("-m physdev --physdev-is-in", plain) is False
    assert matches("-m physdev ! --physdev-in vethweb ! --physdev-is-out", plain) is True


def test_a_limit_lets_its_burst_pass():
    rule = parse_rule(Table("filter"), "X", "-m limit --limit 5/min --limit-burst 3")
    assert [rule.matches[0].test(on(tcp())) for _ in range(5)] == [True, True, True, False, False]


def test_a_limit_has_a_burst_of_five():
    rule = parse_rule(Table("filter"), "X", "-m limit --limit 5/min")
    assert sum(rule.matches[0].test(on(tcp())) for _ in range(9)) == 5


def test_a_comment_takes_every_packet():
    assert matches("-m comment --comment x", on(icmp())) is True


@pytest.mark.parametrize("rule", ["-m set --match-set lost src", "-m conntrack --ctexpire 5", "-m recent --rcheck"])
def test_what_nobody_knows(rule):
    c = tracked()
    c.namespace.ipsets = SETS
    assert matches(rule, c) is None


def test_what_fails_for_sure_is_not_in_doubt():
    assert matches("-d 9.9.9.9/32 -m recent --set", on(tcp())) is False
