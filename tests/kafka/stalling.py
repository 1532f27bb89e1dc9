"""The tally in a worker process of its own that can be made to hang, in ways that look alive from outside.

`python -m tests.kafka.stalling BOOTSTRAP PREFIX LIMIT_SECONDS FOLDER`: the first worker that comes to the value
`stall:WAY` hangs in that way and leaves a file in the folder, so that the one after it goes through.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from streams.observe.logs import logging_to_stderr
from streams.stage import Outgoing
from streams.transport import consumer
from streams.transport.broker import Broker
from streams.transport.chunk import Chunk
from streams.transport.host import Host
from streams.transport.options import RunnerOptions
from streams.transport.watchdog import StallLimits
from tests.transport.tally import Tally


def silent_fetcher() -> None:
    """From now on the fetcher hands out nothing, and says nothing."""
    consumer.drain = lambda *_, **__: {}


def blocked_loop() -> None:
    """The stage never returns; other threads go on."""
    time.sleep(600)


def held_interpreter() -> None:
    """The stage never returns, and no other thread of Python runs either."""
    re.fullmatch("(a+)+", "a" * 60 + "b")


WAYS: dict[str, Callable[[], None]] = {
    "silent_fetcher": silent_fetcher,
    "blocked_loop": blocked_loop,
    "held_interpreter": held_interpreter,
}


class Stalling(Tally):
    """Hangs at a value that says how, once in the folder's life."""

    def __init__(self, output_topic: str, folder: Path) -> None:
        super().__init__(output_topic)
        self._folder = folder

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """One output for each record, or never any again."""
        for value in chunk.values:
            word, _, way = (value or b"").decode().partition(":")
            mark = self._folder / way
            if word == "stall" and not mark.exists():
                mark.touch()
                WAYS[way]()
        return super().apply(chunk)


async def main(bootstrap: str, prefix: str, limit_seconds: float, folder: Path) -> None:
    """Run until told to stop."""
    limits = StallLimits(*[limit_seconds] * 5)
    host = Host(Broker(bootstrap), limits=limits)
    options = RunnerOptions(
        checkpoint_interval_seconds=0.3,
        session_timeout_seconds=6,
        fetch_bytes=1_024,
        state_topic=f"{prefix}-state",
    )
    host.add(prefix, [f"{prefix}-in"], lambda *_: Stalling(f"{prefix}-out", folder), options)
    with logging_to_stderr():
        await host.serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
