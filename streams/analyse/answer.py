"""Answer: every sample with its judgement, as columns, as flagged spans, and each series in short.

Times are event times, ms; samples stand series after series, each in order of time.
Refuses to print: that is `write` and `draw`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Reason
from schemas.errors import MissingExtraError
from streams.analyse.read import Frame
from streams.analyse.watch import Judged
from streams.rules.explain import Insight, insight_of, sentence

WEEK_MS = 604_800_000
MOST_EXPLAINED = 100_000
"""Of more flagged samples than this the first are explained."""
REASONS = np.array([reason.name.lower() for reason in Reason])


@dataclass(frozen=True)
class Span:
    """Samples without a break that were flagged: `first` and `last` are places in the columns, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Summary:
    """One series in short: `from_ms` to `to_ms` are its event times; spans are runs of flagged samples.

    `speaks_after_ms`: how long its detector could not speak of it; None where it never could.
    """

    series: str
    samples: int
    missing: int
    from_ms: int
    to_ms: int
    flagged: int
    spans: int
    first_flag_ms: int | None
    last_flag_ms: int | None
    spans_per_week: float
    asked_per_week: float
    speaks_after_ms: int | None


@dataclass(frozen=True)
class Detected:
    """Every sample with its judgement, series after series, each in order of time.

    Attributes:
        frame: the samples.
        judged: one entry per sample.
        asked_per_week: false alarms that one series may cost in a week.
        interval_ms: the usual step.
        views: names of the detector's views, where it has several.
        blame: of a group: by the place of what is flagged, the series to blame.

    """

    frame: Frame
    judged: Judged
    asked_per_week: float
    interval_ms: int = 0
    views: tuple[str, ...] = ()
    blame: Mapping[int, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """Columns by name, of equal length: what `--output` prints, times in ms."""
        frame, judged = self.frame, self.judged
        return {
            "series": np.array(frame.names, dtype=object)[frame.rows],
            "time": frame.times,
            "value": frame.values,
            "expected": judged.expected,
            "low": judged.low,
            "high": judged.high,
            "score": judged.score,
            "flag": judged.flag,
            "reason": REASONS[judged.reason],
            "rank": self._ranks(),
            "explanation": self._explanations(),
        }

    def _ranks(self) -> NDArray[np.float64]:
        """Of what is flagged: its place among what was seen of its series, 1 for the oddest."""
        judged = self.judged
        ranks: NDArray[np.float64] = np.floor((1.0 - judged.score) * judged.samples) + 1.0
        return ranks

    def _explanations(self) -> NDArray[Any]:
        """Of what is flagged: why, in one sentence."""
        judged, values = self.judged, self.frame.values
        told = np.full(len(values), "", dtype=object)
        for at in np.flatnonzero(judged.flag)[:MOST_EXPLAINED].tolist():
            facts = [values[at], judged.score[at], judged.expected[at], judged.low[at]]
            told[at] = sentence([*facts, judged.high[at]], self.interval_ms, self._insight(at))
        return told

    def _insight(self, at: int) -> Insight:
        found = insight_of(self.judged.samples[at], self.judged.view[at], self.views)
        return found._replace(blame=self.blame.get(at, ""))

    def arrow(self) -> Any:
        """The columns as an Arrow table, times as timestamps in ms UTC.

        Raises:
            MissingExtraError: pyarrow is not installed.

        """
        try:
            arrow: Any = import_module("pyarrow")
        except ImportError as error:
            raise MissingExtraError("history", "Arrow") from error
        columns = {name: arrow.array(column) for name, column in self.columns.items()}
        columns["time"] = columns["time"].cast(arrow.timestamp("ms", tz="UTC"))
        return arrow.table(columns)

    @cached_property
    def spans(self) -> tuple[tuple[Span, ...], ...]:
        """Flagged spans of each series."""
        return tuple(self._spans(start, end) for start, end in self.bounds)

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Where the samples of each series begin and end."""
        edges = np.searchsorted(self.frame.rows, np.arange(len(self.frame.names) + 1))
        return tuple(pairwise(edges.tolist()))

    def summary(self) -> tuple[Summary, ...]:
        """Each series in short."""
        found = []
        for name, (start, end), spans in zip(
            self.frame.names, self.bounds, self.spans, strict=True
        ):
            times = self.frame.times[start:end]
            length_ms = int(times[-1] - times[0]) if times.size else 0
            found.append(
                Summary(
                    series=name,
                    samples=end - start,
                    missing=int(np.isnan(self.frame.values[start:end]).sum()),
                    from_ms=int(times[0]) if times.size else 0,
                    to_ms=int(times[-1]) if times.size else 0,
                    flagged=int(self.judged.flag[start:end].sum()),
                    spans=len(spans),
                    first_flag_ms=int(self.frame.times[spans[0].first]) if spans else None,
                    last_flag_ms=int(self.frame.times[spans[-1].last]) if spans else None,
                    spans_per_week=len(spans) * WEEK_MS / length_ms if length_ms else 0.0,
                    asked_per_week=self.asked_per_week,
                    speaks_after_ms=self._speaks_after(start, end),
                )
            )
        return tuple(found)

    def _speaks_after(self, start: int, end: int) -> int | None:
        """Time from the first sample to the first one of which it might have spoken; None where there is none."""
        mute = (Reason.WARM_UP, Reason.MISSING, Reason.OUT_OF_RANGE)
        able = np.flatnonzero(~np.isin(self.judged.reason[start:end], mute))
        if not able.size:
            return None
        return int(self.frame.times[start + able[0]] - self.frame.times[start])

    def _spans(self, start: int, end: int) -> tuple[Span, ...]:
        padded = np.zeros(end - start + 2, np.int8)
        padded[1:-1] = self.judged.flag[start:end]
        turns = np.flatnonzero(np.diff(padded)).reshape(-1, 2) + start
        return tuple(Span(first, after - 1) for first, after in turns.tolist())


def join(answers: Sequence[tuple[str, Detected]]) -> Detected:
    """One answer of several; each series is put behind the name of its own, with a slash."""
    if len(answers) == 1:
        return answers[0][1]
    starts = np.cumsum([0, *(len(answer.frame.names) for _, answer in answers)])
    found = [answer for _, answer in answers]
    frame = Frame(
        tuple(f"{name}/{series}" for name, answer in answers for series in answer.frame.names),
        np.concatenate([a.frame.rows + start for a, start in zip(found, starts, strict=False)]),
        np.concatenate([a.frame.times for a in found]),
        np.concatenate([a.frame.values for a in found]),
    )
    judged = {
        name: np.concatenate([getattr(a.judged, name) for a in found]) for name in Judged.__slots__
    }
    one = found[0]
    first = np.cumsum([0, *(len(answer.frame.rows) for answer in found)]).tolist()
    blame = {
        start + at: who
        for answer, start in zip(found, first, strict=False)
        for at, who in answer.blame.items()
    }
    return Detected(frame, Judged(**judged), one.asked_per_week, one.interval_ms, one.views, blame)
