"""A bridge from Prometheus to Kafka: each remote write request becomes one record, its body as it came.

Prometheus cannot write to Kafka itself. Run it with `python -m examples.remote_write_bridge BROKER TOPIC`, and name
http://127.0.0.1:9201/api/v1/write as the `url` of Prometheus's `remote_write`. The source says `format: remote_write`.

A request is answered when the brokers have its record; before that Prometheus keeps it and sends it again.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.wire.remote_write.body import read_body, unpack
from schemas.wire.remote_write.samples import count_parts

MOST_BYTES = 1 << 26
WRITTEN = "X-Prometheus-Remote-Write-{}-Written"
Send = Callable[[bytes, list[tuple[str, bytes]]], Awaitable[object]]


def app(send: Send) -> web.Application:
    """The service; `send` puts a value with headers on the topic, and returns when it is safe."""

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            data = unpack(body, LimitsConfig(message_bytes=MOST_BYTES))
            counts = count_parts(read_body(0, data))
        except DecodeError as error:
            return web.Response(status=400, text=f"{error.detail}\n")  # it is not sent again
        kept = ("content-type", "content-encoding", "x-prometheus-remote-write-version")
        headers = [(key, request.headers[key].encode()) for key in kept if key in request.headers]
        try:
            await send(body, headers)
        except KafkaError as error:
            return web.Response(status=503, text=f"{error!r}\n")  # it is sent again
        # 2.0 wants to know what was written; that nothing was is taken for a failure
        told = {WRITTEN.format(name): str(count) for name, count in counts.items()}
        return web.Response(status=204, headers=told)

    made = web.Application(client_max_size=MOST_BYTES)
    made.router.add_post("/api/v1/write", take)
    return made


def to_kafka(broker: str, topic: str) -> web.Application:
    """The service that sends to a topic."""
    producer: list[AIOKafkaProducer] = []

    async def send(body: bytes, headers: list[tuple[str, bytes]]) -> object:
        return await producer[0].send_and_wait(topic, body, headers=headers)

    async def connected(_: web.Application) -> AsyncIterator[None]:
        producer.append(AIOKafkaProducer(bootstrap_servers=broker, acks="all"))
        await producer[0].start()
        yield
        await producer[0].stop()

    made = app(send)
    made.cleanup_ctx.append(connected)
    return made


if __name__ == "__main__":
    web.run_app(to_kafka(*sys.argv[1:3]), host="127.0.0.1", port=9201)
