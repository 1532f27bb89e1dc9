"""Commands: what people say to detectors, for the stages of keyed sources, which read no log of ours.

Each such stage here is told all that stands on tocsin.commands, and keeps with its checkpoint how far it was told; one
that came from elsewhere, or was restored, is told again from there. A checkpoint follows what is told, so that a worker
that goes on from it finds it where it took effect.

Refuses nothing: what is no command is the forwarder's dead letter.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP
from msgspec.structs import replace

from schemas import topics
from schemas.commands import Command
from schemas.config import Config
from schemas.errors import DecodeError
from streams.correlate.forward import read_command
from streams.detect.said import Told
from streams.detect.stage import FusedStage
from streams.transport.broker import Broker
from streams.transport.runner import StageRunner

log = logging.getLogger(__name__)

POLL_MS = 500
AGAIN_SECONDS = 1.0

Stages = Mapping[TP, FusedStage]


class Commands:
    """Reads tocsin.commands for the stages of one runner."""

    def __init__(self, runner: StageRunner[FusedStage], broker: Broker, config: Config) -> None:
        self._runner = runner
        self._broker = broker
        self._max_ahead_ms = config.time.max_ahead
        topic = broker.outer(topics.COMMANDS)
        self._places = [TopicPartition(topic, p) for p in range(config.kafka.partitions)]
        self._told: list[FusedStage] = []

    async def follow(self) -> None:
        """Tell the stages for ever."""
        consumer = AIOKafkaConsumer(
            **self._broker.client_options(),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            consumer.assign(self._places)
            while True:
                try:
                    told = await self._go_on(consumer)
                except KafkaError as error:
                    log.warning("stage %s: commands cannot be read: %s", self._runner.name, error)
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                if told:
                    await self._runner.checkpointer.checkpoint()
        finally:
            await consumer.stop()

    async def _go_on(self, consumer: AIOKafkaConsumer) -> bool:
        """Tell what has come since; whether there was a command in it."""
        stages = self._stages()
        if any(all(stage is not each for each in self._told) for stage in stages.values()):
            await self._go_back(consumer, stages)
        self._told = list(stages.values())
        found = await consumer.getmany(timeout_ms=POLL_MS)
        told = [self._tell(stages, place.partition, found[place]) for place in found]
        return any(told)

    def _stages(self) -> Stages:
        return {tp: each.stage for tp, each in self._runner.checkpointer.partitions.items()}

    async def _go_back(self, consumer: AIOKafkaConsumer, stages: Stages) -> None:
        """Read again from where the stage stands that was told least."""
        begins = await consumer.beginning_offsets(self._places)
        for place in self._places:
            heard = min(stage.core.said.heard(place.partition) for stage in stages.values())
            consumer.seek(place, max(begins[place], heard))

    def _tell(self, stages: Stages, partition: int, records: Sequence[ConsumerRecord]) -> bool:
        """Tell those that are still here of records; whether there was a command among them."""
        commands = tuple(self._read(records))
        told = Told(partition, commands, records[-1].offset + 1)
        now = self._stages()
        for tp, stage in stages.items():
            if now.get(tp) is stage:
                self._runner.inject(tp, told)
        return bool(commands)

    def _read(self, records: Sequence[ConsumerRecord]) -> Iterator[Command]:
        for record in records:
            try:
                command = read_command(record.value, record.timestamp, self._max_ahead_ms)
            except DecodeError:
                continue
            if command.verb.of_detectors:
                yield replace(command, offset=record.offset)
