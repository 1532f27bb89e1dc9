"""The verdict that a partition has nothing to read."""

from streams.time.idle import Idle, IdleWatch


def test_partition_that_stands_at_its_end_is_idle_after_a_while() -> None:
    """The verdict comes once `idle_after` has passed at the same position, and again after each further one."""
    watch: IdleWatch[int] = IdleWatch(100)
    looks = [(t, watch.look(0, 7, t, at_end=True)) for t in range(0, 301, 50)]

    assert [t for t, verdict in looks if verdict == Idle(t)] == [100, 200, 300]


def test_partition_with_something_to_read_is_not_idle() -> None:
    """Standing still before the end is slowness, not silence."""
    watch: IdleWatch[int] = IdleWatch(100)

    assert [watch.look(0, 7, t, at_end=False) for t in (0, 100, 200)] == [None, None, None]


def test_progress_starts_the_wait_anew() -> None:
    """Each record read is a sign of life."""
    watch: IdleWatch[int] = IdleWatch(100)
    watch.look(0, 7, 0, at_end=True)
    watch.look(0, 8, 90, at_end=True)

    assert watch.look(0, 8, 110, at_end=True) is None
    assert watch.look(0, 8, 190, at_end=True) == Idle(190)


def test_forgotten_partition_is_new_when_it_comes_back() -> None:
    """What was seen before a rebalance says nothing about the time after it."""
    watch: IdleWatch[int] = IdleWatch(100)
    watch.look(0, 7, 0, at_end=True)
    watch.forget({1})

    assert watch.look(0, 7, 500, at_end=True) is None
