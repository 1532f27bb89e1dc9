"""Letters: what a stage could not read, as records of tocsin.dead-letters, counted by reason."""

from collections import Counter

from schemas import topics
from schemas.dead_letters import DeadLetter, dead_letter
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import cloud_event_headers, encode_record
from streams.stage import Figure, Outgoing
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


class Letters:
    """Dead letters of a stage that reads Tocsin's own topics: every record that it refuses becomes one."""

    def __init__(self) -> None:
        self._counts: Counter[DeadLetterReason] = Counter()

    def refuse(self, error: DecodeError, chunk: Chunk, row: int) -> Outgoing:
        """Dead letter for the record in this row of a chunk."""
        self._counts[error.reason] += 1
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

    def post(self, letter: DeadLetter) -> Outgoing:
        """A dead letter about a record that did not come with this chunk."""
        self._counts[letter.reason] += 1
        return letter_record(letter)

    def figures(self) -> list[Figure]:
        """What was refused since the start of the process, all of it written."""
        return [
            Figure(name, reason.value, n)
            for name in ("refused", "dead_letters")
            for reason, n in self._counts.items()
        ]
