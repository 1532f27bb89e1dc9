"""What a detect partition keeps to itself after an outage, and what people are told of it in the end."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from schemas import topics
from schemas.alerts import Alert, Found, Tick
from schemas.config import Config
from schemas.incidents import Incident
from schemas.reasons import AlertReason, AlertState, AnnounceReason
from schemas.records import decode_record
from streams.correlate import CorrelateStage
from streams.detect.hush import Hush
from streams.detect.stage import FusedStage
from streams.replay.pipeline import Pipeline, Recorded
from streams.rules.load import parse_rules
from streams.time.watermark import BEFORE_ALL

MINUTE = 60_000
START = 1_700_000_000_000
HORIZON = 5 * MINUTE
STEP = 5_000
RULES = """
groups:
  - name: outage
    interval: 5s
    rules:
      - {alert: Down, expr: up == 0, labels: {severity: critical}}
      - {alert: DownNow, expr: up == 0, evaluate: on_arrival, labels: {severity: critical}}
      - {alert: DownLong, expr: up == 0, for: 15m, labels: {severity: critical}}
"""
BROKEN = {
    "before": range(3, 200),
    "short": range(20, 30),
    "late": range(66, 68),
    "holds": range(30, 200),
}
"""Minutes in which a service is down; nobody works from minute 10 to minute 70."""


ROUTED = {
    "route": {"receiver": "people", "group_by": ["service"]},
    "notify": {"receivers": [{"type": "stdout", "name": "people"}]},
}


class Story(NamedTuple):
    """One way through: what was told by service, and which incidents are historical."""

    pages: dict[str, list[str]]
    historical: set[str]
    ticks: list[Tick]


def tick(time: int, record_time: int = 0) -> Tick:
    """A tick of partition 0."""
    return Tick(source=0, time=time, record_time=record_time)


def alert(time: int, *, urgent: bool) -> Alert:
    """An alert that fires."""
    return Alert(
        id="a",
        tenant="default",
        rule="g/A",
        fingerprint="f",
        state=AlertState.FIRING,
        reason=AlertReason.CONDITION_TRUE,
        time=time,
        active_at=time,
        labels={},
        urgent=urgent,
    )


def test_before_the_end_there_is_no_tick_and_nothing_urgent() -> None:
    """Up to the horizon before the end; from there on ticks say when what they pass became known."""
    hush = Hush(HORIZON)
    hush.resumed(START, 60 * MINUTE)
    until, end = START + 55 * MINUTE, START + 60 * MINUTE
    early, due = alert(until - 1, urgent=True), alert(until, urgent=True)
    found: list[Found] = [
        early,
        tick(until - 1, START),
        due,
        tick(until, START + 1),
        tick(end, end + 7),
    ]
    assert [replace(early, urgent=False), due, tick(until, end), tick(end, end + 7)] == hush.over(
        found
    )


@pytest.mark.parametrize(
    ("record_time", "away"), [(START, HORIZON), (START, 0), (BEFORE_ALL, 60 * MINUTE)]
)
def test_a_short_absence_is_none(record_time: int, away: int) -> None:
    """Nor is one of a stage that has read nothing yet."""
    hush = Hush(HORIZON)
    hush.resumed(record_time, away)
    found: list[Found] = [tick(START - MINUTE), alert(START, urgent=True)]
    assert found == hush.over(found)


def test_a_restart_does_not_end_an_outage() -> None:
    """Who is started again in the middle of the backlog goes on with the end that was known."""
    hush = Hush(HORIZON)
    hush.resumed(START, 60 * MINUTE)
    hush.resumed(START + 20 * MINUTE, 10_000)
    assert START + 60 * MINUTE == hush.end


def telemetry(minutes: Iterable[int]) -> Iterator[Recorded]:
    """Every service's state each five seconds."""
    for minute in minutes:
        for second in range(0, 60, 5):
            at = START + minute * MINUTE + second * 1000
            for n, (service, down) in enumerate(BROKEN.items()):
                value = 0 if minute in down else 1
                text = json.dumps(
                    {"ts": at, "metric": "up", "value": value, "labels": {"service": service}}
                )
                number = (at - START) // STEP * len(BROKEN) + n
                yield Recorded("telemetry", 0, number, at, text.encode())


