"""Processes that do jobs: each job once, whoever dies."""

import os
import time
from contextlib import closing

import pytest

from simnet.study.workers import Died, cpus, each
from tests.study.working import double, process, slow


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_job_is_done_once(count):
    assert sorted(each(range(7), double, count)) == [(number, number * 2) for number in range(7)]


def test_no_jobs_need_no_process():
    assert list(each([], double, 2)) == []


def test_a_process_that_dies_costs_its_job_alone():
    found = dict(each([1, -3, 2, 666, 3, -1, 4], double, 2))
    assert found == {1: 2, -3: Died(3), 2: 4, 666: Died(-9), 3: 6, -1: Died(1), 4: 8}


def test_processes_go_from_job_to_job():
    found = list(each(range(6), process, 2))
    assert len({pid for _, pid in found}) == 2
    assert os.getpid() not in {pid for _, pid in found}


def test_jobs_are_taken_as_they_are_needed():
    taken = []

    def jobs():
        for number in range(100):
            taken.append(number)
            yield number

    with closing(each(jobs(), double, 2)) as found:
        next(found)
    assert len(taken) <= 4


def test_all_end_at_once_where_nobody_listens():
    began = time.monotonic()
    with closing(each([0, 60, 60], slow, 2)) as found:
        assert next(found) == (0, 0)
    assert time.monotonic() - began < 20


def test_there_are_cpus():
    assert 1 <= cpus() <= (os.cpu_count() or 1)
