"""The `detect:` block: thresholds, sides, distances, hysteresis, frozen learning, state."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.gaussian import LEARN_WITHIN
from schemas.compiled import WORTH_CALLING
from schemas.errors import CheckpointError
from schemas.labels import make_labels
from streams.rules.detect import DetectRule
from streams.rules.rule import DetectBlock
from streams.rules.vector import LabelSpace
from streams.rules.verdict import Verdict

STEP_MS = 15_000


def block(**changes: object) -> DetectBlock:
    """A block with these changes."""
    given: dict[str, object] = {
        "detector": "robust",
        "parameters": {"direction": "both"},
        "false_alarms": 1.0,
        "per_ms": 604_800_000,
        "direction": "both",
        "min_effect": 0.0,
        "min_change": 0.0,
        "relearn_after_ms": 3_600_000,
    }
    return DetectBlock(**{**given, **changes})  # type: ignore[arg-type]  # tests name fields


def make(**changes: object) -> DetectRule:
    """A detector of such a block."""
    return DetectRule(block(**changes), interval_ms=STEP_MS, max_series=100)


def space_of(count: int) -> LabelSpace:
    """Space with so many label sets."""
    space = LabelSpace()
    for i in range(count):
        space.row(make_labels({"service": f"s{i}"}))
    return space


def feed(rule: DetectRule, values: Sequence[float], space: LabelSpace, first: int = 0) -> Verdict:
    """Feed one series, a value each step."""
    times = (np.arange(len(values)) + first) * STEP_MS
    return rule.update(space, np.zeros(len(values), np.int64), times, np.asarray(values, float))


def noise(count: int, seed: int = 1) -> list[float]:
    """Normal noise around 100 with deviation 1."""
    return (100 + np.random.default_rng(seed).normal(size=count)).tolist()


def test_a_step_is_abnormal_and_its_end_is_not() -> None:
    """Noise is normal, eight deviations more are not, and noise again is."""
    rule, space = make(), space_of(1)
    values = noise(400) + [v + 12 for v in noise(20, 2)] + noise(50, 3)
    abnormal = feed(rule, values, space).abnormal
    assert not abnormal[:400].any()
    assert abnormal[400:420].all()
    assert not abnormal[425:].any()


def test_the_verdict_tells_what_was_expected() -> None:
    """Expected value and band stand beside the verdict."""
    verdict = feed(make(), [*noise(400), 130.0], space_of(1))
    assert verdict.abnormal[-1]
    assert verdict.expected[-1] == pytest.approx(100, abs=1)
    assert 90 < verdict.low[-1] < verdict.expected[-1] < verdict.high[-1] < 110


@pytest.mark.parametrize(
    ("direction", "value", "expected"),
    [("up", 130.0, True), ("up", 70.0, False), ("down", 70.0, True), ("down", 130.0, False)],
)
def test_only_the_side_that_is_watched_counts(direction: str, value: float, expected: bool) -> None:
    """Also when the detector itself looks at both sides."""
    rule = make(direction=direction)
    assert expected is bool(feed(rule, [*noise(400), value], space_of(1)).abnormal[-1])


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({"min_effect": 20.0}, True),
        ({"min_effect": 40.0}, False),
        ({"min_change": 0.2}, True),
        ({"min_change": 0.4}, False),
    ],
)
def test_small_distances_do_not_count(effects: dict[str, float], expected: bool) -> None:
    """130 instead of 100 is 30 or 30 %, however many deviations that is."""
    rule = make(**effects)
    assert expected is bool(feed(rule, [*noise(400), 130.0], space_of(1)).abnormal[-1])


def test_what_is_abnormal_stays_so_down_to_half_the_distance() -> None:
    """A value between the two thresholds ends nothing, and begins nothing."""
    rule, space = make(min_effect=20.0), space_of(1)
    verdict = feed(rule, [*noise(400), 112.0, 130.0, 112.0, 112.0, 105.0, 112.0], space)
    assert [False, True, True, True, False, False] == verdict.abnormal[-6:].tolist()


def test_the_lower_threshold_has_half_the_nines() -> None:
    """Its tail probability is the square root of the upper one's."""
    rule = make()
    feed(rule, [1.0], space_of(1))
    enter, leave = rule.thresholds.enter[0], rule.thresholds.leave[0]
    assert 1 - leave == pytest.approx((1 - enter) ** 0.5)


