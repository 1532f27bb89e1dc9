"""NOTIFY's shell: incidents in, attempts to the dispatcher, outcomes back in as events, notifications out."""

import asyncio
from collections.abc import Mapping

from faust.types import TP

from schemas import topics
from schemas.config import NotifyConfig
from schemas.incidents import Incident
from schemas.notices import Notice
from schemas.notifications import Notification
from schemas.records import cloud_event_headers, encode_record
from sinks.notify import Dispatcher, NotifyStage, Receiver, Settled
from sinks.notify.stage import Effects
from streams.agents.reading import read_records
from streams.agents.resume import RESUME, Inject, resume_later
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.time.clock import Clock
from streams.transport.chunk import Chunk


class NotifyAgent:
    """The stage of one partition of tocsin.incidents or tocsin.notices, with the dispatcher that delivers for it."""

    def __init__(
        self,
        config: NotifyConfig,
        receivers: Mapping[str, Receiver],
        clock: Clock,
        inject: Inject,
        place: TP,
    ) -> None:
        self._stage = NotifyStage(config)
        self._letters = Letters()
        self._inject = inject
        self._place = place
        self._resume: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.dispatcher = Dispatcher(receivers, clock, self._settled)

    def _settled(self, settled: Settled) -> None:
        self._inject(self._place, settled)

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """Start what these incidents ask for; what goes to tocsin.notifications."""
        kind = Notice if chunk.topic == topics.NOTICES else Incident
        incidents, refused = read_records(chunk, kind, self._letters)
        return [*refused, *self._perform(self._stage.apply(incidents))]

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in how an attempt ended, or that this partition has begun to flow."""
        if event == RESUME:
            self.dispatcher.submit(self._stage.pending())
            return []
        assert isinstance(event, Settled)
        return self._perform(self._stage.settle(event))

    def figures(self) -> list[Figure]:
        """Decisions and outcomes by reason, and records refused."""
        counts = self._stage.counts.items()
        return [*self._letters.figures(), *(Figure("notifications", r.value, n) for r, n in counts)]

    def _perform(self, effects: Effects) -> list[Outgoing]:
        self.dispatcher.submit(effects.attempts)
        return list(map(notification_record, effects.notifications))

    def snapshot(self) -> bytes:
        """The whole state."""
        return self._stage.snapshot()

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot: what was not delivered is tried again, with the same keys."""
        self._stage.restore(blob)
        self._resume = resume_later(self._inject, self._place)

    async def close(self) -> None:
        """Let what is being delivered end."""
        self._resume.cancel()
        await self.dispatcher.close()


def notification_record(told: Notification) -> Outgoing:
    """A notification as it is sent."""
    headers = cloud_event_headers(
        "notification", f"{told.id}/{told.attempt}", told.receiver, told.time
    )
    return Outgoing(
        topics.NOTIFICATIONS,
        encode_record(told),
        key=told.incident.encode(),
        headers=headers,
        timestamp_ms=told.time,
    )
