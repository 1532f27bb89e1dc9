"""The format `samples`: what goes through, and the reason of everything that does not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.handles import make_handles, numbers_of
from schemas.histograms import NativeHistogram
from schemas.labels import decode_labels, encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import DeadLetterReason as Why
from schemas.samples import STALE_BITS, SampleBatch, decode_batch, encode_batch
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.interner import Identity, Interner
from schemas.wire.samples import Samples

NOW = 1_700_000_000_000
UP = encode_labels(make_labels({"__name__": "up", "service": "cart"}))
DOWN = encode_labels(make_labels({"__name__": "down", "service": "cart", "tenant": "acme"}))


def batch(
    dictionary: list[bytes], series: list[int], prints: list[int] | None = None, value: float = 1.5
) -> bytes:
    """A record with these label sets, and a sample for each number of one."""
    count = len(series)
    return encode_batch(
        SampleBatch(
            topic="theirs",
            partition=9,
            watermark=1,
            record_time=2,
            fingerprints=np.array(prints or [fingerprint_bytes(b) for b in dictionary], np.uint64),
            label_bytes=dictionary,
            series=np.array(series, np.uint32),
            times=np.arange(NOW, NOW + count),
            values=np.full(count, value),
            offsets=np.full(count, 77),
        )
    )


def decode(*values: bytes | None, **limits: int) -> tuple[Columns, Interner]:
    """Columns of these record values."""
    config = LimitsConfig(**limits)
    interner = Interner(Identity(partitions=4), config)
    return Samples(config).decode(list(values), interner), interner


def test_columns_are_taken_over_as_they_stand() -> None:
    """Times and values come out as written; series get the tenant of their label or the source's."""
    columns, interner = decode(batch([UP, DOWN], [0, 1, 1]), batch([DOWN], [0], value=2.5))

    assert [] == columns.refused
    assert [0, 0, 0, 1] == columns.records.tolist()
    assert [0, 1, 2, 0] == columns.items.tolist()
    assert [NOW, NOW + 1, NOW + 2, NOW] == columns.times.tolist()
    assert [1.5, 1.5, 1.5, 2.5] == columns.values.tolist()
    names = [dict(decode_labels(interner.label_bytes[row])) for row in columns.series.tolist()]
    up = {"__name__": "up", "__tenant__": "default", "service": "cart"}
    down = {"__name__": "down", "__tenant__": "acme", "service": "cart", "tenant": "acme"}
    assert [up, down, down, down] == names


def test_which_samples_are_late_is_not_for_a_producer_to_say() -> None:
    """A batch as it travels between our own stages is refused whole in telemetry."""
    late = replace(decode_batch(batch([UP], [0, 0])), late_at=np.array([NOW, NOW]))
    columns, _ = decode(encode_batch(late), batch([UP], [0]))

    assert [(0, WHOLE, Why.MALFORMED)] == [r[:3] for r in columns.refused]
    assert [1] == columns.records.tolist()


def test_a_label_set_has_one_id_in_every_format() -> None:
    """The same series from a native record and from a sample batch is one series."""
    from schemas.wire.format import NATIVE

    columns, interner = decode(batch([UP], [0]))
    native = NATIVE.make(LimitsConfig()).decode(
        [b'{"ts":1700000000,"metric":"up","value":1,"labels":{"service":"cart"}}'], interner
    )

    assert columns.series.tolist() == native.series.tolist()


GOOD = batch([UP], [0])
WIDE = encode_labels(make_labels({"__name__": "m"} | {f"l{n}": "x" for n in range(20)}))
CASES = {
    "null tombstone": (None, Why.TOMBSTONE),
    "empty value": (b"", Why.EMPTY_VALUE),
    "more than the limit": (b"TCSN" * 1_000, Why.TOO_LARGE),
    "too many samples": (batch([UP], [0] * 11), Why.TOO_LARGE),
    "no magic number": (b"{}", Why.MALFORMED),
    "version of the future": (GOOD[:4] + b"\x09" + GOOD[5:], Why.MALFORMED),
    "cut off": (GOOD[:-1], Why.MALFORMED),
    "labels no JSON": (batch([b"nonsense"], [0]), Why.MALFORMED),
    "labels not UTF-8": (batch([b'[["__name__","\xff"]]'], [0]), Why.MALFORMED),
    "labels not sorted": (batch([b'[["b","1"],["__name__","m"]]'], [0]), Why.MALFORMED),
    "labels with spaces": (batch([b'[["__name__", "m"]]'], [0]), Why.MALFORMED),
    "label twice": (batch([b'[["__name__","m"],["a","1"],["a","2"]]'], [0]), Why.MALFORMED),
    "empty label": (batch([b'[["__name__","m"],["a",""]]'], [0]), Why.MALFORMED),
    "wrong fingerprint": (batch([UP], [0], [42]), Why.MALFORMED),
    "one wrong fingerprint of two": (batch([UP, DOWN], [0, 0], [1, 2]), Why.MALFORMED),
}


