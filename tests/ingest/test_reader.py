"""The reader: refusals by value and time, lateness by the partition's own watermark."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Config
from schemas.reasons import DeadLetterReason as Why
from schemas.reasons import IgnoreReason
from streams.ingest.reader import Reader
from streams.ingest.stage import IngestStage, make_reader
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk

NOW = 1_700_000_000_000


def make(**time: int) -> Reader:
    """A reader with these time limits."""
    limits = {"allowed_lateness": 5_000, "amend_within": 0, **time}
    config = Config.model_validate({"time": limits})
    return make_reader(config, config.sources[0], partitions=4)


def chunk(*times: int, start: int = 0, stamp: int = NOW) -> Chunk:
    """A chunk with one sample a record at these event times."""
    values = [
        json.dumps({"ts": t, "metric": "m", "value": i, "labels": {"n": str(i % 3)}}).encode()
        for i, t in enumerate(times)
    ]
    return Chunk(
        "telemetry",
        2,
        fetch_offset=start,
        next_offset=start + len(values),
        values=list(values),
        timestamps=[stamp] * len(values),
    )


def test_sample_too_far_ahead_or_too_old_is_refused() -> None:
    """Times are judged against the record time, and a skewed one does not move the watermark."""
    reader = make(max_ahead=1_000, max_age=60_000)
    samples, letters = reader.read(chunk(NOW, NOW + 1_001, NOW - 60_001, NOW - 1))

    assert samples.times.tolist() == [NOW, NOW - 1]
    assert [(x.offset, x.reason) for x in letters] == [(1, Why.TOO_FAR_AHEAD), (2, Why.TOO_OLD)]
    assert reader.watermark == NOW - 5_000


def test_a_clock_that_is_ahead_makes_nobody_late() -> None:
    """A sample of the future is kept, or refused, and the watermark goes no further than the log's own time."""
    reader = make(max_ahead=300_000)
    ahead = [NOW + 299_000, NOW + 300_001]
    samples, letters = reader.read(chunk(NOW - 1_000, *ahead, NOW - 4_000))

    assert [NOW - 1_000, NOW + 299_000, NOW - 4_000] == samples.times.tolist()
    assert [Why.TOO_FAR_AHEAD] == [x.reason for x in letters]
    assert (NOW - 5_000, None) == (reader.watermark, samples.late_at)


def test_a_clock_that_is_behind_holds_nobody_back() -> None:
    """Its samples are late, or too old, one by one; the watermark is that of the others."""
    reader = make(max_age=3_600_000)
    samples, letters = reader.read(chunk(NOW, NOW - 60_000, NOW - 7_200_000, NOW))

    assert [NOW, NOW] == samples.times.tolist()
    assert [Why.LATE, Why.TOO_OLD] == [x.reason for x in letters]
    assert NOW - 5_000 == reader.watermark


def dated(*stamps: int, read_at: int | None = NOW, start: int = 0) -> Chunk:
    """A chunk of records of which each is dated like its sample, read at a time."""
    found = chunk(*stamps, start=start)
    found.timestamps, found.read_at_ms = list(stamps), read_at
    return found


def test_a_producer_whose_clock_is_ahead_drags_no_watermark() -> None:
    """What is far ahead is refused, what is less so is kept; either way what others send next is in time."""
    reader = make(max_ahead=300_000)
    far, near = NOW + 1_800_000, NOW + 240_000
    samples, letters = reader.read(dated(NOW - 2_000, far, near, NOW - 1_000, NOW))

    assert [NOW - 2_000, near, NOW - 1_000, NOW] == samples.times.tolist()
    assert [(1, Why.TOO_FAR_AHEAD)] == [(x.offset, x.reason) for x in letters]
    assert (NOW - 5_000, NOW) == (reader.watermark, reader.record_time)
    assert 2 == reader.limits.ignored[IgnoreReason.RECORD_TIME_AHEAD]


def test_a_log_that_is_ahead_of_the_reader_is_believed() -> None:
    """Where the clock of a worker is hours behind, records go on to count: no one leaps ahead of the one before it."""
    stamps = [NOW + second * 1_000 for second in range(0, 600, 50)]
    behind, replayed = make(), make()
    behind.read(dated(NOW))
    samples, letters = behind.read(dated(*stamps, read_at=NOW - 7_200_000, start=1))
    expected, _ = replayed.read(dated(*stamps, read_at=None))

    assert expected.times.tolist() == samples.times.tolist() == stamps
    assert [] == letters
    assert replayed.watermark == behind.watermark == stamps[-1] - 5_000


def test_a_log_that_was_silent_for_long_is_believed() -> None:
    """However far its next record is ahead of the one before, by the reader's clock it is not."""
    reader = make()
    reader.read(dated(NOW - 80_000_000))
    samples, _ = reader.read(dated(NOW - 500, start=1))

    assert ([NOW - 500], NOW - 5_500) == (samples.times.tolist(), reader.watermark)


