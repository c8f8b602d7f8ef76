"""Services of a swarm, from docker's commands to packets: virtual addresses, the routing mesh, names, ports."""

import re
from pathlib import Path

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.options import ServicePort
from simnet.lab.lab import Lab
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe, converse
from simnet.net.iptables.listing import specification
from simnet.net.ipvs import parse
from simnet.net.netfilter import save
from simnet.net.packet import IPv4
from simnet.net.program import Server
from simnet.net.step import Balance, Crossing, Tunnel

RECORDED = Path(__file__).parent.parent / "docker-rules"
# the frame from wan to h2, as the wire shows it to h1
FLOODED = ("h1/host", "eth0", "P")
RECORDINGS = [RECORDED / version / "swarm-portmap.snapshot" for version in ("20.10", "28.5.2")]


def swarm(*lines, engine="28.5.2", hosts=2):
    """Two hosts in a swarm, an outside machine, and the commands run on the first host (`h2: …` on the second)."""
    lab = Lab()
    for number in range(1, hosts + 1):
        lab.host(f"h{number}", engine, f"192.0.2.{1 + number}/24", gateway="192.0.2.1", forwards=True)
    lab.machine("wan", "192.0.2.1/24")
    play(lab, "docker swarm init", *(f"h{n}: docker swarm join 192.0.2.2:2377" for n in range(2, hosts + 1)), *lines)
    return lab


def play(lab, *lines):
    for line in lines:
        place, _, command = line.rpartition(": ")
        answer = lab.run(command, place or "h1")
        assert answer.code == 0, (line, str(answer))


def tasks(lab, service):
    """A service's tasks as `HOST/NAME`, by slot."""
    found = lab.engine("h1").swarm.cluster.services[service]
    return [f"{node.name}/{task.name}" for node, task in sorted(found.tasks, key=lambda one: one[1].name)]


def addresses(lab, service, network):
    found = lab.engine("h1").swarm.cluster.services[service]
    return [str(task.endpoints[network].address) for _, task in found.tasks]


def ask(lab, frm, to, port, listen, proto="tcp", sport=40000):
    """What a client learns; each place in `listen` serves port 80."""
    for place in listen:
        Server(lab.network.find(place), proto, 0, 80).listen()
    return converse(lab.network, Probe(frm, parse_ip(to), port, proto, sport))


WEB = "docker service create --name web --replicas 2 -p 8080:80 --network ov busybox"
OV = "docker network create -d overlay --attachable ov"


# -- addresses ---------------------------------------------------------------------------------------------------------


def test_addresses_come_in_the_order_of_the_managers():
    lab = swarm(OV, WEB)
    cluster = lab.engine("h1").swarm.cluster
    web = cluster.services["web"]
    assert {name: str(vip) for name, vip in web.vips.items()} == {"ingress": "10.0.0.4", "ov": "10.0.1.2"}
    assert addresses(lab, "web", "ingress") == ["10.0.0.5", "10.0.0.6"]
    assert addresses(lab, "web", "ov") == ["10.0.1.3", "10.0.1.4"]
    balancers = [str(lab.engine(host).swarm.balancers["ov"].endpoint.address) for host in ("h1", "h2")]
    assert balancers == ["10.0.1.5", "10.0.1.6"]
    play(lab, "docker service create --name rr --replicas 2 --endpoint-mode dnsrr --network ov busybox")
    assert cluster.services["rr"].vips == {}
    assert addresses(lab, "rr", "ov") == ["10.0.1.7", "10.0.1.8"]


