"""The way of a command: from tocsin.commands through the log of the correlator into an incident, or to the dead."""

import msgspec
import pytest

from schemas import topics
from schemas.commands import Command, Verb
from schemas.config import Config
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.reasons import DeadLetterReason, IncidentState
from schemas.records import decode_record, encode_record
from streams.correlate import CorrelateStage, ForwardStage
from streams.detect.stage import alert_partition
from streams.replay.pipeline import Pipeline
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.correlate.sample import MINUTE, T0, S, make_alert, make_command, make_tick

HOME = alert_partition("acme", Config().kafka.partitions)


def chunk(*values: bytes | None) -> Chunk:
    """A chunk of tocsin.commands from offset 7 on."""
    return Chunk(
        topics.COMMANDS,
        1,
        fetch_offset=7,
        next_offset=7 + len(values),
        values=list(values),
        timestamps=[T0] * len(values),
    )


def sent_to(topic: str, sent: list[Outgoing]) -> list[Outgoing]:
    return [record for record in sent if record.topic == topic]


def test_command_goes_to_the_partition_of_its_tenant() -> None:
    """With its place, under its tenant as the key, with CloudEvents headers; the same bytes are the same record."""
    command = make_command(Verb.NOTE, 0, "x", text="hello")
    first, again = (
        ForwardStage(Config()).apply(chunk(encode_record(command)))[0] for _ in range(2)
    )

    assert (topics.ALERTS, b"acme", HOME, T0) == (
        first.topic,
        first.key,
        first.partition,
        first.timestamp_ms,
    )
    assert msgspec.structs.replace(command, offset=7) == decode_record(first.value or b"", Command)
    assert (b"tocsin.command", command.id.encode()) == (
        dict(first.headers)["ce_type"],
        dict(first.headers)["ce_id"],
    )
    assert first == again


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, DeadLetterReason.TOMBSTONE),
        (b"", DeadLetterReason.EMPTY_VALUE),
        (b"{", DeadLetterReason.NOT_JSON),
        (b'{"kind":"alert"}', DeadLetterReason.WRONG_TYPE),
        (
            encode_record(msgspec.structs.replace(make_command(Verb.NOTE, 0), actor="")),
            DeadLetterReason.WRONG_TYPE,
        ),
        (encode_record(make_command(Verb.NOTE, 6 * MINUTE)), DeadLetterReason.BAD_TIME),
        (
            encode_record(msgspec.structs.replace(make_command(Verb.NOTE, 0), time=-1)),
            DeadLetterReason.BAD_TIME,
        ),
    ],
)
def test_what_is_no_command_is_a_dead_letter(value: bytes | None, reason: DeadLetterReason) -> None:
    """It names the reason and the place; the rest of the chunk goes through."""
    good = encode_record(make_command(Verb.NOTE, 0, "x", text="hello"))
    letter, passed = ForwardStage(Config()).apply(chunk(value, good))
    found = decode_record(letter.value or b"", DeadLetter)

    assert (reason, topics.COMMANDS, 1, 7) == (
        found.reason,
        found.topic,
        found.partition,
        found.offset,
    )
    assert topics.ALERTS == passed.topic


def pipeline() -> Pipeline:
    config = Config()
    return Pipeline(
        {
            topics.COMMANDS: lambda _t, _p: ForwardStage(config),
            topics.ALERTS: lambda _t, _p: CorrelateStage(config, sources=1),
        },
        watch=(topics.ALERTS, topics.INCIDENTS, topics.DEAD_LETTERS),
    )


def to_alerts(*records: object) -> list[Outgoing]:
    return [
        Outgoing(topics.ALERTS, msgspec.json.encode(r), partition=HOME, timestamp_ms=T0)
        for r in records
    ]


def to_commands(*commands: Command) -> list[Outgoing]:
    return [
        Outgoing(topics.COMMANDS, encode_record(c), partition=0, timestamp_ms=c.time)
        for c in commands
    ]


def story() -> tuple[list[Outgoing], list[Outgoing]]:
    """What goes to tocsin.alerts, commands too, and to tocsin.incidents, when somebody acknowledges."""
    topic = pipeline()
    sent = topic.inject(to_alerts(make_alert("cart", 0), make_tick(30 * S)))
    incident = decode_record(sent_to(topics.INCIDENTS, sent)[-1].value or b"", Incident)
    sent += topic.inject(to_commands(make_command(Verb.ACKNOWLEDGE, MINUTE, incident.id)))
    sent += topic.inject(to_alerts(make_tick(2 * MINUTE)))
    return sent_to(topics.ALERTS, sent), sent_to(topics.INCIDENTS, sent)


def test_acknowledged_through_the_topics() -> None:
    """What is sent to tocsin.commands is in the next record of the incident."""
    _, incidents = story()
    last = decode_record(incidents[-1].value or b"", Incident)

    assert (IncidentState.ACKNOWLEDGED, "ann", 2) == (last.state, last.owner, last.revision)


def test_replay_of_the_alerts_alone_replays_the_commands() -> None:
    """The correlator has one log: the same records of it give the same incidents, byte for byte."""
    alerts, incidents = story()
    again = pipeline().inject(alerts)

    assert incidents == sent_to(topics.INCIDENTS, again)


def test_command_for_nothing_is_a_dead_letter() -> None:
    """With the whole command, what it wanted, and its place in tocsin.commands."""
    command = make_command(Verb.RESOLVE, 0, "nowhere")
    topic = pipeline()
    sent = topic.inject(to_commands(command)) + topic.inject(to_alerts(make_tick(MINUTE)))
    (letter,) = sent_to(topics.DEAD_LETTERS, sent)
    found = decode_record(letter.value or b"", DeadLetter)

    assert (DeadLetterReason.COMMAND_REFUSED, topics.COMMANDS, 0) == (
        found.reason,
        found.topic,
        found.offset,
    )
    assert "resolve nowhere by ann: unknown_incident" == found.detail
    assert b'"verb":"resolve"' in found.head
