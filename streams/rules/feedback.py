"""Feedback: what people said of a series' alerts, and what follows from it for its threshold.

"This was fine": the series' share of the budget of false alarms is divided by 4, and no deviation up to 1.1 times the
largest one of that alert, in the unit of the value, is an alert any more. "This was bad": the share is multiplied by 4,
and what was forbidden ends at half of that deviation. Saying both leaves the share where it was. Six steps down and
three up at most, so the share stays between 1/4096 and 64 of what was asked for.

It is remembered by label set, through restarts and through times without the series; the oldest of `MOST` is forgotten.
Refuses nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from streams.rules.checkpoint import AnyColumns
from streams.windows.columns import pack_label_bytes, unpack_label_bytes

STEP = 4.0
MARGIN = 1.1
"""What was fine is fine once more, though no deviation comes twice to the last digit."""
MOST_STEPS, LEAST_STEPS = 6, -3
MOST = 100_000


class Opinion(NamedTuple):
    """What is known of one series.

    Attributes:
        steps: how often its share of the budget is to be divided by `STEP`; below 0 it is multiplied.
        fence: deviations up to this, in the unit of the value, are no alert.

    """

    steps: int = 0
    fence: float = 0.0

    @property
    def factor(self) -> float:
        """What its share of the budget is multiplied by."""
        return float(STEP**-self.steps)

    def fine(self, gap: float) -> "Opinion":
        """After "this was fine" about a deviation of `gap`; NaN where it is not known."""
        fence = max(self.fence, MARGIN * gap) if np.isfinite(gap) else self.fence
        return Opinion(min(self.steps + 1, MOST_STEPS), fence)

    def bad(self, gap: float) -> "Opinion":
        """After "this was bad"."""
        fence = min(self.fence, gap / 2) if np.isfinite(gap) else self.fence / 2
        return Opinion(max(self.steps - 1, LEAST_STEPS), fence)


NO_OPINION = Opinion()


class Feedback:
    """Opinions by label set, in canonical bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Opinion] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, encoded: bytes) -> Opinion:
        """What is known of a label set."""
        return self._known.get(encoded, NO_OPINION)

    def note(self, encoded: bytes, opinion: Opinion) -> None:
        """Remember it."""
        self._known.pop(encoded, None)
        if opinion != NO_OPINION:
            self._known[encoded] = opinion
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All of it as columns."""
        return {
            **pack_label_bytes(list(self._known)),
            "steps": np.array([each.steps for each in self._known.values()], np.int64),
            "fence": np.array([each.fence for each in self._known.values()], np.float64),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Become what the snapshot was taken of; one without columns is of nothing.

        Raises:
            CheckpointError: the columns are not those of a snapshot.

        """
        self._known = {}
        if not columns:
            return
        try:
            steps, fences = columns["steps"].tolist(), columns["fence"].tolist()
            marks = unpack_label_bytes(columns)
            for encoded, step, fence in zip(marks, steps, fences, strict=True):
                self._known[encoded] = Opinion(step, fence)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"feedback of a checkpoint: {error}") from error
