"""The example's bridge: a request is answered when its record is safe, and as Prometheus wants to be answered."""

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiokafka.errors import KafkaConnectionError

from examples.remote_write_bridge import app
from schemas.labels import METRIC
from tests.schemas.wire.remote_write.requests import Series, body, pack, request, series

HISTOGRAM = Series([(METRIC, "h")], (), [{"count_int": 0, "timestamp": 1}], 3)
URL = "/api/v1/write"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_request_becomes_one_record_as_it_came(version: int) -> None:
    """Value and headers; the answer says how much was written, without which 2.0 takes it for a failure."""
    sent: list[tuple[bytes, list[tuple[str, bytes]]]] = []

    async def send(value: bytes, headers: list[tuple[str, bytes]]) -> None:
        sent.append((value, headers))

    value = request(version, series("up", 1.0, 2.0), HISTOGRAM)
    told = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    async with TestClient(TestServer(app(send))) as client:
        answer = await client.post(URL, data=value, headers=told | {"Authorization": "Basic eA=="})

    assert 204 == answer.status
    assert [(value, [(key.lower(), text.encode()) for key, text in told.items()])] == sent
    prefix = "X-Prometheus-Remote-Write"
    counts = [
        answer.headers[f"{prefix}-{n}-Written"] for n in ("Samples", "Histograms", "Exemplars")
    ]
    assert ["2", "1", "3"] == counts


async def test_while_kafka_is_away_prometheus_is_to_come_again() -> None:
    """503 is what it repeats."""

    async def send(_: bytes, __: list[tuple[str, bytes]]) -> None:
        raise KafkaConnectionError

    async with TestClient(TestServer(app(send))) as client:
        answer = await client.post(URL, data=request(2, series("up", 1.0)))

    assert 503 == answer.status


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", body(1, series("up", 1.0)), pack(b"\x0a\x01\x0a")],
    ids=["empty", "not packed", "no snappy", "a series that is none"],
)
async def test_what_is_no_request_is_not_sent_again(data: bytes) -> None:
    """400, and nothing of it reaches the topic."""

    async def send(_: bytes, __: list[tuple[str, bytes]]) -> None:
        raise AssertionError

    async with TestClient(TestServer(app(send))) as client:
        answer = await client.post(URL, data=data)

    assert 400 == answer.status
