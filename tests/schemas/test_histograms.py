"""Literals of native histograms: read, written, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.histograms import (
    CUSTOM_SCHEMA,
    Hint,
    NativeHistogram,
    find_fault,
    parse_histogram,
    short,
    show_histogram,
)

counts = st.dictionaries(st.integers(-20, 20), st.floats(0.5, 1e6), max_size=5)
exponential = st.builds(
    NativeHistogram,
    schema=st.integers(-4, 8),
    count=st.floats(0, 1e9),
    sum=st.floats(-1e9, 1e9),
    zero_threshold=st.floats(0, 1),
    zero_count=st.floats(0, 1e6),
    positive=counts,
    negative=counts,
    hint=st.sampled_from(Hint),
)


@given(exponential)
def test_what_was_written_is_read_again(histogram: NativeHistogram) -> None:
    """Every field, gaps between buckets as zeros."""
    assert histogram == parse_histogram(show_histogram(histogram))


def test_custom_bounds_are_kept() -> None:
    """The last bucket has no bound of its own."""
    text = "{{schema:-53 count:5 sum:18.4 custom_values:[5 10] buckets:[1 4]}}"

    found = parse_histogram(text)

    assert (
        NativeHistogram(CUSTOM_SCHEMA, 5, 18.4, positive={0: 1.0, 1: 4.0}, bounds=(5, 10)) == found
    )
    assert text == show_histogram(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{count:1}", "no histogram"),
        ("{{counts:1}}", "bad histogram descriptor: counts"),
        ("{{count:1 count:2}}", 'duplicate key "count"'),
        ("{{count}}", "bad histogram descriptor: count"),
        ("{{counter_reset_hint:maybe}}", "unknown counter_reset_hint maybe"),
        ("{{schema:9}}", "no schema 9"),
    ],
)
def test_other_texts_are_refused(text: str, said: str) -> None:
    """The message names the part that is wrong."""
    with pytest.raises(ValueError, match=said):
        parse_histogram(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, "3"),
        (-0.25, "-0.25"),
        (1e21, "1e+21"),
        (123456789.0, "1.23456789e+08"),
        (1e-7, "1e-07"),
        (2.5e300, "2.5e+300"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Inf"),
    ],
)
def test_numbers_are_short_as_in_go(value: float, expected: str) -> None:
    """`%g`: the shortest digits, an exponent of two figures at least."""
    assert expected == short(value)


@given(exponential)
def test_a_sound_histogram_has_no_fault(histogram: NativeHistogram) -> None:
    """Whatever its resolution; one count below 0 is a fault."""
    assert find_fault(histogram) is None
    assert find_fault(replace(histogram, count=-1.0)) is not None
    assert find_fault(replace(histogram, positive={3: -1.0})) is not None


BUCKETS = {
    "coarse, the last": (-4, 64, True),
    "coarse, beyond": (-4, 70, False),
    "fine, infinity": (8, 1024 * 256 + 1, True),
    "fine, the least": (8, -1074 * 256, True),
    "fine, beyond": (8, -1080 * 256, False),
}


@pytest.mark.parametrize(("schema", "index", "is_good"), BUCKETS.values(), ids=BUCKETS)
def test_a_bucket_beyond_all_numbers_is_a_fault(schema: int, index: int, is_good: bool) -> None:
    """Every float64, and infinity, has its bucket; further out there is none."""
    histogram = NativeHistogram(schema=schema, count=1.0, positive={index: 1.0})

    assert is_good == (find_fault(histogram) is None)
