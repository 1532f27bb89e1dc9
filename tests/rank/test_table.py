"""Table: its shape, and names of columns."""

import numpy as np
import pytest

from streams.rank import Column, Table
from streams.rank.table import columns_of
from tests.rank.shop import MINUTE, shop


def test_a_name_is_node_and_metric() -> None:
    """What stands behind the first bar is the metric, a bar at the end is left out."""
    expected = (Column("db", "latency|p99"), Column("db", ""), Column("a", "b"))

    assert expected == columns_of(["db|latency|p99|", "db", " a | b "])


@pytest.mark.parametrize(
    ("times", "shape", "names"),
    [
        ([0, 1], (2, 1), ["a", "b"]),
        ([0, 0], (2, 2), ["a", "b"]),
        ([1, 0], (2, 2), ["a", "b"]),
        ([0, 1], (2, 2), ["a", "a"]),
    ],
    ids=["shape", "same time", "descending", "same column"],
)
def test_what_is_no_table_is_refused(
    times: list[int], shape: tuple[int, int], names: list[str]
) -> None:
    """Shapes that do not fit, times that do not ascend, and columns that come twice are refused."""
    with pytest.raises(ValueError, match=r"shape|ascend|two columns"):
        Table(np.array(times), np.zeros(shape), columns_of(names))


def test_until_keeps_the_row_of_that_time() -> None:
    """Rows up to and including a time stay."""
    assert 3 == len(shop().until(2 * MINUTE).times)


def test_since_counts_in_usual_steps() -> None:
    """Two samples before row 10 is row 8."""
    assert 8 == shop().since(10 * MINUTE, 2)
