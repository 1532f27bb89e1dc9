"""Together: the series of a table as one group, judged by what all of them say at one time.

The judgement is the one of a rule with `by: []`, by the same code. The answer has one series, whose values are the
evidence of the whole group; what is flagged names the series to blame, the oddest first.

Refuses nothing: a series without a value at some time is left out of it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from detectors.base import FloatArray, IntArray, Reason, Scores
from schemas.labels import METRIC, Labels, make_labels
from streams.analyse.answer import WEEK_MS, Detected
from streams.analyse.read import Frame
from streams.analyse.watch import MOST_SERIES, Judged
from streams.rules.grouped import GroupedRule
from streams.rules.rule import DetectBlock
from streams.rules.vector import LabelSpace, Vector
from streams.rules.verdict import Verdict

NAME = "group"
# Times between two words on how far it is.
CHUNK_TIMES = 500
NOBODY: Labels = ()


class Together(GroupedRule):
    """One detector over the members of one group, a member for each name."""

    lasting = False

    def __init__(self, block: DetectBlock, *, interval_ms: int) -> None:
        """Make the detector; `interval_ms` is the usual step between samples, which the threshold hangs on.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        whole = replace(block, by=(), join=True)
        super().__init__(whole, interval_ms=interval_ms, max_series=MOST_SERIES)
        self.interval_ms = interval_ms
        self._space = LabelSpace()
        self._reason = Reason.WARM_UP

    def judge(self, frame: Frame, advance: Callable[[int], object] = lambda _: None) -> Detected:
        """Judge a frame, time after time; `advance` hears how many samples more are done."""
        names = [self._space.row(make_labels({METRIC: name})) for name in frame.names]
        of = np.array(names, np.int64)[frame.rows] if names else frame.rows
        order = np.lexsort((frame.rows, frame.times))
        times = frame.times[order]
        edges = np.flatnonzero(np.diff(times)) + 1
        bounds = np.concatenate(([0], edges, [times.size])) if times.size else np.zeros(1, np.int64)
        count = bounds.size - 1
        said = np.full((len(Verdict._fields), count), np.nan)
        evidence, reasons = np.full(count, np.nan), np.zeros(count, np.int8)
        blame: dict[int, str] = {}
        for at in range(count):
            chosen = order[bounds[at] : bounds[at + 1]]
            verdict, evidence[at] = self._moment(
                of[chosen], frame.values[chosen], int(times[bounds[at]])
            )
            said[:, at] = [column[0] for column in verdict]
            reasons[at] = self._reason
            if verdict.abnormal[0]:
                reasons[at] = Reason.UNUSUAL
                blame[at] = self.insight(NOBODY, said[:, at].tolist(), present=True).blame
            if at % CHUNK_TIMES == CHUNK_TIMES - 1 or at == count - 1:
                advance(int(bounds[at + 1] - bounds[at - at % CHUNK_TIMES]))
        flag, *columns = said
        score, expected, low, high, samples, view = columns
        judged = Judged(flag == 1.0, score, expected, low, high, reasons, samples, view)
        whole = Frame((NAME,), np.zeros(count, np.int64), times[bounds[:-1]], evidence)
        asked = self.block.false_alarms * WEEK_MS / self.block.per_ms
        return Detected(whole, judged, asked, self.interval_ms, blame=blame)

    def learn(self, frame: Frame) -> None:
        """Take in history: what was abnormal in it is over when the next sample comes."""
        self.judge(frame)
        self._calm(self.roster.numbers)

    def _moment(self, members: IntArray, values: FloatArray, t_ms: int) -> tuple[Verdict, float]:
        vector = self.gathered(self._space, Vector(members, values), t_ms)
        verdict = self.update(self._space, vector.rows, np.array([t_ms]), vector.values)
        self.settle(self._space, vector.rows)
        return verdict, float(vector.values[0])

    def _round(
        self, rows: IntArray, times: IntArray, values: FloatArray, at: IntArray, out: Verdict
    ) -> Scores:
        scores = super()._round(rows, times, values, at, out)
        self._reason = Reason(int(scores.reason[0]))
        return scores
