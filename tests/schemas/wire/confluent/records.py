"""Records in Confluent's framing, encoded by fastavro."""

import io
import struct
from typing import Any

import fastavro

FLAT: dict[str, Any] = {
    "type": "record",
    "name": "com.example.Sample",
    "fields": [
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "metric", "type": "string"},
        {"name": "value", "type": "double"},
        {"name": "labels", "type": {"type": "map", "values": "string"}},
    ],
}
NESTED: dict[str, Any] = {
    "type": "record",
    "name": "CpuUsage",
    "fields": [
        {"name": "host", "type": "string"},
        {"name": "zone", "type": ["null", "string"], "default": None},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "user", "type": "float"},
        {"name": "system", "type": ["null", "double"], "default": None},
        {
            "name": "limits",
            "type": {
                "type": "record",
                "name": "Limits",
                "fields": [{"name": "cores", "type": "int"}],
            },
        },
    ],
}
MS = 1_760_000_000_123


def encode(schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    """Avro's binary form of a record."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def framed(number: int, data: bytes) -> bytes:
    """Data behind a magic byte and the id of their schema."""
    return struct.pack(">BI", 0, number) + data


def flat(value: float, **labels: str) -> bytes:
    """A record of FLAT."""
    record = {"ts": MS, "metric": "up", "value": value, "labels": {"host": "web-1"} | labels}
    return encode(FLAT, record)


def nested(user: float, **parts: Any) -> bytes:
    """A record of NESTED."""
    whole = {"host": "web-1", "time": MS * 1000, "user": user, "limits": {"cores": 2}}
    return encode(NESTED, whole | parts)
