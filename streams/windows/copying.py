"""Copying: samples to their places in an arena, one after the other, by compiled code.

It refuses what is not plain, having written nothing: stale markers, and rows without room.
"""

import numpy as np

from schemas.compiled import compiled
from schemas.samples import STALE_BITS, Float64s, Int64s


@compiled
def put_plain(
    rows: Int64s,
    times: Int64s,
    values: Float64s,
    ends: tuple[Int64s, Int64s],
    columns: tuple[Int64s, Float64s],
) -> tuple[Int64s, Int64s, Int64s]:
    """Put samples sorted by row behind the tails of their rows, which stay: distinct rows, counts, and where they are.

    `ends` are `tail` and `limit` of an arena, `columns` its times and values. Nothing is returned of what is not plain.
    """
    tail, limit = ends
    bits = values.view(np.int64)
    distinct, counts = np.empty(len(rows), np.int64), np.zeros(len(rows), np.int64)
    places = np.empty(len(rows), np.int64)
    turn = -1
    for at in range(len(rows)):
        row = rows[at]
        if turn < 0 or distinct[turn] != row:
            turn += 1
            distinct[turn] = row
        places[at] = tail[row] + counts[turn]
        if bits[at] == STALE_BITS or places[at] >= limit[row]:
            return distinct[:0], counts[:0], places[:0]
        counts[turn] += 1
    for at in range(len(rows)):
        columns[0][places[at]], columns[1][places[at]] = times[at], values[at]
    return distinct[: turn + 1], counts[: turn + 1], places


@compiled
def copy_stretches(
    source: tuple[Int64s, Float64s],
    target: tuple[Int64s, Float64s],
    begins: Int64s,
    places: Int64s,
    counts: Int64s,
) -> None:
    """Copy so many samples of times and values from where each stretch begins to its place."""
    for at in range(len(begins)):
        begin, place, count = begins[at], places[at], counts[at]
        target[0][place : place + count] = source[0][begin : begin + count]
        target[1][place : place + count] = source[1][begin : begin + count]


_NO_ROWS, _NO_VALUES = np.zeros(0, np.int64), np.zeros(0)
_NOTHING = _NO_ROWS, _NO_VALUES
put_plain(_NO_ROWS, _NO_ROWS, _NO_VALUES, (_NO_ROWS, _NO_ROWS), _NOTHING)  # compiles them
copy_stretches(_NOTHING, _NOTHING, _NO_ROWS, _NO_ROWS, _NO_ROWS)
