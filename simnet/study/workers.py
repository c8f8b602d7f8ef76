"""Processes that do one job after the other, each on its own: one that dies costs the job it was at, and is replaced.

A job goes to a process by a pipe and its result comes back by it, so it is always known which job a process died of;
a process whose parent is gone finds its pipe closed and ends.

Leaves out: a job that never ends is waited for.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar, cast

Job = TypeVar("Job")
Done = TypeVar("Done")
# where there is no such way to start a process, `spawn` is the one that every system has
_START = "forkserver"


@dataclass(frozen=True, slots=True)
class Died:
    """What became of a job whose process ended before it was done; `code` is its exit code, -N that signal N killed it.

    Example:
        >>> print(Died(-9)), print(Died(3))
        its process was killed by SIGKILL, as one is for which there is no memory
        its process ended with 3
        (None, None)
    """

    code: int

    def __str__(self) -> str:
        """For a message."""
        if self.code >= 0:
            return f"its process ended with {self.code}"
        try:
            name = signal.Signals(-self.code).name
        except ValueError:
            name = f"signal {-self.code}"
        return f"its process was killed by {name}" + (", as one is for which there is no memory" * (name == "SIGKILL"))


@dataclass(slots=True)
class _Worker(Generic[Job]):
    process: BaseProcess
    pipe: Connection
    job: Job


def cpus() -> int:
    """How many processes can run at once here.

    Example:
        >>> cpus() >= 1
        True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(
    jobs: Iterable[Job], work: Callable[[Job], Done], count: int, preload: Iterable[str] = ()
) -> Iterator[tuple[Job, Done | Died]]:
    """Do jobs in up to `count` processes; each job and what came of it, as they are done.

    `work` must be a function of a module; `preload` names modules that processes begin with. Where the caller stops
    listening (an exception, Ctrl-C), all processes are ended at once.
    """
    context = _context(preload)
    waiting, workers = iter(jobs), cast("list[_Worker[Job]]", [])
    try:
        for job in islice(waiting, count):
            workers.append(_started(context, work, job))
        while workers:
            ready = wait([one.pipe for one in workers])
            for one in [worker for worker in workers if worker.pipe in ready]:
                job, done = one.job, _received(one)
                for following in islice(waiting, 1):
                    if isinstance(done, Died) or not _sent(one, following):
                        workers.append(_started(context, work, following))
                        workers.remove(one)
                    break
                else:
                    workers.remove(one)
                    one.pipe.close()  # its sign to end
                yield job, done
    finally:
        for one in workers:
            one.process.kill()
            one.pipe.close()
            one.process.join()


def _context(preload: Iterable[str]) -> BaseContext:
    if _START not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context(_START)
    context.set_forkserver_preload(["__main__", *preload])
    return context


def _started(context: BaseContext, work: Callable[[Job], Any], job: Job) -> _Worker[Job]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()  # so that its death closes the pipe
    worker = _Worker(process, ours, job)
    _sent(worker, job)  # where it has died, there is nothing to receive from it, which tells
    return worker


def _sent(worker: _Worker[Job], job: Job) -> bool:
    """Give a worker its next job; False where it has died since the last."""
    try:
        worker.pipe.send(job)
    except (BrokenPipeError, ConnectionResetError):
        return False
    worker.job = job
    return True


def _received(worker: _Worker[Job]) -> Any:
    try:
        return worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.pipe.close()
        worker.process.join()
        return Died(worker.process.exitcode or 0)


def _serve(pipe: Connection, work: Callable[[Job], Any]) -> None:
    """What a process does: one job after the other, until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        done = work(job)
        try:
            pipe.send(done)
        except (BrokenPipeError, ConnectionResetError):
            return
