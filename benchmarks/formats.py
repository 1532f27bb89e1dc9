"""Formats: Influx lines, JSON of Telegraf, Vector and the adapter, and Avro to columns, against the obvious way.

One core, nothing but the code itself; figures are samples in a second of CPU time. Lines and Telegraf's JSON have the
measurements that one real machine sends (one to eight fields); of the others a record is one sample. The obvious way is
one object a record: what a loop over lines, `orjson` or fastavro gives, walked into columns, series found by their
labels; it checks nothing.
"""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import fastavro
import orjson

from benchmarks.measure import per_cpu_second
from benchmarks.row import Goal, Row
from schemas.config import LimitsConfig
from schemas.wire.asking import Asking, Schema
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.registry import make_decoder

RECORDS = 2_000
"""Of a chunk, as a fetch of some 256 KB brings them."""
UNIT = "samples/s/core"
START_MS = 1_760_000_000_000
HOSTS = 50
MEASUREMENTS = {
    "cpu": [
        f"usage_{name}"
        for name in ("user", "system", "idle", "iowait", "irq", "softirq", "steal", "nice")
    ],
    "mem": ["total", "available", "used", "free", "cached", "active", "buffered"],
    "net": ["bytes_sent", "bytes_recv", "packets_sent", "packets_recv"],
    "system": ["load1"],
}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Sample",
    "fields": [
        {"name": "ts", "type": "long"},
        {"name": "metric", "type": "string"},
        {"name": "value", "type": "double"},
        {"name": "labels", "type": {"type": "map", "values": "string"}},
    ],
}
PARSED = fastavro.parse_schema(SCHEMA)

Make = Callable[[int], bytes]
Walk = Callable[[bytes, dict[Any, int], list[tuple[int, float, float]]], None]


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    for name, records, walk, against, goal in (
        ("influx", list(map(line, range(RECORDS))), walk_line, "a split line each", 4e5),
        ("telegraf", list(map(telegraf, range(RECORDS))), walk_telegraf, "orjson, a dict each", 4e5),
        ("vector", list(map(vector, range(RECORDS))), walk_vector, "orjson, a dict each", 4e5),
        ("prometheus_adapter", list(map(adapter, range(RECORDS))), walk_adapter, "orjson, a dict each", None),
        ("confluent", list(map(avro, range(RECORDS))), walk_avro, "fastavro, a dict each", 3e5),
    ):  # fmt: skip
        interner = Interner(Identity(), LimitsConfig())
        decoder = make_decoder(name, LimitsConfig())
        if isinstance(decoder, Asking):
            decoder.learn({1: Schema("AVRO", orjson.dumps(SCHEMA).decode())})
        values: list[bytes | None] = [*records]
        known: dict[Any, int] = {}
        yield Row(
            f"formats.{name}",
            per_cpu_second(lambda: len(decoder.decode(values, interner).values), seconds),  # noqa: B023  called at once
            UNIT,
            command,
            against,
            per_cpu_second(lambda: walked(records, walk, known), seconds),  # noqa: B023  as above
            None if goal is None else Goal("value", ">=", goal),
        )


def walked(records: Sequence[bytes], walk: Walk, known: dict[Any, int]) -> int:
    """How many samples there are, all of them in lists."""
    found: list[tuple[int, float, float]] = []
    for record in records:
        walk(record, known, found)
    return len(found)


def _measurement(number: int) -> tuple[str, dict[str, str], dict[str, float]]:
    """Name, tags and fields of the measurement with this number; Telegraf's fields come in no certain order."""
    name = list(MEASUREMENTS)[number % len(MEASUREMENTS)]
    fields = MEASUREMENTS[name]
    turn = number // 7 % len(fields)
    tags = {"host": f"web-{number // 4 % HOSTS}", "region": "eu-1", "service": "cart"}
    return name, tags, {f: number / 3 + at for at, f in enumerate(fields[turn:] + fields[:turn])}


def line(number: int) -> bytes:
    """A line as Telegraf writes it."""
    name, tags, fields = _measurement(number)
    head = ",".join([name, *(f"{tag}={value}" for tag, value in tags.items())])
    body = ",".join(f"{field}={value}" for field, value in fields.items())
    return f"{head} {body} {(START_MS + number) * 1_000_000}\n".encode()


