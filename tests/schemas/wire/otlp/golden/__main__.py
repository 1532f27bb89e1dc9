"""Makes records.json anew: `python -m tests.schemas.wire.otlp.golden`.

The OpenTelemetry SDK for Python sends to a server of ours, which keeps the bodies, and to the OpenTelemetry Collector
(`deploy.otel`), whose Kafka exporter writes to a real Apache Kafka in protobuf and in JSON; the values are read back.
Needs Go and Java.
"""

import asyncio
import base64
import json
import sys
import tempfile
from pathlib import Path

from deploy.kafka.broker import passing_node
from deploy.otel.build import COLLECTOR, FOLDER
from tests.schemas.wire.otlp.golden.collector import (
    TOPICS,
    create_topics,
    passing_collector,
    read_values,
)
from tests.schemas.wire.otlp.golden.producer import send
from tests.schemas.wire.otlp.golden.server import passing_server

ROOT = Path(__file__).resolve().parents[5]
RECORDS = Path(__file__).with_name("records.json")


def main() -> int:
    """Write the file."""
    found: dict[str, dict[str, list[bytes]]] = {}
    with passing_server() as (endpoint, bodies):
        send(endpoint)
        found["sdk"] = bodies
    program = COLLECTOR.ensure(FOLDER)
    for name, encoding in (("collector", "otlp_proto"), ("collector_json", "otlp_json")):
        with (
            passing_node(ROOT / ".kafka" / "libs") as kafka,
            tempfile.TemporaryDirectory() as folder,
        ):
            asyncio.run(create_topics(kafka))
            with passing_collector(program, kafka, encoding, Path(folder)) as endpoint:
                send(endpoint)
            found[name] = {
                signal: asyncio.run(read_values(kafka, topic)) for signal, topic in TOPICS.items()
            }
    texts = {
        name: {
            signal: [base64.b64encode(value).decode() for value in values]
            for signal, values in signals.items()
        }
        for name, signals in found.items()
    }
    RECORDS.write_text(json.dumps(texts, indent=1) + "\n")
    for name, signals in found.items():
        counts = {signal: len(values) for signal, values in signals.items()}
        sys.stdout.write(f"{name}: {counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
