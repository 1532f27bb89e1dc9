"""Panes say what the samples of a window say, whatever happens to the store between two reads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.windows.blocks import Reducer, greatest, least, mean, reduce_stretches, total
from streams.windows.cursor import Cursor
from streams.windows.panes import GREATEST, LEAST, MEAN, SUM, Fold, Panes
from streams.windows.series import SeriesStore

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])
SERIES = 4
PANE_MS, COUNT = 10, 5
FOLDS: list[tuple[Fold, Reducer]] = [
    (SUM, total),
    (MEAN, mean),
    (LEAST, least),
    (GREATEST, greatest),
]
VALUES = (
    st.integers(-3, 3).map(float)
    | st.floats(-1e9, 1e9)
    | st.sampled_from([STALE, float("nan"), float("inf"), -float("inf")])
)
SAMPLES = st.lists(
    st.tuples(st.integers(0, SERIES - 1), st.integers(-12, PANE_MS), VALUES), max_size=20
)


def rows_of(store: SeriesStore, numbers: list[int]) -> np.ndarray:
    """Rows of series by number."""
    codes = [encode_labels(make_labels({"__name__": f"s{number}"})) for number in numbers]
    return store.rows(np.array([fingerprint_bytes(code) for code in codes], np.uint64), codes)


def append(store: SeriesStore, samples: list[tuple[int, int, float]]) -> None:
    """Samples of series by number, at these times."""
    rows = rows_of(store, [sample[0] for sample in samples])
    order = np.lexsort((np.array([sample[1] for sample in samples]), rows))
    times, values = (np.array([sample[at] for sample in samples])[order] for at in (1, 2))
    store.append(rows[order], times, values.astype(float))


def of_samples(fold: Fold, reducer: Reducer, store: SeriesStore, end_ms: int) -> np.ndarray:
    """What the samples of the windows of all rows that have any say."""
    alive = np.flatnonzero(store.born > 0)
    found = store.window(alive, end_ms - PANE_MS * COUNT, end_ms)
    found = found.keep(found.high > found.low)
    with np.errstate(all="ignore"):
        values = reduce_stretches(found.columns.values, found.low, found.high, reducer)
    # sums of what is not finite are left to the samples
    return np.where(np.isfinite(values), values, np.nan) if len(fold.empty) > 1 else values


def read(panes: Panes, store: SeriesStore, end_ms: int) -> np.ndarray:
    """What panes say of the same windows."""
    alive = np.flatnonzero(store.born > 0)
    found = store.window(alive, end_ms - PANE_MS * COUNT, end_ms, Cursor())
    filled = found.high > found.low
    rows = alive[filled]
    with np.errstate(all="ignore"):
        values = panes.read(found.keep(filled), rows, store.born[rows])
    return np.where(np.isfinite(values), values, np.nan) if len(panes._parts) > 1 else values


@settings(max_examples=60, deadline=None)
@given(
    rounds=st.lists(
        st.tuples(SAMPLES, st.sampled_from([PANE_MS] * 6 + [0, 2 * PANE_MS, 7]), st.integers(0, 9)),
        min_size=3,
        max_size=14,
    )
)
def test_panes_are_a_cache_of_what_samples_say(
    rounds: list[tuple[list[tuple[int, int, float]], int, int]],
) -> None:
    """With gaps, late samples, retired series, skipped ticks and restores: as from samples, and as from fresh panes."""
    store = SeriesStore(max_series=50, retention_ms=1_000)
    kept = [Panes(fold, PANE_MS, COUNT) for fold, _ in FOLDS]
    end_ms = 1_000
    for samples, step_ms, chance in rounds:
        append(store, [(number, end_ms + at, value) for number, at, value in samples])
        end_ms += max(step_ms, PANE_MS if samples else 0)
        if chance == 0:
            store.retire(end_ms - 2 * PANE_MS)
        elif chance == 1:
            store.restore(store.snapshot())
        for panes, (fold, reducer) in zip(kept, FOLDS, strict=True):
            found = read(panes, store, end_ms)

            np.testing.assert_array_equal(found, read(Panes(fold, PANE_MS, COUNT), store, end_ms))
            expected = of_samples(fold, reducer, store, end_ms)
            if len(fold.empty) == 1:
                np.testing.assert_array_equal(expected, found)
            else:
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_only_the_newest_samples_are_looked_at() -> None:
    """A sample that has changed where it lies, behind the back of the panes, is not seen until a tick is skipped."""
    store = SeriesStore(max_series=50, retention_ms=1_000)
    panes = Panes(SUM, PANE_MS, COUNT)
    append(store, [(0, 1_000 + 5 * at, 1.0) for at in range(1, 11)])
    assert [10.0] == read(panes, store, 1_050).tolist()
    rows = np.flatnonzero(store.born > 0)
    found = store.window(rows, 1_000, 1_050)
    found.columns.values[found.low[0] + 7] = 7.0

    append(store, [(0, 1_055, 2.0), (0, 1_060, 2.0)])
    assert [12.0] == read(panes, store, 1_060).tolist()
    assert [14.0] == read(panes, store, 1_080).tolist()


def test_a_sample_that_is_late_is_counted_in_its_own_pane() -> None:
    """What was written at the time of a tick, after it, leaves the window when its time does."""
    store = SeriesStore(max_series=50, retention_ms=1_000)
    panes = Panes(SUM, PANE_MS, COUNT)
    append(store, [(0, 1_000 + at, 1.0) for at in range(1, 10)])
    assert [9.0] == read(panes, store, 1_010).tolist()
    append(store, [(0, 1_010, 5.0)])
    append(store, [(0, 1_020, 1.0)])

    sums = [read(panes, store, end_ms).tolist() for end_ms in range(1_020, 1_070, 10)]

    assert [[15.0], [15.0], [15.0], [15.0], [1.0]] == sums


def test_a_row_that_was_used_again_has_none_of_what_it_held() -> None:
    """Between two ticks one series goes and another one takes its place: only its samples count."""
    store = SeriesStore(max_series=1, retention_ms=1_000)
    panes = Panes(SUM, PANE_MS, COUNT)
    append(store, [(0, 1_000 + at, 1.0) for at in range(1, 11)])
    assert [10.0] == read(panes, store, 1_010).tolist()
    store.retire(1_011)
    append(store, [(1, 1_001 + at, 3.0) for at in range(1, 20)])

    assert [57.0] == read(panes, store, 1_020).tolist()


@pytest.mark.parametrize(("fold", "reducer"), FOLDS)
def test_sums_lose_nothing_that_cancels_out(fold: Fold, reducer: Reducer) -> None:
    """What is lost within a pane is carried to the merge: 1 beside 1e17, which goes again panes later."""
    store = SeriesStore(max_series=50, retention_ms=1_000)
    values = [1e17, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1e17, 1.0]
    append(store, [(0, 1_000 + 5 * at + 5, value) for at, value in enumerate(values)])

    found = read(Panes(fold, PANE_MS, COUNT), store, 1_050)

    assert of_samples(fold, reducer, store, 1_050).tolist() == found.tolist()
    assert fold is not SUM or [8.0] == found.tolist()