def test_the_recorded_order_of_three_services():
    only_h1 = " --constraint node.hostname==h1"
    lab = swarm(OV, WEB.replace(" busybox", f"{only_h1} busybox"),
                "docker service create --name rr --replicas 2 --endpoint-mode dnsrr --network ov busybox",
                "docker service create --name hostp --publish mode=host,published=8085,target=80 busybox")  # fmt: skip
    assert [name.partition(".")[0] for name in tasks(lab, "web")] == ["h1/web", "h1/web"]
    assert [name.partition(".")[0] for name in tasks(lab, "rr")] == ["h2/rr", "h1/rr"]
    assert [name.partition(".")[0] for name in tasks(lab, "hostp")] == ["h2/hostp"]
    assert addresses(lab, "web", "ov") == ["10.0.1.3", "10.0.1.4"]
    assert addresses(lab, "rr", "ov") == ["10.0.1.6", "10.0.1.7"]
    balancers = [str(lab.engine(host).swarm.balancers["ov"].endpoint.address) for host in ("h1", "h2")]
    assert balancers == ["10.0.1.5", "10.0.1.8"]


def test_a_container_takes_its_address_before_the_load_balancer_whose_device_is_made_first():
    lab = swarm(OV, "docker run -d --name c1 --network ov busybox", "h2: docker run -d --name d1 --network ov busybox",
                "docker run -d --name c2 --network ov busybox", "docker rm -f c2",
                "docker run -d --name c3 --network ov busybox")  # fmt: skip

    def at(host, name):
        return str(lab.engine(host).find(name).endpoints["ov"].address)

    assert [at("h1", "c1"), at("h2", "d1"), at("h1", "c3")] == ["10.0.1.2", "10.0.1.4", "10.0.1.7"]
    balancer = lab.engine("h1").swarm.balancers["ov"]
    assert str(balancer.endpoint.address) == "10.0.1.3"
    assert balancer.endpoint.port.name == "veth0"


def test_a_host_leaves_a_network_with_its_last_container():
    lab = swarm(OV, "h2: docker run -d --name d1 --network ov busybox")
    assert "ov" in lab.engine("h2").networks.by_name
    play(lab, "h2: docker rm -f d1")
    assert "ov" not in lab.engine("h2").networks.by_name
    assert [place for place in lab.network.namespaces if place.startswith(("h2/lb_", "h2/1-"))] == [
        f"h2/1-{lab.engine('h1').networks.find('ingress').id[:10]}"
    ]
    play(lab, "docker network rm ov")


# -- what an engine programs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda path: path.parent.name)
def test_commands_lead_to_the_recorded_rules_and_services(folder):
    session = Session(folder.parent.name)
    lines = (folder / "commands.txt").read_text().splitlines()
    session.script("\n".join(line for line in lines if line.startswith("docker ")))
    engine = session.engine
    [(_, task)] = next(iter(engine.swarm.cluster.services.values())).tasks
    recorded_task = next(path for path in (folder / "h1").iterdir() if re.search(r"\.1\.\w{25}$", path.name))
    for namespace, path in (
        (engine.swarm.ingress.namespace, folder / "h1/ingress_sbox"),
        (task.sandbox.namespace, recorded_task),
    ):
        assert plain(namespace.ruleset) == plain(save.parse((path / "iptables-save").read_text()))
        found = parse(namespace.ipvs.text())
        recorded = parse((path / "ipvs").read_text())
        assert [shown(service) for service in found] == [shown(service) for service in recorded]
    eth0 = engine.swarm.ingress.namespace.devices["eth0"]
    assert [(address.address, address.length) for address in eth0.addresses] == [
        (parse_ip("10.0.0.2"), 24), (parse_ip("10.0.0.3"), 32)
    ]  # fmt: skip
    assert engine.namespace.sockets.listener(0, 8080) is not None


def plain(ruleset):
    """Every table that holds a rule, as iptables -S prints it, with the resolver's own ports left out."""
    printed = {name: specification(table) for name, table in ruleset.tables.items() if any(table.rules())}
    own = re.compile(r"(127\.0\.0\.11|--sport)([: ])\d{4,5}\b")
    return {name: own.sub(r"\1\2PORT", text) for name, text in printed.items()}


def shown(service):
    return str(service), [(str(server), server.method, server.weight) for server in service.servers]


