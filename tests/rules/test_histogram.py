"""Quantiles and fractions of classic histograms."""

import math

import pytest

from streams.rules.histogram import upper_bound
from tests.rules.conftest import Evaluate, Load


def histogram(**counts: str) -> dict[str, str]:
    return {f'h_bucket{{le="{le}"}}': count for le, count in counts.items()}


PLAIN = histogram(**{"0.1": "10", "0.5": "30", "1": "40", "+Inf": "50"})

CASES = [
    # rank 5 of 10 in (0, 0.1]
    (PLAIN, 0.1, 0.05),
    # rank 25: 15 of the 20 in (0.1, 0.5]
    (PLAIN, 0.5, 0.1 + 0.4 * 15 / 20),
    # rank 40 is just reached at the end of (0.5, 1]
    (PLAIN, 0.8, 1.0),
    # rank 45 lies beyond the last bound
    (PLAIN, 0.9, 1.0),
    (PLAIN, 1.0, 1.0),
    (PLAIN, 0.0, 0.0),
    (PLAIN, -0.1, -math.inf),
    (PLAIN, 1.1, math.inf),
    # a first bucket that ends at or below zero is not interpolated
    (histogram(**{"-1": "10", "1": "20", "+Inf": "20"}), 0.3, -1.0),
    (histogram(**{"-1": "10", "1": "20", "+Inf": "20"}), 0.75, 0.0),
    # counts that fall are raised: 10, 10, 20
    (histogram(**{"1": "10", "2": "4", "+Inf": "20"}), 0.25, 0.5),
    # equal bounds are added up: 4 + 6 up to 1
    (histogram(**{"1": "4", "1.0": "6", "2": "20", "+Inf": "20"}), 0.25, 0.5),
    # differences of rounding are none
    (histogram(**{"1": "10", "2": "10.0000000000001", "+Inf": "10"}), 0.5, 0.5),
]


@pytest.mark.parametrize(("series", "phi", "expected"), CASES)
def test_quantiles_interpolate_within_a_bucket(
    load: Load, evaluate: Evaluate, series: dict[str, str], phi: float, expected: float
) -> None:
    """Linear within the bucket that the rank falls in; the comments say how each number comes about."""
    found = evaluate(load(series), f"histogram_quantile({phi}, h_bucket)", 0)

    assert {"": pytest.approx(expected)} == found


@pytest.mark.parametrize(
    "series",
    [
        histogram(**{"1": "10", "2": "20"}),
        histogram(**{"+Inf": "20"}),
        histogram(**{"1": "0", "+Inf": "0"}),
    ],
)
def test_histograms_without_a_quantile(
    load: Load, evaluate: Evaluate, series: dict[str, str]
) -> None:
    """Without a bucket +Inf, with that one only, or without observations the quantile is NaN."""
    (found,) = evaluate(load(series), "histogram_quantile(0.5, h_bucket)", 0).values()

    assert math.isnan(found)


def test_each_histogram_has_its_own_quantile(load: Load, evaluate: Evaluate) -> None:
    """Series with equal labels but `le` are one histogram; what has no bound is none."""
    store = load(
        {
            'h_bucket{s="a",le="1"}': "10",
            'h_bucket{s="a",le="+Inf"}': "10",
            'h_bucket{s="b",le="2"}': "10",
            'h_bucket{s="b",le="+Inf"}': "10",
            'h_bucket{s="c",le="wide"}': "10",
            'h_bucket{s="c"}': "10",
        }
    )

    found = evaluate(store, "histogram_quantile(0.5, h_bucket)", 0)

    assert {'{s="a"}': 0.5, '{s="b"}': 1.0} == found


@pytest.mark.parametrize(
    ("text", "expected"), [("0.5", 0.5), ("+Inf", math.inf), ("1e3", 1000.0), ("-2.", -2.0)]
)
def test_bounds_are_read_as_go_reads_floats(text: str, expected: float) -> None:
    """The usual forms of a number; anything else is no bound."""
    assert expected == upper_bound((("le", text),))
    assert math.isnan(upper_bound((("le", f" {text}"),)))


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ("0", "0.1", 0.2),
        ("-Inf", "0.3", 0.4),
        ("0.3", "0.75", 0.3),
        ("0.1", "Inf", 0.8),
        ("1", "5", 0.0),
        ("0.5", "0.5", 0.0),
        ("1", "0.5", 0.0),
        ("-5", "0", 0.0),
    ],
)
def test_a_fraction_is_interpolated_as_a_quantile_is(
    load: Load, evaluate: Evaluate, lower: str, upper: str, expected: float
) -> None:
    """Observations between two values; those above the last bound lie nowhere in between."""
    found = evaluate(load(PLAIN), f"histogram_fraction({lower}, {upper}, h_bucket)", 0)

    assert {"": pytest.approx(expected)} == found


@pytest.mark.parametrize("lower", ["NaN", "0"])
def test_no_fraction_of_nothing(load: Load, evaluate: Evaluate, lower: str) -> None:
    """Without a last bucket, without observations, and between what are no numbers."""
    stores = (histogram(**{"1": "5"}), histogram(**{"1": "0", "+Inf": "0"}))
    for series in stores if lower == "0" else (PLAIN,):
        (found,) = evaluate(load(series), f"histogram_fraction({lower}, 1, h_bucket)", 0).values()
        assert math.isnan(found)
