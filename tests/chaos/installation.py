"""An installation: the topics, the configuration and the receiver of one run, and what the run leaves on them."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeVar

from schemas import topics
from schemas.topics import PARTITIONS
from streams.replay.pipeline import Recorded
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.chaos.compare import Written
from tests.chaos.fleet import Fleet
from tests.chaos.pager import Pager
from tests.chaos.scene import Cluster
from tests.chaos.sending import RunError
from tests.chaos.silence import all_awake, ends, heard
from tests.chaos.story import LIVE_PARTITIONS, SENTINEL, TENANTS
from tests.kafka.reading import read_topic

T = TypeVar("T")

HERE = Path(__file__).parent
LOOK_SECONDS = 1.0
PLACES = frozenset(product(range(PARTITIONS), range(LIVE_PARTITIONS)))
"""Every detect partition is told of every partition that is written to."""


@dataclass(frozen=True)
class Plan:
    """How runs are made: `idle_after` is the product's, `patience_seconds` how long an end is waited for."""

    folder: Path
    idle_after_seconds: int = 20
    patience_seconds: float = 900.0
    stall_seconds: float = 60.0


class Installation:
    """One of them; `telemetry` is the topic that its input goes to."""

    def __init__(self, cluster: Cluster, plan: Plan, prefix: str, pager: Pager) -> None:
        self.prefix, self.pager = prefix, pager
        self.bootstrap = cluster.direct
        self.telemetry = prefix + topics.TELEMETRY
        self.folder = plan.folder / prefix.strip("-")
        self.config = self.folder / "tocsin.yaml"
        self._plan = plan
        self._replication = len(cluster.nodes)

    async def make(self) -> None:
        """Its folder with configuration and rules, and its topics."""
        self.folder.mkdir()
        self.config.write_text(
            (HERE / "tocsin.yaml")
            .read_text()
            .format(
                prefix=self.prefix,
                replication=self._replication,
                idle_after=f"{self._plan.idle_after_seconds}s",
                url=self.pager.url,
            )
        )
        shutil.copy(HERE / "rules.yml", self.folder)
        wanted = topics.all_topics((self.telemetry,), PARTITIONS, self.prefix)
        await create_topics(Broker(self.bootstrap), wanted, replication=self._replication)

    async def samples(self) -> list[Recorded]:
        """What stands on tocsin.samples, as a replay reads it."""
        found = await read_topic(self.bootstrap, self.prefix + topics.SAMPLES)
        return [
            Recorded(topics.SAMPLES, r.partition, r.offset, r.timestamp, r.value) for r in found
        ]

    async def written(self) -> Written:
        """What stands on tocsin.incidents, and what the receiver has."""
        found = await read_topic(self.bootstrap, self.prefix + topics.INCIDENTS)
        return Written.of([record.value for record in found], self.pager.pages)

    async def until_ticking(self, fleet: Fleet) -> None:
        """Wait until the silent partition was found idle, so that alerts and ticks flow.

        Raises:
            RunError: they do not.

        """

        async def ticking() -> bool:
            fleet.check()
            return bool(await read_topic(self.bootstrap, self.prefix + topics.ALERTS))

        await self._until(ticking, lambda: "no tick came")

    async def until_awake(self, fleet: Fleet) -> dict[int, int]:
        """Wait until no partition that is written to is taken for idle; the last offsets of tocsin.samples.

        While one is, nobody waits for it: what it brings would be late where its worker is killed before it is heard.

        Raises:
            RunError: some partition's telemetry does not come through.

        """

        async def awake() -> dict[int, int]:
            fleet.check()
            batches = heard(await self.samples())
            return ends(batches) if all_awake(batches, PLACES) else {}

        return await self._until(awake, lambda: "telemetry does not come through")

    async def until_told(self, check: Callable[[], None] = lambda: None) -> Written:
        """Wait until the last incident of each tenant is there, and the receiver has every announcement.

        Raises:
            RunError: they do not come.

        """
        found = Written()

        async def told() -> bool:
            nonlocal found
            check()
            found = await self.written()
            few = found.open_of(SENTINEL) < len(TENANTS) or len(found.pages) < found.announced
            return not few

        await self._until(
            told,
            lambda: (
                f"{found.open_of(SENTINEL)} of {len(TENANTS)} last incidents, "
                f"{len(found.pages)} of {found.announced} pages"
            ),
        )
        return found

    async def _until(self, look: Callable[[], Awaitable[T]], how_far: Callable[[], str]) -> T:
        """What a look brings, once it is something; a look a second."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._plan.patience_seconds
        while not (found := await look()):
            if loop.time() > end:
                seconds = self._plan.patience_seconds
                raise RunError(f"{how_far()} within {seconds:g} s; logs: {self.folder}")
            await asyncio.sleep(LOOK_SECONDS)
        return found
