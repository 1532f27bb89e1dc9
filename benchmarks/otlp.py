"""OTLP: exports of 1,000 points to columns, against protobuf's own parser and the walk that one would write first.

One core, nothing but the code itself; figures are samples in a second of CPU time. A producer's next export differs in
its times and values; `otlp.walk` is what an export costs of which no layout is known.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.json_format import MessageToJson, Parse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, MetricsData

from benchmarks.measure import per_cpu_second
from benchmarks.row import Goal, Row
from schemas.config import LimitsConfig
from schemas.wire.interner import Identity, Interner
from schemas.wire.otlp.metrics import Metrics
from schemas.wire.otlp.records import Otlp

METRICS, POINTS = 20, 50
EXPORTS = 10
UNIT = "samples/s/core"
START_NS = 1_760_000_000_000_000_000
INTERVAL_NS = 10_000_000_000
SEED = 7
SAMPLES = METRICS * POINTS * EXPORTS

Walked = list[tuple[str, dict[str, str], int, float]]


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    values = exports()
    decoder, interner = Otlp(LimitsConfig()), Interner(Identity(), LimitsConfig())
    decoder.begin("telemetry", 0)

    def known() -> int:
        return samples(decoder.decode(values, interner).times)

    walker = Metrics(LimitsConfig(), sketch_bytes=0)
    walker.follow(interner)

    def unknown() -> int:
        return sum(samples(walker.read(0, value, interner).times) for value in values)

    def parsed() -> int:
        for value in values:
            MetricsData.FromString(value)
        return SAMPLES

    def walked() -> int:
        return sum(len(walk(MetricsData.FromString(value))) for value in values)

    rate, walking = per_cpu_second(known, seconds), per_cpu_second(walked, seconds)
    yield Row(
        "otlp.decode",
        rate,
        UNIT,
        command,
        "protobuf's objects, a dict a point",
        walking,
        Goal("value", ">=", 1e6),
    )
    yield Row(
        "otlp.decode_parse",
        rate,
        UNIT,
        command,
        "protobuf's own parsing alone",
        per_cpu_second(parsed, seconds),
        Goal("ratio", ">=", 0.5),
    )
    yield Row(
        "otlp.walk",
        per_cpu_second(unknown, seconds),
        UNIT,
        command,
        "protobuf's objects, a dict a point",
        walking,
        Goal("value", ">=", 1e6),
    )
    texts = [MessageToJson(MetricsData.FromString(v), use_integers_for_enums=True) for v in values]
    encoded = [text.encode() for text in texts]
    yield Row(
        "otlp.json",
        per_cpu_second(lambda: samples(decoder.decode(encoded, interner).times), seconds),
        UNIT,
        command,
        "google's json_format, a dict a point",
        per_cpu_second(lambda: len(walk(Parse(texts[0], MetricsData()))), seconds),
    )


def samples(times: Sequence[Any]) -> int:
    """How many samples of points there are, `target_info` left out."""
    return len(times) // (METRICS * POINTS) * METRICS * POINTS


def exports() -> list[bytes]:
    """Exports of one producer, one after the other: gauges and running totals with three attributes."""
    chance = random.Random(SEED)
    data = MetricsData()
    under = data.resource_metrics.add()
    under.resource.attributes.extend(
        pair(*each) for each in (("service.name", "cart"), ("host.name", "web-1"))
    )
    scope = under.scope_metrics.add()
    for number in range(METRICS):
        metric = scope.metrics.add(name=f"http.server.figure{number}", unit="s")
        holder = metric.sum if number % 2 else metric.gauge
        if number % 2:
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = (
                AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            )
        for turn in range(POINTS):
            point = holder.data_points.add(start_time_unix_nano=START_NS)
            point.attributes.extend(
                pair(*each)
                for each in (
                    ("http.request.method", "GET"),
                    ("http.route", f"/route/{turn}"),
                    ("http.response.status_code", str(200 + turn % 4)),
                )
            )
    found: list[bytes] = []
    for turn in range(1, EXPORTS + 1):
        for metric in scope.metrics:
            for point in (metric.sum if metric.HasField("sum") else metric.gauge).data_points:
                point.time_unix_nano = START_NS + turn * INTERVAL_NS
                point.as_double = chance.random()
        found.append(data.SerializeToString())
    return found


def pair(key: str, value: str) -> KeyValue:
    """An attribute."""
    return KeyValue(key=key, value=AnyValue(string_value=value))


def walk(data: MetricsData) -> Walked:
    """Samples in the plain way: every object is asked, every point has a dict of its attributes."""
    return [
        (
            metric.name,
            {each.key: each.value.string_value for each in point.attributes},
            point.time_unix_nano,
            point.as_double,
        )
        for under in data.resource_metrics
        for scope in under.scope_metrics
        for metric in scope.metrics
        for point in getattr(metric, metric.WhichOneof("data") or "gauge").data_points
    ]
