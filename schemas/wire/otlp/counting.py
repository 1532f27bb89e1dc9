"""Counting: what logs and spans share, who are counted and told when a second has closed.

A record of the log is read whole before any of it is counted, so one that is refused leaves no trace.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.columns import WHOLE, Columns, Refusal
from schemas.wire.format import count_fault, of_record
from schemas.wire.interner import Interner
from schemas.wire.otlp.context import Context, Contexts, intern
from schemas.wire.otlp.walk import walk
from schemas.wire.tally import Tally, Told

Item = TypeVar("Item")


class Counting:
    """Counts the items of one source partition."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._contexts = Contexts(limits.series)
        self._tally = Tally()
        self._place = ""

    def begin(self, place: str) -> None:
        """Say which source partition the next records are of."""
        self._place = place

    def follow(self, interner: Interner) -> None:
        """Take note of the interner before the records of a chunk."""
        self._contexts.follow(interner)

    def _items(
        self, value: bytes, interner: Interner, read: Callable[[bytes, int, int, Context], Item]
    ) -> list[Item]:
        """What a record holds; raises DecodeError where it is no such record, or holds too much."""
        found: list[Item] = []
        for resource, scope, items in walk(value, len(value)):
            context = self._contexts.find(value[slice(*resource)], value[slice(*scope)], interner)
            found += [read(value, at, end, context) for at, end in items]
            if (fault := count_fault(len(found), self._limits)) is not None:
                raise DecodeError(*fault)
        return found


def no_time(record: int, item: int, what: str) -> Refusal:
    """The refusal of an item that says not when it was."""
    return Refusal(record, item, DeadLetterReason.MISSING_TIME, f"{what} without a time")


def no_room(record: int, item: int) -> Refusal:
    """The refusal of an item for which there is no counter any more."""
    return Refusal(record, item, DeadLetterReason.TOO_MANY_SERIES, "no room for another count")


def columns_of(
    record: int, told: Sequence[Told], refused: list[Refusal], interner: Interner
) -> Columns:
    """Columns of what is told at a record; a series that is refused is one refusal more."""
    rows: list[tuple[int, int, float]] = []
    for total in told:
        try:
            series = intern(total.metric, dict(total.labels), interner)
        except DecodeError as error:
            refused.append(Refusal(record, WHOLE, error.reason, error.detail, error.tenant))
            continue
        rows.append((series, total.time_ms, total.value))
    columns = of_record(
        record,
        np.array([series for series, _, _ in rows], np.intp),
        np.array([time for _, time, _ in rows], np.int64),
        np.array([value for _, _, value in rows], np.float64),
        np.full(len(rows), WHOLE),
    )
    columns.refused = refused
    return columns
