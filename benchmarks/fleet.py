"""Fleet: worker processes of `tocsin run` with one configuration, each started, stopped and killed by itself.

Refuses to go on with a worker that ended by itself: the error holds the end of what it said.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

START_SECONDS = 120.0
STOP_SECONDS = 20.0
LINES_KEPT = 20


@dataclass
class Worker:
    """One process; `said` are its last lines."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: bool = True
    listening: asyncio.Task[None] | None = None

    @property
    def look(self) -> psutil.Process:
        """The process as the machine sees it."""
        return psutil.Process(self.process.pid)

    def check(self) -> None:
        """See that it runs.

        Raises:
            RuntimeError: it ended.

        """
        if self.wanted and self.process.returncode is not None:
            raise RuntimeError(f"the workers ended:\n{''.join(self.said)}")

    async def kill(self) -> None:
        """End it as a machine that fails would.

        Raises:
            RuntimeError: it had ended before.

        """
        self.check()
        self.wanted = False
        self.process.kill()
        await self.process.wait()
        await self._heard()

    async def stop(self) -> None:
        """Let it end as it should."""
        self.wanted = False
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        await self._heard()

    async def listen(self) -> None:
        """Keep what it says, and note when it runs."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode())
            del self.said[:-LINES_KEPT]
            if line.startswith(b"running "):
                self.ready.set()
        self.ready.set()

    async def _heard(self) -> None:
        if self.listening is not None:
            await self.listening


class Fleet:
    """Workers of one configuration; relative paths of it are in a folder of the fleet."""

    def __init__(self, home: Path, bootstrap: str, stages: Sequence[str]) -> None:
        self.home = home
        self._command = [sys.executable, "-m", "streams.cli.main", "run", "--broker", bootstrap]
        self._command += [part for stage in stages for part in ("--stage", stage)]
        self._command += ["--config", str(home / "tocsin.yaml")]
        self.workers: list[Worker] = []

    async def start(self, name: str = "") -> Worker:
        """Start one more, under a name of its own or without; returns when it is ready to read.

        Raises:
            RuntimeError: it did not start.

        """
        process = await asyncio.create_subprocess_exec(
            *self._command,
            f"--instance={name}",
            stderr=asyncio.subprocess.PIPE,
            cwd=self.home,
            # a start is measured, and that of an installed program does not compile it anew
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "PYTHONDONTWRITEBYTECODE": "",
            },
        )
        worker = Worker(process)
        worker.listening = asyncio.create_task(worker.listen())
        self.workers.append(worker)
        async with asyncio.timeout(START_SECONDS):
            await worker.ready.wait()
        if worker.listening.done():
            raise RuntimeError(f"the workers ended:\n{''.join(worker.said)}")
        return worker

    def check(self) -> None:
        """See that all run that should.

        Raises:
            RuntimeError: one ended.

        """
        for worker in self.workers:
            worker.check()

    async def stop(self) -> None:
        """End all."""
        await asyncio.gather(*(worker.stop() for worker in self.workers))


@asynccontextmanager
async def fleet(
    bootstrap: str, config: str, rules: str, stages: Sequence[str] = ()
) -> AsyncIterator[Fleet]:
    """A fleet without workers yet; they end with the block.

    Raises:
        RuntimeError: a worker ended before it was told to.

    """
    with tempfile.TemporaryDirectory(prefix="tocsin-benchmark-") as folder:
        home = Path(folder)
        (home / "tocsin.yaml").write_text(config)
        (home / "rules.yml").write_text(rules)
        made = Fleet(home, bootstrap, stages)
        try:
            yield made
            made.check()
        finally:
            await made.stop()
