"""Why a value is odd, in one sentence."""

import numpy as np
import pytest

from streams.rules.explain import Insight, rank_of, rarity, sentence

NAN = float("nan")


def test_it_says_side_expected_value_band_rarity_and_rank() -> None:
    """All that a detector knows."""
    facts = [130.0, 0.9999, 100.0, 97.0, 103.0, 400.0, NAN]
    expected = (
        "The value 130 is above the expected 100 (usual 97 to 103); "
        "a value as odd as this comes once in 1e+04 evaluations, 1d17h39m; none of 400 seen before was as odd; "
        "seen by its time of day; periodic; to blame: db"
    )
    # 10000 evaluations, but for the last digit of 1 - 0.9999
    found = sentence(facts, 15_000, Insight(400, "time of day", "periodic", "db"))
    assert expected.split("; ")[2:] == found.split("; ")[2:]
    assert expected.split(" once in ", maxsplit=1)[0] == found.split(" once in ")[0]


def test_a_detector_without_an_expected_value_says_less() -> None:
    """It does not invent a side."""
    assert sentence([5.0, 0.99, NAN, NAN, NAN], 0, Insight()).startswith(
        "The value 5 is odd; a value"
    )


@pytest.mark.parametrize(
    ("score", "samples", "rank"), [(0.5, 100, 51), (0.9999, 400, 1), (0.99, 1000, 11), (1.0, 5, 1)]
)
def test_the_rank_is_the_calibrated_one(score: float, samples: int, rank: int) -> None:
    """So many were as odd or odder, and it comes after them."""
    assert rank == pytest.approx(rank_of(score, samples), abs=1)


def test_nothing_is_rarer_than_can_be_known() -> None:
    """A score of 1 is no 1e15."""
    assert "more than 1e+09 evaluations" in rarity(1.0, 15_000)
    assert "more than" not in rarity(0.99, 15_000)
    assert rarity(np.nextafter(1.0, 0.0), 15_000) == rarity(1.0, 15_000)


@pytest.mark.parametrize(
    ("score", "expected"), [(0.75, "1m"), (0.5, "30s"), (0.9990234375, "4h"), (0.0, "15s")]
)
def test_rarity_is_told_as_time_too(score: float, expected: str) -> None:
    """By the interval of the evaluations, in no finer a unit than makes sense."""
    assert rarity(score, 15_000).endswith(f"evaluations, {expected}")
