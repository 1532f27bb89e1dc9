"""Totals: what deltas add up to, and what is forgotten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.histograms import NativeHistogram
from schemas.wire.otlp.merged import Merged
from schemas.wire.otlp.totals import MOST_BEHIND_MS, Totals, rounds

deltas = st.tuples(
    st.integers(0, 4),
    st.integers(0, 100_000),
    st.integers(0, 2),
    st.sampled_from([0.1, 0.2, 1e16, -3.0]),
)


def add(totals: Totals, rows: list[tuple[int, int, int, float]]) -> list[tuple[int, float, bool]]:
    """Add rows of series, time, start and delta as one record."""
    prints, times, starts, values = zip(*rows, strict=True)
    told, sums, twice = totals.add(
        np.array(prints, np.uint64),
        np.array(times, np.int64),
        np.array(starts, np.uint64),
        np.array(values, np.float64),
    )
    return list(zip(told.tolist(), sums.tolist(), twice.tolist(), strict=True))


@given(st.lists(st.lists(deltas, min_size=1, max_size=12), max_size=5))
def test_totals_are_those_of_adding_one_by_one(
    records: list[list[tuple[int, int, int, float]]],
) -> None:
    """Columns or not, each total is the sum in the order of the log, at a time that does not fall without cause."""
    totals = Totals(1000)
    known: dict[int, tuple[float, int, tuple[int, int]]] = {}
    for rows in records:
        wanted: list[tuple[int, float] | None] = []
        before = {print_: last for print_, (_, _, last) in known.items()}
        for print_, time, start, value in rows:
            total, told, _ = known.get(print_, (0.0, -(2**62), (-1, -1)))
            if before.get(print_) == (time, start):
                wanted.append(None)
                continue
            total += value
            told = time if time < told - MOST_BEHIND_MS else max(time, told)
            known[print_] = (total, told, (time, start))
            wanted.append((told, total))

        assert wanted == [None if twice else (t, s) for t, s, twice in add(totals, rows)]


def test_the_older_half_goes_at_the_cap() -> None:
    """By event time; a series that has gone begins anew, those that are wanted now stay."""
    totals = Totals(4)
    add(totals, [(n, n, 0, 1.0) for n in range(4)])

    assert [(10, 2.0, False), (10, 1.0, False)] == add(totals, [(0, 10, 0, 1.0), (9, 10, 0, 1.0)])
    assert 4 == len(totals)
    assert [(20, 1.0, False)] == add(totals, [(1, 20, 0, 1.0)])
    assert [(20, 3.0, False)] == add(totals, [(0, 20, 0, 1.0)])


def test_there_is_room_for_many() -> None:
    """More series than there was place for at first."""
    totals = Totals(10_000)
    rows = [(n, 1, 0, float(n)) for n in range(5000)]
    add(totals, rows)

    assert [2.0 * n for n in range(5000)] == [
        s for _, s, _ in add(totals, [(p, 2, 0, v) for p, _, _, v in rows])
    ]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_rounds_are_first_ones_then_second_ones(which: list[int]) -> None:
    """Each position is in one round, a number at most once in a round, and positions of a number in their order."""
    found = [part.tolist() for part in rounds(np.array(which, np.intp))]

    assert sorted(at for part in found for at in part) == list(range(len(which)))
    for turn, part in enumerate(found):
        for at in part:
            assert turn == which[:at].count(which[at])


def test_a_checkpoint_that_is_none_is_refused() -> None:
    """Columns that are missing or do not fit together."""
    totals = Totals(4)
    add(totals, [(1, 1, 0, 1.0)])
    columns = totals.snapshot()

    for bad in ({}, {**columns, "sums": np.zeros(2)}):
        with pytest.raises(CheckpointError):
            Totals(4).restore(bad)
    with pytest.raises(CheckpointError):
        Merged(4).restore({"merged": np.zeros(3, np.uint8)})


def test_histograms_add_up_too() -> None:
    """One after the other, each once, the longest untouched forgotten at the cap; a checkpoint changes nothing."""
    one = NativeHistogram(count=1.0, sum=2.0, positive={1: 1.0})
    merged = Merged(1)

    assert (5, one) == merged.add(7, 5, 0, one)
    assert merged.has(7, 5, 0)
    assert not merged.has(7, 6, 0)
    restored = Merged(1)
    restored.restore(merged.snapshot())
    two = NativeHistogram(count=2.0, sum=4.0, positive={1: 2.0})
    for each in (merged, restored):
        assert (5, two) == each.add(7, 4, 0, one)
        assert (1, one) == each.add(8, 1, 0, one)
        assert 1 == len(each)
