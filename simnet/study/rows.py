"""A run as rows of tables, and back: nothing is rounded, and histograms are kept by bucket, to be merged."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from simnet.net.conversation import Totals
from simnet.sim.experiment import Bill, Flow, Load, Outcome
from simnet.sim.histogram import Histogram
from simnet.sim.queueing import arrivals
from simnet.sim.traffic import Traffic

from .conditions import Conditions

if TYPE_CHECKING:
    from .results import Kept

_OF_RUN = "run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE"
TABLES = (
    """CREATE TABLE run (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, scenario TEXT, text TEXT, settings TEXT,
       exchanges INTEGER, duration INTEGER, warmup INTEGER, engine TEXT, costs TEXT, prices TEXT, version TEXT,
       model TEXT, seed INTEGER, ended INTEGER, took REAL, ran TEXT, added TEXT)""",
    "CREATE INDEX run_of ON run (text, prices)",
    f"""CREATE TABLE flow ({_OF_RUN}, name TEXT, traffic TEXT, seconds REAL, payload INTEGER, begun INTEGER,
       failed INTEGER, completed INTEGER, PRIMARY KEY (run, name))""",
    f"""CREATE TABLE latency ({_OF_RUN}, flow TEXT, part TEXT, count INTEGER, sum INTEGER, least INTEGER,
       greatest INTEGER, buckets BLOB, PRIMARY KEY (run, flow, part))""",
    f"""CREATE TABLE load ({_OF_RUN}, station TEXT, jobs INTEGER, busy REAL, wait REAL, dropped INTEGER, lost INTEGER,
       longest INTEGER, lengths TEXT, span INTEGER, PRIMARY KEY (run, station))""",
    f"""CREATE TABLE bill ({_OF_RUN}, flow TEXT, part TEXT, kind TEXT, name TEXT, value INTEGER,
       PRIMARY KEY (run, flow, part, kind, name))""",
)
PARTS = ("first", "later")
PERCENTS = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
_ARRIVALS = {kind.__name__: kind for kind in (arrivals.Constant, arrivals.Poisson, arrivals.OnOff)}
Bills = Mapping[str, tuple[Bill, Bill]]


def put(file: sqlite3.Connection, conditions: Conditions, outcome: Outcome, bills: Bills, when: str) -> None:
    """Add one run, within a transaction; nothing where its key is there."""
    said = asdict(conditions) | {"settings": json.dumps(dict(conditions.settings))}
    said |= {"key": conditions.key(outcome.seed), "seed": outcome.seed, "ended": int(outcome.ended)}
    said |= {"took": outcome.took, "ran": outcome.engine, "added": when}
    columns, values = ", ".join(said), ", ".join(f":{name}" for name in said)
    done = file.execute(f"INSERT OR IGNORE INTO run ({columns}) VALUES ({values})", said)
    if not done.rowcount:
        return
    run = done.lastrowid
    for name, flow in outcome.flows.items():
        row = (run, name, _traffic(flow.traffic), flow.seconds, flow.payload, flow.begun, flow.failed, flow.completed)
        file.execute("INSERT INTO flow VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for part in PARTS:
            times = getattr(flow, part)
            held = (run, name, part, times.count, times.sum, int(times.least), times.greatest, _packed(times))
            file.execute("INSERT INTO latency VALUES (?, ?, ?, ?, ?, ?, ?, ?)", held)
    for load in outcome.stations:
        counts = asdict(load) | {"lengths": json.dumps(load.lengths)}
        file.execute("INSERT INTO load VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (run, *counts.values()))
    for name, pair in bills.items():
        for part, bill in zip(PARTS, pair, strict=True):
            for kind, amounts in (("ns", bill.headings), ("count", asdict(bill.totals))):
                lines = ((run, name, part, kind, what, value) for what, value in amounts.items())
                file.executemany("INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?)", lines)


def get(file: sqlite3.Connection, run: int) -> tuple[Conditions, Outcome, Bills, str]:
    """One run by its number: its conditions, its outcome, its bills, and when it was added."""
    names = [one.name for one in fields(Conditions)]
    more = ("seed", "ended", "took", "ran", "added")
    row = file.execute(f"SELECT {', '.join([*names, *more])} FROM run WHERE id = ?", (run,)).fetchone()
    said = dict(zip(names, row, strict=False))
    said["settings"] = json.loads(said["settings"])
    seed, ended, took, ran, added = row[len(names) :]
    times = {(flow, part): Histogram.load(_unpacked(buckets), total, least, greatest)
             for flow, part, total, least, greatest, buckets in _of(file, "latency", run,
             "flow, part, sum, least, greatest, buckets")}  # fmt: skip
    flows = {}
    for name, traffic, *counts in _of(file, "flow", run, "name, traffic, seconds, payload, begun, failed, completed"):
        flows[name] = Flow(_read(traffic), times[name, "first"], times[name, "later"], *counts)
    names = [one.name for one in fields(Load)]
    columns = ", ".join(["station", *names[1:]])
    loads = []
    for row in _of(file, "load", run, columns):
        held = dict(zip(names, row, strict=True))
        loads.append(Load(**held | {"lengths": tuple(json.loads(held["lengths"]))}))
    return Conditions(**said), Outcome(seed, flows, loads, ended, took, ran), _bills(file, run), added


def _of(file: sqlite3.Connection, table: str, run: int, columns: str) -> list[Any]:
    return file.execute(f"SELECT {columns} FROM {table} WHERE run = ? ORDER BY rowid", (run,)).fetchall()


def flat(kept: Kept) -> Iterator[dict[str, Any]]:
    """A row for each traffic of a run: what a data frame holds."""
    conditions = asdict(kept.conditions)
    settings = conditions.pop("settings")
    busiest = max(kept.outcome.stations, key=lambda one: one.busy, default=None)
    for name, flow in kept.outcome.flows.items():
        both = flow.latency
        row = conditions | settings | {"seed": kept.outcome.seed, "added": kept.when, "traffic": name}
        row |= {"count": both.count, "begun": flow.begun, "failed": flow.failed, "seconds": flow.seconds,
                "rate": flow.rate, "throughput": flow.throughput, "mean": both.mean,
                "first": flow.first.mean, "later": flow.later.mean}  # fmt: skip
        row |= dict(zip(PERCENTS, both.percentiles(PERCENTS.values()), strict=True))
        row |= {"busiest": busiest.name, "busy": busiest.busy} if busiest is not None else {}
        row |= {"dropped": sum(one.dropped for one in kept.outcome.stations)}
        for part, bill in zip(PARTS, kept.bills.get(name, ()), strict=False):
            row |= {f"bill.{part}.{heading}": amount for heading, amount in bill.headings.items()}
        yield row


def _bills(file: sqlite3.Connection, run: int) -> Bills:
    held: dict[str, dict[tuple[str, str], dict[str, int]]] = {}
    for flow, part, kind, name, value in _of(file, "bill", run, "flow, part, kind, name, value"):
        held.setdefault(flow, {}).setdefault((part, kind), {})[name] = value
    return {flow: (_bill(parts, "first"), _bill(parts, "later")) for flow, parts in held.items()}


def _bill(parts: Mapping[tuple[str, str], dict[str, int]], part: str) -> Bill:
    return Bill(parts.get((part, "ns"), {}), Totals(**parts[part, "count"]))


def _traffic(one: Traffic) -> str:
    """A traffic as JSON; times of arrival that a file gave are not repeated."""
    said = {name.name: getattr(one, name.name) for name in fields(one)}
    given = one.arrivals if isinstance(one.arrivals, tuple) else () if one.arrivals is None else (one.arrivals,)
    said["arrivals"] = [
        {"kind": type(each).__name__, **_said(each)} for each in given if type(each).__name__ in _ARRIVALS
    ]
    return json.dumps(said)


def _said(arrivals: Any) -> dict[str, Any]:
    return {name.name: getattr(arrivals, name.name) for name in fields(arrivals)}


def _read(text: str) -> Traffic:
    said = json.loads(text)
    found = tuple(_ARRIVALS[one.pop("kind")](**one) for one in said["arrivals"])
    said["arrivals"] = found[0] if len(found) == 1 else found or None
    return Traffic(**said)


def _packed(times: Histogram) -> bytes:
    """Buckets as pairs of little-endian 64-bit numbers (bucket, count), deflated."""
    return zlib.compress(np.array(list(times.buckets().items()), "<i8").tobytes())


def _unpacked(held: bytes) -> dict[int, int]:
    return dict(np.frombuffer(zlib.decompress(held), "<i8").reshape(-1, 2).tolist())
