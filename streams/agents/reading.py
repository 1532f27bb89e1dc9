"""Reading a chunk of records of one kind: what the shells behind the correlator share."""

from typing import TypeVar

from schemas.dead_letters import dead_letter
from schemas.errors import DecodeError
from schemas.records import Record, decode_record
from streams.ingest.stage import letter_record
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

R = TypeVar("R", bound=Record)


def read_records(chunk: Chunk, kind: type[R]) -> tuple[list[R], list[Outgoing]]:
    """Records of a chunk in order, and dead letters for what is none; a tombstone is neither."""
    found: list[R] = []
    letters: list[Outgoing] = []
    for row, value in enumerate(chunk.values):
        if value is None:
            continue
        try:
            found.append(decode_record(value, kind))
        except DecodeError as error:
            letter = dead_letter(
                error.reason,
                error.detail,
                value,
                topic=chunk.topic,
                partition=chunk.partition,
                offset=chunk.offset_of(row),
                record_time=chunk.timestamps[row],
            )
            letters.append(letter_record(letter))
    return found, letters
