"""The heap is trimmed when many series have come or gone, and at no other time."""

from streams.transport.heap import MOVED_SERIES, Heap, trim_heap


def test_it_is_trimmed_once_for_each_time_that_many_series_have_moved() -> None:
    """The coming and going of a few is no reason; a rise or a fall is one, in small steps too."""
    seen: list[int] = []
    trims: list[int] = []
    heap = Heap(lambda: trims.append(seen[-1]))
    counts = (0, 50_000, 49_000, 55_000, 55_000 - MOVED_SERIES, 41_000, 36_000, 34_000, 0)
    for count in (*counts, 5_000, 9_000, 12_000, 11_000):
        seen.append(count)
        heap.follow(count)

    assert [50_000, 45_000, 34_000, 0, 12_000] == trims


def test_trimming_is_always_possible() -> None:
    """Where the C library cannot, nothing happens; where it can, memory in use stays as it is."""
    kept = bytearray(b"x" * 1_000_000)
    trim_heap()

    assert bytearray(b"x" * 1_000_000) == kept
