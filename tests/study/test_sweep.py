"""Sweeps: what is kept, what is run again and what is not, and that a point's runs are those made alone."""

from dataclasses import replace
from functools import partial

import pytest

from simnet.errors import ScenarioError, SourceError, UnknownName, UsageError
from simnet.study import workers
from simnet.study.point import Failed, Made, make, settled
from simnet.study.results import Results
from simnet.study.sampling import Axis, points
from simnet.study.sweep import Sweep, rows, run
from simnet.study.timing import experiment, plan_of

SimnetErrors = (UsageError, SourceError)
TWO = "tests/study/two.yaml"
CLIENTS = "traffic.web.connections.clients=1,2,3"
pool = partial(workers.each, count=2)


def swept(*varied, source=TWO, settings=(), costs="", sample="grid", count=0, **how):
    axes = [Axis.parse(text) for text in varied]
    given = dict(text.split("=", 1) for text in settings)
    return Sweep(str(source), given, axes, points(axes, sample, count), costs, {"exchanges": 20, **how})


def here(jobs, work):
    return ((job, work(job)) for job in jobs)


@pytest.fixture
def results(tmp_path):
    with Results(tmp_path / "r.sqlite") as found:
        yield found


def test_a_points_runs_are_those_that_one_would_make_alone(results):
    tasks = list(swept(CLIENTS, "h1.cpus=1,2", replications=2, seed=5).tasks())
    went = run(tasks, results, pool)
    assert (went.done, went.before, went.failed) == (6, 0, [])
    assert sorted(kept.outcome.seed for kept in results) == [5] * 6 + [6] * 6
    source = settled(TWO, {"traffic.web.connections.clients": "3", "h1.cpus": "2"})
    alone = list(experiment(source).run(plan_of(source, exchanges=20, replications=2, seed=5)))
    kept = results.of(tasks[-1].conditions, [5, 6])
    for one, other in zip(alone, kept, strict=True):
        assert one.stations == other.outcome.stations
        for name, flow in one.flows.items():
            found = other.outcome.flows[name]
            assert (flow.latency.buckets(), flow.seconds, flow.payload) == (
                found.latency.buckets(), found.seconds, found.payload)  # fmt: skip
    first, later = kept[0].bills["db"]
    assert first.total > 0 <= later.total


def test_what_is_there_is_not_run_again(results):
    tasks = list(swept(CLIENTS).tasks())
    asked = []

    def counted(jobs, work):
        for job in jobs:
            asked.append((str(job), job.seeds))
            yield job, work(job)

    assert run(tasks[:2], results, counted).done == 2
    assert run(tasks, results, counted).before == 2
    more = list(swept(CLIENTS, replications=2).tasks())
    assert run(more, results, counted).done == 3
    assert run(more, results, counted).before == 3
    names = [f"traffic.web.connections.clients={number}" for number in (1, 2, 3)]
    assert asked == [(name, (0,)) for name in names] + [(name, (1,)) for name in names]
    assert len(results) == 6


@pytest.mark.parametrize(
    "other",
    [{"settings": ["h1.mtu=1400"]}, {"exchanges": 21}, {"warmup": 1}, {"seed": 1}, {"costs": "no-cost.yaml"}],
)  # fmt: skip
def test_other_conditions_are_run(results, tmp_path, other):
    if "costs" in other:
        mine = tmp_path / other["costs"]
        mine.write_text("name: linux-6.18-vm\nextends: linux-6.18-vm\nprices: {}\n")
        other = {"costs": str(mine)}
    assert run(list(swept(CLIENTS).tasks()), results, here).done == 3
    assert run(list(swept(CLIENTS, **other).tasks()), results, here).done == 3
    assert run(list(swept(CLIENTS).tasks()), results, here).before == 3


def test_how_a_run_is_made_may_vary(results):
    tasks = list(swept("run.seed=1,2", "run.exchanges=5,6", exchanges=None).tasks())
    assert [(task.plan.exchanges, task.seeds) for task in tasks] == [(5, (1,)), (6, (1,)), (5, (2,)), (6, (2,))]
    lists = list(swept("run.costs=linux-6.18-vm,own.yaml", source=_source_with_costs(results.path.parent)).tasks())
    assert len({task.conditions.prices for task in lists}) == 2
    assert run(lists, results, here).done == 2


