"""The workers: which stages run here, each a Faust app of its own in one process and one event loop.

This is the wiring and nothing else: the pure stages are made here with what they need, and joined to their topics.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from faust.types import TP

from schemas import topics
from schemas.config import Config, SourceConfig, WatchdogConfig
from schemas.errors import ConfigError
from schemas.reasons import ReloadReason
from schemas.wire.asking import Answers, Nothing
from sinks.notify import Receiver, close_receivers, open_receivers
from sinks.record import History
from sinks.remediate import KafkaSend
from streams.agents.commands import Commands
from streams.agents.idle import watch_idle
from streams.agents.notify import NotifyAgent
from streams.agents.record import RecordAgent
from streams.agents.remediate import RemediateAgent
from streams.correlate import CorrelateStage, ForwardStage, IntakeStage
from streams.detect.merge import MergeStage
from streams.detect.numbers import alert_sources
from streams.detect.stage import DetectStage, FusedStage
from streams.ingest.stage import IngestStage
from streams.rules.partial.wide import needs_second_stage
from streams.rules.reload import NewRules, Reloads
from streams.rules.rule import RuleGroup
from streams.time.clock import Clock
from streams.transport.broker import Broker
from streams.transport.host import Host
from streams.transport.options import Ask, RunnerOptions
from streams.transport.runner import StageRunner
from streams.transport.schema_registry import SchemaRegistry
from streams.transport.watchdog import StallLimits

GC_THRESHOLDS = (20_000, 20, 100)
SWITCH_SECONDS = 0.001
"""A fetch's thread waits this long for the interpreter while the event loop computes, several times a fetch."""
UNHURRIED_MS = 200
"""The recorder and the remediator gather for this long: nobody waits for them, and each write is a transaction."""

STAGES = ("ingest", "detect", "merge", "correlate", "notify", "remediate", "record")
WITH_RULES = ("detect", "fused", "merge")
"""Names of runners whose stages evaluate rules."""


@dataclass(frozen=True)
class Setting:
    """What the workers are built from."""

    config: Config
    groups: Sequence[RuleGroup]
    broker: Broker
    clock: Clock
    stages: Collection[str] = STAGES
    instance: str = ""


