"""A topic that producers of several formats share, on a real Kafka: what each record's header says, goes."""

import json

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.config import Config
from schemas.dead_letters import DeadLetter
from schemas.reasons import DeadLetterReason as Why
from schemas.records import Headers, decode_record
from schemas.samples import decode_batch, encode_batch, make_batch
from schemas.wire.format import NATIVE
from schemas.wire.samples import SAMPLES
from streams.app import Setting, Workers
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until

JSON, BINARY = NATIVE.content_types[0], SAMPLES.content_types[0]


async def test_a_record_is_read_as_its_content_type_says(own_kafka: str) -> None:
    """The header goes before the first bytes, from the topic to the decoder; without one the bytes tell."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka},
            "sources": [{"topic": "telemetry", "format": "auto"}],
        }
    )
    broker, clock = Broker(own_kafka), WallClock()
    await create_topics(broker, topics.all_topics())
    now = clock.now_ms()
    sample = json.dumps({"ts": now, "metric": "up", "value": 1, "labels": {}}).encode()
    empty = encode_batch(make_batch("mine", 0, watermark=now, record_time=now))
    records: list[tuple[bytes, str | None, Why | None]] = [
        (sample, None, None),
        (sample, f"{JSON}; charset=utf-8", None),
        (sample, BINARY, Why.MALFORMED),
        (b"hello", JSON, Why.NOT_JSON),
        (b"hello", None, Why.UNKNOWN_FORMAT),
        (empty, BINARY, None),
        (empty, JSON, Why.NOT_UTF8),
    ]
    async with (
        AIOKafkaProducer(bootstrap_servers=own_kafka) as producer,
        Workers(Setting(config, [], broker, clock, ("ingest",))) as workers,
    ):
        for value, kind, _ in records:
            headers: Headers = () if kind is None else (("Content-Type", kind.encode()),)
            await producer.send_and_wait("telemetry", value, partition=1, headers=list(headers))
        await until(lambda: workers.host.runners["ingest"].stats.records == len(records))

    letters = await read_topic(own_kafka, topics.DEAD_LETTERS)
    found = {x.offset: x.reason for x in (decode_record(r.value, DeadLetter) for r in letters)}
    assert {at: why for at, (_, _, why) in enumerate(records) if why is not None} == found
    batches = [decode_batch(r.value) for r in await read_topic(own_kafka, topics.SAMPLES)]
    assert 2 == sum(map(len, batches))