def test_marks_count_from_256_on_each_node_and_ports_close_with_the_last_task():
    lab = swarm("docker service create --name a -p 8080:80 busybox", "docker service create --name b -p 81:80 busybox")
    for host in ("h1", "h2"):
        ingress = lab.engine(host).swarm.ingress.namespace
        assert [service.mark for service in ingress.ipvs.services.values()] == [256, 257]
    play(lab, "docker service scale a=0")
    assert [service.mark for service in ingress.ipvs.services.values()] == [257]
    assert lab.engine("h1").namespace.sockets.listener(0, 8080) is None
    rules = lab.engine("h1").ruleset.tables["nat"].chains["DOCKER-INGRESS"].rules
    assert [str(rule).rpartition(" ")[2] for rule in rules] == ["172.18.0.2:81", "RETURN"]
    marks = [str(rule) for rule in ingress.ruleset.tables["mangle"].rules()]
    assert len(marks) == 2
    assert all("0x101" in mark for mark in marks)
    play(lab, "docker service scale a=1")
    assert [service.mark for service in ingress.ipvs.services.values()] == [257, 258]


def test_every_task_of_two_ports_lets_in_only_those():
    lab = swarm("docker service create --name web -p 8080:80 -p 5353:53/udp busybox", hosts=1)
    [place] = tasks(lab, "web")
    rules = lab.network.find(place).ruleset.tables
    assert [str(rule) for rule in rules["nat"].chains["PREROUTING"].rules] == [
        "-A PREROUTING -d 10.0.0.4/32 -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80",
        "-A PREROUTING -d 10.0.0.4/32 -p udp -m udp --dport 5353 -j REDIRECT --to-ports 53",
    ]
    targets = [(rule.target.name, "--dport 53 " in str(rule)) for rule in rules["filter"].chains["INPUT"].rules]
    assert targets == [("ACCEPT", True), ("ACCEPT", False), ("DROP", False), ("DROP", False), ("DROP", False)]


# -- packets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["20.10", "26.1", "28.5.2"])
def test_any_nodes_port_leads_to_the_task_on_another(engine):
    lab = swarm("docker service create --name web -p 8080:80 --constraint node.hostname==h1 busybox", engine=engine)
    answer = ask(lab, "wan", "192.0.2.3", 8080, tasks(lab, "web"))
    assert (answer.verdict, answer.server_saw, answer.served_at) == ("reply", "10.0.0.3:40000", "10.0.0.5:80")
    syn = answer.packets()[0]
    assert [step.place for step in syn if isinstance(step, Balance)] == ["h2/ingress_sbox"]
    crossed = [step for step in answer.steps if isinstance(step, Crossing) and isinstance(step.packet, IPv4)]
    way = list(dict.fromkeys(step.place for step in crossed if (step.place, step.device, step.direction) != FLOODED))
    overlay = f"1-{lab.engine('h1').networks.find('ingress').id[:10]}"
    assert way == ["wan/host", "h2/host", "h2/ingress_sbox", f"h2/{overlay}", "h1/host", f"h1/{overlay}",
                   tasks(lab, "web")[0]]  # fmt: skip
    assert {step.action for step in answer.steps if isinstance(step, Tunnel)} == {"encapsulate", "decapsulate"}


def test_the_mesh_takes_the_tasks_in_turn():
    lab = swarm("docker service create --name web --replicas 3 -p 8080:80 busybox")
    listen = tasks(lab, "web")
    served = [ask(lab, "wan", "192.0.2.2", 8080, listen if not turn else (), sport=40000 + turn).served_at
              for turn in range(6)]  # fmt: skip
    assert served == ["10.0.0.7:80", "10.0.0.6:80", "10.0.0.5:80"] * 2


def test_a_node_reaches_the_mesh_itself_and_by_loopback():
    lab = swarm("docker service create --name web -p 8080:80 busybox")
    for sport, to in ((40000, "192.0.2.2"), (40001, "127.0.0.1")):
        answer = ask(lab, "h1", to, 8080, tasks(lab, "web") if sport == 40000 else (), sport=sport)
        assert (answer.verdict, answer.server_saw) == ("reply", f"10.0.0.2:{sport}")


