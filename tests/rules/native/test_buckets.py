"""What is estimated from the buckets of a native histogram."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.histograms import NativeHistogram, parse_histogram
from streams.rules.native.buckets import (
    ascending,
    bound,
    fraction,
    quantile,
    show_buckets,
    variance,
)
from tests.rules.native.test_arithmetic import histograms

populated = histograms().filter(lambda histogram: histogram.count > 0)
CUSTOM = parse_histogram("{{schema:-53 count:4 sum:9 custom_values:[1 3] buckets:[1 2 1]}}")


@given(populated, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_their_rank(one: NativeHistogram, left: float, right: float) -> None:
    """And lie within the outermost buckets."""
    low, high = quantile(min(left, right), one), quantile(max(left, right), one)

    assert low <= high or low == pytest.approx(high)
    lower, upper = ascending(one)[0].lower, ascending(one)[-1].upper
    assert lower <= low or low == pytest.approx(lower)
    assert high <= upper or high == pytest.approx(upper)


@given(
    populated.filter(lambda one: one.zero_threshold > 0 or not one.zero_count),
    st.floats(0.01, 0.99),
)
def test_the_share_below_a_quantile_is_its_rank(one: NativeHistogram, phi: float) -> None:
    """One is the inverse of the other, but for rounding."""
    assert phi == pytest.approx(fraction(-math.inf, quantile(phi, one), one), abs=1e-6)


@given(populated, st.floats(-20, 20))
def test_shares_on_both_sides_are_everything(one: NativeHistogram, value: float) -> None:
    """Below and above."""
    below, above = fraction(-math.inf, value, one), fraction(value, math.inf, one)

    assert below + above == pytest.approx(1)


@pytest.mark.parametrize(
    ("phi", "expected"),
    [(0, 0.0), (0.25, 1.0), (0.5, 2.0), (1, 3.0), (-1, -math.inf), (2, math.inf)],
)
def test_custom_buckets_are_filled_evenly(phi: float, expected: float) -> None:
    """The first begins at 0, the last has no end to reckon with."""
    assert expected == quantile(phi, CUSTOM)


def test_without_observations_nothing_is_known() -> None:
    """NaN all over."""
    empty = NativeHistogram()

    assert all(map(math.isnan, (quantile(0.5, empty), fraction(0, 1, empty), variance(empty))))


def test_bounds_double_with_the_octave_and_end_at_the_largest_number() -> None:
    """Schema 0 has powers of two; one bucket is left for infinity."""
    plain, fine = NativeHistogram(), NativeHistogram(schema=3)

    assert [0.5, 1.0, 2.0, 4.0] == [bound(plain, index) for index in (-1, 0, 1, 2)]
    assert 2.0 == bound(fine, 8)
    assert [sys.float_info.max, math.inf] == [bound(plain, 1024), bound(plain, 1025)]
    assert [sys.float_info.max, math.inf] == [bound(fine, 8192), bound(fine, 8193)]
    assert 16.0 == bound(NativeHistogram(schema=-2), 1)


def test_a_histogram_is_shown_bucket_by_bucket() -> None:
    """As `count_values` names it."""
    one = parse_histogram("{{count:9 sum:2 z_bucket:1 z_bucket_w:0.1 buckets:[2 3] n_buckets:[3]}}")

    assert "{count:9, sum:2, [-1,-0.5):3, [-0.1,0.1]:1, (0.5,1]:2, (1,2]:3}" == show_buckets(one)
    assert "{count:4, sum:9, [-Inf,1]:1, (1,3]:2, (3,+Inf]:1}" == show_buckets(CUSTOM)
