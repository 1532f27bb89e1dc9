"""A source partition that brings nothing, on a real Kafka: it is waited for, found idle, and holds nobody back."""

import json
from pathlib import Path

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.config import Config
from schemas.incidents import Incident
from schemas.records import decode_record
from schemas.samples import decode_batch
from streams.app import Setting, Workers
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
      - {alert: Down, expr: up == 0}
"""


async def test_partitions_without_telemetry_do_not_hold_back_the_others(
    own_kafka: str, tmp_path: Path
) -> None:
    """With telemetry in one of four partitions, incidents come once the others have been found idle."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka},
            "time": {"allowed_lateness": 0, "idle_after": 2_000},
            "correlate": {"group_wait": 1_000},
            "record": {"path": str(tmp_path / "history.db")},
        }
    )
    broker = Broker(own_kafka)
    await create_topics(broker, topics.all_topics())
    groups, _ = parse_rules(RULES, "rules.yml")
    clock = WallClock()
    start = clock.now_ms() // 1_000 * 1_000
    async with (
        AIOKafkaProducer(bootstrap_servers=own_kafka) as producer,
        Workers(Setting(config, groups, broker, clock)) as workers,
    ):
        step = 0

        def paged() -> bool:
            return workers.host.runners["correlate"].stats.outputs > 0

        while not paged():
            assert step < 600, "no incident within a minute"
            value = {
                "ts": start + step * 100,
                "metric": "up",
                "value": 0,
                "labels": {"service": "cart"},
            }
            await producer.send_and_wait("telemetry", json.dumps(value).encode(), partition=2)
            step += 1
            due = start + step * 100
            await until(lambda due=due: clock.now_ms() >= due)

    incidents = [
        decode_record(r.value, Incident) for r in await read_topic(own_kafka, topics.INCIDENTS)
    ]
    batches = [decode_batch(r.value) for r in await read_topic(own_kafka, topics.SAMPLES)]
    assert incidents[0].title.startswith("cart")
    assert {b.partition for b in batches if b.idle} == {0, 1, 3}
    assert not any(b.idle and len(b) for b in batches)
