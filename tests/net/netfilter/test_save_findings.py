"""Dumps that were once read wrong: quotes that got lost, and rules that no kernel would hold."""

import pytest

from simnet.errors import RulesError
from simnet.net.netfilter import save

HEAD = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:C - [0:0]\n"


@pytest.mark.parametrize(
    "rule",
    [
        '-A INPUT -m comment --comment "a.b" -j ACCEPT',
        '-A INPUT -m comment --comment "kube-system/kube-dns:dns-tcp" -j ACCEPT',
        '-A INPUT -m comment --comment "!" -j ACCEPT',
        '-A INPUT -j LOG --log-prefix "drop:"',
        '-A INPUT -m u32 --u32 "0x0&0xff=0x1" -j ACCEPT',
        '-A INPUT -m comment --comment "a\u2028b" -j ACCEPT',
        '-A INPUT -m comment --comment "a\x0cb" -j ACCEPT',
    ],
)
def test_quotes_are_kept(rule):
    text = f"{HEAD}[0:0] {rule}\nCOMMIT\n"
    assert save.dump(save.parse(text)) == text


@pytest.mark.parametrize(
    "line",
    [
        "-A INPUT -j FORWARD",
        "-A INPUT -g FORWARD",
        "-A INPUT -c a b -j ACCEPT",
        "[%s:0] -A INPUT -j DROP" % ("9" * 5000),
        "-A INPUT -j DROP -j ACCEPT",
        "-A INPUT -m tcp --dport 80 -j DROP",
        "-A INPUT -j REJECT --reject-with tcp-reset",
        "-A INPUT -j DNAT --to-destination 10.0.0.1",
        "-A INPUT -o eth0 -j DROP",
        ":ACCEPT - [0:0]",
    ],
)
def test_refused_with_a_line(line):
    with pytest.raises(RulesError) as caught:
        save.parse(f"{HEAD}{line}\nCOMMIT\n", "dump")
    assert caught.value.line == 5


def test_the_line_of_a_dump_that_ends_early_exists():
    with pytest.raises(RulesError) as caught:
        save.parse("*filter\n:INPUT ACCEPT [0:0]\n", "dump")
    assert caught.value.line == 2
