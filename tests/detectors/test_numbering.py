"""Numbering: groups get small numbers, and give them back."""

import numpy as np

from detectors.numbering import NOWHERE, Numbering


def test_a_group_keeps_its_number() -> None:
    """Equal groups have equal numbers, others have others, and -1 stays -1."""
    numbering = Numbering()
    numbers = numbering.numbers(np.array([77, 5, 77, -1]))
    assert numbers[0] == numbers[2] != numbers[1]
    assert numbers[3] == NOWHERE
    assert numbering.numbers(np.array([5])).tolist() == [numbers[1]]
    assert len(numbering) == 2
    assert numbering.known([5, 6]).tolist() == [numbers[1]]


def test_a_number_is_given_back_when_nobody_holds_it() -> None:
    """What is released goes to the next group, so numbers are bounded by the groups that live at once."""
    numbering = Numbering()
    for group in range(100):
        numbers = numbering.numbers(np.array([group]))
        assert numbering.release(numbers).size == (1 if group else 0)
        assert numbering.capacity == 16
    assert len(numbering) == 1


def test_it_goes_on_from_its_keys() -> None:
    """Restored from its keys it has the same numbers."""
    first, second = Numbering(), Numbering()
    numbers = first.numbers(np.array([9, 4, 7]))
    first.release(numbers[1:])
    second.restore(first.keys)
    assert (
        second.numbers(np.array([4, 7, 11])).tolist()
        == first.numbers(np.array([4, 7, 11])).tolist()
    )
