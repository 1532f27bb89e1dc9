"""Record batches that are made as tables of bytes: a Kafka client reads them as any others."""

import numpy as np
import pytest
from aiokafka.record.memory_records import MemoryRecords

from benchmarks import packed, workload
from benchmarks.stream import batches


def test_a_batch_is_what_a_producer_would_have_written() -> None:
    """Checksum, keys, times and values, on both sides of where the number of a record takes a second byte."""
    draw = np.random.default_rng(3)
    services, values = np.arange(900, 1200), draw.normal(300.0, 5.0, 300).round(4)
    records = MemoryRecords(packed.batch(1_760_000_000_123, services, values))
    found = records.next_batch()

    assert found is not None
    assert found.validate_crc()
    assert [
        (
            at,
            1_760_000_000_123,
            b"service-%06d" % service,
            workload.encode(1_760_000_000_123, value, b"service-%06d" % service),
        )
        for at, (service, value) in enumerate(zip(services.tolist(), values.tolist(), strict=True))
    ] == [(record.offset, record.timestamp, record.key, record.value) for record in found]
    assert not records.has_next()


@pytest.mark.parametrize("value", [99.0, 1000.0, 999.99999])
def test_values_of_other_lengths_are_refused(value: float) -> None:
    """All messages of a batch are equally long."""
    with pytest.raises(ValueError, match="equally long"):
        packed.batch(0, np.zeros(1, np.int64), np.array([value]))


def test_a_service_has_one_partition() -> None:
    """As sources that are keyed must; a partition without samples gets no batch."""
    found = batches(0, np.array([4, 8, 5]), np.full(3, 300.0))

    assert {0: 2, 1: 1} == {
        partition: sum(1 for _ in MemoryRecords(part).next_batch() or ())
        for partition, part in found.items()
    }
