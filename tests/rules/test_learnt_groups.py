"""What detectors learnt of groups from history: given to groups and members that are seen for the first time."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.errors import CheckpointError
from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import AlertState
from streams.rules.engine import RuleEngine
from streams.rules.grouped import detect_rule, parts
from streams.rules.learnt_file import read_learnt, write_learnt
from streams.rules.load import parse_rules
from streams.rules.rule import Rule, RuleGroup

STEP_MS, LEARNT, STEPS, PODS = 60_000, 150, 170, 6
LABELS = [
    {"__name__": "x", "service": service, "pod": f"p{pod}"}
    for service in ("cart", "search")
    for pod in range(PODS)
]
RULES = """
groups:
- name: g
  interval: 1m
  rules:
  - alert: Odd
    expr: x
    detect: {false_alarms: 1 per week, BLOCK}
"""


def groups_of(block: str, learnt: Path | None = None) -> list[RuleGroup]:
    """One rule with this block, and what it begins with."""
    groups, problems = parse_rules(RULES.replace("BLOCK", block), "r.yml")
    assert problems == []
    known = read_learnt(learnt) if learnt else {}

    def knowing(rule: Rule) -> Rule:
        assert rule.detect is not None
        block = dataclasses.replace(rule.detect, learnt=known.get(rule.learnt_key))
        return dataclasses.replace(rule, detect=block)

    return [dataclasses.replace(each, rules=tuple(map(knowing, each.rules))) for each in groups]


def play(engine: RuleEngine, values: np.ndarray, first: int = 0) -> list[Alert]:
    """Let each minute bring one value for each pod, float64[minutes, pods], NaN for none."""
    codes = [encode_labels(make_labels(labels)) for labels in LABELS]
    rows = engine.store.rows(np.array([fingerprint_bytes(c) for c in codes], np.uint64), codes)
    told: list[Alert] = []
    for step, each in enumerate(values, start=first):
        there = np.flatnonzero(np.isfinite(each))
        engine.append(rows[there], np.full(len(there), step * STEP_MS), each[there])
        told += engine.tick(step * STEP_MS)
    return [alert for alert in told if alert.state is AlertState.FIRING]


def noise() -> np.ndarray:
    """Pods that share what their service is asked for, and have noise of their own."""
    random = np.random.default_rng(1)
    load = np.cumsum(random.normal(size=(STEPS, 2)), axis=0)
    return 50 + np.repeat(load, PODS, axis=1) + random.normal(size=(STEPS, 2 * PODS))


def taught(block: str, values: np.ndarray, path: Path) -> RuleEngine:
    """An engine that has seen these values, and wrote what it learnt."""
    engine = RuleEngine(groups_of(block), max_series=100)
    play(engine, values)
    write_learnt(path, engine.detectors)
    return engine


TREES = "detector: half_space_trees, window_samples: 60, trees: 8, by: [service]"


@pytest.mark.parametrize(
    "block",
    [
        "detector: peers, by: [service]",
        "detector: pca, by: [service], join: false",
        "detector: peers, by: [service], join: false",
        TREES,
    ],
)
def test_a_group_goes_on_as_where_it_was_learnt(block: str, tmp_path: Path) -> None:
    """The same alerts, members to blame and state as without the break."""
    values = noise()
    values[155:160, 8] += 100
    whole = taught(block, values[:LEARNT], tmp_path / "learnt")
    expected = play(whole, values[LEARNT:], first=LEARNT)
    begun = RuleEngine(groups_of(block, tmp_path / "learnt"), max_series=100)

    # what the rule looked at before is no knowledge of its detector
    actual = play(begun, values[LEARNT:], first=LEARNT)
    assert [replace(a, values=()) for a in expected] == [replace(a, values=()) for a in actual]
    assert 155 * STEP_MS in [alert.time for alert in expected]
    for one, other in zip(parts(whole.detectors[0][1]), parts(begun.detectors[0][1]), strict=True):
        assert len(one.roster) == other.adopted
        for name, column in one.banks.usual.snapshot().items():
            np.testing.assert_array_equal(column, other.banks.usual.snapshot()[name], name)


def test_templates_that_history_knew_are_no_newcomers(tmp_path: Path) -> None:
    """Those that come with them are, against the rate of then."""
    block = "detector: newcomers, by: [service]"
    values = np.ones((LEARNT, 2 * PODS))
    values[:, 3:] = np.nan
    taught(block, values, tmp_path / "learnt")
    later = np.ones((1, 2 * PODS))
    later[:, PODS:] = np.nan

    known = RuleEngine(groups_of(block, tmp_path / "learnt"), max_series=100)
    (alert,) = play(known, later, first=LEARNT)
    assert set(alert.annotations["blame"].split(", ")) <= {f'x{{pod="p{n}"}}' for n in (3, 4, 5)}
    again = RuleEngine(groups_of(block, tmp_path / "learnt"), max_series=100)
    assert [] == play(again, values[:1], first=LEARNT)


def test_a_member_that_comes_later_leaves_its_group_as_it_is(tmp_path: Path) -> None:
    """Who is known joins with what was learnt of it; the trees, which are live by then, are not taken back."""
    values = noise()
    taught(TREES, values[:LEARNT], tmp_path / "learnt")
    begun = RuleEngine(groups_of(TREES, tmp_path / "learnt"), max_series=100)
    without = values.copy()
    without[:, 2] = np.nan
    play(begun, without[150:160], first=150)
    (_, detect), *_ = begun.detectors
    bank = parts(detect)[1].banks.usual.snapshot()
    counted = bank["group_counted"].tolist()
    play(begun, values[160:161], first=160)
    bank = parts(detect)[1].banks.usual.snapshot()
    assert [n + 1 for n in counted[:2]] == bank["group_counted"][:2].tolist()
    assert 2 * PODS == detect.members.adopted
    places = bank["place"][bank["slot"] == 0]
    assert sorted(set(places.tolist())) == sorted(places.tolist())


def test_other_groups_find_nothing(tmp_path: Path) -> None:
    """What was learnt of the members of a service is no use to those of a pod, nor to members told of by themselves."""
    taught("detector: peers, by: [service]", noise()[:20], tmp_path / "learnt")
    for block in ("by: [pod]", "by: [service], join: false"):
        (group,) = groups_of(f"detector: peers, {block}", tmp_path / "learnt")
        assert group.rules[0].detect is not None
        assert group.rules[0].detect.learnt is None


def test_state_of_another_version_is_refused_before_a_series_comes(tmp_path: Path) -> None:
    """A file whose columns are not those of the detector is a fault where it is read, not at the first sample."""
    block = "detector: peers, by: [service]"
    taught(block, noise()[:20], tmp_path / "learnt")
    (rule,) = groups_of(block, tmp_path / "learnt")[0].rules
    assert rule.detect is not None
    for part in parts(detect_rule(rule.detect, interval_ms=STEP_MS, max_series=1)):
        part.banks.try_on(part.block.learnt)
    other = dataclasses.replace(rule.detect, detector="pca")
    _, members = parts(detect_rule(other, interval_ms=STEP_MS, max_series=1))
    with pytest.raises(CheckpointError, match="do not fit"):
        members.banks.try_on(members.block.learnt)


def test_a_group_waits_for_a_member_and_then_for_itself(tmp_path: Path) -> None:
    """Sixty evaluations each; nothing where history has both."""
    block = "detector: peers, by: [service]"
    values = noise()
    engine = taught(block, values[:LEARNT], tmp_path / "learnt")
    (_, detect), *_ = engine.detectors
    assert [0, 0] == detect.waits().tolist()
    fresh = RuleEngine(groups_of(block), max_series=100)
    play(fresh, values[:10])
    (_, young), *_ = fresh.detectors
    assert [110 * STEP_MS] * 2 == young.waits().tolist()
