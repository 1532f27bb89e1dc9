"""A metric of Vector: its JSON as types, and the samples that it is in Prometheus's terms.

Each kind becomes the series that Vector's own sink `prometheus_exporter` makes of it; of a sketch only its count, sum,
least and greatest value. What a part of a metric counts can be added up, what it measures can not.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from schemas.histograms import short

INCREMENTAL = "incremental"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of a distribution: the default of Vector's sink `prometheus_exporter`."""


class Value(msgspec.Struct, gc=False):
    """A counter or a gauge."""

    value: float


class Point(msgspec.Struct, gc=False):
    """A value, and how often it occurred."""

    value: float
    rate: float


class Distribution(msgspec.Struct, gc=False):
    """Values as they occurred; `statistic` says what is made of them."""

    samples: list[Point]
    statistic: str = "histogram"


class Bucket(msgspec.Struct, gc=False):
    """What fell between the bucket's limit and the one below."""

    count: float
    upper_limit: float | None = None


class Histogram(msgspec.Struct, gc=False):
    """Counts by bucket."""

    buckets: list[Bucket]
    count: float
    sum: float


class Quantile(msgspec.Struct, gc=False):
    """One quantile of a summary."""

    quantile: float
    value: float


class Summary(msgspec.Struct, gc=False):
    """Quantiles that the source made."""

    quantiles: list[Quantile]
    count: float
    sum: float


class Set(msgspec.Struct, gc=False):
    """Distinct values."""

    values: list[str]


class Agent(msgspec.Struct, gc=False):
    """Datadog's sketch, without its bins."""

    count: float
    sum: float
    min: float
    max: float


class DdSketch(msgspec.Struct, gc=False, rename={"agent": "AgentDDSketch"}):
    """Around the one kind of sketch that there is."""

    agent: Agent


class Sketch(msgspec.Struct, gc=False):
    """A sketch."""

    sketch: DdSketch


class Metric(msgspec.Struct, gc=False):
    """A metric: its name, and one value of one kind."""

    name: str
    kind: Literal["absolute", "incremental"]
    timestamp: str | None = None
    namespace: str | None = None
    tags: msgspec.Raw = msgspec.Raw(b"{}")
    counter: Value | None = None
    gauge: Value | None = None
    set: Set | None = None
    distribution: Distribution | None = None
    aggregated_histogram: Histogram | None = None
    aggregated_summary: Summary | None = None
    sketch: Sketch | None = None


class Native(msgspec.Struct, gc=False):
    """Around a metric in the codec `native_json`."""

    metric: Metric


class Part(NamedTuple):
    """A sample of a metric: what stands behind its name, one more label, its value, and whether it can be added up."""

    suffix: str
    label: tuple[str, str] | None
    value: float
    adds: bool


def parts(metric: Metric) -> Iterator[Part]:
    """The samples of a metric, in a fixed order; none where it has no value of any kind."""
    if metric.gauge is not None:
        yield Part("", None, metric.gauge.value, True)
    elif metric.counter is not None:
        yield Part("", None, metric.counter.value, True)
    elif metric.set is not None:
        yield Part("", None, len(set(metric.set.values)), False)
    elif metric.distribution is not None:
        yield from _distribution(metric.distribution)
    elif metric.aggregated_histogram is not None:
        buckets = metric.aggregated_histogram.buckets
        counts = [(_bound(b.upper_limit), b.count) for b in buckets]
        found = metric.aggregated_histogram
        yield from _histogram(counts, found.count, found.sum)
    elif metric.aggregated_summary is not None:
        for each in metric.aggregated_summary.quantiles:
            yield Part("", ("quantile", short(each.quantile)), each.value, False)
        yield from _totals(metric.aggregated_summary.count, metric.aggregated_summary.sum)
    elif metric.sketch is not None:
        agent = metric.sketch.sketch.agent
        yield from _totals(agent.count, agent.sum)
        yield Part("_min", None, agent.min, False)
        yield Part("_max", None, agent.max, False)


def _distribution(found: Distribution) -> Iterator[Part]:
    counts = [0.0] * (len(BOUNDS) + 1)
    for point in found.samples:
        counts[bisect_left(BOUNDS, point.value)] += point.rate
    total = sum(point.value * point.rate for point in found.samples)
    if found.statistic == "histogram":
        yield from _histogram(zip((*BOUNDS, math.inf), counts, strict=True), sum(counts), total)
    else:
        yield from _totals(sum(counts), total)


def _histogram(counts: Iterable[tuple[float, float]], count: float, total: float) -> Iterator[Part]:
    """Buckets, which count up to their bound in Prometheus and between two bounds in Vector."""
    below = 0.0
    for bound, each in sorted(counts):
        below += each
        if bound < math.inf:
            yield Part("_bucket", ("le", short(bound)), below, True)
    yield Part("_bucket", ("le", "+Inf"), count, True)
    yield from _totals(count, total)


def _totals(count: float, total: float) -> Iterator[Part]:
    yield Part("_sum", None, total, True)
    yield Part("_count", None, count, True)


def _bound(limit: float | None) -> float:
    """JSON has no infinity: the last bucket has no limit."""
    return math.inf if limit is None else limit
