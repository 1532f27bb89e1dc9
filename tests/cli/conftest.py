"""The command line as a user has it: a folder of one's own, and no configuration but what stands there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.main import main

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0

Cli = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def cli(folder: Path) -> Cli:
    """`cli("check", "--output", "json")` in that folder; its output has stdout and stderr apart."""
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


class Running:
    """A `tocsin` that runs in a process of its own, with what it has said so far."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._said = folder / f"said-{time.monotonic_ns()}"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "streams.cli.main", *words],
                cwd=folder,
                env=own_environment(),
                stdout=said,
                stderr=said,
            )

    @property
    def said(self) -> str:
        """Everything on stdout and stderr."""
        return self._said.read_text()

    def wait_for(self, text: str, times: int = 1) -> str:
        """Wait until it has said this; what it has said."""
        deadline = time.monotonic() + START_SECONDS
        while self.said.count(text) < times:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self.said

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal: 0 only where it stopped within the ten seconds it gives itself."""
        self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture
def tocsin(folder: Path) -> Iterator[Callable[..., Running]]:
    """`tocsin("run", ...)` in a process of its own, ended with the test at the latest."""
    started: list[Running] = []

    def start(*words: str) -> Running:
        started.append(Running(folder, *words))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def own_environment() -> dict[str, str]:
    """Environment of a process that finds our packages wherever it runs."""
    kept = {k: v for k, v in os.environ.items() if k != "TOCSIN_CONFIG"}
    return kept | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def bash(folder: Path) -> Callable[[str], str]:
    """Lines of bash in which `tocsin` is ours; what they print."""
    program = folder / "tocsin"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m streams.cli.main "$@"\n')
    program.chmod(0o755)

    def run(line: str) -> str:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=own_environment() | {"PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        ).stdout

    return run
