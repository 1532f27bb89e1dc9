"""Intake: change events into the log of the correlator.

What is read from the topic of changes goes to tocsin.alerts, to the partition of its tenant, so that the correlator has
one log and a replay of it replays the changes. A `kind` that is not known is `other`, and personal data in words are
scrubbed. It refuses what is no change event, names no service, or has a time too far from that of its record.
"""

from schemas import topics
from schemas.changes import Change, ChangeEvent, ChangeKind, change_id
from schemas.config import Config
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import cloud_event_headers, decode_record, encode_record
from streams.detect.stage import alert_partition
from streams.ingest.identity import make_scrubber
from streams.letters import Letters
from streams.produce.event_time import parse
from streams.stage import Figure, Outgoing, scrub_figures
from streams.transport.chunk import Chunk

TEXT_MAX = 200
"""Longer words about a change are cut: they stand in incidents and in pages."""
_KINDS = {kind.value: kind for kind in ChangeKind}


class IntakeStage:
    """Change events of one partition to records of tocsin.alerts and dead letters."""

    def __init__(self, config: Config) -> None:
        self._letters = Letters()
        self._config = config
        self._scrubber = make_scrubber(config)

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.alerts and tocsin.dead-letters because of a chunk."""
        out: list[Outgoing] = []
        for row, value in enumerate(chunk.values):
            try:
                change = self._read(value, chunk.timestamps[row])
            except DecodeError as error:
                out.append(self._letters.refuse(error, chunk, row))
            else:
                partition = alert_partition(change.tenant, self._config.kafka.partitions)
                out.append(change_record(change, partition))
        return out

    def _read(self, value: bytes | None, record_time: int) -> Change:
        if value is None:
            raise DecodeError(DeadLetterReason.TOMBSTONE, "a change event has a value")
        if not value:
            raise DecodeError(DeadLetterReason.EMPTY_VALUE, "a change event has a value")
        if len(value) > self._config.limits.message_bytes:
            raise DecodeError(DeadLetterReason.TOO_LARGE, f"{len(value)} bytes")
        event = decode_record(value, ChangeEvent)
        if not event.service:
            raise DecodeError(DeadLetterReason.WRONG_TYPE, "a change event names a service")
        time = self._time(event, record_time)
        tenant = event.tenant or self._config.changes.tenant
        sort = _KINDS.get(event.kind, ChangeKind.OTHER)
        service = event.service[:TEXT_MAX]
        what, who = (self._told(text)[:TEXT_MAX] for text in (event.what, event.who))
        return Change(
            id=change_id(tenant, sort, service, what, who, time),
            tenant=tenant,
            sort=sort,
            service=service,
            time=time,
            what=what,
            who=who,
        )

    def _told(self, text: str) -> str:
        """Words without what in them is personal."""
        return text if self._scrubber is None else self._scrubber.text(text)

    def _time(self, event: ChangeEvent, record_time: int) -> int:
        try:
            time = parse(event.ts)
        except ValueError as error:
            raise DecodeError(DeadLetterReason.BAD_TIME, str(error)) from error
        limits = self._config.time
        if time > record_time + limits.max_ahead:
            detail = f"its time is {time - record_time} ms after that of its record"
            raise DecodeError(DeadLetterReason.TOO_FAR_AHEAD, detail)
        if time < max(0, record_time - limits.max_age):
            detail = f"its time is {record_time - time} ms before that of its record"
            raise DecodeError(DeadLetterReason.TOO_OLD, detail)
        return time

    def apply_event(self, event: object) -> list[Outgoing]:
        """Nothing is ever reported to this stage."""
        raise TypeError(f"changes take no events: {event!r}")

    def figures(self) -> list[Figure]:
        """Records refused, and what was scrubbed of the others."""
        return [*self._letters.figures(), *scrub_figures(self._scrubber)]

    def snapshot(self) -> bytes:
        """Nothing: what is sent twice after a restart has one id."""
        return b""

    def restore(self, blob: bytes) -> None:
        """Nothing to continue from."""


def change_record(change: Change, partition: int) -> Outgoing:
    """A change as it is sent, keyed by its tenant."""
    source = f"{change.tenant}/changes"
    return Outgoing(
        topics.ALERTS,
        encode_record(change),
        key=change.tenant.encode(),
        partition=partition,
        headers=cloud_event_headers("change", change.id, source, change.time),
        timestamp_ms=change.time,
    )
