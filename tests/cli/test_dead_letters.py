"""Dead letters from the command line, on a real Kafka."""

import asyncio
import json
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.dead_letters import DeadLetter, dead_letter
from schemas.reasons import DeadLetterReason
from schemas.records import encode_record
from schemas.topics import DEAD_LETTERS, Topic
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.cli.conftest import Cli

RECORDS = [b"sound", b"{broken", b"[broken too"]


@pytest.fixture
def letters(kafka_bootstrap: str, folder: Path) -> tuple[str, list[DeadLetter]]:
    """Prefix of topics with three records, and the letters about the last two."""
    prefix = f"letters-{uuid.uuid4().hex[:8]}-"
    (folder / "tocsin.yaml").write_text(
        f"kafka: {{bootstrap: '{kafka_bootstrap}', prefix: {prefix}}}"
    )

    async def fill() -> list[DeadLetter]:
        broker = Broker(kafka_bootstrap)
        names = (f"{prefix}{DEAD_LETTERS}", "told-" + prefix)
        await create_topics(broker, [Topic(name, "", "", 2, {}) for name in names])
        producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
        await producer.start()
        found = []
        for offset, value in enumerate(RECORDS):
            await producer.send_and_wait(
                names[1],
                value,
                key=b"k",
                partition=1,
                timestamp_ms=1000 + offset,
                headers=[("h", b"1")],
            )
            if offset:
                found.append(
                    dead_letter(
                        DeadLetterReason.NOT_JSON,
                        "no",
                        value,
                        topic=names[1],
                        partition=1,
                        offset=offset,
                        record_time=1000 + offset,
                    )
                )
        for letter in (*found, found[0]):  # a worker that was killed sends one twice
            await producer.send_and_wait(names[0], encode_record(letter), key=letter.id.encode())
        await producer.stop()
        return found

    return prefix, asyncio.run(fill())


def stored(bootstrap: str, topic: str) -> list[tuple[int, bytes | None, bytes | None, int]]:
    """Records of partition 1."""

    async def read() -> list[tuple[int, bytes | None, bytes | None, int]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        place = TopicPartition(topic, 1)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        found: list[tuple[int, bytes | None, bytes | None, int]] = []
        while len(found) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(r.offset, r.value, r.key, r.timestamp) for r in records]
        await consumer.stop()
        return found

    return asyncio.run(read())


def test_letters_are_listed_once_and_shown(cli: Cli, letters: tuple[str, list[DeadLetter]]) -> None:
    """In the order of their records, chosen by reason or topic; one is shown by the beginning of its id."""
    _, found = letters
    listed = json.loads(cli("dead-letters", "list", "--output", "json").stdout)
    assert [letter.id for letter in found] == [each["id"] for each in listed]
    assert "no dead letters\n" == cli("dead-letters", "list", "--reason", "late").stdout
    shown = cli("dead-letters", "show", found[1].id[:8]).stdout
    assert "not_json: no" in shown
    assert "[broken too" in shown
    refused = cli("dead-letters", "show", "zzzz")
    assert (1, "no letter 'zzzz'") == (
        refused.exit_code,
        refused.stderr.partition(" among")[0][-16:],
    )


def test_records_are_put_back_where_they_stood(
    cli: Cli, letters: tuple[str, list[DeadLetter]], kafka_bootstrap: str, folder: Path
) -> None:
    """In their partition, with key and time; a mended value takes the place of the old; a dry run sends nothing."""
    _, found = letters
    topic = found[0].topic
    assert 0 == cli("dead-letters", "replay", "--topic", topic, "--dry-run").exit_code
    assert 3 == len(stored(kafka_bootstrap, topic))
    (folder / "mended").write_bytes(b"{}")
    done = cli("dead-letters", "replay", found[0].id, "--value", "mended", "--output", "json")
    assert [3] == [fate["put_at"] for fate in json.loads(done.stdout)]
    assert 0 == cli("dead-letters", "replay", found[1].id).exit_code
    assert [(3, b"{}", b"k", 1001), (4, b"[broken too", b"k", 1002)] == stored(
        kafka_bootstrap, topic
    )[3:]


def test_wrong_ways_to_put_back_are_refused(
    cli: Cli, letters: tuple[str, list[DeadLetter]], folder: Path
) -> None:
    """Nothing named, one value for two records, and no such letter."""
    _, found = letters
    (folder / "mended").write_bytes(b"{}")
    assert 2 == cli("dead-letters", "replay").exit_code
    assert (
        2 == cli("dead-letters", "replay", "--topic", found[0].topic, "--value", "mended").exit_code
    )
    assert 1 == cli("dead-letters", "replay", "zzzz").exit_code
