"""Rule text: what was read is what is written, and what cannot be read is refused with file, line and column."""

from pathlib import Path

import pytest

from simnet.errors import RulesError
from simnet.net.netfilter import save

ROOT = Path(__file__).parents[3]
DUMPS = sorted(
    path for folder in ("tests/recordings", "scenarios/snapshots") for path in (ROOT / folder).rglob("iptables-save")
)


def filter_table(*lines):
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":USER - [0:0]", *lines, "COMMIT", ""])


def test_there_are_dumps():
    assert len(DUMPS) >= 20
    assert sum(path.stat().st_size > 500 for path in DUMPS) >= 6


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: "/".join(path.relative_to(ROOT).parts[1:-1]))
def test_every_recorded_dump_is_written_as_it_was_read(path):
    text = path.read_text("utf-8")
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert save.dump(save.parse(text)) == kept


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -j ACCEPT",
        "-A INPUT",
        '-A INPUT -m comment --comment "two words" -j ACCEPT',
        '-A INPUT -m comment --comment "a \\"quoted\\" one, and a \\\\" -j ACCEPT',
        "-A INPUT ! -s 10.0.0.0/8 ! -i eth+ ! -p tcp -j DROP",
        "-A INPUT -p tcp -m tcp ! --dport 80 ! --tcp-flags SYN,ACK SYN -j DROP",
        "-A INPUT -m recent --rcheck --seconds 60 --name X --rsource -j DROP",
        "-A INPUT -m someday --unheard-of 1 2 -j USER",
        "-A INPUT -j NFQUEUE --queue-num 3 --queue-bypass",
        "-A INPUT -g USER",
    ],
)
def test_a_rule_is_written_as_it_was_read(rule):
    text = filter_table(f"[3:180] {rule}")
    assert save.dump(save.parse(text)) == text


def test_counters_may_be_left_out():
    text = filter_table("[3:180] -A INPUT -j ACCEPT")
    assert "\n-A INPUT -j ACCEPT\n" in save.dump(save.parse(text), counters=False)


def test_counters_in_either_place():
    for line in ("[3:180] -A INPUT -j ACCEPT", "-A INPUT -c 3 180 -j ACCEPT"):
        (rule,) = save.parse(filter_table(line)).rules()
        assert (rule.packets, rule.bytes) == (3, 180)


def test_comments_and_empty_lines_are_passed_over():
    assert save.dump(save.parse("# one\n\n*raw\n# two\nCOMMIT\n# three\n")) == "*raw\nCOMMIT\n"


def test_long_and_old_spellings():
    line = "--append INPUT --protocol tcp --source 10.0.0.1 --dport ! 80 --jump ACCEPT"
    (rule,) = save.parse(filter_table(line)).rules()
    assert [match.module for match in rule.matches] == ["ip", "ip", "tcp"]
    assert rule.matches[2].options[0].negated
    assert rule.target.name == "ACCEPT"


@pytest.mark.parametrize("rule", ["-m someday --unheard-of", "-m tcp --unheard-of 1 -j DROP"])
def test_what_is_not_modelled_is_known_as_such(rule):
    (parsed,) = save.parse(filter_table(f"-A INPUT -p tcp {rule}")).rules()
    assert "not modelled" in parsed.matches[-1].why
    assert parsed.matches[-1].test(None) is None


@pytest.mark.parametrize("target", ["TARPIT --honeypot", "REJECT --with-love"])
def test_targets_that_are_not_modelled(target):
    (parsed,) = save.parse(filter_table(f"-A INPUT -j {target}")).rules()
    assert "not modelled" in parsed.target.why


