"""The format `remote_write`: the body of a Prometheus remote write request, 1.0 or 2.0, as the value of a record.

Samples stay as they were sent: stale markers end a series, NaN and infinity are values, native histograms go through
whole. Metadata and start times are passed over; so are exemplars, which are counted. A label set is read when it is
first seen; from then on its key stands for it.

A record that is no request is refused whole; a label set that breaks a limit is refused alone, in one refusal for all
its samples of a record; so is a histogram that contradicts itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.labels import METRIC, encode_labels, make_labels
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns, Refusal
from schemas.wire.format import Format, count_fault, of_chunk, refusals
from schemas.wire.interner import Interner
from schemas.wire.remote_write.body import Body, Buffer, claims, read_body, unpack
from schemas.wire.remote_write.fields import behind, split
from schemas.wire.remote_write.labels import (
    LABEL_1,
    LabelSets,
    NumberedLabels,
    Symbols,
    WrittenLabels,
    read_labels,
)
from schemas.wire.remote_write.samples import EXEMPLAR, HISTOGRAM, read_samples

_MOST_SYMBOL_BYTES = 1 << 25
_GROUP_BYTES = 1 << 16
"""Bodies are read together until they come to this: small ones then cost little, and large ones stay in the cache."""


class RemoteWrite:
    """Decoder of remote write requests."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._symbols = Symbols(_MOST_SYMBOL_BYTES)
        self._known: dict[int, dict[bytes, int]] = {1: {}, 2: {}}
        self._epochs = (-1, -1)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        self._symbols.tidy()
        epochs = (interner.resets, self._symbols.resets)
        if self._epochs != epochs or sum(map(len, self._known.values())) > 2 * self._limits.series:
            self._epochs = epochs
            self._known = {1: {}, 2: {}}
        refused: list[Refusal] = []
        parts = [self._read(same, interner) for same in self._groups(values, refused)]
        refused += [refusal for part in parts for refusal in part.refused]
        if len(parts) == 1:
            parts[0].refused = refused
            return parts[0]
        return of_chunk(parts, refused)

    def _groups(
        self, values: Sequence[bytes | None], refused: list[Refusal]
    ) -> Iterator[list[Body]]:
        """Bodies of one version that follow one another, small ones together."""
        bodies: list[Body] = []
        size = 0
        for at, value in enumerate(values):
            try:
                data = unpack(value, self._limits)
                body = read_body(at, data)
            except DecodeError as error:
                refused.append(Refusal(at, WHOLE, error.reason, error.detail))
                continue
            if bodies and (size > _GROUP_BYTES or body.version != bodies[0].version):
                yield bodies
                bodies, size = [], 0
            bodies.append(body)
            size += len(data)
        if bodies:
            yield bodies

    def _read(self, bodies: Sequence[Body], interner: Interner) -> Columns:
        """Samples of bodies of one version."""
        version = bodies[0].version
        buffer = Buffer(bodies)
        labels: LabelSets
        if version == 1:
            ends = behind(buffer.data, buffer.starts, buffer.ends, LABEL_1)
            fields, bad = split(buffer.data, ends, buffer.ends)
            labels = WrittenLabels(buffer, ends, fields)
        else:
            fields, bad = split(buffer.data, buffer.starts, buffer.ends)
            labels = NumberedLabels(buffer, fields, bodies, self._symbols)
        samples = read_samples(buffer, fields, HISTOGRAM[version], bad)
        body = buffer.body[samples.owner]
        counts = np.bincount(body, minlength=len(bodies))
        bad |= labels.bad
        whole = self._faults(buffer.body[bad], counts)
        records = np.array([each.record for each in bodies], np.intp)
        columns = Columns(
            np.zeros(0, np.intp),
            samples.times,
            samples.values,
            records[body],
            np.arange(len(body)) - (counts.cumsum() - counts)[body],
            [Refusal(records.item(at), WHOLE, *fault) for at, fault in whole.items()],
            meant=samples.meant,
            histograms=samples.histograms,
        )
        if exemplars := int(np.count_nonzero(fields.tag == EXEMPLAR[version])):
            columns.ignored[IgnoreReason.EXEMPLAR] = exemplars
        refused = np.isin(buffer.body, list(whole)) if whole else bad
        ids, faults = self._ids(version, labels, samples.owner, refused, interner)
        columns.series = ids[samples.owner]
        for at, told in _by_body(faults, buffer.body).items():
            here = slice(*np.searchsorted(body, (at, at + 1)))
            columns.refused += refusals(
                records.item(at), told, samples.owner[here], columns.items[here]
            )
        for sample, fault in samples.faults.items():
            if columns.series[sample] >= 0:
                columns.series[sample] = -1
                place = columns.records.item(sample), columns.items.item(sample)
                columns.refuse(*place, DeadLetterReason.BAD_HISTOGRAM, fault)
        if int(columns.series.min(initial=0)) >= 0:
            return columns
        return columns.keep(columns.series >= 0)

    def _faults(
        self, bad: NDArray[np.intp], counts: NDArray[np.intp]
    ) -> dict[int, tuple[DeadLetterReason, str]]:
        """Which bodies are refused whole, and why: those with a bad series, and those with too many samples."""
        detail = "a series that is no message"
        found = dict.fromkeys(sorted(set(bad.tolist())), (DeadLetterReason.MALFORMED, detail))
        if int(counts.max()) <= self._limits.samples_per_message:
            return found
        for at in np.flatnonzero(counts > self._limits.samples_per_message).tolist():
            fault = count_fault(int(counts[at]), self._limits)
            if fault is not None:
                found.setdefault(at, fault)
        return found

    def _ids(
        self,
        version: int,
        labels: LabelSets,
        owner: NDArray[np.intp],
        refused: NDArray[np.bool_],
        interner: Interner,
    ) -> tuple[NDArray[np.intp], dict[int, DecodeError]]:
        """Id of each series that has a sample, -1 where it is refused or has none; and why the label set is refused."""
        known, keys = self._known[version], labels.keys()
        ids = np.fromiter(map(known.get, keys, repeat(-1)), np.intp, len(keys))
        faults: dict[int, DecodeError] = {}
        if int(ids.min(initial=0)) >= 0 and not refused.any():
            return ids, faults
        ids[refused] = -1
        wanted = np.zeros(len(keys), np.bool_)
        wanted[owner] = True
        for series in np.flatnonzero((ids < 0) & wanted & ~refused).tolist():
            key = keys[series]
            try:
                if key not in known:
                    metric, found = read_labels(labels.pairs(series))
                    named = make_labels(found | {METRIC: metric})
                    form = key if version == 1 else encode_labels(named)
                    known[key] = interner.intern(metric, form, found)
                ids[series] = known[key]
            except DecodeError as error:
                faults[series] = error
        return ids, faults


def _by_body(
    faults: Mapping[int, DecodeError], body: NDArray[np.intp]
) -> dict[int, list[tuple[int, DecodeError]]]:
    """Faults of series by the body in which they stand."""
    found: dict[int, list[tuple[int, DecodeError]]] = {}
    for series, error in faults.items():
        found.setdefault(body.item(series), []).append((series, error))
    return found


REMOTE_WRITE = Format(RemoteWrite, claims=claims)
