"""The verdict that a partition has nothing to read."""

from streams.time.idle import IdleWatch


def test_partition_that_stands_at_its_end_is_idle_after_a_while() -> None:
    """The verdict comes once `idle_after` has passed at the same position, and again after each further one."""
    watch: IdleWatch[int] = IdleWatch(100, 50)
    looks = [(t, watch.look(0, 7, t, at_end=True)) for t in range(0, 301, 50)]

    assert [100, 200, 300] == [t for t, idle in looks if idle]


def test_partition_with_something_to_read_is_not_idle() -> None:
    """Standing still before the end is slowness, not silence."""
    watch: IdleWatch[int] = IdleWatch(100, 100)

    assert [False, False, False] == [watch.look(0, 7, t, at_end=False) for t in (0, 100, 200)]


def test_progress_starts_the_wait_anew() -> None:
    """Each record read is a sign of life."""
    watch: IdleWatch[int] = IdleWatch(100, 100)
    watch.look(0, 7, 0, at_end=True)
    watch.look(0, 8, 90, at_end=True)

    assert not watch.look(0, 8, 110, at_end=True)
    assert watch.look(0, 8, 190, at_end=True)


def test_time_in_which_nobody_could_listen_is_no_silence() -> None:
    """Of an hour without an answer, of a broker or a worker that stood still, only the longest usual gap counts."""
    watch: IdleWatch[int] = IdleWatch(100, 20)
    watch.look(0, 7, 0, at_end=True)
    hour_ms = 3_600_000

    assert not watch.look(0, 7, hour_ms, at_end=True)
    later = [(t, watch.look(0, 7, hour_ms + t, at_end=True)) for t in range(20, 101, 20)]
    assert [80] == [t for t, idle in later if idle]


def test_forgotten_partition_is_new_when_it_comes_back() -> None:
    """What was seen before a rebalance says nothing about the time after it."""
    watch: IdleWatch[int] = IdleWatch(100, 500)
    watch.look(0, 7, 0, at_end=True)
    watch.forget({1})

    assert not watch.look(0, 7, 500, at_end=True)
