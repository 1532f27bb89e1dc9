"""The producer for services on a real Kafka: through an outage, and into an engine that reads it fused."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.ports import free_ports
from schemas import topics
from schemas.alerts import Alert
from schemas.config import Config
from schemas.config.limits import LimitsConfig
from schemas.reasons import AlertState
from schemas.reasons import ProduceReason as Why
from schemas.records import decode_record
from schemas.topics import Topic
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import make_decoder
from streams.app import Setting, Workers
from streams.produce import Producer
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import PATIENCE_SECONDS, read_topic, until

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Down
        expr: up == 0
        evaluate: on_arrival
"""


@pytest.fixture
def lasting(
    kafka_bootstrap: str, pytestconfig: pytest.Config, tmp_path: Path
) -> Iterator[tuple[Path, int]]:
    """Home and port of a Kafka that can be stopped and started; the shared one skips where there is no Java."""
    port = free_ports(2)[0]  # its neighbour is the controller's
    (tmp_path / "libs").symlink_to(pytestconfig.rootpath / ".kafka" / "libs")
    kafka("start", tmp_path, port)
    yield tmp_path, port
    kafka("stop", tmp_path, port)


def kafka(verb: str, home: Path, port: int) -> None:
    """Start or stop the node; in a process of its own, because the node outlives who starts it."""
    command = [sys.executable, "-m", "deploy.kafka", verb, "--port", str(port), "--dir", str(home)]
    subprocess.run(command, check=True)  # what it says is shown with a failure


@pytest.mark.slow
async def test_an_outage_fills_the_buffer_and_what_it_holds_arrives(
    lasting: tuple[Path, int],
) -> None:
    """While the broker is down samples are kept up to the bound, newer ones counted; then all kept ones arrive."""
    home, port = lasting
    address = f"127.0.0.1:{port}"
    await create_topics(Broker(address), [Topic("telemetry", "none", "telemetry")])
    start = WallClock().now_ms()
    with Producer(address, buffer_samples=100, linger_ms=5, close_seconds=60) as producer:
        producer.record("m", 0.0, service="cart", time_ms=start)
        assert await asyncio.to_thread(producer.flush, 60)
        await asyncio.to_thread(kafka, "stop", home, port)
        for number in range(1, 151):
            producer.record("m", number, service="cart", time_ms=start + number)
        assert not await asyncio.to_thread(producer.flush, 1)
        assert 100 == producer.stats().queued
        await asyncio.to_thread(kafka, "start", home, port)
        assert await asyncio.to_thread(producer.flush, 60)
        producer.record("m", 151.0, service="cart", time_ms=start + 151)
    stats = producer.stats()

    assert (102, 0) == stats[:2]
    assert {Why.BUFFER_FULL: 50} == {why: n for why, n in stats.dropped.items() if n}
    records = await read_topic(address, "telemetry")
    columns = make_decoder("samples", LimitsConfig()).decode(
        [record.value for record in records], Interner(Identity(), LimitsConfig())
    )
    # an answer that the outage swallowed is asked for again, so a record may be there twice
    assert [*map(float, range(101)), 151.0] == sorted(set(columns.values.tolist()))


async def test_samples_of_a_service_become_its_alert_without_a_hop(own_kafka: str) -> None:
    """A source that is `keyed` reads what the producer has put where each series is at home."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka, "checkpoint_interval": 500},
            "sources": [{"topic": "telemetry", "format": "auto", "keyed": True}],
        }
    )
    broker = Broker(own_kafka)
    await create_topics(broker, topics.all_topics())
    groups, faults = parse_rules(RULES, "rules.yml")
    assert [] == faults
    found: set[str] = set()

    async def alerts() -> bool:
        records = await read_topic(own_kafka, topics.ALERTS)
        for record in records:
            if b'"fingerprint"' in record.value:
                alert = decode_record(record.value, Alert)
                if alert.state is AlertState.FIRING:
                    found.add(dict(alert.labels)["service"])
        return len(found) >= 6

    async with Workers(Setting(config, groups, broker, WallClock(), ("detect",))) as workers:
        async with Producer(own_kafka, linger_ms=5) as producer:
            for number in range(12):
                producer.record("up", number % 2, service=f"service-{number}")
        assert 12 == producer.stats().sent
        await until(lambda: sum(r.stats.records for r in workers.host.runners.values()) > 0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await alerts():
                await asyncio.sleep(0.1)

    assert {f"service-{n}" for n in range(0, 12, 2)} == found