def test_a_container_asks_for_the_virtual_address():
    lab = swarm(OV, "docker service create --name web --replicas 2 --network ov busybox",
                "docker run -d --name c1 --network ov busybox")  # fmt: skip
    found = lab.engine("h1").swarm.cluster.networks["ov"].resolve("web")
    assert [str(address) for address in found] == ["10.0.1.2"]
    balancer = lab.engine("h1").swarm.balancers["ov"]
    answers = [ask(lab, "h1/c1", str(found[0]), 80, tasks(lab, "web") if not turn else (), sport=40000 + turn)
               for turn in range(4)]  # fmt: skip
    assert [answer.verdict for answer in answers] == ["reply"] * 4
    assert [answer.served_at for answer in answers] == ["10.0.1.4:80", "10.0.1.3:80"] * 2
    assert {answer.server_saw for answer in answers} == {f"{balancer.endpoint.address}:{40000 + n}" for n in range(4)}
    assert ask(lab, "h1/c1", str(found[0]), 81, ()).verdict == "refused"
    assert converse(lab.network, Probe("h1/c1", int(found[0]), 0, "icmp")).verdict == "reply"


def test_a_task_is_shut_to_all_but_its_published_port_from_the_ingress_network():
    lab = swarm("docker service create --name web -p 8080:80 busybox", hosts=1)
    [place] = tasks(lab, "web")
    Server(lab.network.find(place), "tcp", 0, 22).listen()
    assert ask(lab, "h1/ingress_sbox", "10.0.0.4", 22, (place,)).verdict == "timeout"
    assert ask(lab, "h1/ingress_sbox", "10.0.0.4", 80, ()).verdict == "reply"


def test_a_datagram_by_the_mesh():
    lab = swarm("docker service create --name dns -p 5353:80/udp --constraint node.hostname==h2 busybox")
    answer = ask(lab, "wan", "192.0.2.2", 5353, tasks(lab, "dns"), "udp")
    assert (answer.verdict, answer.server_saw, answer.served_at) == ("reply", "10.0.0.2:40000", "10.0.0.5:80")


def test_a_port_on_the_tasks_own_host_is_open_there_alone():
    lab = swarm("docker service create --name web -p mode=host,published=8085,target=80 busybox")
    [place] = tasks(lab, "web")
    host, other = ("192.0.2.2", "192.0.2.3") if place.startswith("h1") else ("192.0.2.3", "192.0.2.2")
    answer = ask(lab, "wan", host, 8085, (place,))
    assert (answer.verdict, answer.server_saw) == ("reply", "192.0.2.1:40000")
    assert ask(lab, "wan", other, 8085, ()).verdict == "refused"


def test_names_of_services_with_and_without_a_virtual_address():
    lab = swarm(OV, "docker service create --name web --replicas 2 --network ov busybox",
                "docker service create --name rr --replicas 2 --endpoint-mode dnsrr --network ov busybox")  # fmt: skip
    shared = lab.engine("h1").swarm.cluster.networks["ov"]
    for name, answer in (
        ("web", ["10.0.1.2"]), ("tasks.web", ["10.0.1.3", "10.0.1.4"]), ("rr", ["10.0.1.7", "10.0.1.8"]),
        ("tasks.rr", ["10.0.1.7", "10.0.1.8"]), ("nope", []),
    ):  # fmt: skip
        assert [str(one) for one in shared.resolve(name)] == answer
    play(lab, "docker service scale rr=1")
    assert [str(one) for one in shared.resolve("rr")] == ["10.0.1.7"]


# -- changes -----------------------------------------------------------------------------------------------------------


