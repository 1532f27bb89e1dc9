"""Collector: reads what the workers wrote, as any consumer of the topics could."""

import asyncio
from collections import Counter
from typing import BinaryIO

import orjson
from aiokafka import AIOKafkaConsumer

from schemas import topics
from schemas.alerts import Alert, AlertRecord, Tick
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.reasons import AlertState
from schemas.records import decode_record
from schemas.remediations import Remediation
from streams.transport.broker import Broker


class Collector:
    """Follows the output topics from a start on.

    Attributes:
        incidents: latest final record of each incident.
        announced: incident and number of each announcement.
        alerts: every transition, by id.
        ticks: how far each detect partition has come, ms.

    """

    def __init__(
        self, broker: Broker, *, telemetry: str, recording: BinaryIO | None = None
    ) -> None:
        self._telemetry = telemetry
        self._recording = recording
        names = [
            topics.ALERTS,
            topics.INCIDENTS,
            topics.NOTIFICATIONS,
            topics.REMEDIATIONS,
            topics.DEAD_LETTERS,
        ]
        if recording is not None:
            names.append(telemetry)
        self._inner = broker.inner
        self._consumer = AIOKafkaConsumer(
            *map(broker.outer, names),
            **broker.client_options(),
            group_id=None,
            auto_offset_reset="latest",
            fetch_max_wait_ms=50,
        )
        self._task: asyncio.Task[None] | None = None
        self.incidents: dict[str, Incident] = {}
        self.announced: set[tuple[str, int]] = set()
        self.alerts: dict[str, Alert] = {}
        self.notifications: dict[tuple[str, int], Notification] = {}
        self.remediations: list[Remediation] = []
        self.dead_letters: dict[str, DeadLetter] = {}
        self.ticks: dict[int, int] = {}
        self.counts: Counter[str] = Counter()

    async def start(self) -> None:
        """Begin at the end of every topic."""
        await self._consumer.start()
        for place in self._consumer.assignment():
            await self._consumer.position(place)
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Take no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    @property
    def recorded(self) -> int | None:
        """How many records of telemetry have been written down; None where none are to be."""
        return None if self._recording is None else self.counts[self._telemetry]

    @property
    def firing(self) -> int:
        """How many alerts have fired."""
        return sum(a.state is AlertState.FIRING for a in self.alerts.values())

    @property
    def all_told(self) -> bool:
        """Whether every announcement has come to an end at its receiver."""
        return len({n.id for n in self.notifications.values() if n.final}) >= len(self.announced)

    async def _follow(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=200)
            for records in fetched.values():
                for record in records:
                    self._take(
                        self._inner(record.topic),
                        record.partition,
                        record.offset,
                        record.timestamp,
                        record.value,
                    )

    def _take(
        self, topic: str, partition: int, offset: int, timestamp: int, value: bytes | None
    ) -> None:
        self.counts[topic] += 1
        if topic == self._telemetry:
            assert self._recording is not None
            text = None if value is None else value.decode(errors="replace")
            line = {
                "topic": topic,
                "partition": partition,
                "offset": offset,
                "timestamp": timestamp,
                "value": text,
            }
            self._recording.write(orjson.dumps(line) + b"\n")
            return
        if value is None:
            return
        match topic:
            case topics.ALERTS:
                self._alert(decode_record(value, AlertRecord))  # type: ignore[arg-type]  # a union
            case topics.INCIDENTS:
                incident = decode_record(value, Incident)
                if incident.announce is not None:
                    self.announced.add((incident.id, incident.announcement))
                if not incident.provisional:
                    self.incidents[incident.id] = incident
            case topics.NOTIFICATIONS:
                told = decode_record(value, Notification)
                self.notifications[told.id, told.attempt] = told
            case topics.REMEDIATIONS:
                self.remediations.append(decode_record(value, Remediation))
            case topics.DEAD_LETTERS:
                letter = decode_record(value, DeadLetter)
                self.dead_letters[letter.id] = letter

    def _alert(self, record: Alert | Tick) -> None:
        if isinstance(record, Tick):
            self.ticks[record.source] = max(record.time, self.ticks.get(record.source, 0))
        else:
            self.alerts[record.id] = record
