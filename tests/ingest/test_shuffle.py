"""The shuffle: every sample goes to one detect partition, by locality."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Config, LimitsConfig
from schemas.handles import is_handle, make_handles, numbers_of
from schemas.histograms import NativeHistogram
from schemas.labels import get_label
from schemas.samples import decode_batch, encode_batch
from schemas.wire.interner import Identity, Interner
from streams.ingest.reader import Samples
from streams.ingest.shuffle import make_batches
from streams.ingest.stage import IngestStage
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk

NOW = 1_700_000_000_000

placed = st.lists(
    st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from("stuvw"), st.sampled_from("xyz")),
    max_size=30,
)


@given(placed)
def test_series_of_one_locality_meet_and_none_is_lost(found: list[tuple[str, str, str]]) -> None:
    """All samples of a tenant's service are in one partition, in their order, and all are there."""
    values = [
        json.dumps(
            {
                "ts": NOW + i,
                "metric": "m",
                "value": i,
                "labels": {"tenant": t, "service": s, "pod": p},
            }
        ).encode()
        for i, (t, s, p) in enumerate(found)
    ]
    config = Config()
    stage = IngestStage(config, config.sources[0], "telemetry", 0)
    chunk = Chunk(
        "telemetry",
        0,
        fetch_offset=0,
        next_offset=len(values),
        values=list(values),
        timestamps=[NOW] * len(values),
    )
    homes: dict[tuple[str, str], set[int | None]] = {}
    seen: list[float] = []
    for out in stage.apply(chunk):
        batch = decode_batch(out.value or b"")
        assert batch.values.tolist() == sorted(batch.values.tolist())
        for index in batch.series.tolist():
            labels = batch.labels(index)
            place = (get_label(labels, "__tenant__"), get_label(labels, "service"))
            homes.setdefault(place, set()).add(out.partition)
        seen += batch.values.tolist()

    assert sorted(seen) == [float(i) for i in range(len(found))]
    assert all(len(partitions) == 1 for partitions in homes.values())


def test_partition_without_samples_learns_the_watermark() -> None:
    """Every detect partition gets a batch, if only to hear how far the source has come."""
    config = Config()
    stage = IngestStage(config, config.sources[0], "telemetry", 1)
    value = json.dumps({"ts": NOW, "metric": "m", "value": 1}).encode()
    out = stage.apply(
        Chunk("telemetry", 1, fetch_offset=0, next_offset=1, values=[value], timestamps=[NOW])
    )
    batches = [decode_batch(o.value or b"") for o in out]

    assert [o.partition for o in out] == [0, 1, 2, 3]
    assert sorted(map(len, batches)) == [0, 0, 0, 1]
    assert {b.watermark for b in batches} == {NOW - config.time.allowed_lateness}


@given(st.lists(st.tuples(st.sampled_from("stuvw"), st.booleans(), st.booleans()), max_size=20))
def test_histograms_go_where_their_series_goes(found: list[tuple[str, bool, bool]]) -> None:
    """Each batch has those that its samples name and no others, late ones too; the rest are numbers."""
    interner = Interner(Identity(partitions=4), LimitsConfig())
    ids = [interner.intern("m", service.encode(), {"service": service}) for service, *_ in found]
    native = np.array([each for _, each, _ in found], np.bool_)
    late_at = np.array([5 if late else BEFORE_ALL for *_, late in found], np.int64)
    values = np.arange(len(found), dtype=np.float64)
    count = int(native.sum())
    values[native] = make_handles(count)
    histograms = [NativeHistogram(count=float(at)) for at in np.flatnonzero(native)]
    places = np.arange(len(found))
    marks = late_at if (late_at == 5).any() else None
    samples = Samples(np.array(ids, np.intp), places, values, places, histograms, marks)
    batches = make_batches(
        samples, interner, topic="t", partition=0, watermark=0, record_time=0, partitions=4
    )
    seen: list[tuple[str, float]] = []
    late: list[float] = []
    for _, made in batches:
        batch = decode_batch(encode_batch(made))
        named = numbers_of(batch.values[is_handle(batch.values)]).tolist()
        assert list(range(len(batch.histograms))) == named
        for at, value in enumerate(batch.values.tolist()):
            service = get_label(batch.labels(int(batch.series[at])), "service")
            is_native = value != value  # noqa: PLR0124  NaN
            number = numbers_of(batch.values[at : at + 1]).item()
            seen.append((service, batch.histograms[number].count if is_native else value))
            late += [] if batch.late_at is None else [seen[-1][1]]

    assert sorted(seen, key=lambda each: each[1]) == [
        (s, float(n)) for n, (s, *_) in enumerate(found)
    ]
    assert sorted(late) == [float(n) for n, each in enumerate(found) if each[2]]