@given(st.lists(st.integers(-200_000, 400_000), min_size=1, max_size=30), st.data())
def test_cuts_change_nothing_of_what_is_believed(ahead: list[int], data: st.DataObject) -> None:
    """However records that leap ahead are shared out over chunks, the same ones count as of the same times."""
    stamps = [NOW + each for each in ahead]
    at = data.draw(st.integers(0, len(stamps)))
    whole, cut = make(), make()
    expected, _ = whole.read(dated(*stamps))
    times = [
        t
        for part, start in ((stamps[:at], 0), (stamps[at:], at))
        for t in cut.read(dated(*part, start=start))[0].times.tolist()
    ]

    assert expected.times.tolist() == times
    assert (whole.watermark, whole.record_time) == (cut.watermark, cut.record_time)


def test_late_is_what_stands_behind_the_watermark() -> None:
    """A sample exactly `allowed_lateness` behind is in time; one millisecond more is late."""
    samples, letters = make().read(chunk(NOW, NOW - 5_000, NOW - 5_001))

    assert samples.times.tolist() == [NOW, NOW - 5_000]
    assert [(x.offset, x.reason) for x in letters] == [(2, Why.LATE)]


def test_late_sample_within_reach_is_accepted_and_marked() -> None:
    """So far behind that nothing can be amended it is refused; nearer, it carries the watermark that it came behind."""
    reader = make(amend_within=10_000)
    samples, letters = reader.read(chunk(NOW, NOW - 5_000, NOW - 5_001, NOW - 15_000, NOW - 15_001))

    assert samples.times.tolist() == [NOW, NOW - 5_000, NOW - 5_001, NOW - 15_000]
    assert samples.late_at is not None
    assert samples.late_at.tolist() == [BEFORE_ALL, BEFORE_ALL, NOW - 5_000, NOW - 5_000]
    assert [(x.offset, x.reason) for x in letters] == [(4, Why.LATE)]
    assert reader.watermark == NOW - 5_000


def test_samples_of_one_record_are_not_late_for_each_other() -> None:
    """All of a record came when it did: the first of its samples does not make the next one late."""
    values = [
        json.dumps(
            [
                {"ts": t, "metric": "m", "value": 1, "labels": {"n": str(t)}}
                for t in (NOW, NOW - 9_000)
            ]
        ).encode()
    ]
    one = Chunk("telemetry", 2, fetch_offset=0, next_offset=1, values=values, timestamps=[NOW])
    samples, letters = make().read(one)

    assert ([NOW, NOW - 9_000], None, []) == (samples.times.tolist(), samples.late_at, letters)


def test_dead_letter_tells_origin_and_first_bytes() -> None:
    """A dead letter has reason, topic, partition, offset and the first 256 bytes."""
    garbage = b"x" * 1_000
    _, (letter,) = make().read(
        Chunk("telemetry", 2, fetch_offset=7, next_offset=8, values=[garbage], timestamps=[NOW])
    )

    assert (letter.topic, letter.partition, letter.offset) == ("telemetry", 2, 7)
    assert (letter.reason, letter.head, letter.size_bytes) == (Why.NOT_JSON, garbage[:256], 1_000)


@given(st.lists(st.integers(-12_000, 12_000), min_size=1, max_size=40), st.data())
def test_cutting_chunks_changes_nothing(offsets: list[int], data: st.DataObject) -> None:
    """The same records in chunks of any size give the same samples, letters and watermark."""
    times = [NOW + o for o in offsets]
    whole = make()
    expected, letters = whole.read(chunk(*times))
    cut = make()
    got: list[int] = []
    got_letters = []
    at = 0
    while at < len(times):
        size = data.draw(st.integers(1, len(times)))
        samples, more = cut.read(chunk(*times[at : at + size], start=at))
        got += samples.offsets.tolist()
        got_letters += more
        at += size

    assert got == expected.offsets.tolist()
    assert [x.id for x in got_letters] == [x.id for x in letters]
    assert cut.watermark == whole.watermark


def test_all_samples_of_a_record_share_its_offset() -> None:
    """An array's samples carry the offset of their record, so a reader can skip by offset alone."""
    items = [{"ts": NOW, "metric": "m", "value": i} for i in range(3)]
    samples, _ = make().read(
        Chunk(
            "t",
            0,
            fetch_offset=4,
            next_offset=5,
            values=[json.dumps(items).encode()],
            timestamps=[NOW],
        )
    )

    assert samples.offsets.tolist() == [4, 4, 4]
    assert np.array_equal(samples.values, [0.0, 1.0, 2.0])


def test_restored_stage_goes_on_with_its_watermark() -> None:
    """After a restart, what was late before is late again."""
    config = Config()
    first = IngestStage(config, config.sources[0], "telemetry", 2)
    first.apply(chunk(NOW))
    second = IngestStage(config, config.sources[0], "telemetry", 2)
    second.restore(first.snapshot())
    late = chunk(NOW - 60_000, start=1)

    def refused(stage: IngestStage) -> list[bytes | None]:
        return [o.value for o in stage.apply(late) if o.topic == "tocsin.dead-letters"]

    assert refused(second) == refused(first) != []
    assert any(o.topic == "tocsin.dead-letters" for o in second.apply(chunk(NOW - 60_000, start=2)))
