"""Forward: commands of people into the log of the correlator.

What is read from tocsin.commands goes to tocsin.alerts, to the partition of its tenant, so that the correlator has one
log and a replay of it replays the commands. It refuses what is no command, lacks a tenant, an actor or an id, or is
ahead of its own record by more than `time.max_ahead`.
"""

import msgspec

from schemas import topics
from schemas.commands import Command
from schemas.config import Config
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import cloud_event_headers, decode_record, encode_record
from streams.detect.stage import alert_partition
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.transport.chunk import Chunk


class ForwardStage:
    """Commands of one partition of tocsin.commands to records of tocsin.alerts and dead letters."""

    def __init__(self, config: Config) -> None:
        self._letters = Letters()
        self._max_ahead_ms = config.time.max_ahead
        self._partitions = config.kafka.partitions

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk."""
        out: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                command = self._read(value, chunk.timestamps[row])
            except DecodeError as error:
                out.append(self._letters.refuse(error, chunk, row))
            else:
                command = msgspec.structs.replace(command, offset=chunk.offset_of(row))
                partition = alert_partition(command.tenant, self._partitions)
                out.append(command_record(command, topics.ALERTS, partition))
        return out

    def _read(self, value: bytes | None, record_time: int) -> Command:
        if value is None:
            raise DecodeError(DeadLetterReason.TOMBSTONE, "a command has a value")
        if not value:
            raise DecodeError(DeadLetterReason.EMPTY_VALUE, "a command has a value")
        command = decode_record(value, Command)
        if not (command.id and command.tenant and command.actor):
            raise DecodeError(
                DeadLetterReason.WRONG_TYPE, "a command needs an id, a tenant and an actor"
            )
        if command.time < 0 or command.time > record_time + self._max_ahead_ms:
            text = f"its time is {command.time - record_time} ms after that of its record"
            raise DecodeError(DeadLetterReason.BAD_TIME, text)
        return command

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
