"""Reductions over ragged stretches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.samples import Float64s
from streams.windows import blocks as b

ANY = st.floats(allow_nan=True, allow_infinity=True)
TAME = st.floats(min_value=-1e9, max_value=1e9)


def stretches(groups: list[list[float]]) -> tuple[Float64s, np.ndarray, np.ndarray]:
    lengths = np.array([len(group) for group in groups], np.int64)
    high = np.cumsum(lengths)
    return np.array([v for group in groups for v in group]), high - lengths, high


@given(st.lists(st.lists(ANY, max_size=70), max_size=12))
def test_every_stretch_that_is_not_empty_is_in_one_block(groups: list[list[float]]) -> None:
    """Blocks hold each stretch once and whole, whatever the lengths."""
    values, low, high = stretches(groups)
    found = {}
    for block in b.blocks(low, high):
        for member, cells, inside in zip(block.members, block.cells, block.inside, strict=True):
            assert member not in found
            found[int(member)] = values[cells[inside]].tolist()

    expected = {i: group for i, group in enumerate(groups) if group}

    assert repr(expected) == repr({i: found[i] for i in sorted(found)})


@given(st.lists(st.lists(TAME, min_size=1, max_size=70), min_size=1, max_size=12))
def test_sums_are_exact_to_the_last_bit_or_so(groups: list[list[float]]) -> None:
    """A compensated sum is what `math.fsum` gives, whatever cancels out."""
    found = b.reduce_stretches(*stretches(groups), b.total)

    assert [math.fsum(group) for group in groups] == pytest.approx(found, rel=1e-15, abs=1e-22)


def test_what_plain_addition_loses_is_kept() -> None:
    """1 survives between 1e100 and -1e100."""
    found = b.reduce_stretches(*stretches([[1e100, 1.0, -1e100, 1.0]]), b.total)

    assert [2.0] == found.tolist()


@given(
    st.lists(st.floats(), min_size=1, max_size=40),
    st.lists(st.lists(st.floats(), min_size=1, max_size=40), max_size=5),
)
@pytest.mark.parametrize("reducer", [b.total, b.mean, b.variance, b.least, b.greatest])
def test_a_result_hangs_on_its_own_stretch_alone(
    reducer: b.Reducer, group: list[float], others: list[list[float]]
) -> None:
    """Company changes no bit of a result, so tenants and arrival order cannot."""
    with np.errstate(all="ignore"):
        alone = b.reduce_stretches(*stretches([group]), reducer)
        together = b.reduce_stretches(*stretches([*others, group, *others]), reducer)

    assert alone.tobytes() == together[len(others)].tobytes()


def test_infinities_add_as_floats_do() -> None:
    """An infinity stays, two of opposite sign are NaN."""
    groups = [[math.inf, 1.0, 2.0], [math.inf, -math.inf, 1.0]]
    with np.errstate(all="ignore"):
        found = b.reduce_stretches(*stretches(groups), b.total)

    assert math.inf == found[0]
    assert math.isnan(found[1])


def test_the_mean_of_huge_values_is_finite() -> None:
    """Values whose sum overflows still have a mean."""
    with np.errstate(all="ignore"):
        found = b.reduce_stretches(*stretches([[1.7e308, 1.7e308, 1.7e308]]), b.mean)

    assert [1.7e308] == found.tolist()


def test_extremes_skip_nan_unless_there_is_nothing_else() -> None:
    """NaN is neither least nor greatest, except alone."""
    columns = stretches([[math.nan, 3.0, 1.0], [math.nan]])

    assert ["1.0", "nan"] == [str(v) for v in b.reduce_stretches(*columns, b.least).tolist()]
    assert ["3.0", "nan"] == [str(v) for v in b.reduce_stretches(*columns, b.greatest).tolist()]


@pytest.mark.parametrize(
    ("phi", "expected"),
    [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.25, 1.75), (-0.1, -math.inf), (1.1, math.inf)],
)
def test_quantiles_interpolate_between_ranks(phi: float, expected: float) -> None:
    """Of 1, 2, 3, 4 the median is 2.5; outside 0 to 1 quantiles are infinite."""
    values, low, high = stretches([[4.0, 1.0, 3.0, 2.0]])
    (block,) = b.blocks(low, high)

    assert [expected] == b.quantile(values[block.cells], block, np.array([phi])).tolist()


def test_nan_is_the_smallest_of_a_quantile() -> None:
    """As in Prometheus, NaN sorts before -Inf."""
    values, low, high = stretches([[-math.inf, math.nan, 5.0]])
    (block,) = b.blocks(low, high)
    with np.errstate(all="ignore"):
        lowest = b.quantile(values[block.cells], block, np.array([0.0]))

    assert math.isnan(lowest[0])
    assert [5.0] == b.quantile(values[block.cells], block, np.array([1.0])).tolist()
