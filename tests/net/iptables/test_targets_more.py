"""Every target with every option: how it is written, how it is listed, and how real iptables does both."""

import subprocess
from itertools import pairwise

import pytest

from simnet.net.iptables.canonical import canonical
from simnet.net.iptables.listing import Form, listing, specification
from simnet.net.netfilter import save
from simnet.net.netfilter.rule import BASE_CHAINS, Chain, Table
from simnet.net.netfilter.targets import CONTINUE, DROP, EXTENSIONS
from tests.net.build import context, tcp

SETS = ["create foo hash:ip", "create bar hash:ip,port timeout 100 skbinfo"]

# table, chain, and rules as a user would type them
TYPED = {
    ("filter", "INPUT"): [
        "-j REJECT",
        *(
            f"-j REJECT --reject-with {kind}"
            for kind in [
                "icmp-net-unreachable",
                "icmp-host-unreachable",
                "icmp-proto-unreachable",
                "icmp-port-unreachable",
                "icmp-net-prohibited",
                "icmp-host-prohibited",
                "icmp-admin-prohibited",
                "net-unreach",
                "host-unreach",
                "proto-unreach",
                "port-unreach",
                "net-prohib",
                "host-prohib",
                "admin-prohib",
            ]
        ),
        "-p tcp -j REJECT --reject-with tcp-reset",
        "-p tcp -j REJECT --reject-with tcp-rst",
        "-p tcp -j SYNPROXY",
        "-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460",
        "-p tcp -j SYNPROXY --ecn --mss 1400 --wscale 4 --timestamp --sack-perm",
        "-p tcp -j SYNPROXY --wscale 0",
    ],
    ("nat", "PREROUTING"): [
        "-j DNAT --to-destination 1.2.3.4",
        "-p tcp -j DNAT --to-destination 1.2.3.4:80",
        "-p tcp -j DNAT --to-destination 1.2.3.4-1.2.3.9:80-90",
        "-p tcp -j DNAT --to-destination :80",
        "-p tcp -j DNAT --to-destination 1.2.3.4:80-90/8080",
        "-p tcp -j DNAT --to-destination 1.2.3.4:80-90/8080 --persistent --random",
        "-p tcp -j DNAT --to-destination 1.2.3.4-1.2.3.4:80-80",
        "-j DNAT --to-destination 1.2.3.4 --random",
        "-p tcp -j REDIRECT",
        "-p tcp -j REDIRECT --to-ports 80",
        "-p tcp -j REDIRECT --to-ports 80-90 --random",
        "-p tcp -j REDIRECT --to-ports http",
        "-j REDIRECT --random",
        "-j NETMAP --to 1.2.3.0/24",
        "-j NETMAP --to 1.2.3.4",
        "-j NETMAP --to 1.2.3.4/12",
    ],
    ("nat", "POSTROUTING"): [
        "-j SNAT --to-source 1.2.3.4",
        "-p tcp -j SNAT --to-source 1.2.3.4-1.2.3.9:80-90 --random",
        "-p tcp -j SNAT --to-source :80-90 --random-fully",
        "-p tcp -j SNAT --to-source 1.2.3.4 --random-fully --persistent --random",
        "-j MASQUERADE",
        "-j MASQUERADE --random-fully",
        "-p tcp -j MASQUERADE --to-ports 80",
        "-p udp -j MASQUERADE --to-ports 80-90 --random-fully --random",
        "-p tcp -j MASQUERADE --to-ports 80-80",
    ],
    ("mangle", "PREROUTING"): [
        "-p tcp -j TPROXY --on-port 80",
        "-p udp -j TPROXY --on-port 80 --on-ip 1.2.3.4 --tproxy-mark 1",
        "-p udp -j TPROXY --on-port 80 --tproxy-mark 0x1/0xff",
    ],
    ("mangle", "POSTROUTING"): [
        *(
            f"-j {target} {options}"
            for target in ("MARK", "CONNMARK")
            for options in (
                "--set-xmark 0x1/0xff",
                "--set-mark 1",
                "--set-mark 1/3",
                "--set-mark 0xffffffff",
                "--and-mark 0xf0",
                "--or-mark 0xf",
                "--xor-mark 0xf",
                "--set-xmark 0x3/0x3",
                "--set-xmark 0/0",
                "--set-xmark 0/0xff",
                "--set-xmark 5/0",
            )
        ),
        "-j CONNMARK --save-mark",
        "-j CONNMARK --restore-mark",
        "-j CONNMARK --save-mark --mask 0xff",
        "-j CONNMARK --restore-mark --mask 0xff",
        "-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xf0",
        "-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xf0",
        "-j CONNMARK --set-xmark 1/2 --left-shift-mark 3",
        "-j CONNMARK --save-mark --nfmask 1 --ctmask 2 --right-shift-mark 3",
        *(f"-j TTL --ttl-{what} 3" for what in ("set", "inc", "dec")),
        *(f"-j DSCP --set-dscp {value}" for value in ("0", "3", "0x2e", "46")),
        "-j DSCP --set-dscp-class EF",
        "-j DSCP --set-dscp-class af11",
        *(
            f"-j TOS {options}"
            for options in (
                "--set-tos 0x10",
                "--set-tos 0x10/0x3f",
                "--set-tos 0x11/0x3f",
                "--set-tos Minimize-Delay",
                "--set-tos maximize-throughput",
                "--set-tos Normal-Service",
                "--and-tos 0x10",
                "--or-tos 0x10",
                "--xor-tos 0x10",
                "--set-tos 0",
                "--set-tos 0/0",
                "--set-tos 0x10/0xf0",
            )
        ),
        "-j LOG",
        *(
            f"-j LOG --log-level {level}"
            for level in ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug", "panic", "0", "4"]
        ),
        '-j LOG --log-prefix "foo bar: "',
        "-j LOG --log-prefix foo --log-level 7 --log-uid --log-tcp-sequence --log-tcp-options --log-ip-options "
        "--log-macdecode",
        r'-j LOG --log-prefix "a\"b\\c"',
        "-j NFLOG",
        "-j NFLOG --nflog-group 5",
        "-j NFLOG --nflog-group 0",
        "-j NFLOG --nflog-prefix foo --nflog-group 3",
        "-j NFLOG --nflog-size 0",
        "-j NFLOG --nflog-threshold 0",
        "-j NFLOG --nflog-threshold 5 --nflog-size 80",
        '-j NFLOG --nflog-prefix "foo \\"bar"',
        "-j CHECKSUM --checksum-fill",
        "-p tcp -j TCPMSS --set-mss 1400",
        "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
        "-j CLASSIFY --set-class 1:2",
        "-j CLASSIFY --set-class abcd:ef01",
        *(
            f"-j NFQUEUE {options}"
            for options in (
                "",
                "--queue-num 5",
                "--queue-balance 1:4",
                "--queue-bypass --queue-balance 1:4",
                "--queue-num 3 --queue-bypass",
                "--queue-balance 0:3 --queue-cpu-fanout",
                "--queue-balance 0:3 --queue-cpu-fanout --queue-bypass",
            )
        ),
        "-j CONNSECMARK --save",
        "-j CONNSECMARK --restore",
        *(f"-j AUDIT --type {kind}" for kind in ("accept", "drop", "reject")),
        "-j TEE --gateway 1.2.3.4",
        "-j TEE --oif eth0 --gateway 1.2.3.4",
        "-j HMARK --hmark-tuple src,dst --hmark-mod 10 --hmark-rnd 0xfeed",
        "-p tcp -j HMARK --hmark-src-prefix 24 --hmark-dst-prefix 16 --hmark-sport-mask 0xff --hmark-dport-mask 0xf0 "
        "--hmark-rnd 0xfeed --hmark-mod 10 --hmark-offset 7 --hmark-proto-mask 0xf",
        "-j HMARK --hmark-tuple ct,src,dst --hmark-mod 10 --hmark-rnd 1",
        "-p esp -j HMARK --hmark-tuple src,spi --hmark-mod 10 --hmark-rnd 1",
        "-p tcp -j HMARK --hmark-tuple src,sport --hmark-mod 10 --hmark-rnd 1",
        "-p tcp -j HMARK --hmark-sport 80 --hmark-dport 90 --hmark-tuple src --hmark-mod 10 --hmark-rnd 1",
        "-p esp -j HMARK --hmark-spi 5 --hmark-tuple src --hmark-mod 3 --hmark-rnd 1",
        "-j IDLETIMER --timeout 5 --label foo",
        "-j IDLETIMER --alarm --timeout 15 --label foo2",
        "-j RATEEST --rateest-name r1 --rateest-interval 250ms --rateest-ewmalog 0.5s",
        "-j RATEEST --rateest-name r2 --rateest-interval 1s --rateest-ewmalog 4s",
        "-j RATEEST --rateest-name r3 --rateest-interval 300ms --rateest-ewmalog 0.7s",
        *(
            f"-p tcp -j ECN {options}"
            for options in (
                "--ecn-tcp-remove",
                "--ecn-tcp-cwr 0",
                "--ecn-tcp-ece 1",
                "--ecn-tcp-cwr 0 --ecn-tcp-ece 1",
                "--ecn-ip-ect 2",
                "--ecn-tcp-remove --ecn-ip-ect 1",
            )
        ),
        *(
            f"-j SET {options}"
            for options in (
                "--add-set foo src",
                "--del-set foo dst",
                "--add-set bar src,dst --timeout 50 --exist",
                "--del-set foo dst --add-set foo src",
                "--map-set bar src,dst --map-queue --map-mark --map-prio",
                "--add-set bar src,dst --exist --timeout 5 --del-set foo src --map-set bar src,src --map-prio",
            )
        ),
        "-p tcp -j TCPOPTSTRIP --strip-options 4,3",
        "-p tcp -j TCPOPTSTRIP --strip-options timestamp,md5,255",
    ],
    ("raw", "PREROUTING"): [
        "-j CT --notrack",
        "-j CT --zone 3",
        "-j CT --zone-orig 3",
        "-j CT --zone-reply 4",
        "-j CT --zone mark",
        "-j CT --ctevents new,destroy",
        "-j CT --expevents new",
        "-p tcp -j CT --helper ftp",
        "-j CT --zone-orig 3 --helper ftp --notrack",
        "-j NOTRACK",
        "-j TRACE",
    ],
}
# what a kernel of today does not load: as iptables-save writes it, and as -L -n lists it
UNLOADED = [
    ("-j ULOG", "ULOG copy_range 0 nlgroup 1 queue_threshold 1"),
    (
        '-j ULOG --ulog-prefix "a b" --ulog-nlgroup 3 --ulog-cprange 48 --ulog-qthreshold 20',
        'ULOG copy_range 48 nlgroup 3 prefix "a b" queue_threshold 20',
    ),
    ("-j LED --led-trigger-id ssh-in --led-delay inf", 'led-trigger-id:"ssh-in" led-delay:inf'),
    (
        "-j LED --led-trigger-id ssh-in --led-delay 50 --led-always-blink",
        'led-trigger-id:"ssh-in" led-delay:50ms led-always-blink',
    ),
    ("-j SECMARK --selctx system_u:object_r:foo_t:s0", "SECMARK selctx system_u:object_r:foo_t:s0"),
    ("-j CLUSTERIP", "CLUSTERIP"),
    (
        "-j CLUSTERIP --new --hashmode sourceip --clustermac 01:02:03:04:05:0A --total-nodes 2 --local-node 1 "
        "--hash-init 0",
        "CLUSTERIP hashmode=sourceip clustermac=01:02:03:04:05:0A total_nodes=2 local_node=1 hash_init=0",
    ),
    ("-j HL --hl-set 3", "HL set to 3"),
    ("-j HL --hl-inc 3", "HL increment by 3"),
    ("-j HL --hl-dec 3", "HL decrement by 3"),
    ("-j REJECT --reject-with icmp6-adm-prohibited", "reject-with icmp6-adm-prohibited"),
    ("-j DNAT --to-destination [2001:db8::1]:80", "to:[2001:db8::1]:80"),
    ("-j DNAT --to-destination 2001:db8::1-2001:db8::9", "to:2001:db8::1-2001:db8::9"),
    ("-p tcp -j CT --timeout slow", "CT timeout slow"),
]


