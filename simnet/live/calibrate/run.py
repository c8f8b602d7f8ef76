"""One calibration from begin to end: the paths laid and measured, prices fitted, and Docker's modes predicted."""

from __future__ import annotations

from collections.abc import Mapping

from simnet.errors import HostError
from simnet.study.prediction import Compared

from . import prediction
from .calibration import Calibration, calibrate
from .measure import Bench, Progress
from .paths import bare


def run(
    rounds: int, restore: Mapping[str, str], *, predict: bool = False,
    progress: Progress = lambda _done, _of: None,
) -> tuple[Calibration, list[Compared]]:  # fmt: skip
    """Measure for some rounds; the prices, and what was predicted with them where that is asked for.

    `restore` is the iptables-restore of each back end. What is predicted is
    measured in the same rounds, so that a busy machine is as busy for both. HostError without root or a kernel that
    does it.
    """
    fitted = list(bare())
    with Bench([*fitted, *(prediction.paths(restore) if predict else ())], restore) as bench:
        if not any(path.bed.rules for path in bench.blocks):
            why = next(iter(bench.refused.values()))
            raise HostError(
                f"no rules can be loaded here ({why})", "is netfilter in this kernel, and its modules loaded?"
            )
        figures = bench.measure(rounds, progress)
        refused = bench.refused
    found = calibrate({path: figures[path] for path in fitted if path in figures}, refused)
    return found, prediction.predict(found, figures) if predict else []
