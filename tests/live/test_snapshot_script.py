"""The script that reads a host, under the shells that hosts have, with a `docker` that lies, and where things lack."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from simnet.live.host.namespace import NetworkNamespace
from simnet.live.snapshot.take import SCRIPT
from simnet.scenario.snapshot import load

SHELLS = [["dash"], ["busybox", "ash"], ["bash", "--posix"]]
HOSTILE = ["../../x", "$(touch x)", "`touch x`", "a;touch x", "a\nb", "-rf", "a b", 'a"b', "a\\b", ".ssh", "*", "", "é",
           "\x1b[2J", "a'b", "&touch x", "host/../y"]  # fmt: skip

# docker, as the script calls it, with answers that a test laid beside it
LIAR = """#!/bin/sh
here=${0%/*}
case $* in
  *" ps "*) cat "$here/ids" ;;
  *" inspect --type container --format {{.State.Pid}} "*) cat "$here/state" ;;
  *" inspect --type container "*) cat "$here/containers" ;;
  *" network ls "*" driver=bridge") [ ! -e "$here/bridges" ] || cat "$here/ids" ;;
  *" network inspect "*) cat "$here/bridges" ;;
  *" version "*) echo '{"Server": {"Version": "28.5.2"}}' ;;
esac
"""


def shells():
    return [pytest.param(words, id=words[0]) for words in SHELLS if shutil.which(words[0])]


def run(namespace, words, *options, path="", **fields):
    """Run the script in a namespace by a shell."""
    environment = {"PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    with namespace.entered():
        return subprocess.run([*words, SCRIPT, *options], capture_output=True, check=False, timeout=60, env=environment,
                              **fields)  # fmt: skip


@pytest.fixture
def here():
    """A namespace with one address."""
    with NetworkNamespace.made("here") as namespace:
        namespace.run(["ip", "link", "set", "lo", "up"])
        yield namespace


@pytest.fixture
def there():
    with NetworkNamespace.made("there") as namespace:
        namespace.run(["ip", "addr", "add", "192.0.2.7/32", "dev", "lo"])
        yield namespace


def lie(folder, sandbox, names):
    """Lay a docker into a folder that tells of a container of each name."""
    docker = folder / "docker"
    docker.write_text(LIAR)
    docker.chmod(0o755)
    ids = [f"{number:064x}" for number in range(len(names))]
    (folder / "ids").write_text("\n".join(ids))
    lines = [f'{one} 1 "{sandbox}" "bridge" {json.dumps("/" + name, ensure_ascii=False)} {{"Name":{json.dumps(name)}}}'
             for one, name in zip(ids, names, strict=True)]  # fmt: skip
    (folder / "containers").write_text("\n".join(lines) + "\n")


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
def test_names_that_docker_gives_to_none_are_left_out(shell, here, there, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "cwd").mkdir()
    lie(tmp_path / "bin", there.path, [*HOSTILE, "web", "host"])
    done = run(here, shell, str(tmp_path / "snap"), path=tmp_path / "bin", cwd=tmp_path / "cwd")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "snap/h1").iterdir() if path.is_dir()) == ["host", "web"]
    assert [one["Name"] for one in json.loads((tmp_path / "snap/h1/docker-inspect.json").read_text())] == [
        "web",
        "host",
    ]
    assert done.stderr.count(b"has a name that Docker gives to none") == len(HOSTILE)
    assert b"host is the name of two namespaces; that of the container is left out" in done.stderr
    assert b"\x1b" not in done.stderr
    assert list((tmp_path / "cwd").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "cwd", "snap"]
    assert "192.0.2.7" in (tmp_path / "snap/h1/web/ip-addr.json").read_text()


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
def test_lines_that_are_none_of_docker_inspect_are_left_out(shell, here, there, tmp_path):
    lie(tmp_path, there.path, ["web"])
    with (tmp_path / "containers").open("a") as lines:
        lines.write('b" {"Name":"x"}\n$(touch x) 1 "/x" "bridge" "/x" {}\n\n')
        lines.write(f'{"a" * 64} 1 "/x;y" "bridge" "/strange" {{"Name":"strange"}}\n')
    done = run(here, shell, str(tmp_path / "snap"), path=tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"what docker inspect prints is not understood") == 3
    assert b"strange is left out: its sandbox has a strange path" in done.stderr
    assert [path.name for path in (tmp_path / "snap/h1").iterdir() if path.is_dir()].count("web") == 1
    assert not (tmp_path / "x").exists()


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
def test_a_machine_without_docker(shell, here, tmp_path):
    done = run(here, shell, "--no-docker", "--name", "wan", str(tmp_path / "snap"))
    assert (done.returncode, done.stderr) == (0, b"snapshot: root was used for: iptables-save\n")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*/*")] == ["snap/wan/host"]
    again = run(here, shell, "--no-docker", "--name", "wan", str(tmp_path / "snap"))
    assert (again.returncode, again.stderr.decode()) == (
        2, f"snapshot: {tmp_path}/snap/wan exists already; name another folder, or remove it\n"
    )  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
def test_a_tar_holds_what_the_folder_does(shell, here, tmp_path):
    for target in (tmp_path / "one", "-"):
        done = run(here, shell, "--no-docker", str(target))
        assert done.returncode == 0, done.stderr
    subprocess.run(["tar", "-C", tmp_path, "-xf", "-"], input=done.stdout, check=True)
    ours, theirs = tmp_path / "h1/host", tmp_path / "one/h1/host"
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())
    assert (ours / "ip-addr.json").read_bytes() == (theirs / "ip-addr.json").read_bytes()


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
def test_rules_that_iptables_save_does_not_print_are_told_of(shell, here, tmp_path):
    here.run(["nft", "add", "table", "inet", "mine"])
    here.run(["iptables", "-A", "INPUT", "-j", "ACCEPT"])
    done = run(here, shell, "--no-docker", str(tmp_path / "snap"))
    assert b"host has tables of nft, which simnet does not follow: inet mine" in done.stderr
    assert (tmp_path / "snap/h1/host/nft-tables").read_text() == "table inet mine\n"
    assert "-A INPUT -j ACCEPT" in (tmp_path / "snap/h1/host/iptables-save").read_text()
    assert (tmp_path / "snap/h1/host/iptables-filter-L-n").exists()
    assert not (tmp_path / "snap/h1/host/iptables-nat-L-n").exists()


