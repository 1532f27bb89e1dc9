"""Evidence: one far out and many a little out count both, and who is to blame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from detectors.bank import Settings
from detectors.base import Reason, Scores
from detectors.evidence import Evidence, berk_jones, joined

TAILS = st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=20)


def divergence(share: float, tail: float) -> float:
    """K(a, p) as the formula has it."""
    whole = share * np.log(share / tail)
    return whole if share == 1.0 else whole + (1 - share) * np.log((1 - share) / (1 - tail))


@given(TAILS)
def test_it_is_the_statistic_of_the_formula(tails: list[float]) -> None:
    """The evidence is sqrt(2 B) of Berk and Jones, written out over the sorted tails."""
    n = len(tails)
    terms = [
        n * divergence(k / n, p)
        for k, p in enumerate(sorted(tails), start=1)
        if p < min(k / n, 1.0)
    ]
    found = berk_jones(np.array(tails), np.zeros(n, np.int64), 1)
    assert found.evidence[0] == pytest.approx(np.sqrt(2 * max([*terms, 0.0])), rel=1e-6, abs=1e-6)


@given(TAILS, TAILS, st.randoms())
def test_sections_do_not_touch_and_order_does_not_matter(
    one: list[float], two: list[float], random: object
) -> None:
    """Two sections in one call, mixed in any order, have the evidence that each has by itself."""
    tails, sections = np.array(one + two), np.array([0] * len(one) + [1] * len(two))
    order = np.arange(tails.size)
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis's own Random
    both = berk_jones(tails[order], sections[order], 2).evidence
    for section, alone in enumerate((one, two)):
        own = berk_jones(np.array(alone), np.zeros(len(alone), np.int64), 1).evidence[0]
        assert both[section] == own


def test_one_far_out_and_many_a_little_out_both_count() -> None:
    """Either is rarer than all of 5,000 groups of 40 calm members, and a blind sum of deviations misses one."""
    random = np.random.default_rng(1)
    calm = random.uniform(size=(5000, 40))
    one, many = calm[0].copy(), calm[1].copy()
    one[7] = 1e-7
    many[:20] = random.uniform(0, 0.1, 20)
    tails = np.concatenate([calm, [one], [many]])
    found = berk_jones(tails.ravel(), np.repeat(np.arange(5002), 40), 5002)
    assert found.evidence[5000] > found.evidence[:5000].max()
    assert found.evidence[5001] > found.evidence[:5000].max()
    total = norm.isf(tails / 2).sum(axis=1)
    assert total[5000] < np.quantile(total[:5000], 0.99)
    assert found.blame(5000, 5).tolist()[0] % 40 == 7
    assert found.blamed[5000] == 1
    blamed = found.order[found.starts[5001] :][: found.blamed[5001]] % 40
    assert (blamed < 20).mean() > 0.8


def test_those_who_say_nothing_are_left_out() -> None:
    """Members in warm-up or without a value change nothing; of a section without others there is no evidence."""
    score = np.array([1 - 1e-6, 0.5, 0.0, np.nan, 0.0])
    reason = np.array(
        [Reason.OK, Reason.OK, Reason.WARM_UP, Reason.MISSING, Reason.WARM_UP], np.int8
    )
    nothing = np.full(5, np.nan)
    scores = Scores(nothing, score, nothing, nothing, nothing, reason)
    found = joined(scores, np.array([0, 0, 0, 0, 1]), 2)
    alone = berk_jones(1.0 - score[:2], np.zeros(2, np.int64), 1)
    assert found.evidence[0] == alone.evidence[0]
    assert np.isnan(found.evidence[1])
    small = joined(scores, np.array([0, 0, 0, 0, 1]), 2, np.array([False, True, True, True, True]))
    assert small.evidence[0] < found.evidence[0]


def test_nobody_at_all() -> None:
    """No samples, no sections."""
    none = np.zeros(0, np.int64)
    assert berk_jones(np.zeros(0), none, 0).evidence.size == 0


def test_the_bank_measures_evidence_in_the_groups_own_past() -> None:
    """What is usual for one group is odd for another."""
    bank = Evidence(Settings())
    bank.grow(2)
    random = np.random.default_rng(2)
    steps = 2000
    values = np.abs(random.normal(size=(steps, 2))) * [1.0, 4.0]
    rows, times = np.tile([0, 1], steps), np.repeat(np.arange(steps), 2)
    bank.update(rows, times, values.ravel())
    said = bank.update(np.array([0, 1]), np.array([steps, steps]), np.array([8.0, 8.0]))
    assert said.score[0] > 0.9999
    assert said.score[1] < 0.99
    assert said.reason[0] == Reason.UNUSUAL
