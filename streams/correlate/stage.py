"""CorrelateStage: the pure stage of one partition of tocsin.alerts.

What is no alert and no tick, or has a time that no calendar has, becomes a dead letter; the rest of its chunk goes
through.
"""

import msgspec

from schemas import topics
from schemas.alerts import Alert, AlertRecord, Tick
from schemas.config import Config
from schemas.errors import DecodeError
from schemas.incidents import Incident
from schemas.labels import content_id
from schemas.reasons import DeadLetterReason
from schemas.records import cloud_event_headers, encode_record
from streams.correlate.correlator import Correlator
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
                found = self.correlator.apply(record)
                out += (incident_record(incident, chunk.partition) for incident in found)
        return out

    def apply_event(self, event: object) -> list[Outgoing]:
        """Nothing is ever reported to this stage."""
        raise TypeError(f"correlate takes no events: {event!r}")

    def figures(self) -> list[Figure]:
        """Alerts without effect by reason, those taken in late, and records refused."""
        dropped = self.correlator.dropped
        return [
            Figure("alerts_late", "held_too_many", self.correlator.late),
            *(Figure("alerts_dropped", reason.value, n) for reason, n in dropped.items()),
            *self._letters.figures(),
        ]

    def snapshot(self) -> bytes:
        """The whole state."""
        return self.correlator.snapshot()

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot."""
        self.correlator.restore(blob)


def incident_record(incident: Incident, partition: int) -> Outgoing:
    """A record of an incident as it is sent: keyed by the incident, so the topic can be compacted.

    It stays in the partition of its tenant's alerts, so that whoever acts on incidents sees all of a tenant.
    """
    identity = content_id(incident.id, incident.revision, int(incident.provisional))
    source = f"{incident.tenant}/incidents"
    headers = cloud_event_headers("incident", identity, source, incident.updated_at)
    return Outgoing(
        topics.INCIDENTS,
        encode_record(incident),
        key=incident.id.encode(),
        partition=partition,
        headers=headers,
        timestamp_ms=incident.updated_at,
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
    if not all(0 <= time <= TIME_MAX_MS for time in _times(record)):
        raise DecodeError(DeadLetterReason.BAD_TIME, "a time lies outside the years 1970 to 9999")
    return record


def _times(record: AlertRecord) -> tuple[int, ...]:
    match record:
        case Alert(time=time, active_at=onset):
            return time, onset
        case Tick(time=time, record_time=stamp):
            return time, stamp