def test_an_incident_is_not_learnt_as_normal_until_relearn_after() -> None:
    """A lasting change stays abnormal for that long, then becomes normal within a window or so."""
    quick, slow = make(relearn_after_ms=20 * STEP_MS), make(relearn_after_ms=10**12)
    values = noise(400) + [v + 50 for v in noise(600, 2)]
    ends = [feed(rule, values, space_of(1)).abnormal for rule in (quick, slow)]
    assert ends[0][400:420].all()
    assert not ends[0][-100:].any()
    assert ends[1][400:].all()


def test_missing_values_are_not_abnormal() -> None:
    """NaN has no score."""
    verdict = feed(make(), [*noise(400), np.nan], space_of(1))
    assert not verdict.abnormal[-1]
    assert np.isnan(verdict.score[-1])


def test_series_that_vanish_are_no_longer_abnormal() -> None:
    """When one comes back it needs the upper threshold again."""
    rule, space = make(min_effect=20.0), space_of(1)
    feed(rule, [*noise(400), 130.0], space)
    rule.settle(space, np.zeros(0, np.int64))
    assert not feed(rule, [112.0], space, first=402).abnormal[0]


def test_a_renumbered_space_keeps_what_was_learnt() -> None:
    """State belongs to label sets, not to rows."""
    rule, space = make(), space_of(2)
    feed(rule, noise(400), space)
    space.clear()
    space.row(make_labels({"service": "s1"}))
    row = space.row(make_labels({"service": "s0"}))
    times = np.array([401 * STEP_MS])
    verdict = rule.update(space, np.array([row, 0]), np.repeat(times, 2), np.array([130.0, 130.0]))
    assert [True, False] == verdict.abnormal.tolist()


def test_retired_series_are_forgotten() -> None:
    """Their place is free, and they begin anew when they come back."""
    rule, space = make(), space_of(1)
    feed(rule, noise(400), space)
    rule.retire(401 * STEP_MS)
    assert len(rule.roster) == 0
    assert not feed(rule, [130.0], space, first=402).abnormal[0]


def test_when_most_series_go_the_others_are_judged_as_before() -> None:
    """Of 200 series the three that stay get other rows in a small bank, and the same verdicts; also after a restart."""
    space, random = space_of(200), np.random.default_rng(1)
    stay = np.array([3, 50, 199])
    alone = make()
    crowd = DetectRule(block(), interval_ms=STEP_MS, max_series=1_000)
    for step in range(300):
        rows = np.arange(200) if step < 200 else stay
        values = 100 + random.normal(size=len(rows))
        values[-1] += 60.0 * (190 <= step < 250)
        times = np.full(len(rows), step * STEP_MS)
        there = np.isin(rows, stay)
        expected = alone.update(space, stay, times[there], values[there])
        found = crowd.update(space, rows, times, values)
        for name in Verdict._fields:
            np.testing.assert_array_equal(getattr(expected, name), getattr(found, name)[there])
        if step == 220:
            crowd.retire(210 * STEP_MS)
            assert 64 == len(crowd.snapshot()["since"]) == crowd.roster.capacity
        if step == 230:
            state = crowd.snapshot()
            crowd = DetectRule(block(), interval_ms=STEP_MS, max_series=1_000)
            crowd.restore(state)

    assert 3 == len(crowd.roster)
    assert 3 == crowd.update(space, stay, times, values).score.size


