"""A Dask cluster that runs here: each job once, whoever dies; skipped, loudly, where `distributed` is not installed."""

import sys

import pytest

from simnet.cli.main import main
from simnet.errors import UsageError
from simnet.study.cluster import Lost, connected
from simnet.study.results import Results
from simnet.study.sampling import Axis, points
from simnet.study.sweep import Sweep, rows, run
from tests.study.working import double

distributed = pytest.importorskip("distributed", reason="NOT TESTED: --cluster; the extra `cluster` is not installed")
TWO = "tests/study/two.yaml"
# what Dask's own sockets and loops leave to the collector is not simnet's
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as found:
        yield found


def test_each_job_is_done_once_and_one_whose_worker_dies_costs_itself_alone(cluster):
    with connected(cluster.scheduler_address) as pool:
        assert sorted(pool(range(9), double)) == [(number, number * 2) for number in range(9)]
        found = dict(pool([1, 2, -3, 4, 5], double))
    lost = found.pop(-3)
    assert found == {1: 2, 2: 4, 4: 8, 5: 10}
    assert isinstance(lost, Lost)
    assert "all those workers died while running it" in str(lost)


def test_a_sweep_on_a_cluster_is_the_sweep_that_processes_make(cluster, tmp_path):
    axes = [Axis.parse("traffic.web.connections.clients=1,2")]
    sweep = Sweep(TWO, {}, axes, points(axes), how={"exchanges": 20, "replications": 2})
    tasks = list(sweep.tasks())

    def here(jobs, work):
        return ((job, work(job)) for job in jobs)

    with connected(cluster.scheduler_address) as pool, Results(tmp_path / "a") as one, Results(tmp_path / "b") as other:
        assert run(tasks, one, pool).done == 2
        assert run(tasks, one, pool).before == 2
        assert run(tasks, other, here).done == 2
        assert list(rows(tasks, one)) == list(rows(tasks, other))
        assert len(one) == 4


def test_the_verb_runs_on_a_cluster(cluster, capsys):
    words = ["--vary", "h1.cpus=1,2", "--exchanges", "5", "--format", "csv", "--traffic", "web"]
    main(["sweep", TWO, *words, "--cluster", cluster.scheduler_address])
    there = capsys.readouterr().out
    main(["sweep", TWO, *words, "--workers", "1"])
    assert capsys.readouterr().out == there
    assert len(there.splitlines()) == 3


def test_where_no_cluster_is_it_is_said(monkeypatch):
    monkeypatch.setattr("simnet.study.cluster._PATIENCE", 1)
    for address, said in (("tcp://127.0.0.1:1", "127.0.0.1:1"), ("nonsense://x", "nonsense")):
        with pytest.raises(UsageError, match=said) as told, connected(address):
            pass
        assert "\n" not in str(told.value)


def test_without_distributed_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"simnet-docker\[cluster\]"), connected("tcp://127.0.0.1:1"):
        pass
