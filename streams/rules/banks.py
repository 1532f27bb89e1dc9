"""Banks: the detector of a rule, and the second one for occasions that are apart, with the same rows.

The second one is made when a calendar asks for it. On such an occasion it judges and learns, and the first one stands
still, so that a sale is neither judged by working days nor learnt as one.

Refuses nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import registry
from detectors.base import Detector, FloatArray, IntArray, Scores, Selector, SwiftDetector
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.learnt import Learnt
from streams.rules.occasion import Spans
from streams.rules.rule import DetectBlock
from streams.rules.waiting import samples_of, waits_of

PARTS = ("raw", "score", "expected", "low", "high", "reason")
"""Of the scores; what else a detector has to say of a sample it says at usual times."""


class Banks:
    """One bank or two.

    Attributes:
        usual: the detector of all other times.
        apart: that of occasions that are apart; None where there are none.

    """

    def __init__(self, block: DetectBlock) -> None:
        """Make the detector.

        Raises:
            ConfigError: it is unknown, or a parameter is.

        """
        self._block = block
        self.usual = self.fresh()
        self._swift = self.usual if isinstance(self.usual, SwiftDetector) else None
        self.apart: Detector | None = None
        self._spans = Spans(())

    def fresh(self) -> Detector:
        """One more that knows nothing."""
        return registry.create(self._block.detector, self._block.parameters)

    def heed(self, spans: Spans, capacity: int) -> None:
        """From now on these times are apart."""
        self._spans = spans
        if len(spans) and self.apart is None:
            self.apart = self.fresh()
            self.apart.grow(capacity)

    @property
    def all(self) -> Sequence[Detector]:
        """The banks that there are."""
        return (self.usual,) if self.apart is None else (self.usual, self.apart)

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> Scores:
        """Judge each sample by the bank of its time, then learn it there; no row twice."""
        shares = self._shares(times)
        if len(shares) == 1:
            return self.usual.update(rows, times, values)
        whole = Scores.unsaid(values)
        for bank, at in shares:
            found = bank.update(rows[at], times[at], values[at])
            for name in PARTS:
                getattr(whole, name)[at] = getattr(found, name)
        return whole

    def swift(self, samples: int) -> SwiftDetector | None:
        """The detector, where it is one bank alone that can learn so many calm samples in short."""
        bank = self._swift if self.apart is None else None
        return bank if bank is not None and bank.is_swift(samples) else None

    def deviations(
        self, scores: Scores, rows: IntArray, times: IntArray, values: FloatArray
    ) -> FloatArray:
        """How far out samples are that were judged and not learnt: the raw number, unless a bank says otherwise."""
        found = scores.raw.copy()
        for bank, at in self._shares(times):
            tell = getattr(bank, "deviations", None)
            if tell is not None:
                found[at] = tell(rows[at], times[at], values[at])
        return found

    def _shares(self, times: IntArray) -> list[tuple[Detector, Selector]]:
        """Each bank with the samples that are its own, by time."""
        apart = None if self.apart is None else self._spans.hold(times)
        if self.apart is None or apart is None or not apart.any():
            return [(self.usual, slice(None))]
        return [(self.usual, np.flatnonzero(~apart)), (self.apart, np.flatnonzero(apart))]

    def samples(self, rows: IntArray, times: IntArray) -> IntArray:
        """How many samples the bank of these times has learnt of these rows."""
        found = samples_of(self.usual, rows)
        if self.apart is None:
            return found
        return np.where(self._spans.hold(times), samples_of(self.apart, rows), found)

    def waits(self, rows: IntArray, seen: IntArray, interval_ms: int) -> IntArray:
        """Time in ms until each of these rows, which were last seen then, may be spoken of."""
        return waits_of(self.usual, rows, seen, interval_ms)

    def first_wait(self, interval_ms: int) -> int:
        """The same of a row that nobody has seen."""
        bank, row = self.fresh(), np.zeros(1, np.int64)
        bank.grow(1)
        return int(waits_of(bank, row, row, interval_ms)[0])

    def try_on(self, learnt: Learnt | None) -> None:
        """Make sure that what was learnt from history is of this detector.

        Raises:
            CheckpointError: it is not.

        """
        if learnt is not None:
            learnt.try_on(self.fresh())

    def grow(self, capacity: int) -> None:
        """Make room for rows below `capacity`."""
        for bank in self.all:
            bank.grow(capacity)

    def freeze(self, rows: IntArray, *, frozen: bool) -> None:
        """Turn learning off or on for these rows."""
        for bank in self.all:
            bank.freeze(rows, frozen)

    def reset(self, rows: IntArray) -> None:
        """Forget these rows."""
        for bank in self.all:
            bank.reset(rows)

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order."""
        for bank in self.all:
            bank.take(rows, capacity)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The state of both."""
        columns = placed("bank", self.usual.snapshot())
        return columns if self.apart is None else columns | placed("apart", self.apart.snapshot())

    def restore(self, columns: AnyColumns, capacity: int) -> None:
        """Continue from a snapshot; one from before there was a second bank is of an empty one.

        Raises:
            CheckpointError: it is of another detector.

        """
        self.usual.restore(under("bank", columns))
        if self.apart is not None:
            apart = under("apart", columns)
            self.apart.restore(apart) if apart else self.apart.grow(capacity)
