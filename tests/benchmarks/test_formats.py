"""The benchmark of formats: both ways that it compares do the same job."""

import json

import pytest

from benchmarks import formats
from benchmarks.codec import new_interner
from schemas.config import LimitsConfig
from schemas.wire.asking import Asking, Schema
from schemas.wire.registry import make_decoder


@pytest.mark.parametrize(
    ("name", "make", "walk"),
    [
        ("influx", formats.line, formats.walk_line),
        ("telegraf", formats.telegraf, formats.walk_telegraf),
        ("vector", formats.vector, formats.walk_vector),
        ("prometheus_adapter", formats.adapter, formats.walk_adapter),
        ("confluent", formats.avro, formats.walk_avro),
    ],
)
def test_both_ways_find_the_same_samples(name: str, make: formats.Make, walk: formats.Walk) -> None:
    """Ours and the obvious way give the same number of series, and the same values at the same times."""
    records = [make(number) for number in range(40)]
    decoder = make_decoder(name, LimitsConfig())
    if isinstance(decoder, Asking):
        decoder.learn({1: Schema("AVRO", json.dumps(formats.SCHEMA))})
    known: dict[object, int] = {}
    wanted: list[tuple[int, float, float]] = []
    for record in records:
        walk(record, known, wanted)
    interner = new_interner()
    for _ in range(2):
        columns = decoder.decode(records, interner)

        assert [] == columns.refused
        assert [value for _, _, value in wanted] == columns.values.tolist()
        assert [time for _, time, _ in wanted] == pytest.approx(columns.times.tolist(), abs=1)
        assert len(known) == len(set(columns.series.tolist()))
