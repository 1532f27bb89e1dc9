"""Why an alert did not fire, from samples in files."""

from pathlib import Path

import pytest

from schemas.config import Config
from schemas.matchers import parse_matchers
from schemas.reasons import AbsenceReason
from streams.produce.columns import Columns
from streams.replay.absence import Absence, explain_absence
from streams.replay.history import gather
from streams.rules.load import parse_rules

RULES = """
groups:
  - name: g
    interval: 1m
    rules:
      - alert: High
        expr: temperature > 80
        for: 5m
        labels: {severity: critical}
      - alert: Odd
        expr: sum by (room) (temperature)
        detect: {detector: gaussian, false_alarms: 1 per week}
"""
START = 1_704_067_200_000
MINUTE = 60_000
HOT_FROM = 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An hour of one room, hot from minute 20 on, one sample a minute."""
    lines = (
        f'{{"ts":{START + n * MINUTE},"metric":"temperature","value":{95 if n >= HOT_FROM else 60},'
        '"labels":{"room":"attic","house":"1"}}'
        for n in range(60)
    )
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def ask(file: Path, labels: str, minute: float) -> list[Absence]:
    groups, faults = parse_rules(RULES, "r.yml")
    assert [] == faults
    history = gather([file], Config(), Columns(None, None))
    at_ms = START + int(minute * MINUTE)
    return explain_absence(history.store, groups, parse_matchers(labels), at_ms)


def test_condition_is_false(file: Path) -> None:
    """The value and the condition that it does not meet, and where the rule stands."""
    (found,) = ask(file, "alertname=High,room=attic", 10)

    assert (AbsenceReason.CONDITION_FALSE, 60.0, 80.0, "g/High", "r.yml:6") == (
        found.reason,
        found.value,
        found.threshold,
        found.rule,
        found.where,
    )
    assert "the value is 60, the condition is > 80" == found.text


def test_condition_does_not_hold_for_long_enough(file: Path) -> None:
    """It says since when it holds, and how long it must."""
    (found,) = ask(file, "alertname=High", HOT_FROM + 3.5)

    assert (AbsenceReason.STILL_PENDING, START + HOT_FROM * MINUTE) == (found.reason, found.since)
    assert "pending: the condition holds for 3m, 5m are needed" == found.text
    assert START + (HOT_FROM + 3) * MINUTE == found.evaluated_at


def test_rule_that_fires_says_so(file: Path) -> None:
    """Then what stopped it is not the rule."""
    (found,) = ask(file, "alertname=High,severity=critical", HOT_FROM + 5)

    assert (AbsenceReason.FIRES, START + HOT_FROM * MINUTE) == (found.reason, found.since)


@pytest.mark.parametrize(("labels", "minute"), [("room=cellar,house=1", 10), ("room=attic", 90)])
def test_no_series_names_the_nearest(file: Path, labels: str, minute: int) -> None:
    """The series that come closest, so that a mistyped label is seen."""
    (found,) = ask(file, f"alertname=High,{labels}", minute)

    assert AbsenceReason.NO_SERIES is found.reason
    assert ('temperature{house="1", room="attic"}',) == found.nearest


def test_no_rule_names_those_that_there_are(file: Path) -> None:
    """A mistyped name, or a label that the rule sets otherwise."""
    for labels in ("alertname=Hihg", "alertname=High,severity=warning"):
        (found,) = ask(file, labels, 10)

        assert AbsenceReason.NO_RULE is found.reason
        assert "there are High, Odd" in found.text


def test_rule_with_a_detector_is_not_judged(file: Path) -> None:
    """Its answer hangs on all that it has learnt; the value is shown."""
    (found,) = ask(file, "alertname=Odd", 10)

    assert (AbsenceReason.DETECTOR_DECIDES, 60.0) == (found.reason, found.value)
