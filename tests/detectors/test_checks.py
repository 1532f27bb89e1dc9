"""The conformance suite itself: it must catch detectors that break their promises."""

import numpy as np
import pytest

from detectors import checks
from detectors.base import FloatArray, IntArray, Scores
from detectors.ewma import Ewma, EwmaSettings


class Batchy(Ewma):
    """Judges by the mean of the call."""

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> Scores:
        mean = np.nanmean(values) if values.size else 0.0
        return super().update(rows, times, values - mean)


class Forgetful(Ewma):
    """Leaves something out of its snapshots."""

    def restore(self, columns) -> None:  # noqa: ANN001  # as in Bank
        super().restore({**columns, "mean": np.zeros_like(columns["mean"])})


class Eager(Ewma):
    """Learns although it is frozen."""

    def freeze(self, rows: IntArray, frozen: bool) -> None:
        """Do nothing."""


class Sticky(Ewma):
    """Does not forget."""

    def reset(self, rows: IntArray) -> None:
        self.columns["frozen"][rows] = False


class Unscaled(Ewma):
    """Has a scale in absolute units."""

    def floored(self, scale: FloatArray, level: FloatArray) -> FloatArray:
        return np.maximum(scale, 20.0)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Batchy, checks.cuts_change_nothing),
        (Batchy, checks.the_future_changes_nothing),
        (Forgetful, checks.snapshots_restore),
        (Eager, checks.frozen_rows_do_not_learn),
        (Sticky, checks.reset_rows_forget),
        (Unscaled, checks.units_do_not_matter),
    ],
)
def test_a_broken_promise_is_caught(broken: type[Ewma], check: checks.Check) -> None:
    """Each broken detector fails the check of the promise that it breaks."""
    with pytest.raises(AssertionError):
        check(lambda: broken(EwmaSettings()))
