"""Matches that go beyond a packet's addresses and ports: what each takes, what it leaves, and what nobody knows."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from simnet.net.netfilter import ipset
from simnet.net.netfilter.conntrack import Connection, tuple_of
from simnet.net.netfilter.matches import MODULES
from simnet.net.netfilter.rule import Chain, Option, Table
from simnet.net.netfilter.save import parse_rule
from simnet.net.packet import ACK, CWR, ECE, SYN, UDP, Fragment, IcmpMessage, IPv4, IPv6, RawPayload, UdpDatagram
from simnet.net.skb import BridgeInfo
from tests.net.build import build, context, icmp, ip, mac, tcp, udp

LATER = udp(fragment=Fragment(8, 8, False, udp()))


def compiled(rule):
    tests = [match.test for match in parse_rule(Table("mangle", {"X": Chain("X")}), "X", rule).matches]

    def test(c):
        answers = [one(c) for one in tests]
        return False if False in answers else None if None in answers else True

    return test


def matches(rule, c):
    """What the matches of a rule say of a packet: all true, one false, or None."""
    return compiled(rule)(c)


def protocol(number, length=40):
    """A packet whose payload is not modelled."""
    return IPv4(ip("10.0.0.1"), ip("10.0.0.2"), number, RawPayload(length))


def syn(mss=1460, **fields):
    packet = tcp(**fields)
    return replace(packet, transport=replace(packet.transport, mss=mss, options=20))


def tracked(packet=None, **fields):
    packet = packet or tcp()
    original = tuple_of(packet)
    return {"connection": Connection(original, original.inverse, **fields), "state": "NEW"}


# option, a packet that it takes, one that it leaves; negated, the reverse
CASES = [
    ("-m hl --hl-eq 64", tcp(), tcp(ttl=63)),
    ("-m hl --hl-eq 63", tcp(ttl=63), tcp()),
    ("-m length2 --layer4 --length 32", tcp(), tcp(data=b"x")),
    ("-m length2 --layer5 --length 1:9", tcp(data=b"x"), tcp()),
    ("-m length2 --layer7 --length 3", udp(data=b"abc"), udp()),
    ("-m length2 --length 52", tcp(), udp()),
    ("-m tos --tos Minimize-Delay", tcp(tos=0x50), tcp(tos=0x18)),
    ("-m ecn --ecn-ip-ect 2", tcp(tos=2), tcp(tos=1)),
    ("-p tcp -m ecn --ecn-tcp-ece", tcp(flags=SYN | ECE), tcp()),
    ("-p tcp -m ecn --ecn-tcp-cwr", tcp(flags=SYN | CWR | ECE), tcp(flags=ECE)),
    ("-p tcp -m tcpmss --mss 1400:1460", syn(), syn(1300)),
    ("-p tcp -m tcpmss --mss 1460", syn(), tcp(flags=ACK)),
    ("-p tcp -m tcp --tcp-option 2", syn(), tcp(flags=ACK)),
    ("-m u32 --u32 0>>16&0xff=0x28", tcp(tos=0x28), tcp()),
    ("-m u32 --u32 6&0xff=6,17", tcp(), icmp()),
    ("-m u32 --u32 0>>22&0x3c@0>>16=1000", tcp(), tcp(sport=1001)),
    ("-m u32 --u32 0>>22&0x3c@12>>26&0x3c@0=0x47455420", tcp(data=b"GET /"), tcp(data=b"POST ")),
    ("-m u32 --u32 12=0x0a000001&&16=0x0a000002", tcp(), tcp(dst="10.0.0.3")),
    ("-m u32 --u32 0&0xffff=0:60", tcp(), tcp(data=b"x" * 20)),
    ("-m u32 --u32 4&0x1fff=0", tcp(), LATER),
    ("-m u32 --u32 9000=0:0xffffffff", tcp(data=b"x" * 9900), tcp()),
    ("-m u32 --u32 16<<24=0x02000000", tcp(), tcp(dst="10.0.0.3")),
    ("-m string --algo bm --string hello", udp(data=b"say hello"), udp(data=b"say hell")),
    ("-m string --algo kmp --icase --string HELLO", udp(data=b"say Hello"), udp(data=b"h-e-l-l-o")),
    ("-m string --algo bm --from 28 --string abcd", udp(data=b"abcd"), udp(data=b"xyz")),
    ("-m string --algo bm --from 29 --string abcd", udp(data=b"xabcd"), udp(data=b"abcd")),
    ("-m string --algo bm --to 32 --string abcd", udp(data=b"abcd"), udp(data=b"xabcd")),
    ("-m string --algo bm --hex-string |6162|cd", udp(data=b"abcd"), udp(data=b"|6162|cd")),
    ("-m policy --dir in --pol none", tcp(), None),
    ("-m policy --dir out --pol ipsec", None, tcp()),
    ("-m statistic --mode random --probability 1", tcp(), None),
    ("-m statistic --mode random --probability 0", None, tcp()),
    ("-m statistic --mode nth --packet 0 --every 1", tcp(), None),
    ("-m recent --name x --set", tcp(), None),
    ("-m helper --helper ftp", None, tcp()),
    ("-m connlimit --connlimit-above 0", tcp(), None),
    ("-m connlimit --connlimit-upto 0", None, tcp()),
]
PLAIN = {"--dir", "--pol"}


def negate(rule):
    words = rule.split()
    at = max(n for n, word in enumerate(words) if word.startswith("--"))
    return " ".join([*words[:at], "!", *words[at:]])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_each_takes_and_leaves(case):
    rule, taken, left = case
    network = build()
    for packet, answer in ((taken, True), (left, False)):
        if packet is not None:
            assert matches(rule, context(packet, network=network)) is answer
            if "policy" not in rule:
                assert matches(negate(rule), context(packet, network=network)) is not answer


UNKNOWN = [
    "-m recent --rcheck --seconds 60 --hitcount 4 --name ssh",
    "-m recent --update --name ssh",
    "-m recent --remove --name ssh",
    "-m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip --hashlimit-name x",
    "-m connlimit --connlimit-above 3",
    "-m connbytes --connbytes 100: --connbytes-dir both --connbytes-mode bytes",
    "-m quota --quota 1000",
    "-m statistic --mode random --probability 0.5",
    "-m statistic --mode nth --every 3 --packet 0",
    "-m nfacct --nfacct-name x",
    "-m rateest --rateest x --rateest-gt --rateest-pps 9",
    "-m time --timestart 08:00 --timestop 17:00",
    "-m time --weekdays Mon",
    "-m cpu --cpu 0",
    "-m socket --transparent",
    "-m realm --realm 1",
    "-m devgroup --src-group 0",
    "-m bpf --bytecode '2,32 0 0 4294963256,6 0 0 1'",
    "-m bpf --bytecode '2,40 0 0 4,22 0 0 0'",
    "-m bpf --object-pinned /sys/fs/bpf/x",
    "-p tcp -m osf --genre Linux",
    "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1",
    "-m connlabel --label 1",
    "-m conntrack --ctexpire 1:9",
    "-m set --match-set nonesuch src",
    "-m u32 --u32 4>>16=1",
    "-p tcp -m u32 --u32 24=1:5",
    "-m string --algo bm --string q --from 4 --to 6",
]


@pytest.mark.parametrize("rule", UNKNOWN)
def test_what_a_snapshot_cannot_tell_and_why(rule):
    parsed = parse_rule(Table("mangle", {"X": Chain("X")}), "X", rule)
    assert matches(rule, context(tcp(), **tracked())) is None
    assert parsed.matches[-1].why or MODULES[parsed.matches[-1].module].reason


def test_every_module_whose_answer_may_be_undecided_has_a_reason():
    assert {rule.split("-m ")[1].split()[0] for rule in UNKNOWN} <= {n for n, m in MODULES.items() if m.reason}
    assert all(not module.reason.endswith(".") for module in MODULES.values())


@pytest.mark.parametrize("number", [33, 132, 136])
def test_a_header_that_is_not_modelled_has_unknown_ports(number):
    name = {33: "dccp", 132: "sctp", 136: "udplite"}[number]
    c = context(protocol(number))
    assert matches(f"-p {name} -m {name}", c) is True
    assert matches(f"-p {name} -m {name} --dport 0:65535", c) is True
    assert matches(f"-p {name} -m {name} --dport 80", c) is None
    assert matches(f"-p {name} -m {name} ! --dport 80", c) is None
    assert matches(f"-p {name} -m multiport --dports 80,90", c) is None
    assert matches(f"-p {name} -m {name} --dport 80", context(tcp())) is False


@pytest.mark.parametrize(("module", "number"), [("ah", 51), ("esp", 50), ("ipcomp", 108)])
def test_encrypted_packets_are_known_by_their_protocol_alone(module, number):
    option = {"ah": "--ahspi", "esp": "--espspi", "ipcomp": "--ipcompspi"}[module]
    c = context(protocol(number))
    assert matches(f"-p {number} -m {module}", c) is True
    assert matches(f"-p {number} -m {module} {option} 0:4294967295", c) is True
    assert matches(f"-p {number} -m {module} ! {option} 5", c) is None
    assert matches(f"-m {module} {option} 5", context(tcp())) is False


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("-m frag --fragfirst", False),
        ("-m hbh --hbh-len 8", False),
        ("-m dst", False),
        ("-m rt --rt-type 0", False),
        ("-m mh --mh-type 1", False),
        ("-m srh", False),
        ("-m ipv6header --header prot", True),
        ("-m ipv6header ! --header prot", False),
        ("-m ipv6header --header frag,prot", False),
        ("-m ipv6header --header frag --soft", False),
        ("-m ipv6header ! --header frag --soft", True),
    ],
)
def test_packets_are_made_without_headers_between(rule, answer):
    assert matches(rule, context(tcp())) is answer
    assert matches(rule, context(protocol(50))) is None


def test_an_address_made_of_the_hardware_address():
    packet = replace(tcp(), src=0xFE80 << 112 | 0x0042_00FF_FE00_0070)
    assert matches("-m eui64", context(packet, src_mac=mac(0x70))) is True
    assert matches("-m eui64", context(packet, src_mac=mac(0x71))) is False
    assert matches("-m eui64", context(packet)) is False


ROUTES = [
    # source, device that it comes in by, whether the way back leads there
    ("192.0.2.1", "eth0", True),
    ("192.0.2.1", "docker0", False),
    ("172.17.0.2", "docker0", True),
    ("172.17.0.2", "eth0", False),
    ("8.8.8.8", "eth0", True),
    ("127.0.0.1", "lo", True),
]


@pytest.mark.parametrize(("source", "device", "answer"), ROUTES)
def test_reverse_path(source, device, answer):
    c = context(tcp(src=source), hook="PREROUTING", iif=device, oif="")
    assert matches("-m rpfilter", c) is answer
    assert matches("-m rpfilter --invert", c) is not answer
    assert matches("-m rpfilter --loose", c) is True


def test_reverse_path_of_own_addresses():
    c = context(tcp(src="192.0.2.2"), hook="PREROUTING", iif="eth0", oif="")
    assert matches("-m rpfilter", c) is False
    assert matches("-m rpfilter --accept-local", c) is True
    other = context(tcp(src="192.0.2.2"), hook="PREROUTING", iif="docker0", oif="")
    assert matches("-m rpfilter --accept-local", other) is False
    assert matches("-m rpfilter --accept-local --loose", other) is True


def test_owner():
    forwarded, own = context(tcp()), context(tcp(), hook="OUTPUT", local=True, socket=object(), by="curl")
    kernel = context(tcp(), hook="OUTPUT", local=True, by="kernel")
    for c in (forwarded, kernel):
        assert matches("-m owner --uid-owner 0", c) is False
        assert matches("-m owner ! --uid-owner 0", c) is True
        assert matches("-m owner ! --uid-owner 0 --gid-owner 0", c) is False
        assert matches("-m owner --socket-exists", c) is False
        assert matches("-m owner ! --socket-exists", c) is True
    assert matches("-m owner --uid-owner 0", own) is None
    assert matches("-m owner --socket-exists", own) is True
    assert matches("-m owner ! --socket-exists", own) is False
    assert matches("-m owner --uid-owner 0 ! --socket-exists", own) is False


def test_a_control_group_needs_a_socket():
    assert matches("-m cgroup --cgroup 1", context(tcp())) is False
    assert matches("-m cgroup ! --cgroup 1", context(tcp())) is False
    assert matches("-m cgroup --path a", context(tcp(), hook="OUTPUT", local=True, by="curl")) is None


def test_a_time_that_leaves_nothing_out_always_holds():
    assert matches("-m time", context(tcp())) is True
    assert matches("-m time --datestop 2038-01-19T03:14:07 --kerneltz", context(tcp())) is True


def test_without_a_connection_nothing_is_counted():
    for rule in ("-m connbytes --connbytes 0: --connbytes-dir both --connbytes-mode bytes",
                 "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1",
                 "-m connlabel --label 1"):  # fmt: skip
        assert matches(rule, context(tcp())) is False


def test_a_label_that_the_rule_sets_is_there():
    assert matches("-m connlabel --label 1 --set", context(tcp(), **tracked())) is True
    assert matches("-m connlabel ! --label 1", context(tcp())) is True


def test_a_quota_is_too_small_for_a_longer_packet():
    assert matches("-m quota --quota 40", context(tcp())) is False
    assert matches("-m quota ! --quota 40", context(tcp())) is True
    assert matches("-m quota --quota 52", context(tcp())) is None


def test_only_a_syn_has_a_fingerprint():
    assert matches("-p tcp -m osf --genre Linux", context(tcp(flags=ACK))) is False


@pytest.mark.parametrize(
    ("rule", "inner", "both", "bare"),
    [
        ("--physdev-in veth0", True, True, False),
        ("! --physdev-in veth0", False, False, True),
        ("--physdev-in +", True, True, False),
        ("--physdev-out veth1", False, True, False),
        ("! --physdev-out veth1", False, False, True),
        ("! --physdev-out veth9", False, True, True),
        ("--physdev-is-in", True, True, False),
        ("! --physdev-is-out", True, False, True),
        ("--physdev-is-bridged", False, True, False),
        ("! --physdev-is-bridged", True, False, True),
        ("--physdev-in veth0 --physdev-is-bridged", False, True, False),
        ("! --physdev-in veth9 --physdev-out veth1", False, True, False),
    ],
)
def test_ports_of_a_bridge(rule, inner, both, bare):
    class Port:
        def __init__(self, name):
            self.name = name

    first, second = Port("veth0"), Port("veth1")
    assert matches(f"-m physdev {rule}", context(tcp(), bridge=BridgeInfo(first))) is inner
    assert matches(f"-m physdev {rule}", context(tcp(), bridge=BridgeInfo(first, second))) is both
    assert matches(f"-m physdev {rule}", context(tcp())) is bare


def test_chance_is_not_taken_for_a_text_but_short_texts_may_be_chance():
    assert matches("-m string --algo bm --string GET", context(tcp())) is False
    assert matches("-m string --algo bm --string GE", context(tcp())) is None
    assert matches("-m string --algo bm --string GET", context(icmp())) is None
    assert matches("-m string --algo bm --string GET", context(icmp(size=0))) is False


def test_an_icmp_error_quotes_bytes_that_are_known():
    quoted = udp(data=b"attack at dawn")
    error = icmp(kind=3, code=3, quoted=quoted, size=quoted.length)
    assert matches("-m string --algo bm --string attack", context(error)) is True
    assert matches("-m u32 --u32 0>>22&0x3c@8&0=0", context(error)) is True
    assert matches("-m u32 --u32 36>>24=17", context(error)) is False
    assert matches("-m u32 --u32 37>>24=17", context(error)) is True


def test_fragments_hold_their_part_of_the_payload():
    whole = udp(data=b"a" * 24 + b"needle" + b"b" * 24)
    first = replace(whole, fragment=Fragment(0, 16, True, whole))
    last = replace(whole, fragment=Fragment(32, 30, False, whole))
    rule = "-m string --algo bm --string needle"
    assert matches(rule, context(whole)) is True
    assert matches(rule, context(first)) is False
    assert matches(rule, context(last)) is True


SETS = ipset.parse(
    """
