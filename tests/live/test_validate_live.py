"""`simnet validate --live`: a private host agrees, what was changed is found, and nothing of a probe is left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from simnet.live.agreement.validate import AGREES, DIFFERS, validate
from simnet.live.host.command import find
from simnet.live.host.engine import Engine
from simnet.live.host.namespace import NetworkNamespace
from simnet.live.host.scratch import RUN
from simnet.live.private.down import down, sweep
from simnet.live.private.site import Site
from simnet.live.private.up import up
from simnet.live.probe.arm import TABLE
from simnet.live.probe.outside import DEVICE
from simnet.live.probe.record import Wanted, record
from simnet.live.probe.target import ground
from simnet.scenario.source import read_source
from tests.live.private import ROOT, left, simnet, started

pytestmark = pytest.mark.engine

# the seed's five modes, published ports, and two networks of one's own
HOST = """
hosts:
  h1:
    networks:
      front: {subnet: 172.20.0.0/16}
      back: {subnet: 172.21.0.0/16, internal: true}
    containers:
      nat: {publish: "8080:80"}
      nat2: {publish: ["2222:22", "53:53/udp"]}
      host: {network: host}
      con: {network: "container:nat"}
      none: {network: none}
      web: {network: [front, back], publish: "127.0.0.1:8081:80"}
      db: {network: back}
machines:
  wan: {routes: [{to: 172.16.0.0/12, via: 192.0.2.2}]}
check:
  - nat: reachable from wan
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Such a host."""
    site = Site(f"held{os.getpid()}")
    path = tmp_path_factory.mktemp("site") / "host.yaml"
    path.write_text(HOST)
    up(site, read_source(str(path)).plan)
    yield site
    down(site)
    assert left(site) == []


def rest(space):
    """What a probe might leave in a namespace: a table, the outside machine's device."""
    tables = space.run(["nft", "list", "tables"])
    return [word for word, said in ((TABLE, tables), (DEVICE, space.run(["ip", "-br", "link"]))) if word in said]


def gone(*spaces):
    """Wait until nothing is left in them: the kernel takes namespaces down a while after their last process."""
    deadline = time.monotonic() + 10
    while any(rest(space) for space in spaces):
        assert time.monotonic() < deadline, [rest(space) for space in spaces]
        time.sleep(0.05)


def test_the_host_agrees_in_full_and_so_does_what_was_kept(site, tmp_path):
    kept = tmp_path / "recording"
    words = ("--site", site.name, "--probes", "100", "--record", kept)
    out, err, code = simnet("validate", "--live", *words, "--format", "json")
    report = json.loads(out)
    assert report["agree"] == report["probes"] == 100 and code == 0, err

    out, _, code = simnet("validate", kept, "--format", "json")
    again = json.loads(out)
    assert [one["probe"] for one in again["findings"]] == [one["probe"] for one in report["findings"]]
    assert again["agree"] == 100 and code == 0

    rules = kept / "snapshot/h1/host/iptables-save"
    lines = rules.read_text().splitlines(keepends=True)
    rules.write_text("".join(line for line in lines if "-s 172.17.0.0/16" not in line or "-j MASQUERADE" not in line))
    out, _, code = simnet("validate", kept)
    assert code == 1 and "MASQUERADE" in out, "a rule that was taken from the snapshot is missed"


def test_what_a_proxy_asks_of_a_container_is_traced_where_nobody_serves(site):
    rule = ["POSTROUTING", "-p", "tcp", "--tcp-flags", "SYN,RST", "SYN", "-j", "TCPMSS", "--clamp-mss-to-pmtu"]
    assert not site.execute("h1", ["iptables", "-t", "mangle", "-A", *rule]).code
    try:
        out, _, code = simnet("validate", "--live", "--site", site.name, "--only", "h1-to-h1-unserved-8081-tcp",
                              "--format", "json")  # fmt: skip
    finally:
        site.execute("h1", ["iptables", "-t", "mangle", "-D", *rule])
    assert code == 0 and json.loads(out)["compared"]["walk"]["of"] > 0


def test_a_rule_changed_behind_the_snapshot_is_found(site, tmp_path):
    rule = ["FORWARD", "-p", "tcp", "--dport", "80", "-j", "DROP"]

    def change(number, _):
        if number == 1:
            assert not site.execute("h1", ["iptables", "-I", *rule]).code

    try:
        with ground(site=site.name) as there:
            found = record(there, tmp_path, Wanted(names=["wan-to-h1-nat-80-tcp", "wan-to-h1-8080-tcp*", "wan-*"]),
                           lambda _: None, change)  # fmt: skip
    finally:
        site.execute("h1", ["iptables", "-D", *rule])
    statuses = [finding.status for finding in validate(found)]
    assert DIFFERS in statuses and AGREES in statuses


