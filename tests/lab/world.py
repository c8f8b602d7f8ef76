"""One small network twice: as a model, and in network namespaces of the real kernel; commands run in either.

    wan 192.0.2.1 ── eth0 192.0.2.2 [h1] docker0 172.17.0.1 ── web 172.17.0.2
                                                           └── app 172.17.0.3

Only namespaces made here are touched. A real command does not see their names, as it would not see a container's.
"""

import itertools
import os
import re
import subprocess
import sys
import time

from simnet.lab import linux, shell
from simnet.net.address import Prefix, mask_of, parse_ip
from simnet.net.device import Bridge, InterfaceAddress, Loopback, Veth
from simnet.net.devinet import add_address
from simnet.net.network import Network
from simnet.net.program import Server
from simnet.net.route import Route

PLACES = ("wan", "h1", "web", "app")
HOSTS = "127.0.0.1\tlocalhost\n172.17.0.3\tapp\n"
_UP = """
ip -n {h1} link add eth0 index 2 address 02:42:00:00:00:12 txqueuelen 0 type veth peer name eth0 index 2 address 02:42:00:00:00:11 txqueuelen 0 netns {wan}
ip -n {h1} link add docker0 index 3 address 02:42:00:00:00:20 txqueuelen 0 type bridge
ip -n {h1} link add vethweb index 12 address 02:42:00:00:00:82 txqueuelen 0 type veth peer name eth0 index 2 address 02:42:00:00:00:02 txqueuelen 0 netns {web}
ip -n {h1} link add vethapp index 13 address 02:42:00:00:00:83 txqueuelen 0 type veth peer name eth0 index 2 address 02:42:00:00:00:03 txqueuelen 0 netns {app}
ip -n {wan} addr add 192.0.2.1/24 brd + dev eth0
ip -n {h1} addr add 192.0.2.2/24 brd + dev eth0
ip -n {h1} addr add 172.17.0.1/16 brd + dev docker0
ip -n {web} addr add 172.17.0.2/16 brd + dev eth0
ip -n {app} addr add 172.17.0.3/16 brd + dev eth0
ip -n {h1} link set vethweb master docker0
ip -n {h1} link set vethapp master docker0
ip -n {h1} link set eth0 up
ip -n {h1} link set docker0 up
ip -n {h1} link set vethweb up
ip -n {h1} link set vethapp up
ip -n {wan} link set eth0 up
ip -n {web} link set eth0 up
ip -n {app} link set eth0 up
ip -n {wan} route add default via 192.0.2.2
ip -n {h1} route add default via 192.0.2.1
ip -n {web} route add default via 172.17.0.1
ip -n {app} route add default via 172.17.0.1
ip netns exec {h1} sysctl -qw net.ipv4.ip_forward=1
"""  # noqa: E501 - one command a line
_BUSYBOX = ("arp", "cat", "cut", "grep", "head", "hostname", "ifconfig", "nc", "netstat", "nslookup", "ping", "route",
            "sort", "tail", "telnet", "traceroute", "tr", "uniq", "wc", "wget", "whoami")  # fmt: skip
_QUIET = ("ipv6.conf.all.disable_ipv6=1", "ipv6.conf.default.disable_ipv6=1", "ipv4.icmp_ratelimit=0")
# answers a request as the model's server does, with HTTP about it where it is one
_SERVER = """
import socket
s = socket.create_server(("", 80))
print("ready", flush=True)
while True:
    c, peer = s.accept()
    asked, own = c.recv(1000), c.getsockname()
    body = f"hello {peer[0]}:{peer[1]}, this is {own[0]}:{own[1]}\\n"
    if asked[:4] in (b"GET ", b"HEAD"):
        head = f"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: {len(body)}\\r\\n"
        body = head + "Connection: close\\r\\n\\r\\n" + (body if asked[:1] == b"G" else "")
    if asked:
        c.sendall(body.encode())
    c.close()
"""
_numbers = itertools.count()


def mac(number):
    return f"02:42:00:00:00:{number:02x}"


