"""PetShop: 68 performance issues injected into an application of 41 components, by five minutes.

Origin: github.com/amazon-science/petshop-root-cause-analysis, commit 1c5992dc, CC-BY-4.0 (Hardt et al., 2023), as one
`petshop.npz`: `<traffic>/<train|test>/issue_<n>|values`, `|columns`, `|index`, `|target`, `<traffic>/noissue|...` and
`<traffic>|graph`. The history is the fault-free phase of the same traffic, placed one day before the issue. A row is
labelled by its start and the fault begins inside the second row of an issue.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile

from benchmarks.accuracy.trial import Trial
from streams.correlate.topology import Topology
from streams.rank import Column, Table
from streams.rank.deviation import ABNORMAL, deviate
from streams.rank.table import columns_of

DAY_MS = 86_400_000
NAME = "petshop.npz"


def trials(path: Path) -> Iterator[Trial]:
    """Every issue of the set."""
    with np.load(path) as data:
        calm = {traffic: _phase(data, f"{traffic}_traffic/noissue") for traffic in ("low", "high")}
        for key in data.files:
            name, _, what = key.partition("|")
            if what == "target":
                yield _trial(data, name, calm["high" if name.startswith("high") else "low"])


def _trial(data: NpzFile, name: str, calm: Table) -> Trial:
    issue = _phase(data, name)
    told = json.loads(str(data[f"{name}|target"]))
    target = told["target"]
    symptom = Column(target["node"], f"{target['metric']}|{target['agg']}")
    table = _spliced(calm, issue)
    traffic = name.partition("/")[0]
    return Trial(
        name=name,
        table=table,
        graph=_graph(str(data[f"{traffic}|graph"])),
        cause=told["root_cause"]["node"],
        symptom=symptom,
        alarm=_alarm(table, symptom, [int(time) for time in issue.times[1:]]),
        begun=int(issue.times[1]),
        known=int(issue.times[2]),
        kind=traffic,
    )


def _phase(data: NpzFile, name: str) -> Table:
    times = (data[f"{name}|index"].astype(float) * 1000).astype(np.int64)
    order = np.argsort(times)
    values = data[f"{name}|values"].astype(float)[order]
    return Table(times[order], values, columns_of([str(c) for c in data[f"{name}|columns"]]))


def _spliced(calm: Table, issue: Table) -> Table:
    """The issue with the fault-free phase a day before it."""
    columns = tuple(sorted({*calm.columns, *issue.columns}))
    values = np.full((len(calm.times) + len(issue.times), len(columns)), np.nan)
    for table, rows in (
        (calm, slice(None, len(calm.times))),
        (issue, slice(len(calm.times), None)),
    ):
        values[rows, [columns.index(column) for column in table.columns]] = table.values
    moved = calm.times - calm.times[-1] + issue.times[0] - DAY_MS
    return Table(np.concatenate([moved, issue.times]), values, columns)


def _alarm(table: Table, symptom: Column, times: list[int]) -> int | None:
    """The first of these times at which the symptom's value is abnormal, judged by nothing later."""
    if symptom not in table.columns:
        return None
    number = table.columns.index(symptom)
    for time in times:
        seen = table.until(time)
        alone = Table(seen.times, seen.values[:, [number]], (symptom,))
        found = deviate(alone, time)
        if np.fmax(found.up[-1, 0], found.down[-1, 0]) >= ABNORMAL:
            return time
    return None


def _graph(text: str) -> Topology:
    head, *rows = list(csv.reader(io.StringIO(text)))
    return Topology(
        {
            row[0]: [
                callee for callee, calls in zip(head[1:], row[1:], strict=True) if float(calls)
            ]
            for row in rows
        }
    )