def test_series_above_the_cap_are_not_judged() -> None:
    """They are never abnormal, and the others are judged all the same."""
    rule = DetectRule(block(), interval_ms=STEP_MS, max_series=1)
    space = space_of(2)
    feed(rule, noise(400), space)
    times = np.full(2, 401 * STEP_MS)
    verdict = rule.update(space, np.array([0, 1]), times, np.array([130.0, 130.0]))
    assert [True, False] == verdict.abnormal.tolist()


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 299), max_size=6))
def test_any_cut_of_the_samples_and_any_restart_gives_the_same(seed: int, cuts: list[int]) -> None:
    """Three series in one call or in many, with a snapshot between each two calls."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 3, 300)
    values = 100 + random.normal(size=300)
    values[150:160] += 40
    times = np.arange(300) * STEP_MS
    space = space_of(3)
    whole = make(parameters={"warm_up_samples": 20}).update(space, rows, times, values)
    rule = make(parameters={"warm_up_samples": 20})
    parts = []
    for part in np.split(np.arange(300), sorted(cuts)):
        parts.append(rule.update(space, rows[part], times[part], values[part]))
        state = rule.snapshot()
        rule = make(parameters={"warm_up_samples": 20})
        rule.restore(state)
    for name in Verdict._fields:
        cut = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(whole, name), cut)


def test_a_foreign_snapshot_is_refused() -> None:
    """Columns of something else never become a state."""
    with pytest.raises(CheckpointError):
        make().restore({})


def test_an_alert_lasts_while_its_detector_keeps_quiet() -> None:
    """A detector that speaks once an hour at most: a lasting deviation is abnormal until it is within the band."""
    rule = make(parameters={"refractory": True})
    values = [*noise(400), *[v + 50 for v in noise(20, 2)], *noise(10, 3)]
    abnormal = feed(rule, values, space_of(1)).abnormal
    assert abnormal[400:420].all()
    assert not abnormal[421:].any()


def test_what_a_firing_alert_keeps_is_not_learnt() -> None:
    """While an alert goes on though its series is calm, nothing is learnt of it; after `relearn_after` it is."""
    rule, space = make(relearn_after_ms=20 * STEP_MS), space_of(1)
    feed(rule, noise(400), space)
    given, since = [space.labels[0]], np.array([400 * STEP_MS])
    learnt = []
    for step in range(400, 440):
        rule.hold(given, since, step * STEP_MS)
        feed(rule, [100.0], space, first=step)
        learnt.append(int(rule.banks.samples(np.array([0]), np.array([0]))[0]))
    assert [400] * 20 == learnt[:20]
    assert [401, 402, 403] == learnt[20:23]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from([0, 30_000, 3_600_000]), st.integers(100, 700))
def test_calm_samples_change_nothing_where_they_are_passed_over(
    seed: int, relearn_after_ms: int, cut: int
) -> None:
    """Who learns calm samples in one loop finds what is abnormal, and has the state, of who judges one by one."""
    LEARN_WITHIN.load()
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.integers(0, 20, 800))
    values = draw.normal(100.0, 1.0, 800)
    loud = draw.random(800) < 0.03
    values[loud] += draw.choice([-30.0, 4.0, 30.0, np.nan], int(loud.sum()))
    times = np.arange(800) * STEP_MS
    found = []
    for swift in (True, False):
        rule, space = (
            make(
                detector="gaussian",
                parameters={"warm_up_samples": 10},
                relearn_after_ms=relearn_after_ms,
            ),
            space_of(20),
        )
        # few at once are judged one by one
        pieces = (0, cut, 800) if swift else range(0, 801, WORTH_CALLING // 2)
        said = [rule.update(space, rows[a:b], times[a:b], values[a:b]) for a, b in pairwise(pieces)]
        abnormal = np.concatenate([each.abnormal for each in said])
        facts = [np.concatenate(column)[abnormal] for column in zip(*said, strict=True)]
        found.append([*facts, *rule.snapshot().values()])
        assert abnormal.any()
    for ours, theirs in zip(*found, strict=True):
        assert ours.tobytes() == theirs.tobytes()
