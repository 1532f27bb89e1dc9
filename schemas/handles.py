"""Handles: values that name native histograms by number, so that a column of float64 carries both.

A handle is a quiet NaN that no computation makes: its upper 16 bits are 0x7FFC, the lower 48 number the histogram in a
list or a bag that goes along. Refuses to guess: what comes from outside must be cleaned first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.histograms import NativeHistogram

MARK = 0x7FFC
NUMBER_BITS = 48


def make_handles(count: int, first: int = 0) -> NDArray[np.float64]:
    """Handles of this many histograms, numbered from `first` on."""
    return (np.arange(first, first + count) | MARK << NUMBER_BITS).view(np.float64)


def is_handle(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values name a histogram."""
    found: NDArray[np.bool_] = (np.ascontiguousarray(values).view(np.int64) >> NUMBER_BITS) == MARK
    return found


def without_handles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values from outside, where a NaN that looks like a handle is nothing but NaN."""
    strange = is_handle(values)
    return np.where(strange, np.nan, values) if strange.any() else values


def numbers_of(handles: NDArray[np.float64]) -> NDArray[np.int64]:
    """The numbers in handles."""
    bits: NDArray[np.int64] = np.ascontiguousarray(handles).view(np.int64) & (
        (1 << NUMBER_BITS) - 1
    )
    return bits


def pick(
    values: NDArray[np.float64], histograms: Sequence[NativeHistogram], first: int = 0
) -> tuple[NDArray[np.float64], list[NativeHistogram]]:
    """The histograms that these values name, in their order, and the values with those numbers from `first` on."""
    at = np.flatnonzero(is_handle(values))
    named = [histograms[number] for number in numbers_of(values[at]).tolist()]
    picked = values.copy()
    picked[at] = make_handles(len(named), first)
    return picked, named
