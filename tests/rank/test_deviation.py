"""Deviation: unusual and a change, in spreads, over the column's own habit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rank import Table
from streams.rank.deviation import ABNORMAL, FLOOR, VALUES_MIN, deviate
from streams.rank.table import columns_of
from tests.rank.shop import BEGUN, CPU, LATENCY, MINUTE, shop


def one(values: list[float]) -> Table:
    """A table of one column."""
    times = MINUTE * np.arange(len(values), dtype=np.int64)
    return Table(times, np.array(values, dtype=float)[:, None], columns_of(["a|x"]))


def test_a_rise_deviates_upwards_only() -> None:
    """What rises is far above and not at all below."""
    found = deviate(shop(("db", LATENCY, BEGUN, 1.0)), BEGUN * MINUTE)
    at = 4  # db's latency

    assert found.peak_up[at] > 10
    assert found.peak_down[at] < ABNORMAL


def test_a_constant_deviates_in_floors() -> None:
    """The spread of a constant is 0.2 % of its level, so one percent more is five spreads."""
    found = deviate(one([100.0] * 60 + [101.0]), 60 * MINUTE)

    assert pytest.approx(0.01 / FLOOR) == found.peak[0]


def test_an_old_offset_is_no_change() -> None:
    """What has been different for longer than 30 samples deviates no more."""
    values = [*np.random.default_rng(1).normal(1, 0.05, 400), *[2.0] * 40]
    found = deviate(one(values), 439 * MINUTE)

    assert found.peak[0] < ABNORMAL


def test_a_short_history_has_no_spread() -> None:
    """A column with fewer values than needed takes no part."""
    found = deviate(one([1.0, 2.0] * ((VALUES_MIN - 2) // 2) + [9.0]), 18 * MINUTE)

    assert np.isnan(found.spread[0])
    assert 0.0 == found.evidence[0]


def test_the_same_rise_is_less_evidence_where_it_is_habit() -> None:
    """A column that jumps now and then is less evidence than one that never did."""
    calm = np.random.default_rng(2).normal(1, 0.05, 300)
    wild = calm.copy()
    wild[20:280:40] += 0.8
    evidence = [deviate(one([*v, 2.0]), 300 * MINUTE).evidence[0] for v in (calm, wild)]

    assert evidence[1] < evidence[0] / 2


def test_a_column_without_values_is_silent() -> None:
    """A column of NaN has no deviation, and no warning comes."""
    table = shop()
    table.values[:, 0] = np.nan

    assert 0.0 == deviate(table, BEGUN * MINUTE).peak[0]


@given(scale=st.floats(1e-6, 1e6), row=st.integers(150, 183))
def test_units_do_not_matter(scale: float, row: int) -> None:
    """Deviations are the same whatever unit a column is in."""
    table = shop(("db", CPU, BEGUN, 1.0))
    scaled = Table(table.times, table.values * scale, table.columns)
    ours, theirs = (deviate(t, row * MINUTE) for t in (table, scaled))

    np.testing.assert_allclose(ours.evidence, theirs.evidence, rtol=1e-6, atol=1e-9)


@given(later=st.integers(1, 20))
def test_nothing_later_changes_the_past(later: int) -> None:
    """Rows that are added later leave the deviations of earlier rows as they were."""
    table = shop(("db", LATENCY, BEGUN, 1.0))
    at = BEGUN * MINUTE
    short, long = (
        deviate(table.until((BEGUN + 1) * MINUTE), at),
        deviate(table.until(at + later * MINUTE), at),
    )

    np.testing.assert_array_equal(short.up[: BEGUN + 1], long.up[: BEGUN + 1])
