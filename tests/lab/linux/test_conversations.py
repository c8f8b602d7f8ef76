"""ping, nc, wget and curl as conversations over the model: what they leave behind, and what a session cannot record."""

import pytest

from tests.lab.world import Model


@pytest.fixture
def model():
    return Model()


def test_a_listener_answers_and_is_listed(model):
    assert model.run("web", "nc -l -p 8080") == ""
    assert model.run("web", "ss -Hlnt") == "LISTEN 0      4096   0.0.0.0:8080 0.0.0.0:*\n"
    assert model.run("web", "nc -l -p 8080") == "nc: bind: Address already in use\n=> 1\n"
    assert model.run("app", "echo hi | nc web 8080") == "nc: bad address 'web'\n=> 1\n"
    assert model.run("app", "echo hi | nc 172.17.0.2 8080") == "hello 172.17.0.3:0, this is 172.17.0.2:8080\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-z 172.17.0.3 80", ""),
        ("-zv 172.17.0.3 80", "172.17.0.3 (172.17.0.3:80) open\n"),
        ("-z 172.17.0.3 81", "=> 1\n"),
        ("-zv app 81", "=> 1\n"),
        ("-zvv app 81", "nc: app (172.17.0.3:81): Connection refused\n=> 1\n"),
        ("-zv -w 1 172.17.0.99 80", "nc: 172.17.0.99 (172.17.0.99:80): Connection timed out\n=> 1\n"),
        ("-zv 172.17.0.99 80", "nc: 172.17.0.99 (172.17.0.99:80): No route to host\n=> 1\n"),
    ],
)
def test_scanning_speaks_as_netcat_does(model, options, said):
    assert model.run("web", f"nc {options}") == said


def test_datagrams_are_answered_refused_or_lost(model):
    model.run("app", "nc -u -l -p 53")
    assert model.run("web", "echo hi | nc -u 172.17.0.3 53") == "hello 172.17.0.2:0, this is 53\n"
    assert model.run("web", "nc -uzv 172.17.0.3 53") == "172.17.0.3 (172.17.0.3:53) open\n"
    assert model.run("web", "nc -uzvv 172.17.0.3 54") == "nc: 172.17.0.3 (172.17.0.3:54): Connection refused\n=> 1\n"


def test_every_command_has_a_port_of_its_own(model):
    model.run("h1", "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE")
    asked = "echo hi | nc 172.17.0.3 80"
    first, second = (model.answer("web", asked).out.split(",")[0] for _ in range(2))
    assert first != second


def test_a_published_port_leads_to_the_container_and_is_tracked(model):
    model.run("h1", "iptables -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80")
    assert model.run("wan", "curl 192.0.2.2:8080") == "hello 192.0.2.1:0, this is 172.17.0.3:80\n"
    assert ":8080" in str(model.places["h1"].namespace.conntrack.connections()[0])
    assert model.run("h1", "iptables -t nat -L PREROUTING 1 -nv").split()[:2] == ["1", "60"]


def test_rules_take_effect_at_once_and_count(model):
    assert not model.places["h1"].namespace.filters_packets
    model.run("h1", "iptables -A FORWARD -p icmp -j DROP")
    assert model.places["h1"].namespace.filters_packets
    assert "100% packet loss" in model.run("wan", "ping -c 3 -W 1 172.17.0.2")
    assert model.run("h1", "iptables -L FORWARD -nvx | grep DROP").split()[:2] == ["3", "252"]
    model.run("h1", "iptables -F")
    assert "0% packet loss" in model.run("wan", "ping -c 1 172.17.0.2")


def test_what_a_dead_program_opened_is_gone(model):
    namespace = model.places["web"].namespace
    model.run("web", "nc -w 1 172.17.0.99 80; ping -c 1 -W 1 172.17.0.99; echo a | nc -u -w 1 172.17.0.99 5")
    assert not namespace.sockets.streams
    assert not namespace.sockets.pingers
    assert not namespace.sockets.datagrams
    assert not namespace.waiting


def test_a_syn_is_sent_again_until_the_program_gives_up(model):
    model.run("h1", "iptables -A FORWARD -p tcp -j DROP; iptables -A OUTPUT -p tcp -j DROP")
    model.run("wan", "nc -w 4 172.17.0.3 80")
    assert model.run("h1", "iptables -L FORWARD -nvx | grep DROP").split()[0] == "3"


def test_a_ping_without_end_stops_after_four(model):
    assert "4 packets transmitted, 4 packets received" in model.run("web", "ping 172.17.0.1")


def test_reply_times_are_none(model):
    assert model.answer("web", "ping -c 1 172.17.0.1").out.splitlines()[1].endswith("seq=0 ttl=64 time=0.000 ms")


@pytest.mark.parametrize(
    "command",
    [
        "ping -6 ::1", "wget http://app/", "wget --post-data=a -O - app", "wget -qO- https://app", "curl -v app",
        "curl -o page app", "curl --data a app", "traceroute -r app", "nc -e sh app 1", "ip xfrm state", "ip -6 addr",
        "ip -s link", "ip link set eth0 name x",
        "ip route add 10.0.0.0/8 nexthop via 172.17.0.1", "ip neigh get 1.2.3.4",
        "ip rule add dport 80 table 7", "bridge vlan", "ss", "ss -tanp", "netstat -x", "ip6tables -A INPUT -j DROP",
        "iptables-restore -t nat", "iptables-save -f x", "sysctl -p", "route add default gw 1.2.3.4", "hostname x",
        "sysctl -w net.ipv4.conf.eth0.forwarding=1",
    ],
)  # fmt: skip
def test_what_the_real_tool_has_and_simnet_does_not_is_named(model, command):
    answer = model.answer("web", command)
    assert (answer.out, answer.code) == ("", 2)
    assert answer.err.startswith("simnet's ")
    assert " does not model `" in answer.err


@pytest.mark.parametrize("name", ["busybox ping", "/bin/ping", "/usr/bin/ping"])
def test_a_command_goes_by_its_path(model, name):
    assert "1 packets received" in model.run("web", f"{name} -c 1 172.17.0.1")


def test_sh_runs_a_script(model):
    assert model.run("web", "sh -c 'echo $(hostname) | cut -c 1; false'") == "w\n=> 1\n"
    assert model.run("web", "echo 'echo a; nope' | sh") == "a\nsh: nope: not found\n=> 127\n"
