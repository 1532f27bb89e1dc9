"""Supervisor: N worker processes, started again with a growing pause when they end on their own.

A worker that cannot even start (wrong configuration, or no broker at its first start) ends all: starting it again
would say the same. A worker that ran before and finds no broker now is tried again: the others still wait for it too.
Workers hold one end of a pipe whose other end is here, so they end with the supervisor even if that is killed outright.
"""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from streams.cli.main import EXIT_BROKER, EXIT_USAGE

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A worker that ran this long is started again with the first pause."""
DRAIN_SECONDS = 10.0


class Supervisor:
    """Runs a command N times until told to stop; the Nth gets `--worker=N`, all get `--lifeline=FD`."""

    def __init__(self, command: Sequence[str], processes: int) -> None:
        self._command = list(command)
        self._processes = processes
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._verdict = 0

    async def run(self, stop: asyncio.Event, reload: asyncio.Event | None = None) -> int:
        """Supervise until `stop` is set, or until a worker cannot start; the exit code to end with.

        Whenever `reload` is set, the workers are sent SIGHUP.
        """
        self._stop = stop
        click.echo(f"supervising {self._processes} workers; stop with Ctrl-C", err=True)
        with _lifeline() as lifeline:
            numbers = range(1, self._processes + 1)
            keepers = [asyncio.create_task(self._keep(n, lifeline)) for n in numbers]
            passing = asyncio.create_task(self._pass_on(reload or asyncio.Event()))
            await stop.wait()
            passing.cancel()
            await self._drain()
            await asyncio.gather(*keepers)
        return self._verdict

    async def _keep(self, number: int, lifeline: int) -> None:
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        hopeless = {EXIT_USAGE, EXIT_BROKER}
        while not self._stop.is_set():
            began = loop.time()
            process = await asyncio.create_subprocess_exec(
                *self._command,
                f"--lifeline={lifeline}",
                f"--worker={number}",
                pass_fds=(lifeline,),
            )
            self._running[number] = process
            self._none_left.clear()
            if self._stop.is_set():
                _tell(process, signal.SIGTERM)
            code = await process.wait()
            del self._running[number]
            if not self._running:
                self._none_left.set()
            if self._stop.is_set():
                return
            if code in hopeless:
                click.echo(f"worker {number} cannot start: exit code {code}; giving up", err=True)
                self._verdict = code
                self._stop.set()
                return
            hopeless = {EXIT_USAGE}
            if loop.time() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            click.echo(f"worker {number} ended with {code}; started again in {pause:g} s", err=True)
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _pass_on(self, reload: asyncio.Event) -> None:
        while await reload.wait():
            reload.clear()
            for process in self._running.values():
                _tell(process, signal.SIGHUP)

    async def _drain(self) -> None:
        """Tell the workers to stop, and kill those that take too long."""
        for process in self._running.values():
            _tell(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._none_left.wait(), DRAIN_SECONDS)
        for number, process in self._running.items():
            click.echo(
                f"worker {number} did not stop in {DRAIN_SECONDS:g} s and is killed", err=True
            )
            _tell(process, signal.SIGKILL)


@contextmanager
def _lifeline() -> Iterator[int]:
    """The end of a pipe for the workers; the other one closes when this process ends, however it does."""
    reader, writer = os.pipe()
    try:
        yield reader
    finally:
        os.close(reader)
        os.close(writer)


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(number)
