"""Watermarks of many sources."""

from streams.time.watermark import BEFORE_ALL, Watermarks


def test_the_slowest_live_source_decides() -> None:
    """The watermark of the whole is the least of all sources."""
    marks = Watermarks(["a", "b"])
    marks.advance("a", 10)
    marks.advance("b", 7)

    assert marks.current() == 7


def test_expected_source_is_waited_for_until_it_speaks() -> None:
    """A source never heard of holds all back, however far the others have come."""
    marks = Watermarks(["a", "b"])
    marks.advance("a", 1_000_000)
    assert marks.current() == BEFORE_ALL

    marks.advance("b", 5)
    assert marks.current() == 5


def test_idle_source_holds_nobody_back_until_it_speaks_again() -> None:
    """Idle is a state, not a sentence."""
    marks = Watermarks(["a", "b"])
    marks.advance("a", 90)
    marks.advance("b", 5, idle=True)
    assert marks.current() == 90

    marks.advance("b", 80)
    assert marks.current() == 80


def test_where_all_are_idle_time_goes_on_with_the_furthest() -> None:
    """Silence everywhere must not stop the clock of rules about absence."""
    marks = Watermarks(["a", "b"])
    marks.advance("a", 10, idle=True)
    marks.advance("b", 20, idle=True)

    assert marks.current() == 20


def test_a_source_never_goes_back() -> None:
    """A repeated or older message does not lower a watermark."""
    marks = Watermarks(["a"])
    marks.advance("a", 10)
    marks.advance("a", 3)

    assert marks.current() == 10


def test_restored_watermarks_go_on() -> None:
    """A snapshot holds all that the verdicts hang on."""
    marks = Watermarks(["a", "b"])
    marks.advance("a", 10, idle=True)
    copy = Watermarks(["a", "b"])
    copy.restore(marks.snapshot())
    for both in (marks, copy):
        both.advance("b", 60)

    assert copy.current() == marks.current() == 60
