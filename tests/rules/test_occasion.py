"""Times that are not like others: quiet, with a profile of their own, or in maintenance."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config.intervals import IntervalConfig
from schemas.labels import make_labels
from streams.rules.detect import DetectRule
from streams.rules.occasion import Occasion, Occasions, Spans
from streams.rules.rule import DetectBlock
from streams.rules.rule_file import DetectSection
from streams.rules.vector import LabelSpace
from streams.rules.verdict import Verdict

STEP_MS = 60_000


def block(**changes: object) -> DetectBlock:
    """A block with these changes."""
    section = DetectSection.model_validate({"detector": "robust"})
    return replace(section.block({"warm_up_samples": 30}), **changes)


def make(**changes: object) -> DetectRule:
    """A detector of such a block."""
    return DetectRule(block(**changes), interval_ms=STEP_MS, max_series=10)


def feed(rule: DetectRule, values: list[float], first: int = 0) -> Verdict:
    """One series, a value each minute."""
    space = LabelSpace()
    space.row(make_labels({"service": "a"}))
    times = (np.arange(len(values)) + first) * STEP_MS
    return rule.update(space, np.zeros(len(values), np.int64), times, np.array(values))


def noise(count: int, level: float = 100, seed: int = 1) -> list[float]:
    """Normal noise around a level."""
    return (level + np.random.default_rng(seed).normal(size=count)).tolist()


@given(
    spans=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8),
    times=st.lists(st.integers(-5, 60), max_size=20),
)
def test_spans_hold_what_any_of_them_holds(spans: list[tuple[int, int]], times: list[int]) -> None:
    """Overlapping, touching and empty ones too."""
    expected = [any(begin <= t < end for begin, end in spans) for t in times]
    assert expected == Spans(spans).hold(np.array(times, np.int64)).tolist()


def test_on_a_quiet_day_nothing_is_an_alert_and_nothing_is_learnt() -> None:
    """A holiday's low level is no alert, and the usual one after it is none either."""
    holiday = Occasion("holidays", 200 * STEP_MS, 260 * STEP_MS)
    rule = make(occasions=(holiday,))
    verdict = feed(rule, [*noise(200), *noise(60, 20, 2), *noise(40, 100, 3), 20.0])
    assert not verdict.abnormal[:-1].any()
    assert verdict.abnormal[-1]
    assert 241 == rule.banks.samples(np.array([0]), np.array([0]))[0]


def test_what_is_apart_has_a_profile_of_its_own() -> None:
    """The second sale is judged by the first one, not by working days; and working days go on as if it had not been."""
    sales = tuple(Occasion("sale", n * STEP_MS, (n + 60) * STEP_MS, apart=True) for n in (200, 300))
    rule = make(occasions=sales)
    days = [
        *noise(200),
        *noise(60, 500, 2),
        *noise(40, 100, 3),
        *noise(60, 500, 4),
        *noise(20, 100, 5),
    ]
    days[340] = 100.0
    verdict = feed(rule, days)
    assert [340] == np.flatnonzero(verdict.abnormal).tolist()
    assert verdict.expected[350] == pytest.approx(500, abs=2)
    assert verdict.expected[-1] == pytest.approx(100, abs=2)

    again = make(occasions=sales)
    again.restore(rule.snapshot())
    more = noise(5, 100, 6)
    np.testing.assert_array_equal(
        feed(rule, more, len(days)).score, feed(again, more, len(days)).score
    )


def test_a_declared_window_of_maintenance_is_judged_and_not_learnt() -> None:
    """Each Thursday from three to four in the morning, UTC: 1970 began with one."""
    window = IntervalConfig.model_validate(
        {"weekdays": ["thursday"], "times": [{"start_time": "03:00", "end_time": "04:00"}]}
    )
    rule = make(maintenance=(window,))
    values = [*noise(180), *noise(60, 100, 2), *noise(20, 100, 3)]
    values[200] = 150.0
    verdict = feed(rule, values)
    assert [200] == np.flatnonzero(verdict.abnormal).tolist()
    assert 200 == rule.banks.samples(np.array([0]), np.array([0]))[0]


def test_a_calendar_is_no_part_of_what_the_state_hangs_on() -> None:
    """A rule whose calendar changes keeps what it has learnt, and goes on with the new one."""
    holiday = Occasion("holidays", 200 * STEP_MS, 260 * STEP_MS)
    before, after = block(), block(occasions=(holiday,))
    assert before.identity == after.identity
    assert before != after
    rule = make()
    feed(rule, noise(200))
    rule.adopt(after)
    assert not feed(rule, [20.0], 200).abnormal[0]


def test_nothing_special_is_not_asked() -> None:
    """Without occasions there is nothing to find out for each sample."""
    assert Occasions((), ()).none
    assert not Occasions((Occasion("a", 0, 1),), ()).none


def test_missing_values_change_nothing() -> None:
    """A gap, one by one or none at all, neither alerts nor changes what is learnt: same scores after it."""
    whole, holed = make(), make()
    values = noise(300)
    gap = [np.nan] * 50
    feed(whole, values[:200])
    feed(holed, [*values[:200], *gap])
    expected = feed(whole, values[200:], 250)
    found = feed(holed, values[200:], 250)
    for name in ("abnormal", "score", "expected", "low", "high"):
        np.testing.assert_array_equal(getattr(expected, name), getattr(found, name))
    assert not feed(holed, gap, 400).abnormal.any()
