"""Deltas in OTLP: what they add up to, and which are refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import DeadLetterReason as Why
from tests.schemas.wire.otlp.messages import NOW, delta
from tests.schemas.wire.otlp.reading import PLACE, Reading


def test_deltas_are_added_up() -> None:
    """Deltas become running totals with a label of the source partition, whether monotonic or not."""
    reading = Reading()
    found = reading.samples(delta(2.0, 1), delta(3.5, 2, 1), delta(-1.0, 3, 2, monotonic=False))

    assert [
        ("m_total", 1000, "2.0"),
        ("m_total", 2000, "5.5"),
        ("m", 3000, "-1.0"),
    ] == [(name, time - NOW, value) for name, _, time, value in found]
    assert ("source_partition", PLACE) in found[0][1]


def test_a_delta_that_was_sent_twice_is_refused() -> None:
    """What has the times of the one before it is not added again."""
    reading = Reading()
    columns = reading.decode(delta(2.0, 1), delta(2.0, 1), delta(1.0, 2, 1))

    assert [(1, 0, Why.REPEATED)] == [r[:3] for r in columns.refused]
    assert [2.0, 3.0] == columns.values.tolist()


def test_totals_never_go_back_in_time() -> None:
    """Two producers share a series: the one that comes late adds at the newest time, so that nothing falls."""
    found = Reading().samples(delta(2.0, 5), delta(1.0, 4), delta(1.0, 6, 5))

    assert [(5000, "2.0"), (5000, "3.0"), (6000, "4.0")] == [(t - NOW, v) for _, _, t, v in found]


def test_a_wrong_clock_does_not_hold_a_total_for_ever() -> None:
    """After a delta from the far future, the next ones have their own times again."""
    found = Reading().samples(delta(2.0, 5000), delta(1.0, 5, 4))

    assert [(5_000_000, "2.0"), (5000, "3.0")] == [(t - NOW, v) for _, _, t, v in found]


def test_a_delta_that_is_no_number_is_not_added() -> None:
    """NaN is left to be refused, and what comes after it is added to what came before."""
    columns = Reading().decode(delta(2.0, 1), delta(float("nan"), 2), delta(1.0, 3))

    assert ["2.0", "nan", "3.0"] == list(map(repr, columns.values.tolist()))
    assert columns.meant is not None
    assert not columns.meant.any()


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from([0.1, 0.7, 1e9])), max_size=8),
    st.sets(st.integers(1, 7)),
)
@settings(max_examples=50)
def test_totals_hang_neither_on_cuts_nor_on_restarts(
    deltas: list[tuple[int, float]], cuts: set[int]
) -> None:
    """In one chunk or in many, with a checkpoint after each, the totals are the same to the last bit."""
    records = [delta(value, at, number) for number, (at, value) in enumerate(deltas)]
    whole = Reading()
    wanted = whole.plain(whole.decode(*records))

    assert wanted == Reading().cut(records, sorted(cut for cut in cuts if cut < len(records)))