def test_a_program_that_is_there_is_asked_and_left_alone(site):
    site.execute("h1", ["docker", "exec", "-d", "nat2", "busybox", "httpd", "-p", "22"])
    out, _, code = simnet("validate", "--live", "--site", site.name, "--only", "wan-*", "--format", "json")
    report = json.loads(out)
    assert code == 0 and any("2222" in one["probe"] for one in report["findings"])
    assert site.execute("h1/nat2", ["busybox", "wget", "-qO-", "http://127.0.0.1:22/"]).err.count("404") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_a_probe_nothing_is_left(site, number):
    """A host named by its socket is given an outside machine, which goes as well."""
    host = Engine(str(site.socket("h1"))).host
    with site.space("h1") as h1, site.space("h1/nat") as nat, NetworkNamespace.own() as own:
        process = started("validate", "--live", "--host", host)
        while TABLE not in h1.run(["nft", "list", "tables"]):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        assert DEVICE in h1.run(["ip", "-br", "link"])
        time.sleep(0.3)
        process.send_signal(number)
        process.communicate()
        assert process.returncode in {-number, 130}
        gone(h1, nat, own)
    sweep()
    deadline = time.monotonic() + 10  # another process may be sweeping just now
    while (RUN / f".scratch-{process.pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


CONTAINERS = ["nat", "nat2", "web", "db", "none", "host"]
HOSTILE = ["../../x", "$(touch {marker})", ";touch {marker}", "new\nline", "-rf"]

_DOCKER = """#!{python}
import json, subprocess, sys
done = subprocess.run(["{docker}", *sys.argv[1:]], capture_output=True, text=True)
out = done.stdout
for real, name in {names!r}:
    out = out.replace(json.dumps("/" + real), json.dumps("/" + name))
sys.stdout.write(out)
sys.stderr.write(done.stderr)
sys.exit(done.returncode)
"""


def test_names_that_are_no_names_are_neither_run_nor_written(site, tmp_path):
    marker, fake = tmp_path / "marker", tmp_path / "bin/docker"
    fake.parent.mkdir()
    names = list(zip(CONTAINERS, [name.format(marker=marker) for name in HOSTILE], strict=False))
    fake.write_text(_DOCKER.format(python=sys.executable, docker=find("docker"), names=names))
    fake.chmod(0o755)
    kept = tmp_path / "deep/er/kept"
    kept.parent.mkdir(parents=True)
    path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"
    _, err, code = simnet("validate", "--live", "--site", site.name, "--probes", "12", "--record", kept,
                          env={"PATH": path})  # fmt: skip
    assert "Traceback" not in err and code in {0, 1}, err
    assert not marker.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bin", "deep"]
    assert [one.name for one in kept.parent.iterdir()] == ["kept"]
    places = {one.name for one in (kept / "snapshot/h1").iterdir() if one.is_dir()}
    assert places == {"host"}


MASKED = """
import json, sys
from simnet.live.host import kernel
kernel.unshare(kernel.NEWNS)
kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
for path, other in json.loads(sys.argv[1]).items():
    kernel.mount(other, path, flags=kernel.BIND)
from simnet.cli.main import main
main(sys.argv[2:])
"""


def masked(over, *words):
    """What the command says where some files of this machine have others in their place, and what it ends with."""
    done = subprocess.run([sys.executable, "-c", MASKED, json.dumps(over), *words], capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    return [line for line in done.stderr.splitlines() if not line.startswith("note: ")], done.returncode


@pytest.mark.parametrize(("missing", "said"), [
    ("docker", "the command 'docker' is missing; install it: apt-get install docker.io"),
    ("nft", "the command 'nft' is missing; install it: apt-get install nftables"),
    ("ip", "the command 'ip' is missing; install it: apt-get install iproute2"),
])  # fmt: skip
def test_a_tool_that_is_missing_is_named(site, missing, said, tmp_path):
    (tmp_path / "empty").touch()
    folders = [*os.environ["PATH"].split(os.pathsep), "/usr/sbin", "/sbin", "/usr/bin"]
    paths = {str(path.resolve()) for folder in folders if (path := Path(folder, missing)).exists()}
    said_now, code = masked(dict.fromkeys(paths, str(tmp_path / "empty")), "validate", "--live", "--site", site.name)
    assert said_now == [f"simnet: {said}"] and code == 4


def test_rules_of_the_legacy_iptables_are_refused_in_one_line(site):
    legacy, nft = (Path(find(name)).resolve() for name in ("iptables-legacy", "iptables-nft"))
    said, code = masked({str(nft): str(legacy)}, "validate", "--live", "--site", site.name)
    assert len(said) == 1 and said[0].startswith("simnet: iptables v") and "needs iptables-nft" in said[0]
    assert code == 4


def test_a_kernel_that_knows_no_owned_tables_is_told_of(site, tmp_path):
    fake = tmp_path / "nft"
    fake.write_text("#!/bin/sh\nread line\necho 'Error: Could not process rule: Operation not supported'\n")
    fake.chmod(0o755)
    _, err, code = simnet("validate", "--live", "--site", site.name, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert "the rule trace cannot be armed: Could not process rule" in err and "Linux 5.12" in err and code == 4
    with site.space("h1") as h1:
        assert rest(h1) == []


@pytest.mark.parametrize("words", [["validate", "--live"], ["live", "up"]])
def test_without_root_one_line_says_so_and_what_works(words):
    from simnet.cli.main import main

    said, child = io.StringIO(), os.fork()
    if not child:
        code = 1
        try:
            with redirect_stderr(said):
                os.seteuid(65534)
                main(words)
        except SystemExit as done:
            right = "needs root" in said.getvalue() and "validate RECORDING work without" in said.getvalue()
            code = 0 if done.code == 4 and right and said.getvalue().count("\n") == 1 else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