ERRORS = {
    "no chain to append to": ("-A INPTU -j DROP", 5, 4, "did you mean 'INPUT'"),
    "no chain to jump to": ("-A INPUT -j USRE", 5, 13, "did you mean 'USER'"),
    "no chain to go to": ("-A INPUT -g ACCEPT", 5, 13, "no chain or target 'ACCEPT'"),
    "a loop": ("-A USER -j USER", 5, 12, "a loop of chains in table filter: USER → USER"),
    "an open quote": ('-A INPUT -m comment --comment "a b', 5, 31, "a quote is left open"),
    "a bad port": ("-A INPUT -p tcp -m tcp --dport 70000", 5, 24, "70000 is not between 0 and 65535"),
    "no such service": ("-A INPUT -p tcp -m tcp --dport nowhere", 5, 24, "no service 'nowhere'"),
    "a bad address": ("-A INPUT -s 10.0.0.256", 5, 10, "not an IPv4 address: '10.0.0.256'"),
    "a bad mask": ("-A INPUT -s 10.0.0.0/33", 5, 10, "not an IPv4 address: '33'"),
    "a bad protocol": ("-A INPUT -p tpc", 5, 10, "no protocol 'tpc'"),
    "a bad state": ("-A INPUT -m conntrack --ctstate NWE", 5, 23, "no connection state 'NWE'"),
    "a bad flag": ("-A INPUT -p tcp -m tcp --tcp-flags SIN SYN", 5, 24, "no TCP flag 'SIN'"),
    "a bad ICMP type": ("-A INPUT -p icmp -m icmp --icmp-type pnig", 5, 26, "no ICMP type 'pnig'"),
    "a bad mark": ("-A INPUT -m mark --mark 0xg", 5, 18, "0xg"),
    "a bad kind of REJECT": ("-A INPUT -j REJECT --reject-with tcp-rset", 5, 13, "did you mean 'tcp-reset'"),
    "no destination": ("-A INPUT -j DNAT", 5, 13, "DNAT needs --to-destination"),
    "ports backwards": ("-A INPUT -j DNAT --to-destination :9-8", 5, 13, "runs backwards"),
    "a missing value": ("-A INPUT -s", 5, 12, "a value for -s is missing"),
    "no such option": ("-A INPUT --dport 80", 5, 10, "'--dport' is no option here"),
    "no rule": ("-X INPUT", 5, 1, "a rule begins with -A CHAIN"),
    "bad counters": (":OUTPUT ACCEPT [1]", 5, 16, "'[1]' are not [packets:bytes]"),
    "a bad policy": (":OUTPUT REJECT [0:0]", 5, 9, "cannot have policy 'REJECT'"),
    "half a chain": (":OUTPUT", 5, 1, "a chain's line is"),
}


@pytest.mark.parametrize(("line", "number", "column", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(line, number, column, message):
    with pytest.raises(RulesError) as caught:
        save.parse(filter_table(line), "h1/iptables-save")
    assert str(caught.value).startswith(f"h1/iptables-save:{number}:{column}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("*fliter\nCOMMIT\n", 1, "did you mean 'filter'"),
        ("*filter\n:INPUT ACCEPT [0:0]", 2, "COMMIT is missing: was the file cut off?"),
        ("COMMIT\n", 1, "COMMIT without a table"),
        ("*filter\nCOMMIT\n-A INPUT -j DROP\n", 3, "'-A' stands outside a table"),
    ],
)
def test_errors_of_a_whole_dump(text, line, message):
    with pytest.raises(RulesError) as caught:
        save.parse(text)
    assert caught.value.line == line
    assert message in str(caught.value)


def test_a_longer_loop_is_shown_whole():
    lines = [":A - [0:0]", ":B - [0:0]", "-A A -j B", "-A B -j USER", "-A USER -j A"]
    with pytest.raises(RulesError, match="a loop of chains") as caught:
        save.parse(filter_table(*lines))
    assert all(name in str(caught.value) for name in ("A →", "B →", "USER →"))


def test_two_ways_to_one_chain_are_no_loop():
    lines = [":A - [0:0]", ":B - [0:0]", "-A INPUT -j A", "-A INPUT -j B", "-A A -j USER", "-A B -j USER", "-A A -j B"]
    assert len(list(save.parse(filter_table(*lines)).rules())) == 5
