"""Writing: samples that a store has found new, put behind the rows of an arena, stale markers among them.

A stale marker takes no room: it ends the sample before it. Refuses nothing.
"""

from collections.abc import Callable

import numpy as np

from schemas.compiled import Lazily
from schemas.samples import STALE_BITS, Float64s, Int64s
from streams.windows.arena import Arena

PUT_PLAIN = Lazily[Callable[..., tuple[Int64s, Int64s, Int64s]]](
    "streams.windows.copying", "put_plain"
)


def write_samples(
    arena: Arena, rows: Int64s, times: Int64s, values: Float64s, expired_ms: int
) -> tuple[Int64s, Int64s]:
    """Append samples sorted by (row, time), at least one; the distinct rows, and where the last sample of each stands.

    What a row holds up to `expired_ms` may go.
    """
    put_plain = PUT_PLAIN.get(len(rows))
    if put_plain is not None:
        columns = arena.columns.times, arena.columns.values
        distinct, counts, at = put_plain(rows, times, values, (arena.tail, arena.limit), columns)
        if len(distinct):
            arena.extend(distinct, counts, at)
            return distinct, np.cumsum(counts) - 1
    starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    lengths = np.diff(starts, append=len(rows))
    distinct = rows[starts]
    live = values.view(np.int64) != STALE_BITS
    if live.all():
        arena.reserve(distinct, lengths, expired_ms)
        at = arena.tail[distinct]
        if len(rows) > len(distinct):
            at = np.repeat(at - starts, lengths) + np.arange(len(rows))
        arena.columns.times[at] = times
        arena.columns.values[at] = values
        arena.extend(distinct, lengths, at)
    else:
        counts = np.add.reduceat(live, starts, dtype=np.int64)
        arena.reserve(distinct, counts, expired_ms)
        # each live sample goes behind those before it in its run; a marker gets the place of the sample it ends
        seen = np.cumsum(live)
        ahead = seen[starts] - live[starts]
        place = np.repeat(arena.tail[distinct] - ahead - 1, lengths) + seen
        at = place[live]
        arena.columns.times[at] = times[live]
        arena.columns.values[at] = values[live]
        arena.extend(distinct, counts, at)
        ending = ~live & (place >= np.repeat(arena.head[distinct], lengths))
        arena.columns.end(place[ending], times[ending])
    return distinct, starts + lengths - 1