@pytest.mark.live
def test_rules_of_the_other_back_end_are_kept_and_told_of(here, tmp_path):
    here.run(["iptables-legacy", "-A", "INPUT", "-s", "198.51.100.9", "-j", "DROP"])
    done = run(here, ["sh"], "--no-docker", str(tmp_path / "snap"))
    assert b"host has rules of iptables-legacy too, which simnet does not follow: iptables-legacy-save" in done.stderr
    assert "-A INPUT -s 198.51.100.9/32 -j DROP" in (tmp_path / "snap/h1/host/iptables-legacy-save").read_text()
    assert "198.51.100.9" not in (tmp_path / "snap/h1/host/iptables-save").read_text()
    notes = load(tmp_path / "snap").notes
    assert f"{tmp_path}/snap/h1/host/iptables-legacy-save: the host has these rules too; they are not followed" in notes


@pytest.mark.live
def test_where_legacy_is_what_iptables_means_its_rules_are_taken(here, tmp_path):
    for name in ("iptables", "iptables-save"):
        (tmp_path / name).symlink_to("/usr/sbin/xtables-legacy-multi")
    here.run(["iptables-legacy", "-A", "INPUT", "-s", "198.51.100.9", "-j", "DROP"])
    here.run(["nft", "add", "table", "ip", "filter"])
    done = run(here, ["sh"], "--no-docker", str(tmp_path / "snap"), path=tmp_path)
    assert "-A INPUT -s 198.51.100.9/32 -j DROP" in (tmp_path / "snap/h1/host/iptables-save").read_text()
    assert b"host has tables of nft, which simnet does not follow: ip filter\n" in done.stderr


@pytest.mark.live
def test_reading_changes_nothing(here, tmp_path):
    """No table comes into being by being asked for."""
    before = here.run(["nft", "list", "ruleset"]), here.run(["ip", "-j", "-d", "addr"])
    assert run(here, ["dash"], "--no-docker", str(tmp_path / "snap")).returncode == 0
    assert (here.run(["nft", "list", "ruleset"]), here.run(["ip", "-j", "-d", "addr"])) == before
    assert here.run(["cat", "/proc/net/ip_tables_names"]) == ""


@pytest.mark.live
def test_without_root_one_line_says_so(here, tmp_path):
    tmp_path.chmod(0o777)
    with here.entered():
        words = ["sh", "-s", "--", "--no-docker", tmp_path / "snap"]
        done = subprocess.run(words, input=SCRIPT.read_bytes(), capture_output=True, check=False, timeout=60,
                              user=65534, group=65534, extra_groups=[])  # fmt: skip
    assert (done.returncode, done.stderr.count(b"\n")) == (4, 1)
    assert b"root is needed to read the rules (iptables-save) and the namespaces of containers" in done.stderr
    assert list(tmp_path.iterdir()) == []


STANDARD = ["id", "env", "sh", "cat", "sed", "grep", "head", "tr", "ls", "readlink", "mkdir", "rmdir", "rm", "mv",
            "test", "true"]  # fmt: skip
NEEDED = ["docker", "ip", "iptables-save", "iptables", "nsenter"]


