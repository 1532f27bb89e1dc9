"""The format `remote_write`: what goes through, and the reason of everything that does not."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.handles import is_handle, numbers_of
from schemas.labels import METRIC
from schemas.reasons import DeadLetterReason as Why
from schemas.reasons import IgnoreReason
from schemas.samples import STALE_BITS
from schemas.wire.format import NATIVE
from schemas.wire.interner import Identity, Interner
from schemas.wire.remote_write.body import claims
from schemas.wire.remote_write.decoder import RemoteWrite
from tests.schemas.wire.remote_write.requests import (
    FIRST,
    HISTOGRAM,
    NOW,
    Series,
    body,
    decode,
    names,
    pack,
    request,
    series,
)

VERSIONS = pytest.mark.parametrize("version", [1, 2])
UP, DOWN = series("up", 1.0, 0.0, job="shop"), series("down", 2.5, job="shop")
STALE = struct.unpack("<d", struct.pack("<q", STALE_BITS))[0]
HANDLE_LIKE = struct.unpack("<d", struct.pack("<q", 0x7FFC000000000000))[0]


@VERSIONS
def test_samples_come_out_in_the_order_of_the_log(version: int) -> None:
    """Series by series as they stand in each record, with the number of each sample in its record."""
    columns, interner = decode(request(version, UP, DOWN), request(version, DOWN))

    up, down = {METRIC: "up", "job": "shop"}, {METRIC: "down", "job": "shop"}
    assert [] == columns.refused
    assert [up, up, down, down] == names(columns, interner)
    assert [1.0, 0.0, 2.5, 2.5] == columns.values.tolist()
    assert [NOW, NOW + 1000, NOW, NOW] == columns.times.tolist()
    assert [0, 0, 0, 1] == columns.records.tolist()
    assert [0, 1, 2, 0] == columns.items.tolist()
    assert columns.meant is None


def test_a_label_set_has_one_id_in_every_version_and_format() -> None:
    """1.0, 2.0 and native JSON: one series."""
    columns, interner = decode(request(1, UP), request(2, UP), request(2, DOWN, UP))
    text = b'{"ts":1760000000,"metric":"up","value":1,"labels":{"job":"shop"}}'
    native = NATIVE.make(LimitsConfig()).decode([text], interner)

    up = columns.series[0]
    assert [up, up, up, up] == columns.series[[1, 2, 3, 5]].tolist()
    assert [up] == native.series.tolist()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
label_sets = st.dictionaries(
    texts.filter(lambda name: not name.startswith("__")), texts, max_size=4
)
samples = st.lists(
    st.tuples(st.floats(), st.one_of(st.just(0), st.integers(-(2**63), 2**63 - 1))), max_size=4
)
written = st.lists(
    st.builds(
        lambda metric, labels, found, order: Series(
            order.sample([(METRIC, metric), *labels.items()], len(labels) + 1), found
        ),
        texts,
        label_sets,
        samples,
        st.randoms(use_true_random=False),
    ),
    max_size=6,
)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), written), max_size=4))
def test_what_protobuf_writes_is_read(requests: list[tuple[int, list[Series]]]) -> None:
    """Any labels in any order, any values and times, in requests of both versions: bit by bit, in order."""
    columns, interner = decode(*(request(version, *given) for version, given in requests))
    expected = [
        (at, dict(each.labels), time, value)
        for at, (_, given) in enumerate(requests)
        for each in given
        for value, time in each.samples
    ]
    found = np.array([value for *_, value in expected], np.float64)
    plain = np.isnan(found) & (found.view(np.int64) != STALE_BITS)

    assert [] == columns.refused
    assert [(at, time) for at, _, time, _ in expected] == list(
        zip(columns.records.tolist(), columns.times.tolist(), strict=True)
    )
    assert [labels for _, labels, _, _ in expected] == names(columns, interner)
    assert np.where(plain, np.nan, found).tobytes() == columns.values.tobytes()
    assert np.isfinite(found).all() == (columns.meant is None)


@VERSIONS
def test_where_chunks_are_cut_changes_nothing(version: int) -> None:
    """Records one by one by a decoder that remembers, and all at once by another."""
    records = [request(version, UP, DOWN), request(version, DOWN), request(version, DOWN, UP)]
    together, _ = decode(*records)
    limits = LimitsConfig()
    decoder, interner = RemoteWrite(limits), Interner(Identity(partitions=4), limits)
    apart = [decoder.decode([each], interner) for each in records]

    assert together.series.tolist() == [n for each in apart for n in each.series.tolist()]
    assert together.values.tolist() == [v for each in apart for v in each.values.tolist()]


@VERSIONS
def test_values_that_are_not_finite_are_meant(version: int) -> None:
    """A stale marker stays one, infinity too, and any other NaN is nothing but NaN."""
    columns, _ = decode(request(version, series("m", 1.0, STALE, math.inf, HANDLE_LIKE)))

    assert columns.meant is not None
    assert [False, True, True, True] == columns.meant.tolist()
    assert STALE_BITS == columns.values.view(np.int64)[1]
    assert math.inf == columns.values[2]
    assert np.array(np.nan).tobytes() == columns.values[3].tobytes()


@VERSIONS
def test_histograms_stand_between_samples(version: int) -> None:
    """Their values are handles, and exemplars beside them are counted and left out."""
    native = Series([(METRIC, "h")], (), [HISTOGRAM, HISTOGRAM | {"sum": 5.5}], 2)
    columns, _ = decode(request(version, UP, native, DOWN))

    assert [False, False, True, True, False] == is_handle(columns.values).tolist()
    named = [columns.histograms[n] for n in numbers_of(columns.values[2:4]).tolist()]
    assert [(3.0, 4.5), (3.0, 5.5)] == [(each.count, each.sum) for each in named]
    assert columns.meant is not None
    assert [False, False, True, True, False] == columns.meant.tolist()
    assert {IgnoreReason.EXEMPLAR: 2} == dict(columns.ignored)


@VERSIONS
def test_a_bad_histogram_is_refused_alone(version: int) -> None:
    """What stands beside it in its series and its request goes through."""
    bad = HISTOGRAM | {"schema": 20}
    native = Series([(METRIC, "h")], (), [bad, HISTOGRAM])
    columns, _ = decode(request(version, UP, native))

    assert [(0, 2, Why.BAD_HISTOGRAM)] == [refusal[:3] for refusal in columns.refused]
    assert [0, 1, 3] == columns.items.tolist()


@VERSIONS
def test_a_bad_label_set_is_refused_alone_and_once(version: int) -> None:
    """One refusal for all its samples in a record; the others of the record go through."""
    long = series("m", 1.0, 2.0, job="x" * 60)
    columns, _ = decode(request(version, UP, long, DOWN), label_value_bytes=50)

    assert [(0, 2, Why.LABEL_TOO_LONG)] == [refusal[:3] for refusal in columns.refused]
    assert columns.refused[0].detail.endswith("(2 samples)")
    assert [0, 1, 4] == columns.items.tolist()


SETS = {
    "no metric": ([("job", "x")], Why.MISSING_METRIC),
    "a label twice": ([(METRIC, "m"), ("a", "1"), ("a", "2")], Why.BAD_LABEL),
    "a label twice, alike": ([(METRIC, "m"), ("a", "1"), ("a", "1")], Why.BAD_LABEL),
    "a reserved label": ([(METRIC, "m"), ("__a", "1")], Why.BAD_LABEL),
    "a label without a name": ([(METRIC, "m"), ("", "1")], Why.BAD_LABEL),
}


@VERSIONS
@pytest.mark.parametrize(("labels", "reason"), SETS.values(), ids=SETS)
def test_label_sets_that_are_refused(
    version: int, labels: list[tuple[str, str]], reason: Why
) -> None:
    """Each with its reason, and again when it comes again."""
    bad = Series(labels, [(1.0, NOW)])
    columns, _ = decode(request(version, bad, UP), request(version, bad))

    assert [(0, 0, reason), (1, 0, reason)] == [refusal[:3] for refusal in columns.refused]
    assert [1, 2] == columns.items.tolist()


@VERSIONS
def test_an_empty_label_is_one_that_is_not_there(version: int) -> None:
    """As in Prometheus."""
    empty = Series([(METRIC, "up"), ("job", "shop"), ("zone", "")], [(1.0, NOW)])
    columns, interner = decode(request(version, UP, empty))

    assert 1 == len(interner)
    assert 3 == len(columns.series)


def test_labels_behind_the_samples_are_put_together() -> None:
    """Fields may come in any order, and a field of 2.0 in pieces or one by one."""
    label = b"\x0a\x0e\x0a\x08__name__\x12\x02up"
    other = b"\x0a\x0b\x0a\x03job\x12\x04shop"
    sample = b"\x12\x09\x09" + struct.pack("<d", 1.0)
    first = label + sample + other
    symbols = b"".join(
        b"\x22" + bytes([len(text)]) + text for text in (b"", b"__name__", b"up", b"job", b"shop")
    )
    second = b"\x12\x00" + b"\x0a\x02\x01\x02" + sample + b"\x08\x03" + b"\x0a\x01\x04"
    columns, interner = decode(
        pack(b"\x0a" + bytes([len(first)]) + first),
        pack(symbols + b"\x2a" + bytes([len(second)]) + second),
    )

    assert [] == columns.refused
    assert [{METRIC: "up", "job": "shop"}] * 3 == names(columns, interner)
    assert [1.0, 0.0, 1.0] == columns.values.tolist()


def test_metadata_alone_is_no_fault() -> None:
    """Prometheus sends it in requests of its own; there are no samples in it."""
    metadata = FIRST["WriteRequest"](metadata=[{"metric_family_name": "up", "help": "Up."}])
    columns, _ = decode(pack(metadata.SerializeToString()), pack(b""))

    assert (0, []) == (len(columns.series), columns.refused)


@VERSIONS
def test_ids_follow_an_interner_that_counts_anew(version: int) -> None:
    """When series have gone and ids are others, label sets are interned anew."""
    limits = LimitsConfig()
    interner, decoder = Interner(Identity(), limits), RemoteWrite(limits)
    interner.hear(decoder.decode([request(version, UP)], interner).series, 1)
    interner.hear(decoder.decode([request(version, DOWN)], interner).series, 9)
    interner.retire(5)
    interner.compact()
    columns = decoder.decode([request(version, DOWN, UP)], interner)

    assert [{METRIC: "down", "job": "shop"}] == names(columns, interner)[:1]
    assert {METRIC: "up", "job": "shop"} == names(columns, interner)[1]


@VERSIONS
def test_what_is_remembered_is_bounded(version: int) -> None:
    """A producer that writes one series in ever new ways fills no memory."""
    limits = LimitsConfig(series=10)
    interner, decoder = Interner(Identity(), limits), RemoteWrite(limits)
    for turn in range(100):
        pairs = [("job", "shop"), (METRIC, "up"), *((f"empty{turn}{n}", "") for n in range(3))]
        columns = decoder.decode([request(version, Series(pairs, [(1.0, NOW)]))], interner)
        assert [0] == columns.series.tolist()

    assert 1 == len(interner)
    assert 21 >= sum(map(len, decoder._known.values()))


def test_symbols_are_forgotten_at_their_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what went by their numbers with them."""
    monkeypatch.setattr("schemas.wire.remote_write.decoder._MOST_SYMBOL_BYTES", 2_000)
    limits = LimitsConfig()
    interner, decoder = Interner(Identity(), limits), RemoteWrite(limits)
    for turn in range(100):
        columns = decoder.decode([request(2, series("up", 1.0, pod=f"{turn}"), UP)], interner)
        assert {METRIC: "up", "job": "shop"} == names(columns, interner)[1]
        assert {METRIC: "up", "pod": f"{turn}"} == names(columns, interner)[0]

    assert 0 < decoder._symbols.resets < 100


def test_requests_are_told_from_other_bytes() -> None:
    """For `auto`: both versions, and nothing that is not a snappy block of one of them."""
    assert [True, True] == [claims(request(version, UP)) for version in (1, 2)]
    others = [
        b"",
        b"{}",
        b"up 1",
        body(1, UP),
        pack(b"nonsense"),
        pack(b""),
        pack(bytes(3_000_000)),
        b"\xff" * 9,
    ]
    assert [False] * len(others) == list(map(claims, others))
