"""Plans: tenants apart, evaluation on arrival, checkpoints, bounds, and Prometheus's own results."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RuleError
from schemas.labels import TENANT, encode_labels, fingerprint_bytes, get_label, make_labels
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore
from tests.rules.conftest import STALE, Load, evaluate_at, make_store, show

EXPRESSIONS = [
    "m",
    "m > 3",
    "sum(m)",
    "sum by (i) (rate(m[1m]))",
    "sum without (__tenant__, i) (m)",
    "avg(m) > bool 2",
    "m / on () group_left n",
    "m - ignoring (__tenant__, i) group_left n",
    "m and on (i) n",
    "n or m",
    "m unless ignoring (i, __tenant__) n",
    "absent(m > 6)",
    'absent(n{i="1"})',
    "vector(1) + on () sum(m)",
    "m + scalar(n)",
    "clamp_max(m, scalar(sum(n)))",
    "quantile_over_time(scalar(n) / 10, m[1m])",
    "quantile(scalar(n) / 10, m)",
    "histogram_quantile(scalar(n) / 10, m)",
    "count(m) or vector(0)",
]
VALUES = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=4, max_size=4)
TENANTS = st.lists(VALUES, min_size=4, max_size=4)


def series_of(tenant: str, columns: list[list[int | None]]) -> dict[str, str]:
    names = [
        f'm{{__tenant__="{tenant}",i="1",le="1"}}',
        f'm{{__tenant__="{tenant}",i="2",le="+Inf"}}',
        f'm{{__tenant__="{tenant}",i="2",le="2"}}',
        f'n{{__tenant__="{tenant}",i="1"}}',
    ]
    return {
        name: " ".join("_" if v is None else str(v) for v in [0, *values])
        for name, values in zip(names, columns, strict=True)
    }


def answer(store: SeriesStore, expression: str) -> dict[str, float] | str:
    try:
        return evaluate_at(store, expression, 60)
    except RuleError as error:
        return str(error)


@settings(max_examples=40)
@given(TENANTS, TENANTS)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_tenants_do_not_see_each_other(
    expression: str, mine: list[list[int | None]], yours: list[list[int | None]]
) -> None:
    """Two tenants evaluated together are each evaluated alone."""
    first, second = series_of("mine", mine), series_of("yours", yours)
    # Arrival in turns, so that rows of both are mixed.
    mixed = {k: v for pair in zip(first.items(), second.items(), strict=True) for k, v in pair}
    alone = [answer(make_store(first), expression), answer(make_store(second), expression)]
    together = answer(make_store(mixed), expression)

    if isinstance(together, str):
        assert any(isinstance(each, str) for each in alone)
    else:
        apart = {k: v for each in alone if isinstance(each, dict) for k, v in each.items()}
        assert repr(sorted(apart.items())) == repr(sorted(together.items()))


def test_samples_are_evaluated_as_they_arrive(load: Load) -> None:
    """Kept are those of the selector's series for which the comparison holds, rows repeating; no stale markers."""
    store = load({'m{i="1"}': "0", 'm{i="2"}': "0", "n": "0"})
    plan = compile_expression('m{i="1"} * 2 > 4')
    rows = np.array([0, 0, 0, 0, 1, 2])
    values = np.array([1.0, 3.0, 4.0, STALE, 9.0, 9.0])

    index, found = plan.evaluate_samples(store, rows, np.arange(6), values)

    assert [1, 2] == index.tolist()
    assert [6.0, 8.0] == found.values.tolist()
    assert ['{i="1"}'] * 2 == [show(plan.space.labels[row]) for row in found.rows.tolist()]
    assert [True, False, False] == plan.picked(store)[:3].tolist()


def test_arrival_agrees_with_evaluation(load: Load) -> None:
    """For the newest sample both ways give the same value under the same row."""
    store = load({'m{i="1"}': "2", 'm{i="2"}': "8"})
    plan = compile_expression("abs(3 - m) > 2")

    index, arrived = plan.evaluate_samples(
        store, np.array([0, 1]), np.array([0, 0]), np.array([2.0, 8.0])
    )
    evaluated = plan.evaluate(store, 0)

    assert [1] == index.tolist()
    assert evaluated.rows.tolist() == arrived.rows.tolist()
    assert evaluated.values.tolist() == arrived.values.tolist()


