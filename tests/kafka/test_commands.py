"""What is said to detectors of keyed sources, on a real Kafka: heard by every partition, once each, over a restart."""

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.commands import About, Command, Verb
from schemas.config import Config
from streams.app import Setting, Workers
from streams.correlate.forward import command_record
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import PATIENCE_SECONDS, read_topic

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Odd, expr: x, detect: {detector: robust, warm_up_samples: 30}}
"""
HOMES = {"a": 0, "b": 2}
"""Services, and the partition of each."""
STEP_SECONDS = 0.05
HISTORY_MS = 6 * 3_600_000
"""More steps than there may be fit into it, so that none is ahead of the clock."""


def shares(workers: Workers) -> dict[str, float]:
    """By what people's words multiply the budget of each service's series."""
    found = {}
    for partition in workers.host.runners["fused"].checkpointer.partitions.values():
        for _, detect in partition.stage.core.engine.detectors:
            for row in detect.roster.numbers.tolist():
                service = dict(detect.roster.labels(row))["service"]
                found[service] = float(detect.thresholds.rows["factor"][row])
    return found


async def test_what_is_said_reaches_keyed_sources_once(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """A word about both services is heard in both partitions, and after a restart only the next one is new."""
    prefix = f"keyed-{uuid.uuid4().hex[:8]}-"
    telemetry = f"{prefix}telemetry"
    config = Config.model_validate(
        {
            "kafka": {
                "bootstrap": kafka_bootstrap,
                "prefix": prefix,
                "checkpoint_interval": 60_000,
            },
            "sources": [{"topic": telemetry, "keyed": True}],
            "time": {"allowed_lateness": 0},
            "record": {"path": str(tmp_path / "history.db")},
        }
    )
    broker = Broker.from_config(config.kafka)
    await create_topics(broker, topics.all_topics((telemetry,), topics.PARTITIONS, prefix))
    groups, faults = parse_rules(RULES, "rules.yml")
    assert [] == faults
    clock = WallClock()
    start = clock.now_ms() // 1_000 * 1_000 - HISTORY_MS
    step = 0
    setting = Setting(config, groups, broker, clock, ("detect", "correlate"))

    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, linger_ms=5) as producer:

        async def play_until(true: Callable[[], bool]) -> None:
            """Let a second of event time pass after the other, for as long as it takes."""
            nonlocal step
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not true():
                    for service, partition in HOMES.items():
                        sample = {
                            "ts": start + step * 1_000,
                            "metric": "x",
                            "value": 100.0 + step % 3,
                            "labels": {"service": service},
                        }
                        value = json.dumps(sample).encode()
                        await producer.send_and_wait(telemetry, value, partition=partition)
                    step += 1
                    await asyncio.sleep(STEP_SECONDS)

        async def say(identity: str, service: str) -> None:
            said = Command(
                id=identity,
                tenant="default",
                verb=Verb.FINE,
                actor="ada",
                time=start,
                about=About(matchers=((f'service=~"{service}"',),)),
            )
            sent = command_record(said, broker.outer(topics.COMMANDS), 1)
            await producer.send_and_wait(
                sent.topic, sent.value, key=sent.key, partition=sent.partition
            )

        async with Workers(setting) as workers:
            await play_until(lambda: shares(workers) == {"a": 1.0, "b": 1.0})
            await say("1", "a|b")
            await play_until(lambda: shares(workers) == {"a": 0.25, "b": 0.25})
        async with Workers(setting) as again:
            await say("2", "a")
            # were the first heard twice, it would be less
            await play_until(lambda: shares(again) == {"a": 0.0625, "b": 0.25})

    assert [] == await read_topic(kafka_bootstrap, broker.outer(topics.DEAD_LETTERS))
