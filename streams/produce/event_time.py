"""Event times as people write them, turned into milliseconds since the epoch UTC.

A number is seconds, milliseconds, microseconds or nanoseconds: for times between 1973 and 5138 its
size tells which. A text is a number or RFC 3339; a blank instead of the T is taken, and a time
without a zone is UTC. Refuses everything else, dates such as 04/05/2014 above all.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# Below the first bound a number is in seconds, below the second in milliseconds, and so on.
_SCALES = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6))


def parse(cell: object) -> int:
    """Return an event time in milliseconds; ValueError for what is none."""
    match cell:
        case bool():
            pass
        case int() | float():
            return _number(cell)
        case str():
            return _text(cell.strip())
        case _:
            pass
    raise ValueError(f"{cell!r} is no time")


def shift(cell: object, by_ms: int) -> object:
    """Return a time moved by some milliseconds, in its own unit; ValueError for what is none.

    A text comes back as a number of milliseconds.
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) < _SCALES[0][0]:
        return cell + by_ms / 1000.0
    return parse(cell) + by_ms


def _number(number: float) -> int:
    for bound, factor in _SCALES:
        if abs(number) < bound:
            # An integer of milliseconds has no need of a float's roundings.
            whole = factor == 1.0 and isinstance(number, int)
            return int(number) if whole else round(number * factor)
    raise ValueError(f"{number!r} is no time")


def _text(text: str) -> int:
    try:
        return _number(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time: seconds, milliseconds or 2014-04-01T00:00:00Z is wanted"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MILLISECOND
