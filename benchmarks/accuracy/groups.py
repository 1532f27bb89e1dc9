"""Groups: servers as groups of 38 metrics: incidents found, false alarms a week, and whether those blamed are to blame.

One pass over each server by the code of `tocsin detect --group`, nothing learnt before. An incident is found when the
group is flagged on one of its first k + 1 rows; a false alarm is a run of flagged rows that begins outside of
incidents and does not reach into one. Of the metrics named first, three at most, the share that is to blame by the
labels is told. Beside it stands what one has without joining: any member that alarms, for its share of the budget, and
three members that alarm within ten minutes.

Refuses to tune: the detector, its defaults and the budget are what a user has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.kinds import FAST_LIMIT, MINUTE_MS, read, spans
from benchmarks.accuracy.online import listen
from detectors.base import BoolArray, FloatArray, IntArray
from streams.analyse.answer import WEEK_MS
from streams.analyse.ask import ask
from streams.analyse.detect import detect
from streams.analyse.together import Together

SERVERS = ("server1", "server2", "server3")
NAMED = 3
NEAR_ROWS, SEVERAL = 10, 3
Blame = Callable[[int], Sequence[int]]


@dataclass(frozen=True)
class GroupFigure:
    """What was reached on some servers.

    Attributes:
        incidents, found: labelled, and flagged in time.
        false: alarms outside of incidents, in `weeks` without any.
        named, right: metrics named first at the alarms that found an incident, and how many of them are to blame.

    """

    incidents: int
    found: int
    false: int
    weeks: float
    named: int
    right: int

    def __add__(self, other: "GroupFigure") -> "GroupFigure":
        return GroupFigure(
            self.incidents + other.incidents,
            self.found + other.found,
            self.false + other.false,
            self.weeks + other.weeks,
            self.named + other.named,
            self.right + other.right,
        )

    @property
    def false_per_week(self) -> float:
        """False alarms a week of one server."""
        return self.false / self.weeks

    @property
    def right_share(self) -> float:
        """Share of the metrics named that is to blame."""
        return self.right / self.named if self.named else 0.0


def measured(
    path: Path, detector: str, server: str, false_alarms: str = "1 per week"
) -> GroupFigure:
    """Judge a server of `servers.npz` with a detector over its members."""
    with np.load(path) as data:
        values = data[f"{server}|test"].astype(np.float64)
        label, cause = data[f"{server}|label"], data[f"{server}|cause"]
    times = np.arange(len(values), dtype=np.int64) * MINUTE_MS
    block = ask(detector, false_alarms=false_alarms)
    columns = {f"m{metric}": values[:, metric] for metric in range(values.shape[1])}
    found = detect(times, columns, watch=Together(block, interval_ms=MINUTE_MS))

    def blamed(row: int) -> list[int]:
        return [int(name.split("{")[0].removeprefix("m")) for name in found.blame[row].split(", ")]

    return judged(found.judged.flag, label, cause, blamed)


def apart(data: Path, path: Path, asked: float, least: int) -> GroupFigure:
    """Judge all servers by `least` members or more that alarm within ten minutes, each `asked` times a week."""
    corpus = read(data)["servers"]
    said = listen("auto", corpus, {}).claims
    figures = []
    with np.load(path) as sets:
        for server in SERVERS:
            claims = np.array([said[s.name] for s in corpus if s.name.startswith(f"{server}/")]).T
            near = recent(claims, NEAR_ROWS)
            flags = (near >= -np.log10(asked)).sum(axis=1) >= least

            def blamed(row: int, near: FloatArray = near) -> list[int]:
                order = np.argsort(-near[row], kind="stable")
                return order[near[row][order] >= -np.log10(asked)].tolist()

            figures.append(judged(flags, sets[f"{server}|label"], sets[f"{server}|cause"], blamed))
    return sum(figures[1:], figures[0])


def recent(claims: FloatArray, rows: int) -> FloatArray:
    """The largest of each column [rows, members] in as many last rows."""
    out = claims.copy()
    for back in range(1, min(rows, len(claims))):
        np.maximum(out[back:], claims[:-back], out=out[back:])
    return out


def judged(flag: BoolArray, label: IntArray, cause: IntArray, blamed: Blame) -> GroupFigure:
    """The figure of flags [rows], against the labels [rows] and causes [rows, members]."""
    incidents = spans(label)
    hits = named = right = 0
    for first, last in incidents:
        at = np.flatnonzero(flag[first : min(last, first + FAST_LIMIT) + 1])
        if not at.size:
            continue
        hits += 1
        first_named = blamed(first + int(at[0]))[:NAMED]
        truth = cause[first : last + 1].max(axis=0)
        named += len(first_named)
        right += sum(int(truth[metric]) for metric in first_named)
    false = sum(not label[first : last + 1].any() for first, last in spans(flag.astype(np.int64)))
    weeks = float(np.count_nonzero(label == 0)) * MINUTE_MS / WEEK_MS
    return GroupFigure(len(incidents), hits, false, weeks, named, right)
