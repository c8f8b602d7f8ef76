"""Real engines as snapshots: what is in one, what is not, and that the model answers from it as the host does."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from simnet.cli.main import main
from simnet.errors import HostError, SourceError, UsageError
from simnet.live.snapshot import take as snapshot
from simnet.live.snapshot.files import NEEDED
from simnet.live.snapshot.take import SCRIPT, take
from tests.live.private import simnet_as_nobody
from tests.live.private_engine import PrivateEngine, end

SECRETS = [f"hidden-{word}" for word in (
    "environment", "label", "argument", "entrypoint", "health", "log-tag", "mount", "network-label")]  # fmt: skip
PRINTED = {
    "iptables-save": "iptables-save -c",
    "ip-addr.json": "ip -j -d addr",
    "ip-route.json": "ip -j route show table all",
    "ip-rule.json": "ip -j rule",
    "bridge-fdb.json": "bridge -j fdb",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A host with a container of every kind."""
    with tempfile.TemporaryDirectory(prefix="simnet") as folder:
        made = PrivateEngine(Path(folder))
        try:
            made.docker("network", "create", "--label", "of=hidden-network-label", "--opt",
                        "com.docker.network.bridge.name=br-front", "front")  # fmt: skip
            made.start("web", "--publish", "8080:80", "--env", "PASSWORD=hidden-environment", "--label",
                       "owner=hidden-label", "--entrypoint", "/bin/busybox", "--health-cmd", "echo hidden-health",
                       "--log-opt", "tag=hidden-log-tag", "--volume", "/tmp/hidden-mount:/mnt",
                       command=("sh", "-c", "busybox sleep 3600; echo hidden-argument hidden-entrypoint"))  # fmt: skip
            made.start("db", "--network", "front")
            made.start("hosted", "--network", "host")
            made.start("beside", "--network", "container:web")
            made.start("apart", "--network", "none")
            made.start("paused")
            made.docker("pause", "paused")
            made.start("ended", command=("busybox", "true"))
            made.docker("wait", "ended")
            yield made
        finally:
            made.stop()


def simnet(capsys, *words):
    """Run the command; its exit code and what it printed."""
    try:
        main([str(word) for word in words])
        code = 0
    except SystemExit as ended:
        code = ended.code
    return code, *capsys.readouterr()


def steady(value):
    """What `ip -j` printed, without what counts down."""
    if isinstance(value, dict):
        return {key: steady(one) for key, one in value.items() if not key.endswith("_timer")}
    return [steady(one) for one in value] if isinstance(value, list) else value


@pytest.mark.engine
def test_namespaces_come_of_those_that_have_one(engine):
    taken = take(engine.host)
    assert taken.namespaces == ["host", "apart", "db", "paused", "web"]
    assert taken.notes == ("root was used for: iptables-save; the namespaces of paused, apart, db, web",)
    told = {one["Name"]: one for one in json.loads(taken.files["docker-inspect.json"])}
    assert sorted(told) == ["/apart", "/beside", "/db", "/ended", "/hosted", "/paused", "/web"]
    assert told["/ended"]["State"]["Status"] == "exited"


def printed(engine):
    """What the commands print in three namespaces: of JSON what does not count down, of rules those that are there."""
    inspected = {one["Name"].lstrip("/"): one for one in engine.inspect()}
    found = {}
    for place in ("host", "web", "db"):
        with engine.namespace() if place == "host" else engine.sandbox(inspected[place]) as namespace:
            for file, words in PRINTED.items():
                found[f"{place}/{file}"] = namespace.run(words.split()).encode()
    return {path: plain(path, text) for path, text in found.items()}


def plain(path, text):
    """A file's content without counters and timers."""
    if path.endswith(".json"):
        return steady(json.loads(text or "[]"))
    return [re.sub(r"\[\d+:\d+\]", "", line).strip() for line in text.decode().splitlines() if line[0] != "#"]


