"""The demo: the simulated shop at many times real speed through a broker and all workers.

The first sim minutes, in which nothing is wrong and detectors warm up, go as fast as they can; the rest is paced.
Everything that is judged at the end was read from the topics, as any consumer could.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from schemas.config import Config, load_document
from schemas.config.section import Secret
from schemas.errors import BrokerError, ConfigError
from schemas.topics import all_topics
from streams.app import Setting, Workers
from streams.demo.collector import Collector
from streams.demo.shop_server import ShopServer
from streams.demo.verdict import Verdict, judge
from streams.produce.shell import Sender, producing
from streams.produce.shop import Shop
from streams.produce.telemetry import Record
from streams.rules.load import RuleGroup, parse_rules
from streams.time.clock import Clock
from streams.transport.admin import create_topics, delete_topics
from streams.transport.broker import Broker
from streams.transport.embedded import EmbeddedBroker

STORY_MS = 6_600_000
"""A story lasts at most this: it is placed so that it ends about now, never in the future."""
FAST_MS = 1_200_000
"""The first 20 sim minutes are healthy in every story, and not paced."""
SETTLE_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    seed: int
    speed: float
    broker: str | None = None
    recording: BinaryIO | None = None
    database: Path = Path("tocsin-demo.db")
    keep: bool = False
    keep_sent: bool = False


@dataclass(frozen=True)
class Told:
    """What came out, for the verdict, the table and the report."""

    shop: Shop
    collector: Collector
    server: ShopServer
    verdict: Verdict
    config: Config
    sent: Sequence[Record]
    samples: int
    messages: int
    wall_seconds: float


def demo_text(name: str) -> str:
    """Text of a file that belongs to the demo."""
    return (files("streams.demo") / name).read_text()


def demo_rules(name: str = "rules.yml") -> list[RuleGroup]:
    """The demo's rules."""
    groups, faults = parse_rules(demo_text(name), name)
    if faults:
        raise ConfigError(faults)
    return groups


def demo_config(broker: Broker, url: str, database: Path) -> Config:
    """The demo's configuration, with the addresses of this run."""
    config = load_document(demo_text("tocsin.yaml"), "tocsin.yaml").config
    (source,) = config.sources
    receivers = tuple(
        r.model_copy(update={"url": Secret(f"{url}/announce")}) if r.type == "webhook" else r
        for r in config.notify.receivers
    )
    playbooks = tuple(
        p.model_copy(
            update={"action": p.action.model_copy(update={"url": Secret(f"{url}/repair")})}
        )
        for p in config.playbooks
    )
    return config.model_copy(
        update={
            "kafka": config.kafka.model_copy(
                update={"bootstrap": broker.bootstrap, "prefix": broker.prefix}
            ),
            "sources": (source.model_copy(update={"topic": f"{broker.prefix}telemetry"}),),
            "notify": config.notify.model_copy(update={"receivers": receivers}),
            "playbooks": playbooks,
            "record": config.record.model_copy(update={"path": str(database)}),
        }
    )


