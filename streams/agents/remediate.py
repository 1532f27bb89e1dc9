"""REMEDIATE's shell: incidents in; an intent is stored first, then its action is made, then its result is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from faust.types import TP

from schemas import topics
from schemas.config import PlaybookConfig
from schemas.incidents import Incident
from schemas.records import cloud_event_headers, encode_record
from schemas.remediations import Remediation
from sinks.remediate import Action, Actor, Ended, KafkaSend, RemediateStage, Remedies
from streams.agents.reading import read_records
from streams.agents.resume import RESUME, resume_later
from streams.letters import Letters
from streams.stage import Figure, Outgoing
from streams.time.clock import Clock
from streams.transport.chunk import Chunk


class Checkpoints(Protocol):
    """What is needed of the runner's checkpointer."""

    def checkpoint(self) -> Awaitable[object]:
        """Store the state and deliver what was put out."""
        ...


class Runner(Protocol):
    """What is needed of the stage's runner."""

    @property
    def checkpointer(self) -> Checkpoints:
        """Who stores the state."""
        ...

    def inject(self, tp: TP, event: object) -> bool:
        """Let the stage of a partition apply an event."""
        ...


class RemediateAgent:
    """The stage of one partition of tocsin.incidents, with the actor that acts for it."""

    def __init__(
        self,
        playbooks: Iterable[PlaybookConfig],
        send: Callable[[KafkaSend], Awaitable[None]],
        clock: Clock,
        runner: Callable[[], Runner],
        place: TP,
    ) -> None:
        self._stage = RemediateStage(playbooks)
        self._letters = Letters()
        self._clock = clock
        self._runner = runner
        self._place = place
        self._waiting: set[asyncio.Task[None]] = set()
        self._resume: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.actor = Actor(send, clock, self._ended)

    def _ended(self, ended: Ended) -> None:
        self._runner().inject(self._place, ended)

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """Plan what these incidents ask for; what goes to tocsin.remediations."""
        incidents, refused = read_records(chunk, Incident, self._letters)
        return [*refused, *self._perform(self._stage.apply(incidents))]

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in how an action ended."""
        if event == RESUME:
            return self._perform(self._stage.resume(self._clock.now_ms()))
        assert isinstance(event, Ended)
        return self._perform(self._stage.settle(event))

    def figures(self) -> list[Figure]:
        """Decisions and results by reason, and records refused."""
        counts = self._stage.counts.items()
        return [*self._letters.figures(), *(Figure("remediations", r.value, n) for r, n in counts)]

    def _perform(self, remedies: Remedies) -> list[Outgoing]:
        if remedies.actions:
            self._later(self._act(remedies.actions))
        return list(map(remediation_record, remedies.records))

    async def _act(self, actions: list[Action]) -> None:
        # the intent, and the state that knows of it, are stored before the deed: a kill in between repeats nothing
        await self._runner().checkpointer.checkpoint()
        self.actor.submit(actions)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def snapshot(self) -> bytes:
        """The whole state."""
        return self._stage.snapshot()

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot; what becomes of open intents is decided when records flow."""
        self._stage.restore(blob)
        self._resume = resume_later(self._runner().inject, self._place)

    async def close(self) -> None:
        """Let actions end; what waits for its intent stays an intent."""
        self._resume.cancel()
        for task in list(self._waiting):
            task.cancel()
        await self.actor.close()


def remediation_record(found: Remediation) -> Outgoing:
    """A remediation as it is sent."""
    identity = f"{found.id}/{found.state.value}"
    return Outgoing(
        topics.REMEDIATIONS,
        encode_record(found),
        key=found.incident.encode(),
        headers=cloud_event_headers("remediation", identity, found.playbook, found.time),
        timestamp_ms=found.time,
    )