def outage(horizon: str, *, killed_at: int | None = None, routed: bool = False) -> Story:
    """Ten minutes of work, an hour of none, and the backlog; perhaps a kill within that, perhaps with a route tree."""
    given = {
        "kafka": {"partitions": 1},
        "sources": [{"topic": "telemetry", "keyed": True}],
        "time": {"page_horizon": horizon},
    }
    config = Config.model_validate(given | (ROUTED if routed else {}), context={"file": True})
    groups, faults = parse_rules(RULES, "outage.yml")
    assert faults == []
    story = Story({}, set(), [])
    correlate = CorrelateStage(config, sources=1)

    def through(detect: FusedStage, minutes: range) -> None:
        readers = {"telemetry": lambda _t, _p: detect, topics.ALERTS: lambda _t, _p: correlate}
        watch = (topics.ALERTS, topics.NOTICES if routed else topics.INCIDENTS)
        pipeline = Pipeline(readers, watch=watch)  # type: ignore[arg-type]  # of two kinds
        records = list(telemetry(minutes))
        for first in range(0, len(records), 200):
            for sent in pipeline.feed(records[first : first + 200]):
                if sent.topic == topics.ALERTS:
                    if sent.key is None:
                        story.ticks.append(decode_record(sent.value or b"", Tick))
                    continue
                incident = decode_record(sent.value or b"", Incident)
                (service,) = {each.alert.labels["service"] for each in incident.alerts}
                if incident.historical:
                    story.historical.add(service)
                # a provisional record is one page with the final one of the same number
                if incident.announce is not None and not incident.provisional:
                    story.pages.setdefault(service, []).append(incident.announce.value)

    def again(before: FusedStage, away_ms: int) -> FusedStage:
        after = FusedStage(config, groups, config.sources[0], 0)
        after.restore(before.snapshot())
        after.resumed(away_ms)
        return after

    detect = FusedStage(config, groups, config.sources[0], 0)
    through(detect, range(10))
    detect = again(detect, 60 * MINUTE)
    if killed_at is None:
        through(detect, range(10, 90))
    else:
        through(detect, range(10, killed_at))
        through(again(detect, 10_000), range(killed_at, 90))
    return story


@pytest.mark.parametrize("killed_at", [None, 25])
def test_after_an_outage_nobody_is_told_of_what_is_over(killed_at: int | None) -> None:
    """What began and ended in the hour is historical; what still holds is told once, with all of it."""
    story = outage("5m", killed_at=killed_at)
    assert {"short"} == story.historical
    first = AnnounceReason.FIRST_NOTIFICATION.value
    over = AnnounceReason.ALL_ALERTS_RESOLVED.value
    more = AnnounceReason.NEW_ALERTS_ADDED.value
    assert {"before": [first, more], "holds": [first], "late": [first, over]} == story.pages


def test_with_a_route_tree_nobody_is_told_of_what_is_over_either() -> None:
    """Groups that fell due in the backlog are told of as they stand at its end."""
    story = outage("5m", routed=True)
    first = AnnounceReason.FIRST_NOTIFICATION.value
    over = AnnounceReason.ALL_ALERTS_RESOLVED.value
    more = AnnounceReason.NEW_ALERTS_ADDED.value
    assert {"before": [first, more], "holds": [first], "late": [first, over]} == story.pages


def test_while_the_backlog_is_worked_through_time_stands_still() -> None:
    """No tick lies in the backlog but for its last minutes, and the first says when all of it became known."""
    story = outage("5m")
    inside = [t for t in story.ticks if START + 10 * MINUTE < t.time < START + 90 * MINUTE]
    end = inside[0].record_time
    assert START + 69 * MINUTE <= end <= START + 70 * MINUTE
    assert end - 5 * MINUTE <= inside[0].time


def test_with_a_horizon_as_long_as_the_outage_all_is_told() -> None:
    """Who wants to hear of everything says so."""
    story = outage("2h")
    assert set() == story.historical
    assert {"before", "short", "late", "holds"} == story.pages.keys()
