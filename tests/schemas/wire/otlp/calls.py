"""Records of spans and of log records, made by hand."""

from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

NOW = 1_700_000_000_000
SERVER, CLIENT, INTERNAL = 2, 3, 1
FAILED = 2


def span(service: str, kind: int, at: int, **fields: Any) -> bytes:
    """A record of one span that ends `at` ms behind `NOW`."""
    attributes, took_ms = fields.pop("attributes", {}), fields.pop("took_ms", 30)
    data = TracesData()
    under = data.resource_spans.add()
    name = KeyValue(key="service.name", value=AnyValue(string_value=service))
    under.resource.attributes.append(name)
    end = (NOW + at) * 10**6
    made = under.scope_spans.add().spans.add(
        **{
            "trace_id": b"t" * 16,
            "kind": kind,
            "start_time_unix_nano": end - took_ms * 10**6,
            "end_time_unix_nano": end,
            **{k: v for k, v in fields.items() if k != "failed"},
        }
    )
    if fields.get("failed"):
        made.status.code = FAILED
    for key, value in attributes.items():
        made.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    return data.SerializeToString()


def client(number: int, at: int, **fields: Any) -> bytes:
    return span("cart", CLIENT, at, span_id=bytes([number] * 8), **fields)


def server(number: int, at: int, service: str = "pay", **fields: Any) -> bytes:
    return span(service, SERVER, at, span_id=b"x" * 8, parent_span_id=bytes([number] * 8), **fields)


Line = tuple[int, int, str]
"""Time in ms behind `NOW`, number of the severity, text."""


def logs(*lines: Line, service: str = "cart", **fields: Any) -> bytes:
    """A record of these lines."""
    data = LogsData()
    under = data.resource_logs.add()
    name = KeyValue(key="service.name", value=AnyValue(string_value=service))
    under.resource.attributes.append(name)
    records = under.scope_logs.add().log_records
    for at, severity, text in lines:
        body = AnyValue(string_value=text)
        time = (NOW + at) * 10**6
        records.add(time_unix_nano=time, severity_number=severity, body=body, **fields)
    return data.SerializeToString()
