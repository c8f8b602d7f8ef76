"""What `read` makes of a project beyond what `docker-compose config` shows: containers, order, names, places, notes."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from simnet.docker.options import Attachment
from simnet.errors import ScenarioError
from simnet.scenario.compose import Project, is_compose, read
from simnet.scenario.compose.tree import plain

PROJECTS = Path(__file__).parent / "projects"


def project(folder: Path, text: str, **how: object) -> Project:
    (folder / "compose.yaml").write_text(text)
    return read(folder, environ={}, **{"name": "p", **how})  # type: ignore[arg-type]


def refused(folder: Path, text: str, **how: object) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        project(folder, text, **how)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


class TestContainers:
    def test_each_replica_has_its_number(self, tmp_path: Path) -> None:
        found = project(tmp_path, "services: {web: {image: nginx, scale: 3}}").service("web")
        assert [one.name for one in found.containers] == ["p-web-1", "p-web-2", "p-web-3"]
        assert [one.attachments[0].aliases for one in found.containers][1] == ("p-web-2", "web")

    def test_networks_are_joined_by_priority_then_name(self) -> None:
        found = read(PROJECTS / "static-ips", environ={}).service("router").containers[0]
        assert [one.network for one in found.attachments] == [
            "static-ips_lan_a", "static-ips_wan", "static-ips_lan_b",
        ]  # fmt: skip
        assert found.network == "static-ips_lan_a"
        assert found.attachments[1] == Attachment(
            "static-ips_wan", "203.0.113.2", gateway_priority=1, aliases=("static-ips-router-1", "router")
        )

    def test_a_shared_namespace_is_the_other_service_s_container(self) -> None:
        found = read(PROJECTS / "gluetun", environ={})
        torrent, sniffer = found.service("qbittorrent"), found.service("sniffer")
        assert (torrent.network_mode, torrent.shares) == ("container:gluetun", "gluetun")
        assert (torrent.containers[0].network, torrent.containers[0].attachments) == ("container:gluetun", ())
        assert (sniffer.network_mode, sniffer.pid, sniffer.ipc) == ("container:other", "container:gluetun", "host")

    def test_the_modes_that_are_no_networks(self) -> None:
        found = read(PROJECTS / "home-assistant", environ={})
        told = {one.name: (one.containers[0].network, one.containers[0].attachments) for one in found.services}
        assert told["homeassistant"] == ("host", ())
        assert told["backup"] == ("none", ())
        assert told["old"] == ("bridge", (Attachment("bridge"),))
        assert found.service("old").containers[0].links == (
            ("home-assistant-oldb-1", "database"),
            ("home-assistant-oldb-1", "oldb-1"),
            ("home-assistant-oldb-1", "home-assistant-oldb-1"),
        )

    def test_ports_and_exposed_ranges(self) -> None:
        found = read(PROJECTS / "internal", environ={})
        assert [str(port) for port in found.service("proxy").containers[0].ports] == ["443:443/tcp", "80:80/tcp"]
        assert found.service("app").containers[0].exposed == (
            (8000, "tcp"), (9000, "tcp"), (9001, "tcp"), (9002, "tcp"),
        )  # fmt: skip

    def test_an_engine_gets_all_that_it_knows_of(self) -> None:
        found = read(PROJECTS / "pihole", environ={}).service("pihole").containers[0]
        assert (found.hostname, found.mac_address) == ("pi", "d0:ca:ab:cd:ef:01")
        assert (found.dns, found.dns_search) == (("127.0.0.1", "1.1.1.1"), ("home.arpa",))
        assert found.attachments[1] == Attachment(
            "lan", "192.168.1.53", aliases=("pihole-pihole-1", "pihole"), mac_address="d0:ca:ab:cd:ef:02"
        )
        assert read(PROJECTS / "gluetun", environ={}).service("sniffer").containers[0].pid == "container:gluetun"


class TestNetworks:
    def test_what_the_bridge_driver_knows_has_fields(self) -> None:
        options = read(PROJECTS / "monitoring", environ={}).network("monitor-net").options
        assert (options.bridge_name, options.mtu, options.gateway) == ("br-monitor", 1450, "172.28.10.1")
        assert (options.subnet, options.ip_range) == (ip_network("172.28.10.0/24"), ip_network("172.28.10.128/25"))

    def test_two_families(self) -> None:
        options = read(PROJECTS / "ipv6", environ={}).network("six").options
        assert (options.ipv6, options.masquerade, options.gateway_mode6) == (True, False, "routed")
        assert (options.subnet, options.subnet6) == (ip_network("172.30.0.0/24"), ip_network("2001:db8:1::/64"))
        assert options.gateway6 == "2001:db8:1::1"

    def test_only_those_that_are_used_in_the_file_s_order_with_default_first(self, tmp_path: Path) -> None:
        text = "services: {w: {image: a, networks: [b, default, a]}}\nnetworks: {b: , c: , a: }"
        assert [one.key for one in project(tmp_path, text).networks] == ["default", "b", "a"]

    def test_a_subnet_that_is_none_is_pointed_at(self, tmp_path: Path) -> None:
        text = "services: {w: {image: a, networks: [n]}}\nnetworks:\n  n: {ipam: {config: [{subnet: 10.0.0.0/33}]}}"
        assert refused(tmp_path, text) == [
            "compose.yaml:3:32: invalid CIDR address: 10.0.0.0/33; the form is 172.28.0.0/16"
        ]

    def test_what_an_engine_would_refuse_is_pointed_at(self, tmp_path: Path) -> None:
        text = """\