OWN = """
name: own
extends: linux-6.18-vm
scale: [{of: all, factor: 2, hardware: any, source: me}]
prices: {}
"""
WEB = """
hosts: {h1: {containers: {web: {publish: '80:80'}}}}
machines: {wan: {}}
traffic: {web: {from: wan, to: '192.0.2.2:80', requests: {}}}
"""


def _source_with_costs(folder):
    (folder / "own.yaml").write_text(OWN)
    (folder / "a.yaml").write_text(WEB)
    return folder / "a.yaml"


def test_a_point_that_cannot_be_costs_itself_alone(results):
    tasks = list(swept("h1.cpus=1,2", "traffic.web.to=192.0.2.2:9999,192.0.2.2:80").tasks())
    went = run(tasks, results, pool)
    assert (went.done, len(results)) == (2, 2)
    assert sorted(str(task) for task, _ in went.failed) == [
        f"h1.cpus={cpus}, traffic.web.to=192.0.2.2:9999" for cpus in (1, 2)
    ]
    why = went.failed[0][1]
    assert isinstance(why, Failed)
    assert "nobody listens on tcp port 9999" in str(why)
    again = run(tasks, results, here)
    assert (again.before, again.done, len(again.failed)) == (2, 0, 2)


def test_a_source_that_changes_meanwhile_makes_no_run(results, tmp_path):
    source = _source_with_costs(tmp_path)
    (task,) = swept("h1.cpus=2", source=source).tasks()
    assert isinstance(make(task), Made)
    text = source.read_text()
    source.write_text("# a word\n" + text)
    assert isinstance(make(task), Made)
    source.write_text(text.replace("requests", "connections"))
    assert str(make(task)) == f"{source} has changed since the sweep began"
    source.write_text(text)
    other = replace(task, conditions=replace(task.conditions, model="other"))
    assert "another state of simnet" in str(make(other))
    priced = replace(task, conditions=replace(task.conditions, prices="other"))
    assert "price list linux-6.18-vm has changed" in str(make(priced))


@pytest.mark.parametrize(
    ("varied", "given", "error", "said"),
    [
        (["h9.cpus=1,2"], {}, UsageError, "h9"),
        (["traffic.lost.connections.clients=1,2"], {}, SimnetErrors, "lost"),
        (["h1.cpus=1,none"], {}, SimnetErrors, "none"),
        (["traffic.web.connections.clients=-1..4"], {}, SimnetErrors, "-1"),
        (["h1.cpus=1,2"], {"settings": ["h1.cpus=4"]}, UsageError, "is set, so it cannot vary"),
        (["h1.cpus=1,2"], {"costs": "linux"}, UnknownName, "no price list 'linux'"),
        (["h1.cpus=1,2"], {"source": "nowhere.yaml"}, SourceError, "no such file"),
        (["h1.cpus=1,2"], {"source": "scenarios/snapshots/seed-modes-28.5"}, UsageError, "snapshot"),
        (["h1.cpus=1,2"], {"source": "scenarios/basics/modes.yaml"}, UsageError, "has no traffic"),
        (["h1.cpus=1,2"], {"replications": 0}, UsageError, "replications must be 1 or more"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_run(varied, given, error, said):
    with pytest.raises(error, match=said):
        swept(*varied, **given).check()


def test_a_scenario_that_is_wrong_is_said_with_its_place(tmp_path):
    (tmp_path / "a.yaml").write_text("hosts: {h1: {cpus: none}}\n")
    with pytest.raises(ScenarioError, match=r"a\.yaml:1"):
        swept("h1.mtu=1400,1500", source=tmp_path / "a.yaml").check()


def test_intervals_come_of_replications(results):
    tasks = list(swept("h1.cpus=1,2", replications=3).tasks())
    run(tasks, results, here)
    found = list(rows(tasks, results))
    assert [(row.point["h1.cpus"], row.traffic, row.runs) for row in found] == [
        ("1", "web", 3), ("1", "db", 3), ("2", "web", 3), ("2", "db", 3)]  # fmt: skip
    rates = [kept.outcome.flows["db"].rate for kept in results.of(tasks[0].conditions, range(3))]
    mean = sum(rates) / 3
    half = 4.302653 * (sum((rate - mean) ** 2 for rate in rates) / 2 / 3) ** 0.5
    rate = found[1].measures["rate"]
    assert (rate.value, rate.half) == pytest.approx((mean, half))


def test_progress_counts_points(results):
    told = []
    tasks = list(swept(CLIENTS).tasks())
    run(tasks[:1], results, here)
    run(tasks, results, here, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
