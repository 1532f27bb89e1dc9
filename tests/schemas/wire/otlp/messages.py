"""Messages of metrics, made by hand and by chance."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 10**9
NOW = NOW_NS // 10**6
CUMULATIVE, DELTA = 2, 1


def pairs(**attributes: str | float) -> list[KeyValue]:
    """Attributes of these types."""
    found = []
    for name, value in attributes.items():
        kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
        found.append(KeyValue(key=name, value=AnyValue(**{kind[type(value)]: value})))
    return found


def record(fill: Callable[[Any], None], **resource: str) -> bytes:
    """A record of one metric, filled in."""
    data = MetricsData()
    under = data.resource_metrics.add()
    under.resource.attributes.extend(pairs(**{"service.name": "cart", **resource}))
    metric = under.scope_metrics.add().metrics.add()
    metric.name = "m"
    fill(metric)
    return data.SerializeToString()


def gauge(value: float, at: int = NOW_NS, **attributes: str | float) -> bytes:
    """A record of one gauge."""

    def fill(metric: Any) -> None:
        point = metric.gauge.data_points.add(time_unix_nano=at, as_double=value)
        point.attributes.extend(pairs(**attributes))

    return record(fill)


def delta(value: float, at: int, start: int = 0, *, monotonic: bool = True) -> bytes:
    """A record of one delta."""

    def fill(metric: Any) -> None:
        metric.sum.aggregation_temporality = DELTA
        metric.sum.is_monotonic = monotonic
        metric.sum.data_points.add(
            time_unix_nano=NOW_NS + at * SECOND_NS,
            start_time_unix_nano=NOW_NS + start * SECOND_NS,
            as_double=value,
        )

    return record(fill)


names = st.sampled_from(["a", "b.c", "queue.depth", "größe"])
texts = st.sampled_from(["", "x", "/cart/{id}", "ü", "y" * 200])
values = st.one_of(texts, st.booleans(), st.integers(-5, 300), st.sampled_from([0.5, 2.0]))
attributes = st.dictionaries(names, values, max_size=3)
times = st.integers(NOW_NS, NOW_NS + 10**10)
counts = st.integers(0, 2**40)
finite = st.floats(-1e9, 1e9)


@st.composite
def metrics(draw: st.DrawFn) -> MetricsData:
    """Metrics of four kinds, with running totals."""
    data = MetricsData()
    for _ in range(draw(st.integers(0, 2))):
        under = data.resource_metrics.add()
        under.resource.attributes.extend(pairs(**draw(attributes)))
        under.resource.attributes.extend(pairs(**{"service.name": draw(st.sampled_from("st"))}))
        scope = under.scope_metrics.add()
        scope.scope.name = "shop"
        for number in range(draw(st.integers(0, 3))):
            metric = scope.metrics.add(
                name=f"m{number}", unit=draw(st.sampled_from(["", "s", "1"]))
            )
            kind = draw(st.sampled_from(["gauge", "sum", "histogram", "summary"]))
            holder = getattr(metric, kind)
            if kind in ("sum", "histogram"):
                holder.aggregation_temporality = CUMULATIVE
            if kind == "sum":
                holder.is_monotonic = draw(st.booleans())
            for _ in range(draw(st.integers(0, 3))):
                point = holder.data_points.add(time_unix_nano=draw(times))
                point.attributes.extend(pairs(**draw(attributes)))
                fill_point(draw, kind, point)
    return data


def fill_point(draw: st.DrawFn, kind: str, point: Any) -> None:
    if draw(st.booleans()):
        point.start_time_unix_nano = draw(times)
    point.flags = draw(st.sampled_from([0, 0, 0, 1]))
    if kind in ("gauge", "sum"):
        if draw(st.booleans()):
            point.as_int = draw(st.integers(-(2**53), 2**53))
        else:
            point.as_double = draw(finite)
        if draw(st.integers(0, 5)) == 0:
            point.exemplars.add(as_double=1.5, time_unix_nano=NOW_NS)
        return
    point.count = draw(counts)
    if kind == "summary":
        point.sum = draw(finite)
        for quantile in draw(st.lists(st.sampled_from([0.5, 0.9, 1.0]), unique=True)):
            point.quantile_values.add(quantile=quantile, value=draw(finite))
        return
    if draw(st.booleans()):
        point.sum = draw(finite)
    bounds = draw(st.lists(st.sampled_from([0.005, 1.0, 10.0, 2500.0]), unique=True))
    if bounds or draw(st.booleans()):
        point.explicit_bounds.extend(sorted(bounds))
        point.bucket_counts.extend(draw(counts) for _ in range(len(bounds) + 1))
