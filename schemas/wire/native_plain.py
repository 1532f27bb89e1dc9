"""Plain: those records of a chunk of native JSON that compiled code has read, of series that are known.

The scan (`native_scan`) says nothing of what is not plain, and a series is known only once the ordinary path has read
it: so nearly all records of a stream are read here, all faults and all new series there.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Lazily
from schemas.spans import Spans
from schemas.wire.columns import WHOLE, Columns, join, numbers_ms
from schemas.wire.interner import Interner


class Scanned(NamedTuple):
    """What a scan found, a row a record.

    Attributes:
        plain: bool[n], whether it was read; the other columns have nothing of what was not.
        times: float64[n], as they were written.
        values: float64[n].
        hashes: uint64[n], of metric and labels, as `Forms` makes them.
        labels: int64[n, 2], where the labels begin and end.

    """

    plain: NDArray[np.bool_]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    hashes: NDArray[np.uint64]
    labels: NDArray[np.int64]


_COUNTED = -2
PIECE = 1_000
"""Records that the ordinary path reads at once: their objects are gone before the next ones are made."""
Scan = Callable[[Spans, int], Scanned]
SCAN = Lazily[Scan]("schemas.wire.native_scan", "scan")
Ordinary = Callable[[Sequence[bytes | None], Interner], Columns]
Flooding = Callable[[Columns, Interner, list[bytes]], list[int]]
"""Counts what is refused for its tenant alone; which of these labels, of series that are not known, are to be read."""


def decode_plain(
    values: Sequence[bytes | None],
    interner: Interner,
    most_bytes: int,
    ordinary: Ordinary,
    flooding: Flooding,
) -> Columns:
    """Columns of these records, each of so many bytes at most; the ordinary path reads what is not plain."""
    scan = SCAN.get(len(values))
    if scan is None:
        return ordinary(values, interner)
    spans = Spans.of(values)
    found = scan(spans, most_bytes)
    series = np.where(found.plain, interner.find_hashed(found.hashes), -1)
    plain = np.flatnonzero(series >= 0)
    columns = Columns(
        series[plain],
        numbers_ms(found.times[plain]),
        found.values[plain],
        plain,
        np.full(len(plain), WHOLE),
    )
    if len(plain) == len(values):
        return columns
    unknown = np.flatnonzero(found.plain & (series < 0))
    if len(unknown):
        starts, ends = found.labels[unknown].T
        labels = [spans.buffer[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        series[unknown] = _COUNTED
        series[unknown[flooding(columns, interner, labels)]] = -1
    rest = np.flatnonzero(series == -1)
    if not len(rest):
        return columns
    parts = [columns]
    for first in range(0, len(rest), PIECE):
        piece = rest[first : first + PIECE]
        others = ordinary(spans.take(piece), interner)
        others.records = piece[others.records]
        others.refused = [r._replace(record=piece.item(r.record)) for r in others.refused]
        parts.append(others)
    together = join(parts)
    return together.keep(np.argsort(together.records, kind="stable"))
