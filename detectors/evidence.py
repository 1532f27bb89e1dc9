"""Evidence: what the members of a group say together, as one number, and who is to blame for it.

Each member brings its deviation, not its tail probability, which takes what happens daily for usual. One that is far
out counts, and many that are a little out count, because each adds what a heavy-tailed law thinks of it. Members depend
on each other, so the sum is not trusted as a probability: `Evidence` measures it by what is usual in its group.

Refuses members that have no deviation yet, or none at this time.
"""

import math
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Reason, Round, Scores
from detectors.calibrate import CELLS, EDGES, WIDTHS, Direction, PastTail
from detectors.columns import Column

# Degrees of freedom of the law: a deviation counts by its square up to about 6, and by its logarithm beyond.
FREEDOM = 36.0
# Members that bring this share of what the first one brings, or more, are to blame with it.
BLAMED = 0.5
# From here on the tail of a group's evidence is a line.
TAIL_BEGINS = 0.05
# It falls more slowly than the past has it by the first factor; and than the line through this point and the median by
# the second one at most, with which about as many alarms came as were asked for.
SLOWER, SLOWEST = 1.5, 2.25
# Evidence is no deviation, so next to nothing is thought to be known of it before there is a past: a fifth of a sample.
LESS_PRIOR = np.float32(0.01)
# A group in which nothing ever moves has no bulk: there the evidence falls by e in a tenth.
LEAST_FALL = 0.1


class Sum(NamedTuple):
    """Evidence of each section, and the members of all sections, the oddest of each first.

    evidence  float64[sections], not negative, 0 where nobody speaks
    order     int64[n]: places of the samples, section after section, by falling deviation
    starts    int64[sections]: where a section begins in `order`
    blamed    int64[sections]: how many of its first are to blame
    """

    evidence: FloatArray
    order: IntArray
    starts: IntArray
    blamed: IntArray

    def blame(self, section: int, most: int) -> IntArray:
        """Return the places of the samples to blame in this section, the oddest first, `most` at most."""
        start = int(self.starts[section])
        return self.order[start : start + min(int(self.blamed[section]), most)]


def together(deviations: FloatArray, sections: IntArray, count: int) -> Sum:
    """Join deviations by the law of Student.

    E = sum of log(1 + z^2 / f): -log of Student's density with f degrees of freedom, but for a factor and a constant
    (likelihood by it: Lange, Little and Taylor 1989, doi 10.1080/01621459.1989.10478852). To blame are those that bring
    at least half of what the first one brings. `deviations` float64[n], NaN for members that say nothing; `sections`
    int64[n] from 0 to `count` - 1.
    """
    silent = np.isnan(deviations)
    size = np.where(silent, 0.0, np.abs(deviations))
    order = np.lexsort((-size, silent, sections))
    parts, of = np.log1p(np.square(size[order]) / FREEDOM), sections[order]
    sizes = np.bincount(sections, minlength=count)
    starts = np.cumsum(sizes) - sizes
    evidence = np.bincount(of, parts, count).astype(np.float64)
    # of those that are in order the first is the oddest
    first = parts[starts[of]]
    blamed = np.bincount(of, (parts > 0) & (parts >= BLAMED * first), count).astype(np.int64)
    return Sum(evidence, order, starts, blamed)


def joined(scores: Scores, deviations: FloatArray, sections: IntArray, count: int) -> Sum:
    """Join what a detector said of members; those in warm-up or without a value are silent.

    `deviations` float64[n]; `sections` int64[n] from 0 to `count` - 1. The evidence of a section in which nobody
    speaks is NaN.
    """
    silent = (scores.reason == Reason.WARM_UP) | np.isnan(scores.score)
    found = together(np.where(silent, np.nan, deviations), sections, count)
    heard = np.bincount(sections, ~silent, count) > 0
    return found._replace(evidence=np.where(heard, found.evidence, np.nan))


class BulkTail(PastTail):
    """Tail probabilities by what is usual: the tail falls as its past has it, but not much more slowly than the bulk.

    tail(x) = 0.05 exp(-(x - u) / s) beyond the 95 % quantile u; s is 1.5 times the mean excess over the 98 % quantile,
    at most 2.25 (u - median) / log(10), which what happens in less than one sample of twenty does not move: a fault
    that comes each day is told each day.
    """

    def __init__(self, direction: Direction) -> None:
        super().__init__(direction)
        self._prior *= LESS_PRIOR

    def _fit(self, counts: NDArray[np.float32]) -> dict[str, FloatArray]:
        fitted = super()._fit(counts)
        median, start = (_quantile(fitted["tail_survival"], share) for share in (0.5, TAIL_BEGINS))
        most = SLOWEST * (start - median) / math.log(0.5 / TAIL_BEGINS)
        return fitted | {
            "tail_start": start,
            "tail_share": np.full(start.size, TAIL_BEGINS),
            "tail_scale": np.maximum(np.minimum(SLOWER * fitted["tail_scale"], most), LEAST_FALL),
        }


def _quantile(survival: FloatArray, share: float) -> FloatArray:
    """Where the survival [m, CELLS + 1] at the cells' edges falls to a share, a straight line within a cell."""
    cell = np.minimum((survival > share).sum(axis=1), CELLS) - 1
    each = np.arange(len(survival))
    above, below = survival[each, cell], survival[each, cell + 1]
    where: FloatArray = EDGES[cell] + WIDTHS[cell] * (above - share) / (above - below)
    return where


class Evidence(Bank):
    """The joined evidence of groups, measured by what is usual in each; its values are `Sum.evidence`."""

    parameters: ClassVar[type[Settings]] = Settings
    past: ClassVar[type[PastTail]] = BulkTail
    sided = False

    def _forms(self) -> dict[str, Column]:
        return {}

    def _judge(self, now: Round) -> Judgement:
        nothing = np.full(now.rows.size, np.nan)
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        return Judgement(nothing, nothing, now.values, ready)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        """Learn nothing but the past that the calibration keeps."""