services:
  w:
    image: a
    scale: 2000
    expose: [x]
    mac_address: "02:42"
    networks: {n: {ipv4_address: 10.0.0.300, ipv6_address: 10.0.0.3}}
networks:
  n: {ipam: {config: [{gateway: x, aux_addresses: {h: 10.0.0}}]}}
"""
        assert [line.removeprefix("compose.yaml:").partition("; ")[0] for line in refused(tmp_path, text)] == [
            "5:14: services.w.expose: invalid containerPort: x",
            "7:34: services.w.networks.n.ipv4_address: invalid IPv4 address: 10.0.0.300",
            "7:60: services.w.networks.n.ipv6_address: invalid IPv6 address: 10.0.0.3",
            "6:18: services.w.mac_address: invalid MAC address: 02:42",
            "4:12: services.w: more than 1000 containers of one service are not modelled",
            "9:33: invalid IP address: x",
            "9:55: invalid IP address: 10.0.0",
        ]


class TestOrder:
    def test_services_start_after_what_they_need(self) -> None:
        for folder in PROJECTS.iterdir():
            found = read(folder, environ={})
            names = [one.name for one in found.services]
            for one in found.services:
                for need in one.depends_on:
                    if need.service in names:
                        assert names.index(need.service) < names.index(one.name), (folder.name, one.name)

    def test_a_long_chain_is_followed_to_its_end(self, tmp_path: Path) -> None:
        many = "\n".join(f"  s{at}: {{image: a, depends_on: [s{at + 1}]}}" for at in range(1200))
        found = project(tmp_path, f"services:\n{many}\n  s1200: {{image: a}}\n")
        assert [one.name for one in found.services][:2] == ["s1200", "s1199"]
        (line,) = refused(tmp_path, f"services:\n{many}\n  s1200: {{image: a, depends_on: [s1198]}}\n")
        assert line.startswith("compose.yaml:1200:3: dependency cycle detected: s1198 -> s1199 -> s1200 -> s1198")

    def test_profiles_enable_services(self) -> None:
        found = read(PROJECTS / "profiles", environ={})
        assert found.disabled == ("migrate",)
        assert read(PROJECTS / "profiles", environ={}, profiles=("*",)).disabled == ()
        assert read(PROJECTS / "profiles", environ={"COMPOSE_PROFILES": ""}).disabled == (
            "debugger", "pgadmin", "migrate",
        )  # fmt: skip


class TestNames:
    TEXT = "services: {web: {image: '${COMPOSE_PROJECT_NAME}'}}"

    def test_the_order_of_what_names_a_project(self, tmp_path: Path) -> None:
        folder = tmp_path / "My Shop (2)"
        folder.mkdir()
        assert project(folder, self.TEXT, name="").name == "myshop2"
        assert project(folder, f"name: From-$X\n{self.TEXT}", name="").name == "from-"
        (folder / ".env").write_text("X=file\n")
        assert project(folder, f"name: From-$X\n{self.TEXT}", name="").name == "from-file"
        (folder / ".env").write_text("COMPOSE_PROJECT_NAME=env\n")
        assert project(folder, f"name: top\n{self.TEXT}", name="").name == "env"
        found = project(folder, f"name: top\n{self.TEXT}", name="given")
        assert (found.name, found.service("web").image) == ("given", "given")

    def test_a_name_that_may_not_be_one(self, tmp_path: Path) -> None:
        (line,) = refused(tmp_path, self.TEXT, name="Up per")
        assert line.startswith('invalid project name "Up per": must consist only of lowercase')
        assert line.endswith("such as upper")


class TestFiles:
    def test_a_default_file_brings_its_override_another_does_not(self, tmp_path: Path) -> None:
        for name, text in {
            "compose.yaml": "services: {web: {image: a}}",
            "compose.override.yml": "services: {web: {hostname: over}}",
            "other.yaml": "services: {web: {image: b}}",
        }.items():
            (tmp_path / name).write_text(text)
        for path, hostname in ((tmp_path, "over"), (tmp_path / "compose.yaml", "over"), (tmp_path / "other.yaml", "")):
            assert read(path, environ={}).service("web").hostname == hostname
        two = read(tmp_path / "compose.yaml", files=(tmp_path / "other.yaml",), environ={}).service("web")
        assert (two.image, two.hostname) == ("b", "")
        assert read(tmp_path, environ={"COMPOSE_FILE": "other.yaml"}).service("web").image == "b"

    def test_none_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioError, match=r"no configuration file provided: not found; looked for compose\.yaml"):
            read(tmp_path, environ={})
        with pytest.raises(ScenarioError, match="no such file or directory"):
            read(tmp_path / "no", environ={})

    def test_several_documents_are_laid_over_each_other(self, tmp_path: Path) -> None:
        found = project(tmp_path, "services: {w: {image: a}}\n---\nservices: {w: {hostname: h}}\n---\n")
        assert (found.service("w").image, found.service("w").hostname) == ("a", "h")

    def test_extends_and_include_that_go_in_circles(self, tmp_path: Path) -> None:
        lines = refused(tmp_path, "services:\n  a: {extends: b}\n  b: {extends: a}\n")
        assert "Circular reference: a in compose.yaml extends b in compose.yaml extends a in compose.yaml" in lines[0]
        (tmp_path / "q.yaml").write_text("include: [compose.yaml]\nservices: {b: {image: a}}\n")
        (line,) = refused(tmp_path, "include: [q.yaml]\nservices: {w: {image: a}}\n")
        assert line == "q.yaml:1:11: include cycle detected: compose.yaml include q.yaml include compose.yaml"

    def test_an_include_that_conflicts(self, tmp_path: Path) -> None:
        (tmp_path / "q.yaml").write_text("services: {w: {image: b}}\n")
        (line,) = refused(tmp_path, "include: [q.yaml]\nservices:\n  w: {image: a}\n")
        assert line == "compose.yaml:3:3: services.w conflicts with imported resource; it is in q.yaml, line 1, too"

    def test_what_is_a_compose_file(self, tmp_path: Path) -> None:
        for text, answer in (("services: {}", True), ("include: [a.yaml]", True), ("hosts: {}", False), ("[", False)):
            (tmp_path / "a.yaml").write_text(text)
            assert is_compose(tmp_path / "a.yaml") is answer
        assert is_compose(PROJECTS / "wordpress")


class TestFindings:
    def test_all_that_is_wrong_is_told_at_once(self, tmp_path: Path) -> None:
        text = """\