def walk_line(record: bytes, known: dict[Any, int], found: list[tuple[int, float, float]]) -> None:
    """The samples of a line without escapes."""
    head, body, time = record.decode().split()
    name, *tags = head.split(",")
    labels = tuple(sorted(tuple(tag.split("=")) for tag in tags))
    for field in body.split(","):
        key, value = field.split("=")
        series = known.setdefault((f"{name}_{key}", labels), len(known))
        found.append((series, int(time) / 1e6, float(value)))


def telegraf(number: int) -> bytes:
    """A measurement as Telegraf writes it in JSON."""
    name, tags, fields = _measurement(number)
    whole = {"fields": fields, "name": name, "tags": tags, "timestamp": START_MS // 1000 + number}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS) + b"\n"


def walk_telegraf(
    record: bytes, known: dict[Any, int], found: list[tuple[int, float, float]]
) -> None:
    """The samples of a measurement."""
    whole = orjson.loads(record)
    labels = tuple(sorted(whole["tags"].items()))
    for field, value in whole["fields"].items():
        series = known.setdefault((f"{whole['name']}_{field}", labels), len(known))
        found.append((series, whole["timestamp"] * 1000, value))


def _labels(number: int) -> dict[str, str]:
    return {"host": f"web-{number % HOSTS}", "service": f"svc-{number % 14}", "status": "200"}


def _stamp(number: int) -> str:
    return f"2026-01-01T00:{number // 60 % 60:02d}:{number % 60:02d}"


def vector(number: int) -> bytes:
    """A gauge as Vector writes it."""
    stamp = f"{_stamp(number)}.123456789Z"
    tags = _labels(number)
    return orjson.dumps(
        {
            "name": "requests",
            "namespace": "shop",
            "tags": tags,
            "timestamp": stamp,
            "kind": "absolute",
            "gauge": {"value": number / 3},
        }
    )


def walk_vector(
    record: bytes, known: dict[Any, int], found: list[tuple[int, float, float]]
) -> None:
    """The sample of a gauge or a counter."""
    whole = orjson.loads(record)
    name = f"{whole['namespace']}_{whole['name']}"
    series = known.setdefault((name, tuple(sorted(whole["tags"].items()))), len(known))
    time = datetime.fromisoformat(whole["timestamp"]).timestamp() * 1000
    found.append((series, time, (whole.get("gauge") or whole["counter"])["value"]))


def adapter(number: int) -> bytes:
    """A sample as prometheus-kafka-adapter writes it."""
    labels = {"__name__": "requests_total"} | _labels(number)
    whole = {"timestamp": f"{_stamp(number)}Z", "value": f"{number / 3}", "name": "requests_total"}
    return orjson.dumps(whole | {"labels": labels})


def walk_adapter(
    record: bytes, known: dict[Any, int], found: list[tuple[int, float, float]]
) -> None:
    """The sample of a record."""
    whole = orjson.loads(record)
    series = known.setdefault(tuple(sorted(whole["labels"].items())), len(known))
    time = datetime.fromisoformat(whole["timestamp"]).timestamp() * 1000
    found.append((series, time, float(whole["value"])))


def avro(number: int) -> bytes:
    """A record in Confluent's framing."""
    out = io.BytesIO(struct.pack(">BI", 0, 1))
    out.seek(0, io.SEEK_END)
    record = {
        "ts": START_MS + number,
        "metric": "requests_total",
        "value": number / 3,
        "labels": _labels(number),
    }
    fastavro.schemaless_writer(out, PARSED, record)
    return out.getvalue()


def walk_avro(record: bytes, known: dict[Any, int], found: list[tuple[int, float, float]]) -> None:
    """The sample of a record."""
    whole: Any = fastavro.schemaless_reader(io.BytesIO(record[5:]), PARSED, None)
    name = (whole["metric"], tuple(sorted(whole["labels"].items())))
    found.append((known.setdefault(name, len(known)), whole["ts"], whole["value"]))
