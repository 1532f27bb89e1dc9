"""Producer: for services that send their own figures.

It never makes its caller wait for a broker, and never raises because of a value, a time or a label: what cannot be sent
is dropped and counted by reason. It may be used from any number of threads, and from within an event loop.

It refuses to live in a process that was forked after it was made: make it where it is used.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

from aiokafka import AIOKafkaProducer

from schemas.topics import TELEMETRY
from streams.produce.buffer import Buffer, Stats
from streams.produce.delivery import Delivery, Link, Plan
from streams.produce.pack import ENCODERS, Form
from streams.time.clock import Clock, WallClock

BUFFER_SAMPLES = 100_000
REMEMBERED_SERIES = 20_000
RECORD_BYTES = 900_000
"""Largest value: Kafka and ingest take 1 MiB, headers included, unless told otherwise."""


class Producer:
    """Sends samples to a telemetry topic, in batches and behind the caller's back.

    Attributes:
        bootstrap: `host:port` of brokers, several with commas between.
        topic: where the samples go.
        format: what the source says: `samples` is smallest and fastest, `native` is JSON that anything can read.
        locality: labels whose series meet in one partition, without the tenant: the configuration's `locality`.
        tenant_label: label that names the tenant, and `default_tenant` where it is missing, as the source says.
        buffer_samples: how many samples may wait for the brokers; over it the newest is dropped.
        linger_ms: how long a sample waits for others.
        close_seconds: how long the end of a `with` block waits for the brokers.
        kafka: anything that AIOKafkaProducer takes, such as security_protocol.

    """

    def __init__(
        self,
        bootstrap: str,
        topic: str = TELEMETRY,
        *,
        format: Form = "samples",  # noqa: A002  the word of the configuration
        locality: tuple[str, ...] = ("service",),
        tenant_label: str = "tenant",
        default_tenant: str = "default",
        buffer_samples: int = BUFFER_SAMPLES,
        linger_ms: int = 200,
        close_seconds: float = 5.0,
        clock: Clock | None = None,
        **kafka: Any,
    ) -> None:
        if format not in ENCODERS:
            raise ValueError(f"format is one of {', '.join(ENCODERS)}, not {format!r}")
        self._clock = clock or WallClock()
        self._close_seconds = close_seconds
        self._buffer = Buffer(
            most_samples=buffer_samples,
            most_series=REMEMBERED_SERIES,
            locality=locality,
            tenant_label=tenant_label,
            default_tenant=default_tenant,
        )
        options = {"bootstrap_servers": bootstrap, "acks": "all", **kafka}
        plan = Plan(topic, format, linger_ms / 1000.0, RECORD_BYTES)
        self._delivery = Delivery(
            self._buffer, lambda: cast("Link", AIOKafkaProducer(**options)), plan
        )
        self._delivery.start()

    def record(
        self,
        metric: str,
        value: float,
        /,
        labels: Mapping[str, str] | None = None,
        *,
        time_ms: int | None = None,
        **more: str,
    ) -> None:
        """Record a sample of a series, now or at an event time in ms since the epoch UTC.

        Labels come by keyword, or as a mapping where their names are no keywords.
        """
        if time_ms is None:
            time_ms = self._clock.now_ms()
        if labels:
            more = {**labels, **more}
        self._delivery.hint(self._buffer.put(metric, more, time_ms, value))

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until all that was recorded before is sent or dropped; whether that came in time."""
        self._delivery.wake()
        return self._buffer.wait(timeout_seconds)

    def stats(self) -> Stats:
        """How many samples are sent, queued, and dropped by reason."""
        return self._buffer.stats()

    def close(self) -> None:
        """Send what is queued within `close_seconds`, drop and count the rest."""
        self._delivery.close(self._close_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)
