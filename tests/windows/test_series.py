"""The store of series: what it takes, what it shows, what it forgets."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.labels import TENANT, Labels, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS, Int64s
from streams.windows import arena
from streams.windows.series import SeriesStore

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])


def label(name: str, tenant: str = "t") -> Labels:
    return make_labels({"__name__": "m", "i": name, TENANT: tenant})


def add(store: SeriesStore, *labels: Labels) -> Int64s:
    encoded = [encode_labels(each) for each in labels]
    return store.rows(np.array([fingerprint_bytes(each) for each in encoded], np.uint64), encoded)


def put(store: SeriesStore, row: int, *samples: tuple[int, float]) -> list[bool]:
    times = np.array([t for t, _ in samples], np.int64)
    values = np.array([v for _, v in samples])
    taken: list[bool] = store.append(np.full(len(samples), row), times, values).tolist()
    return taken


def seen(store: SeriesStore, row: int, start_ms: int, end_ms: int) -> list[tuple[int, float]]:
    windows = store.window(np.array([row]), start_ms, end_ms)
    at = slice(int(windows.low[0]), int(windows.high[0]))
    times, values = windows.columns.times[at].tolist(), windows.columns.values[at].tolist()
    return list(zip(times, values, strict=True))


def latest(store: SeriesStore, row: int, t_ms: int, lookback_ms: int = 300_000) -> float | None:
    found = store.instant(np.array([row]), t_ms, lookback_ms)
    return float(found.values[0]) if found.valid[0] else None


def test_a_label_set_keeps_its_row() -> None:
    """Known label sets get their row again, new ones another, even twice in one call."""
    store = SeriesStore(max_series=10)
    first = add(store, label("a"), label("b"), label("a"))

    assert first[0] == first[2] != first[1]
    assert first.tolist() == add(store, label("a"), label("b"), label("a")).tolist()
    assert label("b") == store.labels(int(first[1]))


def test_a_full_store_takes_no_new_series() -> None:
    """Above the cap a label set gets -1, and samples of row -1 are not taken."""
    store = SeriesStore(max_series=2)

    rows = add(store, label("a"), label("b"), label("c"))

    assert -1 == rows[2]
    assert 2 == len(store)
    taken = store.append(np.array([-1, 0]), np.array([5, 5]), np.array([1.0, 2.0]))
    assert [False, True] == taken.tolist()


def test_the_generation_tells_when_series_come_and_go() -> None:
    """Adding and retiring count, finding a known series does not."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    before = store.generation
    add(store, label("a"))
    put(store, row, (1000, 1.0))

    assert before == store.generation
    assert [row] == store.retire(2000)
    assert before < store.generation


def test_of_equal_times_the_first_sample_counts() -> None:
    """A repeated time is dropped, in the same chunk and later; so is an older one."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])

    assert [True, False, True] == put(store, row, (1000, 1.0), (1000, 2.0), (2000, 3.0))
    assert [False, False, True] == put(store, row, (1500, 9.0), (2000, 9.0), (3000, 4.0))
    assert [(1000, 1.0), (2000, 3.0), (3000, 4.0)] == seen(store, row, 0, 9000)


def test_a_window_is_open_at_the_left() -> None:
    """The sample at the start is outside, the one at the end inside."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    put(store, row, (1000, 1.0), (2000, 2.0), (3000, 3.0))

    assert [(2000, 2.0), (3000, 3.0)] == seen(store, row, 1000, 3000)


def test_look_back_ends_exactly_at_its_length() -> None:
    """A sample as old as the look-back is too old, one millisecond less is not."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    put(store, row, (1000, 1.0))

    assert 1.0 == latest(store, row, 300_999)
    assert latest(store, row, 301_000) is None
    assert latest(store, row, 999) is None


def test_a_stale_marker_ends_a_series_until_its_next_sample() -> None:
    """After the marker there is nothing, before it and after the next sample there is; windows never show it."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    put(store, row, (1000, 1.0), (2000, STALE))
    put(store, row, (3000, STALE), (4000, 4.0))

    assert [1.0, None, None, 4.0] == [latest(store, row, t) for t in (1999, 2000, 3999, 4000)]
    assert [(1000, 1.0), (4000, 4.0)] == seen(store, row, 0, 9000)


def test_a_stale_marker_takes_the_place_of_its_time() -> None:
    """A sample at the time of a marker comes second and is dropped; a marker alone shows nothing."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])

    assert [True, False] == put(store, row, (1000, STALE), (1000, 1.0))
    assert latest(store, row, 1000) is None


def test_an_ordinary_nan_is_a_sample() -> None:
    """Only the bits of the stale marker end a series."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    put(store, row, (1000, float("nan")))

    assert 1 == len(seen(store, row, 0, 2000))


def test_a_retired_row_is_used_again_without_its_past() -> None:
    """The next series in the row has no samples of the last one; the tenant stays known."""
    store = SeriesStore(max_series=2)
    row = int(add(store, label("a", "gone"))[0])
    put(store, row, (1000, 1.0))
    store.retire(2000)

    assert [row] == add(store, label("b", "here")).tolist()
    assert [] == seen(store, row, 0, 9000)
    assert [True] == put(store, row, (500, 7.0))
    assert ("gone", "here") == store.tenants


