"""A source whose schemas are in a registry, on a real Kafka: while it is away nothing is lost, and nothing refused."""

import json

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.config import Config
from schemas.dead_letters import DeadLetter
from schemas.records import decode_record
from schemas.samples import decode_batch
from streams.app import Setting, Workers
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until
from tests.schemas.wire.confluent.records import FLAT, encode, framed
from tests.transport.test_schema_registry import running

RECORDS = 20


async def test_records_wait_for_the_registry(own_kafka: str) -> None:
    """Records of a schema wait for the registry, others on the topic do not, and 404 makes dead letters."""
    clock, broker = WallClock(), Broker(own_kafka)
    async with running() as registry:
        config = Config.model_validate(
            {
                "kafka": {"bootstrap": own_kafka},
                "sources": [
                    {
                        "topic": "telemetry",
                        "format": "auto",
                        "options": {"registry": {"url": registry.url}},
                    }
                ],
            }
        )
        registry.answers["/schemas/ids/1"] = 503, "away"
        await create_topics(broker, topics.all_topics())
        record = {"metric": "up", "value": 1.0, "labels": {"service": "cart"}}
        now = clock.now_ms()
        avro = [
            framed(number, encode(FLAT, record | {"ts": now + at}))
            for at in range(RECORDS)
            for number in (1, 2)
        ]
        native = json.dumps(record | {"ts": now}).encode()
        async with (
            AIOKafkaProducer(bootstrap_servers=own_kafka) as producer,
            Workers(Setting(config, [], broker, clock, ("ingest",))) as workers,
        ):
            runner = workers.host.runners["ingest"]
            for value in avro:
                await producer.send_and_wait("telemetry", value, partition=0)
            await producer.send_and_wait("telemetry", native, partition=1)
            await until(lambda: registry.asked["/schemas/ids/1"] >= 2 and runner.stats.records > 0)
            assert 1 == runner.stats.records
            registry.answers["/schemas/ids/1"] = 200, {"schema": json.dumps(FLAT)}
            await until(lambda: runner.stats.records == len(avro) + 1)

    letters = await read_topic(own_kafka, topics.DEAD_LETTERS)
    found = sorted((decode_record(x.value, DeadLetter) for x in letters), key=lambda x: x.offset)
    assert [("unknown_schema", at) for at in range(1, len(avro), 2)] == [
        (letter.reason, letter.offset) for letter in found
    ]
    batches = [decode_batch(r.value) for r in await read_topic(own_kafka, topics.SAMPLES)]
    assert RECORDS + 1 == sum(map(len, batches))
    assert 1 == registry.asked["/schemas/ids/2"]
