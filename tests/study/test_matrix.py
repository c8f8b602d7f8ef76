"""Who reaches whom, and by which way."""

from simnet.scenario.build import build
from simnet.scenario.scenario_file import read
from simnet.scenario.source import Source, read_source
from simnet.study.flows import Study
from simnet.study.matrix import Server, matrix


def source(text):
    plan = read(text, "a.yaml")
    return Source("a.yaml", lambda: build(plan), plan)


def ways(found):
    return {(place, str(server)): cell.way for (place, server), cell in found.cells.items()}


def test_the_seeds_modes():
    found = matrix(read_source("scenarios/basics/modes.yaml"))
    got = ways(found)
    nat2, host, wan = "h1/csphere-nat2:22/tcp", "h1/csphere-host:9001/tcp", "wan:80/tcp"
    assert got["wan", nat2] == "published"
    assert got["h1/csphere-nat", nat2] == "direct"
    assert got["h1/csphere-none", wan] == "net-unreachable"
    assert got["wan", host] == "direct"
    assert got["h1/csphere-con", "h1/csphere-nat:9000/tcp"] == "direct"
    assert ("wan", "h1/csphere-nat:9000/tcp") not in got


def test_networks_keep_their_containers_apart():
    text = """
hosts:
  h1:
    networks: {front: {}, back: {internal: true}}
    containers:
      web: {network: [front, back], expose: 80}
      db: {network: back, expose: 5432}
      app: {network: front, expose: 80}
"""
    got = ways(matrix(source(text)))
    assert got["h1/web", "h1/db:5432/tcp"] == "direct"
    assert got["h1/app", "h1/db:5432/tcp"] == "timeout"
    assert got["h1/app", "h1/web:80/tcp"] == "direct"
    assert got["h1/db", "h1/app:80/tcp"] == "net-unreachable"


def test_flows_do_not_tell_on_each_other():
    study = Study(read_source("scenarios/basics/modes.yaml"))
    flows = list(study.flows())
    first = [study.ask(flow) for flow in flows]
    again = [study.ask(flow) for flow in reversed(flows)][::-1]
    assert [(one.verdict, one.saw) for one in first] == [(one.verdict, one.saw) for one in again]


def test_rules_that_count_packets_are_met_fresh_by_every_flow():
    text = """
hosts:
  h1:
    containers: {a: {expose: 80}, b: {}, c: {}}
    commands: iptables -I DOCKER-USER -p tcp --syn -m recent --name x --update --hitcount 1 -j DROP
"""
    got = ways(matrix(source(text)))
    assert got["h1/b", "h1/a:80/tcp"] == got["h1/c", "h1/a:80/tcp"] == "direct"


def test_progress_is_told():
    told = []
    found = matrix(read_source("scenarios/basics/modes.yaml"), lambda done, total: told.append((done, total)))
    assert told == [(number, len(found.cells)) for number in range(1, len(found.cells) + 1)]
    assert Server("wan", "tcp", 80) in found.servers


def test_an_answer_of_another_place_with_the_same_address_is_none():
    text = """
hosts:
  h1: {containers: {web: {expose: 80}, app: {}}}
  h2: {containers: {web: {expose: 80}, far: {}}}
"""
    found = matrix(source(text))
    got = ways(found)
    assert (got["h1/app", "h1/web:80/tcp"], got["h1/app", "h2/web:80/tcp"]) == ("direct", "other")
    assert (got["h2/far", "h1/web:80/tcp"], got["h2/far", "h2/web:80/tcp"]) == ("other", "direct")
    outcome = found.cells["h1/app", Server("h2/web", "tcp", 80)].outcome
    assert (outcome.answered, outcome.other) == (False, "h1/web")
    assert str(outcome) == "reply of h1/web, which that address leads to, the server saw 172.17.0.3"


SWARM = """
hosts:
  h1:
    swarm: init
    services: {api: {replicas: 2, ports: "8080:80"}}
  h2: {swarm: {join: 192.0.2.2}}
machines: {wan: {}}
commands: "h1: docker service scale api=2"
check:
  - api: [reachable from wan, reachable from wan at 192.0.2.3:8080, unreachable directly from wan]
"""


def test_the_routing_mesh_leads_to_a_services_tasks():
    found = source(SWARM)
    tasks = [way for (place, server), way in ways(matrix(found)).items() if place == "wan" and "/api." in server]
    assert tasks == ["published", "published"]


def test_a_service_goes_by_its_name_in_claims():
    from simnet.study.check import check

    assert [one.status for one in check(source(SWARM))] == ["holds"] * 3
