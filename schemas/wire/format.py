"""Format: what a wire format offers, and what the decoders of whole columns share.

A format is one file that ends in a `Format`; `schemas.wire.registry` finds it by name. The decoders here never loop
over samples: each record gives whole arrays (`of_record`), which are put together once a chunk (`of_chunk`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.columns import Columns, Decoder, Refusal, join
from schemas.wire.native import NativeJson


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format.

    Attributes:
        make: decoder of it, for these limits.
        content_types: values of a record's header `content-type` that mean it.
        starts: first bytes of every record of it, for `auto`; empty where they tell nothing.
        shapes: for `auto`, sets of keys; a JSON object with all the keys of one of them is a record of it.
        claims: for `auto`, whether bytes that are told neither so nor so look like a record of it.
        configured: decoder of it for these limits and the source's options, where it has any.
        options: names of the options that it takes.

    """

    make: Callable[[LimitsConfig], Decoder]
    content_types: tuple[str, ...] = ()
    starts: tuple[bytes, ...] = ()
    shapes: tuple[frozenset[str], ...] = ()
    claims: Callable[[bytes], bool] | None = None
    configured: Callable[[LimitsConfig, OptionsConfig], Decoder] | None = None
    options: tuple[str, ...] = ()


def of_record(
    record: int,
    series: NDArray[np.intp],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    items: NDArray[np.intp],
) -> Columns:
    """Columns of the samples of one record, which are whole arrays."""
    return Columns(series, times, values, np.full(len(series), record), items)


def of_chunk(records: Sequence[Columns], refused: list[Refusal]) -> Columns:
    """Columns of a chunk from those of its records, in their order."""
    joined = join(records or [_NONE])
    joined.refused = refused
    return joined


_NONE = of_record(
    0, np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.intp)
)


def refusals(
    record: int,
    faults: Sequence[tuple[int, DecodeError]],
    series: NDArray[np.integer[Any]],
    items: NDArray[np.intp],
) -> list[Refusal]:
    """One refusal for each label set of a record that is refused, at the first of its samples.

    `series` has the number of its label set for each sample, `items` its index in the record; a label set that no
    sample has is nobody's loss.
    """
    counts = np.bincount(series)
    first = np.zeros(len(counts), np.intp)
    # of several samples the one that is written last stays
    first[series[::-1]] = items[::-1]
    return [
        Refusal(
            record,
            first.item(number),
            error.reason,
            f"{error.detail} ({counts[number]} samples)",
            error.tenant,
        )
        for number, error in faults
        if number < len(counts) and counts[number]
    ]


def size_fault(value: bytes | None, limits: LimitsConfig) -> tuple[DeadLetterReason, str] | None:
    """Why a value is refused by its size alone; None when its size is in order."""
    if value is None:
        return DeadLetterReason.TOMBSTONE, "null value"
    if not value:
        return DeadLetterReason.EMPTY_VALUE, "value of 0 bytes"
    if len(value) > limits.message_bytes:
        detail = f"{len(value)} bytes, the limit is {limits.message_bytes}"
        return DeadLetterReason.TOO_LARGE, detail
    return None


def count_fault(samples: int, limits: LimitsConfig) -> tuple[DeadLetterReason, str] | None:
    """Why a record of this many samples is refused; None when it is not."""
    if samples <= limits.samples_per_message:
        return None
    return (
        DeadLetterReason.TOO_LARGE,
        f"{samples} samples, the limit is {limits.samples_per_message}",
    )


def _native(limits: LimitsConfig) -> NativeJson:
    return NativeJson(
        message_bytes=limits.message_bytes, samples_per_message=limits.samples_per_message
    )


NATIVE = Format(
    _native,
    ("application/json",),
    # two of the three, so that a record which lacks the third is told what it lacks
    shapes=(
        frozenset({"ts", "metric"}),
        frozenset({"ts", "value"}),
        frozenset({"metric", "value"}),
        frozenset({"ts", "metric", "value"}),
    ),
)
