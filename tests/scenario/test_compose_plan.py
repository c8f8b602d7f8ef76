"""Compose files as sources: what they make on a host, who listens there, and what they claim."""

import pytest

from simnet.errors import SourceError
from simnet.net.address import ip_text
from simnet.scenario.source import read_source
from simnet.study.check import check
from simnet.study.flows import Study

SHOP = """
services:
  web:
    image: nginx:1.27
    ports: ["8080:80", 22:22]
    networks: [front, back]
    volumes: ["./a:/b"]
  db:
    image: postgres:16
    networks: {back: {ipv4_address: 10.7.0.9}}
  vpn: {image: busybox, expose: [1080]}
  torrent:
    image: busybox
    network_mode: service:vpn
    x-simnet: {listen: [tcp/9091]}
networks:
  front:
  back: {internal: true, ipam: {config: [{subnet: 10.7.0.0/24}]}}
x-simnet:
  engine: "20.10"
  machines: {wan: {listen: [tcp/80]}}
  check:
    - db: unreachable from wan
    - web: [reaches db, sees client address from wan]
"""


def source(folder, text, name="compose.yaml", **conditions):
    path = folder / "shop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_source(str(path), **conditions)


def test_a_project_becomes_networks_and_containers(tmp_path):
    lab = source(tmp_path, SHOP).open()
    engine = lab.engine("h1")
    assert [name for name in engine.networks.by_name if name.startswith("shop_")] == [
        "shop_default", "shop_front", "shop_back"]  # fmt: skip
    web = engine.find("shop-web-1")
    assert [binding.host_port for binding in web.bindings if binding.family == 4] == [8080, 22]
    assert str(engine.find("shop-db-1").endpoints["shop_back"].address) == "10.7.0.9"
    assert lab.network.find("h1/shop-torrent-1") is lab.network.find("h1/shop-vpn-1")
    assert engine.version == "20.10"


def test_services_are_places_by_their_own_names(tmp_path):
    network = source(tmp_path, SHOP).open().network
    assert network.find("web") is network.find("h1/web") is network.find("h1/shop-web-1")
    assert ip_text(network.find("db").devices["eth0"].addresses[0].address) == "10.7.0.9"


def test_who_listens_is_what_is_published_exposed_said_or_known_of_the_image(tmp_path):
    study = Study(source(tmp_path, SHOP))
    assert {(target.place, target.port) for target in study.targets()} == {
        ("h1/shop-web-1", 80), ("h1/shop-web-1", 22), ("h1/shop-db-1", 5432), ("h1/shop-vpn-1", 1080),
        ("h1/shop-torrent-1", 9091), ("wan", 80),
    }  # fmt: skip


def test_what_was_ignored_and_what_was_taken_for_granted_is_noted(tmp_path):
    notes = source(tmp_path, SHOP).notes
    assert "ignored (what an image does by itself is not modelled): services.web.volumes" in notes
    assert "db listens on tcp/5432, as the image postgres:16 exposes" in notes


def test_claims_under_x_simnet_are_tried(tmp_path):
    assert [finding.status for finding in check(source(tmp_path, SHOP))] == ["holds"] * 3


def test_an_engine_may_be_asked_for(tmp_path):
    assert source(tmp_path, SHOP, engine="28.5").open().engine("h1").version == "28.5"


def test_a_folder_stands_for_the_compose_file_in_it(tmp_path):
    source(tmp_path, SHOP)
    assert read_source(str(tmp_path / "shop")).open().engine("h1").find("shop-web-1").running


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: {a: {image: x, ports: ['80:80']}, b: {image: x, ports: ['80:81']}}",
         "Bind for 0.0.0.0:80 failed: port is already allocated"),
        ("services: {a: {image: x, network_mode: 'container:gone'}}", "No such container: gone"),
        ("services: {a: {image: x}}\\nnetworks: {default: {ipam: {config: [{subnet: 172.17.0.0/16}]}}}",
         "Pool overlaps with other one on this address space"),
        ("services: {a: {image: x, x-simnet: {listne: [80]}}}", "no key 'listne' here; did you mean 'listen'?"),
        ("services: {a: {image: x}}\\nx-simnet: {engine: '19.03'}", "no engine version '19.03'"),
        ("services: {a: {image: x}}\\nx-simnet: {chekc: []}", "no key 'chekc' here; did you mean 'check'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_of_its_place(tmp_path, text, expected):
    with pytest.raises(SourceError) as caught:
        source(tmp_path, text.replace("\\n", "\n")).open()
    assert "compose.yaml:" in str(caught.value)
    assert expected in str(caught.value)


def test_merge_keys_are_merged(tmp_path):
    text = "x-base: &base {image: nginx, ports: ['80:80']}\nservices:\n  web: {<<: *base}\n"
    assert source(tmp_path, text, "anything.yaml").open().engine("h1").find("shop-web-1").bindings


def test_names_that_docker_refuses_are_refused(tmp_path):
    with pytest.raises(SourceError, match="does not match pattern"):
        source(tmp_path, "services: {a: {image: x, container_name: 'a b'}}").open()
