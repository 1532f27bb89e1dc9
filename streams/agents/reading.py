"""Reading a chunk of records of one kind: what the shells behind the correlator share."""

from typing import TypeVar

from schemas.errors import DecodeError
from schemas.records import Record, decode_record
from streams.letters import Letters
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

R = TypeVar("R", bound=Record)


def read_records(chunk: Chunk, kind: type[R], letters: Letters) -> tuple[list[R], list[Outgoing]]:
    """Records of a chunk in order, and dead letters for what is none; a tombstone is neither."""
    found: list[R] = []
    refused: list[Outgoing] = []
    for row, value in enumerate(chunk.values):
        if value is None:
            continue
        try:
            found.append(decode_record(value, kind))
        except DecodeError as error:
            refused.append(letters.refuse(error, chunk, row))
    return found, refused
