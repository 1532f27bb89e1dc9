"""The shared half of every detector: rounds, missing values, calibration, band, reasons, freezing, state.

A detector adds two methods to it. `_judge` says what it expected, in what scale, before it has seen the value;
`_learn` takes the value in. A round holds each row at most once, so both are plain array arithmetic.

Refuses NaN, infinities and values whose squares would overflow: they are neither judged nor learnt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from detectors.base import (
    LARGEST_VALUE,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    Reason,
    Round,
    Scores,
    Selector,
    flat,
    rounds,
)
from detectors.calibrate import BAND_TAIL, EDGES, Direction, NormalTail, PastTail, Refractory, Tail
from detectors.columns import Column, Columns

# The end of the calibration's grid: beyond it odd is odd, and what is always there stays comparable.
LARGEST_RAW = float(EDGES[-1])
# A run of loud samples is one event: its k-th sample counts as 1/k for learning, at least as 1/8, so that an
# incident is not taken for normal within minutes and a lasting change still is within hours.
LONGEST_RUN = 8
RUN_WEIGHTS = 1.0 / np.maximum(np.arange(LONGEST_RUN + 1), 1)
# By whether a deviation is above 0.
SIDES = np.array([Reason.BELOW, Reason.ABOVE], np.int8)
# Before the name of a column: what it held when its row was frozen.
KEPT = "kept_"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every detector can be told."""

    direction: Annotated[Direction, Meta(description="which deviations are odd")] = "both"
    warm_up_samples: Annotated[int, Meta(ge=2, description="samples before it may speak")] = 60
    tail: Annotated[
        Literal["past", "normal"],
        Meta(description="calibrate against its own past or a normal law"),
    ] = "past"
    refractory: Annotated[
        bool, Meta(description="only what stands out among the recent samples may speak")
    ] = False
    relative_floor: Annotated[
        float, Meta(ge=0, description="least scale as a share of the level")
    ] = 1e-4
    absolute_floor: Annotated[
        float, Meta(gt=0, description="least scale in the unit of the value")
    ] = 1e-12

    @property
    def settled_samples(self) -> int:
        """From half the warm-up on the model is trusted enough for the calibration to begin."""
        return self.warm_up_samples // 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a detector thought of one round, before learning it.

    expected, scale  in the unit of the value; NaN when the model has no such notion
    deviation        signed, in scales
    ready            whether the deviation means anything yet
    note             what the model wants to see again when it learns this round
    """

    expected: FloatArray
    scale: FloatArray
    deviation: FloatArray
    ready: BoolArray
    note: FloatArray | None = None

    def take(self, chosen: IntArray) -> "Judgement":
        """Return the judgement of some samples of the round."""
        note = None if self.note is None else self.note[chosen]
        return Judgement(
            self.expected[chosen],
            self.scale[chosen],
            self.deviation[chosen],
            self.ready[chosen],
            note,
        )


class Bank:
    """State and procedure of a detector; subclasses fill in `_forms`, `_judge` and `_learn`."""

    # Whether learning gives less weight to runs of loud samples.
    guarded: ClassVar[bool] = True
    # Whether a deviation has a side, so that the reason can be ABOVE or BELOW.
    sided: ClassVar[bool] = True
    # What stands for the past where the calibration goes by it.
    past: ClassVar[type[PastTail]] = PastTail
    # Columns that hold the present evidence, not what is normal: they go on while a row is frozen.
    followed: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        direction: Direction = settings.direction if self.sided else "up"
        self._direction = direction
        self._mute_samples = settings.warm_up_samples
        self._tail: Tail = (self.past if settings.tail == "past" else NormalTail)(direction)
        self._refractory = Refractory() if settings.refractory else None
        forms = self._forms()
        self.columns = Columns(
            {
                "samples": Column(np.int64),
                "frozen": Column(np.bool_, fill=False),
                "run": Column(np.int8),
                **self._tail.columns(),
                **(self._refractory.columns() if self._refractory else {}),
                **forms,
                **{KEPT + name: forms[name] for name in self.followed},
            }
        )

    def _forms(self) -> Mapping[str, Column]:
        raise NotImplementedError

    def _judge(self, now: Round) -> Judgement:
        raise NotImplementedError

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        raise NotImplementedError

    def _follow(self, now: Round, judgement: Judgement) -> None:
        """Move the followed columns of frozen rows."""

    def _band(
        self,
        now: Round,  # noqa: ARG002  # for detectors whose band hangs on more than a scale
        judgement: Judgement,
        reach: FloatArray | float,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the values whose raw number is `reach`, below and above what is expected: arrays of their own."""
        half = reach * judgement.scale
        return judgement.expected - half, judgement.expected + half

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> Scores:
        """Score each sample by what was learnt before it, then learn it (see `Detector`)."""
        rows, times, values = flat(rows, times, values, self.columns.capacity)
        fit = np.abs(values) <= LARGEST_VALUE
        whole = bool(fit.all())
        usable = rows if whole else np.flatnonzero(fit)
        scores: Scores | None = None
        for chosen in (
            self._rounds(rows, times) if whole else self._rounds(rows[usable], times[usable])
        ):
            where = chosen if whole else usable[chosen]
            now = Round.of(rows[where], times[where], values[where])
            if whole and isinstance(where, slice) and where == slice(None):
                return self._round(now)
            scores = Scores.unsaid(values) if scores is None else scores
            self._round(now, scores, where)
        return Scores.unsaid(values) if scores is None else scores

    def _rounds(self, rows: IntArray, times: IntArray) -> Iterator[Selector]:  # noqa: ARG002  # for groups
        """Cut a call into rounds within which no row repeats (see `rounds`)."""
        return rounds(rows)

    def _age(self, now: Round) -> IntArray:
        """Return how many samples what is judged here has seen, for the warm-up."""
        age: IntArray = self.columns["samples"][now.at]
        return age

    def _round(
        self, now: Round, scores: Scores | None = None, where: Selector = slice(None)
    ) -> Scores:
        """Judge and learn; the scores of this round alone, or put into those of the call."""
        columns = self.columns
        judgement = self._judge(now)
        raw = self._orient(judgement.deviation)
        tail = self._tail.probability(columns, now, raw)
        speaks = judgement.ready & (self._age(now) >= self._mute_samples)
        loud = speaks & (tail < BAND_TAIL)
        low, high = self._band(now, judgement, self._tail.reach(columns, now))
        learns = ~columns["frozen"][now.at]
        reason = self._explain(judgement.deviation, loud, learns)
        score = 1.0 - tail
        if not speaks.all():
            score[~speaks] = 0.0
            reason[~speaks] = Reason.WARM_UP
        if self._refractory:
            hushed = speaks & ~self._refractory.stands_out(columns, now, raw)
            score[hushed] = 0.0
            reason[hushed] = Reason.REFRACTORY
        # Before it learns: what is expected may be a view of what is learnt.
        if scores is None:
            scores = Scores(raw, score, judgement.expected.copy(), low, high, reason)
        else:
            scores.put(where, Scores(raw, score, judgement.expected, low, high, reason))
        if learns.all():
            self._absorb(now, judgement, raw, loud)
        elif learns.any():
            some = np.flatnonzero(learns)
            self._absorb(now.take(some), judgement.take(some), raw[some], loud[some])
        if self.followed and not learns.all():
            still = np.flatnonzero(~learns)
            self._follow(now.take(still), judgement.take(still))
        return scores

    def _orient(self, deviation: FloatArray) -> FloatArray:
        if self._direction == "both":
            odd = np.abs(deviation)
        else:
            odd = np.maximum(deviation if self._direction == "up" else -deviation, 0.0)
        capped: FloatArray = np.minimum(odd, LARGEST_RAW)
        return capped

    def _explain(self, deviation: FloatArray, loud: BoolArray, learns: BoolArray) -> CodeArray:
        reason = np.zeros(deviation.size, np.int8)
        if not learns.all():
            reason[~learns] = Reason.FROZEN
        odd = np.flatnonzero(loud)
        if self.sided:
            reason[odd] = SIDES[(deviation[odd] > 0).astype(np.intp)]
        else:
            reason[odd] = Reason.UNUSUAL
        return reason

    def _absorb(self, now: Round, judgement: Judgement, raw: FloatArray, loud: BoolArray) -> None:
        columns = self.columns
        weight: FloatArray | float = 1.0
        if self.guarded:
            run = np.minimum(columns["run"][now.at] + 1, LONGEST_RUN) * loud
            columns["run"][now.at] = run
            odd = np.flatnonzero(run)
            if odd.size:
                weight = np.ones(run.size)
                weight[odd] = RUN_WEIGHTS[run[odd]]
        if judgement.ready.all():
            self._tail.learn(columns, now, raw, weight)
        elif judgement.ready.any():
            some = np.flatnonzero(judgement.ready)
            part = weight if isinstance(weight, float) else weight[some]
            self._tail.learn(columns, now.take(some), raw[some], part)
        if self._refractory:
            self._refractory.learn(columns, now, np.where(judgement.ready, raw, -np.inf))
        self._learn(now, judgement, weight)
        columns["samples"][now.at] += 1

    def floored(self, scale: FloatArray, level: FloatArray) -> FloatArray:
        """Keep a scale away from zero, so that constants have finite deviations."""
        floor: FloatArray = np.abs(level)
        floor *= self.settings.relative_floor
        np.maximum(floor, self.settings.absolute_floor, out=floor)
        return np.maximum(scale, floor, out=floor)

    def grow(self, capacity: int) -> None:
        """Make room for rows below `capacity`."""
        self.columns.grow(capacity)

    def freeze(self, rows: IntArray, frozen: bool) -> None:
        """Turn learning off or on for these rows.

        The evidence of a row that was frozen while it was loud goes on from where it has come to; that of any
        other, in maintenance for example, from where it stood.
        """
        columns = self.columns
        if self.followed:
            changed = np.unique(np.asarray(rows, np.int64))
            changed = changed[columns["frozen"][changed] != frozen]
            if not frozen:
                changed = changed[columns["run"][changed] == 0]
            for name in self.followed:
                source, target = (name, KEPT + name) if frozen else (KEPT + name, name)
                columns[target][changed] = columns[source][changed]
        columns["frozen"][rows] = frozen

    def reset(self, rows: IntArray) -> None:
        """Forget these rows."""
        self.columns.reset(rows)

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order."""
        self.columns.take(rows, capacity)

    @property
    def blind_ms(self) -> int:
        """Time of a new row in which nothing is said of it, whatever comes; columns have its `first_ms`."""
        return 0

    def waits(self, rows: IntArray) -> IntArray:
        """Return how many samples each of these rows needs yet before it may speak."""
        nothing = np.zeros(len(rows))
        now = Round(rows, rows, nothing.astype(np.int64), nothing)
        left: IntArray = np.maximum(self._mute_samples - self._age(now), 0)
        return left

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let these rows know what rows `source` of a snapshot know; raises CheckpointError when it does not fit."""
        self.columns.give(rows, columns, source)

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return a copy of the state."""
        return self.columns.snapshot()

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace the state by a snapshot."""
        self.columns.restore(columns)
