"""Columns: histograms and what is not finite, kept through cuts and joins."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.handles import is_handle, make_handles, numbers_of
from schemas.histograms import NativeHistogram
from schemas.reasons import IgnoreReason
from schemas.samples import STALE_BITS
from schemas.wire.columns import Columns, join, settled

STALE = np.array(STALE_BITS).view(np.float64)
RARE = st.one_of(
    st.floats(), st.integers(-(2**63), 2**63 - 1).map(lambda n: np.int64(n).view(float))
)


def columns(*values: float | NativeHistogram) -> Columns:
    """A part with these values."""
    count = len(values)
    histograms = [each for each in values if isinstance(each, NativeHistogram)]
    found = np.array([0.0 if isinstance(each, NativeHistogram) else each for each in values])
    named = np.array([isinstance(each, NativeHistogram) for each in values], np.bool_)
    found[named] = make_handles(len(histograms))
    return Columns(
        np.zeros(count, np.intp),
        np.arange(count),
        found,
        np.zeros(count, np.intp),
        np.arange(count),
        meant=named if histograms else None,
        histograms=histograms,
        ignored=Counter({IgnoreReason.EXEMPLAR: 1}),
    )


def spelled(part: Columns) -> list[float | NativeHistogram]:
    """The values, histograms as such."""
    native = is_handle(part.values)
    numbers = numbers_of(part.values)
    return [
        part.histograms[numbers[at]] if native[at] else part.values.item(at)
        for at in range(len(part.values))
    ]


values = st.one_of(
    st.floats(-9, 9), st.integers(1, 9).map(lambda n: NativeHistogram(count=float(n)))
)


@given(st.lists(st.lists(values, max_size=5), min_size=1, max_size=4), st.data())
def test_cuts_and_joins_keep_histograms(
    parts: list[list[float | NativeHistogram]], data: st.DataObject
) -> None:
    """Every value of what is kept of every part, in order; what was ignored adds up."""
    masks = [data.draw(st.lists(st.booleans(), min_size=len(p), max_size=len(p))) for p in parts]
    joined = join(
        [
            columns(*part).keep(np.array(mask, np.bool_))
            for part, mask in zip(parts, masks, strict=True)
        ]
    )
    expected = [
        value
        for part, mask in zip(parts, masks, strict=True)
        for value, kept in zip(part, mask, strict=True)
        if kept
    ]

    assert expected == spelled(joined)
    native = [isinstance(each, NativeHistogram) for each in expected]
    assert native == (is_handle(joined.values) if joined.meant is None else joined.meant).tolist()
    assert {IgnoreReason.EXEMPLAR: len(parts)} == dict(joined.ignored)


@given(st.lists(RARE, max_size=9))
def test_what_is_settled_is_no_handle(found: list[float]) -> None:
    """Numbers, infinity and stale markers stay bit by bit, and every other NaN is the plain one."""
    given_ = np.array([*found, STALE])
    made, meant = settled(given_)
    stays = ~np.isnan(given_) | (given_.view(np.int64) == STALE_BITS)

    assert given_[stays].tobytes() == made[stays].tobytes()
    assert np.full(int((~stays).sum()), np.nan).tobytes() == made[~stays].tobytes()
    assert meant is not None
    assert (~np.isfinite(given_)).tolist() == meant.tolist()


def test_nothing_is_said_of_finite_values() -> None:
    """They are given back as they are."""
    given_ = np.array([1.0, -2.0])

    assert (given_, None) == settled(given_)
