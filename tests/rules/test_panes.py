"""Panes of rules: which selectors have them, and that results are those of samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.rules.cost import guess_costs, measure_costs
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.plan import Kept, Plan, compile_expression
from streams.windows.series import SeriesStore

INTERVAL_MS = 10_000
STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])
EXACT = ("min_over_time", "max_over_time", "count_over_time", "present_over_time")
SUMS = ("sum_over_time", "avg_over_time")
SERIES = 5


def put(store: SeriesStore, samples: dict[int, list[tuple[int, float]]]) -> None:
    """Samples of `x{n=number}`, in ms and values."""
    codes = [encode_labels(make_labels({"__name__": "x", "n": str(n)})) for n in samples]
    rows = store.rows(np.array([fingerprint_bytes(code) for code in codes], np.uint64), codes)
    for row, (_, pairs) in sorted(zip(rows.tolist(), samples.items(), strict=True)):
        times, values = np.array([t for t, _ in pairs]), np.array([v for _, v in pairs], float)
        store.append(np.full(len(pairs), row), times, values)


def results(plan: Plan, store: SeriesStore, t_ms: int) -> tuple[list[object], np.ndarray]:
    """Label sets and values."""
    found = plan.evaluate(store, t_ms)
    return [plan.space.labels[row] for row in found.rows.tolist()], found.values


RUN = st.tuples(
    st.integers(0, 12),  # how many samples
    st.integers(1, 700),  # ms from one to the next
    st.sampled_from(["walk"] * 6 + ["stale", "nan", "infinite", "reset"]),
)


@settings(max_examples=25, deadline=None)
@given(
    ticks=st.lists(
        st.tuples(
            st.lists(RUN, min_size=SERIES, max_size=SERIES),
            st.sampled_from(["", "", "", "", "", "skip", "restore", "retire"]),
        ),
        min_size=6,
        max_size=14,
    ),
    seed=st.integers(0, 99),
)
def test_results_from_panes_are_those_from_samples(
    ticks: list[tuple[list[tuple[int, int, str]], str]], seed: int
) -> None:
    """With gaps, markers, NaN, infinities, resets, series that come and go: the same series and values."""
    rng = np.random.default_rng(seed)
    store = SeriesStore(max_series=50, retention_ms=60_000)
    plans = {
        name: compile_expression(f"{name}(x[40s])", interval_ms=10_000) for name in EXACT + SUMS
    }
    for number, (runs, event) in enumerate(ticks):
        start = 1_000_000 + number * INTERVAL_MS
        samples = {}
        for n, (count, apart, kind) in enumerate(runs):
            values = rng.normal(1e6, 1e3, count)
            odd = {"stale": STALE, "nan": np.nan, "infinite": np.inf, "reset": 0.0}
            values[count // 2 : count // 2 + 1] = odd.get(kind, 1e6)
            samples[n] = [(start + apart * (at + 1), v) for at, v in enumerate(values.tolist())]
        put(store, {n: pairs for n, pairs in samples.items() if pairs})
        if event == "restore":
            store.restore(store.snapshot())
        elif event == "retire":
            store.retire(start - INTERVAL_MS)
        elif event == "skip":
            continue
        for name, plan in plans.items():
            labels, values = results(plan, store, start + INTERVAL_MS)
            fresh = compile_expression(f"{name}(x[40s])", interval_ms=10_000)
            plain, expected = results(
                compile_expression(f"{name}(x[40s])"), store, start + INTERVAL_MS
            )

            assert plain == labels
            np.testing.assert_array_equal(
                values, results(fresh, store, start + INTERVAL_MS)[1], "history shows"
            )
            if name in EXACT:
                np.testing.assert_array_equal(values, expected)
            else:
                np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_dense_series_are_read_from_panes_and_sparse_ones_from_samples() -> None:
    """Side by side: a value changed behind the panes is missed in the dense one and seen in the sparse one."""
    store = SeriesStore(max_series=50, retention_ms=60_000)
    plan = compile_expression("sum_over_time(x[40s])", interval_ms=INTERVAL_MS)
    dense = [(1_000_000 + 1_000 * at, 1.0) for at in range(1, 51)]
    sparse = [(1_000_000 + 10_000 * at, 1.0) for at in range(1, 6)]
    put(store, {0: dense[:40], 1: sparse[:4]})
    assert [40.0, 4.0] == results(plan, store, 1_040_000)[1].tolist()
    found = store.window(np.arange(2), 1_000_000, 1_040_000)
    found.columns.values[found.high - 1] = 7.0
    put(store, {0: dense[40:], 1: sparse[4:]})

    assert [40.0, 10.0] == results(plan, store, 1_050_000)[1].tolist()


@pytest.mark.parametrize(
    ("expression", "panes"),
    [
        ("avg_over_time(x[5m])", 20),
        ("sum(sum_over_time(x[1m])) / 2", 4),
        ("max_over_time(x[45s])", 0),
        ("max_over_time(x[70s])", 0),
        ("min_over_time(x[5m] offset 1m)", 0),
        ("min_over_time(x[5m] @ end())", 0),
        ("max_over_time(avg_over_time(x[5m])[10m:15s])", 0),
        ("stddev_over_time(x[5m])", 0),
        ("rate(x[5m])", 0),
        ("x", 0),
    ],
)
def test_a_plan_says_which_windows_may_be_made_of_panes(expression: str, panes: int) -> None:
    """Whole intervals, four at least, at the moment itself, and a function that panes can be merged for."""
    found = compile_expression(expression, interval_ms=15_000).readings()

    assert [panes] == [reading.panes for reading in found]


RULES = """
groups:
- name: g
  interval: 10s
  rules:
  - {record: r, expr: 'sum(avg_over_time(x[40s]))'}
"""


def test_a_cost_says_panes_where_samples_are_dense() -> None:
    """Guessed and measured: four samples an interval are panes, three are samples."""
    groups, _ = parse_rules(RULES, "r")
    guesses = [
        guess_costs(groups, (), series=1000, every_ms=every_ms)[0].reads[0]
        for every_ms in (500, 2_500, 3_333)
    ]
    store = SeriesStore(max_series=50, retention_ms=60_000)
    put(store, {0: [(1_000_000 + 1_000 * at, 1.0) for at in range(60)]})

    assert [Kept.PANES, Kept.PANES, Kept.SAMPLES] == [read.kept for read in guesses]
    assert guesses[0].seconds < 80 * 1000 * 8e-9
    assert Kept.PANES is measure_costs(groups, (), store)[0].reads[0].kept


def test_an_engine_records_the_same_from_panes_after_a_restore() -> None:
    """Bit by bit: one engine runs through, the other begins again from its snapshot at each tick."""
    groups, _ = parse_rules(RULES, "r")
    one, other = (RuleEngine(groups, max_series=100) for _ in range(2))
    rng = np.random.default_rng(5)
    for number in range(12):
        start = 1_000_000 + number * INTERVAL_MS
        values = rng.normal(0, 1, (SERIES, 20)).tolist()
        samples = {
            n: [(start + 500 * (at + 1), v) for at, v in enumerate(row)]
            for n, row in enumerate(values)
        }
        for engine in (one, other):
            put(engine.store, samples)
            engine.tick(start + INTERVAL_MS)
        fresh = RuleEngine(groups, max_series=100)
        fresh.restore(other.snapshot())
        other = fresh
    found, expected = (
        results(compile_expression("r"), engine.store, engine.store.newest_ms)
        for engine in (other, one)
    )

    assert expected[0] == found[0]
    assert expected[1].tobytes() == found[1].tobytes()
