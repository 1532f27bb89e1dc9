"""CorrelateStage: the pure stage of one partition of tocsin.alerts.

What is no alert, no command and no tick, or has a time that no calendar has, becomes a dead letter; the rest of its
chunk goes through.
"""

from collections.abc import Iterable

import msgspec

from schemas import topics
from schemas.alerts import Alert, AlertRecord, Tick
from schemas.changes import Change
from schemas.commands import Command
from schemas.config import Config
from schemas.dead_letters import DeadLetter, dead_letter
from schemas.edges import Edge
from schemas.errors import DecodeError
from schemas.incidents import Incident
from schemas.labels import content_id
from schemas.notices import Notice
from schemas.reasons import DeadLetterReason, Gate
from schemas.records import cloud_event_headers, encode_record
from schemas.silences import Silence
from streams.correlate.correlator import Correlator
from streams.correlate.desk import Refusal
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.gates import Gates
from streams.correlate.graves import Tombstone
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.transport.chunk import Chunk

TIME_MAX_MS = 253_402_300_799_999
"""Last millisecond of the year 9999, beyond which RFC 3339 has no form."""

_decoder: msgspec.json.Decoder[AlertRecord] = msgspec.json.Decoder(AlertRecord)


class CorrelateStage:
    """Alerts and ticks of one partition to records of tocsin.incidents and dead letters.

    `sources` is the number of detect partitions, which all send to this one.
    """

    def __init__(self, config: Config, *, sources: int) -> None:
        self._letters = Letters()
        self.correlator = Correlator(
            config.correlate,
            config.topology,
            sources=sources,
            page_horizon_ms=config.time.page_horizon,
            gates=Gates(config),
            dispatcher=None if config.route is None else Dispatcher(config, config.route),
        )

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.incidents and tocsin.dead-letters because of a chunk."""
        out: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                record = _decode(value)
            except DecodeError as error:
                out.append(self._letters.refuse(error, chunk, row))
            else:
                if found := self.correlator.apply(record):
                    out += (incident_record(incident, chunk.partition) for incident in found)
                if refused := self.correlator.take_refusals():
                    out += (self._letters.post(_letter(r, chunk.partition)) for r in refused)
        gone = self.correlator.take_tombstones()
        return [*out, *(_tombstone_record(tombstone, chunk.partition) for tombstone in gone)]

    def apply_event(self, event: object) -> list[Outgoing]:
        """Nothing is ever reported to this stage."""
        raise TypeError(f"correlate takes no events: {event!r}")

    def figures(self) -> list[Figure]:
        """Alerts and commands without effect by reason, alerts taken in late, and records refused."""
        dropped, refused = self.correlator.dropped, self.correlator.refused
        return [
            Figure("alerts_late", "held_too_many", self.correlator.late),
            *(Figure("alerts_dropped", reason.value, n) for reason, n in dropped.items()),
            *(Figure("commands_refused", reason.value, n) for reason, n in refused.items()),
            *(Figure("alerts_stopped", gate.value, n) for gate, n in self._stopped()),
            *self._letters.figures(),
        ]

    def _stopped(self) -> Iterable[tuple[Gate, int]]:
        dispatcher = self.correlator.dispatcher
        return () if dispatcher is None else dispatcher.stopped.items()

    def snapshot(self) -> bytes:
        """The whole state."""
        return self.correlator.snapshot()

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot."""
        self.correlator.restore(blob)


def incident_record(incident: Incident, partition: int) -> Outgoing:
    """A record of an incident, or a notice, as it is sent: keyed by it, so the topic can be compacted.

    It stays in the partition of its tenant's alerts, so that whoever acts on incidents sees all of a tenant.
    """
    told = isinstance(incident, Notice)
    identity = content_id(incident.id, incident.revision, int(incident.provisional))
    source = f"{incident.tenant}/{'notices' if told else 'incidents'}"
    kind = "notice" if told else "incident"
    headers = cloud_event_headers(kind, identity, source, incident.updated_at, incident.id)
    return Outgoing(
        topics.NOTICES if told else topics.INCIDENTS,
        encode_record(incident),
        key=incident.id.encode(),
        partition=partition,
        headers=headers,
        timestamp_ms=incident.updated_at,
    )


def _tombstone_record(tombstone: Tombstone, partition: int) -> Outgoing:
    """The end of an incident's key: compaction may remove what stands under it."""
    identity = content_id(tombstone.id, "tombstone")
    source = f"{tombstone.tenant}/incidents"
    return Outgoing(
        topics.INCIDENTS,
        None,
        key=tombstone.id.encode(),
        partition=partition,
        headers=cloud_event_headers("incident.deleted", identity, source, tombstone.time),
        timestamp_ms=tombstone.time,
    )


def _letter(refusal: Refusal, partition: int) -> DeadLetter:
    """A command that no incident shows, at its place in tocsin.commands."""
    command = refusal.command
    what = f"{command.verb.value} {command.incident or command.subject}".rstrip()
    return dead_letter(
        DeadLetterReason.COMMAND_REFUSED,
        f"{what} by {command.actor}: {refusal.reason.value}",
        encode_record(command),
        topic=topics.COMMANDS,
        partition=partition,
        offset=command.offset,
        record_time=command.time,
    )


def _decode(value: bytes | None) -> AlertRecord:
    if value is None:
        raise DecodeError(DeadLetterReason.TOMBSTONE, "an alert has a value")
    if not value:
        raise DecodeError(DeadLetterReason.EMPTY_VALUE, "an alert has a value")
    try:
        record = _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise DecodeError(DeadLetterReason.WRONG_TYPE, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(DeadLetterReason.NOT_JSON, str(error)) from error
    if isinstance(record, Alert):
        known = 0 <= record.time <= TIME_MAX_MS and 0 <= record.active_at <= TIME_MAX_MS
    else:
        known = all(0 <= time <= TIME_MAX_MS for time in _times(record))
    if not known:
        raise DecodeError(DeadLetterReason.BAD_TIME, "a time lies outside the years 1970 to 9999")
    return record


def _times(record: Tick | Command | Change | Edge) -> tuple[int, ...]:
    match record:
        case Tick(time=time, record_time=stamp):
            return time, stamp
        case Command(time=time, until=until, silence=Silence() as silence):
            return time, until, silence.starts_at, silence.ends_at
        case Command(time=time, until=until):
            return time, until
        case Change(time=time) | Edge(time=time):
            return (time,)