def run_lacking(here, folder, lacking, target):
    """Run the script with a search path that holds everything but one command."""
    commands = folder / "bin"
    commands.mkdir()
    lie(commands, "", [])
    for name in {*STANDARD, *NEEDED, "mktemp", "tar", "bridge", "ss"} - {"docker"}:
        (commands / name).symlink_to(shutil.which(name) or f"/usr/sbin/{name}")
    (commands / lacking).unlink()
    script = SCRIPT.read_text().replace("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin", "PATH=$PATH")
    (folder / "script").write_text(script)
    with here.entered():
        return subprocess.run(["/bin/sh", folder / "script", target], capture_output=True, check=False, timeout=60,
                              env={"PATH": str(commands)})  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("lacking", [*STANDARD, *NEEDED])
def test_without_a_command_one_line_says_so(here, tmp_path, lacking):
    done = run_lacking(here, tmp_path, lacking, tmp_path / "snap")
    said = done.stderr.decode().splitlines()
    assert (done.returncode, len(said)) == (4, 1)
    assert said[0].startswith(f"snapshot: the command '{lacking}' is missing")
    assert not (tmp_path / "snap").exists()


@pytest.mark.live
@pytest.mark.parametrize("lacking", ["mktemp", "tar"])
def test_only_a_tar_needs_what_makes_one(here, tmp_path, lacking):
    done = run_lacking(here, tmp_path, lacking, "-")
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.decode() == f"snapshot: the command '{lacking}' is missing\n"
    (tmp_path / "again").mkdir()
    assert run_lacking(here, tmp_path / "again", lacking, tmp_path / "snap").returncode == 0
    assert (tmp_path / "snap/h1/docker-inspect.json").exists()


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize(("options", "said"), [
    ([], "the engine lives in namespaces of its own; give --pid PID of dockerd"),
    (["--pid", "{pid}"], "the sandbox of web is not to be seen from process {pid}; give --pid PID of dockerd"),
])  # fmt: skip
def test_a_sandbox_that_is_not_to_be_seen_is_an_engine_elsewhere(shell, options, said, here, tmp_path):
    """The engine says of the container, twice, that it runs; its file is a plain one: the mount is elsewhere."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "sandbox").touch()
    lie(tmp_path / "bin", tmp_path / "sandbox", ["web"])
    (tmp_path / "bin/state").write_text(f"1 {tmp_path}/sandbox\n")
    words = [option.format(pid=os.getpid()) for option in options]
    done = run(here, shell, *words, str(tmp_path / "snap"), path=tmp_path / "bin")
    assert (done.returncode, done.stderr.decode()) == (4, f"snapshot: {said.format(pid=os.getpid())}\n")
    assert not (tmp_path / "snap").exists()


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize(("options", "code"), [([], 4), (["--pid", str(os.getpid())], 0)])
def test_an_engine_whose_bridges_are_not_here_is_elsewhere(shell, options, code, here, there, tmp_path):
    """Its sandboxes are to be seen all the same; who names its process is believed."""
    (tmp_path / "bin").mkdir()
    lie(tmp_path / "bin", there.path, ["web"])
    (tmp_path / "bin/bridges").write_text("docker0\nbr-front\n")
    done = run(here, shell, *options, str(tmp_path / "snap"), path=tmp_path / "bin")
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.decode() == (
            "snapshot: the engine lives in namespaces of its own; give --pid PID of dockerd\n"
        )
        assert not (tmp_path / "snap").exists()
    here.run(["ip", "link", "add", "br-front", "type", "bridge"])
    assert run(here, shell, str(tmp_path / "one"), path=tmp_path / "bin").returncode == 0


@pytest.mark.live
@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("state", ["0 \n", "2 /another\n", ""])
def test_a_container_that_ended_meanwhile_is_left_out(shell, state, here, tmp_path):
    (tmp_path / "bin").mkdir()
    lie(tmp_path / "bin", tmp_path / "gone", ["web"])
    (tmp_path / "bin/state").write_text(state)
    done = run(here, shell, str(tmp_path / "snap"), path=tmp_path / "bin")
    assert done.returncode == 0, done.stderr
    assert b"web is left out: it ended meanwhile\n" in done.stderr
    assert [path.name for path in (tmp_path / "snap/h1").iterdir() if path.is_dir()] == ["host"]


BAD = [
    ([], "the folder is missing"),
    (["--naem", "x", "d"], "no option --naem"),
    (["--name"], "--name needs a name"),
    (["--name", "../x", "d"], "--name takes letters"),
    (["--pid", "1;x", "d"], "--pid takes a number"),
    (["a", "b"], "one folder only"),
]


@pytest.mark.parametrize(("options", "says"), BAD)
def test_bad_usage_is_told(options, says, tmp_path):
    done = subprocess.run(["sh", SCRIPT, *options], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert b"; usage: snapshot.sh [--name NAME] " in done.stderr
    assert list(Path(tmp_path).iterdir()) == []