class Demo:
    """One run; `progress(done, total, text)` is told how far the story has come."""

    def __init__(
        self, options: Options, clock: Clock, progress: Callable[[int, int, str], None]
    ) -> None:
        self._options = options
        self._clock = clock
        self._progress = progress
        start = (clock.now_ms() - STORY_MS) // 60_000 * 60_000
        self.shop = Shop(options.seed, start)
        self._samples = 0
        self._sent: list[Record] = []

    async def run(self, tell: Callable[[Told], None]) -> Told:
        """Run the story to its end, and tell what came out while the workers still run.

        Raises:
            BrokerError: no broker.
            Exception: what made a worker fail.

        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with AsyncExitStack() as stack:
            broker = await self._broker(stack)
            server = await stack.enter_async_context(ShopServer(self.shop))
            config = demo_config(broker, server.url, self._options.database)
            topic = config.sources[0].topic
            collector = Collector(broker, telemetry=topic, recording=self._options.recording)
            await collector.start()
            stack.push_async_callback(collector.stop)
            workers = Workers(Setting(config, demo_rules(), broker, self._clock))
            await stack.enter_async_context(workers)
            stop = asyncio.Event()
            failed = asyncio.create_task(workers.host.wait(stop))
            story = asyncio.create_task(self._story(broker, topic, collector, workers))
            await asyncio.wait({failed, story}, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                story.cancel()
                failed.result()
            messages = await story
            told = self._told(config, collector, server, messages, loop.time() - began)
            tell(told)
            if not self._options.keep:
                stop.set()
            await failed
            return told

    def _told(
        self,
        config: Config,
        collector: Collector,
        server: ShopServer,
        messages: int,
        seconds: float,
    ) -> Told:
        verdict = judge(
            self.shop.truth(),
            sorted(collector.incidents.values(), key=lambda i: (i.opened_at, i.id)),
            collector.remediations,
            alerts=collector.firing,
        )
        return Told(
            self.shop,
            collector,
            server,
            verdict,
            config,
            self._sent,
            self._samples,
            messages,
            seconds,
        )

    async def _broker(self, stack: AsyncExitStack) -> Broker:
        """The embedded broker, or a real one with topics and groups that are this run's own."""
        if self._options.broker not in (None, "embedded"):
            prefix = f"demo-{self._clock.now_ms()}-"
            broker = Broker(str(self._options.broker), prefix=prefix)
            made = all_topics((f"{prefix}telemetry",), prefix=prefix)
            await create_topics(broker, made)
            if not self._options.keep:
                stack.push_async_callback(delete_topics, broker, [t.name for t in made])
            return broker
        embedded = stack.enter_context(EmbeddedBroker())
        embedded.create_topics(t.name for t in all_topics())
        return Broker(embedded.bootstrap)

    async def _story(
        self, broker: Broker, topic: str, collector: Collector, workers: Workers
    ) -> int:
        """Send the shop's telemetry and wait until all of it has gone through; messages sent."""
        loop = asyncio.get_running_loop()
        shop, speed = self.shop, self._options.speed
        total = shop.end_ms - shop.start_ms
        began = loop.time()

        sending = 0

        def keeps_up() -> bool:
            behind_ms = shop.now_ms - min(collector.ticks.values(), default=shop.start_ms)
            unheard = 0 if collector.recorded is None else sending - collector.recorded
            return behind_ms <= MOST_BEHIND_MS and unheard <= MOST_UNRECORDED

        async with producing(broker.bootstrap) as producer:
            sender = Sender(producer, topic)
            while not shop.done:
                await _until(keeps_up)
                for record in shop.messages():
                    sending += 1
                    self._samples += record.value.count(b'"metric"')
                    await sender.send(record)
                    if self._options.keep_sent:
                        self._sent.append(record)
                passed = shop.now_ms - shop.start_ms
                self._progress(passed, total, self._text(collector))
                if passed <= FAST_MS:
                    await asyncio.sleep(0)
                    began = loop.time()
                    continue
                due = began + (passed - FAST_MS) / 1000 / speed
                await asyncio.sleep(max(0.0, due - loop.time()))
            sent = await sender.drain()
        await self._settled(collector, workers)
        return sent.messages

    def _text(self, collector: Collector) -> str:
        return f"{collector.firing} alerts, {len(collector.incidents)} incidents"

    async def _settled(self, collector: Collector, workers: Workers) -> None:
        """Wait until the last step of the story has come out at the other end."""
        last = self.shop.end_ms - 30_000
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await _until(
                    lambda: min(collector.ticks.values(), default=0) >= last and not workers.lag()
                )
                await asyncio.sleep(QUIET_SECONDS)
                await _until(lambda: collector.all_told)
        except TimeoutError as error:
            raise BrokerError("the workers did not come to the end of the story in time") from error


MOST_BEHIND_MS = 600_000
"""The workers may be this far behind the story: the embedded broker keeps little, and drops the oldest."""
MOST_UNRECORDED = 1_000
"""Records that may be missing in a recording meanwhile, for the same reason."""
QUIET_SECONDS = 0.5


async def _until(true: Callable[[], bool]) -> None:
    """Wait for something that other tasks bring about and that has no event of its own."""
    while not true():  # noqa: ASYNC110  lag is a figure, not an event
        await asyncio.sleep(0.02)
