"""Evidence: one far out and many a little out count both, and who is to blame."""

from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.bank import Settings
from detectors.base import FloatArray, Reason, Scores
from detectors.evidence import Evidence, joined, together

DEVIATIONS = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20)


@given(DEVIATIONS)
def test_it_is_the_sum_of_the_formula(deviations: list[float]) -> None:
    """The evidence is the sum of log(1 + z^2 / 36), written out."""
    found = together(np.array(deviations), np.zeros(len(deviations), np.int64), 1)
    expected = sum(np.log1p(z * z / 36.0) for z in deviations)
    assert expected == pytest.approx(found.evidence[0])


@given(DEVIATIONS, DEVIATIONS, st.randoms())
@example([44.0], [1e-7, 8e-65], Random(0))
def test_sections_do_not_touch_and_order_does_not_matter(
    one: list[float], two: list[float], random: Random
) -> None:
    """Two sections in one call, mixed in any order, have the evidence and the blame that each has by itself."""
    deviations, sections = np.array(one + two), np.array([0] * len(one) + [1] * len(two))
    order = np.arange(deviations.size)
    order = np.array(random.sample(order.tolist(), order.size))
    both = together(deviations[order], sections[order], 2)
    for section, alone in enumerate((one, two)):
        own = together(np.array(alone), np.zeros(len(alone), np.int64), 1)
        assert own.evidence[0] == both.evidence[section]
        assert own.blamed[0] == both.blamed[section]


def test_one_far_out_and_many_a_little_out_both_count() -> None:
    """Either has more evidence than all of 5,000 groups of 40 calm members, and the right ones are to blame."""
    random = np.random.default_rng(1)
    calm = np.abs(random.normal(size=(5000, 40)))
    one, many = calm[0].copy(), calm[1].copy()
    one[7] = 40.0
    many[:20] = random.uniform(2.5, 3.5, 20)
    deviations = np.concatenate([calm, [one], [many]])
    found = together(deviations.ravel(), np.repeat(np.arange(5002), 40), 5002)
    assert found.evidence[5000] > found.evidence[:5000].max()
    assert found.evidence[5001] > found.evidence[:5000].max()
    assert found.blame(5000, 5).tolist() == [5000 * 40 + 7]
    blamed = found.order[found.starts[5001] :][: found.blamed[5001]] % 40
    assert blamed.size >= 5
    assert (blamed < 20).all()


def test_no_member_counts_without_limit() -> None:
    """Ten that are out by 10 weigh more than one that is out by 4,096, the most that a bank tells."""
    found = together(np.array([4096.0, *[10.0] * 10]), np.array([0] + [1] * 10), 2)
    assert found.evidence[1] > found.evidence[0]


def said_of(raw: FloatArray, reasons: list[Reason]) -> Scores:
    """Scores of which raw number and reason are known."""
    score = np.where(np.isnan(raw), np.nan, 0.5)
    nothing = np.full(raw.size, np.nan)
    return Scores(raw, score, nothing, nothing, nothing, np.array(reasons, np.int8))


def test_those_who_say_nothing_are_left_out() -> None:
    """Members in warm-up or without a value change nothing; of a section without others there is no evidence."""
    raw = np.array([8.0, 0.5, 9.0, np.nan, 0.0])
    reasons = [Reason.OK, Reason.OK, Reason.WARM_UP, Reason.MISSING, Reason.WARM_UP]
    found = joined(said_of(raw, reasons), raw, np.array([0, 0, 0, 0, 1]), 2)
    alone = together(raw[:2], np.zeros(2, np.int64), 1)
    assert alone.evidence[0] == found.evidence[0]
    assert np.isnan(found.evidence[1])


def test_nobody_at_all() -> None:
    """No samples, no sections."""
    none = np.zeros(0, np.int64)
    assert together(np.zeros(0), none, 0).evidence.size == 0


def history(steps: int, peak: float, every: int) -> tuple[Evidence, FloatArray]:
    """A bank that has seen one group's evidence, exponential noise, with a peak now and then; and its scores."""
    bank = Evidence(Settings())
    bank.grow(1)
    values = np.random.default_rng(3).exponential(size=steps)
    values[every::every] = peak
    said = bank.update(np.zeros(steps, np.int64), np.arange(steps) * 60_000, values)
    return bank, said.score


def test_what_comes_each_day_is_told_each_day() -> None:
    """A peak that comes once in 1,440 samples has nearly the same score the tenth time as the second."""
    _, score = history(10 * 1440, 30.0, 1440)
    peaks = 1.0 - score[1440::1440]
    assert (peaks < 1e-5).all()
    assert peaks[1:].max() < 2 * peaks[1:].min()


def test_exponential_evidence_alarms_less_often_than_asked() -> None:
    """Of 40,000 samples of the law that the tail is made for, no more are beyond 1 in 1,000 than there should be."""
    _, score = history(40_000, 0.0, 50_000)
    beyond = int((score[1000:] > 1 - 1e-3).sum())
    assert 0 < beyond <= 39


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
