"""Spans and log records of OTLP through the path: the rules of the Collector's recipe find what is wrong."""

from schemas.config import load_document
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules
from tests.schemas.wire.otlp.calls import NOW, client, logs, server
from tests.schemas.wire.otlp.golden.collector import RULES, TOCSIN

SECONDS = 240
SLOW_MS = 2_000


def shop() -> list[Recorded]:
    """Cart calls pay once a second; from the second minute on pay is slow, fails half of the time, and says so."""
    found: list[Recorded] = []
    for second in range(SECONDS):
        at = second * 1000
        bad = second >= SECONDS // 2
        taken = {"took_ms": SLOW_MS} if bad else {}
        number = second % 250
        for topic, value in (
            ("otlp_spans", server(number, at, failed=bad and second % 2 == 0, **taken)),
            ("otlp_spans", client(number, at + 1)),
            ("otlp_logs", logs((at, 9, f"order {second} paid"))),
            *(("otlp_logs", logs((at + n, 17, f"card {n} refused"))) for n in range(3 * bad)),
        ):
            found.append(Recorded(topic, 0, len(found), NOW + at, value))
    return found


def test_the_rules_of_the_recipe_find_what_is_wrong() -> None:
    """Failing and slow requests, and errors in the log, are alerts, each of its own service."""
    config = load_document(TOCSIN, "tocsin.yaml").config
    groups, faults = parse_rules(RULES, "rules.yml")
    outcome = Backtest(config, groups).run(shop())
    fired = {
        (dict(found.alert.labels)["alertname"], dict(found.alert.labels)["service"])
        for incident in outcome.incidents
        for found in incident.alerts
    }

    assert [] == faults
    assert {} == outcome.refused
    assert {("RequestsFail", "pay"), ("CallsSlow", "pay"), ("ErrorsLogged", "cart")} == fired
