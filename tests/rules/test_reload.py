"""Other rules for a running engine: what is kept, what ends, and that it is what a restart would have made of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.errors import RuleError
from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import AlertReason, AlertState, ReloadReason
from streams.rules.answer import answer
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.reload import Reloads
from streams.rules.rule import RuleGroup

STEP_MS = 15_000

HIGH = "{alert: High, expr: x > 10, for: 30s}"
SAID = "{alert: High, expr: x > 10, for: 30s, annotations: {summary: 'now {{ $value }}'}}"
LONGER = "{alert: High, expr: x > 10, for: 45s}"
LOW = "{alert: Low, expr: x < 5}"
SUM = "{record: 'sum:x', expr: sum(x)}"
TWICE = "{record: 'sum:x', expr: 2 * sum(x)}"
READS = "{alert: Reads, expr: 'sum:x > 20'}"
CHAIN = "{alert: Chain, expr: 'count(ALERTS{alertname=\"High\"}) > 0', keep_firing_for: 15s}"
ODD = "{alert: Odd, expr: x, detect: {detector: gaussian, false_alarms: 1 per 10m}}"
ARRIVING = "{alert: Now, expr: x > 15, evaluate: on_arrival}"
ALL = (HIGH, SAID, LONGER, SUM, TWICE, READS, CHAIN, ODD, ARRIVING)


def groups_of(*rules: str, interval: str = "15s") -> list[RuleGroup]:
    """One group with these rules."""
    text = f"groups: [{{name: g, interval: {interval}, rules: [{', '.join(rules)}]}}]"
    groups, problems = parse_rules(text, "r.yml")
    assert [] == problems
    return groups


def engine_of(*rules: str) -> RuleEngine:
    """An engine with these rules."""
    return RuleEngine(groups_of(*rules), max_series=100)


def step(engine: RuleEngine, number: int, value: float) -> list[Alert]:
    """One sample of x, as it comes and at its tick."""
    t_ms = number * STEP_MS
    code = encode_labels(make_labels({"__name__": "x"}))
    rows = engine.store.rows(np.array([fingerprint_bytes(code)], np.uint64), [code])
    column = np.array([t_ms]), np.array([value])
    told = engine.arrive(rows, *column)
    engine.append(rows, *column)
    return told + engine.tick(t_ms)


def short(alerts: list[Alert]) -> list[tuple[int, str, str, str]]:
    """Time in s, name, state and reason of each."""
    return [(a.time // 1000, a.name, a.state.value, a.reason.value) for a in alerts]


def test_an_unchanged_rule_keeps_its_timer() -> None:
    """An alert pending for 15 s fires 15 s later, with the annotations of the new file."""
    engine = engine_of(HIGH)
    step(engine, 1, 20)
    step(engine, 2, 20)
    engine.replace(groups_of(LOW, SAID))
    (alert,) = step(engine, 3, 20)
    assert (AlertState.FIRING, {"summary": "now 20"}) == (alert.state, alert.annotations)
    assert STEP_MS == alert.active_at


def test_changed_and_removed_rules_end_with_that_reason() -> None:
    """At the next tick and a moment before it, so that the changed one begins anew behind its end."""
    engine = engine_of(HIGH, "{alert: Gone, expr: x > 1}")
    for number in (1, 2, 3):
        step(engine, number, 20)
    engine.replace(groups_of(LONGER))
    told = step(engine, 4, 20)
    removed = AlertReason.RULE_REMOVED.value
    assert {(59, "High", "resolved", removed), (59, "Gone", "resolved", removed)} == set(
        short(told[:2])
    )
    assert [(60, "High", "pending", "condition_true")] == short(told[2:])
    assert [] == step(engine, 5, 20)


def test_rules_with_a_fault_change_nothing() -> None:
    """The old ones go on as if nobody had asked."""
    engine = engine_of(HIGH)
    step(engine, 1, 20)
    (rule,) = groups_of(LOW)[0].rules
    broken = RuleGroup("g", STEP_MS, (type(rule)(**{**vars(rule), "expr": "x +"}),), "r.yml", 1)
    with pytest.raises(RuleError):
        engine.replace([broken])
    assert [(45, "High", "firing", "held_for")] == short(step(engine, 2, 20) + step(engine, 3, 20))


def test_a_change_taken_back_before_the_next_tick_loses_nothing() -> None:
    """The state waits for the tick, and a rule that is there again by then has it back."""
    engine = engine_of(HIGH, SUM)
    step(engine, 1, 20)
    engine.replace(groups_of(LOW))
    engine.replace(groups_of(HIGH, SUM))
    assert [(45, "High", "firing", "held_for")] == short(step(engine, 2, 20) + step(engine, 3, 20))


def test_a_series_that_no_rule_makes_any_more_ends() -> None:
    """With a stale marker at the next tick, not with the look-back five minutes later."""
    engine = engine_of(SUM, LOW)
    step(engine, 1, 20)
    engine.replace(groups_of(LOW))
    step(engine, 2, 20)
    assert [1, 0] == [len(answer(engine.store, "sum:x", t * STEP_MS)) for t in (1, 2)]


def test_a_series_that_another_rule_goes_on_making_has_no_gap() -> None:
    """Also where the other group has a longer interval: the old value stands until the new one comes."""
    engine = engine_of(SUM)
    step(engine, 4, 20)
    engine.replace([*groups_of(LOW), *groups_of(TWICE, interval="1m")])
    for number in (5, 6, 7, 8):
        step(engine, number, 20)
    values = [answer(engine.store, "sum:x", t * STEP_MS)[0].value for t in (4, 5, 7, 8)]
    assert [20, 20, 20, 40] == values


def test_alerts_become_series_as_soon_as_a_rule_selects_them() -> None:
    """And end when none does any more; the selector's alertname says whose."""
    engine = engine_of(LOW, HIGH)
    step(engine, 1, 20)
    assert [] == answer(engine.store, "ALERTS", STEP_MS)
    engine.replace(groups_of(LOW, HIGH, CHAIN))
    assert ["Chain"] == [alert.name for alert in step(engine, 2, 20)]
    step(engine, 3, 1)
    assert {"High"} == {
        dict(sample.labels)["alertname"] for sample in answer(engine.store, "ALERTS", 2 * STEP_MS)
    }
    step(engine, 4, 20)
    engine.replace(groups_of(LOW, HIGH))
    step(engine, 5, 20)
    found = [len(answer(engine.store, "ALERTS", t * STEP_MS)) for t in (2, 3, 4, 5)]
    assert [1, 0, 1, 0] == found


