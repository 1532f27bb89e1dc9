"""Letters: what a stage could not read, as records of tocsin.dead-letters."""

from schemas import topics
from schemas.dead_letters import DeadLetter, dead_letter
from schemas.errors import DecodeError
from schemas.records import cloud_event_headers, encode_record
from streams.stage import Outgoing
from streams.transport.chunk import Chunk


def letter_record(letter: DeadLetter) -> Outgoing:
    """A dead letter as it is sent."""
    source = f"{letter.topic}/{letter.partition}"
    return Outgoing(
        topics.DEAD_LETTERS,
        encode_record(letter),
        key=letter.id.encode(),
        headers=cloud_event_headers("dead-letter", letter.id, source, letter.record_time),
        timestamp_ms=letter.record_time,
    )


def refuse(error: DecodeError, chunk: Chunk, row: int) -> Outgoing:
    """Dead letter for the record in this row of a chunk."""
    letter = dead_letter(
        error.reason,
        error.detail,
        chunk.values[row],
        topic=chunk.topic,
        partition=chunk.partition,
        offset=chunk.offset_of(row),
        record_time=chunk.timestamps[row],
    )
    return letter_record(letter)
