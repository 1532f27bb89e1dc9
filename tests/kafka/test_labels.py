"""Labels on a real Kafka: tenants from a record header, rules, and nothing personal on any topic of ours."""

import json

from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.config import Config
from schemas.labels import TENANT, decode_labels, get_label
from schemas.samples import decode_batch
from streams.app import Setting, Workers
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until

MAIL = b"bob@example.com"
RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Down
        expr: up == 0
        evaluate: on_arrival
        annotations: {summary: "tell bob@example.com"}
"""


async def test_tenants_rules_and_hashes_from_topic_to_incident(own_kafka: str) -> None:
    """Equal bytes under two headers are two tenants' series; what a rule drops is nowhere, nor is the mail address."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka},
            "sources": [
                {
                    "topic": "telemetry",
                    "tenant": {"header": "X-Tenant", "default": "nobody"},
                    "relabel": [{"action": "drop", "source_labels": ["level"], "regex": "debug"}],
                }
            ],
            "scrub": {"secret": "s"},
        }
    )
    groups, problems = parse_rules(RULES, "rules.yml")
    assert [] == problems
    broker, clock = Broker(own_kafka), WallClock()
    await create_topics(broker, topics.all_topics())
    stages = ("ingest", "detect", "correlate")
    async with (
        AIOKafkaProducer(bootstrap_servers=own_kafka) as producer,
        Workers(Setting(config, groups, broker, clock, stages)) as workers,
    ):
        sent = [
            (b"acme", {"owner": MAIL.decode()}),
            (b"globex", {"owner": MAIL.decode()}),
            (b"acme", {"level": "debug"}),
            (None, {"owner": MAIL.decode()}),
        ]
        for tenant, labels in sent:
            record = {"ts": clock.now_ms(), "metric": "up", "value": 0, "labels": labels}
            headers = [] if tenant is None else [("x-tenant", tenant)]
            value = json.dumps(record).encode()
            await producer.send_and_wait("telemetry", value, partition=0, headers=headers)
        await producer.send_and_wait("telemetry", b"{" + MAIL, partition=0)
        await until(lambda: workers.host.runners["ingest"].stats.records == len(sent) + 1)
        runners = workers.host.runners
        await until(lambda: runners["correlate"].stats.records > 0 and workers.lag() == 0)

    found = [decode_batch(r.value) for r in await read_topic(own_kafka, topics.SAMPLES)]
    tenants = [
        get_label(decode_labels(code), TENANT) for batch in found for code in batch.label_bytes
    ]
    assert ["acme", "globex", "nobody"] == sorted(tenants)
    for topic in (topics.SAMPLES, topics.ALERTS, topics.INCIDENTS, topics.DEAD_LETTERS):
        records = await read_topic(own_kafka, topic)
        assert records, topic
        assert not any(MAIL in (record.value or b"") for record in records), topic
