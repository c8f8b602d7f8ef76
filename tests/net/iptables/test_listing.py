"""What -L and -S print, held against what the real command printed of the dumps in tests/dumps."""

import subprocess
from pathlib import Path

import pytest

from simnet.net.iptables.listing import Form, amount, listing, references, specification
from simnet.net.iptables.names import block_text
from simnet.net.netfilter import save

DUMPS = Path(__file__).parents[2] / "dumps"
FORMS = {
    "L": Form(),
    "L-n": Form(numeric=True),
    "L-n-v": Form(numeric=True, verbose=True, numbers=True),
}
NAMES = sorted(path.parent.name for path in DUMPS.glob("*/iptables-save"))
# sets that the dumps ask for
SETS = ("f2b-recidive hash:net", "cali40all-hosts-net hash:net", "cali40s:abc hash:ip,port",
        "cali40masq-ipam-pools hash:net", "cali40all-ipam-pools hash:net")  # fmt: skip
WIDE = """*filter
:zeta - [0:0]
:INPUT ACCEPT [99999999:123456789012]
:FORWARD ACCEPT [0:0]
:OUTPUT DROP [123456:99999]
:averyveryverylongchainname - [0:0]
[100000:99999] -A INPUT -s 10.0.0.0/8 -d 192.168.1.1/32 -j zeta
[9999500:9999499] -A INPUT ! -s 10.0.0.0/8 ! -d 192.168.1.1/32 ! -i eth0 ! -p tcp -g zeta
[12345678901:12345678901234567] -A INPUT -s 10.0.0.0/255.0.255.0 -p udp -f
[1:2] -A INPUT -i eth+ ! -f -j DROP
[1:2] -A INPUT -s 127.0.0.1/32 -d 127.0.0.0/8 -j RETURN
[1:2] -A INPUT -s 0.0.0.0/1 -d 0.0.0.0/32 -i verylonginterfa -j averyveryverylongchainname
[1:2] -A INPUT -p 200 -j ACCEPT
[1:2] -A INPUT ! -p mobility-header -j ACCEPT
COMMIT
"""


def table(text, name="filter"):
    return save.parse(text).tables[name]


def dump(name):
    return (DUMPS / name / "iptables-save").read_text()


def cases():
    for name in NAMES:
        for path in sorted((DUMPS / name).glob("*-*")):
            which, _, form = path.name.partition("-")
            if which in {"raw", "mangle", "nat", "filter", "security"}:
                yield pytest.param(name, which, form, id=f"{name}-{which}-{form}")


def printed(chosen, form):
    return specification(chosen) if form == "S" else listing(chosen, FORMS[form])


def test_there_are_dumps():
    assert {"ufw", "firewalld", "kube-proxy", "calico", "fail2ban", "hand-written"} <= {*NAMES}


@pytest.mark.parametrize(("name", "which", "form"), [*cases()])
def test_prints_what_the_real_command_printed(name, which, form):
    want = (DUMPS / name / f"{which}-{form}").read_text()
    assert printed(table(dump(name), which), form).splitlines(keepends=True) == want.splitlines(keepends=True)


@pytest.mark.parametrize("name", NAMES)
def test_dumps_come_back_as_they_were(name):
    assert save.dump(save.parse(dump(name))) == dump(name)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (99999, "99999"),
        (100000, "100K"),
        (9_999_499, "9999K"),
        (9_999_500, "10M"),
        (9_999_500_000, "10G"),
        (12_345_678_901_234_567, "12346T"),
    ],
)
def test_counters_are_cut_to_thousands(number, text):
    assert amount(number) == text


@pytest.mark.parametrize(
    ("block", "numeric", "text"),
    [
        ("0.0.0.0/0", True, "0.0.0.0/0"),
        ("0.0.0.0/0", False, "anywhere"),
        ("0.0.0.0/1", False, "default/1"),
        ("0.0.0.0/32", False, "default"),
        ("127.0.0.1/32", False, "localhost"),
        ("127.0.0.0/8", False, "loopback/8"),
        ("169.254.0.0/16", False, "link-local/16"),
        ("10.1.2.3/255.0.255.0", True, "10.0.2.0/255.0.255.0"),
        ("::/0", True, "::/0"),
        ("::/1", False, "anywhere"),
        ("fe80::/10", True, "fe80::/10"),
        ("::1/128", True, "::1"),
        ("1::/ffff::ff", True, "1::/ffff::ff"),
        ("::ffff:1.2.3.4/128", True, "::ffff:1.2.3.4"),
    ],
)
def test_addresses_in_the_columns(block, numeric, text):
    assert block_text(block, numeric=numeric) == text


