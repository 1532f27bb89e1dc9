"""What a soak counts as growth, and what a rescale counts as a pause."""

import msgspec
import numpy as np
import pytest

from benchmarks.checkpoints import BLOCK, differing
from benchmarks.rescale import Heard
from benchmarks.row import Row
from benchmarks.soak import Look, rate, rows, warm_up
from benchmarks.stream import services
from benchmarks.times import Times
from benchmarks.workload import SERIES
from streams.state.codec import encode


def looks(mb_per_minute: float, waiting: float = 0.0) -> list[Look]:
    """Half an hour of looks at something whose memory grows so fast."""
    return [
        Look(at, 200 + mb_per_minute * at / 60, waiting * (at % 2), 50.0, at, 40, 1e4)
        for at in range(0, 1800, 5)
    ]


def by_name(found: list[Row]) -> dict[str, Row]:
    """Rows by the last word of their names."""
    return {row.name.partition(".")[2]: row for row in found}


@pytest.mark.parametrize(("growth", "met"), [(0.0, True), (1.0, False), (-1.0, True)])
def test_memory_that_grows_is_missed(growth: float, met: bool) -> None:
    """The slope is that of the looks after the warm-up, and a megabyte a minute is too much."""
    row = by_name(list(rows(looks(growth), "x")))["memory_slope"]
    assert growth == pytest.approx(row.value)
    assert met is row.met


def test_a_queue_that_is_worked_off_now_and_then_does_not_grow() -> None:
    """However high it stands in between: a busy machine is no leak; one that never empties is."""
    assert by_name(list(rows(looks(0, waiting=1e6), "x")))["waiting"].met
    growing = [look._replace(waiting=look.at) for look in looks(0)]
    assert not by_name(list(rows(growing, "x")))["waiting"].met


@pytest.mark.parametrize(("files", "met"), [(44, True), (45, False)])
def test_few_files_may_not_become_more_by_a_tenth(files: int, met: bool) -> None:
    """A worker has some forty open: one more for each partition that moves would be a leak."""
    growing = [look._replace(files=files if look.at > 1200 else 40) for look in looks(0)]
    assert met is by_name(list(rows(growing, "x")))["files"].met


def test_a_short_soak_has_a_short_warm_up() -> None:
    """Never more than half of it."""
    assert (60.0, 420.0, 720.0) == (warm_up(120), warm_up(1800), warm_up(7200))


def test_as_many_names_are_live_as_there_are_series() -> None:
    """With a hundred fallen silent there are still as many, and a hundred of them are new."""
    numbers = np.arange(SERIES)
    before, after = (set(services(numbers, first).tolist()) for first in (0, 100))
    assert SERIES == len(before) == len(after)
    assert 100 == len(after - before)


def test_the_rate_of_a_backlog_leaves_out_its_edges() -> None:
    """Neither the start nor an idle end is in it; a backlog that is gone between two looks says nothing."""
    looks = [(float(at), 100.0 * max(at - 5, 0)) for at in range(16)] + [(50.0, 1000.0)]
    assert 100.0 == rate(looks, 1000)
    with pytest.raises(RuntimeError, match="too small"):
        rate([(0.0, 0.0), (0.1, 1000.0)], 1000)


def test_a_pause_is_the_longest_wait_of_what_was_sent_meanwhile() -> None:
    """What was sent before or after does not count; what came twice and what never came is told."""
    heard = Heard(Times(expected=4))
    heard.times.sent |= {"a": 1.0, "b": 2.0, "c": 3.0, "d": 3.5}
    for service, now in (("a", 9.0), ("b", 2.5), ("c", 3.1), ("b", 8.0)):
        told = {"kind": "alert", "id": service, "labels": {"service": service}}
        heard.take(msgspec.json.encode(told), now)
    heard.take(b'{"kind":"tick","time":1}', 9.0)
    assert 500.0 == pytest.approx(heard.longest_ms(1.5, 4.0))
    assert (1, 1, 3) == (heard.twice, heard.lost, len(heard.often))


def test_blocks_that_differ_are_counted_whole() -> None:
    """One byte makes a block differ; a column that is new differs in all of its blocks."""
    first = encode({"a": bytes(3 * BLOCK)}, kind="k", version=1)
    changed = bytearray(3 * BLOCK)
    changed[BLOCK] = 1
    second = encode({"a": bytes(changed), "b": bytes(10)}, kind="k", version=1)
    assert (0, 3 * BLOCK) == differing(first, first)
    assert (BLOCK + 10, 3 * BLOCK + 10) == differing(first, second)
