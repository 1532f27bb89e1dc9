"""`tocsin learn --topic` on a real Kafka: what a topic still holds teaches what the same samples in a file do."""

import asyncio
import uuid
from pathlib import Path

import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from schemas.topics import Topic
from streams.cli.main import main
from streams.produce.telemetry import Sample, record
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

RULES = """
groups:
  - name: g
    interval: 5m
    rules:
      - {alert: Odd, expr: latency, detect: {detector: robust}}
"""
STEP_MS, STEPS, PARTITIONS = 300_000, 240, 4
SERVICES = ("cart", "search")
DAY_MS = 86_400_000


def history(now_ms: int) -> list[Sample]:
    """Ten hours of the day before yesterday and ten of today, of two services."""
    random = np.random.default_rng(1)
    today = (now_ms - DAY_MS // 2) // STEP_MS * STEP_MS
    half = np.arange(STEPS // 2) * STEP_MS
    return [
        Sample("latency", {"service": service}, time_ms, float(value))
        for time_ms in np.concatenate((today - DAY_MS * 5 // 4 + half, today + half)).tolist()
        for service, value in zip(SERVICES, 100 + random.normal(size=2), strict=True)
    ]


async def fill(bootstrap: str, topic: str, samples: list[Sample]) -> None:
    """Each service in a partition of its own, record times those of the samples."""
    await create_topics(Broker(bootstrap), [Topic(topic, "", "", PARTITIONS)])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for sample in samples:
            sent = record([sample])
            await producer.send(
                topic,
                sent.value,
                partition=SERVICES.index(sample.labels["service"]),
                timestamp_ms=sent.timestamp_ms,
            )
        await producer.flush()


def as_csv(path: Path, samples: list[Sample]) -> None:
    """The same as a file."""
    lines = [f"{s.ts_ms},{s.metric},{s.labels['service']},{s.value!r}" for s in samples]
    path.write_text("\n".join(["time,metric,service,value", *lines]))


def tocsin(*words: object) -> Result:
    """What the command line answers."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_topic_teaches_what_a_file_does(
    kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it or its last day, to the byte, and by the format and the tenant of its own source."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    topic = f"learn-{uuid.uuid4().hex[:8]}"
    now = WallClock().now_ms()
    samples = history(now)
    asyncio.run(fill(kafka_bootstrap, topic, samples))
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tocsin.yaml").write_text(
        "scrub: {secret: x}\nsources:\n"
        "  - {topic: other, format: otlp, tenant: {default: nobody}}\n"
        f"  - {{topic: {topic}, keyed: true}}\n"
    )
    later = [each for each in samples if each.ts_ms >= now - DAY_MS]
    common = ("--rules", "rules.yml", "--config", "tocsin.yaml")
    from_topic = ("learn", "--topic", topic, "--broker", kafka_bootstrap, *common)

    whole = tocsin(*from_topic, "--out", "topic.bin", "--output", "json")
    assert 0 == whole.exit_code, whole.output
    assert '"may_speak":2' in whole.output.replace(" ", "")
    (tmp_path / "plain.yaml").write_text("scrub: {secret: x}\n")
    for name, some in (("whole", samples), ("late", later)):
        as_csv(tmp_path / f"{name}.csv", some)
        words = ("learn", f"{name}.csv", "--rules", "rules.yml", "--config", "plain.yaml")
        assert 0 == tocsin(*words, "--out", f"{name}.bin").exit_code
    assert (tmp_path / "whole.bin").read_bytes() == (tmp_path / "topic.bin").read_bytes()
    found = tocsin(*from_topic, "--since", "1d", "--out", "since.bin")
    assert 0 == found.exit_code, found.output
    assert (tmp_path / "late.bin").read_bytes() == (tmp_path / "since.bin").read_bytes()


def test_a_topic_without_history_is_said(
    kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such topic, nothing so young, and a broker that is none: one line each, and no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    topic = f"learn-{uuid.uuid4().hex[:8]}"
    asyncio.run(fill(kafka_bootstrap, topic, history(WallClock().now_ms())[:10]))
    (tmp_path / "rules.yml").write_text(RULES)
    for words, said in (
        (("--topic", f"{topic}-none", "--broker", kafka_bootstrap), "no topic"),
        (("--topic", topic, "--since", "1s", "--broker", kafka_bootstrap), "nothing to learn from"),
    ):
        result = tocsin("learn", *words, "--rules", "rules.yml", "--out", "none.bin")
        assert result.exit_code
        assert said in f"{result.stderr}{result.exception}"
        assert "Traceback" not in result.output
    assert not (tmp_path / "none.bin").exists()
