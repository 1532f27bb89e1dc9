"""The `detect:` block with `by`: groups of series, their evidence, the members to blame."""

import numpy as np
import pytest

from schemas.alerts import Alert
from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import AlertState
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.partial.wide import Wide

STEP_MS = 60_000
SERVICES, PODS, STEPS = ("cart", "search"), 6, 400
LABELS = [{"__name__": "x", "service": s, "pod": f"p{p}"} for s in SERVICES for p in range(PODS)]


def rules(detect: str) -> str:
    """A file of one rule with this block."""
    return f"""
groups:
- name: g
  interval: 1m
  rules:
  - alert: Odd
    expr: x
    detect: {{false_alarms: 1 per week, {detect}}}
"""


def engine_of(detect: str) -> RuleEngine:
    """An engine of that rule."""
    groups, problems = parse_rules(rules(detect), "r.yml")
    assert problems == []
    return RuleEngine(groups, max_series=100)


def play(engine: RuleEngine, values: np.ndarray, first: int = 0) -> list[Alert]:
    """Let each minute bring one value for each pod, float64[minutes, pods]."""
    codes = [encode_labels(make_labels(labels)) for labels in LABELS]
    rows = engine.store.rows(np.array([fingerprint_bytes(c) for c in codes], np.uint64), codes)
    told: list[Alert] = []
    for step, each in enumerate(values, start=first):
        engine.append(rows, np.full(len(rows), step * STEP_MS), each)
        told += engine.tick(step * STEP_MS)
    return told


def noise() -> np.ndarray:
    """Pods that share what their service is asked for, and have noise of their own."""
    random = np.random.default_rng(1)
    load = np.cumsum(random.normal(size=(STEPS, 2)), axis=0)
    return 50 + np.repeat(load, PODS, axis=1) + random.normal(size=(STEPS, 2 * PODS))


def fired(alerts: list[Alert]) -> list[Alert]:
    """Those that begin."""
    return [alert for alert in alerts if alert.state is AlertState.FIRING]


def test_one_member_far_out_is_an_alert_of_its_group_that_blames_it() -> None:
    """The alert has the labels of `by` alone, and its annotation names the member; the others stay quiet."""
    values = noise()
    values[350:360, 8] += 15
    told = fired(play(engine_of("detector: peers, by: [service]"), values))
    assert [dict(alert.labels) for alert in told] == [{"alertname": "Odd", "service": "search"}]
    assert told[0].time == 350 * STEP_MS
    assert told[0].annotations["blame"] == 'x{pod="p2"}'
    assert "expected" not in told[0].view


def test_many_members_a_little_out_are_an_alert_where_none_is_by_itself() -> None:
    """A shift of all by two and a half deviations is found for the group, and no member alone reaches the threshold."""
    random = np.random.default_rng(4)
    values = 50 + random.normal(size=(STEPS, 2 * PODS))
    values[350:360, 6:] += 2.6
    together = fired(play(engine_of("detector: ewma, by: [service]"), values))
    alone = fired(play(engine_of("detector: ewma"), values))
    assert [(a.time // STEP_MS, a.labels["service"]) for a in together] == [(350, "search")]
    assert together[0].annotations["blame"].count("pod=") >= 2
    assert len([alert for alert in alone if alert.time == together[0].time]) == 0


def test_members_can_have_alerts_of_their_own() -> None:
    """With `join: false` a detector that compares members tells of the member, with its labels."""
    values = noise()
    values[350:360, 8] += 15
    told = fired(play(engine_of("detector: peers, by: [service], join: false"), values))
    found = [a for a in told if a.time == 350 * STEP_MS]
    assert [(a.labels["service"], a.labels["pod"]) for a in found] == [("search", "p2")]
    assert found[0].expected == pytest.approx(values[350, 6:12].mean(), abs=4)


@pytest.mark.parametrize("block", ["detector: peers", "detector: pca, join: false"])
def test_a_restart_changes_nothing(block: str) -> None:
    """An engine that goes on from a snapshot tells what the one tells that was never stopped."""
    values = noise()
    values[350:360, 8] += 15
    values[360:370, 3] += 15
    block += ", by: [service]"
    whole = engine_of(block)
    play(whole, values[:352])
    kept = whole.snapshot()
    expected = play(whole, values[352:], first=352)
    again = engine_of(block)
    again.restore(kept)
    assert expected == play(again, values[352:], first=352)
    assert expected


def test_what_was_learnt_of_a_group_does_not_hold_its_incident() -> None:
    """While a group is abnormal its members do not learn, so the same fault is as odd at its end as at its start."""
    values = noise()
    values[300:345, 8] += 15
    engine = engine_of("detector: peers, by: [service]")
    told = play(engine, values)
    mine = [(a.time // STEP_MS, a.state) for a in told if a.labels["service"] == "search"]
    assert mine[0] == (300, AlertState.FIRING)
    assert mine[-1][1] is AlertState.RESOLVED
    assert mine[-1][0] >= 345


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("detector: peers", "compares the members of a group: say by: [label, ...]"),
        ("detector: ewma, by: [service], join: false", "join: false leaves nothing of by"),
        ("detector: pca, by: service", "by"),
    ],
)
def test_what_makes_no_sense_is_refused(block: str, said: str) -> None:
    """A group detector without groups, members of nothing, and labels that are no list are faults with their line."""
    _, problems = parse_rules(rules(block), "r.yml")
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].startswith("r.yml:")


def test_a_rule_on_arrival_has_no_groups() -> None:
    """Samples of a group do not arrive together, so `by` is refused there."""
    text = rules("detector: ewma, by: [service]").replace(
        "expr: x", "evaluate: on_arrival\n    expr: x"
    )
    assert "by needs evaluate: on_tick" in parse_rules(text, "r.yml")[1][0]


@pytest.mark.parametrize(("by", "stages"), [("[service, pod]", 0), ("[pod]", 1), ("[]", 1)])
def test_groups_that_no_partition_sees_whole_are_joined_in_the_second_stage(
    by: str, stages: int
) -> None:
    """A group without the labels of the locality needs two stages, as an aggregation by them does."""
    groups, _ = parse_rules(rules(f"detector: ewma, by: {by}"), "r.yml")
    assert len(Wide(groups, ("tenant", "service"))) == stages


def test_new_label_values_are_an_alert_of_their_group() -> None:
    """Templates that were never there, more of them than usual, are told once for the service, and named."""
    engine = engine_of("detector: newcomers, by: [service]")
    labels = [{"__name__": "x", "service": "cart", "pod": f"t{at}"} for at in range(12)]
    codes = [encode_labels(make_labels(each)) for each in labels]
    rows = engine.store.rows(np.array([fingerprint_bytes(c) for c in codes], np.uint64), codes)
    told: list[Alert] = []
    for step in range(300):
        there = rows[: 6 if step < 280 else 12]
        engine.append(there, np.full(len(there), step * STEP_MS), np.ones(len(there)))
        told += engine.tick(step * STEP_MS)
    assert [(a.time // STEP_MS, dict(a.labels)["service"]) for a in fired(told)] == [(280, "cart")]
    named = fired(told)[0].annotations["blame"]
    assert named.count("pod=") == 5
    assert all(f'"t{at}"' not in named for at in range(6))
