"""A rule wider than the locality, on a real Kafka: parts of four partitions, merged by tenant, across a restart."""

import json
from pathlib import Path

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.alerts import Alert
from schemas.config import Config
from schemas.incidents import Incident
from schemas.partials import decode_partials
from schemas.records import decode_record
from streams.app import Setting, Workers
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {record: "fleet:up", expr: "sum(up)"}
      - alert: FleetDown
        expr: fleet:up / count(up) < 0.75
        labels: {severity: critical}
        annotations: {summary: "{{ $value | humanizePercentage }} of the fleet is up"}
"""
SERVICES = 12
STEPS = 60


async def test_parts_of_all_partitions_make_one_alert(own_kafka: str, tmp_path: Path) -> None:
    """Live workers, stopped and started midway, write the incidents that a backtest of the same log finds."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka, "checkpoint_interval": 500},
            "time": {"allowed_lateness": 0, "tick": 1_000, "idle_after": 60_000},
            "correlate": {"group_wait": 1_000, "resolve_delay": 1_000},
            "record": {"path": str(tmp_path / "history.db")},
        }
    )
    broker = Broker(own_kafka)
    await create_topics(broker, topics.all_topics())
    groups, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    clock = WallClock()
    start = clock.now_ms() // 1_000 * 1_000 - 120_000

    async def send(steps: range) -> None:
        async with AIOKafkaProducer(bootstrap_servers=own_kafka) as producer:
            for step in steps:
                for number in range(SERVICES):
                    down = 20 <= step < 40 and number < 4
                    value = {
                        "ts": start + step * 1_000,
                        "metric": "up",
                        "value": 0 if down else 1,
                        "labels": {"service": f"s{number}"},
                    }
                    await producer.send(
                        "telemetry",
                        json.dumps(value).encode(),
                        partition=number % topics.PARTITIONS,
                        timestamp_ms=start + step * 1_000,
                    )
            await producer.flush()

    for steps in (range(30), range(30, STEPS)):
        async with Workers(Setting(config, groups, broker, clock)) as workers:
            await send(steps)
            # the first half opens the incident, the second one ends it
            await until(
                lambda w=workers: w.host.runners["correlate"].stats.outputs > 0 and w.lag() == 0
            )
            assert [r.error for r in workers.host.runners.values() if r.error] == []

    alerts = {
        a.id: a
        for a in (
            decode_record(r.value, Alert)
            for r in await read_topic(own_kafka, topics.ALERTS)
            if r.key is not None
        )
    }
    assert [("firing", 8 / 12), ("resolved", 8 / 12)] == [
        (a.state.value, a.value) for a in alerts.values()
    ]
    partials = [
        decode_partials(r.value).batch for r in await read_topic(own_kafka, topics.PARTIALS)
    ]
    assert len({batch.partition for batch in partials if len(batch)}) > 1
    live = {
        i.id: i
        for i in (
            decode_record(r.value, Incident) for r in await read_topic(own_kafka, topics.INCIDENTS)
        )
    }
    log = [
        Recorded("telemetry", r.partition, r.offset, r.timestamp, r.value)
        for r in await read_topic(own_kafka, "telemetry")
    ]
    found = Backtest(config, groups).run(sorted(log, key=lambda r: r.timestamp_ms), flush=False)
    assert list(live.values()) == found.incidents
    assert ["resolved"] == [incident.state.value for incident in found.incidents]
