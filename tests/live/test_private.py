"""Private sites: real engines that come and go, and leave nothing of themselves outside their namespaces."""

import hashlib
import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from simnet.errors import HostError, ScenarioError, SourceError
from simnet.live.host import command
from simnet.live.host.scratch import RUN
from simnet.live.private.down import down
from simnet.live.private.site import Site, up_sites
from simnet.live.private.up import plain, up
from simnet.scenario.source import read_source
from tests.live.private import left, run_of_its_own, simnet, simnet_as_nobody, started

pytestmark = pytest.mark.engine

SHOP = """
services:
  web:
    image: nginx:1.27
    command: nginx -g "daemon off;"
    ports: ["8080:80"]
    networks: [front, back]
  db:
    image: registry.test:5000/own/postgres
    networks: {back: {ipv4_address: 10.7.0.9, aliases: [store]}}
networks:
  front:
  back: {internal: true, ipam: {config: [{subnet: 10.7.0.0/24}]}}
"""


@pytest.fixture(scope="module")
def site():
    """A site that is up, with a container."""
    site = Site(f"seen{os.getpid()}")
    up(site, plain())
    site.execute("h1", ["docker", "run", "-d", "--name", "web", "-p", "8080:80", "busybox"])
    yield site
    down(site)
    assert left(site) == []


@pytest.fixture
def own():
    """A site of one test, which may leave it in any state."""
    site = Site(f"own{os.getpid()}")
    yield site
    down(site)
    assert left(site) == []


def test_commands_run_in_its_places(site):
    out, err, code = simnet("live", "exec", "--name", site.name, "h1", "--", "docker", "ps", "--format", "{{.Names}}")
    assert (out, err, code) == ("web\n", "", 0)
    out, _, _ = simnet("live", "exec", "--name", site.name, "h1/web", "--", "ip", "-br", "-4", "addr", "show", "eth0")
    assert out.split()[2] == "172.17.0.2/16"
    _, _, code = simnet("live", "exec", "--name", site.name, "wan", "--", "busybox", "ping", "-c1", "-W2", "192.0.2.2")
    assert code == 0
    assert site.execute("wan", ["sh", "-c", "exit 7"]).code == 7
    _, err, code = simnet("live", "exec", "--name", site.name, "h1/wbe", "--", "true")
    assert (err, code) == ("simnet: no place 'h1/wbe'; did you mean 'h1/web'?\n", 2)


def test_what_its_hosts_reach_is_private(site):
    assert site.execute("wan", ["ip", "route", "get", "203.0.113.9"]).code, "it has no way out of the site"
    inodes = {site.space(place).inode for place in ("h1", "h1/web", "wan")}
    assert len(inodes) == 3
    assert Path("/proc/self/ns/net").stat().st_ino not in inodes


def test_status_names_it(site):
    out, _, code = simnet("live", "status")
    assert simnet("live", "status", "--site", site.name) == (
        "".join(f"{line}\n" for line in out.splitlines() if line.startswith(f"{site.name} ")), "", 0
    )  # fmt: skip
    mine = [line for line in out.splitlines() if line.startswith(f"{site.name} ")]
    assert [line.split()[1:3] for line in mine] == [["h1", "up"], ["wan", "up"]]
    assert mine[0].endswith(f"DOCKER_HOST=unix://{site.socket('h1')}") and code == 0


def test_a_name_is_taken_once(site):
    with pytest.raises(
        HostError, match=f"the private site '{site.name}' is up; simnet live down --name {site.name} first"
    ):
        up(site, plain())
    assert site.namespace("h1").inode


