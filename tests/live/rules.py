"""Random rule sets over the host of `host.py`, from a seed: whatever can be decided for certain.

Rules are mostly narrow or harmless, so that packets get far; whatever a rule says, iptables-restore must take it.
"""

import random

ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.77", "192.0.2.99", "198.51.100.7", "10.10.0.1", "10.10.0.2",
             "10.10.0.3", "10.20.0.1", "10.20.0.2", "127.0.0.1")  # fmt: skip
BLOCKS = (*(f"{one}/32" for one in ADDRESSES[:-1]), "192.0.2.0/24", "192.0.2.0/25", "10.10.0.0/24", "10.20.0.0/16",
          "10.0.0.0/8", "198.51.100.0/24", "192.0.2.128/25", "10.10.0.2/31", "0.0.0.0/1")  # fmt: skip
DEVICES = ("eth0", "br-front", "br-back", "br-+", "lo", "eth+", "veth+", "vethweb")
PORTS = (22, 53, 80, 443, 5300, 6379, 8080, 9000, 9001, 9100)
BASES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
USER = ("U1", "U2", "U3")
_IN, _OUT = {"PREROUTING", "INPUT", "FORWARD"}, {"POSTROUTING", "OUTPUT", "FORWARD"}
_TCP_FLAGS = ("SYN,ACK SYN", "FIN,SYN,RST,ACK SYN", "SYN,ACK ACK", "ACK ACK", "SYN,RST SYN", "SYN,ACK SYN,ACK",
              "PSH PSH", "FIN FIN", "RST RST", "ALL ACK", "ALL NONE", "ACK NONE")  # fmt: skip
_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT")
_RANGES = ("192.0.2.0-192.0.2.1", "10.10.0.2-10.20.0.2", "10.0.0.0-10.15.255.255", "192.0.2.2-192.0.2.99")
_REJECTS = ("icmp-net-unreachable", "icmp-host-unreachable", "icmp-port-unreachable", "icmp-proto-unreachable",
            "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited")  # fmt: skip
# what Docker would have put there: where in a base chain a random rule goes is random
_DOCKER = {
    "nat": """
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 10.10.0.0/24 ! -o br-front -j MASQUERADE
-A POSTROUTING -s 10.20.0.0/24 ! -o br-back -j MASQUERADE
-A DOCKER -i br-front -j RETURN
-A DOCKER ! -i br-front -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.10.0.2:80
-A DOCKER ! -i br-front -p udp -m udp --dport 5300 -j DNAT --to-destination 10.10.0.2:53
-A DOCKER ! -i br-back -p tcp -m tcp --dport 6379 -j DNAT --to-destination 10.20.0.2:6379
""",
    "filter": """
-A FORWARD -j DOCKER-USER
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br-front -j DOCKER
-A FORWARD -o br-back -j DOCKER
-A FORWARD -i br-front ! -o br-front -j ACCEPT
-A FORWARD -i br-back ! -o br-back -j ACCEPT
-A DOCKER -d 10.10.0.2/32 ! -i br-front -o br-front -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -d 10.10.0.2/32 ! -i br-front -o br-front -p udp -m udp --dport 53 -j ACCEPT
-A DOCKER -d 10.20.0.2/32 ! -i br-back -o br-back -p tcp -m tcp --dport 6379 -j ACCEPT
""",
}


def first_port(seed):
    """The first of a seed's 64 client ports: one that a connection had lately does not behave like a new one."""
    return 20001 + 64 * (seed % 150)