class Model:
    """The network as a model; `run` runs a script at one of its places."""

    def __init__(self):
        self.network = Network()
        self.places = {}
        for name in PLACES:
            namespace = self.network.namespace(f"h1/{name}" if name in {"web", "app"} else f"{name}/host")
            lo = Loopback("lo", 1, mtu=65536)
            namespace.add(lo)
            add_address(lo, InterfaceAddress(parse_ip("127.0.0.1"), 8, scope="host"))
            self.places[name] = linux.Place(namespace, name, files={"/etc/hosts": HOSTS})
        h1 = self.places["h1"].namespace
        bridge = Bridge("docker0", 3, mac(0x20))
        self._cable("eth0", 2, 0x12, "wan", 0x11)
        h1.add(bridge)
        for name, index, outer, inner in (("web", 12, 0x82, 2), ("app", 13, 0x83, 3)):
            port = self._cable(f"veth{name}", index, outer, name, inner)
            port.master = bridge
            bridge.ports.append(port)
        for place, device, text in (
            ("wan", "eth0", "192.0.2.1/24"), ("h1", "eth0", "192.0.2.2/24"), ("h1", "docker0", "172.17.0.1/16"),
            ("web", "eth0", "172.17.0.2/16"), ("app", "eth0", "172.17.0.3/16"),
        ):  # fmt: skip
            own, _, length = text.partition("/")
            number = parse_ip(own)
            last = number | ~mask_of(int(length)) & 0xFFFFFFFF
            add_address(self.places[place].namespace.devices[device], InterfaceAddress(number, int(length), last))
        for place, via in (("wan", "192.0.2.2"), ("h1", "192.0.2.1"), ("web", "172.17.0.1"), ("app", "172.17.0.1")):
            self.places[place].namespace.fib.add([Route(Prefix(0, 0), "eth0", parse_ip(via))])
        h1.sysctls |= {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}

        Server(self.places["app"].namespace, "tcp", 0, 80).listen()

    def _cable(self, name, index, outer_mac, other, inner_mac):
        outer, inner = Veth(name, index, mac(outer_mac)), Veth("eth0", 2, mac(inner_mac))
        outer.peer, inner.peer = inner, outer
        self.places["h1"].namespace.add(outer)
        self.places[other].namespace.add(inner)
        return outer

    def answer(self, place, script):
        """What a script prints and ends with."""
        return shell.run(script, lambda words, stdin: linux.run(self.places[place], words, stdin))

    def run(self, place, script):
        """Both outputs, the errors last, and the code where it is not 0."""
        done = self.answer(place, script)
        return plain(done.out + done.err, done.code)


class Real:
    """The network in namespaces of the kernel, up between `with` and its end."""

    def __init__(self):
        prefix = f"te-{os.getpid()}-{next(_numbers)}"
        self.names = {name: f"{prefix}-{name}" for name in PLACES}
        self._made, self._server = [], None

    def __enter__(self):
        try:
            for name in self.names.values():
                self._do(f"ip netns add {name}")
                self._made.append(name)
                for key in (
                    "ipv6.conf.all.disable_ipv6=1",
                    "ipv6.conf.default.disable_ipv6=1",
                    "ipv4.icmp_ratelimit=0",
                ):
                    self._do(f"ip netns exec {name} sysctl -qw net.{key}")
                self._do(f"ip -n {name} link set lo up")
            for line in _UP.format(**self.names).strip().splitlines():
                self._do(line)
            command = ["ip", "netns", "exec", self.names["app"], sys.executable, "-c", _SERVER]
            self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self._server.stdout.readline()
            time.sleep(1)  # the kernel tells of a carrier once a second
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server.stdout.close()
        while self._made:
            subprocess.run(["ip", "netns", "del", self._made.pop()], capture_output=True, check=False)

    @staticmethod
    def _do(line):
        subprocess.run(line.split(), capture_output=True, check=True, text=True)

    def run(self, place, script):
        """The same as the model's `run`; what the lab has in busybox' form is busybox'."""
        inner = f"mount -t tmpfs none /run/netns; printf '{HOSTS}' > /run/hosts; mount --bind /run/hosts /etc/hosts; "
        inner += "mount --bind /dev/null /etc/resolv.conf\n"
        inner += "".join(f'{name}() {{ busybox {name} "$@"; }}\n' for name in _BUSYBOX)
        command = ["ip", "netns", "exec", self.names[place], "sh", "-c", inner + script]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input="")
        return plain(done.stdout + done.stderr, done.returncode)


def plain(text, code):
    """Output with its code; a time and a port that the kernel chose read as 0."""
    text = text.replace("\r\n", "\n")  # as a session's file holds it
    text = re.sub(r"\d+\.\d{3}(?=( ms|/| ms\n))", "0.000", text)
    text = re.sub(r"(?<=after )\d\d? ms", "0 ms", text)
    text = re.sub(r"hello (\d+\.\d+\.\d+\.\d+):\d+", r"hello \1:0", text)
    return text + ("" if text.endswith("\n") or not text else "\n") + (f"=> {code}\n" if code else "")


def steps(text):
    """The commands of a session, each as place, script and what followed it."""
    found = []
    for line in text.splitlines(keepends=True):
        head = re.match(r"(wan|h1|web|app)\$ ", line)
        if head:
            found.append([head[1], line[head.end() :].rstrip("\n"), ""])
        elif not line.startswith("# "):
            found[-1][2] += line
    return found
