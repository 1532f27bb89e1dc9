"""The format `samples`: the binary form of tocsin.samples, written by producers of telemetry.

Whole columns are taken over as they stand; no loop runs over samples. A label set is checked when its fingerprint is
first seen: it must be canonical, hash to that fingerprint and keep the limits; from then on its fingerprint stands for
it. A record whose dictionary is wrong is refused whole; a label set that breaks a limit is refused alone, in one
refusal for all its samples. Topic, partition, watermark, record time and offsets in the batch are ours to say, so
what a producer wrote there is not read.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.fingerprints import FingerprintIndex
from schemas.handles import is_handle, numbers_of
from schemas.histograms import NativeHistogram, find_fault
from schemas.labels import METRIC, decode_labels, encode_labels, fingerprint_bytes, make_labels
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.samples import MAGIC, STALE_BITS, SampleBatch, decode_batch
from schemas.wire.columns import WHOLE, Columns, Refusal
from schemas.wire.format import Format, count_fault, of_chunk, of_record, refusals, size_fault
from schemas.wire.interner import Interner

CONTENT_TYPE = "application/vnd.tocsin.samples"
_FORM = b"#"
"""Before a fingerprint it makes a raw form that is none of JSON, where the interner is shared with native records."""


class Samples:
    """Decoder of sample batches."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._known = FingerprintIndex()
        self._resets = -1

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        if self._resets != interner.resets:
            self._known, self._resets = FingerprintIndex(), interner.resets
        parts: list[Columns] = []
        refused: list[Refusal] = []
        for at, value in enumerate(values):
            try:
                batch = self._read(value)
                ids = self._ids(at, batch, interner, refused)
            except DecodeError as error:
                refused.append(Refusal(at, WHOLE, error.reason, error.detail))
                continue
            series = ids[batch.series]
            part = of_record(at, series, batch.times, batch.values, np.arange(len(series)))
            whole = int(ids.min(initial=0)) >= 0
            if batch.histograms:
                whole = _add_histograms(part, batch.histograms) and whole
                refused += part.refused
            parts.append(part if whole else part.keep(part.series >= 0))
        return of_chunk(parts, refused)

    def _read(self, value: bytes | None) -> SampleBatch:
        if (fault := size_fault(value, self._limits)) is not None:
            raise DecodeError(*fault)
        try:
            batch = decode_batch(value or b"")
        except DecodeError as error:
            raise DecodeError(DeadLetterReason.MALFORMED, error.detail) from error
        if batch.late_at is not None:
            detail = "a batch of late samples: which are late is not for a producer to say"
            raise DecodeError(DeadLetterReason.MALFORMED, detail)
        if (fault := count_fault(len(batch), self._limits)) is not None:
            raise DecodeError(*fault)
        return batch

    def _ids(
        self, at: int, batch: SampleBatch, interner: Interner, refused: list[Refusal]
    ) -> NDArray[np.intp]:
        """Id of each label set of the dictionary, -1 for one that is refused."""
        ids = self._known.find(batch.fingerprints)
        if not len(ids) or int(ids.min()) >= 0:
            return ids
        unknown = np.flatnonzero(ids < 0)
        _, first = np.unique(batch.fingerprints[unknown], return_index=True)
        # in the order of the dictionary: at a limit the first come is served
        numbers = unknown[np.sort(first)]
        new = batch.fingerprints[numbers]
        # all of them, before the first is taken in: a record that is refused leaves no trace
        sets = [
            _read_set(batch.label_bytes[number], print_, interner)
            for number, print_ in zip(numbers.tolist(), new.tolist(), strict=True)
        ]
        taken = np.full(len(new), -1)
        faults: list[tuple[int, DecodeError]] = []
        for turn, (metric, raw, labels) in enumerate(sets):
            try:
                taken[turn] = interner.intern(metric, raw, labels)
            except DecodeError as error:
                faults.append((int(numbers[turn]), error))
        if faults:
            refused += refusals(at, faults, batch.series, np.arange(len(batch)))
        good = taken >= 0
        self._known.add(new[good], taken[good])
        return self._known.find(batch.fingerprints)


def _read_set(encoded: bytes, print_: int, interner: Interner) -> tuple[str, bytes, dict[str, str]]:
    """Metric, raw form and labels of a label set.

    Raises:
        DecodeError: its bytes are not canonical, or another's fingerprint stands beside them.

    """
    try:
        pairs = decode_labels(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(DeadLetterReason.MALFORMED, f"label set: {error}") from error
    labels = dict(pairs)
    metric = labels.pop(METRIC, "")
    raw = _FORM + print_.to_bytes(8, "big")
    if interner.get(metric, raw) >= 0:  # it was checked when it was first seen
        return metric, raw, labels
    if encode_labels(make_labels(pairs)) != encoded:
        raise DecodeError(DeadLetterReason.MALFORMED, f"label set not canonical: {encoded[:100]!r}")
    if fingerprint_bytes(encoded) != print_:
        raise DecodeError(
            DeadLetterReason.MALFORMED,
            f"fingerprint {print_:016x} is not that of {encoded[:100]!r}",
        )
    return metric, raw, labels


def _add_histograms(part: Columns, histograms: Sequence[NativeHistogram]) -> bool:
    """Let samples of a record name these histograms; whether all are good.

    A sample that names a bad one is refused alone, and has -1 for its id.
    """
    part.histograms = list(histograms)
    part.meant = is_handle(part.values) | (part.values.view(np.int64) == STALE_BITS)
    faults = {n: fault for n, each in enumerate(histograms) if (fault := find_fault(each))}
    if not faults:
        return True
    at = np.flatnonzero(is_handle(part.values) & (part.series >= 0))
    for sample, number in zip(at.tolist(), numbers_of(part.values[at]).tolist(), strict=True):
        if number in faults:
            part.series[sample] = -1
            record = part.records.item(sample)
            part.refuse(record, sample, DeadLetterReason.BAD_HISTOGRAM, faults[number])
    return False


SAMPLES = Format(Samples, (CONTENT_TYPE,), (MAGIC,))
