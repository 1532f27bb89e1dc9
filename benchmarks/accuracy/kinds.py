"""Kinds: the public sets that detection is judged on, read as series with their labelled events.

Origins: NAB, github.com/numenta/NAB, commit ea702d75 (MIT): 58 files, 116 windows. Cloud 60,
github.com/microsoft/cloud-monitoring-dataset, commit 6a07a53c (MIT): 60 series as `cloud60.npz` with keys
`<series>|time`, `|value`, `|label`. Servers, machines 1-6, 2-2 and 3-3 of the Server Machine Dataset from
github.com/zhhlee/InterFusion, commit 8c85d511 (MIT): 38 metrics each as `servers.npz` with keys `<server>|test`,
`|label` and `|cause`; each metric is a series, its events are those that it is to blame for.

Refuses to tell a detector anything of a series before its rows.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from detectors.base import FloatArray, IntArray

MINUTE_MS = 60_000
# An alert is in time on the first k + 1 rows of an event: k for series by the minute, and for slower ones.
FAST_LIMIT, SLOW_LIMIT = 7, 3
Events = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Series:
    """One series.

    Attributes:
        name: of the set's own.
        times: int64[n], ms.
        values: float64[n], NaN where missing.
        events: first and last row of each labelled event.
        limit: rows after the first of an event within which an alert is in time.
        whole: events of the machine that it is a metric of, where it is one.

    """

    name: str
    times: IntArray
    values: FloatArray
    events: Events
    limit: int
    whole: Events = ()


@dataclass(frozen=True)
class Kind:
    """A set: where it is looked for, where it comes from, how it is read."""

    name: str
    path: str
    origin: str
    read: Callable[[Path], Iterator[Series]]


def _nab(folder: Path) -> Iterator[Series]:
    labels: Mapping[str, list[list[str]]] = json.loads(
        (folder / "labels" / "combined_windows.json").read_text()
    )
    for name in sorted(labels):
        with (folder / "data" / name).open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        times = np.array([_ms(row["timestamp"]) for row in rows])
        # Where clocks were set back a time comes twice, and the first is meant.
        places = {time: place for place, time in reversed(list(enumerate(times.tolist())))}
        events = sorted((places[_ms(first)], places[_ms(last)]) for first, last in labels[name])
        yield Series(
            name,
            times,
            np.array([float(row["value"]) for row in rows]),
            tuple(events),
            _limit(times),
        )


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp() * 1000)


def _cloud(path: Path) -> Iterator[Series]:
    with np.load(path) as data:
        for key in data.files:
            name, _, what = key.rpartition("|")
            if what == "time":
                times = data[key].astype(np.int64) * 1000
                events = spans(data[f"{name}|label"])
                values = data[f"{name}|value"].astype(np.float64)
                yield Series(name, times, values, events, _limit(times))


def _servers(path: Path) -> Iterator[Series]:
    with np.load(path) as data:
        for name in ("server1", "server2", "server3"):
            values = data[f"{name}|test"].astype(np.float64)
            cause, whole = data[f"{name}|cause"], spans(data[f"{name}|label"])
            times = np.arange(len(values), dtype=np.int64) * MINUTE_MS
            for metric in range(values.shape[1]):
                column = values[:, metric]
                events = spans(cause[:, metric])
                yield Series(f"{name}/{metric}", times, column, events, FAST_LIMIT, whole)


def spans(labels: IntArray) -> Events:
    """First and last row of each run of labelled rows."""
    padded = np.zeros(len(labels) + 2, np.int8)
    padded[1:-1] = labels != 0
    turns = np.flatnonzero(np.diff(padded)).reshape(-1, 2)
    return tuple((first, after - 1) for first, after in turns.tolist())


def _limit(times: IntArray) -> int:
    return FAST_LIMIT if np.median(np.diff(times)) <= MINUTE_MS else SLOW_LIMIT


KINDS = (
    Kind("nab", "nab", "github.com/numenta/NAB (MIT)", _nab),
    Kind(
        "cloud60",
        "cloud60/cloud60.npz",
        "github.com/microsoft/cloud-monitoring-dataset (MIT)",
        _cloud,
    ),
    Kind("servers", "servers/servers.npz", "github.com/zhhlee/InterFusion (MIT)", _servers),
)


def find(data: Path, kind: Kind) -> Path | None:
    """Where a set lies in the folder, if it does."""
    return next((p for p in (data / kind.path, data / Path(kind.path).name) if p.exists()), None)


@cache
def read(data: Path) -> Mapping[str, Sequence[Series]]:
    """The sets that are there, read once in a process."""
    found = {kind.name: (kind, find(data, kind)) for kind in KINDS}
    return {name: list(kind.read(path)) for name, (kind, path) in found.items() if path is not None}
