"""What is said to incidents and pagers from the command line, up to the topic."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from schemas.commands import About, Command, Verb
from schemas.records import decode_record
from schemas.topics import COMMANDS
from sinks.record import History
from streams.detect.stage import alert_partition
from streams.transport.embedded import EmbeddedBroker
from tests.cli.conftest import Cli
from tests.sinks.sample import make_alert, make_incident

NOBODY = ("--broker", "127.0.0.1:1")
PLAIN = make_alert("cart")
ODD = replace(PLAIN, alert=replace(PLAIN.alert, score=0.9999))


@pytest.fixture
def history(folder: Path) -> Path:
    """Two incidents in the history of the default configuration."""
    with History(folder / "tocsin.db") as history:
        history.record([make_incident("a"), make_incident("b", alerts=[ODD])])
    return folder / "tocsin.db"


async def read(bootstrap: str, partition: int, count: int) -> list[Command]:
    """The first records of a partition of tocsin.commands."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        place = TopicPartition(COMMANDS, partition)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        return [decode_record((await consumer.getone()).value, Command) for _ in range(count)]
    finally:
        await consumer.stop()


@pytest.mark.embedded
def test_what_is_said_is_on_the_topic(cli: Cli, history: Path) -> None:
    """Each verb is one command with the whole id, the tenant of the history, and who said it when."""
    a, b = make_incident("a"), make_incident("b")
    with EmbeddedBroker() as broker:
        broker.create_topics([COMMANDS])
        common = ("--broker", broker.bootstrap, "--by", "ann", "--at", "2024-01-01T00:00:00Z")
        words = (
            ("incident", "ack", a.id, "--comment", "on it"),
            ("incident", "unack", a.id),
            ("incident", "assign", a.id, "bob"),
            ("incident", "note", a.id, "disk was full"),
            ("incident", "resolve", a.id),
            ("incident", "reopen", a.id),
            ("incident", "merge", a.id, b.id),
            ("incident", "unmerge", b.id),
            ("hold", "10m", "--team", "shop", "--tenant", a.tenant),
            ("release", "--tenant", a.tenant),
            ("detector", "freeze", "service=cart", "--for", "2h", "--tenant", a.tenant),
            ("detector", "unlearn", 'service=~"cart|db"', "--tenant", a.tenant),
            ("incident", "fine", b.id, "--comment", "a sale"),
        )
        results = [cli(*said, *common) for said in words]
        partition = alert_partition(a.tenant, 4)
        found = asyncio.run(read(broker.bootstrap, partition, len(words)))

    assert [0] * len(words) == [r.exit_code for r in results], [r.output for r in results]
    at = 1_704_067_200_000
    assert [
        (Verb.ACKNOWLEDGE, a.id, "", "on it"),
        (Verb.UNACKNOWLEDGE, a.id, "", ""),
        (Verb.ASSIGN, a.id, "bob", ""),
        (Verb.NOTE, a.id, "", "disk was full"),
        (Verb.RESOLVE, a.id, "", ""),
        (Verb.REOPEN, a.id, "", ""),
        (Verb.MERGE, a.id, b.id, ""),
        (Verb.UNMERGE, b.id, "", ""),
        (Verb.HOLD, "", "shop", ""),
        (Verb.RELEASE, "", "", ""),
        (Verb.FREEZE, "", "", ""),
        (Verb.UNLEARN, "", "", ""),
        (Verb.FINE, b.id, "", "a sale"),
    ] == [(c.verb, c.incident, c.subject, c.text) for c in found]
    assert {("ann", a.tenant, at)} == {(c.actor, c.tenant, c.time) for c in found}
    freeze, unlearn, fine = (c.about for c in found[-3:])
    assert About(matchers=(("service=cart",),), until=at + 7_200_000) == freeze
    assert About(matchers=(('service=~"cart|db"',),)) == unlearn
    assert fine is not None
    assert f'service="{ODD.alert.labels["service"]}"' in fine.matchers[0]
    assert at + 600_000 == found[8].until
    assert "takes effect at 2024-01-01T00:00:00.000Z" in results[0].stdout


def test_unknown_incident_is_refused_before_a_broker_is_asked(cli: Cli, history: Path) -> None:
    """The history knows what there is; exit code 1."""
    result = cli("incident", "ack", "zz", *NOBODY)

    assert (1, "tocsin: no incident 'zz'; `tocsin incident list` lists them\n") == (
        result.exit_code,
        result.stderr,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hold", "soon", *NOBODY), "not a duration"),
        (("hold", "10m", "--at", "never", *NOBODY), "--at"),
        (("incident", "ack", "a", "--tenant", "acme"), "no broker configured"),
        (("incident", "note", "a", *NOBODY), "Missing argument"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(
    cli: Cli, folder: Path, words: tuple[str, ...], said: str
) -> None:
    """It is refused before anything is sent."""
    result = cli(*words)

    assert result.exit_code in (2, 3)
    assert said in result.stderr
    assert 1 == len(result.stderr.splitlines())


@pytest.mark.embedded
def test_scripts_read_the_command_that_was_sent(cli: Cli, folder: Path) -> None:
    """`--output json` prints the record; without `--by` the user of the machine speaks."""
    with EmbeddedBroker() as broker:
        broker.create_topics([COMMANDS])
        result = cli("hold", "1m", "--broker", broker.bootstrap, "--output", "json")
    sent = json.loads(result.stdout)

    assert ("hold", 60_000) == (sent["verb"], sent["until"] - sent["time"])
    assert sent["actor"]


def test_an_incident_without_a_detector_is_neither_fine_nor_bad(cli: Cli, history: Path) -> None:
    """Nobody would hear it."""
    result = cli("incident", "fine", make_incident("a").id, *NOBODY)
    assert 1 == result.exit_code
    assert "is of a detector" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fine", "nonsense"), "not a matcher"),
        (("freeze", "service=cart", "--for", "soon"), "not a duration"),
        (("unlearn",), "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_not_sent(cli: Cli, words: tuple[str, ...], said: str) -> None:
    """It ends with 2 before a broker is asked."""
    result = cli("detector", *words, *NOBODY)
    assert 2 == result.exit_code
    assert said in f"{result.stderr}{result.exception}"
