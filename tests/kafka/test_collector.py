"""The recipe for the OpenTelemetry Collector: the real one writes to a real Kafka, and ingest reads it."""

from pathlib import Path

import pytest

from deploy.otel import build
from schemas import topics
from schemas.config import find_problems, load_document
from schemas.labels import METRIC
from schemas.samples import decode_batch
from streams.app import Setting, Workers
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics as create_ours
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until
from tests.schemas.wire.otlp.golden.collector import (
    ADDRESS,
    COLLECTOR,
    ENCODING,
    RULES,
    TOCSIN,
    create_topics,
    passing_collector,
)
from tests.schemas.wire.otlp.golden.producer import send, send_spans

WANTED = {
    "http_server_requests_total",
    "http_server_request_duration_seconds_bucket",
    "http_server_request_duration_fine_seconds",
    "cpu_utilization_ratio",
    "target_info",
    "log_records_total",
    "span_requests_total",
    "traces_service_graph_request_total",
}


def test_the_recipe_is_sound() -> None:
    """Its configuration and its rules have no fault, and the Collector's part names their topics."""
    assert [] == find_problems(TOCSIN, "tocsin.yaml")
    assert [] == parse_rules(RULES, "rules.yml")[1]
    assert all(
        f"topic: {name}" in COLLECTOR for name in ("otlp_metrics", "otlp_logs", "otlp_spans")
    )


async def test_what_the_collector_writes_is_read(own_kafka: str, tmp_path: Path) -> None:
    """The recipe as it stands, with other addresses: every kind of telemetry becomes series, and nothing is refused."""
    program = build.COLLECTOR.find(build.FOLDER)
    if program is None:
        pytest.skip("NO COLLECTOR, RECIPE NOT TESTED: `python3 -m deploy.otel` builds it")
    config = load_document(TOCSIN.replace(ADDRESS, own_kafka), "tocsin.yaml").config
    broker = Broker(own_kafka)
    await create_ours(broker, topics.all_topics())
    await create_topics(own_kafka)
    with passing_collector(program, own_kafka, ENCODING, tmp_path) as endpoint:
        send(endpoint)
        # a trace is in one partition: more of them, so that a partition's second is followed by another
        for _ in range(10):
            send_spans(endpoint)
    written = sum([len(await read_topic(own_kafka, source.topic)) for source in config.sources])
    async with Workers(Setting(config, [], broker, WallClock(), ("ingest",))) as workers:
        await until(lambda: workers.host.runners["ingest"].stats.records == written)

    batches = [decode_batch(r.value) for r in await read_topic(own_kafka, topics.SAMPLES)]
    sets = [dict(batch.labels(n)) for batch in batches for n in range(len(batch.label_bytes))]
    letters = await read_topic(own_kafka, topics.DEAD_LETTERS)
    assert WANTED <= {labels[METRIC] for labels in sets}
    assert {"cart", "payment"} <= {labels.get("service") for labels in sets}
    assert [] == [letter.value for letter in letters]
