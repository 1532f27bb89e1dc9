"""Forward: commands of people into the log of the correlator.

What is read from tocsin.commands goes to tocsin.alerts, to the partition of its tenant, so that the correlator has one
log and a replay of it replays the commands. What is said to detectors goes into the log of these: to every partition of
tocsin.samples, and to the tenant's one of tocsin.partials; stages of keyed sources have no log of ours, and read
tocsin.commands themselves. Refuses what is no command, lacks a tenant, an actor or an id, is ahead of its own record by
more than `time.max_ahead`, or speaks to detectors and names none.
"""

import msgspec

from schemas import topics
from schemas.commands import Command
from schemas.config import Config
from schemas.errors import DecodeError
from schemas.matchers import parse_all
from schemas.reasons import DeadLetterReason
from schemas.records import cloud_event_headers, decode_record, encode_record
from streams.detect.stage import alert_partition
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.transport.chunk import Chunk


class ForwardStage:
    """Commands of one partition of tocsin.commands to records of tocsin.alerts and dead letters."""

    def __init__(self, config: Config, *, second_stage: bool = False) -> None:
        """`second_stage` says whether there is one for rules wider than the locality, which has detectors too."""
        self._letters = Letters()
        self._second_stage = second_stage
        self._first_stage = any(not source.keyed for source in config.sources)
        self._max_ahead_ms = config.time.max_ahead
        self._partitions = config.kafka.partitions

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk."""
        out: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                command = read_command(value, chunk.timestamps[row], self._max_ahead_ms)
            except DecodeError as error:
                out.append(self._letters.refuse(error, chunk, row))
            else:
                command = msgspec.structs.replace(command, offset=chunk.offset_of(row))
                partition = alert_partition(command.tenant, self._partitions)
                if not command.verb.of_detectors or command.incident:
                    out.append(command_record(command, topics.ALERTS, partition))
                if command.verb.of_detectors:
                    out += self._to_detectors(command, partition)
        return out

    def _to_detectors(self, command: Command, partition: int) -> list[Outgoing]:
        """The command in the log of each stage that may have the detectors that it speaks of."""
        out = []
        if self._first_stage:
            # a tenant's series are in all partitions
            everywhere = range(self._partitions)
            out += [command_record(command, topics.SAMPLES, each) for each in everywhere]
        if self._second_stage:
            out.append(command_record(command, topics.PARTIALS, partition))
        return out

    def apply_event(self, event: object) -> list[Outgoing]:
        """Nothing is ever reported to this stage."""
        raise TypeError(f"commands take no events: {event!r}")

    def figures(self) -> list[Figure]:
        """Records refused."""
        return self._letters.figures()

    def snapshot(self) -> bytes:
        """Nothing: what is sent twice after a restart has one id."""
        return b""

    def restore(self, blob: bytes) -> None:
        """Nothing to continue from."""


def read_command(value: bytes | None, record_time: int, max_ahead_ms: int) -> Command:
    """The command that a record of tocsin.commands with this time, ms, holds.

    Raises:
        DecodeError: it is refused.

    """
    if value is None:
        raise DecodeError(DeadLetterReason.TOMBSTONE, "a command has a value")
    if not value:
        raise DecodeError(DeadLetterReason.EMPTY_VALUE, "a command has a value")
    command = decode_record(value, Command)
    if not (command.id and command.tenant and command.actor):
        raise DecodeError(
            DeadLetterReason.WRONG_TYPE, "a command needs an id, a tenant and an actor"
        )
    if command.time < 0 or command.time > record_time + max_ahead_ms:
        text = f"its time is {command.time - record_time} ms after that of its record"
        raise DecodeError(DeadLetterReason.BAD_TIME, text)
    if command.verb.of_detectors:
        _check_about(command)
    return command


def _check_about(command: Command) -> None:
    """Refuse what no detector could make sense of."""
    try:
        named = command.about is not None and any(map(parse_all, command.about.matchers))
    except ValueError as error:
        raise DecodeError(DeadLetterReason.COMMAND_REFUSED, str(error)) from error
    if not named:
        text = "it names no alerts whose detectors are meant"
        raise DecodeError(DeadLetterReason.COMMAND_REFUSED, text)


def command_record(command: Command, topic: str, partition: int) -> Outgoing:
    """A command as it is sent, keyed by its tenant."""
    source = f"{command.tenant}/commands"
    return Outgoing(
        topic,
        encode_record(command),
        key=command.tenant.encode(),
        partition=partition,
        headers=cloud_event_headers("command", command.id, source, command.time),
        timestamp_ms=command.time,
    )
