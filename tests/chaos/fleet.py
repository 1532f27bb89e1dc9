"""The workers of a run: each is a process that is started again whenever it ends, as any supervisor would.

Invariant: signals go to processes that were started here, by their handle; all are gone when the fleet is left.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.worker import FORM

ROOT = Path(__file__).parents[2]
PAUSE_SECONDS = 0.3
STOP_SECONDS = 60.0
STAGES = ("ingest", "detect", "merge", "correlate", "notify")
STARTED = b"stop with Ctrl-C"
FIRST_BYTES = 4_000_000
"""So much of a worker's log is looked at for the line that it runs."""
SAID_CHARACTERS = 2_000


class WorkerEndedError(Exception):
    """A worker to which nothing was done ended by itself."""


class Worker:
    """One worker: the process that is there now, its log, and the file that sets its clock."""

    def __init__(self, name: str, folder: Path, words: Sequence[str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.starts = 0
        self.codes: Counter[int] = Counter()
        self.is_frozen = False
        self._words = list(words)
        self._clock = folder / f"{name}.clock"
        self._log_from = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._leaving = False
        self.set_clock(0)

    def start(self) -> None:
        """Have it run from now on."""
        self._keeping = asyncio.create_task(self._keep())

    @property
    def running(self) -> bool:
        """Whether there is a process, frozen or not."""
        return self._process is not None and self._process.returncode is None

    @property
    def serving(self) -> bool:
        """Whether the process that is there has said that its stages run."""
        if not self.running:
            return False
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return STARTED in log.read(FIRST_BYTES)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process that is there, if any."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
            if number in {signal.SIGSTOP, signal.SIGCONT}:
                self.is_frozen = number is signal.SIGSTOP

    async def started_again(self) -> None:
        """Wait for the next process."""
        self._started.clear()
        await self._started.wait()

    def set_clock(self, offset_ms: int) -> None:
        """Let its wall clock be wrong by so much; in place, because the process has the file mapped."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(FORM.pack(offset_ms))

    async def leave(self) -> None:
        """Stop it for good, by SIGTERM; what takes too long is killed."""
        self._leaving = True
        process = self._process
        if process is not None and process.returncode is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                self.send(signal.SIGKILL)
        if self._keeping is not None:
            await self._keeping

    async def _keep(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.worker", os.fspath(self._clock), *self._words]
        while not self._leaving:
            self._log_from = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as out:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    cwd=ROOT,
                    # who is started a hundred times need not be compiled as often
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
                )
            self.is_frozen = False
            self.starts += 1
            self._started.set()
            self.codes[await self._process.wait()] += 1
            if not self._leaving:
                await asyncio.sleep(PAUSE_SECONDS)


class Fleet:
    """Workers of one installation, all with the same configuration."""

    def __init__(self, config: Path, bootstrap: str, count: int) -> None:
        words = ["run", "--config", os.fspath(config), "--broker", bootstrap]
        words += [f"--stage={stage}" for stage in STAGES]
        self.workers = [Worker(f"worker-{n + 1}", config.parent, words) for n in range(count)]

    async def __aenter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    def check(self) -> None:
        """Make sure that no worker has ended by itself.

        Raises:
            WorkerEndedError: one has; the end of its log is in the message.

        """
        for worker in self.workers:
            if worker.codes:
                said = worker.log.read_text(errors="replace")[-SAID_CHARACTERS:]
                raise WorkerEndedError(f"{worker.name} ended with {[*worker.codes]}: {said}")

    async def leave(self) -> None:
        """Stop all."""
        await asyncio.gather(*(worker.leave() for worker in self.workers))
        self.workers = []
