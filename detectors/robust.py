"""Robust: how far from the median of the last samples, in median absolute deviations.

Up to half of the window may be wrong without moving the median or the scale much, which makes it the detector to
take when nothing is known of a series. The window is counted in samples. Its median and scale are exact, taken
anew every `refresh_samples` learnt samples; in between, samples are judged by the last ones. Cost: 8 bytes for
each sample of the window; one sort of the window for each refresh.

Refuses seasons and slow trends longer than the window: it follows them, and does not foresee them.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round, Selector
from detectors.columns import Column

# Of a normal distribution: standard deviation over median absolute deviation, and over mean absolute deviation.
SIGMA_PER_MEDIAN_DEVIATION = 1.4826
SIGMA_PER_MEAN_DEVIATION = 1.2533
# Rows sorted at once: bounds the working memory of a refresh.
REFRESH_ROWS = 4096


class RobustSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `robust`."""

    window_samples: Annotated[
        int, Meta(ge=8, le=10_000, description="samples that the median is taken of")
    ] = 120
    refresh_samples: Annotated[
        int, Meta(ge=1, description="samples between two medians; 1 is exact at every sample")
    ] = 8


class Robust(Bank):
    """Windowed median and median absolute deviation.

    z = (x - median) / (1.4826 MAD). Where more than half of the window is one value the MAD is 0 and
    1.2533 times the mean absolute deviation stands in (Iglewicz and Hoaglin 1993, "How to detect and handle
    outliers"); below that, the floors of the settings.
    """

    parameters: ClassVar[type[Settings]] = RobustSettings
    settings: RobustSettings

    def __init__(self, settings: RobustSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)

    def _forms(self) -> Mapping[str, Column]:
        return {
            # Empty cells sort behind every value.
            "window": Column(np.float64, np.inf, self.settings.window_samples),
            "median": Column(np.float64, np.nan),
            "scale": Column(np.float64, np.nan),
        }

    def _judge(self, now: Round) -> Judgement:
        median, scale = self.columns["median"][now.at], self.columns["scale"][now.at]
        least = max(self.settings.settled_samples, self.settings.refresh_samples)
        ready = self.columns["samples"][now.at] >= least
        return Judgement(median, scale, (now.values - median) / scale, ready)

    def _learn(
        self,
        now: Round,
        judgement: Judgement,  # noqa: ARG002  # the median needs no guard
        weight: FloatArray | float,  # noqa: ARG002  # as above
    ) -> None:
        samples, window = self.columns["samples"][now.at], self.columns["window"]
        age, every = int(samples[0]), self.settings.refresh_samples
        if bool((samples == age).all()):
            # rows of one age have one place in the window, and one turn
            window[now.at, age % self.settings.window_samples] = now.values
            due = np.arange(samples.size if (age + 1) % every == 0 else 0)
        else:
            place = _rest(samples, self.settings.window_samples)
            place += now.rows * self.settings.window_samples
            window.reshape(-1)[place] = now.values
            due = np.flatnonzero(_rest(samples + 1, every) == 0)
        for start in range(0, due.size, REFRESH_ROWS):
            part = due[start : start + REFRESH_ROWS]
            self._refresh(now.rows[part], samples[part] + 1)

    def _refresh(self, rows: IntArray, samples: IntArray) -> None:
        filled = np.minimum(samples, self.settings.window_samples)
        # a view costs less than a gather
        stretch = slice(int(rows[0]), int(rows[-1]) + 1)
        whole = stretch.stop - stretch.start == rows.size
        ordered = np.sort(self.columns["window"][stretch if whole else rows], axis=1)
        # one number for all rows where it is one: nearly always
        most = int(filled[0])
        count: IntArray | int = most if bool((filled == most).all()) else filled
        median = middle(ordered, count)
        typical = SIGMA_PER_MEDIAN_DEVIATION * middle_distance(ordered, count, median)
        floor = self.floored(np.zeros(rows.size), median)
        scale = np.maximum(typical, floor)
        flat = np.flatnonzero(typical < floor)
        if flat.size:
            apart = np.abs(ordered[flat] - median[flat, None])
            known = np.where(np.isfinite(apart), apart, 0.0)
            mean = SIGMA_PER_MEAN_DEVIATION * known.sum(axis=1) / filled[flat]
            scale[flat] = np.maximum(mean, scale[flat])
        self.columns["median"][rows] = median
        self.columns["scale"][rows] = scale


def _rest(numbers: IntArray, size: int) -> IntArray:
    """Return `numbers % size`; numpy divides many times faster than it takes rests."""
    rest: IntArray = numbers - numbers // size * size
    return rest


def middle(ordered: FloatArray, filled: IntArray | int) -> FloatArray:
    """Return the median of the first `filled` cells of each sorted row."""
    each: Selector = slice(None) if isinstance(filled, int) else np.arange(len(ordered))
    lower, upper = ordered[each, (filled - 1) // 2], ordered[each, filled // 2]
    half: FloatArray = 0.5 * (lower + upper)
    return half


def middle_distance(ordered: FloatArray, filled: IntArray | int, median: FloatArray) -> FloatArray:
    """Return the median distance from `median` of the first `filled` cells of each sorted row.

    The nearest cells to any point lie side by side, so that half of the row is looked for that is nearest: it begins
    where the distance of its last cell is no longer less than that of its first, or one before. Exact.
    """
    cells = ordered.reshape(-1)
    first = np.arange(len(ordered)) * ordered.shape[1]
    last = (filled + 1) // 2 - 1
    left = filled - last
    most_left = int(np.max(left))
    begin = first.copy()
    while most_left > 1:
        step = left // 2
        most_left -= most_left // 2
        at = begin + (step - 1)
        short = cells.take(at + last, mode="clip") - median < median - cells.take(at, mode="clip")
        begin += step * short
        left = left - step
    lower = np.maximum(median - cells.take(begin), cells.take(begin + last) - median)
    before = np.where(begin > first, median - cells.take(begin - 1, mode="clip"), np.inf)
    begin -= before < lower
    lower = np.minimum(lower, before)
    # the next one is on either side of these
    before = np.where(begin > first, median - cells.take(begin - 1, mode="clip"), np.inf)
    end = begin + (last + 1)
    behind = np.where(end < first + filled, cells.take(end, mode="clip") - median, np.inf)
    upper = np.where(np.asarray(filled) & 1, lower, np.minimum(before, behind))
    half: FloatArray = 0.5 * (lower + upper)
    return half
