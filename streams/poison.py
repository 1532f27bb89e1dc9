"""Poison: records that make a stage raise are found by halving their chunk, and become dead letters one by one.

A stage that raised is half changed, so each attempt begins with a snapshot, and what failed begins anew from it. The
rest of the chunk is applied as if the records had never been there: how a chunk is cut changes nothing (see `stage`).

It refuses to set aside most of an input, and what a stage raises because of what it writes to (`SURROUNDINGS`): then
the fault is not the record's, and is raised.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from schemas.dead_letters import DeadLetter, dead_letter
from schemas.errors import TocsinError
from schemas.reasons import DeadLetterReason
from schemas.scrub import Scrubber
from streams.stage import Outgoing, Scrubbing, Stage
from streams.transport.chunk import Chunk

log = logging.getLogger(__name__)

FEW = 100
"""Above so many records in a chunk, poison must be fewer than what is sound."""
SURROUNDINGS = (TocsinError, OSError, MemoryError)
"""Errors of no record: of a file, a disk, a lock; or raised on purpose, which no record makes us do."""
StageT = TypeVar("StageT", bound=Stage)


class Isolated(NamedTuple, Generic[StageT]):
    """The stage after a chunk, what is to be sent, and letters for the records that were left out."""

    stage: StageT
    outputs: list[Outgoing]
    letters: list[DeadLetter]


def isolate(stage: StageT, chunk: Chunk, fresh: Callable[[], StageT]) -> Isolated[StageT]:
    """Apply all of a chunk but the records that make the stage raise; `fresh` makes an empty stage.

    Raises:
        Exception: what the stage raised, where too many records make it raise.

    """
    letters: list[DeadLetter] = []
    outputs: list[Outgoing] = []
    sound = 0
    waiting = [chunk]
    while waiting:
        part = waiting.pop()
        before = stage.snapshot()
        try:
            outputs += stage.apply(part)
            sound += len(part)
        except SURROUNDINGS:
            raise
        except Exception as error:
            stage = fresh()
            stage.restore(before)
            if len(part) > 1:
                waiting += reversed(part.split(len(part) // 2))
                continue
            if len(letters) >= max(FEW, sound):
                raise
            letters.append(_letter(part, error, _scrubber_of(stage)))
            log.exception("%s: the stage failed on the record at %d", part, part.offset)
    return Isolated(stage, outputs, letters)


def _letter(part: Chunk, error: Exception, scrubber: Scrubber | None) -> DeadLetter:
    return dead_letter(
        DeadLetterReason.STAGE_FAILED,
        f"{type(error).__name__} at {_place(error)}",
        part.values[0],
        topic=part.topic,
        partition=part.partition,
        offset=part.offset_of(0),
        record_time=part.timestamps[0],
        scrubber=scrubber,
    )


def _scrubber_of(stage: object) -> Scrubber | None:
    return stage.scrubber if isinstance(stage, Scrubbing) else None


def _place(error: Exception) -> str:
    """Module and line that raised; never the message, in which there may be what the record holds."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno}, in {last.name}"
