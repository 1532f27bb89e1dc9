"""Records of tocsin.dead-letters: what could not be read, why, and where it stood."""

from schemas.labels import content_id
from schemas.reasons import DeadLetterReason
from schemas.records import Record
from schemas.scrub import Scrubber

HEAD_BYTES = 256


class DeadLetter(Record, frozen=True, kw_only=True):
    """One record, or one sample of a record, that was refused.

    Attributes:
        id: identity from its origin.
        item: index within a record that holds an array of samples, -1 for the whole record.
        head: the first 256 bytes of the record (base64 in JSON), what is personal replaced.
        size_bytes: size of the whole value.

    """

    id: str
    reason: DeadLetterReason
    detail: str
    topic: str
    partition: int
    offset: int
    record_time: int
    item: int = -1
    size_bytes: int = 0
    head: bytes = b""


def dead_letter(
    reason: DeadLetterReason,
    detail: str,
    value: bytes | None,
    *,
    topic: str,
    partition: int,
    offset: int,
    record_time: int,
    item: int = -1,
    scrubber: Scrubber | None = None,
) -> DeadLetter:
    """Dead letter for a record's value at its origin; where there is a scrubber, nothing personal stays in it."""
    value = value or b""
    head = value[:HEAD_BYTES]
    if scrubber is not None:
        head, detail = scrubber.head(value, HEAD_BYTES), scrubber.text(detail)
    return DeadLetter(
        id=content_id(topic, partition, offset, item),
        reason=reason,
        detail=detail[:500],
        topic=topic,
        partition=partition,
        offset=offset,
        record_time=record_time,
        item=item,
        size_bytes=len(value),
        head=head,
    )