def test_exact_counters_widen_their_columns():
    lines = listing(table(WIDE), Form(numeric=True, verbose=True, exact=True), "INPUT").splitlines()
    assert lines[0] == "Chain INPUT (policy ACCEPT 99999999 packets, 123456789012 bytes)"
    assert lines[1].startswith("    pkts      bytes target     prot opt in     out     source")
    assert lines[2].startswith("  100000    99999 zeta       0    --  *      *       10.0.0.0/8           192.168.1.1")
    assert lines[4].startswith("12345678901 12345678901234567            17   -f")


def test_one_rule_is_listed_without_a_title():
    assert listing(table(WIDE), Form(numeric=True), "INPUT", 3) == (
        "           17   -f  10.0.0.0/255.0.255.0  0.0.0.0/0           \n"
    )
    assert listing(table(WIDE), Form(), "INPUT", 99) == ""


def test_old_versions_list_protocols_by_name():
    assert " udp  -f " in listing(table(WIDE), Form(numeric=True, old=True), "INPUT", 3)
    assert " 200  -- " in listing(table(WIDE), Form(numeric=True, old=True), "INPUT", 7)


def test_counters_stand_before_the_target():
    lines = specification(table(WIDE), "INPUT", counters=True).splitlines()
    assert lines[0] == "-P INPUT ACCEPT -c 99999999 123456789012"
    assert lines[1] == "-A INPUT -s 10.0.0.0/8 -d 192.168.1.1/32 -c 100000 99999 -j zeta"
    assert lines[3] == "-A INPUT -s 10.0.0.0/255.0.255.0 -p udp -f -c 12345678901 12345678901234567"


def test_goto_counts_as_a_reference():
    assert references(table(WIDE))["zeta"] == 2


def test_what_is_not_known_is_never_dropped():
    chosen = table("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m fancy --size 5 ! --colour red -j ACCEPT\nCOMMIT\n")
    line = listing(chosen, Form(numeric=True), "INPUT").splitlines()[2]
    assert "fancy" in line
    assert "--size 5 ! --colour red" in line


def test_an_unknown_target_keeps_its_options():
    chosen = table("*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -j TARPIT --honeypot\nCOMMIT\n", "mangle")
    assert listing(chosen, Form(numeric=True), "INPUT").splitlines()[2].endswith("0.0.0.0/0            --honeypot")


def real(text, *lines):
    """What the real commands print after a dump was loaded into a namespace of its own."""
    script = "".join(f"ipset create {one} || exit 3\n" for one in SETS)
    script += f"iptables-restore -c <<'END' || exit 4\n{text}END\n" + "".join(f"echo '=== '\n{one}\n" for one in lines)
    done = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("live: ipset is missing")
    assert not done.stderr, done.stderr
    return [part.removeprefix("\n") for part in done.stdout.split("=== \n")[1:]]


@pytest.mark.live
@pytest.mark.parametrize(
    ("options", "form"),
    [
        ("-L", Form()),
        ("-L -n", Form(numeric=True)),
        ("-L -v", Form(verbose=True)),
        ("-L -n --line-numbers", Form(numeric=True, numbers=True)),
        ("-L -n -v --line-numbers", Form(numeric=True, verbose=True, numbers=True)),
        ("-L -n -v -x", Form(numeric=True, verbose=True, exact=True)),
    ],
)
def test_layout_is_the_real_commands(options, form):
    (want,) = real(WIDE, f"iptables {options}")
    assert listing(table(WIDE), form).splitlines() == want.splitlines()


@pytest.mark.live
@pytest.mark.parametrize("name", NAMES)
def test_dumps_still_print_so(name):
    wanted = [(case.values[1], case.values[2]) for case in cases() if case.values[0] == name]
    options = {"S": "-S", "L": "-L", "L-n": "-L -n", "L-n-v": "-L -n -v --line-numbers"}
    found = real(dump(name), *(f"iptables -t {which} {options[form]}" for which, form in wanted))
    for (which, form), text in zip(wanted, found, strict=True):
        assert printed(table(dump(name), which), form).splitlines() == text.splitlines(), (which, form)