@pytest.mark.parametrize(("words", "said", "ends"), [
    (["live", "up", "--name", "../x"], "'../x' names no private site", 2),
    (["live", "up", "--hosts", "0"], "0 is not in the range", 2),
    (["live", "up", "scenarios/snapshots/seed-modes-28.5"], "is a snapshot, which does not say how it was made", 2),
    (["live", "up", "--hosts", "2", "scenarios/basics/modes.yaml"], "are said by SOURCE itself", 2),
    (["live", "up", "nowhere.yaml"], "no such file or folder", 3),
    (["live", "up", "--engine-root", "docs"], "there is no dockerd in", 4),
    (["live", "down", "--name", "nobody"], "no private site 'nobody'", 2),
    (["live", "exec", "--name", "nobody", "h1", "true"], "no private site 'nobody'", 2),
    (["live", "status", "--site", "nobody"], "no private site 'nobody'", 2),
    (["live", "exec", "--site", "../x", "h1", "true"], "'../x' names no private site", 2),
    (["live", "up", "--daemon", "icc"], "--daemon icc: write KEY=VALUE, as in --daemon icc=false", 2),
    (["live", "up", "--daemon", "--icc=false"], "--daemon --icc=false: write KEY=VALUE", 2),
])  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(words, said, ends):
    _, err, code = simnet(*words)
    assert said in err and code == ends
    assert "Traceback" not in err


def test_an_engine_that_does_not_start_is_told_by_its_log(own):
    _, err, code = simnet("live", "up", "--name", own.name, "--daemon", "no-such-flag=1")
    assert "the engine of h1 did not start: " in err and "no-such-flag" in err
    assert code == 4 and left(own) == []


def test_two_sites_have_the_same_addresses(site, own):
    up(own, plain())
    assert {site.name, own.name} <= {one.name for one in up_sites()}
    first, second = (one.execute("h1", ["ip", "-br", "-4", "addr", "show", "eth0"]).out for one in (site, own))
    assert first.split()[2] == second.split()[2] == "192.0.2.2/24"
    _, err, code = simnet("live", "down")
    assert "several private sites are up" in err and "say which with --name, or --all" in err and code == 2
    _, err, code = simnet("live", "exec", "h1", "true")
    assert "several private sites are up: " in err and "; say which with --site NAME\n" in err and code == 4
    _, err, code = simnet("live", "down", "--site", f"{own.name}x")
    assert err == f"simnet: no private site '{own.name}x'; did you mean '{own.name}'?\n" and code == 2
    assert own.processes() and site.processes()


def test_a_compose_file_is_played(own, tmp_path):
    (tmp_path / "compose.yaml").write_text(SHOP)
    (tmp_path / "shop").mkdir()
    notes = []
    up(own, read_source(str(tmp_path / "compose.yaml")).plan, note=notes.append)
    found = {one["Name"].rpartition("-")[0].rpartition("-")[2]: one for one in own.engine("h1").inspect()}
    assert {name: one["Config"]["Image"] for name, one in found.items()} == {
        "web": "nginx:1.27", "db": "registry.test:5000/own/postgres",
    }  # fmt: skip
    assert all(one["State"]["Running"] for one in found.values())
    networks = found["db"]["NetworkSettings"]["Networks"]
    ((name, back),) = networks.items()
    assert name.endswith("_back") and back["IPAddress"] == "10.7.0.9" and "store" in back["Aliases"]
    assert len(found["web"]["NetworkSettings"]["Networks"]) == 2
    assert any("`nginx -g daemon off;` is not in the image here; it sleeps" in note for note in notes)
    assert any(note.startswith("h1: the engine that runs is ") for note in notes)


def test_hosts_join_a_swarm(own):
    up(own, plain(2, swarm=True))
    nodes = own.engine("h1").docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").split()
    assert sorted(nodes) == ["Ready", "Ready", "h1", "h2"]


SCENARIO = """\
hosts:
  h1:
    {sysctl}
    containers:
      web: {{publish: "8080:80"}}
    commands: |
      iptables -N OWN
      {line}
machines:
  wan:
    commands: ip route add 203.0.113.0/24 via 192.0.2.2
"""


def played(own, tmp_path, line="iptables -N OTHER", sysctl="listen: []"):
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO.format(line=line, sysctl=sysctl))
    up(own, read_source(str(path)).plan)
    return path


