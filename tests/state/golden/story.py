"""Story: a fixed stretch of telemetry through all stages that keep a state, cut in two where much is under way.

At the cut one alert fires, one is pending, an incident is open, its page has not been confirmed and its playbook has
not ended; detectors, recording rules and windows are in the middle of what they count.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from schemas import topics
from schemas.alerts import Alert
from schemas.config import Config
from schemas.incidents import Incident
from schemas.records import decode_record
from sinks.notify.stage import NotifyStage
from sinks.remediate.stage import RemediateStage
from streams.correlate import CorrelateStage
from streams.detect.merge import MergeStage
from streams.detect.stage import DetectStage, FusedStage
from streams.ingest.stage import IngestStage
from streams.replay.pipeline import Pipeline, Recorded
from streams.rules.load import parse_rules
from streams.rules.rule import RuleGroup
from streams.stage import Outgoing

START_MS = 1_700_000_000_000
STEP_MS = 5_000
STEPS = 80
CUT = 44
BROKEN = range(30, 62)
SERVICES = ("cart", "checkout", "payment", "search")
CONFIG = {
    "kafka": {"partitions": 1},
    "sources": [{"topic": "telemetry"}],
    "correlate": {"group_wait": "10s", "resolve_delay": "30s"},
    "notify": {"receivers": [{"type": "webhook", "name": "page", "url": "http://127.0.0.1:9/"}]},
    "playbooks": [
        {
            "name": "restart",
            "matchers": ["alertname=ErrorsHigh"],
            "action": {"type": "kafka", "topic": "commands", "value": "restart"},
            "dry_run": False,
        }
    ],
}
RULES = """
groups:
  - name: story
    interval: 5s
    rules:
      - record: errors:mean
        expr: avg_over_time(errors[30s])
      - alert: ErrorsHigh
        expr: errors > 50
        for: 10s
        labels: {severity: critical}
        annotations: {summary: 'errors of {{ $labels.service }}: {{ $value }}'}
      - alert: MeanHigh
        expr: avg_over_time(errors[1m]) > 20
        for: 1m
      - alert: Odd
        expr: errors
        evaluate: on_arrival
        detect: {detector: ewma, warm_up_samples: 10, false_alarms: 1 per 1h}
"""
WIDE_RULES = """
groups:
  - name: wide
    interval: 5s
    rules:
      - record: errors:shop
        expr: avg(errors)
      - alert: ShopFails
        expr: errors:shop > 25
        for: 10s
      - alert: ManyFail
        expr: count(errors > 50) > 0
        for: 1m
"""
"""Wider than the locality: parts of one stage, merged by another."""


class Keeping(Protocol):
    """A stage as a checkpoint sees it."""

    def snapshot(self) -> bytes:
        """The whole state."""
        ...

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot."""
        ...


class Told(NamedTuple):
    """What the stages said of a stretch, without what may be worded anew: alerts (`fused`, `merged` ones too), ..."""

    alerts: list[tuple[str, str, int]]
    fused: list[tuple[str, str, int]]
    merged: list[tuple[str, str, int]]
    incidents: list[tuple[str, str, int]]
    pages: list[tuple[str, int]]
    intents: list[str]


def telemetry() -> Iterator[Recorded]:
    """Errors of four services; one breaks for a while, one is odd once."""
    for number in range(STEPS * len(SERVICES)):
        step, which = divmod(number, len(SERVICES))
        value = 10.0 + (step * 7 + which * 3) % 5
        if which == 1 and step in BROKEN:
            value += 80.0
        if which == 2 and step in (CUT - 8, CUT + 8):
            value += 30.0
        at = START_MS + step * STEP_MS + which
        sample = {"ts": at, "metric": "errors", "value": value}
        text = json.dumps(sample | {"labels": {"service": SERVICES[which]}})
        yield Recorded("telemetry", 0, number, at, text.encode())


class Stages:
    """All stages of one partition each, joined in memory."""

    def __init__(self) -> None:
        config = Config.model_validate(CONFIG)
        groups, wide = _rules(RULES), _rules(WIDE_RULES)
        keyed = Config.model_validate(CONFIG | {"sources": [{"topic": "telemetry", "keyed": True}]})
        ingest = IngestStage(config, config.sources[0], "telemetry", 0)
        fused = FusedStage(keyed, groups, keyed.sources[0], 0)
        detect = DetectStage(config, groups, 0)
        correlate = CorrelateStage(config, sources=1)
        parts, merge = DetectStage(config, wide, 0), MergeStage(config, wide, 0)
        self._pipeline = Pipeline(
            {
                "telemetry": lambda _t, _p: ingest,
                topics.SAMPLES: lambda _t, _p: detect,
                topics.ALERTS: lambda _t, _p: correlate,
            },
            watch=(topics.SAMPLES, topics.ALERTS, topics.INCIDENTS),
        )
        self._fused = Pipeline({"telemetry": lambda _t, _p: fused}, watch=(topics.ALERTS,))
        self._merged = Pipeline(
            {topics.SAMPLES: lambda _t, _p: parts, topics.PARTIALS: lambda _t, _p: merge},
            watch=(topics.ALERTS,),
        )
        self._notify = NotifyStage(config.notify)
        self._remediate = RemediateStage(config.playbooks)
        self.by_name: dict[str, Keeping] = {
            "ingest": ingest,
            "detect": detect,
            "fused": fused,
            "parts": parts,
            "merge": merge,
            "correlate": correlate,
            "notify": self._notify,
            "remediate": self._remediate,
        }

    def feed(self, records: list[Recorded]) -> Told:
        """Put records through, a few at a time; what was said of them."""
        told = Told([], [], [], [], [], [])
        for first in range(0, len(records), 10):
            part = records[first : first + 10]
            for record in self._pipeline.feed(part):
                if record.topic == topics.INCIDENTS:
                    self._take(decode_record(record.value or b"", Incident), told)
                elif record.topic == topics.SAMPLES:
                    for merged in self._merged.inject([record]):
                        _note(merged, told.merged)
                else:
                    _note(record, told.alerts)
            for record in self._fused.feed(part):
                _note(record, told.fused)
        return told

    def _take(self, incident: Incident, told: Told) -> None:
        told.incidents.append((incident.id, incident.state.value, incident.revision))
        attempts = self._notify.apply([incident]).attempts
        told.pages.extend((attempt.key, attempt.number) for attempt in attempts)
        told.intents.extend(r.id for r in self._remediate.apply([incident]).records)


def _rules(text: str) -> list[RuleGroup]:
    groups, faults = parse_rules(text, "story.yml")
    assert faults == []
    return groups


def _note(record: Outgoing, alerts: list[tuple[str, str, int]]) -> None:
    """Keep an alert; a tick has no key."""
    if record.key is not None:
        alert = decode_record(record.value or b"", Alert)
        alerts.append((alert.id, alert.state.value, alert.time))


def halves() -> tuple[list[Recorded], list[Recorded]]:
    """The telemetry before the cut, and that after it."""
    records = list(telemetry())
    cut = CUT * len(SERVICES)
    return records[:cut], records[cut:]
