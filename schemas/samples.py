"""SampleBatch: samples as columns with a dictionary of their label sets, and the binary form of tocsin.samples.

A batch holds samples of one source partition, in the order in which they stood there, and that partition's
watermark after the last of them; a batch without samples carries a watermark only. Labels are kept as canonical
bytes beside their fingerprints, so that a reader that knows a fingerprint never parses the text.

Binary form, little endian: magic `TCSN`, version (1 byte), length of the head (4 bytes), head (msgpack of
`_Head`), then the columns one after the other: fingerprints u64[k], label offsets u32[k+1], label bytes, series u32[n],
times i64[n], values f64[n], offsets i64[n]. A batch with native histograms is of version 2 and has them behind that,
as a msgpack array; one without stays of version 1, so that older code reads it. A batch of late samples is of version
3, or 4 with histograms, and has one more column behind the others and before these: late_at i64[n].
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.handles import is_handle, numbers_of
from schemas.histograms import NativeHistogram
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes
from schemas.reasons import DeadLetterReason
from schemas.texts import LabelTexts, UInt32s

MAGIC = b"TCSN"
VERSION = 1
HISTOGRAM_VERSION = 2
LATE_VERSION = 3
LATE_HISTOGRAM_VERSION = 4
_PREFIX = struct.Struct("<4sBI")

Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
UInt64s: TypeAlias = NDArray[np.uint64]
Float64s: TypeAlias = NDArray[np.float64]

STALE_BITS = 0x7FF0000000000002
"""Prometheus's stale marker: "this series ended here". Compare bits, never values: it is a NaN."""


class _Head(msgspec.Struct, array_like=True, frozen=True):
    topic: str
    partition: int
    watermark: int
    record_time: int
    series: int
    samples: int
    label_bytes: int
    idle: bool = False


class _LongerHead(_Head, array_like=True, frozen=True):
    histogram_bytes: int = 0


