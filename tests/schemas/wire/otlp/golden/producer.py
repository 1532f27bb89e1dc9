"""A small shop that tells about itself through the OpenTelemetry SDK for Python, by OTLP over HTTP."""

import logging
import time
from collections.abc import Iterable

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

NEVER_MS = 3_600_000
DELTA = dict.fromkeys((Counter, Histogram, ObservableCounter), AggregationTemporality.DELTA)
LATENCIES_SECONDS = (0.003, 0.012, 0.2, 0.7, 12.0)


def resource(service: str) -> Resource:
    """A resource as a deployment would have it."""
    return Resource.create(
        {
            "service.name": service,
            "service.namespace": "shop",
            "service.instance.id": f"{service}-1",
            "host.name": "web-1",
            "deployment.environment.name": "test",
        }
    )


def send_metrics(endpoint: str, temporality: dict[type, AggregationTemporality]) -> None:
    """Two exports of every kind that the SDK has; the second with more counted, and one gauge gone on."""

    def depth(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(7, {"queue.name": "mail"})

    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{endpoint}/v1/metrics", preferred_temporality=temporality),
        export_interval_millis=NEVER_MS,
    )
    fine = View(
        instrument_name="*.fine", aggregation=ExponentialBucketHistogramAggregation(max_size=20)
    )
    spans = TracerProvider(resource=resource("cart"))
    provider = MeterProvider([reader], resource("cart"), TraceBasedExemplarFilter(), views=[fine])
    meter = provider.get_meter("shop.cart", "1.2")
    requests = meter.create_counter("http.server.requests", "{request}")
    moved = meter.create_counter("network.io", "By")
    open_ = meter.create_up_down_counter("db.client.connections", "{connection}")
    ratio = meter.create_gauge("cpu.utilization", "1")
    latency = meter.create_histogram("http.server.request.duration", "s")
    fine_latency = meter.create_histogram("http.server.request.duration.fine", "s")
    meter.create_observable_gauge("queue.depth", [depth], "{message}")
    for turn in range(2):
        ratio.set(0.25 + turn / 8, {"cpu": 0})
        open_.add(3 - 2 * turn)
        moved.add(1.5e6, {"direction": "out"})
        for route in ("/cart", "/cart/{id}"):
            requests.add(5, {"http.route": route, "http.response.status_code": 200})
        for seconds in LATENCIES_SECONDS:
            latency.record(seconds, {"http.route": "/cart"})
            fine_latency.record(seconds, {"http.route": "/cart"})
        with spans.get_tracer("shop").start_as_current_span("sampled"):
            latency.record(0.05, {"http.route": "/sampled"})
        reader.force_flush()
    provider.shutdown()


def send_logs(endpoint: str) -> None:
    """Log records in two seconds, in levels and forms that there are."""
    provider = LoggerProvider(resource("cart"))
    exporter = OTLPLogExporter(f"{endpoint}/v1/logs")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.cart")
    begin_ns = time.time_ns() // 10**9 * 10**9
    lines = [
        (SeverityNumber.INFO, "order 4711 paid in 31 ms"),
        (SeverityNumber.INFO, "order 4712 paid in 8 ms"),
        (SeverityNumber.WARN, {"message": "retry 2 of 5", "peer": "payment"}),
        (SeverityNumber.ERROR, "payment of ann@example.com failed: 'timeout'"),
        (SeverityNumber.INFO, "order 4713 paid in 12 ms"),
    ]
    for turn, (severity, body) in enumerate(lines):
        stamp = begin_ns + turn * 4 * 10**8
        logger.emit(
            LogRecord(
                timestamp=stamp,
                observed_timestamp=stamp,
                severity_number=severity,
                severity_text=severity.name,
                body=body,
                attributes={"code.lineno": turn},
            )
        )
    provider.shutdown()


def send_spans(endpoint: str) -> None:
    """Calls of cart, payment and a database, one of which fails, and a later call that closes their second."""
    tracers = {}
    providers = []
    for service in ("cart", "payment"):
        provider = TracerProvider(resource=resource(service))
        exporter = OTLPSpanExporter(f"{endpoint}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        providers.append(provider)
        tracers[service] = provider.get_tracer("shop")
    begin_ns = time.time_ns() // 10**9 * 10**9
    for turn in range(3):
        now_ns = begin_ns + turn * 10**8 if turn < 2 else begin_ns + 40 * 10**9
        root = tracers["cart"].start_span("GET /cart", kind=SpanKind.SERVER, start_time=now_ns)
        call = tracers["cart"].start_span(
            "POST /pay", set_span_in_context(root), kind=SpanKind.CLIENT, start_time=now_ns + 10**6
        )
        paid = tracers["payment"].start_span(
            "POST /pay",
            set_span_in_context(call),
            kind=SpanKind.SERVER,
            start_time=now_ns + 2 * 10**6,
        )
        query = tracers["payment"].start_span(
            "SELECT",
            set_span_in_context(paid),
            kind=SpanKind.CLIENT,
            attributes={"db.system": "postgresql", "server.address": "db-1"},
            start_time=now_ns + 3 * 10**6,
        )
        query.end(now_ns + 7 * 10**6)
        if turn == 1:
            paid.set_status(StatusCode.ERROR, "card refused")
        paid.end(now_ns + 20 * 10**6)
        call.end(now_ns + 25 * 10**6)
        root.end(now_ns + 30 * 10**6)
    for provider in providers:
        provider.shutdown()


def send(endpoint: str) -> None:
    """All of it, running totals and deltas."""
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    send_metrics(endpoint, {})
    send_metrics(endpoint, dict(DELTA))
    send_logs(endpoint)
    send_spans(endpoint)
