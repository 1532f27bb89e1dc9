"""What people say of alerts: it moves the threshold, and is remembered."""

import numpy as np
import pytest

from schemas.commands import About, Command, Verb
from schemas.labels import make_labels
from streams.rules import feedback as room
from streams.rules.detect import DetectRule
from streams.rules.engine import RuleEngine
from streams.rules.feedback import NO_OPINION, Feedback, Opinion
from streams.rules.load import parse_rules
from streams.rules.rule_file import DetectSection
from streams.rules.vector import LabelSpace
from tests.rules.test_engine import put

STEP_MS = 15_000
RULES = """
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Odd
        expr: x
        labels: {severity: warning}
        detect: {detector: robust, warm_up_samples: 30, false_alarms: 1 per day}
"""
OF_A = About(matchers=(('alertname="Odd"', 'service="a"'),))


def make_engine() -> RuleEngine:
    """An engine with one rule with a detector."""
    groups, problems = parse_rules(RULES, "rules.yml")
    assert not problems
    return RuleEngine(groups, max_series=100)


def feed(engine: RuleEngine, step: int, **values: float) -> list[str]:
    """One sample of each service, and the evaluation; services whose alerts fire because of it."""
    put(engine, step * STEP_MS, **values)
    told = engine.tick(step * STEP_MS)
    return [alert.labels["service"] for alert in told if alert.state.value == "firing"]


def settled(engine: RuleEngine) -> int:
    """After 200 steps of noise; the next step."""
    noise = 100 + np.random.default_rng(1).normal(size=(200, 2))
    for step, (a, b) in enumerate(noise.tolist()):
        feed(engine, step, a=a, b=b)
    return 200


def command(verb: Verb, about: About, tenant: str = "default", time: int = 0) -> Command:
    """A command to detectors."""
    return Command(id="1", tenant=tenant, verb=verb, actor="ada", time=time, about=about)


def test_what_was_fine_is_not_told_again() -> None:
    """The same deviation on the same series stays quiet, a larger one does not; the other series is as it was."""
    engine = make_engine()
    step = settled(engine)
    assert ["a", "b"] == feed(engine, step, a=130.0, b=130.0)
    feed(engine, step + 1, a=100.0, b=100.0)

    assert 1 == engine.obey(command(Verb.FINE, OF_A))

    assert ["b"] == feed(engine, step + 2, a=129.0, b=129.0)
    feed(engine, step + 3, a=100.0, b=100.0)
    assert ["a", "b"] == feed(engine, step + 4, a=190.0, b=190.0)


def test_what_was_bad_is_told_again() -> None:
    """It undoes what was said before."""
    engine = make_engine()
    step = settled(engine)
    feed(engine, step, a=130.0, b=100.0)
    feed(engine, step + 1, a=100.0, b=100.0)
    engine.obey(command(Verb.FINE, OF_A))
    engine.obey(command(Verb.BAD, OF_A))
    assert ["a"] == feed(engine, step + 2, a=129.0, b=100.0)


@pytest.mark.parametrize(
    ("about", "tenant"),
    [
        (OF_A, "other"),
        (About(matchers=(('service="c"',),)), "default"),
        (About(matchers=(("x",),)), "default"),
    ],
)
def test_it_reaches_only_those_that_are_named(about: About, tenant: str) -> None:
    """Of another tenant, of another service, or with conditions that make no sense: nobody hears it."""
    engine = make_engine()
    settled(engine)
    assert 0 == engine.obey(command(Verb.FINE, about, tenant))


def test_it_is_remembered_by_a_checkpoint_and_without_the_series() -> None:
    """After a restart, and after the series was forgotten and has come back."""
    section = DetectSection.model_validate({"detector": "robust"})
    rule = DetectRule(section.block({}), interval_ms=STEP_MS, max_series=10)
    space = LabelSpace()
    row = np.array([space.row(make_labels({"service": "a"}))])
    rule.update(space, row, np.array([0]), np.array([1.0]))
    rule.hear(np.array([0]), wanted=False)
    said = rule.thresholds.enter[0]
    assert said > rule.thresholds.lowest
    rule.retire(1)
    assert 0 == len(rule.roster)

    again = DetectRule(section.block({}), interval_ms=STEP_MS, max_series=10)
    again.restore(rule.snapshot())
    again.update(space, row, np.array([STEP_MS]), np.array([1.0]))

    assert said == again.thresholds.enter[0]


def test_a_budget_moves_by_four_within_bounds() -> None:
    """As often as it is said: 4096 times less, 64 times more, and both words undo each other."""
    quiet = keen = NO_OPINION
    for _ in range(20):
        quiet, keen = quiet.fine(np.nan), keen.bad(np.nan)
    assert (4.0**-6, 4.0**3) == (quiet.factor, keen.factor)
    assert 0 == NO_OPINION.fine(5.0).bad(5.0).steps
    assert Opinion(0, 2.5) == NO_OPINION.fine(5.0).bad(5.0)


def test_opinions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten."""
    monkeypatch.setattr(room, "MOST", 2)
    feedback = Feedback()
    for name in (b"a", b"b", b"c"):
        feedback.note(name, Opinion(1))
    assert [NO_OPINION, Opinion(1), Opinion(1)] == [feedback.of(n) for n in (b"a", b"b", b"c")]


def test_what_is_unlearnt_begins_anew() -> None:
    """A series that was told to unlearn says nothing until it has warmed up; the other one speaks."""
    engine = make_engine()
    step = settled(engine)
    engine.obey(command(Verb.UNLEARN, OF_A))
    assert ["b"] == feed(engine, step, a=130.0, b=130.0)
    (_, detect), *_ = engine.detectors
    assert [29 * STEP_MS, 0] == detect.waits().tolist()


def test_in_maintenance_nothing_is_learnt() -> None:
    """A level that is moved in a window of maintenance is odd after it, and the same series goes on as before."""
    engine = make_engine()
    step = settled(engine)
    (_, detect), *_ = engine.detectors
    before = detect.banks.samples(np.arange(2), np.zeros(2, np.int64)).tolist()
    about = About(matchers=(('service="a"',),), until=(step + 50) * STEP_MS)
    engine.obey(command(Verb.FREEZE, about, time=step * STEP_MS))
    for n in range(50):
        feed(engine, step + n, a=100.5, b=100.5)
    after = detect.banks.samples(np.arange(2), np.zeros(2, np.int64)).tolist()
    assert [0, 50] == [b - a for a, b in zip(before, after, strict=True)]
    feed(engine, step + 50, a=100.5, b=100.5)
    assert not detect.rows["frozen"].any()
