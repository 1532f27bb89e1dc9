"""What holds of every decoder, whatever it is given."""

from collections.abc import Sequence

import numpy as np

from schemas.config import LimitsConfig
from schemas.config.options import OptionsConfig, RegistryConfig
from schemas.wire.asking import Asking
from schemas.wire.columns import Columns, Decoder, Remembering
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.registry import make_decoder
from tests.fuzz.corpus import GOOD, SCHEMAS

LIMITS = LimitsConfig(message_bytes=20_000, samples_per_message=500)
NEVER_EMPTY = frozenset({"confluent", "prometheus_adapter", "vector"})
"""Formats whose every record is a sample or a refusal; in the others one may hold nothing."""


def make(name: str) -> Decoder:
    """A decoder that knows where it reads, and the schemas of the corpus."""
    options = OptionsConfig(registry=RegistryConfig(url="http://registry.example.com"))
    decoder = make_decoder(name, LIMITS, options)
    if isinstance(decoder, Remembering):
        decoder.begin("telemetry", 0)
    if isinstance(decoder, Asking):
        decoder.learn(SCHEMAS)
    return decoder


def new_interner() -> Interner:
    """An interner that knows nothing yet."""
    return Interner(Identity(), LIMITS)


def check_chunk(name: str, values: Sequence[bytes | None], *, good: bool = False) -> None:
    """Fail unless a chunk is decoded as every chunk must be, between two good records where there are any."""
    # what OTLP's logs and spans are counted into comes with a later record
    border = [] if name.startswith("otlp") else GOOD.get(name, [])[:1]
    alone = len(make(name).decode(border, new_interner()).values) if border else 0
    chunk = [*border, *values, *border]
    interner = new_interner()
    columns = make(name).decode(chunk, interner)
    check_columns(name, chunk, columns, interner)
    first, last = (int((columns.records == at).sum()) for at in (0, len(chunk) - 1))
    if border:
        assert (alone, alone) == (first, last), "a neighbour was not read"
    if good:
        assert [] == columns.refused
        assert not border or set(range(len(chunk))) == set(columns.records.tolist())


def check_columns(
    name: str, chunk: Sequence[bytes | None], columns: Columns, interner: Interner
) -> None:
    """Fail unless these are columns of that chunk."""
    count = len(columns.values)
    assert {count} == {
        len(c) for c in (columns.series, columns.times, columns.records, columns.items)
    }
    assert (np.diff(columns.records) >= 0).all(), "records out of order"
    if count:
        assert 0 <= columns.series.min() <= columns.series.max() < len(interner)
        assert 0 <= columns.records[0] <= columns.records[-1] < len(chunk)
    assert all(0 <= refusal.record < len(chunk) for refusal in columns.refused)
    if name in NEVER_EMPTY:
        seen = set(columns.records.tolist()) | {refusal.record for refusal in columns.refused}
        assert set(range(len(chunk))) == seen, "a record left no trace"
