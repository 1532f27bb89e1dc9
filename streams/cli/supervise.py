"""Supervisor: N worker processes, started again with a growing pause when they end on their own.

A worker that cannot even start (wrong configuration, no broker) ends all: starting it again would say the same.
"""

import asyncio
import signal
from collections.abc import Sequence

import click

from streams.cli.main import EXIT_BROKER, EXIT_USAGE

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A worker that ran this long is started again with the first pause."""
DRAIN_SECONDS = 10.0


class Supervisor:
    """Runs a command N times until told to stop."""

    def __init__(self, command: Sequence[str], processes: int) -> None:
        self._command = list(command)
        self._processes = processes
        self._running: set[asyncio.subprocess.Process] = set()
        self._stop = asyncio.Event()
        self._verdict = 0

    async def run(self) -> int:
        """Supervise until SIGINT or SIGTERM, or until a worker cannot start; the exit code to end with."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        keepers = [asyncio.create_task(self._keep(n)) for n in range(1, self._processes + 1)]
        await self._stop.wait()
        await self._drain()
        await asyncio.gather(*keepers)
        return self._verdict

    async def _keep(self, number: int) -> None:
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            began = loop.time()
            process = await asyncio.create_subprocess_exec(*self._command)
            self._running.add(process)
            code = await process.wait()
            self._running.discard(process)
            if self._stop.is_set():
                return
            if code in (EXIT_USAGE, EXIT_BROKER):
                click.echo(f"worker {number} cannot start: exit code {code}; giving up", err=True)
                self._verdict = code
                self._stop.set()
                return
            if loop.time() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            click.echo(f"worker {number} ended with {code}; started again in {pause:g} s", err=True)
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _drain(self) -> None:
        """Tell the workers to stop, and kill those that take too long."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        ends = [asyncio.create_task(p.wait()) for p in self._running]
        if ends:
            _, late = await asyncio.wait(ends, timeout=DRAIN_SECONDS)
            if late:
                for process in self._running:
                    if process.returncode is None:
                        process.kill()
