"""Evidence: what the members of a group say together, as one number, and who is to blame for it.

Each member brings a tail probability. One that is far out counts, and many that are a little out count, because the
statistic asks for each k how unlikely the k smallest probabilities are together, and takes the k that is odder than all
others; the members up to that k are the ones to blame. Members depend on each other, so the number is not trusted as a
probability: the bank `Evidence` measures it in its group's own past.

Refuses members that have no score yet, or none at this time.
"""

from typing import ClassVar, NamedTuple

import numpy as np

from detectors.bank import Bank, Judgement, Settings
from detectors.base import BoolArray, FloatArray, IntArray, Reason, Round, Scores
from detectors.columns import Column

# Scores are 1 - tail in doubles: no smaller tail than this can be told from 0.
LEAST_TAIL = 2.0**-53


class Sum(NamedTuple):
    """Evidence of each section, and the members of all sections, the oddest of each first.

    evidence  float64[sections], in deviations, 0 where nobody speaks
    order     int64[n]: places of the samples, section after section, by rising tail probability
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


def berk_jones(tails: FloatArray, sections: IntArray, count: int) -> Sum:
    """Join tail probabilities by the statistic of Berk and Jones.

    B = max over k with p_k < k/n of n K(k/n, p_k), K(a, p) = a ln(a/p) + (1-a) ln((1-a)/(1-p)),
    over the sorted p_1 <= ... <= p_n of a section (Berk and Jones 1979, doi 10.1007/BF00533250; why it finds both few
    strong and many weak ones: Donoho and Jin 2004, doi 10.1214/009053604000000265). The evidence is sqrt(2 B), a
    deviation. `tails` float64[n], NaN for members that say nothing; `sections` int64[n] from 0 to `count` - 1.
    """
    silent = np.isnan(tails)
    p = np.where(silent, 1.0, np.clip(tails, LEAST_TAIL, 1.0))
    order = np.lexsort((p, silent, sections))
    p, of = p[order], sections[order]
    sizes = np.bincount(sections, minlength=count)
    starts = np.cumsum(sizes) - sizes
    speaking = np.bincount(sections, ~silent, count)[of]
    rank = np.arange(order.size) - starts[of] + 1
    n = np.maximum(speaking, 1.0)
    share = np.minimum(rank / n, 1.0)
    counts = (rank <= speaking) & (p < share)
    rest, above = 1.0 - share, np.maximum(1.0 - p, LEAST_TAIL)
    divergence = share * np.log(share / p)
    divergence += rest * np.log(np.maximum(rest, LEAST_TAIL) / above)
    joined = np.where(counts, n * divergence, 0.0)
    there = np.flatnonzero(sizes)
    best, blamed = np.zeros(count), np.zeros(count, np.int64)
    if there.size:
        best[there] = np.maximum.reduceat(joined, starts[there])
        hit = counts & (joined == best[of]) & (joined > 0)
        np.maximum.at(blamed, of[hit], rank[hit])
    return Sum(np.sqrt(2.0 * best), order, starts, blamed)


def joined(scores: Scores, sections: IntArray, count: int, heed: BoolArray | None = None) -> Sum:
    """Join what a detector said of members; those in warm-up or without a value are silent.

    `sections` int64[n] from 0 to `count` - 1; `heed` bool[n]: the others speak, but of nothing. The evidence of a
    section in which nobody speaks is NaN.
    """
    silent = (scores.reason == Reason.WARM_UP) | np.isnan(scores.score)
    tails = 1.0 - scores.score
    if heed is not None:
        tails = np.where(heed, tails, 1.0)
    found = berk_jones(np.where(silent, np.nan, tails), sections, count)
    heard = np.bincount(sections, ~silent, count) > 0
    return found._replace(evidence=np.where(heard, found.evidence, np.nan))


class Evidence(Bank):
    """The joined evidence of groups, measured in each one's own past; its values are `Sum.evidence`."""

    parameters: ClassVar[type[Settings]] = Settings
    sided = False

    def _forms(self) -> dict[str, Column]:
        return {}

    def _judge(self, now: Round) -> Judgement:
        nothing = np.full(now.rows.size, np.nan)
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        return Judgement(nothing, nothing, now.values, ready)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        """Learn nothing but the past that the calibration keeps."""
