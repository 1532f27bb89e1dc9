"""A cut row is as if the time behind the cut had not come, and what was cut off puts it together again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.windows.arena import Windows
from streams.windows.series import SeriesStore

STALE = np.int64(STALE_BITS).view(np.float64)
Sample = tuple[int, int, float]

samples = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(1, 60), st.sampled_from([0.0, 1.0, 2.0, 3.0, float(STALE)])
    ),
    max_size=40,
).map(lambda found: sorted(found, key=lambda sample: sample[1]))


def store_of(found: list[Sample]) -> SeriesStore:
    """A store with these samples: row, time, value."""
    store = SeriesStore(max_series=3, retention_ms=1_000)
    assert not len(store._arena.ends.fell), "asked for, they are kept up from here on"
    names = [encode_labels(make_labels({"__name__": f"m{i}"})) for i in range(3)]
    rows = store.rows(np.array([fingerprint_bytes(n) for n in names], np.uint64), names)
    for row, time, value in found:
        store.append(rows[[row]], np.array([time]), np.array([value]))
    return store


def seen(store: SeriesStore) -> list[object]:
    """All that can be read of a store."""
    rows = np.arange(3)

    def told(windows: Windows) -> list[object]:
        columns = windows.columns
        return [
            (columns.times[a:b].tolist(), columns.values[a:b].tolist())
            for a, b in zip(windows.low.tolist(), windows.high.tolist(), strict=True)
        ]

    instants = [store.instant(rows, t, 30) for t in range(0, 70, 3)]
    arena, ends = store._arena, store._arena.ends
    filled = np.flatnonzero(arena.tail > arena.head)
    return [
        told(store.window(rows, 0, 100)),
        [(i.valid.tolist(), i.values[i.valid].tolist()) for i in instants],
        [(max(-1, ends.fell[r]), ends.newest_ms[r], ends.newest[r]) for r in filled.tolist()],
    ]


@given(samples, st.integers(0, 61), st.sets(st.integers(0, 2)))
def test_a_cut_row_is_one_that_ends_there(found: list[Sample], after: int, cut: set[int]) -> None:
    """Rows that were cut read as in a store that never had later samples, the others as before."""
    store = store_of(found)
    store.cut(np.array(sorted(cut), np.int64), after)

    expected = store_of([s for s in found if s[0] not in cut or s[1] <= after])
    assert seen(expected) == seen(store)


@given(samples, st.integers(0, 61), st.sets(st.integers(0, 2)))
def test_what_was_cut_puts_it_together_again(
    found: list[Sample], after: int, cut: set[int]
) -> None:
    """Appended again, the samples and stale markers that were cut off give the store that was there."""
    store = store_of(found)
    gone = store.cut(np.array(sorted(cut), np.int64), after)
    store.append(*gone)

    assert seen(store_of(found)) == seen(store)
