import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.produce.replay import Pace, begin_ms, paced, read, shift_to, span_of
from streams.produce.telemetry import Record


def table(path: Path, seconds: Sequence[int]) -> Path:
    path.write_text("ts,value\n" + "".join(f"{second},1\n" for second in seconds))
    return path


def test_files_are_merged_by_time(tmp_path: Path) -> None:
    """Records of several files come in order of time, the first named first at the same time."""
    first = table(tmp_path / "a.csv", [1, 3, 5])
    second = table(tmp_path / "b.csv", [2, 3, 9])

    found = [json.loads(record.value) for record in read([first, second])]

    assert [(1, "a"), (2, "b"), (3, "a"), (3, "b"), (5, "a"), (9, "b")] == [
        (part["ts"] // 1000, part["metric"]) for part in found
    ]


def test_a_late_record_stays_late(tmp_path: Path) -> None:
    """A file keeps its own order, and its late record holds nothing up in the others."""
    first = table(tmp_path / "a.csv", [5, 1, 6])
    second = table(tmp_path / "b.csv", [2, 7])

    assert [2, 5, 1, 6, 7] == [record.timestamp_ms // 1000 for record in read([first, second])]


@given(st.lists(st.lists(st.integers(0, 10**9)), max_size=4))
def test_sorted_files_give_a_sorted_whole(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]]
) -> None:
    """Merging loses nothing, doubles nothing, and sorts what was sorted."""
    folder = tmp_path_factory.mktemp("files")
    paths = [table(folder / f"{n}.csv", sorted(times)) for n, times in enumerate(files)]

    actual = [record.timestamp_ms for record in read(paths)]

    assert sorted(1000 * time for times in files for time in times) == actual


@given(st.integers(0, 10**12), st.floats(1e-3, 1e6) | st.just(float("inf")))
def test_no_sample_lies_in_the_future(span_ms: int, speed: float) -> None:
    """Begun there and sent at this speed, the latest sample is not ahead of the clock, nor later than it must be."""
    now_ms = 1_700_000_000_000
    begin = begin_ms(now_ms, span_ms, speed)

    assert begin <= now_ms
    if speed <= 1:
        assert now_ms == begin
    else:
        assert begin + span_ms == pytest.approx(now_ms + span_ms / speed, abs=1)


def test_a_span_reaches_from_the_first_to_the_latest(tmp_path: Path) -> None:
    """What came late does not make it longer; nothing has no span."""
    assert 3_000 == span_of(read([table(tmp_path / "a.csv", [2, 1, 5, 4])]))
    assert 0 == span_of([])


def test_a_shift_moves_messages_and_records_alike() -> None:
    """All times move by the same, in each unit, inside messages and in their records."""
    given_records = [
        Record(None, b'{"ts":1400000000,"metric":"a","value":1}', 1_400_000_000_000),
        Record(b"k", b'[{"ts":1400000001000,"metric":"a"},{"ts":"noon"},7]', 1_400_000_001_000),
        Record(None, b"garbage", 1_400_000_002_000),
    ]

    moved = list(shift_to(given_records, 1_700_000_000_000))

    assert [1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000] == [
        record.timestamp_ms for record in moved
    ]
    assert json.loads(moved[0].value)["ts"] == 1_700_000_000
    assert json.loads(moved[1].value) == [
        {"ts": 1_700_000_001_000, "metric": "a"},
        {"ts": "noon"},
        7,
    ]
    assert moved[2].value == b"garbage"
    assert moved[1].key == b"k"


def test_nothing_to_shift() -> None:
    """No records, no shift."""
    assert [] == list(shift_to([], 5))


class Bed:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_seconds = 100.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now_seconds

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now_seconds += seconds


@pytest.mark.parametrize(
    ("speed", "naps"), [(1.0, [2.0, 3.0]), (10.0, [0.2, 0.3]), (float("inf"), [])]
)
async def test_the_pace_is_the_speed(speed: float, naps: list[float]) -> None:
    """The gaps between records are event time divided by the speed; a late record does not wait."""
    bed = Bed()
    source = [Record(None, b"x", seconds * 1000) for seconds in (50, 52, 51, 55)]

    actual = [record async for record in paced(source, Pace(speed, bed.clock, bed.sleep))]

    assert source == actual
    assert bed.naps == pytest.approx(naps)


async def test_time_lost_is_made_up_for() -> None:
    """A slow reader shortens the waits that follow, so the end comes when it should."""
    bed = Bed()
    source = [Record(None, b"x", seconds * 1000) for seconds in (0, 10, 20)]

    async for _ in paced(source, Pace(1.0, bed.clock, bed.sleep)):
        bed.now_seconds += 4.0

    assert [6.0, 6.0] == bed.naps


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_of_none_is_refused(speed: float) -> None:
    """A speed that would never arrive is refused at once."""
    bed = Bed()

    with pytest.raises(ValueError, match="above zero"):
        Pace(speed, bed.clock, bed.sleep)