services:
  web:
    image: nginx
    prots: [80]
    hostname: 1
  db:
    iamge: postgres
networks:
  back: {drivr: bridge}
"""
        assert refused(tmp_path, text) == [
            "compose.yaml:4:5: services.web additional properties 'prots' not allowed; did you mean 'ports'?",
            "compose.yaml:5:15: services.web.hostname must be a string",
            "compose.yaml:7:5: services.db additional properties 'iamge' not allowed; did you mean 'image'?",
            "compose.yaml:9:10: networks.back additional properties 'drivr' not allowed; did you mean 'driver'?",
        ]

    def test_names_that_nothing_bears(self, tmp_path: Path) -> None:
        text = """\
services:
  web: {image: a, networks: [bakc], depends_on: [bd]}
  db: {image: a, networks: [nowhere]}
networks: {back: }
"""
        assert refused(tmp_path, text) == [
            'compose.yaml:2:30: service "web" refers to undefined network bakc: invalid compose project; '
            "did you mean 'back'?",
            'compose.yaml:2:50: service "web" depends on undefined service "bd": invalid compose project; '
            "there are: db",
            'compose.yaml:3:29: service "db" refers to undefined network nowhere: invalid compose project; '
            "declare it under the top-level `networks:` (nowhere:)",
        ]

    def test_errors_point_into_the_file_that_they_are_in(self, tmp_path: Path) -> None:
        (tmp_path / "compose.override.yaml").write_text("services:\n  web:\n    ports: ['80:x']\n")
        (line,) = refused(tmp_path, "services: {web: {image: a}}")
        assert line.startswith("compose.override.yaml:3:13: services.web.ports: Invalid containerPort: x")

    def test_things_know_where_they_come_from(self) -> None:
        found = read(PROJECTS / "dev-prod", environ={})
        ports = found.service("web").origin.mapping()["ports"].items()  # type: ignore[union-attr]
        assert [(Path(one.file).name, one.line, one.column) for one in ports] == [
            ("compose.override.yml", 6, 9), ("compose.yml", 8, 9), ("compose.override.yml", 5, 9),
            ("compose.override.yml", 7, 9),
        ]  # fmt: skip
        assert found.network("front").origin is not None

    def test_ignored_keys_are_named_once(self) -> None:
        found = read(PROJECTS / "swarm", environ={})
        assert found.ignored == (
            "services.vote.deploy.update_config", "services.vote.deploy.restart_policy",
            "services.vote.deploy.resources", "services.visualizer.deploy.placement",
        )  # fmt: skip

    def test_extensions_keep_their_place(self) -> None:
        found = read(PROJECTS / "anchors", environ={}).extensions
        assert {path: plain(value) for path, value in found.items()} == {
            "": {"hosts": 1},
            "services.a.networks.n": {"loss": 0.1},
            "services.b": {"cpu": 2},
            "networks.n": {"delay": "5ms"},
        }
        assert (found["services.b"].line, found["services.b"].column) == (23, 15)