class Workers:
    """The stages of this process; enter it, then wait for it."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._stack = AsyncExitStack()
        self._receivers: dict[str, Receiver] = {}
        self._agents: set[NotifyAgent | RemediateAgent] = set()
        self._closing: set[asyncio.Future[None]] = set()
        self._action_producer: AIOKafkaProducer | None = None
        self._groups = setting.groups
        self._second_stage = needs_second_stage(setting.groups, setting.config.locality)
        self.reloads = Reloads()
        limits = _limits(setting.config.watchdog)
        self.host = Host(setting.broker, limits=limits, clock=setting.clock)

    async def __aenter__(self) -> Self:
        for stage in STAGES:
            if stage in self._setting.stages:
                getattr(self, f"_add_{stage}")()
        try:
            await self._stack.enter_async_context(self.host)
        except BaseException:
            await self._close()
            raise
        # what is alive now stays: a collection over all of it would stop the loop for longer than a page may take
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_SECONDS)
        idle_after_ms = self._setting.config.time.idle_after
        for name in ("ingest", "fused"):
            if runner := self.host.runners.get(name):
                runner.attend("idle watch", watch_idle(runner, self._setting.clock, idle_after_ms))
        if runner := self.host.runners.get("fused"):
            commands = Commands(runner, self._setting.broker, self._setting.config)
            runner.attend("commands", commands.follow())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        # what is being delivered ends first, so that its outcome is in the last checkpoint
        await asyncio.gather(*(agent.close() for agent in self._agents), *self._closing)
        await self._stack.aclose()
        await close_receivers(self._receivers.values())

    def lag(self) -> int:
        """Records that the stages here have not applied yet."""
        return sum(runner.vitals().lag for runner in self.host.runners.values())

    def check(self, groups: Sequence[RuleGroup]) -> None:
        """Make sure that the stages that there are can go on with these rules.

        Raises:
            ConfigError: they are the first that need the second stage: all must know from their start who sends alerts.

        """
        if not self._second_stage and needs_second_stage(groups, self._setting.config.locality):
            what = "the first rule that is wider than the locality takes a restart of all workers"
            raise ConfigError([what])

    async def reload(self, groups: Sequence[RuleGroup]) -> bool:
        """Go on with these rules; whether they are others.

        What the old rules did is stored before, and what the new ones found right after: so a worker that is killed
        meanwhile has little to do again, and does it with the new ones.

        Raises:
            KafkaError: the state could not be stored.

        """
        if list(groups) == list(self._groups):
            self.reloads.note(ReloadReason.UNCHANGED)
            return False
        await self._save_detect()
        self._groups = groups
        told: list[object] = []
        self._tell(NewRules(groups), told)
        await self._save_detect()
        # stages that were being restored meanwhile may have begun with the old rules
        self._tell(NewRules(groups), told)
        self.reloads.note(ReloadReason.APPLIED)
        return True

    @property
    def _detecting(self) -> list[StageRunner[Any]]:
        return [self.host.runners[n] for n in WITH_RULES if n in self.host.runners]

    async def _save_detect(self) -> None:
        for runner in self._detecting:
            await runner.checkpointer.checkpoint()

    def _tell(self, event: NewRules, told: list[object]) -> None:
        """Inject into each stage with rules that was not told before."""
        for runner in self._detecting:
            for tp, partition in list(runner.checkpointer.partitions.items()):
                if not any(stage is partition.stage for stage in told):
                    runner.inject(tp, event)
                    told.append(partition.stage)

    def watch_rules(self, watching: Coroutine[Any, Any, None]) -> None:
        """Run what watches for other rules beside the first stage that has rules, if any."""
        if self._detecting:
            self._detecting[0].attend("rule watch", watching)
        else:
            watching.close()

    def _options(
        self, gather_ms: int | None = None, sources: Iterable[SourceConfig] = ()
    ) -> RunnerOptions:
        kafka = self._setting.config.kafka
        return RunnerOptions(
            checkpoint_interval_seconds=kafka.checkpoint_interval / 1000,
            session_timeout_seconds=kafka.session_timeout / 1000,
            gather_ms=gather_ms,
            instance=self._setting.instance,
            chunk_headers=any(source.needs_headers for source in sources),
            ask=self._asker(sources),
        )

    def _asker(self, sources: Iterable[SourceConfig]) -> Ask | None:
        """How the stages of these sources find out about schemas; None where no source has a registry."""
        found: dict[str, SchemaRegistry] = {}
        for source in sources:
            if source.options.registry is not None:
                found[source.topic] = registry = SchemaRegistry(source.options.registry)
                self._stack.push_async_callback(registry.close)

        async def ask(topic: str, ids: Collection[int]) -> Answers:
            if topic not in found:
                return dict.fromkeys(ids, Nothing("the source names no registry"))
            return await found[topic].ask(ids)

        return ask if found else None

    def _add_ingest(self) -> None:
        config = self._setting.config
        unkeyed = {s.topic: s for s in config.sources if not s.keyed}
        if unkeyed:
            self.host.add(
                "ingest",
                list(unkeyed),
                lambda topic, p: IngestStage(config, unkeyed[topic], topic, p),
                self._options(sources=unkeyed.values()),
            )

    def _add_detect(self) -> None:
        config, hands_over = self._setting.config, self._second_stage
        keyed = {s.topic: s for s in config.sources if s.keyed}
        if len(keyed) < len(config.sources):
            self.host.add(
                "detect",
                [topics.SAMPLES],
                lambda _, p: DetectStage(config, self._groups, p, hands_over=hands_over),
                self._options(),
            )
        if keyed:
            self.host.add(
                "fused",
                list(keyed),
                lambda topic, p: FusedStage(
                    config, self._groups, keyed[topic], p, hands_over=hands_over
                ),
                self._options(sources=keyed.values()),
            )

    def _add_merge(self) -> None:
        config = self._setting.config
        if self._second_stage:
            self.host.add(
                "merge",
                [topics.PARTIALS],
                lambda _, p: MergeStage(config, self._groups, p),
                self._options(),
            )

    def _add_correlate(self) -> None:
        config = self._setting.config
        sources = alert_sources(config, second_stage=self._second_stage)
        beside: dict[str, Callable[[], ForwardStage | IntakeStage]] = {
            topics.COMMANDS: lambda: ForwardStage(config, second_stage=self._second_stage)
        }
        if config.changes.topic:
            beside[config.changes.topic] = lambda: IntakeStage(config)
        self.host.add(
            "correlate",
            [topics.ALERTS, *beside],
            lambda topic, _p: (
                beside[topic]() if topic in beside else CorrelateStage(config, sources=sources)
            ),
            self._options(),
        )

    def _add_notify(self) -> None:
        config = self._setting.config.notify
        self._receivers = open_receivers(config)

        def make(topic: str, partition: int) -> NotifyAgent:
            inject = self.host.runners["notify"].inject
            agent = NotifyAgent(
                config, self._receivers, self._setting.clock, inject, TP(topic, partition)
            )
            self._agents.add(agent)
            return agent

        # with a route tree notices say who is told, and incidents say what is wrong
        told = topics.INCIDENTS if self._setting.config.route is None else topics.NOTICES
        self.host.add("notify", [told], make, self._options(), self._retire)

    def _add_remediate(self) -> None:
        setting = self._setting

        def make(topic: str, partition: int) -> RemediateAgent:
            agent = RemediateAgent(
                setting.config.playbooks,
                self._send_action,
                setting.clock,
                lambda: self.host.runners["remediate"],
                TP(topic, partition),
            )
            self._agents.add(agent)
            return agent

        options = self._options(UNHURRIED_MS)
        self.host.add("remediate", [topics.INCIDENTS], make, options, self._retire)

    def _retire(self, agent: NotifyAgent | RemediateAgent) -> None:
        """Let an agent whose partition has gone to another worker end what it has begun, and begin nothing more."""
        self._agents.discard(agent)
        closing = asyncio.ensure_future(agent.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _add_record(self) -> None:
        record = self._setting.config.record
        history = History(record.path, retention_ms=record.retention)
        self._stack.callback(history.close)
        inputs = [
            topics.INCIDENTS,
            topics.NOTICES,
            topics.NOTIFICATIONS,
            topics.REMEDIATIONS,
        ]
        options = self._options(UNHURRIED_MS)
        self.host.add("record", inputs, lambda _topic, _p: RecordAgent(history), options)

    async def _send_action(self, action: KafkaSend) -> None:
        """Send the record of a playbook, and wait until it is stored."""
        if self._action_producer is None:
            options = self._setting.broker.client_options()
            self._action_producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
            await self._action_producer.start()
            self._stack.push_async_callback(self._action_producer.stop)
        await self._action_producer.send_and_wait(
            action.topic, action.value, key=action.record_key, headers=list(action.headers)
        )


def _limits(config: WatchdogConfig) -> StallLimits:
    return StallLimits(
        rebalancing_seconds=config.rebalancing / 1000,
        progress_seconds=config.progress / 1000,
        saving_seconds=config.saving / 1000,
        delivery_seconds=config.delivery / 1000,
        blocked_seconds=config.blocked / 1000,
    )
