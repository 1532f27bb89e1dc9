"""NativeHistogram: one sample of a native histogram, what may be wrong with it, and its literal in Prometheus's tests.

Buckets are counts by index, empty ones left out. With an exponential schema bucket i holds what lies in
(base**(i-1), base**i], base = 2**(2**-schema); with custom bounds, schema -53, what lies between the bounds i-1 and i.
Immutable. Refuses literals that Prometheus refuses.
"""

import math
import re
from decimal import Decimal
from enum import IntEnum
from itertools import pairwise

import msgspec

CUSTOM_SCHEMA = -53
LEAST_SCHEMA, MOST_SCHEMA = -4, 8
LEAST_EXPONENT = -4
FARTHEST_OCTAVE = 1076
"""No float64 lies further from 1 than this many doublings or halvings, and one bucket more is for infinity."""


class Hint(IntEnum):
    """What is known of a counter reset between a sample and the one before it; a gauge has none."""

    UNKNOWN = 0
    RESET = 1
    NOT_RESET = 2
    GAUGE = 3


class NativeHistogram(msgspec.Struct, frozen=True):
    """Counts of observations.

    Attributes:
        schema: resolution, -4 to 8, or -53 for custom bounds.
        count: all observations, NaN ones too.
        sum: of all observations.
        zero_threshold: half the width of the bucket around zero.
        zero_count: observations in it.
        positive: counts by index of bucket.
        negative: the same of the mirrored buckets; none with custom bounds.
        bounds: upper bounds of the custom buckets but the last, ascending.
        hint: see `Hint`.

    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: dict[int, float] = {}
    negative: dict[int, float] = {}
    bounds: tuple[float, ...] = ()
    hint: Hint = Hint.UNKNOWN

    @property
    def is_custom(self) -> bool:
        """Whether its buckets have custom bounds."""
        return self.schema == CUSTOM_SCHEMA


def find_fault(histogram: NativeHistogram) -> str | None:
    """What is wrong with a histogram from outside, as Prometheus would judge it; None when nothing is.

    Prometheus 3, model/histogram, Validate. A bucket further out than any number is refused too.
    """
    if not histogram.is_custom and not LEAST_SCHEMA <= histogram.schema <= MOST_SCHEMA:
        return f"schema {histogram.schema}"
    counts = (histogram.count, histogram.zero_count, histogram.zero_threshold)
    buckets = (*histogram.positive.values(), *histogram.negative.values())
    if not all(0 <= number < math.inf for number in (*counts, *buckets)):
        return "a count that is negative or not finite"
    if histogram.is_custom:
        return _custom_fault(histogram)
    if histogram.bounds:
        return "custom bounds with an exponential schema"
    farthest = max(map(abs, (*histogram.positive, *histogram.negative)), default=0)
    if farthest > math.ldexp(FARTHEST_OCTAVE, histogram.schema) + 1:
        return f"bucket {farthest}, with schema {histogram.schema}"
    return None


def find_miscount(histogram: NativeHistogram) -> str | None:
    """Whether whole counts come to the count of all, as there; NaN is counted, and is in no bucket."""
    buckets = (*histogram.positive.values(), *histogram.negative.values())
    total = sum(buckets) + histogram.zero_count
    if total > histogram.count or (total < histogram.count and not math.isnan(histogram.sum)):
        return f"{total:g} observations in buckets, {histogram.count:g} in all"
    return None


def _custom_fault(histogram: NativeHistogram) -> str | None:
    if histogram.zero_count or histogram.zero_threshold or histogram.negative:
        return "custom bounds with a zero bucket or negative buckets"
    bounds = histogram.bounds
    if any(math.isnan(bound) for bound in bounds) or math.inf in bounds:
        return "a custom bound that is NaN or infinity"
    if any(above <= below for below, above in pairwise(bounds)):
        return "custom bounds that do not ascend"
    if not all(0 <= index <= len(bounds) for index in histogram.positive):
        return "a bucket without a custom bound"
    return None


_HINTS = {
    "unknown": Hint.UNKNOWN,
    "reset": Hint.RESET,
    "not_reset": Hint.NOT_RESET,
    "gauge": Hint.GAUGE,
}
_ITEM = re.compile(r"\s*([a-z_]+):(\[[^\]]*\]|[^\s\[\]}]+)")


def parse_histogram(text: str) -> NativeHistogram:
    """Read `{{schema:0 count:3 sum:5 z_bucket:1 z_bucket_w:0.1 buckets:[1 1] offset:2}}` and its like.

    Raises:
        ValueError: it is no such literal; the message says what is wrong.

    """
    inner = text.strip()
    if not (inner.startswith("{{") and inner.endswith("}}")):
        raise ValueError(f"no histogram: {text}")
    inner = inner[2:-2].rstrip()
    found: dict[str, str] = {}
    at = 0
    while at < len(inner):
        item = _ITEM.match(inner, at)
        if item is None:
            raise ValueError(f"bad histogram descriptor: {inner[at:].strip()}")
        if item[1] in found:
            raise ValueError(f'duplicate key "{item[1]}" in histogram')
        found[item[1]] = item[2]
        at = item.end()
    return _build(found)


def _build(found: dict[str, str]) -> NativeHistogram:
    def number(key: str) -> float:
        return float(found.pop(key, "0"))

    def numbers(key: str) -> list[float]:
        return [float(word) for word in found.pop(key, "[]").strip("[]").split()]

    def buckets(key: str, offset: int) -> dict[int, float]:
        return {offset + at: count for at, count in enumerate(numbers(key)) if count}

    hint = found.pop("counter_reset_hint", "unknown")
    if hint not in _HINTS:
        raise ValueError(f"unknown counter_reset_hint {hint}")
    schema = int(found.pop("schema", "0"))
    if schema != CUSTOM_SCHEMA and not LEAST_SCHEMA <= schema <= MOST_SCHEMA:
        raise ValueError(
            f"no schema {schema}: it is {LEAST_SCHEMA} to {MOST_SCHEMA} or {CUSTOM_SCHEMA}"
        )
    offset, negative_offset = int(found.pop("offset", "0")), int(found.pop("n_offset", "0"))
    made = NativeHistogram(
        schema=schema,
        count=number("count"),
        sum=number("sum"),
        zero_threshold=number("z_bucket_w"),
        zero_count=number("z_bucket"),
        positive=buckets("buckets", offset),
        negative=buckets("n_buckets", negative_offset),
        bounds=tuple(numbers("custom_values")),
        hint=_HINTS[hint],
    )
    if found:
        raise ValueError(f"bad histogram descriptor: {next(iter(found))}")
    return made


def short(value: float, *, longest: int = 6) -> str:
    """A number as Go's fmt writes it: `%g`, with an exponent from 10**6 on; `%v` has 21 for `longest`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if value == 0 or LEAST_EXPONENT <= exponent < longest:
        return f"{number:f}"
    figures = "".join(map(str, number.as_tuple().digits))
    point = f".{figures[1:]}" if len(figures) > 1 else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{figures[0]}{point}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def show_histogram(histogram: NativeHistogram) -> str:
    """The literal, as Prometheus prints it in its tests."""
    parts = []
    if histogram.schema:
        parts.append(f"schema:{histogram.schema}")
    for key, value in (
        ("count", histogram.count),
        ("sum", histogram.sum),
        ("z_bucket", histogram.zero_count),
        ("z_bucket_w", histogram.zero_threshold),
    ):
        if value:
            parts.append(f"{key}:{short(value)}")
    if histogram.is_custom:
        parts.append(f"custom_values:[{' '.join(map(short, histogram.bounds))}]")
    if histogram.hint:
        parts.append(
            "counter_reset_hint:"
            + next(name for name, hint in _HINTS.items() if hint is histogram.hint)
        )
    parts += _show_buckets("offset", "buckets", histogram.positive)
    parts += _show_buckets("n_offset", "n_buckets", histogram.negative)
    return "{{" + " ".join(parts) + "}}"


def _show_buckets(offset: str, key: str, buckets: dict[int, float]) -> list[str]:
    if not buckets:
        return []
    first, last = min(buckets), max(buckets)
    counts = " ".join(short(buckets.get(index, 0.0)) for index in range(first, last + 1))
    return ([f"{offset}:{first}"] if first else []) + [f"{key}:[{counts}]"]