def typed_dump():
    """All of TYPED as one dump, as typed."""
    tables = {}
    for (table, chain), rules in TYPED.items():
        tables.setdefault(table, []).extend(f"-A {chain} {rule}" for rule in rules)
    return "".join(f"*{table}\n" + "\n".join(lines) + "\nCOMMIT\n" for table, lines in tables.items())


def ours():
    """The same, parsed and made canonical."""
    ruleset = save.parse("".join(f"*{table}\n:{chain} ACCEPT [0:0]\nCOMMIT\n" for table, chain in TYPED))
    for (name, chain), rules in TYPED.items():
        table = ruleset.tables[name]
        for text in rules:
            table.chains[chain].append(canonical(table, save.parse_rule(table, chain, text)))
    return ruleset


def test_every_target_is_tried():
    texts = [rule for rules in TYPED.values() for rule in rules] + [text for text, _ in UNLOADED]
    found = {word for text in texts for before, word in pairwise(text.split()) if before == "-j"}
    assert found >= {*EXTENSIONS}


def table_for(text):
    """An empty table that takes a target, and its first chain."""
    kinds = {"raw": ("CT",), "nat": ("DNAT",), "mangle": ("HL", "TPROXY", "SET", "TEE", "HMARK", "ECN", "CONNMARK")}
    name = next((table for table, targets in kinds.items() for word in targets if word in text.split()), "filter")
    chain = BASE_CHAINS[name][0]
    return Table(name, {chain: Chain(chain, "ACCEPT")}), chain


