"""Remote write requests for tests: series written in either version, packed."""

import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cramjam

from benchmarks.messages import WRITE_1, WRITE_2, make
from schemas.config import LimitsConfig
from schemas.labels import METRIC, decode_labels
from schemas.wire.columns import Columns
from schemas.wire.interner import Identity, Interner
from schemas.wire.remote_write.decoder import RemoteWrite

FIRST, SECOND = make(WRITE_1), make(WRITE_2)
GOLDEN = Path(__file__).parent / "golden" / "prometheus.json"
NOW = 1_760_000_000_000


HISTOGRAM = {
    "count_int": 3,
    "sum": 4.5,
    "positive_spans": [{"length": 1}],
    "positive_deltas": [3],
    "timestamp": NOW + 500,
}
"""A native histogram of one bucket."""


class Series(NamedTuple):
    """A series of a request: labels in the order in which they are written, samples, and how many exemplars."""

    labels: Sequence[tuple[str, str]]
    samples: Sequence[tuple[float, int]] = ()
    histograms: Sequence[dict[str, Any]] = ()
    exemplars: int = 0


def series(metric: str, *values: float, start: int = NOW, **labels: str) -> Series:
    """A series with these values, a second apart."""
    pairs = sorted({METRIC: metric, **labels}.items())
    return Series(pairs, [(value, start + 1000 * n) for n, value in enumerate(values)])


def body(version: int, *given: Series) -> bytes:
    """A request, not packed."""
    samples = [[{"value": v, "timestamp": t} for v, t in each.samples] for each in given]
    if version == 1:
        return FIRST["WriteRequest"](
            timeseries=[
                {
                    "labels": [{"name": name, "value": text} for name, text in each.labels],
                    "samples": mine,
                    "histograms": each.histograms,
                    "exemplars": [{"value": 1.0}] * each.exemplars,
                }
                for each, mine in zip(given, samples, strict=True)
            ]
        ).SerializeToString()
    symbols: dict[str, int] = {"": 0}
    made = [
        {
            "labels_refs": [
                symbols.setdefault(text, len(symbols)) for pair in each.labels for text in pair
            ],
            "samples": mine,
            "histograms": each.histograms,
            "exemplars": [{"value": 1.0}] * each.exemplars,
            "metadata": {"type": 1, "help_ref": symbols.setdefault("Some help.", len(symbols))},
        }
        for each, mine in zip(given, samples, strict=True)
    ]
    return SECOND["Request"](symbols=list(symbols), timeseries=made).SerializeToString()


def pack(data: bytes) -> bytes:
    """A snappy block of it."""
    return bytes(cramjam.snappy.compress_raw(data))


def request(version: int, *given: Series) -> bytes:
    """A request as it is sent."""
    return pack(body(version, *given))


def decode(*values: bytes | None, **limits: int) -> tuple[Columns, Interner]:
    """Columns of these record values."""
    config = LimitsConfig(**limits)
    interner = Interner(Identity(partitions=4), config)
    return RemoteWrite(config).decode(list(values), interner), interner


def names(columns: Columns, interner: Interner) -> list[dict[str, str]]:
    """Label set of each sample, without its tenant."""
    found = [dict(decode_labels(interner.label_bytes[at])) for at in columns.series.tolist()]
    return [{n: v for n, v in labels.items() if n != "__tenant__"} for labels in found]


class Written(NamedTuple):
    """A request of the real Prometheus, and when it came, in ms since the epoch."""

    time: int
    value: bytes


def prometheus(version: int) -> list[Written]:
    """What the real Prometheus wrote in this version; golden/record.py makes it."""
    return [
        Written(each["time"], b64decode(each["body"]))
        for each in json.loads(GOLDEN.read_text())["records"]
        if each["version"] == version
    ]
