"""Remote write: requests of Prometheus, 1.0 and 2.0, from bytes to columns, against protobuf's objects and a dict.

One core, nothing but the code itself; figures are samples in a second of CPU time. A request of one sample a series is
what a scrape becomes; one of many samples a series is what comes after an outage of the network.
"""

from collections.abc import Iterator
from typing import Any

import cramjam

from benchmarks.measure import per_cpu_second
from benchmarks.messages import WRITE_1, WRITE_2, make
from benchmarks.row import Goal, Row
from schemas.config import LimitsConfig
from schemas.wire.interner import Identity, Interner
from schemas.wire.remote_write.decoder import RemoteWrite

UNIT = "samples/s/core"
START_MS = 1_760_000_000_000
SHAPES = {"": (500, 1), "_2000": (2_000, 1), "_backlog": (100, 20)}
"""Series, and samples of each; by what stands behind the name of the row."""
AGAINST = "protobuf's objects, a dict for each series"
FIRST, SECOND = make(WRITE_1), make(WRITE_2)


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    for version in (1, 2):
        for name, (series, samples) in SHAPES.items():
            value = request(version, series, samples)
            interner, decoder = Interner(Identity(), LimitsConfig()), RemoteWrite(LimitsConfig())
            known: dict[Any, int] = {}
            yield Row(
                f"remote_write.v{version}{name}",
                per_cpu_second(lambda: len(decoder.decode([value], interner).values), seconds),  # noqa: B023  called at once
                UNIT,
                command,
                AGAINST,
                per_cpu_second(lambda: len(walk(version, value, known)), seconds),  # noqa: B023  as above
                Goal("value", ">=", 1e6),
            )


def labels(number: int) -> dict[str, str]:
    """Label set of a series, of the size that they have in a cluster."""
    pod = number // 40
    return {
        "__name__": f"http_requests_{number % 40}_total",
        "cluster": "eu-1",
        "instance": f"10.0.{pod % 250}.7:9100",
        "job": "kubernetes-pods",
        "namespace": "prod",
        "pod": f"svc-{pod % 14}-7d9f8b6c5-{pod:05x}",
        "service": f"svc-{pod % 14}",
        "status": "200",
    }


def request(version: int, series: int, samples: int) -> bytes:
    """A request as it is sent; every fifth series stands at 0, as many counters do."""

    def written(number: int) -> list[dict[str, float]]:
        value = (number * 7 % 100) * 1.5 if number % 5 else 0.0
        return [{"value": value, "timestamp": START_MS + n * 15_000} for n in range(samples)]

    if version == 1:
        made = FIRST["WriteRequest"](
            timeseries=[
                {
                    "labels": [{"name": name, "value": text} for name, text in labels(n).items()],
                    "samples": written(n),
                }
                for n in range(series)
            ]
        )
    else:
        symbols: dict[str, int] = {"": 0}
        made = SECOND["Request"](
            timeseries=[
                {
                    "labels_refs": [
                        symbols.setdefault(text, len(symbols))
                        for pair in labels(n).items()
                        for text in pair
                    ],
                    "samples": written(n),
                    "metadata": {
                        "type": 1,
                        "help_ref": symbols.setdefault(f"Requests {n % 40}.", len(symbols)),
                    },
                }
                for n in range(series)
            ]
        )
        made.symbols.extend(symbols)
    return bytes(cramjam.snappy.compress_raw(made.SerializeToString()))


def walk(version: int, value: bytes, known: dict[Any, int]) -> list[tuple[int, int, float]]:
    """Series, time and value of each sample in the plain way."""
    data = bytes(cramjam.snappy.decompress_raw(value))
    found = []
    if version == 1:
        read = FIRST["WriteRequest"].FromString(data)
    else:
        read = SECOND["Request"].FromString(data)
        symbols = list(read.symbols)
    for each in read.timeseries:
        if version == 1:
            named = {label.name: label.value for label in each.labels}
        else:
            refs = each.labels_refs
            named = {
                symbols[name]: symbols[text]
                for name, text in zip(refs[::2], refs[1::2], strict=True)
            }
        series = known.setdefault(tuple(sorted(named.items())), len(known))
        found += [(series, sample.timestamp, sample.value) for sample in each.samples]
    return found
