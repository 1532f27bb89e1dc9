"""The supervisor, with workers that are no workers: what it does hangs on their exit codes alone."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.cli import supervise
from streams.cli.supervise import Supervisor

WORKER = """
import pathlib, signal, sys, time
number = sys.argv[-1].partition("=")[2]
path = pathlib.Path(sys.argv[1]) / number
path.mkdir(exist_ok=True)
signal.signal(signal.SIGTERM, lambda *_: (path.joinpath("told").touch(), sys.exit(0)))
start = len(list(path.iterdir())) + 1
path.joinpath(str(start)).touch()
"""


async def until(true: Callable[[], bool]) -> None:
    """Wait for what other processes do."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def supervisor(folder: Path, rest: str, processes: int = 2) -> Supervisor:
    """A supervisor of workers that note each start in a folder, and then do the rest."""
    return Supervisor([sys.executable, "-c", WORKER + rest, str(folder)], processes)


def starts(folder: Path) -> list[int]:
    """How often each worker has started."""
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    return [sum(p.name.isdigit() for p in path.iterdir()) for path in found]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(supervise, "DRAIN_SECONDS", 1.0)


async def test_all_workers_run_until_told_to_stop(tmp_path: Path) -> None:
    """Each worker has its number; each is told to stop, and the end is a good one."""
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor(tmp_path, "time.sleep(60)", 3).run(stop))
    await until(lambda: [1, 1, 1] == starts(tmp_path))

    stop.set()

    assert 0 == await running
    assert [True] * 3 == [(tmp_path / name / "told").exists() for name in ("1", "2", "3")]


@pytest.mark.parametrize("code", [0, 1, 70])
async def test_a_worker_that_ends_is_started_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    """Whatever its exit code, as long as it is not one of a worker that cannot start; the other is left alone."""
    rest = f'if number == "1" and start == 1: sys.exit({code})\ntime.sleep(60)'
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor(tmp_path, rest).run(stop))
    await until(lambda: [2, 1] == starts(tmp_path))

    stop.set()

    assert 0 == await running
    assert f"worker 1 ended with {code}; started again in 0.05 s" in capfd.readouterr().err


@pytest.mark.parametrize("code", [2, 3])
async def test_a_worker_that_cannot_start_ends_all(tmp_path: Path, code: int) -> None:
    """A wrong configuration, or no broker at the first start, is the exit code of all; the others are told to stop."""
    rest = f'if number == "2": time.sleep(1); sys.exit({code})\ntime.sleep(60)'

    assert code == await supervisor(tmp_path, rest).run(asyncio.Event())
    assert [1, 1] == starts(tmp_path)
    assert (tmp_path / "1" / "told").exists()


async def test_a_broker_that_is_gone_for_a_while_is_waited_for(tmp_path: Path) -> None:
    """A worker that ran before and finds no broker at its restart is tried again."""
    rest = "if start < 4: sys.exit(70 if start == 1 else 3)\ntime.sleep(60)"
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor(tmp_path, rest, 1).run(stop))
    await until(lambda: [4] == starts(tmp_path))

    stop.set()

    assert 0 == await running


async def test_who_does_not_stop_is_killed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A worker that hangs holds up nobody longer than the time to drain."""
    rest = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\npath.joinpath('deaf').touch()\ntime.sleep(60)"
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor(tmp_path, rest, 1).run(stop))
    await until((tmp_path / "1" / "deaf").exists)
    began = time.monotonic()

    stop.set()

    assert 0 == await running
    assert 50 > time.monotonic() - began
    assert "worker 1 did not stop in 1 s and is killed" in capfd.readouterr().err


async def test_told_before_it_began_it_starts_nothing(tmp_path: Path) -> None:
    """SIGTERM may come at any moment."""
    stop = asyncio.Event()
    stop.set()

    assert 0 == await supervisor(tmp_path, "time.sleep(60)").run(stop)
    assert [] == starts(tmp_path)


async def test_a_reload_is_passed_on_to_the_workers(tmp_path: Path) -> None:
    """Each is sent SIGHUP, as often as somebody asks."""
    rest = (
        'signal.signal(signal.SIGHUP, lambda *_: (path / "asked").touch())\n(path / "up").touch()\n'
    )
    stop, reload = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(supervisor(tmp_path, rest + "time.sleep(60)").run(stop, reload))
    for _ in range(2):
        await until(lambda: all((tmp_path / n / "up").exists() for n in ("1", "2")))
        reload.set()
        await until(lambda: all((tmp_path / n / "asked").exists() for n in ("1", "2")))
        for name in ("1", "2"):
            (tmp_path / name / "asked").unlink()

    stop.set()

    assert 0 == await running
    assert [1, 1] == starts(tmp_path)
