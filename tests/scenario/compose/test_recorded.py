"""Compose files come out as Docker Compose made them out: whole projects, single inputs; README.md tells of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from simnet.errors import ScenarioError
from simnet.scenario.compose import Project, Service, dotenv, read
from simnet.scenario.compose.interpolate import substitute

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
PROJECTS = Path(__file__).parent / "projects"
NAMES = sorted(path.parent.name for path in PROJECTS.glob("*/config.json"))
TEXTS = {"container_name", "hostname", "domainname", "mac_address"}
LISTS = {"expose", "links", "external_links", "dns", "dns_search", "dns_opt", "cap_add", "profiles"}
# what `config` prints that a network takes no notice of
LEFT_ALONE = {
    "build", "command", "deploy", "devices", "entrypoint", "environment", "healthcheck", "image", "labels", "logging",
    "restart", "scale", "volumes", "x-simnet",
}  # fmt: skip


def loaded(name: str) -> Project:
    return read(PROJECTS / name, environ={})


@pytest.mark.parametrize("name", NAMES)
def test_services_are_those_of_compose(name: str) -> None:
    project, config = loaded(name), json.loads((PROJECTS / name / "config.json").read_text())
    assert project.name == config["name"]
    assert {one.name for one in project.services} == set(config["services"])
    for one in project.services:
        wanted = config["services"][one.name]
        assert told(one, project) == networked(wanted), one.name
        deploy = wanted.get("deploy", {})
        assert one.replicas == wanted.get("scale", deploy.get("replicas", 1))
        assert one.mode == deploy.get("mode", "replicated")
        assert one.endpoint_mode == deploy.get("endpoint_mode", "vip")
        assert len(one.containers) == one.replicas


@pytest.mark.parametrize("name", NAMES)
def test_networks_are_those_of_compose(name: str) -> None:
    project, config = loaded(name), json.loads((PROJECTS / name / "config.json").read_text())
    found = {}
    for one in project.networks:
        options = one.options
        found[one.key] = {
            "name": options.name,
            "external": one.external,
            "driver": options.driver,
            "internal": options.internal,
            "attachable": options.attachable,
            "ipv6": options.ipv6,
            "subnets": sorted(one.subnets),
            "gateways": sorted(filter(None, (options.gateway, options.gateway6))),
            "aux": dict(one.aux_addresses),
        }
    assert found == {key: of_config(value) for key, value in config.get("networks", {}).items()}


@pytest.mark.parametrize("name", NAMES)
def test_notes_are_compose_s_warnings(name: str) -> None:
    said = {json.loads(line) for line in (PROJECTS / name / "notes.txt").read_text().splitlines()}
    assert {note.replace(f"{PROJECTS / name}/", "") for note in loaded(name).notes} == said


@pytest.mark.parametrize(("template", "wanted"), RECORDED["interpolation"])
def test_a_template(template: str, wanted: str | None) -> None:
    words = {"SET": "val", "EMPTY": "", "set": "low"}.get
    if wanted is not None:
        assert substitute(template, words) == wanted
        return
    with pytest.raises(ValueError, match=r"missing a value|\$\{"):
        substitute(template, words)


@pytest.mark.parametrize(("text", "wanted"), RECORDED["dotenv"])
def test_a_dotenv_file(text: str, wanted: list[str] | None) -> None:
    environ = {"SET": "val"}
    if wanted is not None:
        found = {**dotenv.parse(text, environ.get), **environ}
        assert [found.get("A", "UNSET"), found["SET"]] == wanted
        return
    with pytest.raises(ValueError, match=r"unterminated|space|\$\{|missing a value|unexpected"):
        dotenv.parse(text, environ.get)


@pytest.mark.parametrize(("base", "over", "wanted"), RECORDED["merges"])
def test_one_file_over_another(tmp_path: Path, base: str, over: str, wanted: dict[str, Any]) -> None:
    (tmp_path / "compose.yaml").write_text(base)
    (tmp_path / "compose.override.yaml").write_text(over)
    project = read(tmp_path, environ={})
    one = project.service("web")
    assert one.replicas == wanted.pop("scale", wanted.get("deploy", {}).get("replicas", 1))
    assert told(one, project) == networked(wanted)


@pytest.mark.parametrize(("text", "said", "ours"), RECORDED["errors"])
def test_an_error(tmp_path: Path, text: str, said: str, ours: str) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read(file, environ={})
    assert str(caught.value).replace(f"{tmp_path}/", "") == ours


def test_most_errors_are_said_in_compose_s_words() -> None:
    assert sum(said in ours for _, said, ours in RECORDED["errors"]) >= 95


def networked(wanted: dict[str, Any]) -> dict[str, Any]:
    """A service of `config` without what a network takes no notice of."""
    found = {key: value for key, value in wanted.items() if key not in LEFT_ALONE}
    for need in found.get("depends_on", {}).values():
        need.pop("restart", None)
    for item in found.get("ports", ()):
        item.pop("name", None)
        item.pop("app_protocol", None)
    for key, value in found.get("networks", {}).items():
        found["networks"][key] = {inner: held for inner, held in (value or {}).items() if inner != "x-simnet"} or None
    return found


def of_config(value: dict[str, Any]) -> dict[str, Any]:
    blocks = value.get("ipam", {}).get("config", [])
    return {
        "name": value["name"],
        "external": value.get("external", False),
        "driver": value.get("driver", "bridge"),
        "internal": value.get("internal", False),
        "attachable": value.get("attachable", False),
        "ipv6": value.get("enable_ipv6", False),
        "subnets": sorted(block.get("subnet", "") for block in blocks),
        "gateways": sorted(block["gateway"] for block in blocks if "gateway" in block),
        "aux": {name: text for block in blocks for name, text in block.get("aux_addresses", {}).items()},
    }


def told(one: Service, project: Project) -> dict[str, Any]:
    """A service as `config` prints it."""
    found: dict[str, Any] = {key: getattr(one, key) for key in TEXTS if getattr(one, key)}
    found |= {key: list(getattr(one, key)) for key in LISTS if getattr(one, key)}
    if one.extra_hosts:
        found["extra_hosts"] = [host.replace(":", "=", 1) for host in one.extra_hosts]
    if one.sysctls:
        found["sysctls"] = dict(one.sysctls)
    if one.privileged:
        found["privileged"] = True
    for key in ("network_mode", "pid", "ipc", "uts"):
        text = getattr(one, key)
        if text:
            found[key] = as_service(text, project)
    if one.userns:
        found["userns_mode"] = one.userns
    if one.networks:
        found["networks"] = {net.key: attachment(net) for net in one.networks}
    if one.ports:
        found["ports"] = [port(item) for item in one.ports]
    if one.depends_on:
        found["depends_on"] = depends(one)
    return found


def as_service(mode: str, project: Project) -> str:
    containers = {one.containers[0].name: one.name for one in project.services if one.containers}
    name = containers.get(mode.removeprefix("container:"))
    return mode if name is None else f"service:{name}"


def attachment(net: Any) -> dict[str, Any] | None:
    keys = (
        "ipv4_address", "ipv6_address", "mac_address", "interface_name", "priority", "gw_priority",
    )  # fmt: skip
    found = {key: getattr(net, key) for key in keys if getattr(net, key)}
    found |= {key: list(getattr(net, key)) for key in ("aliases", "link_local_ips") if getattr(net, key)}
    if net.driver_opts:
        found["driver_opts"] = dict(net.driver_opts)
    return found or None


def port(item: Any) -> dict[str, Any]:
    found = {"mode": item.mode, "target": item.target, "protocol": item.proto}
    if item.published:
        found["published"] = item.published
    if item.host_ip:
        found["host_ip"] = item.host_ip
    return found


def depends(one: Service) -> dict[str, Any]:
    return {need.service: {"condition": need.condition, "required": need.required} for need in one.depends_on}
