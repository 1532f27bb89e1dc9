"""The rule engine at ticks: transitions, their texts and identities, recorded series, failures, restarts."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.errors import CheckpointError
from schemas.labels import encode_labels, fingerprint_bytes, get_label, make_labels
from schemas.reasons import AlertReason, AlertState
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules

STEP_MS = 15_000


def make_engine(rules: str, *, head: str = "", **options: object) -> RuleEngine:
    """Engine of one group with these rules."""
    text = f"groups:\n- name: g\n{head}  rules:\n{rules}"
    groups, problems = parse_rules(text, "r.yml")
    assert problems == []
    given: dict[str, object] = {"max_series": 100, **options}
    return RuleEngine(groups, **given)  # type: ignore[arg-type]  # tests name options


def rows_of(engine: RuleEngine, *series: dict[str, str]) -> np.ndarray:
    """Rows of these series in the engine's store."""
    codes = [encode_labels(make_labels(labels)) for labels in series]
    prints = np.array([fingerprint_bytes(code) for code in codes], np.uint64)
    return engine.store.rows(prints, codes)


def put(engine: RuleEngine, t_ms: int, **values: float) -> None:
    """A sample of `x{service=name}` for each name."""
    rows = rows_of(engine, *({"__name__": "x", "service": name} for name in values))
    engine.append(rows, np.full(len(rows), t_ms), np.array(list(values.values())))


def short(alerts: list[Alert]) -> list[str]:
    """`time service state` of each."""
    return [f"{a.time // 1000} {a.labels.get('service', '-')} {a.state.value}" for a in alerts]


HIGH = """
  - alert: High
    expr: x > 10
    for: 30s
    labels: {severity: "critical", team: "{{ $labels.service | toUpper }}"}
    annotations: {summary: "{{ $labels.service }} at {{ $value }} ({{ $externalLabels.dc }})"}
"""


def test_an_alert_goes_from_pending_to_firing_to_resolved() -> None:
    """One transition each, with the texts of its moment; the last keeps the last value."""
    engine = make_engine(HIGH, external_labels={"dc": "x1"}, source=3)
    told = []
    for i, value in enumerate((5.0, 20.0, 21.0, 22.5, 23.0, 1.0, 1.0)):
        put(engine, i * STEP_MS, a=value)
        told += engine.tick(i * STEP_MS)
    assert ["15 a pending", "45 a firing", "75 a resolved"] == short(told)
    pending, firing, resolved = told
    assert firing.labels == {
        "alertname": "High",
        "service": "a",
        "severity": "critical",
        "team": "A",
    }
    assert ("g/High", "default", 22.5, 15_000, 3, False) == (
        firing.rule,
        firing.tenant,
        firing.value,
        firing.active_at,
        firing.source,
        firing.urgent,
    )
    assert firing.annotations == {"summary": "a at 22.5 (x1)"}
    assert resolved.value == 23.0
    assert [AlertReason.CONDITION_TRUE, AlertReason.HELD_FOR, AlertReason.CONDITION_FALSE] == [
        alert.reason for alert in told
    ]
    assert len({alert.id for alert in told}) == 3
    assert {pending.fingerprint} == {alert.fingerprint for alert in told}
    assert firing.view == "The value is 22.5: x > 10"


def test_tenants_have_alerts_of_their_own() -> None:
    """Equal labels, two fingerprints; the tenant stands beside the labels, not among them."""
    engine = make_engine("  - {alert: A, expr: sum(x) > 1}\n")
    series = [{"__name__": "x", "__tenant__": name} for name in ("red", "blue")]
    engine.append(rows_of(engine, *series), np.zeros(2, np.int64), np.array([2.0, 2.0]))
    alerts = engine.tick(0)
    assert ["blue", "red"] == [alert.tenant for alert in alerts]
    assert all(alert.labels == {"alertname": "A"} for alert in alerts)
    assert len({alert.fingerprint for alert in alerts}) == 2


