"""Texts without an object each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.texts import LabelTexts, TextArena

TEXTS = st.lists(st.binary(min_size=1, max_size=40), max_size=30)


def filled(texts: list[bytes], order: list[int]) -> TextArena:
    """An arena with these texts, written in this order."""
    arena = TextArena()
    for _ in texts:
        arena.add()
    for number in order:
        arena.write(number, texts[number])
    return arena


@given(TEXTS.flatmap(lambda texts: st.tuples(st.just(texts), st.permutations(range(len(texts))))))
def test_what_was_written_is_read_whatever_the_order(
    given_: tuple[list[bytes], list[int]],
) -> None:
    """Each number gives its own text, one by one, gathered, and in an arena of some of them."""
    texts, order = given_
    arena = filled(texts, order)
    some = np.array(order[: len(order) // 2], np.intp)

    assert texts == list(arena)
    assert [texts[n] for n in some] == list(arena.gather(some)) == list(arena.take(some))
    assert b"".join(texts) == arena.gather(np.arange(len(texts))).whole


def test_a_text_that_was_not_written_is_empty_and_can_be_written_later() -> None:
    """As of a series that was restored and has not been heard."""
    arena = TextArena(3)
    arena.write(2, b"c")
    assert [False, False, True] == [arena.has(n) for n in range(3)]
    assert [b"c", b"", b"c"] == list(arena.gather(np.array([2, 0, 2])))
    assert arena.add() == 3
    arena.write(3, b"d")
    assert [b"", b"", b"c", b"d"] == list(arena)


def test_it_grows_beyond_its_first_places() -> None:
    """Thousands of texts, some gathered while it grows."""
    arena = TextArena()
    for number in range(5_000):
        arena.add()
        arena.write(number, b"%d" % number)
        if number % 1_000 == 0:
            assert b"%d" % number == arena.gather(np.array([number])).whole
    assert b"4999" == arena[4_999]
    with pytest.raises(IndexError):
        arena[5_000]


def test_a_place_takes_twelve_bytes() -> None:
    """Beside the text itself."""
    arena = TextArena(100_000)
    for number in range(100_000):
        arena.write(number, b"x" * 89)
    assert 100_000 * (89 + 12) == arena.size_bytes


def test_label_texts_of_a_list_and_of_themselves() -> None:
    """A list is joined, what is joined already stays as it is."""
    texts = LabelTexts.of([b"ab", b"", b"c"])
    assert b"abc" == texts.whole
    assert [b"ab", b"", b"c"] == list(texts)
    assert texts is LabelTexts.of(texts)
    assert b"bc" == LabelTexts(b"abcd", 1, np.array([0, 1, 2], np.uint32)).whole