create nets hash:net family inet hashsize 1024 maxelem 65536
add nets 10.0.0.0/8
add nets 10.1.0.0/16 nomatch comment "a nomatch of 10"
add nets 10.1.2.0/24 timeout 30
create ranges hash:ip family inet
add ranges 10.0.0.1-10.0.0.4
create coarse hash:ip family inet netmask 24
add coarse 10.0.0.0
create ports bitmap:port range 0-1023
add ports 80
create services hash:ip,port family inet
add services 10.0.0.2,tcp:80
add services 10.0.0.2,udp:53
add services 10.0.0.2,icmp:echo-request
create macs hash:mac
add macs 02:42:00:00:00:70
create pairs hash:net,net family inet
add pairs 10.0.0.0/24,10.0.0.0/8
create ifaces hash:net,iface family inet
add ifaces 10.0.0.0/8,eth0
add ifaces 0.0.0.0/0,dock wildcard
create marks hash:ip,mark family inet
add marks 10.0.0.1,0x00000007
create triple hash:ip,port,ip family inet
add triple 10.0.0.1,tcp:80,10.0.0.2
create all list:set size 8
add all coarse
add all ports
create six hash:net family inet6
add six 2001:db8::/32
"""
)


@pytest.mark.parametrize(
    ("asked", "packet", "answer"),
    [
        ("nets src", tcp(), True),
        ("nets src", tcp(src="10.1.9.9"), False),
        ("nets src", tcp(src="10.1.2.9"), True),
        ("nets src --return-nomatch", tcp(src="10.1.9.9"), True),
        ("nets src --return-nomatch", tcp(), False),
        ("nets src", tcp(src="11.0.0.1"), False),
        ("nets src --packets-gt 3", tcp(), None),
        ("nets src --packets-gt 3", tcp(src="11.0.0.1"), False),
        ("ranges src", tcp(src="10.0.0.4"), True),
        ("ranges src", tcp(src="10.0.0.5"), False),
        ("coarse src", tcp(src="10.0.0.200"), True),
        ("coarse src", tcp(src="10.0.1.200"), False),
        ("ports dst", tcp(), True),
        ("ports dst", udp(dport=80), True),
        ("ports src", tcp(), False),
        ("ports dst", icmp(), False),
        ("services dst,dst", tcp(), True),
        ("services dst,src", tcp(), False),
        ("services dst,dst", udp(), True),
        ("services dst,dst", icmp(), True),
        ("services dst,dst", icmp(kind=0), False),
        ("services dst,dst", LATER, False),
        ("services dst", tcp(), False),
        ("macs src", tcp(), True),
        ("macs dst", tcp(), False),
        ("pairs src,dst", tcp(), True),
        ("pairs src,dst", tcp(src="10.0.1.1"), False),
        ("ifaces src,src", tcp(), True),
        ("ifaces src,dst", tcp(src="11.0.0.1"), True),
        ("ifaces src,src", tcp(src="11.0.0.1"), False),
        ("marks src,src", tcp(), True),
        ("triple src,dst,dst", tcp(), True),
        ("triple src,dst,dst", tcp(dport=81), False),
        ("all dst", tcp(dport=80), True),
        ("all src", tcp(src="11.0.0.1"), False),
        ("six src", replace(tcp(), src=0x20010DB8 << 96 | 5), True),
        ("six src", replace(tcp(), src=0x20010DB9 << 96 | 5), False),
    ],
)
def test_sets(asked, packet, answer):
    network = build()
    network.find("h1").ipsets |= SETS
    c = context(packet, network=network, src_mac=mac(0x70), dst_mac=mac(0x12), mark=7)
    assert matches(f"-m set --match-set {asked}", c) is answer
    assert matches(f"-m set ! --match-set {asked}", c) is (None if answer is None else not answer)


def test_a_set_that_grows_is_looked_at_anew():
    network = build()
    (name, found), *_ = ipset.parse("create bad hash:ip family inet\nadd bad 10.0.0.9\n").items()
    network.find("h1").ipsets[name] = found
    c = context(tcp(), network=network)
    assert matches("-m set --match-set bad src", c) is False
    found.members.append(("10.0.0.1",))
    assert matches("-m set --match-set bad src", c) is True


def test_what_ip6tables_asks_is_read():
    for rule in ("-m conntrack --ctorigsrc 2001:db8::/32", "-m iprange --dst-range ::1-::9",
                 "-m icmp6 --icmpv6-type 128", "-m connlimit --connlimit-above 3 --connlimit-mask 64"):  # fmt: skip
        parse_rule(Table("mangle", {"X": Chain("X")}), "X", rule)
    packet = replace(tcp(), src=0x20010DB8 << 96 | 5)
    assert matches("-s 2001:db8::/32", context(packet)) is True
    assert matches("-s 2001:db9::/32", context(packet)) is False
    assert matches("-m iprange --src-range 2001:db8::-2001:db8::5", context(packet)) is True
    assert matches("-m iprange --src-range 2001:db8::-2001:db8::4", context(packet)) is False


def six(transport, proto, **fields):
    return IPv6(0x20010DB8 << 96 | 1, 0x20010DB8 << 96 | 2, proto, transport, **fields)


@pytest.mark.parametrize(
    ("rule", "taken", "left"),
    [
        ("-p ipv6-icmp -m icmp6 --icmpv6-type 128", six(IcmpMessage(128), 58), six(IcmpMessage(129), 58)),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type 1/4", six(IcmpMessage(1, 4), 58), six(IcmpMessage(1, 3), 58)),
        ("-p ipv6-icmp -m icmp6 --icmpv6-type neighbor-advertisement", six(IcmpMessage(136), 58), tcp()),
        ("-m hl --hl-lt 64", six(UdpDatagram(1, 2), UDP, ttl=63), six(UdpDatagram(1, 2), UDP)),
        ("-m u32 --u32 6>>24=17", six(UdpDatagram(1, 2), UDP), six(IcmpMessage(128), 58)),
        ("-m u32 --u32 20=1", six(UdpDatagram(1, 2), UDP), replace(six(UdpDatagram(1, 2), UDP), src=2)),
        ("-m u32 --u32 4>>16=10", six(UdpDatagram(1, 2, b"ab"), UDP), six(UdpDatagram(1, 2), UDP)),
        ("-m string --algo bm --from 48 --string ab", six(UdpDatagram(1, 2, b"ab"), UDP), six(UdpDatagram(1, 2), UDP)),
        ("-m length2 --layer5 --length 2", six(UdpDatagram(1, 2, b"ab"), UDP), six(UdpDatagram(1, 2), UDP)),
        ("-m frag --fragfirst", None, six(UdpDatagram(1, 2), UDP)),
        ("-m ipv6header --header prot", six(UdpDatagram(1, 2), UDP), None),
    ],
)
def test_ipv6(rule, taken, left):
    for packet, answer in ((taken, True), (left, False)):
        if packet is not None:
            assert matches(rule, context(packet)) is answer


@pytest.mark.parametrize(
    ("module", "option"),
    [
        ("u32", ("--u32", "0")),
        ("u32", ("--u32", "0&=1")),
        ("u32", ("--u32", "0=")),
        ("string", ("--hex-string", "|4")),
        ("string", ("--hex-string", "|4x|")),
        ("limit", ("--limit", "0/sec")),
        ("limit", ("--limit", "10001/sec")),
        ("limit", ("--limit", "3/fortnight")),
        ("hashlimit", ("--hashlimit-upto", "9/blink")),
        ("statistic", ("--probability", "2")),
        ("time", ("--timestart", "25:00")),
        ("time", ("--datestart", "yesterday")),
        ("mac", ("--mac-source", "02:42")),
        ("set", ("--match-set", "bad", "up")),
        ("policy", ("--pol", "some")),
        ("conntrack", ("--ctstatus", "DNAT")),
        ("ipv6header", ("--header", "foot")),
        ("tos", ("--tos", "Maximize-Cost")),
        ("ecn", ("--ecn-ip-ect", "4")),
    ],
)
def test_what_iptables_refuses(module, option):
    with pytest.raises((ValueError, KeyError)):
        MODULES[module].build((Option(option[0], option[1:], False, 0),), 6)


# --- beside the kernel ------------------------------------------------------------------------------------------------

LIVE = [
    *(rule for rule, *_ in CASES),
    *(negate(rule) for rule, *_ in CASES if "policy" not in rule),
    "-m string --algo bm --string needle",
    "-m string --algo kmp --icase --string NEEDLE",
    "-m string --algo bm --from 30 --string needle",
    "-m string --algo bm --from 31 --string needle",
    "-m string --algo bm --to 36 --string needle",
    "-m string --algo bm --to 35 --string needle",
    "-m u32 --u32 0>>22&0x3c@8=0x61206e65",
    "-m u32 --u32 32=0:0xffffffff",
    "-m u32 --u32 33=0:0xffffffff",
    "-m u32 ! --u32 33=0:0xffffffff",
    "-m u32 --u32 0>>22&0x3c@12>>24=0xa0",
    "-m u32 --u32 0>>22&0x3c@20=0x0204ffd7",
    "-m u32 --u32 40=1",
    "-p tcp -m tcpmss --mss 65495",
    "-p tcp -m tcpmss ! --mss 65495",
    "-p tcp -m tcp --tcp-option 3",
    "-p tcp -m tcp --tcp-option 5",
    "-p tcp -m tcp ! --tcp-option 5",
    "-p tcp -m tcp --syn",
    "-p tcp -m ecn ! --ecn-tcp-ece",
    "-p icmp -m icmp --icmp-type any",
    "-p icmp -m icmp ! --icmp-type 8",
    "-p icmp -m icmp --icmp-type 8/0",
    "-m quota --quota 30",
    "-m quota ! --quota 30",
    "-m owner --socket-exists",
    "-m owner ! --socket-exists",
    "-m recent --set --name y",
    "-m conntrack --ctstatus NONE",
    "-m conntrack ! --ctstatus NONE",
    "-m conntrack --ctstate NEW",
    "-m mark --mark 0x0",
    "-m mark --mark 0x1/0x0",
    "-m addrtype --dst-type LOCAL",
    "-m addrtype --src-type UNICAST",
    "-m pkttype --pkt-type unicast",
    "-m pkttype ! --pkt-type multicast",
    "-m length --length 36",
    "-m length2 --length 36",
    "-m ttl --ttl-gt 63",
    "-m physdev --physdev-is-in",
    "-m physdev ! --physdev-is-in",
    "-m mac --mac-source 02:42:00:00:00:70",
    "-m mac ! --mac-source 02:42:00:00:00:70",
    "-m cpu --cpu 0",
    "-m time",
    "-m connbytes --connbytes 0 --connbytes-dir both --connbytes-mode bytes",
    "-p udp -m multiport --dports 5000:5010",
    "-p udp -m multiport ! --ports 80",
    "-m iprange --dst-range 127.0.0.1-127.0.0.1",
    "-f",
    "! -f",
    "-p sctp",
    "-m connlabel --label 1 --set",
]
LOCAL_SETS = """
create nets hash:net family inet
add nets 127.0.0.0/8
add nets 127.0.0.0/24 nomatch
add nets 127.0.0.1/32
create holes hash:net family inet
add holes 127.0.0.0/8
add holes 127.0.0.0/24 nomatch
create coarse hash:ip family inet netmask 24
add coarse 127.0.0.0
create ports bitmap:port range 0-9999
add ports 5005
create services hash:ip,port family inet
add services 127.0.0.1,tcp:5005
add services 127.0.0.1,udp:4000
add services 127.0.0.1,icmp:echo-request
create triple hash:ip,port,ip family inet
add triple 127.0.0.1,udp:5005,127.0.0.1
create netport hash:net,port family inet
add netport 127.0.0.0/16,tcp:5005
add netport 127.0.0.0/16,udp:5005
create netiface hash:net,iface family inet
add netiface 127.0.0.0/8,lo
create begins hash:net,iface family inet
add begins 127.0.0.0/8,l wildcard
create both list:set size 8
add both ports
add both holes
"""
LIVE += [
    f"-m set {no}--match-set {asked}"
    for no in ("", "! ")
    for asked in (
        *(
            "nets src",
            "holes src",
            "holes src --return-nomatch",
            "nets dst --return-nomatch",
            "coarse dst",
            "ports dst",
        ),
        *("ports src", "services dst,dst", "services src,src", "services src", "triple src,dst,dst", "netport src,dst"),
        *("netiface src,dst", "netiface src,src", "begins src,dst", "both dst", "both src", "coarse src,dst"),
        *("triple dst,dst,src", "netport dst,src"),
    )
]
SENDER = """
import json, socket, struct, subprocess, sys
kind, (rules, sets) = sys.argv[1], json.load(sys.stdin)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for line in sets.splitlines():
    subprocess.run(["ipset", *line.split()], stderr=subprocess.DEVNULL)
