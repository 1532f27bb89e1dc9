"""Stamps: RFC 3339 texts to milliseconds, a whole column at once where all of them are in UTC.

The column way and the one for a single text are the same arithmetic on whole microseconds, so it does not matter which
of them reads a text. What is no time gives -1, and so does a time without a zone, which is nobody's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAST, _MOST = len("2026-01-01T00:00:00Z"), len("2026-01-01T00:00:00.123456789Z")
_MARKS = {4: ord("-"), 7: ord("-"), 10: ord("T"), 13: ord(":"), 16: ord(":")}
_DIGITS = [at for at in range(_LEAST - 1) if at not in _MARKS]
_SECOND_END = _LEAST - 1
_ZERO, _NINE, _POINT, _UTC = b"09.Z"
_FRACTION = 10 ** np.arange(5, -1, -1)


def texts_ms(texts: Sequence[str]) -> NDArray[np.int64]:
    """Event time in ms, to the nearest, of each text."""
    found = _all_utc(texts)
    if found is None:
        found = np.fromiter(map(_microseconds, texts), np.int64, len(texts))
    # halves to the even one, as Python rounds
    ms, rest = np.divmod(found, 1000)
    ms += (rest > 500) | ((rest == 500) & (ms % 2 == 1))
    return np.where(found < 0, -1, ms)


def _microseconds(text: str) -> int:
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return -1
    return -1 if stamp.tzinfo is None else (stamp - _EPOCH) // _MICROSECOND


def _all_utc(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Microseconds of texts that are all of the form `2026-01-01T00:00:00[.123456789]Z`; None of any others."""
    try:
        column = np.array(texts, np.bytes_)
    except UnicodeEncodeError:
        return None
    if not _LEAST <= column.itemsize <= _MOST or not len(column):
        return None
    chars = column.view(np.uint8).reshape(len(column), column.itemsize)
    digits = chars - _ZERO
    numbers = digits[:, _DIGITS]
    if numbers.max() > _NINE - _ZERO or any((chars[:, at] != c).any() for at, c in _MARKS.items()):
        return None
    ends = np.argmax(chars == _UTC, axis=1)
    fraction = _fraction(chars, digits, ends)
    if fraction is None:
        return None
    parts = numbers.astype(np.int64)
    year = parts[:, 0] * 1000 + parts[:, 1] * 100 + parts[:, 2] * 10 + parts[:, 3]
    month, day, hour, minute, second = (
        parts[:, at] * 10 + parts[:, at + 1] for at in range(4, 14, 2)
    )
    months = (year - 1970) * 12 + month - 1
    start, after = (
        m.astype("M8[M]").astype("M8[D]").astype(np.int64) for m in (months, months + 1)
    )
    good = (year > 1969) & (month > 0) & (month < 13) & (day > 0) & (day <= after - start)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = ((start + day - 1) * 24 + hour) * 3600 + minute * 60 + second
    return seconds * 1_000_000 + fraction if good.all() else None


def _fraction(
    chars: NDArray[np.uint8], digits: NDArray[np.uint8], ends: NDArray[np.intp]
) -> NDArray[np.int64] | None:
    """Microseconds behind the seconds, cut as Python cuts them; None where something else stands there."""
    width = chars.shape[1]
    if (chars[np.arange(len(chars)), ends] != _UTC).any() or (ends == _SECOND_END + 1).any():
        return None
    places = np.arange(width)
    if ((chars != 0) & (places > ends[:, None])).any():
        return None
    found = np.zeros(len(chars), np.int64)
    if width == _LEAST:
        return found if (ends == _SECOND_END).all() else None
    if ((ends != _SECOND_END) & (chars[:, _SECOND_END] != _POINT)).any():
        return None
    within = places < ends[:, None]
    behind = digits[:, _LEAST:]
    if (within[:, _LEAST:] & (behind > _NINE - _ZERO)).any():
        return None
    used = np.where(within[:, _LEAST:], behind, 0)[:, : len(_FRACTION)].astype(np.int64)
    return found + used @ _FRACTION[: used.shape[1]]