class Dice:
    """Draws rules; everything that it draws hangs on the seed alone."""

    def __init__(self, seed, macs=()):
        self.r = random.Random(f"simnet-{seed}")
        self.macs = macs or ("02:00:00:00:00:01",)
        self.first = first_port(seed)

    def chance(self, share):
        return self.r.random() < share

    def no(self, share=0.2):
        return "! " if self.chance(share) else ""

    def ports(self):
        low, high = sorted(self.r.sample(PORTS, 2))
        return self.r.choice([str(self.r.choice(PORTS)), f"{low}:{high}", f":{high}", f"{low}:"])

    def client_ports(self):
        low, high = sorted(self.r.sample(range(self.first, self.first + 64), 2))
        return f"{low}:{high}"

    def header(self, chain):
        """Matches on addresses, devices and protocol; and the protocol."""
        found = []
        if self.chance(0.35):
            found.append(f"{self.no()}-s {self.r.choice(BLOCKS)}")
        if self.chance(0.35):
            found.append(f"{self.no()}-d {self.r.choice(BLOCKS)}")
        if (chain in _IN or chain in USER) and self.chance(0.25):
            found.append(f"{self.no()}-i {self.r.choice(DEVICES)}")
        if (chain in _OUT or chain in USER) and self.chance(0.25):
            found.append(f"{self.no()}-o {self.r.choice(DEVICES)}")
        proto = self.r.choice(["", "tcp", "tcp", "udp", "icmp"]) if self.chance(0.7) else ""
        if not proto and self.chance(0.1):
            found.append(f"! -p {self.r.choice(['tcp', 'udp', 'icmp'])}")
        if proto:
            found += [f"-p {proto}", *self.transport(proto)]
        return found, proto

    def transport(self, proto):
        no, pick, r = self.no, self.r.choice, self.r
        if proto == "icmp":
            kinds = ["8", "0", "3", "3/3", "3/1", "11", "any", "3/10", "8/0", "echo-request"]
            return [f"-m icmp {no()}--icmp-type {pick(kinds)}"] if self.chance(0.5) else []
        choices = [
            lambda: f"-m {proto} {no()}--dport {self.ports()}",
            lambda: f"-m {proto} {no()}--sport {self.client_ports()}",
            lambda: f"-m {proto} {no()}--sport {self.ports()} {no()}--dport {self.client_ports()}",
            lambda: f"-m multiport {no()}--{pick(['dports', 'sports', 'ports'])} {pick(PORTS)},{self.client_ports()}",
            lambda: f"-m multiport {no()}--{pick(['dports', 'ports'])} {','.join(map(str, r.sample(PORTS, 3)))}",
            lambda: "",
        ]
        if proto == "tcp":
            choices += [
                lambda: f"-m tcp {no()}--tcp-flags {pick(_TCP_FLAGS)}",
                lambda: f"-m tcp {no()}--tcp-option {pick([2, 3, 4, 8, 5])}",
                lambda: f"-m tcp {no()}--syn",
            ]
        return [text] if (text := pick(choices)()) else []

    def extra(self, table, chain):
        """One more match of any kind that is decidable; perhaps none."""
        no, pick, r = self.no, self.r.choice, self.r
        low = r.randint(0, 200)
        kinds = [
            lambda: f"-m conntrack {no()}--ctstate {','.join(r.sample(_STATES, r.randint(1, 3)))}",
            lambda: f"-m state {no()}--state {','.join(r.sample(_STATES[:5], r.randint(1, 2)))}",
            lambda: f"-m conntrack --ctdir {pick(['ORIGINAL', 'REPLY'])}",
            lambda: f"-m conntrack {no()}--ctorigdst {pick(BLOCKS)}",
            lambda: f"-m conntrack {no()}--ctorigsrc {pick(BLOCKS)}",
            lambda: f"-m conntrack {no()}--ctreplsrc {pick(BLOCKS)} --ctdir {pick(['ORIGINAL', 'REPLY'])}",
            lambda: f"-m conntrack {no()}--ctrepldst {pick(BLOCKS)} {no()}--ctorigdst {pick(BLOCKS)}",
            lambda: f"-m conntrack {no()}--ctorigdstport {self.ports().strip(':')}",
            lambda: f"-m conntrack {no()}--ctreplsrcport {pick(PORTS)}:65535",
            lambda: f"-m conntrack {no()}--ctproto {pick(['tcp', 'udp', 'icmp'])}",
            lambda: f"-m conntrack {no()}--ctstatus {pick(['NONE', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'EXPECTED'])}",
            lambda: (
                f"-m conntrack {no()}--ctstatus {pick(['SEEN_REPLY,ASSURED', 'CONFIRMED,SEEN_REPLY'])} "
                f"{no()}--ctstate {pick(_STATES)}"
            ),
            lambda: f"-m addrtype {no()}--dst-type {pick(['LOCAL', 'UNICAST', 'BROADCAST', 'LOCAL,BROADCAST'])}",
            lambda: f"-m addrtype {no()}--src-type {pick(['LOCAL', 'UNICAST', 'UNSPEC'])}",
            lambda: f"-m addrtype {no()}--{pick(['src', 'dst'])}-type LOCAL{self.limit(chain)}",
            lambda: f"-m mark {no()}--mark 0x{r.randint(0, 3):x}/0x{pick([1, 2, 3, 255]):x}",
            lambda: f"-m mark {no()}--mark {r.randint(0, 3)}",
            lambda: f"-m connmark {no()}--mark 0x{r.randint(0, 3):x}/0x{pick([1, 3, 0xFF]):x}",
            lambda: f"-m length {no()}--length {pick([f'{low}:65535', f'0:{low}', '60', '52', '40', '84', '28:30'])}",
            lambda: f"-m ttl {pick(['--ttl-eq', '! --ttl-eq', '--ttl-lt', '--ttl-gt'])} {pick([62, 63, 64, 65, 1])}",
            lambda: f"-m dscp {no()}--dscp {pick(['0x00', '0x08', '0x30', '0x04'])}",
            lambda: f"-m tos {no()}--tos {pick(['0x00/0xff', '0x10/0x3f', '0xc0/0xc0', '0x20/0xff', '0x08/0x1e'])}",
            lambda: f"-m pkttype {no()}--pkt-type {pick(['unicast', 'broadcast', 'multicast'])}",
            lambda: f"-m iprange {no()}--{pick(['src', 'dst'])}-range {pick(_RANGES)}",
            lambda: '-m comment --comment "a b"',
            lambda: "-m limit --limit 10000/sec --limit-burst 10000",
            lambda: "",
        ]
        if chain in _IN:
            kinds += [lambda: f"-m mac {no()}--mac-source {pick(self.macs)}"]
        if chain in {"FORWARD", "PREROUTING", "INPUT", "POSTROUTING"} or chain in USER:
            kinds += [lambda: f"-m physdev {no()}--physdev-in {pick(['vethweb', 'vethdb', 'veth+'])}",
                      lambda: f"-m physdev {no()}--physdev-is-in"]  # fmt: skip
        if chain in {"FORWARD", "POSTROUTING"}:
            kinds += [lambda: f"-m physdev {no()}--physdev-is-bridged"]
        return kinds[r.randrange(len(kinds))]() if self.chance(0.6) else ""

    def limit(self, chain):
        if chain in {"PREROUTING", "INPUT", "FORWARD"} and self.chance(0.5):
            return " --limit-iface-in"
        if chain in {"POSTROUTING", "OUTPUT", "FORWARD"} and self.chance(0.5):
            return " --limit-iface-out"
        return ""

    def rule(self, table, chain):
        """A rule of one chain, or of a user chain, which may call the ones after it."""
        found, proto = self.header(chain)
        found += [text for text in (self.extra(table, chain), self.extra(table, chain)) if text]
        return " ".join([f"-A {chain}", *found, self.target(table, chain, proto, len(found))]).strip()

    def target(self, table, chain, proto, narrow):
        r, pick = self.r, self.r.choice
        later = USER[USER.index(chain) + 1 :] if chain in USER else USER
        k = r.random()
        if k < 0.25 and later:
            return f"-{'g' if self.chance(0.25) else 'j'} {pick(later)}"
        if k < 0.35:
            return "-j RETURN"
        if k < 0.5:
            return "-j ACCEPT"
        if narrow > 1 and table != "nat" and k < 0.55:
            return "-j DROP"
        if narrow > 1 and table == "filter" and k < 0.68:
            reset = proto == "tcp" and self.chance(0.5)
            return f"-j REJECT --reject-with {'tcp-reset' if reset else pick(_REJECTS)}"
        if table in {"mangle", "raw"} and k < 0.95:
            return self.change(table)
        if table == "nat" and k < 0.9:
            return self.translate(chain, proto)
        return f"-j MARK --set-xmark 0x{r.randint(0, 3):x}/0x3" if table == "mangle" else ""

    def change(self, table):
        r, pick = self.r, self.r.choice
        kinds = [
            lambda: f"-j MARK --set-xmark 0x{r.randint(0, 3):x}/0x{pick([1, 2, 3, 0xFFFFFFFF]):x}",
            lambda: f"-j MARK --{pick(['or', 'and', 'xor'])}-mark 0x{r.randint(0, 3):x}",
            lambda: "-j CONNMARK --save-mark",
            lambda: f"-j CONNMARK --save-mark --nfmask 0x{pick([1, 3]):x} --ctmask 0x{pick([1, 3, 0xFF]):x}",
            lambda: "-j CONNMARK --restore-mark",
            lambda: f"-j CONNMARK --restore-mark --nfmask 0x{pick([1, 3]):x} --ctmask 0x{pick([1, 2]):x}",
            lambda: f"-j CONNMARK --set-xmark 0x{r.randint(0, 3):x}/0x{pick([1, 3, 0xFFFFFFFF]):x}",
        ]
        if table == "mangle":
            kinds += [
                lambda: f"-j TTL --ttl-{pick(['dec 1', 'inc 1', 'set 64', 'dec 2', 'inc 200'])}",
                lambda: f"-j DSCP --set-dscp {pick(['0x00', '0x08', '0x04'])}",
                lambda: f"-j TOS --set-tos {pick(['0x10/0x3f', '0x20/0xff', '0x08/0x0c', '0x01/0x01'])}",
            ]
        elif self.chance(0.3):
            return "-j CT --notrack"
        return pick(kinds)()

    def translate(self, chain, proto):
        pick = self.r.choice
        if chain in {"PREROUTING", "OUTPUT"}:
            to = pick(
                ["10.10.0.2", "10.20.0.2", "192.0.2.1", "10.10.0.2-10.10.0.5", "192.0.2.2", "10.10.0.2-10.10.0.3"]
            )
            if proto in {"tcp", "udp"}:
                return pick([f"-j DNAT --to-destination {to}:{pick([80, 53, 6379, 9000])}",
                             f"-j DNAT --to-destination {to}:{pick(['80-90', '6379-6400', '53-60'])}",
                             f"-j DNAT --to-destination {to}", f"-j REDIRECT --to-ports {pick([22, 9000, 9100])}",
                             f"-j DNAT --to-destination {to} --persistent", "-j REDIRECT",
                             f"-j DNAT --to-destination :{pick([80, 53, 22])}"])  # fmt: skip
            return pick([f"-j DNAT --to-destination {to}", "-j NETMAP --to 10.10.0.0/30", "-j REDIRECT",
                         "-j NETMAP --to 192.0.2.0/24"])  # fmt: skip
        if chain in {"POSTROUTING", "INPUT"}:
            to = pick(["192.0.2.77", "10.10.0.1", "192.0.2.2", "192.0.2.77-192.0.2.78", "10.20.0.1-10.20.0.1"])
            masquerade = "-j MASQUERADE" if chain == "POSTROUTING" else f"-j SNAT --to-source {to}"
            if proto in {"tcp", "udp"}:
                return pick([f"-j SNAT --to-source {to}", f"-j SNAT --to-source {to}:{self.first}-{self.first + 63}",
                             f"-j SNAT --to-source {to}:61000-61000", masquerade,
                             f"{masquerade} --to-ports 61001" if chain == "POSTROUTING" else masquerade,
                             f"-j SNAT --to-source {to} --persistent", "-j NETMAP --to 192.0.2.64/28"])  # fmt: skip
            return pick([f"-j SNAT --to-source {to}", masquerade, "-j NETMAP --to 192.0.2.76/31"])
        return "-j RETURN"

    def long_chain(self, table, chain):
        """Many narrow rules, so that simnet's index comes into play; some let the packet go."""
        lines = []
        for _ in range(self.r.randint(40, 200)):
            found, proto = self.header(chain)
            if proto not in {"tcp", "udp"}:
                found = [f"-s {self.r.choice(BLOCKS)}", f"-d {self.r.choice(BLOCKS)}"]
            if self.chance(0.2):
                found.append(self.extra(table, chain))
            target = self.r.choice(["-j RETURN", "-j ACCEPT", "-j ACCEPT", "", ""])
            lines.append(" ".join([f"-A {chain}", *found, target]))
        return lines

    def table(self, name):
        """A whole table as iptables-restore reads it."""
        bases = BASES[name]
        docker = _DOCKER.get(name, "").strip().splitlines()
        policy = {base: "DROP" if name == "filter" and base == "FORWARD" and self.chance(0.5) else "ACCEPT"
                  for base in bases}  # fmt: skip
        lines = [f":{base} {policy[base]} [0:0]" for base in bases]
        chains = [*USER, *(["DOCKER"] if docker else []), *(["DOCKER-USER"] if name == "filter" else []), "LONG"]
        lines += [f":{chain} - [0:0]" for chain in chains]
        mine = [self.rule(name, chain) for chain in self.r.choices([*bases, *USER], k=self.r.randint(6, 22))]
        if name == "filter":
            mine += [self.rule(name, "FORWARD").replace("-A FORWARD", "-A DOCKER-USER") for _ in range(3)]
        if self.chance(0.4):
            at = self.r.choice(bases)
            mine += [f"-A {at} -j LONG", *(line.replace(f"-A {at}", "-A LONG") for line in self.long_chain(name, at))]
        for line in mine:
            docker.insert(self.r.randint(0, len(docker)), line)
        return "\n".join([f"*{name}", *lines, *docker, "COMMIT", ""])

    def rules(self):
        """All five tables."""
        return "".join(self.table(name) for name in BASES)
