"""Watermarks of many sources."""

from streams.time.watermark import BEFORE_ALL, Watermarks


def test_the_slowest_live_source_decides() -> None:
    """The watermark of the whole is the least of all sources."""
    marks = Watermarks(["a", "b"], idle_after_ms=100)
    marks.advance("a", 10, 0)
    marks.advance("b", 7, 0)

    assert marks.current() == 7


def test_expected_source_is_waited_for_until_record_times_say_it_is_idle() -> None:
    """A source never heard of holds all back for `idle_after` of the others' record time."""
    marks = Watermarks(["a", "b"], idle_after_ms=100)
    marks.advance("a", 10, 1_000)
    assert marks.current() == BEFORE_ALL

    marks.advance("a", 50, 1_100)
    assert marks.current() == BEFORE_ALL

    marks.advance("a", 60, 1_101)
    assert (marks.current(), marks.idle()) == (60, ["b"])


def test_silent_source_stops_holding_back_and_holds_again_when_it_speaks() -> None:
    """Idle is a state, not a sentence."""
    marks = Watermarks(["a", "b"], idle_after_ms=100)
    marks.advance("a", 10, 1_000)
    marks.advance("b", 5, 1_000)
    marks.advance("a", 90, 1_200)
    assert (marks.current(), marks.idle()) == (90, ["b"])

    marks.advance("b", 80, 1_210)
    assert (marks.current(), marks.idle()) == (80, [])


def test_a_source_never_goes_back() -> None:
    """A repeated or older message does not lower a watermark."""
    marks = Watermarks(["a"], idle_after_ms=100)
    marks.advance("a", 10, 5)
    marks.advance("a", 3, 2)

    assert marks.current() == 10


def test_restored_watermarks_go_on() -> None:
    """A snapshot holds all that the verdicts hang on."""
    marks = Watermarks(["a", "b"], idle_after_ms=100)
    marks.advance("a", 10, 1_000)
    copy = Watermarks(["a", "b"], idle_after_ms=100)
    copy.restore(*marks.snapshot())
    for both in (marks, copy):
        both.advance("a", 60, 1_101)

    assert copy.current() == marks.current() == 60
