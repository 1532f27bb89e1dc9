"""Reloader: reads the rule files again when one has changed, or on SIGHUP, and brings the workers what they say.

Files are looked at every two seconds, by time of change and size; a pattern may find others than before. Files with a
fault change nothing: the rules that there are stay at work until the files are sound.

It refuses to reload `tocsin.yaml`: that takes a restart.
"""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import click

from schemas.config import Document
from schemas.errors import ConfigError
from schemas.reasons import ReloadReason
from streams.app import Workers
from streams.cli.heeding import heeded_files
from streams.cli.options import open_rules, rule_files
from streams.cli.tables import count

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0

Stamps: TypeAlias = dict[Path, tuple[int, int]]


def stamps_of(document: Document) -> Stamps:
    """Time of change in ns and size in bytes of each file that rules hang on and that can be looked at."""
    found: Stamps = {}
    for path in (*rule_files(document)[0], *heeded_files(document)):
        with suppress(OSError):
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


@contextmanager
def asked_by_sighup() -> Iterator[asyncio.Event]:
    """An event that SIGHUP sets; without this, SIGHUP would end the process."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        yield asked
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


class Reloader:
    """Watches the rule files of a configuration; `stamps` are those of the files as they were read first."""

    def __init__(
        self, document: Document, stamps: Stamps, workers: Workers, asked: asyncio.Event
    ) -> None:
        self._document = document
        self._stamps = stamps
        self._workers = workers
        self._asked = asked

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Read the files if one has changed, or if somebody has asked."""
        # before the files are read: a change while they are read is seen the next time
        stamps = await asyncio.to_thread(stamps_of, self._document)
        if stamps == self._stamps and not self._asked.is_set():
            return
        self._asked.clear()
        self._stamps = stamps
        try:
            groups = await asyncio.to_thread(open_rules, self._document)
            self._workers.check(groups)
        except ConfigError as error:
            self._workers.reloads.note(ReloadReason.REFUSED)
            for problem in error.problems:
                log.error("rules not reloaded: %s", problem)  # noqa: TRY400  the problem says it all
            return
        if await self._workers.reload(groups):
            rules = sum(len(group.rules) for group in groups)
            # not by the log, which leaves out what it has just said
            click.echo(f"rules reloaded: {count(rules, 'rule')}", err=True)