def test_tenants_do_not_see_each_other_s_alerts() -> None:
    """Series of alerts carry the tenant, so a rule over them has one result for each."""
    engine = engine_of("{alert: High, expr: x > 10}", CHAIN)
    codes = [encode_labels(make_labels({"__name__": "x", "__tenant__": t})) for t in ("a", "b")]
    rows = engine.store.rows(np.array(list(map(fingerprint_bytes, codes)), np.uint64), codes)
    engine.append(rows, np.full(2, STEP_MS), np.array([20.0, 1.0]))
    assert [("a", "High"), ("a", "Chain")] == [(a.tenant, a.name) for a in engine.tick(STEP_MS)]


def restarted(engine: RuleEngine, rules: tuple[str, ...]) -> RuleEngine:
    """A new engine with these rules that has restored a snapshot of this one."""
    fresh = engine_of(*rules)
    fresh.restore(engine.snapshot())
    return fresh


def states(engine: RuleEngine) -> list[tuple[object, ...]]:
    """What stands, without facts that may be NaN."""
    return [(a.labels, a.state, a.active_at, a.heard_at) for _, a in engine.standing()]


# one rule that reads x is always there: without any, a snapshot has no samples to give to the rules that come next
rule_sets = st.lists(st.sampled_from(ALL), max_size=5, unique=True).map(lambda r: (LOW, *r))


@settings(max_examples=40, deadline=None)
@given(st.lists(rule_sets, min_size=2, max_size=4), st.data())
def test_a_reload_is_what_a_restart_would_be(
    sets: list[tuple[str, ...]], data: st.DataObject
) -> None:
    """The same alerts, and in the end the same alerts standing, also with several changes between two ticks."""
    live, other = engine_of(*sets[0]), engine_of(*sets[0])
    number = 0
    for rules in sets:
        live.replace(groups_of(*rules))
        other = restarted(other, rules)
        values = data.draw(st.lists(st.sampled_from((1.0, 11.0, 20.0)), max_size=5))
        for value in values:
            number += 1
            assert step(live, number, value) == step(other, number, value)
    assert states(live) == states(other)
    for expression in ("ALERTS", "ALERTS_FOR_STATE", "sum:x"):
        found = [answer(engine.store, expression, number * STEP_MS) for engine in (live, other)]
        assert found[0] == found[1]


def test_a_failed_reload_shows_until_one_succeeds() -> None:
    """All ways of ending are counted from 0."""
    reloads = Reloads()
    reloads.note(ReloadReason.REFUSED)
    assert (True, 1) == (reloads.failed, reloads.counts[ReloadReason.REFUSED])
    reloads.note(ReloadReason.UNCHANGED)
    assert (False, 0) == (reloads.failed, reloads.counts[ReloadReason.APPLIED])