def test_samples_past_retention_make_room() -> None:
    """However long a series runs, the columns stay as small as what is kept."""
    store = SeriesStore(max_series=4)
    rows = np.sort(add(store, *(label(str(i)) for i in range(4))))
    store.retain(300_000)
    for tick in range(3000):
        store.append(rows, np.full(4, tick * 15_000), np.full(4, float(tick)))

    assert len(store._arena.columns.times) < 2000
    assert 20 == len(seen(store, int(rows[0]), 2999 * 15_000 - 300_000, 2999 * 15_000))


SERIES = 3
STEPS = st.lists(
    st.tuples(
        st.integers(0, SERIES - 1),
        st.integers(1, 40_000),
        st.one_of(st.sampled_from([STALE, 0.0, 1.0]), st.floats(-5, 5)),
    ),
    max_size=80,
)


def samples_of(steps: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Samples in the order of time: (series, time, value)."""
    now, samples = 0, []
    for series, ahead, value in steps:
        now += ahead
        samples.append((series, now, value))
    return samples


def feed(store: SeriesStore, samples: list[tuple[int, int, float]], cuts: list[int]) -> None:
    rows = add(store, *(label(str(i)) for i in range(SERIES)))
    bounds = [0, *sorted(min(cut, len(samples)) for cut in cuts), len(samples)]
    for start, end in pairwise(bounds):
        chunk = sorted((int(rows[s]), t, v) for s, t, v in samples[start:end])
        columns = list(zip(*chunk, strict=True)) or [(), (), ()]
        store.append(
            np.array(columns[0], np.int64),
            np.array(columns[1], np.int64),
            np.array(columns[2], np.float64),
        )


def picture(store: SeriesStore, t_ms: int) -> str:
    """All that can be seen at a time, NaNs and falls included."""
    rows = add(store, *(label(str(i)) for i in range(SERIES)))
    windows = store.window(rows, t_ms - 200_000, t_ms)
    filled = windows.high > windows.low
    falls = windows.columns.resets[windows.high[filled] - 1]
    falls = falls - windows.columns.resets[windows.low[filled]]
    return repr(
        (
            [latest(store, row, t_ms, 100_000) for row in rows.tolist()],
            [seen(store, row, t_ms - 200_000, t_ms) for row in rows.tolist()],
            falls.tolist(),
        )
    )


def make(samples: list[tuple[int, int, float]], cuts: list[int]) -> SeriesStore:
    store = SeriesStore(max_series=10)
    store.retention_ms = 200_000
    feed(store, samples, cuts)
    return store


@given(STEPS, st.lists(st.integers(0, 80), max_size=6))
def test_how_a_log_is_cut_into_chunks_is_not_seen(
    steps: list[tuple[int, int, float]], cuts: list[int]
) -> None:
    """Any cut shows what one sample at a time shows, and what a plain list would."""
    samples = samples_of(steps)
    end = samples[-1][1] if samples else 0
    one_by_one = make(samples, list(range(len(samples))))
    plain = [
        [(t, v) for s, t, v in samples if s == row and t > end - 200_000 and not is_stale(v)]
        for row in range(SERIES)
    ]

    assert picture(one_by_one, end) == picture(make(samples, cuts), end)
    assert plain == [seen(one_by_one, row, end - 200_000, end) for row in range(SERIES)]


def is_stale(value: float) -> bool:
    return bool(np.array([value]).view(np.int64)[0] == STALE_BITS)


@given(STEPS, st.lists(st.integers(0, 80), max_size=6))
def test_long_rows_are_moved_like_short_ones(
    steps: list[tuple[int, int, float]], cuts: list[int]
) -> None:
    """Copied stretch by stretch or by an index of their samples, rows show the same when they have moved."""
    samples = samples_of(steps)
    end = samples[-1][1] if samples else 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "LONG", 0)
        by_stretch = make(samples, cuts)
        patch.setattr(arena, "LONG", 1 << 40)
        assert picture(make(samples, cuts), end) == picture(by_stretch, end)


@given(STEPS, STEPS)
def test_a_restored_store_goes_on_as_if_nothing_had_happened(
    before: list[tuple[int, int, float]], after: list[tuple[int, int, float]]
) -> None:
    """Snapshot and restore, in a new store or in place, change neither what is seen nor what comes of it."""
    samples = samples_of([*before, *after])
    unbroken = make(samples, [])
    first, rest = samples[: len(before)], samples[len(before) :]
    store = make(first, [])
    columns = store.snapshot()
    other = SeriesStore(max_series=10)
    other.restore(columns)
    store.restore(columns)
    for each in (store, other):
        feed(each, rest, [])
    end = samples[-1][1] if samples else 0

    assert [picture(unbroken, end)] * 2 == [picture(store, end), picture(other, end)]
    assert unbroken.tenants == other.tenants


def test_a_broken_snapshot_is_refused() -> None:
    """Missing columns and lengths that do not fit raise, and leave the store as it was."""
    store = SeriesStore(max_series=10)
    row = int(add(store, label("a"))[0])
    put(store, row, (1000, 1.0))
    columns = store.snapshot()
    shorter = {**columns, "times": columns["times"][:0]}
    missing = {name: column for name, column in columns.items() if name != "last"}

    for broken in (shorter, missing, {}):
        with pytest.raises(CheckpointError):
            store.restore(broken)
    assert [(1000, 1.0)] == seen(store, row, 0, 2000)
