"""The producer for services, on the embedded broker and on a real Kafka."""

import asyncio
import json
import threading
from collections.abc import Iterator
from itertools import groupby

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry, generate_latest

from schemas.config import LimitsConfig
from schemas.labels import decode_labels, home
from schemas.reasons import ProduceReason as Why
from schemas.topics import Topic
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import make_decoder
from streams.produce import Producer, ProducerCollector
from streams.produce.pack import ENCODERS, Form
from streams.time.clock import ManualClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from streams.transport.embedded import EmbeddedBroker

NOW = 1_700_000_000_000
NOWHERE = "127.0.0.1:1"
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def embedded_bootstrap() -> Iterator[str]:
    """Address of an embedded broker of these tests."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture(
    params=[
        pytest.param("embedded_bootstrap", marks=pytest.mark.embedded),
        pytest.param("kafka_bootstrap", marks=pytest.mark.kafka),
    ]
)
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Address of a broker, one after the other of both kinds."""
    return str(request.getfixturevalue(request.param))


async def read(
    bootstrap: str, topic: str, form: Form
) -> list[tuple[int, dict[str, str], int, float]]:
    """Partition, labels, time and value of all samples on a topic, as ingest decodes them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    partitions = [TopicPartition(topic, p) for p in range(4)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    interner = Interner(Identity(), LimitsConfig())
    decoder = make_decoder(form, LimitsConfig())
    found = []
    for partition, end in ends.items():
        while await consumer.position(partition) < end:
            record = await consumer.getone(partition)
            columns = decoder.decode([record.value], interner)
            assert [] == columns.refused
            assert (("content-type", delivered_as(form)),) == tuple(record.headers)
            assert record.timestamp == int(columns.times.max())
            found += [
                (partition.partition, dict(decode_labels(interner.label_bytes[row])), time, value)
                for row, time, value in zip(
                    columns.series.tolist(),
                    columns.times.tolist(),
                    columns.values.tolist(),
                    strict=True,
                )
            ]
    await consumer.stop()
    return found


def delivered_as(form: Form) -> bytes:
    return {"samples": b"application/vnd.tocsin.samples", "native": b"application/json"}[form]


@pytest.mark.parametrize("form", ENCODERS)
async def test_what_threads_record_arrives_once_at_its_home(bootstrap: str, form: Form) -> None:
    """Samples of several threads all arrive, each series in its order and in the partition of its locality."""
    topic = f"client-{form}"
    await create_topics(Broker(bootstrap), [Topic(topic, "none", "telemetry", partitions=4)])
    services = [f"service-{n}" for n in range(5)]

    def work(producer: Producer, service: str) -> None:
        for number in range(200):
            producer.record(
                "http_requests_total",
                number,
                {"service": service},
                code=str(number % 2),
                time_ms=NOW + number,
            )

    async with Producer(bootstrap, topic, format=form, linger_ms=5) as producer:
        threads = [threading.Thread(target=work, args=(producer, s)) for s in services]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert await asyncio.to_thread(producer.flush, PATIENCE_SECONDS)
        assert (1_000, 0) == producer.stats()[:2]
        producer.record("last", 1.0, service="service-0", time_ms=NOW)
    assert 1_001 == producer.stats().sent

    found = await read(bootstrap, topic, form)
    assert 1_001 == len(found)
    for partition, labels, _, _ in found:
        assert home("default", labels, ("service",), 4) == partition
    numbers = [(f[1]["service"], f[2] - NOW, f[3]) for f in found if f[1]["__name__"] != "last"]
    by_service = {
        service: [n[1:] for n in mine]
        for service, mine in groupby(sorted(numbers, key=lambda n: n[0]), key=lambda n: n[0])
    }
    assert {s: [(n, float(n)) for n in range(200)] for s in services} == by_service


def test_without_a_broker_nothing_waits_and_all_is_counted() -> None:
    """A service whose broker is not there goes on at once; its samples are counted as dropped."""
    clock = ManualClock(NOW)
    with Producer(NOWHERE, buffer_samples=10, close_seconds=0.1, clock=clock) as producer:
        for number in range(25):
            producer.record("m", number)
        producer.record("m", float("nan"))
        producer.record("m", 1.0, {"code": 200})  # type: ignore[dict-item]  # what a service may do by mistake
        assert not producer.flush(0.01)
        before = producer.stats()
    producer.close()
    after = producer.stats()

    assert (0, 10) == before[:2]
    assert 17 == before.dropped[Why.BUFFER_FULL]
    assert (0, 0, 10) == (*after[:2], after.dropped[Why.CLOSED])


def test_figures_name_every_reason_from_the_start() -> None:
    """A producer's metrics are there before anything happens, and follow what happens."""
    registry = CollectorRegistry()
    with Producer(NOWHERE, close_seconds=0.01) as producer:
        registry.register(ProducerCollector(producer))
        producer.record("m", 1.0)
        producer.record("m", float("inf"))
        text = generate_latest(registry).decode()

    for reason in Why:
        line = f'tocsin_producer_dropped_samples_total{{reason="{reason.value}"}}'
        assert f"{line} {1.0 if reason is Why.NOT_FINITE else 0.0}" in text
    assert "tocsin_producer_queued_samples 1.0" in text
    assert "tocsin_producer_sent_samples_total 0.0" in text


def test_an_unknown_format_is_refused_at_once() -> None:
    """A mistyped format fails where the producer is made, not in its thread."""
    with pytest.raises(ValueError, match="format is one of native, samples, not 'json'"):
        Producer(NOWHERE, format="json")  # type: ignore[arg-type]  # the mistake


def test_native_records_are_plain_json() -> None:
    """What is sent as `native` is read by anybody who reads JSON."""
    from streams.produce.pack import encode_native
    from tests.produce.test_pack import taken_of

    document = json.loads(encode_native(taken_of([({"service": "cart"}, NOW, 1.5)])))

    assert [{"ts": NOW, "metric": "m", "value": 1.5, "labels": {"service": "cart"}}] == document
