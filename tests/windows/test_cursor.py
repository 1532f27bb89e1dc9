"""A cursor finds where windows begin as a search does, whatever happens to the store in between."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.windows.cursor import Cursor
from streams.windows.series import SeriesStore

STALE = np.array([STALE_BITS], np.int64).view(np.float64)[0]
SERIES = 5


def rows_of(store: SeriesStore, numbers: list[int]) -> np.ndarray:
    """Rows of series by number."""
    codes = [encode_labels(make_labels({"__name__": f"s{number}"})) for number in numbers]
    return store.rows(np.array([fingerprint_bytes(code) for code in codes], np.uint64), codes)


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, SERIES - 1), st.integers(1, 30), st.floats(0, 5) | st.just(float(STALE))
    ),
    max_size=12,
)


@settings(max_examples=120)
@given(
    rounds=st.lists(st.tuples(SAMPLES, st.integers(-20, 60), st.booleans()), max_size=12),
    retention=st.sampled_from([20, 100, 10_000]),
    width=st.sampled_from([5, 40, 200]),
    edged=st.integers(0, 11),
)
def test_windows_are_those_of_a_search(
    rounds: list[tuple[list[tuple[int, int, float]], int, bool]],
    retention: int,
    width: int,
    edged: int,
) -> None:
    """Over gaps, stale markers, expiry, moved and retired rows, windows that go back: samples, and edges once asked."""
    store = SeriesStore(max_series=50, retention_ms=retention + width)
    rows = np.sort(rows_of(store, list(range(SERIES))))
    cursor = Cursor()
    newest = dict.fromkeys(range(SERIES), 0)
    t_ms = 0
    for turn, (samples, ahead, retire) in enumerate(rounds):
        found = []
        for number, step, value in samples:
            newest[number] += step
            found.append((int(rows_of(store, [number])[0]), newest[number], value))
        found.sort()
        if found:
            columns = [np.array(column) for column in zip(*found, strict=True)]
            store.append(*columns)
        t_ms = max(t_ms + ahead, store.newest_ms)
        if retire and store.retire(t_ms - 50):
            rows = np.sort(rows_of(store, list(range(SERIES))))

        moved = store.window(rows, t_ms - width, t_ms, cursor, edges=turn >= edged)
        searched = store.window(rows, t_ms - width, t_ms)

        np.testing.assert_array_equal(moved.low, searched.low)
        np.testing.assert_array_equal(moved.high, searched.high)
        filled = searched.high > searched.low
        known, plain = moved.keep(filled), searched.keep(filled)
        assert (turn >= edged) == (known.edges is not None)
        if known.edges is None:
            continue
        times, values = plain.columns.times, plain.columns.values
        np.testing.assert_array_equal(known.edges.first_ms, times[plain.low])
        np.testing.assert_array_equal(known.edges.last_ms, times[plain.high - 1])
        np.testing.assert_array_equal(known.edges.last, values[plain.high - 1])
        falls = plain.columns.resets[plain.high - 1] > plain.columns.resets[plain.low]
        np.testing.assert_array_equal(known.edges.falls, falls)


def test_windows_of_steady_series_move_by_one_two_or_no_samples() -> None:
    """Where every row has a sample in its window, at each evaluation: again at the same time, a step on, two on."""
    store = SeriesStore(max_series=50, retention_ms=1_000)
    rows = np.sort(rows_of(store, list(range(SERIES))))
    cursor, last_ms = Cursor(), 0
    for end_ms in (60, 60, 70, 80, 80, 100, 110, 130, 130, 130, 140):
        fresh = np.arange(last_ms + 10, end_ms + 1, 10)
        at = np.repeat(rows, len(fresh))
        store.append(at, np.tile(fresh, len(rows)), np.tile(fresh / 10, len(rows)))
        last_ms = end_ms

        moved = store.window(rows, end_ms - 45, end_ms, cursor, edges=True)

        assert moved.edges is not None
        np.testing.assert_array_equal(moved.low, store.window(rows, end_ms - 45, end_ms).low)
        np.testing.assert_array_equal(moved.edges.first_ms, np.full(SERIES, end_ms - 40))


def test_a_window_behind_the_newest_sample_is_searched() -> None:
    """What is known of the newest sample says nothing of a window that ends before it."""
    store = SeriesStore(max_series=5, retention_ms=1000)
    rows = rows_of(store, [0])
    store.append(np.repeat(rows, 3), np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]))

    found = store.window(rows, 5, 25, Cursor(), edges=True)

    assert ([0, 2], None) == ([int(found.low[0]), int(found.high[0])], found.edges)