@pytest.mark.engine
def test_files_hold_what_the_commands_print(engine):
    while True:  # until nothing happens meanwhile: new links change for a second or two
        before, files = printed(engine), take(engine.host).files
        if printed(engine) == before:
            break
    assert {path: plain(path, files[path]) for path in before} == before
    for line in files["host/sysctl"].decode().splitlines():
        key, _, value = line.partition("=")
        with engine.namespace() as host:
            assert host.run(["cat", "/proc/sys/" + key.replace(".", "/")]).strip() == value
    assert b"-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT" in files["host/iptables-save"]
    assert b"net.ipv4.conf.br-front.rp_filter=" in files["host/sysctl"]


@pytest.mark.engine
def test_no_secret_leaves_the_host(engine):
    taken = take(engine.host)
    everything = b"\n".join(taken.files.values()).decode() + "\n".join(taken.notes)
    assert [secret for secret in SECRETS if secret in everything] == []
    assert "hidden" not in everything
    told = json.loads(taken.files["docker-network-inspect.json"])
    assert {"br-front"} == {network["Options"]["com.docker.network.bridge.name"] for network in told
                            if network["Name"] == "front"}  # fmt: skip


@pytest.mark.engine
def test_secrets_come_when_asked_for(engine):
    """Which shows as well that the test before this one would have seen them."""
    files = take(engine.host, keep_secrets=True).files
    everything = b"\n".join(files.values()).decode()
    assert [secret for secret in SECRETS if secret not in everything] == []
    inspected = {one["Id"]: one for one in engine.inspect()}
    for one in json.loads(files["docker-inspect.json"]):
        assert one["Config"] == inspected[one["Id"]]["Config"]
        assert one["HostConfig"] == inspected[one["Id"]]["HostConfig"]


@pytest.mark.engine
def test_the_model_answers_from_it_as_the_host_does(engine, tmp_path, capsys):
    """A published port from outside: over docker-proxy's rule to the container, by whose address the client is seen."""
    code, out, err = simnet(capsys, "snapshot", "-o", tmp_path / "snap", "--host", engine.host)
    assert (code, out) == (0, "")
    assert f"wrote {tmp_path}/snap/h1: host, apart, db, paused, web\n" in err
    code, _, err = simnet(capsys, "snapshot", "-o", tmp_path / "snap", "--host", engine.host)
    assert (code, err.count("\n")) == (2, 1)
    with engine.wan.entered():
        code, _, err = simnet(capsys, "snapshot", "-o", tmp_path / "snap", "--no-docker", "--name", "wan")
    assert code == 0, err
    code, out, err = simnet(capsys, "trace", tmp_path / "snap", "--from", "wan", "--to", "192.0.2.2:8080", "--listen",
                            "h1/web:tcp:0.0.0.0:80", "--format", "json")  # fmt: skip
    assert code == 0, err
    seen = json.loads(out)["server_saw"]
    assert seen.startswith("192.0.2.1:")
    assert _really_seen(engine, seen) == seen


def _really_seen(engine, client):
    """The client's address as a server in the container sees it."""
    web = next(one for one in engine.inspect() if one["Name"] == "/web")
    with engine.sandbox(web) as namespace, namespace.socket(2, 1) as server:
        server.bind(("0.0.0.0", 80))
        server.listen()
        with engine.wan.socket(2, 1) as socket:
            socket.bind(("192.0.2.1", int(client.partition(":")[2])))
            socket.settimeout(5)
            socket.connect(("192.0.2.2", 8080))
            accepted, (address, port) = server.accept()
            accepted.close()
    return f"{address}:{port}"


@pytest.mark.engine
def test_the_script_alone_does_the_same(engine, tmp_path, capsys):
    code, out, _ = simnet(capsys, "snapshot", "--script")
    assert (code, out) == (0, SCRIPT.read_text())
    (tmp_path / "snapshot.sh").write_text(out)
    words = ["sh", tmp_path / "snapshot.sh", "--pid", str(engine.pid), tmp_path / "snap"]
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    subprocess.run(words, check=True, timeout=60, capture_output=True, env=environment)
    written = tmp_path / "snap/h1"
    alone = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert alone == set(take(engine.host).files)
    assert [path.name for path in (tmp_path / "snap").iterdir()] == ["h1"]


