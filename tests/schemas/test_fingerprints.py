"""The fingerprint index against a dict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.compiled import WORTH_CALLING
from schemas.fingerprints import SEARCH, FingerprintIndex

# few low bits, so that many want the same place, also the last one of the table
PRINTS = st.one_of(
    st.integers(0, 20).map(lambda n: n << 40 | 1023), st.integers(0, 2**64 - 1), st.just(0)
)


def column(prints: list[int]) -> np.ndarray:
    """As a column."""
    return np.array(prints, np.uint64)


@given(
    st.lists(st.tuples(st.lists(PRINTS, max_size=30), st.lists(PRINTS, max_size=9)), max_size=8),
    st.lists(PRINTS, max_size=30),
)
def test_finds_what_a_dict_finds(
    parts: list[tuple[list[int], list[int]]], asked: list[int]
) -> None:
    """What was added and not removed, in any parts, is found under its number, and nothing else is."""
    index, known, given = FingerprintIndex(), dict[int, int](), 0
    for added, removed in parts:
        new = [p for p in dict.fromkeys(added) if p not in known]
        numbers = list(range(given, given + len(new)))
        given += len(new)
        known |= dict(zip(new, numbers, strict=True))
        if len(new) == 1:
            index.add_one(new[0], numbers[0])
        else:
            index.add(column(new), np.array(numbers, np.int64))
        gone = [p for p in dict.fromkeys(removed) if p in known]
        index.remove(column(gone))
        for each in gone:
            del known[each]

    everything = [*asked, *known, *(p for part in parts for p in part[1])]
    assert [known.get(p, -1) for p in everything] == index.find(column(everything)).tolist()
    assert [known.get(p, -1) for p in everything] == [index.get(p) for p in everything]
    # so many are searched for by compiled code
    SEARCH.load()
    many = everything * WORTH_CALLING
    assert [known.get(p, -1) for p in many] == index.find(column(many)).tolist()
    assert len(known) == len(index)


def test_coming_and_going_takes_no_more_room() -> None:
    """Ten times as many fingerprints as there is room for come and go, a hundred at a time, in one small table."""
    prints = np.random.default_rng(2).integers(0, 2**64, 10_000, np.uint64)
    index = FingerprintIndex()
    for part in np.split(np.arange(10_000), 100):
        index.add(prints[part], part)
        index.remove(prints[part[:-1]])

    assert 100 == len(index)
    assert 100 == np.count_nonzero(index.find(prints) >= 0)


def test_grows_with_a_hundred_thousand_and_shrinks_again() -> None:
    """A hundred thousand fingerprints are found; after `replace` only the new ones are."""
    prints = np.random.default_rng(1).integers(0, 2**64, 100_000, np.uint64)
    index = FingerprintIndex()
    for part in np.split(np.arange(100_000), 100):
        index.add(prints[part], part)
    everyone = index.find(prints)

    index.replace(prints[:10], np.arange(90, 100))

    assert np.array_equal(everyone, np.arange(100_000))
    assert [*range(90, 100), -1] == index.find(prints[:11]).tolist()
    assert 10 == len(index)