@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_bad_record_is_refused_whole_and_alone(value: bytes | None, reason: Why) -> None:
    """A bad record is one refusal with its reason, and both its neighbours go through."""
    columns, _ = decode(GOOD, value, GOOD, message_bytes=3_000, samples_per_message=10)

    assert [(1, WHOLE, reason)] == [r[:3] for r in columns.refused]
    assert [0, 2] == columns.records.tolist()


SETS = {
    "no metric": (encode_labels((("service", "cart"),)), Why.MISSING_METRIC),
    "reserved label": (encode_labels((("__name__", "m"), ("__tenant__", "x"))), Why.BAD_LABEL),
    "too many labels": (WIDE, Why.TOO_MANY_LABELS),
    "label too long": (encode_labels((("__name__", "m"), ("a", "x" * 99))), Why.LABEL_TOO_LONG),
}


@pytest.mark.parametrize(("encoded", "reason"), SETS.values(), ids=SETS)
def test_bad_label_set_is_refused_alone_and_once(encoded: bytes, reason: Why) -> None:
    """A label set over a limit is one refusal for all its samples; the others of its record go through."""
    columns, _ = decode(
        batch([UP, encoded], [0, 1, 0, 1]), labels_per_series=10, label_value_bytes=50
    )

    assert [(0, 1, reason)] == [r[:3] for r in columns.refused]
    assert columns.refused[0].detail.endswith("(2 samples)")
    assert ([0, 2], [NOW, NOW + 2]) == (columns.items.tolist(), columns.times.tolist())


def test_series_over_the_limit_are_refused_and_the_known_ones_go_on() -> None:
    """A tenant at its limit keeps its series; a further one is refused in each record anew."""
    other = encode_labels(make_labels({"__name__": "other"}))
    value = batch([UP, other], [0, 1])
    columns, _ = decode(value, value, series_per_tenant=1)

    assert [(0, 1, Why.TOO_MANY_SERIES), (1, 1, Why.TOO_MANY_SERIES)] == [
        r[:3] for r in columns.refused
    ]
    assert [0, 1] == columns.records.tolist()


def test_ids_follow_an_interner_that_counts_anew() -> None:
    """When series have gone and ids are others, label sets are interned anew."""
    limits = LimitsConfig()
    interner, decoder = Interner(Identity(), limits), Samples(limits)
    interner.hear(decoder.decode([batch([UP], [0])], interner).series, 1)
    interner.hear(decoder.decode([batch([DOWN], [0])], interner).series, 9)
    interner.retire(5)
    interner.compact()
    columns = decoder.decode([batch([DOWN, UP], [0, 1])], interner)

    assert [0, 1] == columns.series.tolist()
    assert [True, True] == [
        name in interner.label_bytes[n] for n, name in enumerate((b"down", b"up"))
    ]


@given(st.lists(st.one_of(st.none(), st.binary(max_size=100)), max_size=5))
def test_random_bytes_never_raise(values: list[bytes | None]) -> None:
    """Whatever stands in a chunk, each record is refused or decoded."""
    columns, _ = decode(*values, GOOD)

    assert len(values) == columns.records[-1]
    assert len(values) == len(columns.refused)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_batch_never_raises(at: int, damage: bytes) -> None:
    """A batch with some bytes changed is refused whole, or all of it is read."""
    columns, interner = decode(GOOD[:at] + damage + GOOD[at + len(damage) :])

    assert 1 == len(columns.refused) + len(columns.series)
    assert all(0 <= row < len(interner) for row in columns.series.tolist())


HISTOGRAMS = [NativeHistogram(count=2.0, sum=3.0, positive={0: 2.0}), NativeHistogram(schema=99)]


def test_histograms_go_through_and_bad_ones_are_refused_alone() -> None:
    """Version 2: a histogram, a stale marker and a number; NaN is refused later, as in any other format."""
    found = decode_batch(batch([UP], [0] * 5))
    stale = np.array(STALE_BITS).view(np.float64)
    values = np.array([1.0, *make_handles(2), stale, np.nan])
    columns, _ = decode(encode_batch(replace(found, values=values, histograms=HISTOGRAMS)))

    assert [(0, 2, Why.BAD_HISTOGRAM)] == [r[:3] for r in columns.refused]
    assert [0, 1, 3, 4] == columns.items.tolist()
    assert columns.meant is not None
    assert [False, True, True, False] == columns.meant.tolist()
    assert HISTOGRAMS[0] == columns.histograms[numbers_of(columns.values)[1]]
