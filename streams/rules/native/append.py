"""Histograms into the store; of each it is noted whether it goes on from the one before it without a reset."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from schemas.histograms import Hint, NativeHistogram
from schemas.samples import Float64s, Int64s
from streams.rules.native.arithmetic import is_reset
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag, is_handle
from streams.windows.series import BEFORE_ALL_MS, SeriesStore


def append_histograms(
    store: SeriesStore, rows: Int64s, times: Int64s, histograms: Sequence[NativeHistogram]
) -> Bools:
    """Take in histograms sorted by (row, time), as `SeriesStore.append` takes in floats; which of them were taken."""
    told: list[NativeHistogram] = []
    before = _latest(store, rows)
    for at, histogram in enumerate(histograms):
        again = at > 0 and rows[at] == rows[at - 1]
        told.append(_told(histogram, histograms[at - 1] if again else before.get(int(rows[at]))))
    taken = store.append(rows, times, store.bag.hold(told))
    store.forget_histograms()
    return taken


def append_mixed(
    store: SeriesStore, rows: Int64s, times: Int64s, values: Float64s, bag: Bag
) -> None:
    """Take in values, distinct rows ascending, of which some name histograms of a bag."""
    mask = bag.mask(values)
    if mask is None:
        store.append(rows, times, values)
        return
    store.append(rows[~mask], times[~mask], values[~mask])
    append_histograms(store, rows[mask], times[mask], bag.get(values[mask]))


def _latest(store: SeriesStore, rows: Int64s) -> dict[int, NativeHistogram]:
    """The newest histogram of each row whose newest sample is one."""
    known = np.unique(rows[rows >= 0])
    if not len(store.bag) or not len(known):
        return {}
    newest = store.instant(known, store.newest_ms, store.newest_ms - BEFORE_ALL_MS // 2)
    there = is_handle(newest.values) & newest.valid
    found = store.bag.get(newest.values[there])
    return dict(zip(known[there].tolist(), found, strict=True))


def _told(histogram: NativeHistogram, before: NativeHistogram | None) -> NativeHistogram:
    """Not reset where it goes on in the layout of the one before; else unknown, as where Prometheus begins a chunk."""
    if histogram.hint is Hint.GAUGE:
        return histogram
    plain = replace(histogram, hint=Hint.UNKNOWN)
    if before is None or before.hint is Hint.GAUGE or histogram.hint is Hint.RESET:
        return plain
    layouts = {(each.schema, each.zero_threshold, each.bounds) for each in (plain, before)}
    if len(layouts) > 1 or is_reset(plain, before):
        return plain
    return replace(plain, hint=Hint.NOT_RESET)
