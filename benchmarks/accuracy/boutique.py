"""Boutique: a day of 24 faults in a shop of 10 pods, 16 metrics a pod by the minute; no symptom is given.

Origin: github.com/IntelligentDDS/Nezha, commit d8140101, MIT, as one `boutique.npz`: `<phase>/<day>/<pod>|time`,
`|values`, `|columns`, `<phase>/<day>/dependency` and `faults`. Columns that begin with `Node` belong to the machine
and are left out. The history is the fault-free part of the day, placed an hour before its start; rows of earlier
faults, which follow each other closely, are left out. All pods' rows are aligned; one pod's clock is damaged.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile

from benchmarks.accuracy.trial import Trial
from detectors.base import BoolArray, FloatArray, IntArray
from streams.correlate.topology import Topology
from streams.rank import Column, Table
from streams.rank.deviation import deviate

NAME = "boutique.npz"
DAY = "rca_data/2022-08-22"
FAULT_MS = 300_000
EARLY_MS = 30_000
HOUR_MS = 3_600_000
SETTLED_MS = 1_200_000
KNOWN_ROWS = 3
LOUD = float(np.log(2.0))
"""Our own alarm: some metric is twice as far out as it was once in 200 samples."""
ALARM_ROWS = 6
IN_CODE = ("return", "exception")


def trials(path: Path) -> Iterator[Trial]:
    """Every fault of the set."""
    with np.load(path) as data:
        day, columns, times = _day(data)
        graph = _graph(str(data[f"{DAY}/dependency"]))
        faults = json.loads(str(data["faults"]))
    begun = np.array([1000 * fault["time"] for fault in faults])
    for fault, at in zip(faults, begun.tolist(), strict=True):
        table, first = _table(day, columns, times, begun, at)
        last = min(first + KNOWN_ROWS, len(table.times) - 1)
        yield Trial(
            name=f"{fault['pod']}/{fault['type']}",
            table=table,
            graph=graph,
            cause=_service(fault["pod"]),
            symptom=None,
            alarm=_alarm(table, first),
            begun=int(table.times[first]),
            known=int(table.times[last]),
            kind="code" if fault["type"] in IN_CODE else "resources and network",
        )


def _service(pod: str) -> str:
    return pod.partition("-")[0]


def _day(data: NpzFile) -> tuple[FloatArray, tuple[Column, ...], IntArray]:
    pods = [key.partition("|")[0] for key in data.files if key.endswith("|values")]
    columns, series = [], []
    for pod in sorted(p for p in pods if p.startswith(DAY) and "-" in p.rpartition("/")[2]):
        for number, metric in enumerate(data[f"{pod}|columns"]):
            if not str(metric).startswith("Node"):
                columns.append(Column(_service(pod.rpartition("/")[2]), str(metric)))
                series.append(data[f"{pod}|values"][:, number].astype(float))
    times = (data[f"{DAY}/front_service|time"] * 1000).astype(np.int64)
    return np.array(series).T, tuple(columns), times


def _table(
    day: FloatArray, columns: tuple[Column, ...], times: IntArray, begun: IntArray, at: int
) -> tuple[Table, int]:
    """History and day up to some rows after a fault, and the number of its first row."""
    calm = times > begun.max() + SETTLED_MS
    since: IntArray = times[:, None] - begun[None, :]
    earlier: BoolArray = ((since >= -EARLY_MS) & (since < FAULT_MS) & (begun < at)[None, :]).any(
        axis=1
    )
    kept = np.flatnonzero((~earlier | (times >= at)) & (times <= at + FAULT_MS + EARLY_MS))
    moved = times[calm] - times[calm][-1] + times[0] - HOUR_MS
    table = Table(
        np.concatenate([moved, times[kept]]), np.concatenate([day[calm], day[kept]]), columns
    )
    return table, int(np.searchsorted(table.times, at))


def _alarm(table: Table, first: int) -> int | None:
    for time in table.times[first : first + ALARM_ROWS].tolist():
        found = deviate(table.until(time), time)
        now = np.fmax(found.up[-1], found.down[-1])
        if (found.over_habit(np.nan_to_num(now)) >= LOUD).any():
            return int(time)
    return None


def _graph(text: str) -> Topology:
    calls: dict[str, list[str]] = {}
    for caller, callee, *_ in list(csv.reader(io.StringIO(text)))[1:]:
        # machines are nodes of the set's graph too, by their address
        if not callee[:1].isdigit():
            calls.setdefault(caller, []).append(callee)
    return Topology(calls)
