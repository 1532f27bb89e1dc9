"""Outgoing telemetry: samples, and their encoding as native JSON Kafka records.

A record carries no topic: who sends it decides. Its Kafka timestamp is the latest event time in it,
so a consumer that reads only record times never runs behind the samples.
Refuses to write what ingest would have to reject: NaN and infinities are no JSON numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import NamedTuple

import msgspec

_ENCODER = msgspec.json.Encoder()


class Sample(NamedTuple):
    """One value of one series at one event time, in milliseconds since the epoch UTC."""

    metric: str
    labels: Mapping[str, str]
    ts_ms: int
    value: float


class Record(NamedTuple):
    """One Kafka record that has no topic yet; `timestamp_ms` is event time."""

    key: bytes | None
    value: bytes
    timestamp_ms: int


def encode_sample(sample: Sample) -> bytes:
    """Return one native JSON object; ValueError for a value that is not finite."""
    return _ENCODER.encode(_document(sample))


def encode_samples(samples: Sequence[Sample]) -> bytes:
    """Return one native JSON array; ValueError for a value that is not finite."""
    return _ENCODER.encode([_document(sample) for sample in samples])


def record(samples: Sequence[Sample], key: bytes | None = None) -> Record:
    """Return one record that holds all the samples as an array; ValueError when there are none."""
    if not samples:
        raise ValueError("a record needs at least one sample")
    return Record(key, encode_samples(samples), max(sample.ts_ms for sample in samples))


def records(samples: Iterable[Sample], limit: int) -> Iterator[Record]:
    """Yield the samples in order, as records of at most `limit` samples."""
    if limit < 1:
        raise ValueError(f"a record needs room for at least one sample, not {limit}")
    remaining = iter(samples)
    while chunk := list(islice(remaining, limit)):
        yield record(chunk)


def _document(sample: Sample) -> dict[str, object]:
    if not isfinite(sample.value):
        raise ValueError(f"{sample.metric} has a value that is not finite: {sample.value}")
    return {
        "ts": sample.ts_ms,
        "metric": sample.metric,
        "value": sample.value,
        "labels": sample.labels,
    }
