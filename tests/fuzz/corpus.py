"""Good records of every format, and ways to spoil them.

Whatever is spoilt hangs on the random numbers that are handed in, so a fault can be made again.
"""

import base64
import json
import random
from collections.abc import Sequence

from schemas.wire.asking import Schema
from tests.schemas.wire.confluent.records import FLAT, NESTED, flat, framed, nested
from tests.schemas.wire.decoding import GOLDEN, golden
from tests.schemas.wire.test_arrow import GOOD as ARROW
from tests.schemas.wire.test_debezium import change
from tests.schemas.wire.test_prometheus_adapter import record as adapter_record
from tests.schemas.wire.test_samples import GOOD as SAMPLES
from tests.schemas.wire.test_vector import counter
from tests.schemas.wire.test_vector import record as vector_record

NATIVE = json.dumps(
    {"ts": 1_760_000_000.5, "metric": "up", "value": 1, "labels": {"service": "cart"}}
).encode()
SCHEMAS = {
    1: Schema("AVRO", json.dumps(FLAT)),
    2: Schema("AVRO", json.dumps(NESTED)),
    3: Schema("JSON", '{"title": "Queue"}'),
}
EVENT = json.dumps(
    {
        "specversion": "1.0",
        "id": "1",
        "source": "/a",
        "type": "t",
        "data": json.loads(NATIVE),
    }
).encode()
GOOD: dict[str, list[bytes]] = {
    "arrow": [ARROW],
    "cloud_events": [
        EVENT,
        EVENT.replace(b'"data"', b'"datacontenttype": "application/json", "data"'),
    ],
    "confluent": [framed(1, flat(n)) for n in range(3)]
    + [framed(2, nested(7)), framed(3, b'{"ts": 1760000000, "length": 7, "host": "a"}')],
    "debezium": [change(operation) for operation in "cudrt"],
    "influx": [
        *golden("telegraf-influx")[:20],
        rb'a\ b,c\=d=e f=1i,g="h \" i" 1760000000000000000',
    ],
    "native": [NATIVE, b"[" + NATIVE + b"," + NATIVE + b"]", *golden("rsyslog")],
    "prometheus_adapter": [adapter_record(), adapter_record("NaN")],
    "samples": [SAMPLES],
    "telegraf": golden("telegraf-json")[:20],
    "vector": [
        vector_record(gauge={"value": 1.5}, tags={"host": "a"}),
        counter(2),
        vector_record(distribution={"samples": [{"value": 2, "rate": 3}], "statistic": "summary"}),
    ],
}

for producer in json.loads((GOLDEN.parent / "otlp/golden/records.json").read_text()).values():
    for signal, texts in producer.items():
        for format_ in ("otlp", f"otlp_{signal}"):
            GOOD.setdefault(format_, []).extend(map(base64.b64decode, texts))
GOOD["remote_write"] = [
    base64.b64decode(record["body"])
    for record in json.loads((GOLDEN.parent / "remote_write/golden/prometheus.json").read_text())[
        "records"
    ]
]
GOOD["auto"] = [
    records[0] for name, records in GOOD.items() if name not in ("otlp_logs", "otlp_traces")
]

_TOKENS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b"=", b" ", b"\n", b"null", b"NaN", b"-", b"1e999", b"\x00",
    b"\xff\xff\xff\xff\xff", b"\x80", b"\xed\xa0\x80", b"9" * 400, b"[" * 2000, b'{"a":' * 500,
)  # fmt: skip


def mutate(chance: random.Random, good: Sequence[bytes]) -> bytes:
    """One of these records, with one to four places spoilt."""
    value = bytearray(chance.choice(good))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(value))
        upto = min(len(value), at + chance.randint(1, 8))
        match chance.randint(0, 5):
            case 0 if value:
                value[at % len(value)] = chance.randint(0, 255)
            case 1:
                del value[at:upto]
            case 2:
                value[at:at] = value[at:upto]
            case 3:
                value[at:at] = chance.choice(_TOKENS)
            case 4:
                del value[at:]
            case _:
                other = chance.choice(good)
                value[at:] = other[chance.randint(0, len(other)) :]
    return bytes(value)
