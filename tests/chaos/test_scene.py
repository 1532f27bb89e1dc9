"""The parts of the scene: a line, a disk and a clock that can fail, and workers that come back."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.disk import SIZE_BYTES, DiskError, small_disk
from tests.chaos.fleet import ROOT, Fleet
from tests.chaos.proxy import Proxy
from tests.chaos.worker import FORM
from tests.kafka.reading import until


@asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A line to a server that gives back what it gets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1_000):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def test_a_line_passes_is_silent_and_goes_on() -> None:
    """Bytes come through unchanged; while the line is silent none come, and afterwards all do."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one")
        assert b"one" == await reader.readexactly(3)
        proxy.is_silent = True
        writer.write(b"two")
        waiting = asyncio.create_task(reader.readexactly(3))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert set() == done
        proxy.heal()
        assert b"two" == await waiting
        writer.close()


async def test_a_cut_line_closes_what_is_open_and_what_comes() -> None:
    """Both ends learn of it; after `heal` there are connections again."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one")
        await reader.readexactly(3)
        await proxy.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        again, other = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert b"" == await again.read(1)
        proxy.heal()
        again, third = await asyncio.open_connection("127.0.0.1", proxy.port)
        third.write(b"two")
        assert b"two" == await again.readexactly(3)
        for each in (writer, other, third):
            each.close()


def test_a_full_disk_takes_nothing_and_a_cleared_one_does(tmp_path: Path) -> None:
    """Writes fail for want of room; nothing is left mounted."""
    try:
        with small_disk(tmp_path) as disk:
            disk.fill()
            with pytest.raises(OSError, match="No space left on device"):
                (disk.folder / "more").write_bytes(b"x" * 100_000)
            disk.clear()
            disk.freeze()
            disk.thaw()
            (disk.folder / "more").write_bytes(b"x" * 100_000)
            assert 100_000 < _size_bytes(disk.folder) <= SIZE_BYTES
    except DiskError as error:
        pytest.skip(f"no small disk: {error}")
    assert not (tmp_path / "disk" / "more").exists()


def test_a_worker_reads_the_time_that_its_file_says(tmp_path: Path) -> None:
    """Two hours ahead by the wall clock in seconds and nanoseconds; the monotonic clock is as it was."""
    clock = tmp_path / "clock"
    clock.write_bytes(FORM.pack(7_200_000))
    program = (
        "import sys, time; from pathlib import Path; from tests.chaos.worker import bend_clock;"
        "before = time.monotonic(); bend_clock(Path(sys.argv[1]));"
        "print(time.time(), time.time_ns(), time.monotonic() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, clock], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, nanoseconds, passed = map(float, done.stdout.split())
    ahead = 7_200 + time.time()
    assert ahead - 600 < seconds < ahead + 600
    assert abs(nanoseconds / 1e9 - seconds) < 600
    assert passed < 600


async def test_a_worker_that_ends_is_started_again_and_stays_away_in_the_end(
    tmp_path: Path,
) -> None:
    """Whatever ended it; exit codes are counted, and nothing runs after the fleet was left."""
    config = tmp_path / "tocsin.yaml"
    config.write_text("rules: []\n")
    async with Fleet(config, "127.0.0.1:1", 1) as fleet:
        (worker,) = fleet.workers
        await until(lambda: worker.running)
        worker.send(signal.SIGKILL)
        await until(lambda: worker.starts >= 2)
    assert not worker.running
    assert worker.codes[-signal.SIGKILL] >= 1


def _size_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize
