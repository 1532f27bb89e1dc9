"""Samples to records: which partition, which order, which bytes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.labels import home
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import make_decoder
from streams.produce.buffer import Taken
from streams.produce.pack import ENCODERS, Form, Packed, pack
from tests.produce.test_buffer import NOW, new_buffer

SERVICES = [f"service-{n}" for n in range(12)]


def taken_of(samples: list[tuple[dict[str, str], int, float]]) -> Taken:
    """Samples as they come out of the buffer."""
    buffer = new_buffer(most_samples=1_000)
    for labels, time_ms, value in samples:
        buffer.put("m", labels, time_ms, value)
    taken = buffer.take()
    assert taken is not None
    return taken


def packed(
    samples: list[tuple[dict[str, str], int, float]],
    form: Form = "samples",
    partitions: int = 4,
    most_bytes: int = 900_000,
) -> list[Packed]:
    return list(pack(taken_of(samples), form, partitions=partitions, most_bytes=most_bytes))


@pytest.mark.parametrize("form", ENCODERS)
@given(
    st.lists(
        st.tuples(
            st.fixed_dictionaries(
                {"service": st.sampled_from(SERVICES)},
                optional={"tenant": st.sampled_from(["a", "b"]), "x": st.text(max_size=3)},
            ),
            st.integers(NOW, NOW + 10_000),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_ingest_reads_what_was_recorded(
    form: Form, samples: list[tuple[dict[str, str], int, float]]
) -> None:
    """Read by the source's format, the samples of each series are what was recorded, in its order and home."""
    interner = Interner(Identity(partitions=4), LimitsConfig())
    decoder = make_decoder(form, LimitsConfig())
    found: dict[bytes, list[tuple[int, float]]] = {}
    for record in packed(samples, form):
        columns = decoder.decode([record.value], interner)
        assert [] == columns.refused
        assert {record.partition} == set(interner.partitions(columns.series).tolist())
        assert (record.samples, record.timestamp_ms) == (
            len(columns.times),
            int(columns.times.max()),
        )
        for row, time_ms, value in zip(
            columns.series.tolist(), columns.times.tolist(), columns.values.tolist(), strict=True
        ):
            found.setdefault(interner.label_bytes[row], []).append((time_ms, value))
    expected: dict[bytes, list[tuple[int, float]]] = {}
    for labels, time_ms, value in samples:
        document = {"ts": time_ms, "metric": "m", "value": 0, "labels": labels}
        one = make_decoder("native", LimitsConfig()).decode(
            [json.dumps(document).encode()], interner
        )
        expected.setdefault(interner.label_bytes[one.series[0]], []).append((time_ms, value))

    assert expected == found


def test_the_home_is_that_of_the_engine() -> None:
    """A series goes where ingest would send it, so a source may say `keyed: true`."""
    records = {
        service: packed([({"service": service, "tenant": "acme"}, NOW, 1.0)], partitions=7)
        for service in SERVICES
    }

    assert {s: home("acme", {"service": s}, ("service",), 7) for s in SERVICES} == {
        service: record.partition for service, (record,) in records.items()
    }


def test_a_large_record_is_cut_in_halves() -> None:
    """No record is larger than the bound, and none of the samples is lost or out of order."""
    samples = [({"service": "cart"}, NOW + n, float(n)) for n in range(100)]
    records = packed(samples, "native", most_bytes=1_000)
    values = [item["value"] for r in records for item in json.loads(r.value or b"")]

    assert [float(n) for n in range(100)] == values
    assert len(records) > 1
    assert all(len(r.value or b"") <= 1_000 for r in records)


def test_a_sample_that_is_too_large_is_left_out_alone() -> None:
    """A sample larger than a record may be has no value; its neighbours are sent."""
    wide = {"service": "cart", "text": "x" * 2_000}
    samples = [({"service": "cart"}, NOW + n, float(n)) for n in range(4)]
    records = packed([*samples[:2], (wide, NOW, 9.0), *samples[2:]], most_bytes=1_000)

    assert [1] == [r.samples for r in records if r.value is None]
    assert 4 == sum(r.samples for r in records if r.value is not None)


def test_partitions_that_come_later_change_homes() -> None:
    """Homes follow the number of partitions that the topic has now."""
    taken = taken_of([({"service": s}, NOW, 1.0) for s in SERVICES])
    numbers = np.arange(len(SERVICES))

    for partitions in (1, 4, 1, 9):
        expected = [home("default", {"service": s}, ("service",), partitions) for s in SERVICES]
        assert expected == taken.table.homes(numbers, partitions).tolist()
