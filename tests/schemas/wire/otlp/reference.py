"""The obvious way to read OTLP metrics: protobuf's own objects, and one dict a point."""

import math
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from schemas.mapping import OTEL_LABELS, map_labels
from schemas.wire.otlp.names import identity_of, info_of, labels_of, metric_name, promoted_of

Sample = tuple[str, tuple[tuple[str, str], ...], int, str]
"""Metric, labels without the tenant, time in ms, value as `repr` has it: stale markers and NaN are `nan`."""
STALE = "nan"
DELTA = 1


def samples_of(value: bytes, place: str) -> list[Sample]:
    """Samples of a record; deltas are told as they are, and exponential histograms by their count.

    A resource that stands in it twice is told once, at the newest of its times.
    """
    found: list[Sample] = []
    infos: dict[tuple[tuple[str, str], ...], int] = {}
    for resource in MetricsData.FromString(value).resource_metrics:
        own = texts(resource.resource.attributes)
        for scope in resource.scope_metrics:
            both = own | {
                "otel.scope.name": scope.scope.name,
                "otel.scope.version": scope.scope.version,
            }
            newest = 0
            for metric in scope.metrics:
                for name, labels, point, number in points_of(metric):
                    if number is None:
                        continue
                    time_ms = (point.time_unix_nano + 500_000) // 1_000_000
                    newest = max(newest, time_ms)
                    stale = point.flags & 1
                    every = {
                        **promoted_of(both, OTEL_LABELS, "tenant"),
                        **labels_of(texts(point.attributes)),
                        **identity_of(own),
                        **labels,
                    }
                    if is_delta(metric):
                        every["source_partition"] = place
                    found.append(sample(name, every, time_ms, STALE if stale else repr(number)))
            info = info_of(own, "tenant")
            if info is not None and newest:
                key = tuple(sorted(info.items()))
                infos[key] = max(newest, infos.get(key, newest))
    return found + [sample("target_info", dict(info), at, "1.0") for info, at in infos.items()]


def sample(name: str, labels: dict[str, str], time_ms: int, value: str) -> Sample:
    """A sample with its labels as they come out: an empty one is none."""
    there = {name: value for name, value in labels.items() if value}
    return name, tuple(sorted(map_labels(OTEL_LABELS, there).items())), time_ms, value


def is_delta(metric: Any) -> bool:
    """Whether a metric's points are deltas."""
    data = getattr(metric, metric.WhichOneof("data"))
    return bool(getattr(data, "aggregation_temporality", 0) == DELTA)


def points_of(metric: Any) -> Iterator[tuple[str, dict[str, str], Any, float | None]]:
    """Name, labels of its own, point and number of each sample."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    counter = kind == "sum" and metric.sum.is_monotonic
    name = metric_name(
        metric.name, metric.unit, "counter" if counter else "gauge" if kind == "gauge" else "other"
    )
    for point in getattr(metric, kind).data_points:
        if kind in ("gauge", "sum"):
            which = point.WhichOneof("value")
            yield name, {}, point, None if which is None else float(getattr(point, which))
            continue
        if kind == "exponential_histogram":
            yield name, {}, point, float(point.count)
            continue
        if kind == "summary":
            for quantile in point.quantile_values:
                yield name, {"quantile": plain(quantile.quantile)}, point, quantile.value
            yield f"{name}_sum", {}, point, point.sum
        else:
            running = 0
            for bound, count in zip(point.explicit_bounds, point.bucket_counts, strict=False):
                running += count
                yield f"{name}_bucket", {"le": plain(bound)}, point, float(running)
            yield f"{name}_bucket", {"le": "+Inf"}, point, float(point.count)
            if point.HasField("sum"):
                yield f"{name}_sum", {}, point, point.sum
        yield f"{name}_count", {}, point, float(point.count)


def plain(number: float) -> str:
    """A bound as it is written, for bounds that need no exponent."""
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return repr(number).removesuffix(".0")


def texts(attributes: Any) -> dict[str, str]:
    """Attributes as texts, of the kinds that the tests use."""
    found = {}
    for pair in attributes:
        kind = pair.value.WhichOneof("value")
        if kind is None:
            continue
        value = getattr(pair.value, kind)
        if kind == "bool_value":
            value = str(value).lower()
        elif kind == "double_value":
            value = plain(value)
        found[pair.key] = str(value)
    return found