@pytest.mark.engine
@pytest.mark.parametrize("inside", [False, True], ids=["its network is elsewhere", "its mounts are elsewhere"])
def test_without_the_process_of_an_engine_elsewhere_the_script_says_so(inside, engine, tmp_path):
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    words = ["sh", SCRIPT, tmp_path / "snap"]
    with engine.namespace() as host, host.entered() if inside else nullcontext():
        done = subprocess.run(words, timeout=60, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (
        4, "snapshot: the engine lives in namespaces of its own; give --pid PID of dockerd\n"
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
def test_overlay_networks_have_namespaces_of_their_own(short_path):
    engine = PrivateEngine(short_path)
    try:
        engine.docker("swarm", "init", "--advertise-addr", "192.0.2.2")
        engine.docker("network", "create", "--driver", "overlay", "--attachable", "wide")
        engine.start("web", "--network", "wide")
        taken = take(engine.host)
        own = [name for name in taken.namespaces if name[0].isdigit() and "-" in name]
        assert own and b"vxlan" in taken.files[f"{own[0]}/ip-addr.json"]
        assert {"host", "web"} < set(taken.namespaces)
    finally:
        engine.stop()


@contextmanager
def ssh_server(engine, folder):
    """An ssh server on the engine's host, and an `ssh` that knows its key."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", folder / name], check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    (folder / "known").write_text(f"[127.0.0.1]:2222 {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"Port 2222\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\nSetEnv DOCKER_HOST={engine.host}\n"
    )
    (folder / "config").write_text(
        f"IdentityFile {folder}/user\nUserKnownHostsFile {folder}/known\nIdentitiesOnly yes\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin/ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
    (folder / "bin/ssh").chmod(0o755)
    server = subprocess.Popen(
        ["nsenter", "--target", str(engine.pid), "--mount", "--net", "--pid", "unshare", "--mount", "sh", "-c",
         'mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f "$0"', folder / "sshd_config"],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        assert b"Server listening" in server.stderr.readline()
        yield
    finally:
        end(server)
        server.stderr.close()


needs_sshd = pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="engine: no command `sshd`")


@pytest.mark.engine
@needs_sshd
def test_a_host_is_read_by_ssh(engine, short_path, monkeypatch, tmp_path, capsys):
    with ssh_server(engine, short_path), engine.namespace() as host, host.entered():
        monkeypatch.setenv("PATH", f"{short_path}/bin:{os.environ['PATH']}")
        code, _, err = simnet(capsys, "snapshot", "-o", tmp_path / "snap", "--host", "ssh://root@127.0.0.1:2222",
                              "--name", "far")  # fmt: skip
        assert code == 0, err
        assert f"wrote {tmp_path}/snap/far: host, apart, db, paused, web\n" in err
        local = take(engine.host)
        assert set(take("ssh://root@127.0.0.1:2222").files) == set(local.files)
        (short_path / "authorized").write_text("")
        with pytest.raises(HostError, match=r": .*Permission denied \(publickey.*log in by hand once"):
            take("ssh://root@127.0.0.1:2222")
        (short_path / "known").write_text("")
        with pytest.raises(HostError, match="Host key verification failed"):
            take("ssh://root@127.0.0.1:2222")


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """An `ssh` that does what a test writes; the words that it was called with are kept."""

    def pretend(does):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin/ssh").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{tmp_path}/words"\n{does}\n')
        (tmp_path / "bin/ssh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        return tmp_path / "words"

    return pretend


def test_the_words_of_ssh_are_the_same_whatever_the_host_holds(pretended):
    words = pretended("exit 255")
    with pytest.raises(HostError, match=r"^ssh://me@h:7: exit code 255$"):
        take("ssh://me@h:7", keep_secrets=True)
    assert words.read_text().split() == [
        "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-p", "7", "--", "me@h",
        "sh", "-s", "--", "--keep-secrets", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(("said", "refused"), [
    ("me@h: Permission denied (publickey).", True),
    ("Host key verification failed.", True),
    ("ssh: connect to host h port 22: Connection refused", False),
    ("ssh: Could not resolve hostname h: Name or service not known", False),
])  # fmt: skip
def test_only_who_was_not_let_in_is_told_to_log_in_once(pretended, said, refused):
    pretended(f"echo '{said}' >&2; exit 255")
    with pytest.raises(HostError) as found:
        take("ssh://me@h")
    hint = "; log in by hand once; ssh must get in without asking"
    assert str(found.value) == f"ssh://me@h: {said}{hint * refused}"


@pytest.mark.parametrize(("does", "error", "says"), [
    ("echo Welcome", SourceError, "what came is no whole tar"),
    ("echo 'sh: not found' >&2; exit 127", HostError, "ssh://h: sh: not found"),
    ("echo 'snapshot: root is needed' >&2; exit 4", HostError, "ssh://h: root is needed"),
    (r"printf 'a\033[2Jb\n' >&2; exit 4", HostError, r"ssh://h: a\?\[2Jb"),
    ("cat /dev/zero", SourceError, "more than 1 MiB came"),
    ("exec sleep 60", HostError, "no end after 0.5 s"),
])  # fmt: skip
def test_whatever_a_host_sends_ends_in_one_line(pretended, monkeypatch, does, error, says):
    monkeypatch.setattr(snapshot, "LARGEST", 1 << 20)
    monkeypatch.setattr(snapshot, "PATIENCE", 0.5 if "sleep" in does else 60)
    pretended(does)
    begun = time.monotonic()
    with pytest.raises(error, match=says):
        take("ssh://h")
    assert time.monotonic() - begun < 20


def test_a_host_that_sends_other_files_gets_none_written(pretended, tmp_path, capsys, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for name in (*(f"h1/host/{needed}" for needed in NEEDED), "h1/../../../evil/listen"):
            tar.add(tmp_path / "evil", name)
    pretended(f"exec cat '{tmp_path}/evil.tar'")
    code, out, err = simnet(capsys, "snapshot", "--host", "ssh://h")
    assert (code, out) == (3, "")
    assert err == "simnet: ssh://h: 'h1/../../../evil/listen' came, which belongs to no snapshot\n"
    assert list((tmp_path / "cwd").iterdir()) == []


HOSTS = ["tcp://192.0.2.2:2375", "ssh://", "ssh://-oProxyCommand=x@h", "ssh://u@-h", "ssh://h:port", "ssh://h:99999",
         "ssh://u:p@h", "ssh://h/path", "ssh://h;x", "ssh://h x", "ssh://$(x)@h", "ftp://h", "h1"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_other_hosts_are_refused(host):
    with pytest.raises(UsageError, match=r"no host .*: it is ssh://USER@HOST"):
        take(host)


@pytest.mark.parametrize("host", ["tcp://192.0.2.2:2375", "ssh://", "unix://docker.sock"])
def test_what_is_wrong_with_docker_host_names_it(host, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(UsageError, match=rf"^DOCKER_HOST: .*{host}.*; --host names another$"):
        take()


@pytest.mark.live
@pytest.mark.parametrize("options", [[], ["--no-docker"]])
def test_without_root_that_is_said_first(options, short_path):
    """Somebody who may not sudo, on a machine where no engine answers."""
    short_path.chmod(0o777)
    out, err, code = simnet_as_nobody("snapshot", "-o", short_path / "snap", *options)
    assert (out, code, err.count("\n")) == ("", 4, 1)
    assert err.startswith("simnet: a snapshot of this machine needs root; sudo simnet …; ")
    assert list(short_path.iterdir()) == []


USAGE = [
    (["--name", "../x"], "letters, digits"),
    (["--name", "a", "--name", "b"], "2 names for 1 host;"),
    (["--host", "ssh://a", "--host", "ssh://b", "--name", "h2"], "two hosts have one name"),
    (["-o", "nowhere/snap"], "no folder 'nowhere'"),
]


@pytest.mark.parametrize(("words", "says"), USAGE)
def test_bad_usage_ends_before_anything_is_read(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = simnet(capsys, "snapshot", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.live
def test_where_no_engine_answers_one_line_says_what_still_works(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = simnet(capsys, "snapshot", "--host", f"unix://{tmp_path}/none.sock")
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert "no Docker engine answers" in err and "--no-docker takes the machine's own namespace alone" in err
    assert list(tmp_path.iterdir()) == []
