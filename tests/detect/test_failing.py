"""A rule that cannot be evaluated, seen from outside its stage."""

from schemas.alerts import Alert
from schemas.config import Config, SourceConfig
from schemas.reasons import AlertReason, AlertState
from schemas.records import decode_record
from schemas.topics import ALERTS
from streams.detect.stage import FusedStage
from streams.rules.failing import QUIET_MS
from streams.rules.load import parse_rules
from streams.transport.chunk import Chunk

SOURCE = SourceConfig(topic="shop", keyed=True)
START_MS = 1_700_000_000_000
# two series of `y` meet one of `x` as long as both are there: an error of the expression
RULES = """
groups:
  - name: g
    interval: 15s
    rules:
      - {alert: Broken, expr: x * on (service) y > 0}
      - {alert: Sound, expr: x > 1}
"""


def stage() -> FusedStage:
    groups, problems = parse_rules(RULES, "r.yml")
    assert [] == problems
    return FusedStage(Config(sources=(SOURCE,)), groups, SOURCE, 0)


def sample(time_ms: int, metric: str, **labels: str) -> bytes:
    told = ",".join(f'"{name}":"{value}"' for name, value in labels.items())
    return b'{"ts":%d,"metric":"%s","value":5,"labels":{"service":"a"%s}}' % (
        time_ms,
        metric.encode(),
        ("," + told if told else "").encode(),
    )


def run(
    made: FusedStage, first_ms: int, last_ms: int, *, twice: bool, offset: int
) -> tuple[list[Alert], int]:
    """Samples every five seconds; alerts told, and the next offset."""
    alerts = []
    for time_ms in range(first_ms, last_ms, 5_000):
        values = [sample(time_ms, "x"), sample(time_ms, "y", a="1")]
        values += [sample(time_ms, "y", a="2")] if twice else []
        chunk = Chunk(
            "shop",
            0,
            fetch_offset=offset,
            next_offset=offset + len(values),
            values=values,
            timestamps=[time_ms] * len(values),
        )
        offset += len(values)
        records = [out.value for out in made.apply(chunk) if out.topic == ALERTS]
        alerts += [decode_record(value, Alert) for value in records if b'"kind":"alert"' in value]
    return alerts, offset


def test_a_failing_rule_is_one_alert_and_the_others_go_on() -> None:
    """It fires once, names the rule and the error, outlives a restart, and resolves when the rule works again."""
    made = stage()
    fired, offset = run(made, START_MS, START_MS + 120_000, twice=True, offset=0)
    assert {("tocsin/RuleFailed", AlertState.FIRING), ("g/Sound", AlertState.FIRING)} == {
        (alert.rule, alert.state) for alert in fired
    }
    failed = next(alert for alert in fired if alert.rule == "tocsin/RuleFailed")
    assert ("g/Broken", AlertReason.RULE_FAILED) == (failed.labels["rule"], failed.reason)
    assert (
        "duplicate" in failed.annotations["description"]
        or "many" in failed.annotations["description"]
    )

    again = stage()
    again.restore(made.snapshot())
    later = START_MS + 120_000
    # the second series of y is forgotten after the look-back, from then on the rule works
    told, _ = run(again, later, later + 300_000 + QUIET_MS + 60_000, twice=False, offset=offset)
    ended = [alert for alert in told if alert.rule == "tocsin/RuleFailed"]
    assert [(AlertState.RESOLVED, failed.fingerprint)] == [(a.state, a.fingerprint) for a in ended]
    assert "g/Broken" in {alert.rule for alert in told}