def test_lines_are_run_as_words_at_their_places(own, tmp_path):
    played(own, tmp_path, "h1/web: ip addr add 198.51.100.9/32 dev lo && iptables -N MORE")
    assert "via 192.0.2.2" in own.execute("wan", ["ip", "route", "show", "203.0.113.0/24"]).out
    assert "198.51.100.9" in own.execute("h1/web", ["ip", "addr"]).out
    assert "-N OWN" in own.execute("h1", ["iptables", "-S"]).out


def test_what_the_model_does_not_know_is_never_run(own, tmp_path):
    with pytest.raises(ScenarioError, match=r"scenario\.yaml:6:\d+: .*touch: not found"):
        played(own, tmp_path, f"touch {tmp_path}/x")
    with pytest.raises(ScenarioError, match="files that can be written"):
        played(own, tmp_path, f"echo 1 > {tmp_path}/x")
    assert not (tmp_path / "x").exists() and left(own) == []


def test_what_a_real_engine_refuses_names_its_place_and_leaves_nothing(own, tmp_path):
    """A name of one letter, which the model lets be."""
    path = tmp_path / "scenario.yaml"
    path.write_text("hosts:\n  h1:\n    containers:\n      web: {}\n      a: {publish: 80}\n")
    with pytest.raises(ScenarioError, match=r"scenario\.yaml:5:\d+: .*Invalid container name \(a\)"):
        up(own, read_source(str(path)).plan)
    assert left(own) == []


def test_what_the_kernel_refuses_names_its_place_and_leaves_nothing(own, tmp_path):
    with pytest.raises(SourceError, match=r"scenario\.yaml:3:.*kernel\.panic is a setting of the whole machine"):
        played(own, tmp_path, sysctl="sysctl: {kernel.panic: 9}")
    assert left(own) == []


def outside():
    """What there is of this machine's own: rules, routes, devices, mounts, control groups, files."""
    words = (["iptables-save"], ["nft", "list", "ruleset"], ["ip", "-br", "link"], ["ip", "addr"], ["ip", "rule"],
             ["ip", "route", "show", "table", "all"], ["ip", "-br", "netns"])  # fmt: skip
    seen = {" ".join(one): command.answer(one).out for one in words}
    seen["iptables-save"] = "\n".join(line for line in seen["iptables-save"].splitlines() if not line.startswith("#"))
    seen["ip addr"] = "\n".join(line for line in seen["ip addr"].splitlines() if "valid_lft" not in line)
    seen["mounts"] = Path("/proc/self/mounts").read_text("utf-8")
    for key in ("ip -br netns", "mounts"):  # namespaces of tests that run beside this one (tests/live/host.py)
        seen[key] = "\n".join(line for line in seen[key].splitlines() if not re.search(r"simnet-\d+-\d+-", line))
    seen["sysctls"] = {str(path): path.read_text("utf-8") for path in Path("/proc/sys/net").rglob("*forward*")}
    for folder, depth in (("/etc", "**/*"), ("/var/lib", "*"), ("/var/lib/docker", "*"), ("/run", "*")):
        names = sorted(path for path in Path(folder).glob(depth) if path.name != "simnet")
        seen[folder] = {str(path): digest(path) if folder == "/etc" else "" for path in names}
    return seen


def digest(path):
    """A file's content and mode, a link's target."""
    if path.is_symlink():
        return str(path.readlink())
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return f"{path.stat().st_mode} {content}"


def test_this_machine_stays_as_it_is(own, tmp_path):
    before = outside()
    files = tmp_path / "tmp"
    files.mkdir()
    for words in (["up", "--name", own.name], ["exec", "--name", own.name, "h1", "docker", "run", "-d", "busybox"]):
        assert simnet("live", *words, env={"TMPDIR": str(files)})[2] == 0
    during = outside()
    assert simnet("live", "down", "--name", own.name, env={"TMPDIR": str(files)})[2] == 0
    assert during == before and outside() == before
    assert list(files.iterdir()) == [] and left(own) == []


