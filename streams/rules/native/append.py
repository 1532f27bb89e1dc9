"""Histograms into the store; of each it is noted whether it goes on from the one before it without a reset."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from schemas.handles import is_handle
from schemas.histograms import Hint, NativeHistogram
from schemas.samples import Float64s, Int64s
from streams.rules.native.arithmetic import is_reset
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag
from streams.windows.series import BEFORE_ALL_MS, SeriesStore


def append_histograms(
    store: SeriesStore, rows: Int64s, times: Int64s, histograms: Sequence[NativeHistogram]
) -> Bools:
    """Take in histograms sorted by (row, time), as `SeriesStore.append` takes in floats; which of them were taken."""
    bag = Bag()
    return append_mixed(store, rows, times, bag.hold(histograms), bag)


def append_mixed(
    store: SeriesStore, rows: Int64s, times: Int64s, values: Float64s, bag: Bag
) -> Bools:
    """Take in values sorted by (row, time), of which some name histograms of a bag; which of them were taken."""
    mask = bag.mask(values)
    if mask is None:
        return store.append(rows, times, values)
    at = np.flatnonzero(mask)
    histograms = bag.get(values[at])
    before = _latest(store, rows[at])
    told: list[NativeHistogram] = []
    for turn, (place, histogram) in enumerate(zip(at.tolist(), histograms, strict=True)):
        last: NativeHistogram | None
        if place and rows[place] == rows[place - 1]:
            last = histograms[turn - 1] if mask[place - 1] else None
        else:
            last = before.get(int(rows[place]))
        told.append(_told(histogram, last))
    stored = values.copy()
    stored[at] = store.bag.hold(told)
    taken = store.append(rows, times, stored)
    store.forget_histograms()
    return taken


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
