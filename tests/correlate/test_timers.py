"""Timers: the earliest first, and the same one once."""

from streams.correlate.timers import Timers


def taken(timers: Timers) -> list[tuple[int, str]]:
    """All of them, one after the other."""
    return [timers.take() for _ in range(len(timers))]


def test_the_earliest_comes_first() -> None:
    """Whatever the order in which they were set; at the same time in order of name."""
    timers = Timers()
    for due, name in ((5, "b"), (3, "c"), (5, "a")):
        timers.set(due, name)

    assert 3 == timers.next_due
    assert [(3, "c"), (5, "a"), (5, "b")] == taken(timers)
    assert timers.next_due is None


def test_the_same_time_again_is_no_further_timer() -> None:
    """Until it was taken; with another one set in between, it is one more."""
    timers = Timers()
    timers.set(5, "a")
    timers.set(5, "a")

    assert [(5, "a")] == taken(timers)
    timers.set(5, "a")
    assert [(5, "a")] == taken(timers)
    for due in (5, 7, 5):
        timers.set(due, "a")
    assert {(5, "a"), (7, "a")} == set(taken(timers))


def test_set_anew_they_are_those_and_no_others() -> None:
    """What was set before is gone, and may be set again."""
    timers = Timers()
    timers.set(5, "a")
    timers.set_anew([(7, "b"), (None, "c")])
    timers.set(7, "b")
    timers.set(5, "a")

    assert [(5, "a"), (7, "b")] == taken(timers)
