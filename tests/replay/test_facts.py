"""Facts: edges learnt from telemetry and change events, from raw records to an incident, the same however cut."""

import json

import pytest

from schemas.config import Config
from schemas.reasons import JoinReason
from streams.replay import backtest
from streams.replay.backtest import Backtest, Outcome
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules

START = 1_700_000_040_000
CONFIG = Config.model_validate(
    {
        "kafka": {"partitions": 2},
        "sources": [{"topic": "telemetry", "tenant": {"label": "tenant", "default": "shop"}}],
        "changes": {"topic": "changes", "tenant": "shop"},
    }
)
RULES = """
groups:
  - name: g
    interval: 15s
    rules: [{alert: Slow, expr: latency_seconds > 1}]
"""


def telemetry() -> list[Recorded]:
    """Ten minutes: web calls cart calls db; from the sixth on cart is slow, and web a little later."""
    found = []
    for step in range(120):
        at = START + step * 5_000
        samples = [
            {
                "ts": at,
                "metric": "traces_service_graph_request_total",
                "value": step,
                "labels": {"service": caller, "client": caller, "server": callee},
            }
            for caller, callee in (("web", "cart"), ("cart", "db"))
        ]
        samples += [
            {
                "ts": at,
                "metric": "latency_seconds",
                "value": 2.0 if step >= begins else 0.1,
                "labels": {"service": service},
            }
            for service, begins in (("cart", 70), ("web", 76))
        ]
        value = json.dumps(samples).encode()
        found.append(Recorded("telemetry", step % 2, step // 2, at, value))
    return found


def changed(service: str, step: int) -> Recorded:
    """A deployment of a service, as the pipeline of the users sends it."""
    at = START + step * 5_000
    event = {"ts": at / 1000, "kind": "deployment", "service": service, "what": "v2", "who": "ci"}
    return Recorded("changes", 0, 0, at, json.dumps(event).encode())


def run() -> Outcome:
    """The story in order of record time."""
    groups, faults = parse_rules(RULES, "rules.yml")
    assert not faults
    log = sorted([*telemetry(), changed("db", 66)], key=lambda r: r.timestamp_ms)
    return Backtest(CONFIG, groups).run(log)


def test_edges_and_changes_reach_the_incident() -> None:
    """Nothing is declared: spans told who calls whom, and the deployment of the silent database is a cause."""
    (incident,) = run().incidents
    causes = {cause.entity: cause for cause in incident.causes}

    assert [JoinReason.FIRST_OF_GROUP, JoinReason.LEARNT_GRAPH] == sorted(
        (a.joined for a in incident.alerts), key=list(JoinReason).index
    )
    assert "cart" == incident.causes[0].entity
    assert "deployment v2 by ci, 30 s before the first onset" in causes["db"].evidence[0].text


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_how_the_log_is_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Edges and changes are ordered by event time: any chunks give the same records, byte for byte."""
    expected = run().values
    monkeypatch.setattr(backtest, "CHUNK", size)

    assert expected == run().values