def parsed(text):
    table, chain = table_for(text)
    return save.parse_rule(table, chain, text)


@pytest.mark.parametrize(("text", "shown"), UNLOADED)
def test_what_no_kernel_loads_is_written_and_listed(text, shown):
    table, chain = table_for(text)
    rule = canonical(table, save.parse_rule(table, chain, text))
    table.chains[chain].append(rule)
    assert listing(table, Form(numeric=True), chain).splitlines()[2].endswith(f" {shown}")
    assert str(rule).replace('"', "") == f"-A {chain} {text}".replace('"', "")


def test_canonical_rules_stay_as_they_are():
    for table in ours().tables.values():
        for rule in table.rules():
            again = save.parse_rule(table, rule.chain, str(rule).split(" ", 2)[2])
            assert str(canonical(table, again)) == str(rule)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NFQUEUE --queue-num 7", "the program on queue 7 decides; without one the kernel drops it"),
        ("NFQUEUE --queue-num 7 --queue-bypass", "without one the kernel lets it go on"),
        ("TPROXY --on-port 80", "transparent socket"),
        ("SYNPROXY", "handshake"),
        ("HMARK --hmark-mod 3 --hmark-rnd 1 --hmark-tuple src", "hash"),
        ("CLUSTERIP", "another node"),
        ("SET --map-set bar src --map-mark", "set bar"),
        ("CT --zone 3", "zone"),
    ],
)
def test_what_a_snapshot_cannot_tell_is_undecided(text, why):
    target = parsed(f"-p tcp -j {text}").target
    assert target.act is None
    assert why in target.why


