"""The benchmark of batched input compares like with like."""

import numpy as np
import pytest

from benchmarks import workload
from benchmarks.batched import FORMS, LIMITS, PRODUCERS, SAMPLES, chunk_of, parts
from schemas.labels import decode_labels
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import make_decoder


@pytest.mark.parametrize("name", FORMS)
def test_every_form_holds_the_same_samples(name: str) -> None:
    """What is decoded of a form are the samples that were drawn, series by series."""
    interner = Interner(Identity(), LIMITS)
    drawn = parts(PRODUCERS)
    values = [FORMS[name](part) for part in drawn]
    columns = make_decoder(name, LIMITS).decode(values, interner)
    services = [dict(decode_labels(text))["service"] for text in interner.label_bytes]
    expected = np.concatenate([part.rows for part in drawn])

    assert [] == columns.refused
    assert workload.SERIES == len(services)
    assert expected.tolist() == [int(services[row][-4:]) for row in columns.series.tolist()]
    assert np.concatenate([part.times for part in drawn]).tolist() == columns.times.tolist()
    assert np.concatenate([part.values for part in drawn]).tolist() == columns.values.tolist()


def test_no_sample_is_late_or_ahead() -> None:
    """Records are stamped with the beginning of the second that they cover."""
    drawn = parts(2 * PRODUCERS)
    values = [FORMS["samples"](part) for part in drawn]
    stamps = [t for first in range(0, len(values), 4) for t in chunk_of(values, first).timestamps]

    assert [0] * len(drawn) == [
        int(part.times.min()) - stamp for part, stamp in zip(drawn, stamps, strict=True)
    ]
    assert all(np.ptp(part.times) < 1_000 for part in drawn)
    assert {SAMPLES} == {len(part.rows) for part in drawn}
