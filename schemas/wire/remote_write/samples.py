"""Samples: the samples of the series of some requests as columns in the order of the log, native histograms among them.

A sample is as it was sent: a stale marker stays one, NaN and infinity are values. Refuses messages that are none by
their series, and a histogram that contradicts itself alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.handles import make_handles
from schemas.histograms import NativeHistogram
from schemas.reasons import DeadLetterReason
from schemas.samples import STALE_BITS, Float64s, Int64s
from schemas.wire.columns import settled
from schemas.wire.remote_write.body import Body, Buffer
from schemas.wire.remote_write.fields import (
    Bytes,
    Fields,
    anywhere,
    read_doubles,
    read_varints,
    split,
)
from schemas.wire.remote_write.histogram import read_histogram
from schemas.wire.remote_write.message import malformed

SAMPLE = 0x12
HISTOGRAM = {1: 0x22, 2: 0x1A}
"""Tag of a histogram in a series, by version."""
EXEMPLAR = {1: 0x1A, 2: 0x22}
_VALUE, _TIME = 0x09, 0x10
_TIME_BYTES = 6
_SHAPE, _USUAL = 0x80_80_80_80_80_80_FF, 0x00_80_80_80_80_80_00 | _TIME
_STALE = np.array(STALE_BITS).view(np.float64)


class Samples(NamedTuple):
    """Samples of some series.

    Attributes:
        owner: intp[m], number of the series.
        times: int64[m], event time in ms.
        values: float64[m]; a handle names one of `histograms`.
        meant: bool[m], as in `Columns`.
        histograms: the native histograms.
        faults: what is wrong with samples that are to be refused, by their number.

    """

    owner: NDArray[np.intp]
    times: Int64s
    values: Float64s
    meant: NDArray[np.bool_] | None
    histograms: list[NativeHistogram]
    faults: dict[int, str]


def read_samples(buffer: Buffer, fields: Fields, histogram: int, bad: NDArray[np.bool_]) -> Samples:
    """Samples among the fields of series; `histogram` is the tag of a histogram.

    What of a series is no message is noted in `bad`.
    """
    mine = fields.of(SAMPLE)
    times, values, wrong = _read_plain(buffer.data, mine)
    bad[mine.owner[wrong]] = True
    values, meant = settled(values)
    found = Samples(mine.owner, times, values, meant, [], {})
    at = mine.at
    theirs = fields.of(histogram)
    if len(theirs.owner):
        found = _with_histograms(found, buffer, theirs, bad)
        at = np.concatenate((at, theirs.at))
    if (at[1:] > at[:-1]).all():
        return found
    order = np.argsort(at)
    place = np.argsort(order)
    return Samples(
        found.owner[order],
        found.times[order],
        found.values[order],
        None if found.meant is None else found.meant[order],
        found.histograms,
        {place.item(number): fault for number, fault in found.faults.items()},
    )


def _read_plain(data: Bytes, mine: Fields) -> tuple[Int64s, Float64s, NDArray[np.bool_]]:
    """Times and values of samples, and which are no message."""
    # nearly all: a value, unless that is 0, and a time of six bytes, which are those from 2004 on to 2109
    valued = data[mine.start] == _VALUE
    at = mine.start + 9 * valued
    written = anywhere(data, "<i8")[at]
    usual = (mine.end - at == 1 + _TIME_BYTES) & ((written & _SHAPE) == _USUAL)
    times = (written >> 8) & 0x7F
    for number in range(1, _TIME_BYTES):
        times |= (written >> (8 + number)) & (0x7F << 7 * number)
    values = np.where(valued, read_doubles(data, mine.start + 1), 0.0)
    bad = np.zeros(len(at), np.bool_)
    others = (~usual).nonzero()[0]
    if len(others):
        fields, bad[others] = split(data, mine.start[others], mine.end[others])
        values[others], times[others] = 0.0, 0
        given = fields.of(_VALUE)
        values[others[given.owner]] = read_doubles(data, given.start)
        given = fields.of(_TIME)
        times[others[given.owner]] = read_varints(data, given.start)[0]
    return times, values, bad


def _with_histograms(
    found: Samples, buffer: Buffer, theirs: Fields, bad: NDArray[np.bool_]
) -> Samples:
    """The samples, and behind them the histograms in these fields."""
    count, first = len(theirs.owner), len(found.owner)
    times = np.zeros(count, np.int64)
    values = np.full(count, np.nan)
    histograms: list[NativeHistogram] = []
    faults: dict[int, str] = {}
    named: list[int] = []
    for number in range(count):
        try:
            timed = read_histogram(buffer.text[theirs.start[number] : theirs.end[number]])
        except DecodeError as error:
            if error.reason is DeadLetterReason.MALFORMED:
                bad[theirs.owner[number]] = True
            else:
                faults[first + number] = error.detail
            continue
        times[number] = timed.time
        if timed.histogram is None:
            values[number] = _STALE
        else:
            named.append(number)
            histograms.append(timed.histogram)
    values[named] = make_handles(len(named))
    meant = np.zeros(first, np.bool_) if found.meant is None else found.meant
    return Samples(
        np.concatenate((found.owner, theirs.owner)),
        np.concatenate((found.times, times)),
        np.concatenate((found.values, values)),
        np.concatenate((meant, np.ones(count, np.bool_))),
        histograms,
        faults,
    )


def count_parts(body: Body) -> dict[str, int]:
    """How many `Samples`, `Histograms` and `Exemplars` a request has, as its sender is told.

    Raises:
        DecodeError: a series is no message.

    """
    buffer = Buffer([body])
    fields, bad = split(buffer.data, buffer.starts, buffer.ends)
    if bad.any():
        raise malformed("a series that is no message")
    tags = {
        "Samples": SAMPLE,
        "Histograms": HISTOGRAM[body.version],
        "Exemplars": EXEMPLAR[body.version],
    }
    return {name: int(np.count_nonzero(fields.tag == tag)) for name, tag in tags.items()}
