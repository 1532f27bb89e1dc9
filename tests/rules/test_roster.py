"""The roster: label sets and their numbers, released and numbered anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import Labels, make_labels
from streams.rules.roster import Roster
from streams.windows.label_sets import LabelSets


def labels(number: int) -> Labels:
    """One of many label sets."""
    return make_labels({"i": str(number)})


def test_several_at_once_get_the_numbers_that_one_by_one_would() -> None:
    """New ones are told from known ones, and where the roster is full the last ones get none."""
    sets, roster, other = LabelSets(), Roster(100), Roster(100)
    for rows in (np.arange(0, 70), np.arange(40, 120)):
        before = len(roster)
        every = [sets.number(labels(row)) for row in rows.tolist()]
        numbers, fresh = roster.numbers_of(sets, np.array(every))
        assert [other.number(labels(row)) for row in rows.tolist()] == numbers.tolist()
        assert numbers[numbers >= before].tolist() == fresh.tolist()
        assert [labels(row) for row in every[:30]] == [roster.labels(n) for n in numbers[:30]]
    assert 100 == len(roster)


def test_a_roster_that_is_nearly_empty_shrinks() -> None:
    """Of a thousand label sets the three that stay are numbered from 0 in their order, with little room beside them."""
    roster = Roster(10_000)
    numbers = [roster.number(labels(n)) for n in range(1_000)]
    kept = [numbers[at] for at in (10, 500, 990)]
    roster.release(set(numbers) - set(kept))

    old = roster.shrink()

    assert old is not None
    assert sorted(kept) == old.tolist()
    assert 64 == roster.capacity
    assert [0, 1, 2] == [roster.number(labels(numbers.index(at))) for at in old.tolist()]
    assert 3 == roster.number(labels(5_000))


def test_a_roster_that_is_half_full_stays_as_it_is() -> None:
    """Numbers change only where most of them are free."""
    roster = Roster(10_000)
    numbers = [roster.number(labels(n)) for n in range(1_000)]
    roster.release(numbers[:400])

    assert roster.shrink() is None
    assert numbers[400:] == [roster.number(labels(n)) for n in range(400, 1_000)]


@given(
    cap=st.integers(1, 300),
    steps=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60),
)
def test_numbers_stay_with_their_label_sets(cap: int, steps: list[tuple[int, bool]]) -> None:
    """Whatever comes, goes and shrinks, each label set has one number below the capacity, and no two the same."""
    roster = Roster(cap)
    here: dict[int, int] = {}
    for count, shrinks in steps:
        if shrinks:
            roster.release(number for label, number in here.items() if label % 7)
            here = {label: number for label, number in here.items() if not label % 7}
            old = roster.shrink()
            if old is not None:
                new = {before: at for at, before in enumerate(old.tolist())}
                here = {label: new[number] for label, number in here.items()}
        else:
            numbers = [(label, roster.number(labels(label))) for label in range(count)]
            here |= {label: number for label, number in numbers if number >= 0}

    assert sorted(here.values()) == roster.numbers.tolist()
    assert len(here) == len(roster) <= roster.capacity <= cap
    assert here == {label: roster.number(labels(label)) for label in here}
    assert [labels(label) for label in here] == [roster.labels(n) for n in here.values()]


def test_a_restored_roster_goes_on_with_the_same_numbers() -> None:
    """After a shrink too, a snapshot gives the numbers that the first one would have given."""
    first, second = Roster(1_000), Roster(1_000)
    numbers = [first.number(labels(n)) for n in range(500)]
    first.release(numbers[3:])
    first.shrink()
    second.restore(first.snapshot())

    found = [roster.number(labels(n)) for n in range(600, 700) for roster in (first, second)]

    assert found[::2] == found[1::2]
    assert np.array_equal(first.numbers, second.numbers)
