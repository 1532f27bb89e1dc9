"""Sends the input of a run: every record once, in its order, however long a broker is away.

No partition's telemetry goes on while another one's waits for a broker: one that falls silent would not be waited for,
and whether it does hangs on how busy the machine is.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.story import STEPS, Sent

POLL_SECONDS = 0.02
LEAD_STEPS = 2
"""So many steps may be on their way: partitions are apart by less than the allowed lateness, if a broker is away."""


class RunError(Exception):
    """A run did not come to its end; the message says how far it came."""


class Sending:
    """The sending of one story.

    Attributes:
        longest_gap_seconds: the longest time between two records of one partition, as the brokers took them.

    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.longest_gap_seconds = 0.0
        self._topic = topic
        self._under_way: Counter[int] = Counter()
        self._failed: list[str] = []
        self._last: dict[int, float] = {}
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
                "socket.timeout.ms": 5_000,
                "reconnect.backoff.max.ms": 1_000,
                "linger.ms": 5,
                "log_level": 0,
            }
        )

    async def send(
        self, records: Iterable[Sent], pause: Callable[[float], float] = lambda _: 0.0
    ) -> None:
        """Send these, and wait until the brokers have all of them.

        `pause` says how many seconds to wait before each step, by the share of the story that is out.

        Raises:
            RunError: the client gave a record up.

        """
        loop = asyncio.get_running_loop()
        for step, together in groupby(records, lambda sent: int(sent.at_share * STEPS)):
            due = loop.time() + pause(step / STEPS)
            while self._oldest(step) <= step - LEAD_STEPS or loop.time() < due:
                await asyncio.sleep(POLL_SECONDS)
            for sent in together:
                self._under_way[step] += 1
                self._producer.produce(
                    self._topic,
                    sent.value,
                    partition=sent.partition,
                    timestamp=sent.timestamp_ms,
                    on_delivery=partial(self._delivered, step, loop.time),
                )
        while self._producer.flush(0):
            await asyncio.sleep(POLL_SECONDS)
        if self._failed:
            raise RunError(
                f"{len(self._failed)} records of telemetry were given up: {self._failed[0]}"
            )

    def _oldest(self, step: int) -> int:
        """The oldest step that is on its way; this one where none is."""
        self._producer.poll(0)
        return min(self._under_way, default=step)

    def _delivered(
        self, step: int, seconds: Callable[[], float], error: KafkaError | None, message: Message
    ) -> None:
        if error is not None:
            self._failed.append(str(error))
        self._under_way[step] -= 1
        if not self._under_way[step]:
            del self._under_way[step]
        now, place = seconds(), message.partition() or 0
        self.longest_gap_seconds = max(self.longest_gap_seconds, now - self._last.get(place, now))
        self._last[place] = now
