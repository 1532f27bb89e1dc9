"""Copying: what compiled code puts into a store is what the plain forms put there."""

from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.compiled import WORTH_CALLING, WORTH_LOADING, Lazily
from schemas.labels import TENANT, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.windows import arena, writing
from streams.windows.series import SeriesStore

ROWS = 2 * WORTH_CALLING
assert 3 * ROWS < WORTH_LOADING
STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])


def new_store(*, follows_ends: bool) -> SeriesStore:
    """A store of so many series, of little retention."""
    store = SeriesStore(max_series=ROWS, retention_ms=30)
    encoded = [
        encode_labels(make_labels({"__name__": "m", "i": str(i), TENANT: "t"})) for i in range(ROWS)
    ]
    store.rows(np.array([fingerprint_bytes(each) for each in encoded], np.uint64), encoded)
    if follows_ends:
        assert len(store._arena.ends.fell) >= ROWS
    return store


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.booleans(), st.sampled_from([0.0, 0.01]))
def test_samples_come_to_the_same_places(seed: int, follows_ends: bool, stale: float) -> None:
    """A store has the samples, ends and markers, and the room for each series, of one without compiled code."""
    draw = np.random.default_rng(seed)
    swift, plain = (new_store(follows_ends=follows_ends) for _ in range(2))
    # not loaded, and never enough rows at once to load it
    unloaded = Lazily[Any]("streams.windows.copying", "")
    for step in range(12):
        rows = np.sort(draw.integers(0, ROWS, 3 * ROWS))
        times = step * 10 + draw.integers(0, 10, len(rows))
        times = times[np.lexsort((times, rows))]
        values = draw.normal(0.0, 1.0, len(rows))
        values[draw.random(len(rows)) < stale] = STALE
        writing.PUT_PLAIN.load()
        arena.COPY.load()
        taken = swift.append(rows, times, values)
        with patch.object(writing, "PUT_PLAIN", unloaded), patch.object(arena, "COPY", unloaded):
            assert plain.append(rows, times, values).tolist() == taken.tolist()
    for name, column in plain.snapshot().items():
        assert column.tobytes() == swift.snapshot()[name].tobytes(), name
    for name in ("head", "tail", "limit", "origin"):
        assert getattr(plain._arena, name).tolist() == getattr(swift._arena, name).tolist(), name
    for name in ("fell", "newest_ms", "newest"):
        ours, theirs = (getattr(each._arena.ends, name) for each in (swift, plain))
        assert ours.tobytes() == theirs.tobytes(), name