def test_an_update_of_ports_replaces_the_tasks_and_keeps_the_virtual_address():
    lab = swarm(OV, WEB)
    before, service = tasks(lab, "web"), lab.engine("h1").swarm.cluster.services["web"]
    kept = dict(service.vips)
    play(lab, "docker service update --publish-add 8081:81 web")
    assert service.vips == kept
    assert not set(before) & set(tasks(lab, "web"))
    assert [port.published for port in service.ports] == [8080, 8081]
    for host in ("h1", "h2"):
        [ingress] = lab.engine(host).swarm.ingress.namespace.ipvs.services.values()
        assert len(ingress.servers) == 2
    assert ask(lab, "wan", "192.0.2.3", 8080, tasks(lab, "web")).verdict == "reply"
    play(lab, "docker service update --publish-rm 80 web", "docker service update --replicas 1 web")
    assert ask(lab, "wan", "192.0.2.3", 8080, ()).verdict == "refused"
    play(lab, "docker service rm web", "docker network rm ov")
    assert lab.engine("h2").swarm.ingress.namespace.ipvs.services == {}


def test_a_global_service_runs_on_every_node_that_is_there_or_comes():
    lab = swarm("docker service create --name all --mode global -p 8080:80 busybox", hosts=3)
    assert [place.partition("/")[0] for place in tasks(lab, "all")] == ["h1", "h2", "h3"] or len(tasks(lab, "all")) == 3
    play(lab, "h3: docker swarm leave")
    assert len(tasks(lab, "all")) == 2
    play(lab, "h3: docker swarm join 192.0.2.2:2377")
    assert len(tasks(lab, "all")) == 3
    assert ask(lab, "wan", "192.0.2.4", 8080, tasks(lab, "all")).verdict == "reply"


def test_tasks_of_a_node_that_leaves_are_started_on_others():
    lab = swarm("docker service create --name web --replicas 2 -p 8080:80 busybox", "h2: docker swarm leave")
    assert [place.partition("/")[0] for place in tasks(lab, "web")] == ["h1", "h1"]


@pytest.mark.parametrize(
    ("place", "line", "said"),
    [
        ("h1", "docker service create --name x -p 8080:81 busybox",
         "rpc error: code = InvalidArgument desc = port '8080' is already in use by service 'web' ({id}) as an ingress"
         " port"),
        ("h1", "docker service create --name x -p 8090:80 --endpoint-mode dnsrr busybox",
         "rpc error: code = InvalidArgument desc = EndpointSpec: port published with ingress mode can't be used with "
         "dnsrr mode"),
        ("h1", "docker network rm ov",
         "rpc error: code = FailedPrecondition desc = network {ov} is in use by service {id}"),
        ("h1", "docker service scale nope=1", "service nope not found"),
        ("h2", "docker service create busybox",
         "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run "
         "this command on a manager node or promote the current node to a manager."),
    ],
)  # fmt: skip
def test_what_a_swarm_refuses(place, line, said):
    lab = swarm(OV, WEB)
    cluster = lab.engine("h1").swarm.cluster
    answer = lab.run(line, place)
    words = said.format(id=cluster.services["web"].id, ov=cluster.networks["ov"].id)
    assert answer.code == 1
    assert f"Error response from daemon: {words}" in answer.err


def test_ports_on_hosts_may_be_shared_and_the_swarm_counts_its_own_up():
    lab = swarm("docker service create --name a -p mode=host,published=85,target=80 busybox",
                "docker service create --name b -p mode=host,published=85,target=80 busybox",
                "docker service create --name c -p 80 -p 81 busybox")  # fmt: skip
    assert lab.engine("h1").swarm.cluster.services["c"].ports == (ServicePort(80, 30000), ServicePort(81, 30001))
    answer = lab.run("docker service create -p 85:80 busybox", "h1")
    assert "as a host-published port" in answer.err


def test_an_internal_overlay_has_no_way_out():
    lab = swarm("docker network create -d overlay --internal in1",
                "docker service create --name web --network in1 busybox")  # fmt: skip
    [place] = tasks(lab, "web")
    assert list(lab.network.find(place).devices) == ["lo", "eth0"]
    lab = swarm(OV, "docker service create --name web --network ov -p 8080:80 busybox")
    [place] = tasks(lab, "web")
    found = lab.network.find(place)
    by = {name: f"{device.addresses[0].address >> 24}" for name, device in found.devices.items()}
    assert by == {"lo": "127", "eth0": "10", "eth1": "172", "eth2": "10"}
