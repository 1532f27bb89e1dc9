"""Records through the decoder, and what came out as plain values."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from schemas.config import LimitsConfig
from schemas.handles import is_handle, numbers_of
from schemas.labels import METRIC, TENANT, decode_labels
from schemas.wire.columns import Columns
from schemas.wire.interner import Identity, Interner
from schemas.wire.otlp.records import Otlp
from tests.schemas.wire.otlp.reference import Sample

PLACE = "telemetry-3"
GOLDEN: dict[str, dict[str, list[bytes]]] = {
    name: {signal: list(map(base64.b64decode, texts)) for signal, texts in signals.items()}
    for name, signals in json.loads(
        (Path(__file__).parent / "golden" / "records.json").read_text(encoding="utf-8")
    ).items()
}


class Reading:
    """A decoder with an interner of its own."""

    def __init__(self, **limits: int) -> None:
        self.limits = LimitsConfig(**limits)
        self.interner = Interner(Identity(partitions=4), self.limits)
        self.decoder = Otlp(self.limits)
        self.decoder.begin("telemetry", 3)

    def decode(self, *values: bytes | None) -> Columns:
        """Columns of these records."""
        return self.decoder.decode(list(values), self.interner)

    def samples(self, *values: bytes | None) -> list[Sample]:
        """Samples of these records, none of which is refused."""
        columns = self.decode(*values)

        assert [] == columns.refused
        return self.plain(columns)

    def plain(self, columns: Columns) -> list[Sample]:
        """Samples as plain values; a native histogram is its count."""
        numbers = columns.values.copy()
        named = is_handle(numbers)
        numbers[named] = [columns.histograms[n].count for n in numbers_of(numbers[named]).tolist()]
        found: list[Sample] = []
        for id_, time, value in zip(
            columns.series.tolist(), columns.times.tolist(), numbers.tolist(), strict=True
        ):
            labels = dict(decode_labels(self.interner.label_bytes[id_]))
            labels.pop(TENANT)
            found.append((labels.pop(METRIC), tuple(sorted(labels.items())), time, repr(value)))
        return found

    def cut(self, values: Sequence[bytes], at: Sequence[int]) -> list[Sample]:
        """Samples of records that come in several chunks; between them the decoder is stored and brought back."""
        found: list[Sample] = []
        for first, last in zip([0, *at], [*at, len(values)], strict=True):
            found += self.plain(self.decode(*values[first:last]))
            stored = {k: np.array(c) for k, c in self.decoder.snapshot().items()}
            self.decoder = Otlp(self.limits)
            self.decoder.begin("telemetry", 3)
            self.decoder.restore(stored)
        return found


def as_json(value: object) -> bytes:
    """A record in JSON."""
    return msgspec.json.encode(value)
