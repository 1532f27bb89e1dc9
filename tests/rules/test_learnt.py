"""What detectors learnt from history: written, found again, and given to series that are seen for the first time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import CheckpointError
from schemas.labels import make_labels
from streams.rules.detect import DetectRule
from streams.rules.learnt import put
from streams.rules.learnt_file import read_learnt, write_learnt
from streams.rules.load import parse_rules
from streams.rules.rule import Rule
from streams.rules.vector import LabelSpace

STEP_MS = 15_000
RULES = """
groups:
  - name: g
    interval: 15s
    rules:
      - {alert: Odd, expr: x, detect: {detector: robust, false_alarms: BUDGET}}
"""


def rule_of(budget: str = "1 per day", expr: str = "x") -> Rule:
    """A rule with a detector."""
    text = RULES.replace("BUDGET", budget).replace("expr: x", f"expr: {expr}")
    groups, problems = parse_rules(text, "rules.yml")
    assert not problems
    return groups[0].rules[0]


def detector_of(rule: Rule) -> DetectRule:
    """The detector of a rule."""
    assert rule.detect is not None
    return DetectRule(rule.detect, interval_ms=rule.interval_ms, max_series=100)


def feed(detect: DetectRule, names: list[str], values: np.ndarray, first: int = 0) -> np.ndarray:
    """Values [n, series], a step after the other; which were abnormal, of the last step."""
    space = LabelSpace()
    rows = np.array([space.row(make_labels({"service": name})) for name in names])
    verdict = None
    for step, line in enumerate(values, first):
        verdict = detect.update(space, rows, np.full(len(rows), step * STEP_MS), line)
    assert verdict is not None
    return verdict.abnormal


@pytest.fixture
def learnt(tmp_path: Path) -> Path:
    """What 300 steps of two series have taught a detector."""
    rule = rule_of()
    detect = detector_of(rule)
    feed(detect, ["a", "b"], 100 + np.random.default_rng(1).normal(size=(300, 2)))
    write_learnt(tmp_path / "learnt", [(rule, detect)])
    return tmp_path / "learnt"


def test_a_series_that_is_known_from_history_is_spoken_of_at_once(learnt: Path) -> None:
    """Its first sample is odd; that of a series that nobody knows is not, and it must wait."""
    rule = rule_of("2 per week")  # another budget is no other state
    assert rule.detect is not None
    rule = replace(rule, detect=replace(rule.detect, learnt=read_learnt(learnt)[rule.learnt_key]))
    detect = detector_of(rule)
    found = feed(detect, ["new", "b", "a"], np.array([[150.0, 150.0, 100.0]]))
    assert [False, True, False] == found.tolist()
    assert (2, [59 * STEP_MS, 0, 0]) == (detect.adopted, detect.waits().tolist())


def test_it_goes_on_as_the_detector_that_learnt_it(learnt: Path) -> None:
    """Same scores, to the bit, as without the break."""
    rule = rule_of()
    history = 100 + np.random.default_rng(1).normal(size=(300, 2))
    whole = detector_of(rule)
    feed(whole, ["a", "b"], history)
    assert rule.detect is not None
    block = replace(rule.detect, learnt=read_learnt(learnt)[rule.learnt_key])
    begun = detector_of(replace(rule, detect=block))
    more = 100 + np.random.default_rng(2).normal(size=(50, 2))
    feed(whole, ["a", "b"], more, 300)
    feed(begun, ["a", "b"], more, 300)
    for name, column in whole.banks.usual.snapshot().items():
        np.testing.assert_array_equal(column[:2], begun.banks.usual.snapshot()[name][:2])


def test_a_checkpoint_goes_before_history(learnt: Path) -> None:
    """A restart does not take a series back to what the file says."""
    rule = rule_of()
    assert rule.detect is not None
    rule = replace(rule, detect=replace(rule.detect, learnt=read_learnt(learnt)[rule.learnt_key]))
    detect = detector_of(rule)
    feed(detect, ["a"], np.full((20, 1), 101.0))
    again = detector_of(rule)
    again.restore(detect.snapshot())
    feed(detect, ["a"], np.full((1, 1), 101.0), 20)
    feed(again, ["a"], np.full((1, 1), 101.0), 20)
    assert (1, 0) == (detect.adopted, again.adopted)
    for name, column in detect.banks.usual.snapshot().items():
        np.testing.assert_array_equal(column, again.banks.usual.snapshot()[name])


def test_another_expression_or_detector_finds_nothing(learnt: Path) -> None:
    """State is found by all that it hangs on."""
    known = read_learnt(learnt)
    assert rule_of().learnt_key in known
    assert rule_of(expr="y").learnt_key not in known


def test_a_file_that_is_cut_is_refused(learnt: Path) -> None:
    """Nothing is begun with half a state."""
    learnt.write_bytes(learnt.read_bytes()[:-10])
    with pytest.raises(CheckpointError):
        read_learnt(learnt)


def test_rows_of_another_bank_are_refused() -> None:
    """Columns that do not fit are told by name."""
    detect = detector_of(rule_of())
    with pytest.raises(CheckpointError, match="do not fit"):
        put(detect.banks.usual, np.array([0]), {"mean": np.zeros(1)}, np.array([0]))
