"""Rules evaluated on arrival: exact per sample, urgent, the same for every cut of the samples."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import AlertReason, AlertState
from schemas.samples import STALE_BITS
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])
LOOKBACK_MS = 300_000


def make_engine(rule: str) -> RuleEngine:
    """Engine of one rule with `evaluate: on_arrival`."""
    text = f"groups:\n- name: g\n  rules:\n  - {{alert: A, evaluate: on_arrival, {rule}}}\n"
    groups, problems = parse_rules(text, "r.yml")
    assert problems == []
    return RuleEngine(groups, max_series=100)


def arrive(engine: RuleEngine, *samples: tuple[str, int, float]) -> list[Alert]:
    """Samples of `x{service=name}` as (name, seconds, value)."""
    codes = [encode_labels(make_labels({"__name__": "x", "service": s})) for s, _, _ in samples]
    prints = np.array([fingerprint_bytes(code) for code in codes], np.uint64)
    times = np.array([t * 1000 for _, t, _ in samples], np.int64)
    values = np.array([v for _, _, v in samples], np.float64)
    return engine.arrive(engine.store.rows(prints, codes), times, values)


def short(alerts: list[Alert]) -> list[str]:
    """`seconds service state` of each."""
    return [f"{a.time // 1000} {a.labels['service']} {a.state.value}" for a in alerts]


def test_each_sample_counts() -> None:
    """A series that flaps within one call makes all its transitions, with their own times and values."""
    engine = make_engine("expr: x > 5")
    alerts = arrive(
        engine, ("a", 0, 1), ("b", 1, 7), ("a", 2, 8), ("a", 3, 9), ("a", 4, 1), ("a", 5, 6)
    )
    assert ["1 b firing", "2 a firing", "4 a resolved", "5 a firing"] == short(alerts)
    assert [7.0, 8.0, 9.0, 6.0] == [alert.value for alert in alerts]
    assert all(alert.urgent for alert in alerts)
    assert not engine.ticking


def test_on_arrival_the_window_is_the_sample_and_nothing_is_waited_for() -> None:
    """Its window is one moment, and there is no watermark."""
    (alert,) = arrive(make_engine("expr: x > 5"), ("a", 3, 7))
    assert ((3000, 3000), None) == (alert.window, alert.watermark)


def test_for_runs_in_event_time() -> None:
    """Held for two seconds, also from one call to the next."""
    engine = make_engine("expr: x > 5, for: 2s, keep_firing_for: 3s")
    told = short(arrive(engine, ("a", 0, 6), ("a", 1, 6)))
    told += short(arrive(engine, ("a", 2, 6), ("a", 3, 1), ("a", 5, 1)))
    told += short(arrive(engine, ("a", 6, 1), ("a", 7, 1)))
    assert ["0 a pending", "2 a firing", "6 a resolved"] == told


def test_a_stale_marker_ends_the_alert() -> None:
    """Its reason is that the series is gone."""
    engine = make_engine("expr: x > 5")
    alerts = arrive(engine, ("a", 0, 6), ("a", 1, STALE))
    assert ["0 a firing", "1 a resolved"] == short(alerts)
    assert alerts[1].reason is AlertReason.SERIES_GONE


def test_a_silent_series_ends_its_alert_after_the_look_back() -> None:
    """At the tick of its group; not before."""
    engine = make_engine("expr: x > 5")
    arrive(engine, ("a", 0, 6), ("b", 0, 6))
    arrive(engine, ("b", 10, 6))
    assert engine.tick(LOOKBACK_MS - 15_000) == []
    alerts = engine.tick(LOOKBACK_MS)
    assert ["300 a resolved"] == short(alerts)
    assert alerts[0].reason is AlertReason.SERIES_GONE


def test_other_metrics_are_not_looked_at() -> None:
    """A sample that the selector does not pick changes nothing."""
    engine = make_engine("expr: 'x{service=\"a\"} > 5'")
    assert ["0 a firing"] == short(arrive(engine, ("b", 0, 9), ("a", 0, 9)))


def test_two_series_with_one_alert_are_told_as_a_failure() -> None:
    """The first keeps it, so its end is not mistaken."""
    engine = make_engine("expr: x > 5, labels: {service: all}")
    assert ["0 all firing"] == short(arrive(engine, ("a", 0, 9), ("b", 0, 9)))
    assert "two series have the same alert" in engine.failures[0].message
    assert ["1 all resolved"] == short(arrive(engine, ("b", 1, 0), ("a", 1, 0)))


def test_a_row_given_to_another_series_keeps_no_alert() -> None:
    """After the store has forgotten a series, its alert ends by silence, and its row starts anew."""
    engine = make_engine("expr: x > 5")
    arrive(engine, ("a", 0, 9))
    engine.append(np.array([0]), np.array([0]), np.array([9.0]))
    engine.retire(1000)
    assert ["2 c firing"] == short(arrive(engine, ("c", 2, 9)))
    assert ["300 a resolved"] == short(engine.tick(LOOKBACK_MS))


@given(
    samples=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 9.0, STALE])),
        min_size=1,
        max_size=40,
    ),
    cuts=st.sets(st.integers(1, 39)),
    for_s=st.integers(0, 4),
    keep_s=st.integers(0, 4),
)
def test_any_cut_and_any_restart_gives_the_same_alerts(
    samples: list[tuple[str, float]], cuts: set[int], for_s: int, keep_s: int
) -> None:
    """All samples in one call, or in many with a snapshot between them."""
    rule = f"expr: x > 5, for: {for_s}s, keep_firing_for: {keep_s}s"
    timed = [(name, t, value) for t, (name, value) in enumerate(samples)]
    whole = arrive(make_engine(rule), *timed)
    engine = make_engine(rule)
    parts: list[Alert] = []
    edges = [0, *sorted(cut for cut in cuts if cut < len(timed)), len(timed)]
    for start, end in pairwise(edges):
        parts += arrive(engine, *timed[start:end])
        state = engine.snapshot()
        engine = make_engine(rule)
        engine.restore(state)
    assert whole == parts


@given(cuts=st.sets(st.integers(1, 199), max_size=8))
def test_a_detector_on_arrival_does_not_see_the_cuts(cuts: set[int]) -> None:
    """Frozen learning and hysteresis are exact per sample."""
    rule = "expr: x, detect: {detector: gaussian, warm_up_samples: 20, false_alarms: 1 per hour}"
    random = np.random.default_rng(3)
    values = random.normal(100, 1, 200)
    values[120:125] += 30
    values[125:130] += 3
    timed = [("ab"[i % 2], i // 2, float(v)) for i, v in enumerate(values)]
    whole = arrive(make_engine(rule), *timed)
    engine = make_engine(rule)
    edges = [0, *sorted(cuts), len(timed)]
    parts = [arrive(engine, *timed[a:b]) for a, b in pairwise(edges)]
    together = sorted((a for part in parts for a in part), key=lambda a: (a.time, a.fingerprint))
    assert AlertState.FIRING in {alert.state for alert in whole}
    assert sorted(whole, key=lambda a: (a.time, a.fingerprint)) == together