@pytest.mark.parametrize("text", ["TEE --gateway 1.2.3.4", "AUDIT --type drop", "SET --add-set foo src", "ULOG", "LOG"])
def test_who_is_told_leaves_the_packet_alone(text):
    c = context(tcp())
    before = c.ip
    assert parsed(f"-j {text}").target.act(c) == CONTINUE
    assert c.ip == before


def test_ecn_sets_the_codepoint():
    c = context(tcp(tos=0xB8))
    parsed("-p tcp -j ECN --ecn-ip-ect 2").target.act(c)
    assert c.ip.tos == 0xBA


def test_a_shifted_mark_is_saved_shifted():

    class Connection:
        mark = 0xF000

    c = context(tcp(), mark=0xAB, connection=Connection())
    options = "--save-mark --nfmask 0xff --ctmask 0xff --left-shift-mark 4"
    parsed(f"-j CONNMARK {options}").target.act(c)
    assert c.skb.connection.mark == 0xF000 ^ 0xAB0


def test_reject_of_either_family_drops():
    c = context(tcp())
    assert parsed("-j REJECT --reject-with icmp6-policy-fail").target.act(c) == DROP
    assert c.refusals == [5]


@pytest.fixture(scope="module")
def real():
    """What the real command prints of TYPED, by (table, form)."""
    forms = {"S": "-S", "L": "-L", "L-n": "-L -n", "L-n-v": "-L -n -v --line-numbers"}
    script = "".join(f"ipset {line} || exit 3\n" for line in SETS) + f"iptables-restore <<'END'\n{typed_dump()}END\n"
    for table in ("filter", "nat", "mangle", "raw"):
        for name, options in forms.items():
            script += f"echo '=== {table} {name}'; iptables -t {table} {options}\n"
    done = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("live: ipset is missing")
    assert not done.stderr, done.stderr
    found = {}
    for part in done.stdout.split("=== ")[1:]:
        head, _, body = part.partition("\n")
        found[tuple(head.split())] = body
    return found


@pytest.mark.live
@pytest.mark.parametrize("table", ["filter", "nat", "mangle", "raw"])
def test_targets_are_written_as_the_real_command_writes_them(real, table):
    assert specification(ours().tables[table]).splitlines() == real[table, "S"].splitlines()


@pytest.mark.live
@pytest.mark.parametrize("table", ["filter", "nat", "mangle", "raw"])
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("L", Form()),
        ("L-n", Form(numeric=True)),
        ("L-n-v", Form(numeric=True, verbose=True, numbers=True)),
    ],
)
def test_targets_are_listed_as_the_real_command_lists_them(real, table, name, form):
    assert listing(ours().tables[table], form).splitlines() == real[table, name].splitlines()
