"""tocsin.incidents on a real Kafka: keys, headers, tombstones, compaction; and a command on its way into it."""

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas import topics
from schemas.alerts import Alert, Tick
from schemas.commands import Command, Verb
from schemas.config import Config
from schemas.incidents import Incident
from schemas.reasons import IncidentState
from schemas.records import decode_record, encode_record
from streams.app import Setting, Workers
from streams.correlate.forward import command_record
from streams.detect.stage import alert_partition
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.correlate.sample import MINUTE, make_alert, make_command, make_tick, resolved
from tests.kafka.reading import read_topic, until

PREFIX = "contract-"
"""Names of topics and groups of their own, on the Kafka that other tests use too."""
ALERTS, COMMANDS, INCIDENTS = (
    topics.outer_name(name, PREFIX) for name in (topics.ALERTS, topics.COMMANDS, topics.INCIDENTS)
)
HOME = alert_partition("acme", topics.PARTITIONS)


async def cleanup_policy(bootstrap: str, topic: str) -> str:
    """What the broker does with old records of a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        (resource,) = answer.resources
        return str(next(entry[1] for entry in resource[4] if entry[0] == "cleanup.policy"))
    finally:
        await admin.close()


async def test_incident_on_the_topic(kafka_bootstrap: str) -> None:
    """Opened, acknowledged by a command, resolved, deleted: one key in one partition, each record with its headers."""
    config = Config.model_validate(
        {
            "kafka": {
                "bootstrap": kafka_bootstrap,
                "prefix": PREFIX,
                "checkpoint_interval": 500,
            },
            "correlate": {"retention": 3_600_000},
        }
    )
    broker = Broker.from_config(config.kafka)
    await create_topics(broker, topics.all_topics(prefix=PREFIX))
    alert = make_alert("cart", 0)
    seen: list[ConsumerRecord] = []

    async def tell(producer: AIOKafkaProducer, *records: Alert | Tick) -> None:
        for record in records:
            await producer.send_and_wait(ALERTS, encode_record(record), partition=HOME)

    async def pass_time(producer: AIOKafkaProducer, at: int, *records: Alert) -> None:
        ticks = [make_tick(at, source) for source in range(config.kafka.partitions)]
        await tell(producer, *records, *ticks)

    async def say(producer: AIOKafkaProducer, command: Command) -> None:
        sent = command_record(command, topics.COMMANDS, HOME)
        await producer.send_and_wait(
            COMMANDS, sent.value, key=sent.key, partition=HOME, timestamp_ms=command.time
        )

    workers = Workers(Setting(config, (), broker, WallClock(), stages=("correlate",)))
    async with workers, AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:

        async def records(count: int) -> list[ConsumerRecord]:
            while len(seen) < count:
                seen[:] = await read_topic(kafka_bootstrap, INCIDENTS)
            return seen

        await pass_time(producer, MINUTE, alert)
        opened = decode_record((await records(1))[0].value, Incident)
        await say(producer, make_command(Verb.ACKNOWLEDGE, 2 * MINUTE, opened.id))
        # one log: what is told after the command has been forwarded comes after it
        runner = workers.host.runners["correlate"]
        await until(lambda: runner.stats.outputs >= 2)
        await pass_time(producer, 3 * MINUTE)
        await records(2)
        await pass_time(producer, 9 * MINUTE, resolved(alert, 4 * MINUTE))
        await pass_time(producer, 99 * MINUTE)
        await records(5)

    bodies = [decode_record(r.value, Incident) for r in seen if r.value is not None]
    assert [IncidentState.OPEN, IncidentState.ACKNOWLEDGED] == [b.state for b in bodies[:2]]
    assert ("ann", IncidentState.RESOLVED) == (bodies[1].owner, bodies[-1].state)
    assert {(opened.id.encode(), HOME)} == {(r.key, r.partition) for r in seen}
    assert (None, b"tocsin.incident.deleted") == (
        seen[-1].value,
        dict(seen[-1].headers)["ce_type"],
    )
    for record in seen[:-1]:
        headers = dict(record.headers)
        assert {
            "ce_specversion": b"1.0",
            "ce_type": b"tocsin.incident",
            "ce_source": b"acme/incidents",
            "ce_subject": opened.id.encode(),
            "content-type": b"application/json",
        }.items() <= headers.items()
    assert len(seen) == len({dict(r.headers)["ce_id"] for r in seen})
    assert "compact" == await cleanup_policy(kafka_bootstrap, INCIDENTS)
