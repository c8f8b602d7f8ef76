"""Jobs on a Dask cluster, with the promises of `workers`: each once, and one that cannot be done costs only itself.

Its workers need this version of simnet, and the source under the same path (a shared folder).

Leaves out: shipping files. A job whose worker dies is tried on others, as often as the scheduler's setting
`distributed.scheduler.allowed-failures` says (three times), before it is given up.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from simnet.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

Job = TypeVar("Job")
Done = TypeVar("Done")
# jobs that are at the cluster for each of its threads, so that none waits for the next
_AHEAD = 2
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Lost:
    """What became of a job that the cluster gave up."""

    why: str

    def __str__(self) -> str:
        """The reason."""
        return self.why


@contextmanager
def connected(address: str) -> Iterator[Callable[..., Iterator[tuple[Any, Any]]]]:
    """The pool of a cluster at an address (`tcp://scheduler:8786`), as `sweep.run` takes it.

    UsageError where `distributed` is not installed, or nothing answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--cluster needs Dask: pip install 'simnet-docker[cluster]'") from None
    for name in ("distributed", "distributed.client", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is told as an error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"--cluster {address}: {said}; give the scheduler's address, such as tcp://host:8786"
        ) from None
    try:
        yield lambda jobs, work: each(jobs, work, client)
    finally:
        client.close(timeout=_PATIENCE)


def each(jobs: Iterable[Job], work: Callable[[Job], Done], client: Client) -> Iterator[tuple[Job, Done | Lost]]:
    """Do jobs on a cluster; each job and what came of it, as they are done, those that were lost at first last."""
    from distributed import as_completed

    waiting, asked = iter(jobs), dict[Any, Job]()
    suspects: list[Job] = []  # what was lost may only have been beside what killed its worker: it is tried again alone

    def submit() -> Any:
        for job in islice(waiting, 1):
            future = client.submit(work, job, pure=False)
            asked[future] = job
            return future
        return None

    threads = sum(client.nthreads().values())
    first = [future for _ in range(_AHEAD * max(threads, 1)) if (future := submit()) is not None]
    done = as_completed(first, loop=client.loop)
    try:
        for future in done:
            following = submit()
            if following is not None:
                done.add(following)
            job, result = asked.pop(future), _result(future)
            if isinstance(result, Lost):
                suspects.append(job)
            else:
                yield job, result
        for job in suspects:
            yield job, _result(client.submit(work, job, pure=False))
    finally:
        client.cancel(list(asked), force=True)


def _result(future: Any) -> Any:
    try:
        return future.result()
    except (Exception, CancelledError) as error:  # whatever a cluster comes up with
        said = str(error).splitlines()[0].split(". ")[0] if str(error) else type(error).__name__
        return Lost(f"the cluster gave it up: {said}")
