"""The sketch: quantiles within one percent, and the same for any partition of the values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.partial.sketch import RELATIVE_ERROR, buckets, estimates, quantiles

VALUES = st.floats(allow_subnormal=True)


@given(st.lists(VALUES, min_size=1, max_size=50))
def test_a_bucket_stands_for_its_values(values: list[float]) -> None:
    """The estimate of a value's bucket is within the relative error; infinities, zero and NaN are themselves."""
    given_ = np.array(values)

    found = estimates(buckets(given_))

    whole = np.isnan(given_) | np.isinf(given_) | (given_ == 0)
    np.testing.assert_array_equal(found[whole], given_[whole])
    normal = np.abs(given_) >= np.finfo(float).tiny
    near, exact = found[normal & ~whole], given_[normal & ~whole]
    assert (np.abs(near / exact - 1) <= RELATIVE_ERROR * (1 + 1e-9)).all()


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=50))
def test_buckets_come_in_the_order_of_their_values(values: list[float]) -> None:
    """A greater value never has a smaller bucket; NaN has the smallest of all."""
    numbers = buckets(np.sort(np.array(values)))

    assert (np.diff(numbers) >= 0).all()
    assert (buckets(np.array([np.nan])) < numbers).all()


@given(
    st.lists(st.floats(1e-6, 1e9) | st.floats(-1e9, -1e-6), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_quantiles_are_near_prometheus_ones(values: list[float], phi: float) -> None:
    """Each neighbour of the rank is within one percent, so the quantile is within one percent of the larger of them."""
    ordered = np.sort(np.array(values))
    numbers, counts = np.unique(buckets(ordered), return_counts=True)
    group = np.zeros(len(numbers), np.int64)

    (found,) = quantiles(group, numbers, counts.astype(float), np.array([phi]))

    rank = phi * (len(ordered) - 1)
    lower, upper = int(np.floor(rank)), min(len(ordered) - 1, int(np.floor(rank)) + 1)
    weight = rank - lower
    expected = ordered[lower] * (1 - weight) + ordered[upper] * weight
    room = RELATIVE_ERROR * max(abs(ordered[lower]), abs(ordered[upper])) * (1 + 1e-9)
    assert abs(found - expected) <= room


def test_ranks_outside_have_prometheus_answers() -> None:
    """Minus infinity below 0, infinity above 1, NaN for NaN; each group by its own number."""
    numbers = np.repeat(buckets(np.array([5.0])), 3)

    found = quantiles(np.arange(3), numbers, np.ones(3), np.array([-0.1, 1.1, np.nan]))

    np.testing.assert_array_equal(found, [-np.inf, np.inf, np.nan])
