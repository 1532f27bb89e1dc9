"""Metric: one metric of a record, with the points of whichever of the five kinds it is.

Refuses histograms and sums that do not say whether they are running counts or deltas.
"""

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.context import Context, Metric
from schemas.wire.otlp.exponential import exponential
from schemas.wire.otlp.histogram import histogram, summary
from schemas.wire.otlp.names import Kind, metric_name
from schemas.wire.otlp.numbers import POINT, spans
from schemas.wire.otlp.points import Points
from schemas.wire.otlp.protobuf import last_of, message, span_of, text

_NAME, _UNIT = 0x0A, 0x1A
GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY = 0x2A, 0x3A, 0x4A, 0x52, 0x5A
_DATA = {GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY}
_TIMELESS = {GAUGE, SUMMARY}
_TEMPORALITY, _MONOTONIC = 0x10, 0x18
_DELTA, _CUMULATIVE = 1, 2


def read_metric(data: bytes, at: int, end: int, context: Context, number: int, out: Points) -> None:
    """Take in a metric, which is of this resource and scope, the `number`-th of the record.

    Raises:
        DecodeError: it is no metric.

    """
    found = message(data, at, end)
    kinds = _DATA & found.keys()
    if not kinds:
        return
    kind = kinds.pop()
    first, last = span_of(found, kind)
    starts: list[int] = []
    ends: list[int] = []
    rest = spans(data, first, last, starts, ends)
    facts = message(data, rest, last) if rest < last else {}
    for begin, stop in facts.get(POINT, ()):
        starts.append(begin)
        ends.append(stop)
    temporality = last_of(facts, _TEMPORALITY)
    if not starts:
        return
    name, unit = data[slice(*span_of(found, _NAME))], data[slice(*span_of(found, _UNIT))]
    if kind not in _TIMELESS and temporality not in (_DELTA, _CUMULATIVE):
        detail = f"aggregation temporality {temporality} of {name[:100]!r}"
        out.refuse(DecodeError(DeadLetterReason.MALFORMED, detail))
        return
    monotonic = bool(last_of(facts, _MONOTONIC))
    try:
        metric = _metric(out, context, (name, unit, kind, temporality == _DELTA, monotonic))
    except DecodeError as error:
        out.refuse(error)
        return
    if kind in (GAUGE, SUM):
        out.numbers.add(metric, number, starts, ends)
        return
    read = histogram if kind == HISTOGRAM else summary
    for begin, stop in zip(starts, ends, strict=True):
        try:
            if kind == EXPONENTIAL:
                out.add_native(metric, number, exponential(data, begin, stop))
            else:
                out.add(metric, number, read(data, begin, stop))
        except DecodeError as error:
            out.refuse(error)


def _metric(out: Points, context: Context, key: tuple[bytes, bytes, int, bool, bool]) -> Metric:
    """The metric of this name, unit, kind, temporality and monotony; raises DecodeError where it has no name."""
    found = context.metrics.get(key)
    if found is None:
        name, unit, kind, delta, monotonic = key
        named: Kind = "other"
        if kind == GAUGE:
            named = "gauge"
        elif kind == SUM and monotonic:
            named = "counter"
        texts = text(name, 0, len(name)), text(unit, 0, len(unit))
        found = Metric(context, metric_name(*texts, named), delta and kind not in _TIMELESS)
        context.metrics[key] = found
        out.note()
    return found