def test_what_needs_more_than_a_sample_refuses_arrival(load: Load) -> None:
    """And so do two series that come to the same label set."""
    nothing = np.zeros(0, np.int64)
    store = load({"a": "1", "b": "1"})
    with pytest.raises(RuleError, match="more than the sample"):
        compile_expression("sum(m)").evaluate_samples(store, nothing, nothing, np.zeros(0))
    with pytest.raises(RuleError, match="same labelset"):
        compile_expression('-{__name__=~"a|b"}').evaluate_samples(
            store, np.array([0, 1]), np.array([0, 0]), np.array([1.0, 1.0])
        )


def test_label_spaces_inside_do_not_grow_with_churn() -> None:
    """Ten thousand series that come and go leave no more than a few behind."""
    store = SeriesStore(max_series=200)
    plan = compile_expression("sum(rate(m[1m])) / count(m + m)")
    for turn in range(100):
        labels = [make_labels({"__name__": "m", "i": f"{turn}-{i}"}) for i in range(100)]
        encoded = [encode_labels(each) for each in labels]
        prints = np.array([fingerprint_bytes(each) for each in encoded], np.uint64)
        rows = np.sort(store.rows(prints, encoded))
        for at_s in (0, 15):
            store.append(rows, np.full(100, (turn * 60 + at_s) * 1000), np.full(100, float(at_s)))
        (ratio,) = plan.evaluate(store, (turn * 60 + 15) * 1000).values.tolist()
        store.retire((turn * 60 + 30) * 1000)

        assert math.isfinite(ratio)
    assert max(len(space) for space in plan._inner) < 2000


def test_label_spaces_inside_are_cleared_as_soon_as_series_have_gone() -> None:
    """Many series that are retired at once leave nothing behind at the next evaluation, though none comes any more."""
    store = SeriesStore(max_series=5_000)
    plan = compile_expression("sum(rate(m[1m])) / count(m + m)")
    encoded = [encode_labels(make_labels({"__name__": "m", "i": str(i)})) for i in range(5_000)]
    prints = np.array([fingerprint_bytes(each) for each in encoded], np.uint64)
    rows = store.rows(prints, encoded)
    for at_ms in (0, 15_000):
        store.append(np.sort(rows), np.full(len(rows), at_ms), np.full(len(rows), 1.0))
    plan.evaluate(store, 15_000)
    assert max(map(len, plan._inner)) >= 5_000
    store.append(np.sort(rows[:10]), np.full(10, 400_000), np.ones(10))
    store.retire(300_000)

    plan.evaluate(store, 400_000)

    assert 10 == len(store)
    assert max(map(len, plan._inner)) <= 10


def test_an_empty_result_is_an_empty_vector(load: Load) -> None:
    """Nothing picked, nothing returned, whatever stands around it."""
    store = load({})

    for expression in ("m", "sum(rate(m[1m]))", "m / m", "histogram_quantile(0.5, m)", "-m"):
        assert [] == compile_expression(expression).evaluate(store, 0).rows.tolist()


def test_the_tenant_is_in_every_result() -> None:
    """No grouping takes it away."""
    store = make_store(series_of("x", [[1, 2, 3, 4]] * 4))
    for expression in EXPRESSIONS:
        plan = compile_expression(expression)
        rows = plan.evaluate(store, 60_000).rows.tolist()

        assert {"x"} >= {get_label(plan.space.labels[row], TENANT) for row in rows}


GOLDEN = json.loads((Path(__file__).parent / "golden" / "prometheus.json").read_text())


@pytest.fixture(scope="module")
def golden_store() -> SeriesStore:
    return make_store(GOLDEN["series"], every_s=GOLDEN["every_s"])


@pytest.mark.parametrize("number", range(len(GOLDEN["cases"])))
def test_results_are_those_of_prometheus(golden_store: SeriesStore, number: int) -> None:
    """Random expressions over random series (gaps, jitter, resets, staleness): values from a real Prometheus 3.15."""
    expression, at_s, expected = GOLDEN["cases"][number]
    if expected is None:
        with pytest.raises(RuleError):
            evaluate_at(golden_store, expression, at_s)
        return

    found = evaluate_at(golden_store, expression, at_s)

    assert sorted(expected) == sorted(found)
    for labels, value in expected.items():
        assert float(value) == pytest.approx(found[labels], rel=1e-9, nan_ok=True)