def test_alerts_come_by_rule_and_then_by_labels() -> None:
    """Whatever the order in which series appeared."""
    engine = make_engine("  - {alert: B, expr: x > 1}\n  - {alert: A, expr: x > 1}\n")
    put(engine, 0, c=2, a=2, b=2)
    assert ["B a", "B b", "B c", "A a", "A b", "A c"] == [
        f"{alert.name} {alert.labels['service']}" for alert in engine.tick(0)
    ]


def test_a_label_that_follows_the_value_makes_another_alert() -> None:
    """As in Prometheus: the warning ends where the critical one begins."""
    engine = make_engine("""
  - alert: A
    expr: x > 1
    labels: {severity: "{{ if gt $value 5.0 }}critical{{ else }}warning{{ end }}"}
""")
    told = []
    for i, value in enumerate((2.0, 3.0, 9.0, 8.0, 0.0)):
        put(engine, i * STEP_MS, a=value)
        told += [
            (alert.time // STEP_MS, alert.labels["severity"], alert.state.value)
            for alert in engine.tick(i * STEP_MS)
        ]
    assert told == [
        (0, "warning", "firing"),
        (2, "critical", "firing"),
        (2, "warning", "resolved"),
        (4, "critical", "resolved"),
    ]


def test_a_failing_rule_does_not_stop_the_others() -> None:
    """Two results with the same alert labels fail their rule at that tick, and its states stay."""
    engine = make_engine("""
  - {alert: Same, expr: x > 1, labels: {service: all}}
  - {alert: Fine, expr: x > 1}
""")
    put(engine, 0, a=2)
    assert ["0 all firing", "0 a firing"] == short(engine.tick(0))
    put(engine, STEP_MS, a=2, b=2)
    assert ["15 b firing"] == short(engine.tick(STEP_MS))
    assert [("g/Same", STEP_MS)] == [(f.rule, f.time) for f in engine.failures]
    assert "same labelset after applying alert labels" in engine.failures[0].message
    put(engine, 2 * STEP_MS, a=2, b=0)
    assert ["30 b resolved"] == short(engine.tick(2 * STEP_MS))


def test_over_the_limit_all_alerts_of_the_rule_end() -> None:
    """The reason says so, and the failure is told."""
    engine = make_engine("  - {alert: A, expr: x > 1}\n", head="  limit: 1\n")
    put(engine, 0, a=2)
    assert ["0 a firing"] == short(engine.tick(0))
    put(engine, STEP_MS, a=2, b=2)
    alerts = engine.tick(STEP_MS)
    assert ["15 a resolved"] == short(alerts)
    assert alerts[0].reason is AlertReason.RULE_FAILED
    assert "exceeded limit of 1 with 2 alerts" in engine.failures[0].message
    put(engine, 2 * STEP_MS, b=0)
    assert ["30 a firing"] == short(engine.tick(2 * STEP_MS))


def test_rules_with_the_same_name_have_alerts_of_their_own() -> None:
    """Even with the same labels their transitions cannot be taken for one another's."""
    engine = make_engine("  - {alert: A, expr: x > 1}\n  - {alert: A, expr: x > 2}\n")
    put(engine, 0, a=3)
    assert len({alert.id for alert in engine.tick(0)}) == 2


def test_recorded_series_are_seen_by_the_rules_after_them() -> None:
    """At the same tick; and they end with the series that they were made of."""
    engine = make_engine("""
  - {record: "service:x:double", expr: x * 2, labels: {by: us}}
  - {alert: A, expr: "service:x:double > 10"}
""")
    put(engine, 0, a=6, b=1)
    alerts = engine.tick(0)
    assert ["0 a firing"] == short(alerts)
    assert alerts[0].labels["by"] == "us"
    stale = np.array([0x7FF0000000000002], np.int64).view(np.float64)
    row = rows_of(engine, {"__name__": "x", "service": "a"})
    engine.append(row, np.array([STEP_MS]), stale)
    put(engine, STEP_MS, b=1)
    assert ["15 a resolved"] == short(engine.tick(STEP_MS))


def test_recorded_series_that_fall_together_fail_the_rule() -> None:
    """Nothing is recorded then."""
    engine = make_engine("  - {record: y, expr: x, labels: {service: all}}\n")
    put(engine, 0, a=6, b=1)
    engine.tick(0)
    assert "same labelset" in engine.failures[0].message
    assert len(engine.store) == 2


def test_groups_are_due_at_multiples_of_their_interval() -> None:
    """Since the epoch, whatever the first sample's time was."""
    text = """groups:
- {name: a, interval: 20s, rules: [{alert: A, expr: x > 1}]}
- {name: b, interval: 30s, rules: [{alert: B, expr: x > 1}]}
"""
    engine = RuleEngine(parse_rules(text, "r.yml")[0], max_series=10)
    times = [-1]
    while len(times) < 6:
        times.append(engine.next_tick(times[-1]))
    assert [0, 20_000, 30_000, 40_000, 60_000] == times[1:]
    put(engine, 20_000, a=2)
    assert ["A"] == [alert.name for alert in engine.tick(20_000)]
    assert ["B"] == [alert.name for alert in engine.tick(30_000)]


def test_a_query_offset_looks_back_and_alerts_now() -> None:
    """The expression is evaluated earlier; the alert has the time of the evaluation."""
    engine = make_engine("  - {alert: A, expr: x > 1}\n", head="  query_offset: 30s\n")
    told = []
    for i, value in enumerate((2.0, 0.0, 0.0, 0.0)):
        put(engine, i * STEP_MS, a=value)
        told += short(engine.tick(i * STEP_MS))
    assert ["30 a firing", "45 a resolved"] == told


def test_an_alert_says_what_its_rule_looked_at() -> None:
    """The window reaches as far as selector and offset do, none without a selector; the watermark is the tick."""
    rules = "  - {alert: A, expr: 'avg_over_time(x[2m] offset 1m) > 0'}\n  - {alert: B, expr: vector(1)}\n"
    engine = make_engine(rules, head="  query_offset: 30s\n")
    put(engine, 1_200_000, a=1)
    looked = [(alert.window, alert.watermark) for alert in engine.tick(1_320_000)]
    assert [((1_110_000, 1_290_000), 1_320_000), (None, 1_320_000)] == looked


def test_a_value_that_is_not_finite_is_none() -> None:
    """JSON has no infinity."""
    engine = make_engine("  - {alert: A, expr: x > 1, annotations: {v: '{{ $value }}'}}\n")
    put(engine, 0, a=np.inf)
    alert = engine.tick(0)[0]
    assert alert.value is None
    assert alert.annotations == {"v": "+Inf"}


def test_a_detector_explains_itself() -> None:
    """Score, expected value and band are in the record, in the view and in templates."""
    engine = make_engine("""
  - alert: Odd
    expr: x
    detect: {detector: robust, direction: up, warm_up_samples: 30}
    annotations: {summary: '{{ printf "%.0f instead of %.0f" $value $expected }}'}
""")
    noise = np.random.default_rng(1).normal(100, 1, 200)
    told = []
    for i, value in enumerate([*noise, 150.0, 151.0, 100.0]):
        put(engine, i * STEP_MS, a=float(value))
        told += engine.tick(i * STEP_MS)
    assert [AlertState.FIRING, AlertState.RESOLVED] == [alert.state for alert in told]
    firing = told[0]
    assert "150 instead of 100" == firing.annotations["summary"]
    assert firing.annotations["explanation"].endswith("none of 200 seen before was as odd")
    assert firing.score is not None
    assert firing.score > 0.9999
    assert firing.high is not None
    assert firing.high < 110
    assert firing.view.startswith("The value 150 is above the expected 100")


def test_only_the_owner_tells_of_what_is_absent() -> None:
    """Every partition lacks the series; one of them is to say so."""

    def owner(service: str) -> Callable[..., bool]:
        return lambda labels: get_label(labels, "service") == service

    rules = "  - {alert: Gone, expr: 'absent(x{service=\"db\"})'}\n"
    mine = make_engine(rules, owns=owner("db"))
    other = make_engine(rules, owns=owner("web"))
    assert ["0 db firing"] == short(mine.tick(0))
    assert other.tick(0) == []


def test_failures_are_bounded() -> None:
    """A caller that never looks does not fill the memory."""
    engine = make_engine("  - {alert: A, expr: x > 1, labels: {service: all}}\n")
    put(engine, 0, a=2, b=2)
    for _ in range(1100):
        engine.tick(0)
    assert len(engine.failures) == 1000


RULES = """
  - {record: y, expr: "rate(x[1m])"}
  - {alert: Slow, expr: y > 0.2, for: 30s, keep_firing_for: 30s}
  - alert: Odd
    expr: x
    detect: {detector: ewma, warm_up_samples: 5, false_alarms: 1 per hour}
  - {alert: Dynamic, expr: x > 3, labels: {v: "{{ $value }}"}}
"""


@settings(max_examples=25)
@given(
    values=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=30),
    breaks=st.sets(st.integers(0, 29)),
    order=st.permutations([0, 1, 2]),
)
def test_restarts_and_the_order_of_series_change_nothing(
    values: list[list[int]], breaks: set[int], order: list[int]
) -> None:
    """A run with snapshots and restores, its series coming in another order, tells the same as an unbroken one."""
    unbroken, broken = make_engine(RULES), make_engine(RULES)
    told, told_again = [], []
    for i, three in enumerate(values):
        t_ms = i * STEP_MS
        put(unbroken, t_ms, **{f"s{k}": float(three[k]) for k in range(3)})
        told += unbroken.tick(t_ms)
        for k in order:
            put(broken, t_ms, **{f"s{k}": float(three[k])})
        if i in breaks:
            state = broken.snapshot()
            broken = make_engine(RULES)
            broken.restore(state)
        told_again += broken.tick(t_ms)
    assert told == told_again


