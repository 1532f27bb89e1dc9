"""Native histograms added, scaled, brought to one layout; and when a counter was reset."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.histograms import CUSTOM_SCHEMA, Hint, NativeHistogram, parse_histogram
from streams.rules.native.arithmetic import (
    IncompatibleError,
    added,
    at_schema,
    average,
    divided,
    is_reset,
    same,
    scaled,
    total,
)

counts = st.dictionaries(st.integers(-8, 8), st.integers(1, 1000).map(float), max_size=6)
widths = st.sampled_from([0.0, 0.001, 0.3, 1.0])


@st.composite
def histograms(draw: st.DrawFn) -> NativeHistogram:
    """Exponential ones whose count is that of their buckets; no bucket lies within the zero bucket."""
    schema, width = draw(st.integers(-1, 3)), draw(widths)
    least = 1 + (math.ceil(math.log2(width) * 2.0**schema) if width else -100)
    positive, negative = (
        {index: count for index, count in draw(counts).items() if index > least} for _ in range(2)
    )
    zero = float(draw(st.integers(0, 5)))
    held = zero + sum(positive.values()) + sum(negative.values())
    return NativeHistogram(schema, held, held * 1.5, width, zero, positive, negative)


def observations(histogram: NativeHistogram) -> float:
    """All that is in buckets."""
    sides = (histogram.positive, histogram.negative)
    return histogram.zero_count + sum(count for side in sides for count in side.values())


@given(histograms(), histograms())
def test_no_observation_is_lost_in_a_sum(one: NativeHistogram, other: NativeHistogram) -> None:
    """Whatever schemas and zero buckets meet; and the order does not matter."""
    found = added(one, other)

    assert one.count + other.count == found.count == observations(found)
    assert same(found, added(other, one))
    assert min(one.schema, other.schema) == found.schema


@given(histograms(), histograms())
def test_a_difference_undoes_a_sum(one: NativeHistogram, other: NativeHistogram) -> None:
    """What is left is the first in the layout of both."""
    left = added(added(one, other), other, sign=-1.0)

    assert one.count == left.count == observations(left)


@given(histograms(), st.integers(0, 3))
def test_a_coarser_schema_keeps_every_observation(one: NativeHistogram, by: int) -> None:
    """Buckets are merged, none is cut."""
    assert one.count == observations(at_schema(one, one.schema - by))


@given(histograms(), histograms())
def test_growth_is_no_reset_and_shrinking_is(one: NativeHistogram, other: NativeHistogram) -> None:
    """A sum holds at least what each part held, in buckets no finer and a zero bucket no narrower."""
    grown = added(one, other)

    assert not is_reset(grown, one)
    assert is_reset(one, grown) is (not same(one, grown))


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("{{count:5 buckets:[5]}}", "{{count:5 buckets:[2 3]}}", True),
        ("{{count:9 buckets:[5 4]}}", "{{count:5 buckets:[5]}}", False),
        ("{{schema:1 count:9 buckets:[9]}}", "{{count:5 buckets:[5]}}", True),
        ("{{count:9 counter_reset_hint:reset buckets:[9]}}", "{{count:1 buckets:[1]}}", True),
        ("{{count:1 counter_reset_hint:not_reset buckets:[1]}}", "{{count:9 buckets:[9]}}", False),
        (
            "{{schema:-53 count:9 custom_values:[1 5] buckets:[4 5]}}",
            "{{schema:-53 count:5 custom_values:[1 2 5] buckets:[2 1 2]}}",
            False,
        ),
        (
            "{{schema:-53 count:9 custom_values:[1 5] buckets:[1 8]}}",
            "{{schema:-53 count:5 custom_values:[1 2 5] buckets:[2 1 2]}}",
            True,
        ),
        ("{{schema:-53 count:9 custom_values:[1] buckets:[9]}}", "{{count:1 buckets:[1]}}", True),
    ],
)
def test_resets(now: str, before: str, *, expected: bool) -> None:
    """A bucket that lost something, finer buckets, other kinds; a hint decides."""
    assert expected is is_reset(parse_histogram(now), parse_histogram(before))


def test_custom_bounds_are_cut_to_the_common_ones() -> None:
    """What lay between bounds that only one has goes to the next that both have."""
    one = parse_histogram("{{schema:-53 count:6 sum:9 custom_values:[1 2 5] buckets:[1 2 3]}}")
    other = parse_histogram("{{schema:-53 count:3 sum:1 custom_values:[1 5] buckets:[1 1 1]}}")

    found = added(one, other)

    expected = NativeHistogram(
        CUSTOM_SCHEMA, 9.0, 10.0, positive={0: 2.0, 1: 6.0, 2: 1.0}, bounds=(1, 5)
    )
    assert expected == found


def test_exponential_and_custom_buckets_do_not_add_up() -> None:
    """There is no layout of both."""
    with pytest.raises(IncompatibleError):
        total([NativeHistogram(), NativeHistogram(CUSTOM_SCHEMA)])


def test_what_a_negative_factor_makes_is_a_gauge() -> None:
    """No counter is below zero."""
    one = NativeHistogram(count=2.0, positive={1: 2.0})

    assert [Hint.GAUGE, Hint.GAUGE] == [scaled(one, -1).hint, divided(one, -2).hint]
    assert {1: -2.0} == scaled(one, -1).positive


def test_divided_by_zero_no_bucket_is_left() -> None:
    """Count and sum are infinite, or NaN where they were zero."""
    found = divided(NativeHistogram(count=2.0, sum=-1.0, positive={1: 2.0}), 0.0)

    assert (math.inf, -math.inf, {}) == (found.count, found.sum, found.positive)
    assert math.isnan(found.zero_count)


def test_a_mean_is_finite_where_the_sum_is_not() -> None:
    """Two of nearly the largest count there is."""
    huge = NativeHistogram(count=1.5e308, sum=1.5e308, positive={1: 1.5e308})

    assert same(huge, average([huge, huge]))


@given(histograms())
def test_hints_do_not_make_a_difference(one: NativeHistogram) -> None:
    """Equal is what holds the same."""
    assert same(one, replace(one, hint=Hint.GAUGE))
    assert not same(one, replace(one, sum=one.sum + 1))