def test_its_hints_can_be_typed_as_they_stand(own):
    """Each line of what is said at the end, run."""
    _, err, code = simnet("live", "up", "--site", own.name)
    hints = [line.partition(":  ")[2].split() for line in err.splitlines() if ":  " in line]
    assert code == 0 and [words[:3] for words in hints] == [
        ["simnet", "live", "exec"], ["simnet", "validate", "--live"], ["simnet", "live", "down"],
    ]  # fmt: skip
    use, model, away = hints
    assert simnet(*use[1:])[2] == 0
    assert [one["Name"] for one in own.engine("h1").inspect()] == ["/web"]
    assert model[3:] == ["--site", own.name]
    assert simnet(*model[1:], "--probes", "2")[2] == 0
    assert simnet(*away[1:])[1:] == (f"{own.name} is down\n", 0)
    assert left(own) == []


@pytest.mark.parametrize("words", [["status"], ["down"], ["down", "--all"], ["exec", "h1", "true"]])
def test_without_root_that_is_said(words, site):
    out, err, code = simnet_as_nobody("live", *words)
    assert (out, code) == ("", 4)
    assert err.startswith(f"simnet: live {words[0]} needs root; sudo simnet …; ") and err.count("\n") == 1


def test_what_is_half_made_is_told_of_until_it_is_removed(own):
    said = f"{own.name}: half made by a command that was killed; simnet live down --name {own.name} removes it\n"
    with run_of_its_own() as before:
        process = started("live", "up", "--name", own.name, "--hosts", "3", before=before)
        while not own.processes():
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        assert simnet("live", "status", before=before) == ("", "", 0), "it is being made"
        _, err, code = simnet("live", "exec", "--name", own.name, "h1", "true", before=before)
        assert f"the private site '{own.name}' is in the hands of another process" in err and code == 4
        process.kill()
        process.communicate()
        assert simnet("live", "status", before=before) == (said, "", 0)
        for words in (["exec", "--name", own.name, "h1", "true"], ["status", "--name", own.name]):
            assert simnet("live", *words, before=before) == ("", f"simnet: {said}", 4)
        removed = simnet("live", "down", "--name", own.name, before=before)
        assert removed == ("", f"removed what was left of {own.name}\n", 0)
        assert simnet("live", "status", before=before) == ("", "", 0)


def test_a_mere_lock_is_no_site(own):
    RUN.mkdir(exist_ok=True)
    (RUN / f"{own.name}.lock").touch()
    _, err, code = simnet("live", "exec", "--name", own.name, "h1", "true")
    assert f"no private site '{own.name}'" in err and code == 2


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_moment_it_is_swept_away(own, seed):
    process = started("live", "up", "--name", own.name, start_new_session=True)
    time.sleep(random.Random(seed).uniform(0.1, 2.5))
    process.kill()
    process.communicate()
    if not own.up:  # whatever comes of it, the next command takes away what there is
        _, _, code = simnet("validate", "--live", "--host", "unix:///nowhere/docker.sock")
        assert code == 4
    else:
        down(own)
    assert left(own) == []


def test_a_machine_that_died_is_told_of_and_taken_down(own):
    up(own, plain())
    os.kill(own.machine("h1").pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while own.machine("h1").pid in own.processes() and time.monotonic() < deadline:
        time.sleep(0.02)
    out, _, _ = simnet("live", "status")
    assert f"{own.name}  h1       died" in out
    _, err, code = simnet("live", "exec", "--name", own.name, "h1", "true")
    assert f"h1 of the private site '{own.name}' has died" in err and code == 4
    assert simnet("live", "down", "--name", own.name)[2] == 0


def test_what_still_runs_there_goes_with_it(own):
    up(own, plain())
    with started("live", "exec", "--name", own.name, "wan", "sleep", "600") as lasting:
        while lasting.pid not in own.processes():
            time.sleep(0.02)
        down(own)
        assert lasting.wait(10) == -signal.SIGKILL