_encode_histograms = msgspec.msgpack.Encoder().encode
_decode_histograms = msgspec.msgpack.Decoder(list[NativeHistogram]).decode


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples of one source partition as columns.

    Attributes:
        topic: source topic of the samples.
        partition: source partition.
        watermark: event time in ms before which this source partition brings nothing more.
        record_time: largest Kafka record time, in ms, among the records read so far of this source partition.
        fingerprints: uint64[k], fingerprint of each label set.
        label_bytes: k canonical encodings of the label sets (`encode_labels`).
        series: uint32[n], for each sample the index of its label set.
        times: int64[n], event time in ms.
        values: float64[n]; one that is a handle names a histogram by its index.
        offsets: int64[n], source offset of each sample, ascending.
        idle: the source partition has nothing to read: until its next batch it holds nobody back.
        histograms: native histograms among the samples.
        late_at: int64[n], None where the samples were in time; in a batch of late ones, for each the watermark of its
            source partition when its record came, which it is behind.

    """

    topic: str
    partition: int
    watermark: int
    record_time: int
    fingerprints: UInt64s
    label_bytes: Sequence[bytes]
    series: UInt32s
    times: Int64s
    values: Float64s
    offsets: Int64s
    idle: bool = False
    histograms: Sequence[NativeHistogram] = ()
    late_at: Int64s | None = None

    def __len__(self) -> int:
        return len(self.times)

    def labels(self, index: int) -> Labels:
        """Label set number `index` of the dictionary."""
        return decode_labels(self.label_bytes[index])

    def keep(self, mask: NDArray[np.bool_]) -> "SampleBatch":
        """The samples where the mask is true; the dictionary stays whole."""
        return SampleBatch(
            self.topic,
            self.partition,
            self.watermark,
            self.record_time,
            self.fingerprints,
            self.label_bytes,
            self.series[mask],
            self.times[mask],
            self.values[mask],
            self.offsets[mask],
            self.idle,
            self.histograms,
            None if self.late_at is None else self.late_at[mask],
        )


def make_batch(
    topic: str,
    partition: int,
    *,
    watermark: int,
    record_time: int,
    samples: Sequence[tuple[Labels, int, float, int]] = (),
    idle: bool = False,
) -> SampleBatch:
    """Batch of (labels, time, value, offset) tuples: for tests, small producers and backtests."""
    index: dict[Labels, int] = {}
    series = [index.setdefault(labels, len(index)) for labels, *_ in samples]
    encoded = [encode_labels(labels) for labels in index]
    return SampleBatch(
        topic,
        partition,
        watermark,
        record_time,
        np.array([fingerprint_bytes(b) for b in encoded], np.uint64),
        encoded,
        np.array(series, np.uint32),
        np.array([s[1] for s in samples], np.int64),
        np.array([s[2] for s in samples], np.float64),
        np.array([s[3] for s in samples], np.int64),
        idle,
    )


def encode_batch(batch: SampleBatch) -> bytes:
    """Binary form of a batch."""
    texts = LabelTexts.of(batch.label_bytes)
    facts = (
        batch.topic,
        batch.partition,
        batch.watermark,
        batch.record_time,
        len(batch.fingerprints),
        len(batch),
        texts.ends.item(-1),
        batch.idle,
    )
    is_late = batch.late_at is not None
    late = b"" if batch.late_at is None else batch.late_at.astype("<i8", copy=False).tobytes()
    version, more, written = LATE_VERSION if is_late else VERSION, b"", _Head(*facts)
    if batch.histograms:
        more = _encode_histograms(batch.histograms)
        version = LATE_HISTOGRAM_VERSION if is_late else HISTOGRAM_VERSION
        written = _LongerHead(*facts, len(more))
    head = msgspec.msgpack.encode(written)
    return b"".join(
        (
            _PREFIX.pack(MAGIC, version, len(head)),
            head,
            batch.fingerprints.astype("<u8", copy=False).tobytes(),
            texts.ends.astype("<u4", copy=False).tobytes(),
            texts.whole,
            batch.series.astype("<u4", copy=False).tobytes(),
            batch.times.astype("<i8", copy=False).tobytes(),
            batch.values.astype("<f8", copy=False).tobytes(),
            batch.offsets.astype("<i8", copy=False).tobytes(),
            late,
            more,
        )
    )


def _refuse(detail: str) -> DecodeError:
    return DecodeError(DeadLetterReason.UNKNOWN_RECORD, detail)


def decode_batch(data: bytes) -> SampleBatch:
    """Inverse of `encode_batch`; the columns are read-only views of `data`.

    Raises:
        DecodeError: wrong magic number, a version of the future, or lengths that do not fit.

    """
    if len(data) < _PREFIX.size:
        raise _refuse(f"{len(data)} bytes are no sample batch")
    magic, version, head_length = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise _refuse(f"magic number {magic!r} instead of {MAGIC!r}")
    if not VERSION <= version <= LATE_HISTOGRAM_VERSION:
        known = f"{VERSION} to {LATE_HISTOGRAM_VERSION}"
        raise _refuse(f"sample batch of version {version}, this code reads {known}")
    at = _PREFIX.size + head_length
    is_late = version in (LATE_VERSION, LATE_HISTOGRAM_VERSION)
    kind = _LongerHead if version in (HISTOGRAM_VERSION, LATE_HISTOGRAM_VERSION) else _Head
    try:
        head = msgspec.msgpack.decode(data[_PREFIX.size : at], type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refuse(f"head of sample batch: {error}") from error
    k, n = head.series, head.samples
    more = head.histogram_bytes if isinstance(head, _LongerHead) else 0
    each = 4 + 8 + 8 + 8 + (8 if is_late else 0)
    if min(k, n, head.label_bytes, more) < 0 or (
        len(data) != at + k * 8 + (k + 1) * 4 + head.label_bytes + n * each + more
    ):
        raise _refuse("length of sample batch does not fit its head")
    fingerprints = np.frombuffer(data, "<u8", k, at)
    at += k * 8
    ends = np.frombuffer(data, "<u4", k + 1, at)
    at += (k + 1) * 4
    if ends[0] != 0 or ends[-1] != head.label_bytes or (ends[1:] < ends[:-1]).any():
        raise _refuse("label offsets of sample batch do not fit")
    label_bytes = LabelTexts(data, at, ends)
    at += head.label_bytes
    series = np.frombuffer(data, "<u4", n, at)
    if n and int(series.max()) >= k:
        raise _refuse("series index of sample batch out of range")
    at += n * 4
    times = np.frombuffer(data, "<i8", n, at)
    values = np.frombuffer(data, "<f8", n, at + n * 8)
    offsets = np.frombuffer(data, "<i8", n, at + n * 16)
    histograms: Sequence[NativeHistogram] = ()
    if isinstance(head, _LongerHead):
        histograms = _read_histograms(data[len(data) - more :], values)
    return SampleBatch(
        head.topic,
        head.partition,
        head.watermark,
        head.record_time,
        fingerprints,
        label_bytes,
        series,
        times,
        values,
        offsets,
        head.idle,
        histograms,
        np.frombuffer(data, "<i8", n, at + n * 24) if is_late else None,
    )


def _read_histograms(data: bytes, values: Float64s) -> list[NativeHistogram]:
    """Histograms of a batch, of which these values name no others."""
    try:
        found = _decode_histograms(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refuse(f"histograms of sample batch: {error}") from error
    named = numbers_of(values[is_handle(values)])
    if int(named.max(initial=-1)) >= len(found):
        raise _refuse("a sample names a histogram that is not in its batch")
    return found
