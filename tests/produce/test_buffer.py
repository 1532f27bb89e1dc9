"""The buffer between a service and its sender: bounded, in order, and each sample counted once."""

import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.labels import decode_labels, fingerprint_bytes
from schemas.reasons import ProduceReason as Why
from streams.produce.buffer import Buffer

NOW = 1_700_000_000_000


def new_buffer(most_samples: int = 100, most_series: int = 100) -> Buffer:
    return Buffer(
        most_samples=most_samples,
        most_series=most_series,
        locality=("service",),
        tenant_label="tenant",
        default_tenant="default",
    )


def dropped(buffer: Buffer) -> dict[Why, int]:
    """Reasons that were given at least once."""
    return {reason: count for reason, count in buffer.stats().dropped.items() if count}


def test_samples_come_out_in_their_order_with_their_series() -> None:
    """What is taken are the samples in their order, each with the number of its series."""
    buffer = new_buffer()
    assert [1, 2, 3] == [
        buffer.put("up", {"b": "2", "a": "1"}, NOW, 1),
        buffer.put("down", {}, NOW - 1, 2.5),
        buffer.put("up", {"a": "1", "b": "2"}, NOW + 1, np.float32(3.5)),
    ]
    taken = buffer.take()

    assert taken is not None
    assert [[0, 1, 2], [NOW, NOW - 1, NOW + 1], [1.0, 2.5, 3.5]] == [
        column.tolist() for column in taken[1:]
    ]
    sets = [row.encoded for row in taken.table.rows]
    up = (("__name__", "up"), ("a", "1"), ("b", "2"))
    # two ways to write one label set are two numbers and one fingerprint
    assert [up, (("__name__", "down"),), up] == [decode_labels(encoded) for encoded in sets]
    assert [fingerprint_bytes(b) for b in sets] == [row.fingerprint for row in taken.table.rows]
    assert buffer.take() is None


BAD = {
    "NaN": (("m", {}, NOW, float("nan")), Why.NOT_FINITE),
    "infinity": (("m", {}, NOW, float("-inf")), Why.NOT_FINITE),
    "text as value": (("m", {}, NOW, "1"), Why.NOT_FINITE),
    "beyond all floats": (("m", {}, NOW, 10**400), Why.NOT_FINITE),
    "time before the epoch": (("m", {}, -1, 1.0), Why.BAD_TIME),
    "time in microseconds": (("m", {}, NOW * 1000, 1.0), Why.BAD_TIME),
    "text as time": (("m", {}, "now", 1.0), Why.BAD_TIME),
    "no metric": (("", {}, NOW, 1.0), Why.BAD_SERIES),
    "number as metric": ((7, {}, NOW, 1.0), Why.BAD_SERIES),
    "number as label": (("m", {"code": 200}, NOW, 1.0), Why.BAD_SERIES),
    "number as label name": (("m", {7: "x"}, NOW, 1.0), Why.BAD_SERIES),
    "list as label": (("m", {"code": ["a"]}, NOW, 1.0), Why.BAD_SERIES),
    "reserved label": (("m", {"__tenant__": "x"}, NOW, 1.0), Why.BAD_SERIES),
    "label without a name": (("m", {"": "x"}, NOW, 1.0), Why.BAD_SERIES),
    "label that is no UTF-8": (("m", {"a": "\ud800"}, NOW, 1.0), Why.BAD_SERIES),
}


@pytest.mark.parametrize(("sample", "reason"), BAD.values(), ids=BAD)
def test_what_cannot_be_sent_is_dropped_and_counted(sample: tuple, reason: Why) -> None:
    """A bad sample raises nothing, is counted by its reason, and leaves no trace."""
    buffer = new_buffer()
    buffer.put(*sample)

    assert {reason: 1} == dropped(buffer)
    assert (None, 0) == (buffer.take(), buffer.stats().queued)


def test_over_the_bound_the_newest_is_dropped() -> None:
    """The bound holds for what is on its way too; room comes back as samples are settled."""
    buffer = new_buffer(most_samples=3)
    for value in range(5):
        buffer.put("m", {}, NOW, value)
    taken = buffer.take()
    buffer.put("m", {}, NOW, 5)

    assert taken is not None
    assert [0.0, 1.0, 2.0] == taken.values.tolist()
    assert {Why.BUFFER_FULL: 3} == dropped(buffer)

    buffer.settle(2)
    buffer.settle(1, Why.REFUSED)
    buffer.put("m", {}, NOW, 6)

    assert (2, 1) == buffer.stats()[:2]
    assert {Why.BUFFER_FULL: 3, Why.REFUSED: 1} == dropped(buffer)


def test_series_are_forgotten_over_their_bound() -> None:
    """More label sets than the bound are not carried on, and what was taken keeps its own."""
    buffer = new_buffer(most_series=2)
    for number in range(3):
        buffer.put("m", {"n": str(number)}, NOW, 1)
    first = buffer.take()
    buffer.put("m", {"n": "2"}, NOW, 1)
    second = buffer.take()

    assert first is not None
    assert second is not None
    assert [3, 1] == [len(first.table.rows), len(second.table.rows)]
    assert {"n": "2"} == second.table.rows[0].labels


def test_after_the_end_samples_are_counted_as_too_late() -> None:
    """Closed, it takes nothing more; given up, it counts what was queued, taken or not."""
    buffer = new_buffer()
    buffer.put("m", {}, NOW, 1)
    buffer.take()
    buffer.put("m", {}, NOW, 2)
    buffer.close()
    buffer.put("m", {}, NOW, 3)

    assert {Why.CLOSED: 1} == dropped(buffer)
    assert 2 == buffer.give_up()
    assert {Why.CLOSED: 3} == dropped(buffer)
    assert (0, 0) == (buffer.give_up(), buffer.stats().queued)


def test_a_wait_ends_when_what_was_before_it_is_settled() -> None:
    """What is recorded meanwhile is not waited for; a wait in vain says so."""
    buffer = new_buffer()
    assert buffer.wait(0)
    buffer.put("m", {}, NOW, 1)
    assert not buffer.wait(0)

    def settle() -> None:
        buffer.put("m", {}, NOW, 2)
        buffer.settle(1)

    other = threading.Timer(0.01, settle)
    other.start()
    assert buffer.wait(10)
    other.join()
    assert 1 == buffer.stats().queued


@given(st.lists(st.sampled_from(["put", "bad", "take", "sent", "refused"]), max_size=60))
def test_every_sample_is_counted_once(steps: list[str]) -> None:
    """Whatever happens, recorded samples are queued, sent or dropped, and never more are queued than allowed."""
    buffer = new_buffer(most_samples=5)
    recorded = under_way = 0
    seen: Counter[str] = Counter()
    for step in steps:
        if step in ("put", "bad"):
            recorded += 1
            buffer.put("m", {}, NOW, 1.0 if step == "put" else float("nan"))
        elif step == "take" and (taken := buffer.take()) is not None:
            under_way += len(taken.values)
        elif step in ("sent", "refused") and under_way:
            under_way -= 1
            seen[step] += 1
            buffer.settle(1, None if step == "sent" else Why.REFUSED)
    stats = buffer.stats()

    assert recorded == stats.sent + stats.queued + sum(stats.dropped.values())
    assert stats.queued <= 5
    assert (seen["sent"], seen["refused"]) == (stats.sent, stats.dropped[Why.REFUSED])


def test_a_buffer_without_room_is_refused() -> None:
    """Bounds are at least one."""
    with pytest.raises(ValueError, match="room for one"):
        new_buffer(most_samples=0)
