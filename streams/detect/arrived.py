"""Arrived: samples of one source partition on their way into a detect core."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.histograms import NativeHistogram

Source = tuple[str, int]
"""Topic and partition."""


class Arrived(NamedTuple):
    """Samples of one source partition that were not applied before, and what their batch says of it.

    Attributes:
        source: topic and partition.
        watermark: event time in ms before which this source brings nothing more.
        record_time: largest Kafka record time read of it, ms.
        idle: whether there is nothing to read in it.
        rows: int64[n], rows of the store, -1 where there is no room.
        times: int64[n], event time in ms.
        values: float64[n].
        offsets: int64[n], offsets in the source, ascending.
        histograms: what the handles among the values name, by number.
        late_at: int64[n], the watermarks of its source at which these samples came late; None where they were in time.

    """

    source: Source
    watermark: int
    record_time: int
    idle: bool
    rows: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    histograms: Sequence[NativeHistogram] = ()
    late_at: NDArray[np.int64] | None = None
