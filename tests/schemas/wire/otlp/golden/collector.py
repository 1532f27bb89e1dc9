"""The OpenTelemetry Collector as a process: OTLP over HTTP in, Kafka out."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.ports import free_port
from schemas.topics import PARTITIONS
from tests.kafka.reading import read_topic

ROOT = Path(__file__).resolve().parents[5]
RECIPE = ROOT / "docs" / "recipes" / "otel-collector.md"
COLLECTOR, TOCSIN, RULES = re.findall(
    r"^```yaml\n(.*?)^```$", RECIPE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
"""The blocks of the recipe."""
ADDRESS, ENDPOINT, ENCODING = "kafka-1.example.com:9092", "0.0.0.0:4318", "otlp_proto"
TOPICS = {"metrics": "otlp_metrics", "logs": "otlp_logs", "traces": "otlp_spans"}
START_SECONDS, STOP_SECONDS = 30.0, 20.0


@contextmanager
def passing_collector(program: Path, kafka: str, encoding: str, folder: Path) -> Iterator[str]:
    """Address of a Collector that writes to this Kafka; at the end it has written all that it was sent."""
    http = f"127.0.0.1:{free_port()}"
    text = COLLECTOR
    for shown, ours in ((ENDPOINT, http), (ADDRESS, kafka), (ENCODING, encoding)):
        assert shown in text
        text = text.replace(shown, ours)
    config, log = folder / "collector.yaml", folder / "collector.log"
    config.write_text(text)
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(program), "--config", f"file:{config}"], stdout=out, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Everything is ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the Collector does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield f"http://{http}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def create_topics(kafka: str) -> None:
    """The Collector's topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in TOPICS.values()])
    finally:
        await admin.close()


async def read_values(kafka: str, topic: str) -> list[bytes]:
    """The values of a topic, partition by partition."""
    return [record.value for record in await read_topic(kafka, topic)]
