"""Onset: when a column became abnormal."""

import numpy as np
import pytest

from streams.rank.onset import onset_row


@pytest.mark.parametrize(
    ("abnormal", "expected"),
    [("0000", None), ("0001", 3), ("0011", 2), ("1011", 2), ("1111", 0)],
)
def test_the_run_that_reaches_into_the_incident_counts(abnormal: str, expected: int | None) -> None:
    """The first row of the run that holds the first abnormal row from row 2 on."""
    assert expected == onset_row(np.array([c == "1" for c in abnormal]), 2)