def test_a_changed_rule_ends_its_alerts_and_the_others_keep_their_timers() -> None:
    """At the first tick after the restore, with that reason."""
    kept = "  - {alert: Kept, expr: x > 1, for: 30s}\n"
    engine = make_engine(kept + "  - {alert: Changed, expr: x > 1}\n")
    put(engine, 0, a=2)
    assert ["0 a pending", "0 a firing"] == short(engine.tick(0))
    after = make_engine("  - {alert: Changed, expr: x > 0.5}\n" + kept)
    after.restore(engine.snapshot())
    put(after, STEP_MS, a=2)
    alerts = after.tick(STEP_MS)
    assert [
        ("Changed", AlertState.RESOLVED, AlertReason.RULE_REMOVED),
        ("Changed", AlertState.FIRING, AlertReason.CONDITION_TRUE),
    ] == [(alert.name, alert.state, alert.reason) for alert in alerts]
    assert alerts[0].fingerprint == alerts[1].fingerprint
    assert alerts[0].time < alerts[1].time
    put(after, 2 * STEP_MS, a=2)
    assert ["30 a firing"] == short(after.tick(2 * STEP_MS))


def test_what_is_no_snapshot_is_refused() -> None:
    """Nor is one of another version."""
    engine = make_engine(HIGH)
    with pytest.raises(CheckpointError, match="no snapshot of rules"):
        engine.restore({})
    head = np.frombuffer(b'{"version":99,"rules":{}}', np.uint8)
    with pytest.raises(CheckpointError, match="version 99"):
        engine.restore({**engine.snapshot(), "head": head})
