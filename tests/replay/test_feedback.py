"""What people say to detectors, through all stages: from tocsin.commands to the alert that is not told again."""

import msgspec
import numpy as np

from schemas import topics
from schemas.commands import About, Command, Verb
from schemas.config import Config, KafkaConfig
from schemas.records import encode_record
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules

RULES = """
groups:
  - name: g
    interval: 15s
    rules:
      - alert: Odd
        expr: latency
        labels: {severity: warning}
        detect: {detector: robust, warm_up_samples: 30, false_alarms: 1 per hour, min_effect: 15}
"""
BEGIN_MS, STEP_MS = 1_767_225_600_000, 15_000
FIRST, SECOND = 100, 400


def telemetry() -> list[Recorded]:
    """Noise of one service, and the same spike of a minute two times."""
    values = 100 + np.random.default_rng(1).normal(size=500)
    values[FIRST : FIRST + 4] = values[SECOND : SECOND + 4] = 130.0
    topic = Config().sources[0].topic
    found = []
    for offset, value in enumerate(values.tolist()):
        t_ms = BEGIN_MS + offset * STEP_MS
        sample = {"ts": t_ms, "metric": "latency", "value": value, "labels": {"service": "cart"}}
        found.append(Recorded(topic, 0, offset, t_ms, msgspec.json.encode(sample)))
    return found


def said(verb: Verb) -> Recorded:
    """What somebody says between the two."""
    time = BEGIN_MS + 200 * STEP_MS
    about = About(matchers=(('alertname="Odd"', 'service="cart"'),))
    command = Command(id="x", tenant="default", verb=verb, actor="ada", time=time, about=about)
    return Recorded(topics.COMMANDS, 0, 0, time, encode_record(command))


def onsets(*more: Recorded) -> list[int]:
    """The steps at which incidents began."""
    groups, problems = parse_rules(RULES, "rules.yml")
    assert not problems
    outcome = Backtest(Config(kafka=KafkaConfig(partitions=2)), groups).run([*more, *telemetry()])
    times = [a.first_at for incident in outcome.incidents for a in incident.alerts]
    return [(time - BEGIN_MS) // STEP_MS for time in times]


def test_what_was_fine_makes_no_second_incident() -> None:
    """The first spike has its incident; the second one has none, for it was said between that it was fine."""
    assert [FIRST, SECOND] == onsets()
    assert [FIRST] == onsets(said(Verb.FINE))


def test_it_stands_in_the_explanation_of_an_alert() -> None:
    """Expected value, band, rarity and rank, as an annotation of the alert in the incident."""
    groups, _ = parse_rules(RULES, "rules.yml")
    outcome = Backtest(Config(kafka=KafkaConfig(partitions=2)), groups).run(telemetry())
    told = outcome.incidents[0].alerts[0].alert.annotations["explanation"]
    assert told.startswith("The value 130 is above the expected 100 (usual ")
    assert told.endswith("none of 101 seen before was as odd")
