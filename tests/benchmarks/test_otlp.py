"""The benchmark of OTLP: all ways that it compares do the same job."""

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from benchmarks import otlp
from benchmarks.codec import new_interner
from schemas.config import LimitsConfig
from schemas.wire.otlp.metrics import Metrics
from schemas.wire.otlp.records import Otlp


def test_every_way_finds_the_same_samples() -> None:
    """Values and times of the plain walk, of a known layout, of no layout, and of JSON are alike."""
    values = otlp.exports()[:3]
    interner = new_interner()
    decoder, walker = Otlp(LimitsConfig()), Metrics(LimitsConfig(), sketch_bytes=0)
    walker.follow(interner)
    for value in values:
        message = MetricsData.FromString(value)
        walked = otlp.walk(message)
        wanted = [(at // 10**6, number) for _, _, at, number in walked]
        text = MessageToJson(message, use_integers_for_enums=True).encode()

        assert otlp.METRICS * otlp.POINTS == len(wanted)
        for columns in (
            decoder.decode([value], interner),
            walker.read(0, value, interner),
            decoder.decode([text], interner),
        ):
            found = list(zip(columns.times.tolist(), columns.values.tolist(), strict=True))
            assert wanted == found[: len(wanted)]
            assert len(wanted) == otlp.samples(columns.times)
