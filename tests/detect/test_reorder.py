"""Samples held for the watermark come out in the order of event time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.handles import make_handles
from schemas.histograms import NativeHistogram
from streams.detect.reorder import Held, Reorder

entries = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 2)), max_size=30)


def held(found: list[tuple[int, int, int, int]]) -> Held:
    """Columns of (row, time, source, offset)."""
    a = np.array(found, np.int64).reshape(-1, 4)
    return Held(a[:, 0], a[:, 1], a[:, 3].astype(np.float64), a[:, 2].astype(np.int32), a[:, 3])


@given(
    entries,
    st.lists(st.integers(0, 60), min_size=1, max_size=5).map(sorted),
    st.randoms(use_true_random=False),
)
def test_order_of_arrival_is_nothing(
    found: list[tuple[int, int, int]], marks: list[int], chance: object
) -> None:
    """Whatever the order in which samples came, each release gives the same ones in the same order."""
    numbered = [(*f, i) for i, f in enumerate(found)]
    mixed = list(numbered)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = Reorder(), Reorder()
    one.hold(held(numbered))
    for entry in mixed:
        other.hold(held([entry]))
    for mark in marks:
        (a, late_a), (b, late_b) = one.release(mark), other.release(mark)

        assert [c.tolist() for c in a] == [c.tolist() for c in b]
        assert late_a == late_b == 0
        assert a.times.max(initial=0) <= mark


def test_sample_behind_the_release_is_counted_late() -> None:
    """What comes after its time was released is dropped and counted."""
    reorder = Reorder()
    reorder.release(100)
    reorder.hold(held([(0, 100, 0, 0), (0, 101, 0, 1)]))
    released, late = reorder.release(200)

    assert (released.times.tolist(), late) == ([101], 1)


def test_restored_reorder_goes_on() -> None:
    """A snapshot holds what waits and how far the release has come."""
    reorder = Reorder()
    reorder.release(10)
    reorder.hold(held([(1, 20, 0, 0), (0, 10, 0, 1)]))
    copy = Reorder()
    copy.restore(reorder.snapshot())

    released, late = copy.release(30)
    assert (released.rows.tolist(), late) == ([1], 1)


def test_histograms_that_were_released_are_forgotten() -> None:
    """However many come, so many are kept as are held, and some; those held outlive a snapshot."""
    reorder = Reorder()
    for time in range(100):
        values = reorder.bag.adopt(make_handles(100), [NativeHistogram(count=float(time))] * 100)
        zeros = np.zeros(100, np.int64)
        reorder.hold(Held(np.arange(100), zeros + time, values, zeros.astype(np.int32), zeros))
        released, _ = reorder.release(time - 5)
        found = reorder.bag.get(released.values)
        assert [float(time - 5)] * len(found) == [each.count for each in found]

    assert 500 < len(reorder.bag) < 4_000
    again = Reorder()
    again.restore(reorder.snapshot())
    released, _ = again.release(99)
    assert [95.0, 96.0, 97.0, 98.0, 99.0] == sorted(
        {each.count for each in again.bag.get(released.values)}
    )
