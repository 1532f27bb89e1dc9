"""`tocsin inspect`: what it prints of files and topics, and that what it proposes is taken by `tocsin check`."""

import asyncio
import json
from pathlib import Path

import pytest

from schemas.topics import Topic
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from streams.transport.embedded import EmbeddedBroker
from tests.cli.conftest import Cli
from tests.kafka.reading import produce

NOW = 1_767_225_600


def lines(count: int) -> list[bytes]:
    """Samples of two services, one of whose labels is a mail address."""
    return [
        json.dumps(
            {
                "ts": NOW + n,
                "metric": "http_requests_total",
                "value": n,
                "labels": {"service": f"s{n % 2}", "status": "500", "user": "bob@example.com"},
            }
        ).encode()
        for n in range(count)
    ]


def test_a_file_is_told_and_its_proposals_are_sound(cli: Cli, folder: Path) -> None:
    """The report names metric, label and personal data; rule and configuration pass `tocsin check`."""
    (folder / "lines.jsonl").write_bytes(b"\n".join([*lines(100), b"garbage"]))
    shown = cli("inspect", "lines.jsonl")
    told = json.loads(cli("inspect", "lines.jsonl", "--output", "json").stdout)

    assert 0 == shown.exit_code
    for part in (
        "http_requests_total",
        "its name ends with _total",
        "email",
        "garbage",
        "not_json",
    ):
        assert part in shown.stdout
    assert "bob@" not in shown.stdout + json.dumps(told)
    (folder / "first.yml").write_text(told["rule"]["text"])
    (folder / "tocsin.yaml").write_text(told["config"] + "rules: [first.yml]\n")
    checked = cli("check")
    assert (0, "1 rule, all sound\n") == (checked.exit_code, checked.stdout)


def test_the_configuration_says_how_a_recording_is_read(cli: Cli, folder: Path) -> None:
    """A recorded topic that has a source is read as that says, whatever its records look like."""
    (folder / "tocsin.yaml").write_text("sources: [{topic: t, format: influx}]")
    record = {"topic": "t", "partition": 0, "offset": 0, "timestamp": NOW * 1000, "value": "{}"}
    (folder / "t.jsonl").write_text(json.dumps(record))
    told = json.loads(cli("inspect", "t.jsonl", "--output", "json").stdout)

    assert ("influx", True, 0) == (told["read_as"], told["configured"], told["samples"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("empty.jsonl",), "there is nothing in it"),
        (("lines.jsonl", "missing.jsonl"), "missing.jsonl: no such file"),
        (("one", "two"), "name one topic"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cli: Cli, folder: Path, words: tuple[str, ...], why: str
) -> None:
    """An empty file, a missing one among others, and two topics end with 2 and a reason."""
    (folder / "empty.jsonl").write_text("")
    (folder / "lines.jsonl").write_bytes(b"\n".join(lines(3)))
    found = cli("inspect", *words)

    assert 2 == found.exit_code
    assert why in found.stderr


def inspect_topic(cli: Cli, bootstrap: str, topic: str) -> None:
    """Fill a topic, and hold the report against what was sent."""
    asyncio.run(create_topics(Broker(bootstrap), [Topic(topic, "", "", 4)]))
    asyncio.run(produce(bootstrap, topic, [*lines(40), b"garbage"]))
    found = cli("inspect", topic, "--broker", bootstrap, "--limit", "100", "--output", "json")
    told = json.loads(found.stdout)

    assert (topic, 41, 4, 40, 2) == tuple(
        told[key] for key in ("name", "records", "partitions", "samples", "series")
    )
    assert "native" == told["read_as"]
    assert 1 == next(r["count"] for r in told["refused"] if r["reason"] == "not_json")


CONFIG = "time: {max_age: 10y}\n"


@pytest.mark.embedded
def test_a_topic_is_told_on_the_embedded_broker(cli: Cli, folder: Path) -> None:
    """Records, partitions, samples and series of a topic, and what of it would be refused."""
    (folder / "tocsin.yaml").write_text(CONFIG)
    with EmbeddedBroker() as broker:
        inspect_topic(cli, broker.bootstrap, "inspected")


@pytest.mark.kafka
def test_a_topic_is_told_on_a_real_kafka(cli: Cli, folder: Path, kafka_bootstrap: str) -> None:
    """The same of a real Kafka."""
    (folder / "tocsin.yaml").write_text(CONFIG)
    inspect_topic(cli, kafka_bootstrap, f"inspected-{folder.name}")
