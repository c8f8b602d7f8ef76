"""`simnet calibrate`: a list that loads, prices that make sense, nothing changed outside, nothing left when killed."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from simnet.live.calibrate import counts, paths
from simnet.live.host import command
from simnet.sim.prices.costs import load

ROOT = Path(__file__).parents[3]
SIMNET = [sys.executable, "-c", "from simnet.cli.main import main; main()", "calibrate"]


def calibrate(*words, **options):
    return subprocess.run([*SIMNET, *map(str, words)], capture_output=True, text=True, check=False, timeout=120,
                          cwd=ROOT, **options)  # fmt: skip


def outside():
    """What must not change: the machine's links, addresses, routes and rules (their counters do)."""
    links = (
        command.run(["ip", "-d", "link"])
        + command.run(["ip", "addr"])
        + command.run(["ip", "route", "show", "table", "all"])
    )
    rules = command.run(["iptables-save"])
    return re.sub(r"valid_lft \S+", "", links), [line for line in rules.splitlines() if not line.startswith(("#", ":"))]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    file = tmp_path_factory.mktemp("calibrate") / "here.yaml"
    before = outside()
    done = calibrate("--quick", "-o", file)
    assert done.returncode == 0, done.stderr
    return file, done, before, outside()


@pytest.mark.live
def test_a_list_comes_out_that_loads_and_has_prices_for_what_packets_meet(calibrated):
    file, done, _, _ = calibrated
    costs = load(str(file))
    assert done.stdout == ""
    assert f"wrote {file}" in done.stderr
    own = {key: price for key, price in costs.prices.items() if "told most by" in price.source}
    assert len(own) > 40
    assert all(price.value > 0 for price in own.values())
    assert {"send.udp", "device.veth.out", "bridge", "conntrack.lookup", "tunnel.encapsulate"} <= own.keys()
    assert [path.name for path in file.parent.iterdir()] == ["here.yaml"]


@pytest.mark.live
def test_what_is_more_work_costs_more(calibrated):
    costs = load(str(calibrated[0]))
    trips = [path for path in paths.bare() if path.kind == paths.TRIP and path.proto == "udp" and path.size == 1]
    took = {path.name: counts.predicted(path, costs) for path in trips}
    assert took["loopback"] < took["cable"] < took["bridged"]
    assert took["cable"] < took["tunnel"]
    for backend in paths.BACKENDS:
        listed = replace(costs, backend=backend)
        kinds = {
            key.removeprefix(f"match.{backend}."): listed[key]
            for key in costs.prices
            if key.startswith(f"match.{backend}.")
        }
        assert listed[f"rule.{backend}"] < kinds["conntrack"] < kinds["addrtype"]


@pytest.mark.live
def test_nothing_outside_its_namespaces_changes(calibrated):
    _, _, before, after = calibrated
    assert after == before


@pytest.mark.live
def test_the_prediction_test_says_how_near_each_figure_is(tmp_path):
    done = calibrate("--quick", "--predict", "--backend", "legacy", "--format", "json", "--figure", tmp_path / "a.svg")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "simnet.prediction/1"
    groups = [group["group"] for group in found["groups"]]
    assert groups[:5] == ["round trips", "round trips, sleeping", "throughput", "rules", "first packets"]
    for group in found["groups"]:  # how near they come hangs on what else the machine does: nothing for a test
        assert 0 <= group["median_error"] <= group["largest_error"], group
    names = {one["name"].split(",")[0] for one in found["figures"]}
    assert {"host", "bridge", "nat", "nat-out", "container", "overlay", "container to container"} <= names
    for one in found["figures"]:
        assert one["error"] == pytest.approx(one["predicted"] / one["measured"] - 1, abs=0.01)
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def descendants(pid):
    """The processes below one."""
    try:
        own = [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]
    except OSError:
        return []
    return [one for child in own for one in (child, *descendants(child))]


def namespaces_of(pid):
    """The network namespaces that a process holds open, or is in."""
    found = set()
    for link in (Path(f"/proc/{pid}/ns/net"), *Path(f"/proc/{pid}/fd").glob("*")):
        try:
            name = str(link.readlink())
        except OSError:
            continue
        if name.startswith("net:["):
            found.add(name)
    return found


def until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.live
def test_killed_in_the_middle_it_leaves_no_namespace_no_process_and_no_file(tmp_path):
    before, own = outside(), namespaces_of("self")
    process = subprocess.Popen([*SIMNET, "-o", str(tmp_path / "a.yaml")], stderr=subprocess.DEVNULL, cwd=ROOT)
    until(lambda: descendants(process.pid) and len(namespaces_of(process.pid)) > 20)
    children, made = descendants(process.pid), namespaces_of(process.pid) - own
    # the kernel takes a namespace down as soon as nobody holds it
    holders = {int(one.name) for one in Path("/proc").glob("[0-9]*") if namespaces_of(one.name) & made}
    assert process.pid in holders
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not alive({*children, *holders}))
    assert list(tmp_path.iterdir()) == []
    assert outside() == before


@pytest.mark.live
def test_where_namespaces_cannot_be_made_one_line_says_so():
    words = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *SIMNET, "--quick", "--predict"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1] == "simnet: cannot make namespaces: Operation not permitted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to do: give -o FILE.yaml for the price list, or --predict"),
        (["-o", "a.txt"], "-o a.txt: a price list is a .yaml file"),
        (["-o", "/nowhere/a.yaml"], "no folder '/nowhere'"),
        (["-o", "a.yaml", "--figure", "a.png"], "--figure shows the prediction test; add --predict"),
        (["--predict", "--figure", "a.pgn"], "did you mean 'png'?"),
        (["--predict", "--quick", "--rounds", "50"], "--quick means 24 rounds"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_measured(words, said):
    done = calibrate(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_iptables_one_line_says_what_to_install(tmp_path):
    if any(Path(folder, "iptables").exists() for folder in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin")):
        pytest.skip("live: iptables is there")
    done = calibrate("--quick", "-o", tmp_path / "a.yaml")
    assert done.returncode == 4
    assert "install it: apt-get install iptables" in done.stderr
