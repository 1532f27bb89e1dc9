"""Forms: parts of any partition of the members are merged to what the aggregation of all of them is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.aggregate import AGGREGATIONS
from streams.rules.partial.forms import FORMS, Parts
from streams.windows.blocks import reduce_stretches

EXACT = ("avg", "count", "group", "max", "min", "quantile", "sum")
ANY = st.floats(-1e12, 1e12) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0])
MEMBERS = st.lists(st.tuples(st.integers(0, 7), ANY), min_size=1, max_size=40)
PHI = np.array([0.7])


def merged(name: str, shares: list[list[float]]) -> float:
    """One group whose members are spread like this, in two stages."""
    sent = []
    for share in shares:
        if share:
            found = FORMS[name].part(np.array(share), np.array([0]), np.array([len(share)]))
            sent.append(found)
    columns = Parts(*(np.concatenate(column) for column in zip(*sent, strict=True)))
    order = np.argsort(columns.codes, kind="stable")
    parts = Parts(columns.groups[order], columns.codes[order], columns.values[order])
    return float(FORMS[name].merge(parts, PHI)[0])


def spread(members: list[tuple[int, float]], partitions: int) -> list[list[float]]:
    """Members by partition; each has a home of its own, as series have."""
    shares: list[list[float]] = [[] for _ in range(partitions)]
    for home, value in members:
        shares[home % partitions].append(value)
    return shares


@pytest.mark.parametrize("name", EXACT)
@given(members=MEMBERS)
def test_the_number_of_partitions_does_not_matter(
    name: str, members: list[tuple[int, float]]
) -> None:
    """1, 2 and 8 partitions come to the same bits."""
    with np.errstate(all="ignore"):
        one, two, eight = (merged(name, spread(members, n)) for n in (1, 2, 8))

    np.testing.assert_equal([one, one], [two, eight])


@pytest.mark.parametrize("name", ["stddev", "stdvar"])
@given(
    members=st.lists(st.tuples(st.integers(0, 7), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    base=st.sampled_from([0.0, 1e9]),
)
def test_moments_are_merged_stably(
    name: str, members: list[tuple[int, float]], base: float
) -> None:
    """Near what two passes over all members find, also where the mean is far greater than the spread."""
    moved = [(home, value + base) for home, value in members]
    values = np.array([value for _, value in moved])
    ends = np.array([len(values)])
    (expected,) = reduce_stretches(values, np.array([0]), ends, AGGREGATIONS[name])

    found = [merged(name, spread(moved, n)) for n in (1, 2, 8)]

    scale = np.abs(values).max() * 1e-15
    room = scale * np.abs(values - values.mean()).max() * 8 if name == "stdvar" else scale * 8
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=room + 1e-300)


@pytest.mark.parametrize("name", ["avg", "count", "group", "max", "min", "sum"])
@given(members=st.lists(st.tuples(st.integers(0, 7), ANY), min_size=1, max_size=40))
def test_two_stages_come_to_what_one_does(name: str, members: list[tuple[int, float]]) -> None:
    """The aggregation of all members in one place is the same, but for the last bits of a sum."""
    values = np.array([value for _, value in members])
    with np.errstate(all="ignore"):
        ends = np.array([len(values)])
        (expected,) = reduce_stretches(values, np.array([0]), ends, AGGREGATIONS[name])
        found = merged(name, spread(members, 8))

    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15 * 1e12)