taken = []
def restore(*lines):
    text = "\\n".join(["*mangle", *lines, "COMMIT", ""])
    return not subprocess.run(["iptables-restore", "-n"], input=text, text=True, stderr=subprocess.DEVNULL).returncode
for number, rule in enumerate(rules):
    name = "c%d" % number
    if restore(":OUTPUT ACCEPT", ":%s -" % name, "-A OUTPUT -j " + name, "-A %s %s" % (name, rule)):
        taken.append(number)
restore("-A OUTPUT -j DROP")
types = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM, "icmp": socket.SOCK_RAW}
with socket.socket(socket.AF_INET, types[kind], socket.IPPROTO_ICMP if kind == "icmp" else 0) as sender:
    sender.setblocking(False)
    try:
        if kind == "icmp":
            sender.sendto(struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"a needle", ("127.0.0.1", 0))
        else:
            sender.bind(("127.0.0.1", 4000))
            sender.connect(("127.0.0.1", 5005))
            sender.send(b"a needle")
    except OSError:
        pass
said = subprocess.run(["iptables-save", "-c", "-t", "mangle"], capture_output=True, text=True).stdout
hits = {}
for line in said.splitlines():
    words = line.split()
    if len(words) > 2 and words[1] == "-A" and words[2].startswith("c"):
        hits[words[2][1:]] = int(words[0][1:].split(":")[0])
