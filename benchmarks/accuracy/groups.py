"""Groups: servers as groups of 38 metrics: incidents found, false alarms a week, and whether those blamed are to blame.

One pass over each server by the code of `tocsin detect --group`, nothing learnt before. An incident is found when the
group is flagged on one of its first k + 1 rows; a false alarm is a run of flagged rows that begins outside of
incidents and does not reach into one. Of the metrics named first, three at most, the share that is to blame by the
labels is told.

Refuses to tune: the detector, its defaults and the budget are what a user has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.kinds import FAST_LIMIT, MINUTE_MS, spans
from detectors.base import BoolArray, IntArray
from streams.analyse.answer import WEEK_MS, Detected
from streams.analyse.ask import ask
from streams.analyse.detect import detect
from streams.analyse.together import Together

SERVERS = ("server1", "server2", "server3")
NAMED = 3


@dataclass(frozen=True)
class GroupFigure:
    """What one detector reached on all servers.

    Attributes:
        incidents, found: labelled, and flagged in time.
        false: alarms outside of incidents, in `weeks` without any.
        named, right: metrics named first at the alarms that found an incident, and how many of them are to blame.

    """

    detector: str
    incidents: int
    found: int
    false: int
    weeks: float
    named: int
    right: int

    @property
    def false_per_week(self) -> float:
        """False alarms a week of one server."""
        return self.false / self.weeks

    @property
    def right_share(self) -> float:
        """Share of the metrics named that is to blame."""
        return self.right / self.named if self.named else 0.0


def measure(
    path: Path,
    detector: str,
    parameters: Mapping[str, object] | None = None,
    false_alarms: str = "1 per week",
) -> GroupFigure:
    """Judge the servers of `servers.npz` with a detector over their members."""
    total = np.zeros(5, np.int64)
    weeks = 0.0
    with np.load(path) as data:
        for server in SERVERS:
            values, label = data[f"{server}|test"].astype(np.float64), data[f"{server}|label"]
            times = np.arange(len(values), dtype=np.int64) * MINUTE_MS
            block = ask(detector, false_alarms=false_alarms, parameters=dict(parameters or {}))
            columns = {f"m{metric}": values[:, metric] for metric in range(values.shape[1])}
            found = detect(times, columns, watch=Together(block, interval_ms=MINUTE_MS))
            total += _judged(found, label, data[f"{server}|cause"])
            weeks += float(np.count_nonzero(label == 0)) * MINUTE_MS / WEEK_MS
    incidents, hits, false, named, right = total.tolist()
    return GroupFigure(detector, incidents, hits, false, weeks, named, right)


def _judged(found: Detected, label: IntArray, cause: IntArray) -> IntArray:
    flag: BoolArray = found.judged.flag
    incidents = spans(label)
    hits = named = right = 0
    for first, last in incidents:
        at = np.flatnonzero(flag[first : min(last, first + FAST_LIMIT) + 1])
        if not at.size:
            continue
        hits += 1
        blamed = [name.split("{")[0] for name in found.blame[first + int(at[0])].split(", ")][
            :NAMED
        ]
        truth = cause[first : last + 1].max(axis=0)
        named += len(blamed)
        right += sum(int(truth[int(name.removeprefix("m"))]) for name in blamed)
    false = sum(not label[first : last + 1].any() for first, last in spans(flag.astype(np.int64)))
    return np.array([len(incidents), hits, false, named, right])
