"""The heap is trimmed when many series have gone, and at no other time."""

from streams.transport.heap import FREED_SERIES, Heap, trim_heap


def test_it_is_trimmed_once_for_each_time_that_many_series_have_gone() -> None:
    """Growth, and the coming and going of a few, are no reason; a fall in small steps is one."""
    seen: list[int] = []
    trims: list[int] = []
    heap = Heap(lambda: trims.append(seen[-1]))
    for count in (0, 50_000, 49_000, 55_000, 55_000 - FREED_SERIES, 41_000, 36_000, 34_000, 0):
        seen.append(count)
        heap.follow(count)

    assert [45_000, 34_000, 0] == trims


def test_trimming_is_always_possible() -> None:
    """Where the C library cannot, nothing happens; where it can, memory in use stays as it is."""
    kept = bytearray(b"x" * 1_000_000)
    trim_heap()

    assert bytearray(b"x" * 1_000_000) == kept
