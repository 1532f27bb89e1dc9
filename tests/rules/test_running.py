"""Running values: rate and its kin, and what else is read from the ends of windows, equal what all samples say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.rules.plan import Kept, compile_expression
from streams.windows.series import SeriesStore

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])
FUNCTIONS = (
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "resets",
    "count_over_time",
    "present_over_time",
    "first_over_time",
    "last_over_time",
)
SERIES = 6
VALUES = st.integers(0, 4).map(float) | st.floats(0, 1e9) | st.just(STALE)


def new_store() -> tuple[SeriesStore, np.ndarray]:
    """An empty store of some series and their rows."""
    store = SeriesStore(max_series=50, retention_ms=400_000)
    codes = [
        encode_labels(make_labels({"__name__": "x", "n": str((number * 5) % SERIES)}))
        for number in range(SERIES)
    ]
    prints = np.array([fingerprint_bytes(code) for code in codes], np.uint64)
    return store, store.rows(prints, codes)


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.lists(
            st.none() | st.tuples(st.integers(1, 9_000), VALUES), min_size=SERIES, max_size=SERIES
        ),
        min_size=1,
        max_size=15,
    )
)
def test_running_values_equal_what_all_samples_say(
    steps: list[list[tuple[int, float] | None]],
) -> None:
    """With resets, gaps, stale markers and jitter, tick by tick: the series and bits of a fresh plan."""
    store, rows = new_store()
    running = {name: compile_expression(f"{name}(x[35s])") for name in FUNCTIONS}
    for number, step in enumerate(steps):
        start = 1_000_000 + number * 10_000
        found = [(row, start + s[0], s[1]) for row, s in zip(rows, step, strict=True) if s]
        if found:
            store.append(*(np.array(column) for column in zip(*sorted(found), strict=True)))
        t_ms = start + 10_000
        for name, plan in running.items():
            # with an offset of nothing but a later sample, all samples are looked at
            fresh = compile_expression(f"{name}(x[35s] offset 5s)")
            kept, values = plan.evaluate(store, t_ms)
            wanted, expected = fresh.evaluate(store, t_ms + 5_000)
            assert [plan.space.labels[row] for row in kept.tolist()] == [
                fresh.space.labels[row] for row in wanted.tolist()
            ]
            np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(x[5m])", [(Kept.RUNNING, 1)]),
        ("rate(x[5m] offset 1m)", [(Kept.SAMPLES, 1)]),
        ("avg_over_time(x[5m])", [(Kept.SAMPLES, 1)]),
        ("x > 1", [(Kept.LATEST, 1)]),
        ("max_over_time(rate(x[1m])[10m:1m])", [(Kept.SAMPLES, 10)]),
        ("sum(rate(x[5m])) / count(y)", [(Kept.RUNNING, 1), (Kept.LATEST, 1)]),
    ],
)
def test_a_plan_says_how_each_selector_is_read(
    expression: str, expected: list[tuple[Kept, int]]
) -> None:
    """Per selector: what is looked at, and how often at each evaluation."""
    found = compile_expression(expression).readings()

    assert expected == [(reading.kept, reading.times) for reading in found]
