"""Handles: values that name histograms, and the bag that knows which."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.handles import is_handle, make_handles, numbers_of, without_handles
from schemas.histograms import NativeHistogram
from schemas.samples import STALE_BITS
from streams.windows.histograms import PASSING, Bag

ONE, OTHER = NativeHistogram(count=1.0), NativeHistogram(count=2.0)


@given(st.lists(st.floats(allow_nan=True), min_size=2, max_size=8))
def test_no_computation_makes_a_handle(values: list[float]) -> None:
    """Neither numbers nor NaN nor infinity, nor what comes of them; nor is a stale marker one."""
    # among all bit patterns of NaN there are handles too
    found = without_handles(np.array(values))
    with np.errstate(all="ignore"):
        made = np.concatenate((found, -found, found / found, found - found[::-1], np.sqrt(found)))

    assert not is_handle(made).any()
    assert not is_handle(np.array([STALE_BITS]).view(np.float64)).any()


def test_a_value_names_its_histogram() -> None:
    """Whatever way the column goes."""
    bag = Bag()
    column = np.concatenate(([1.5], bag.hold([ONE, OTHER])))

    moved = np.where(np.array([True, True, True]), column[::-1], 0.0)

    assert [OTHER, ONE] == bag.get(moved[:2])
    assert [True, True, False] == list(is_handle(moved))
    assert [OTHER, ONE, 1.5] == [bag.value(moved, at) for at in range(3)]


def test_an_evaluation_knows_its_own_and_those_of_the_store() -> None:
    """Its numbers are others, so nothing of it is taken for the store's."""
    store = Bag()
    kept = store.hold([ONE])
    bag = Bag(store)
    passing = bag.hold([OTHER])

    assert [ONE, OTHER] == bag.get(np.concatenate((kept, passing)))
    assert 0 == numbers_of(kept)[0]
    assert PASSING == numbers_of(passing)[0]
    assert (2, 1) == (len(bag), len(store))


def test_an_empty_bag_need_not_look() -> None:
    """No mask, even where a value looks like a handle."""
    stranger = Bag().hold([ONE])

    assert Bag().mask(stranger) is None
    assert Bag(Bag()).mask(np.array([1.0])) is None


def test_a_stranger_is_nothing_but_nan() -> None:
    """Other values stay as they are, stale markers among them."""
    stale = np.array([STALE_BITS]).view(np.float64)
    found = without_handles(np.concatenate(([1.0], Bag().hold([ONE]), stale)))

    assert [False] * 3 == list(is_handle(found))
    assert np.isnan(found[1])
    assert STALE_BITS == found.view(np.int64)[2]


def test_what_no_value_names_is_forgotten() -> None:
    """The others keep their numbers."""
    bag = Bag()
    handles = bag.hold([ONE, OTHER])

    bag.keep(np.array([7.0, handles[1]]))

    assert 1 == len(bag)
    assert [OTHER] == bag.get(handles[1:])


def test_a_bag_comes_back_from_its_snapshot() -> None:
    """And goes on numbering where it was; an older checkpoint has none."""
    bag, other = Bag(), Bag()
    handles = bag.hold([ONE, OTHER])

    other.restore({"histograms": bag.snapshot(handles)})
    more = other.hold([ONE])

    assert [ONE, OTHER, ONE] == other.get(np.concatenate((handles, more)))
    other.restore({})
    assert 0 == len(other)


def test_a_broken_snapshot_is_refused() -> None:
    """It says whose it is."""
    with pytest.raises(CheckpointError, match="histograms of a checkpoint"):
        Bag().restore({"histograms": np.frombuffer(b"\xc1", np.uint8)})


def test_what_is_adopted_has_numbers_of_this_bag() -> None:
    """A list that goes along with values, of which they name some, in any order."""
    bag = Bag()
    before = bag.hold([ONE])
    values = np.concatenate((make_handles(1, 2), [1.5], make_handles(1, 0)))

    adopted = bag.adopt(values, [OTHER, ONE, ONE])

    assert [ONE, 1.5, OTHER] == [bag.value(adopted, at) for at in range(3)]
    assert [ONE] == bag.get(before)
    assert 3 == len(bag)


def test_a_handle_that_is_not_known_is_nan() -> None:
    """What is known stays, and no other value changes."""
    bag = Bag()
    mine = bag.hold([ONE])
    stale = np.array([STALE_BITS], np.int64).view(np.float64)

    found = bag.known(np.concatenate((mine, make_handles(1, 7), [1.5], stale)))

    assert [True, False, False, False] == is_handle(found).tolist()
    assert np.array([np.nan, 1.5]).tobytes() == found[1:3].tobytes()
    assert stale.tobytes() == found[3:].tobytes()