print(json.dumps({str(number): hits[str(number)] for number in taken}))
"""
LOCAL = {"src": "127.0.0.1", "dst": "127.0.0.1"}
SENT = {
    "udp": udp(**LOCAL, sport=4000, dport=5005, data=b"a needle", df=True),
    "tcp": syn(65495, **LOCAL, sport=4000, dport=5005, df=True),
    "icmp": icmp(**LOCAL, size=8, df=True),
}


@pytest.mark.ipset
@pytest.mark.parametrize("kind", SENT)
def test_a_packet_is_matched_as_the_kernel_matches_it(kind):
    command = ["unshare", "--net", sys.executable, "-c", SENDER, kind]
    asked = json.dumps([LIVE, LOCAL_SETS])
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=True)
    hits = {LIVE[int(number)]: count for number, count in json.loads(done.stdout).items()}
    assert len(hits) > len(LIVE) // 2
    assert hits["-m owner --socket-exists"] == 1
    packet = SENT[kind]
    network = build()
    network.find("h1").ipsets |= ipset.parse(LOCAL_SETS)
    wrong = {}
    for rule, count in hits.items():
        notes = {"local": True, "socket": object(), "by": "it", **tracked(packet)}
        c = context(packet, "OUTPUT", network, iif="", oif="lo", **notes)
        answer = matches(rule, c)
        if answer is not None and answer != (count == 1):
            wrong[rule] = count
    assert wrong == {}
