"""What the log of samples says of silence."""

from collections.abc import Iterable

from schemas import topics
from schemas.samples import encode_batch, make_batch
from streams.replay.pipeline import Recorded
from tests.chaos.silence import Heard, all_awake, ends, heard, silences

HERE = (0, 2)
"""Source partition 2, as detect partition 0 hears of it."""


def log(told: Iterable[tuple[int, bool]], source: int = 2) -> list[Heard]:
    """Batches of one source on detect partition 0: how far it has come, s, and whether it is idle."""
    return heard(
        Recorded(
            topics.SAMPLES,
            0,
            offset,
            0,
            encode_batch(
                make_batch("telemetry", source, watermark=at, record_time=100 + offset, idle=idle)
            ),
        )
        for offset, (at, idle) in enumerate(told)
    )


def test_who_was_told_idle_and_brought_something_later_was_silent() -> None:
    """Each time counts once."""
    batches = log([(1, False), (1, True), (2, False), (2, True), (2, True), (3, False)])
    assert 3 == silences(batches, {HERE}, {})


def test_the_end_of_all_telemetry_is_no_silence() -> None:
    """Neither is what a worker that was killed sends again after it: it is no further than before."""
    assert 0 == silences(log([(1, False), (2, False), (2, True)]), {HERE}, {})
    assert 0 == silences(log([(2, False), (2, True), (1, False), (2, False)]), {HERE}, {})


def test_only_what_is_asked_for_counts() -> None:
    """Not what stands at or before the offset from which on it is asked, nor the partition that nobody writes to."""
    batches = log([(1, True), (2, False)])
    assert 1 == silences(batches, {HERE}, {0: -1})
    assert 0 == silences(batches, {HERE}, {0: 0})
    assert 0 == silences(batches, {(0, 1)}, {})


def test_all_are_awake_when_the_last_of_each_is_no_silence() -> None:
    """One of which nothing was said is not awake."""
    assert all_awake(log([(1, True), (2, False)]), {HERE})
    assert not all_awake(log([(1, False), (1, True)]), {HERE})
    assert not all_awake(log([(1, False)]), {HERE, (0, 1)})
    assert {0: 1} == ends(log([(1, False), (1, True)]))
