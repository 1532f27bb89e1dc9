"""Chunks through a decoder, and what came of them in a form that tests can compare."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.config import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.records import Headers
from schemas.wire.columns import Columns, Decoder
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.registry import make_decoder

GOLDEN = Path(__file__).parent / "golden"


class Sample(NamedTuple):
    """A sample: metric with labels as Prometheus writes them, event time in ms, value."""

    series: str
    time: int
    value: float


class Decoded(NamedTuple):
    """What came of a chunk: samples, refusals as (record, item, reason), and the columns themselves."""

    samples: list[Sample]
    refused: list[tuple[int, int, str]]
    columns: Columns


def decode(
    name: str,
    *values: bytes | None,
    headers: Sequence[Headers] | None = None,
    options: OptionsConfig | None = None,
    **limits: int,
) -> Decoded:
    """What a new decoder of this format makes of a chunk."""
    config = LimitsConfig(**limits)
    decoder = make_decoder(name, config, options)
    return decode_with(decoder, values, headers, Interner(Identity(), config))


def decode_with(
    decoder: Decoder,
    values: Sequence[bytes | None],
    headers: Sequence[Headers] | None = None,
    interner: Interner | None = None,
) -> Decoded:
    """What this decoder makes of a chunk."""
    if interner is None:
        interner = Interner(Identity(), LimitsConfig())
    columns = decoder.decode(values, interner, headers)
    samples = [
        Sample(show(interner.label_bytes[series]), time, value)
        for series, time, value in zip(
            columns.series.tolist(), columns.times.tolist(), columns.values.tolist(), strict=True
        )
    ]
    refused = [(r.record, r.item, r.reason.value) for r in sorted(columns.refused)]
    return Decoded(samples, refused, columns)


def show(label_bytes: bytes) -> str:
    """A label set as Prometheus writes it, without the tenant."""
    labels = dict(json.loads(label_bytes))
    name = labels.pop("__name__")
    del labels["__tenant__"]
    inner = ",".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name


def golden(name: str) -> list[bytes]:
    """Values of the records in a golden file, as `kcat -J` wrote them down."""
    lines = (GOLDEN / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line)["payload"].encode() for line in lines]
