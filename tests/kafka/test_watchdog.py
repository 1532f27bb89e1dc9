"""Hangs that look alive, caused for real: each ends the process with its reason, and the next one does the work."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from streams.cli.supervise import Supervisor
from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import expected
from tests.transport.test_runner import collect, make_topics, produce, values

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 3.0


@pytest.fixture
def prefix() -> str:
    """A beginning for names of topics and groups that no other test uses."""
    return f"watchdog-{time.time_ns()}"


def stalling(bootstrap: str, prefix: str, folder: Path, limit_seconds: float) -> list[str]:
    """The command of a worker that can be made to hang."""
    worker = ["-m", "tests.kafka.stalling", bootstrap, prefix, str(limit_seconds), str(folder)]
    return [sys.executable, *worker]


@asynccontextmanager
async def supervised(command: list[str], stop: asyncio.Event) -> AsyncIterator[None]:
    """One worker, started again whenever it ends."""
    running = asyncio.create_task(Supervisor(command, 1).run(stop))
    try:
        yield
    finally:
        stop.set()
        assert 0 == await running


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "said", "code"),
    [
        pytest.param(
            "silent_fetcher",
            "has stalled (no_progress) for more than 3 seconds: rebalancing False, lag ",
            75,
            id="lag without progress",
        ),
        pytest.param(
            "blocked_loop",
            "the event loop has stalled (loop_blocked) for more than 3 seconds: no answer; "
            "the loop is at kafka/stalling.py:",
            75,
            id="a stage that never returns",
        ),
        pytest.param("held_interpreter", "in fullmatch", 1, id="a held interpreter"),
    ],
)
async def test_a_hang_ends_in_a_restart(
    kafka_bootstrap: str,
    prefix: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    said: str,
    code: int,
) -> None:
    """The process ends by itself and says why and where; the one after it brings every output, and none is wrong."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", os.fspath(ROOT))
    await make_topics(kafka_bootstrap, prefix)
    given = [*values(0, 400), f"stall:{way}", *values(400, 800)]
    wanted = expected(given)
    stop = asyncio.Event()
    async with supervised(stalling(kafka_bootstrap, prefix, tmp_path, LIMIT_SECONDS), stop):
        await produce(kafka_bootstrap, prefix, given[:401])
        await collect(kafka_bootstrap, prefix, set(wanted[:400]))
        # a fetcher is silent only where something lies before it
        await produce(kafka_bootstrap, prefix, given[401:])
        seen = await collect(kafka_bootstrap, prefix, set(wanted))
    assert Counter(wanted).keys() == seen.keys()
    told = capfd.readouterr().err
    assert said in told
    assert f"worker 1 ended with {code}; started again in 1 s" in told


class Deaf(ConsumerRebalanceListener):
    """Does not give up what it has before it is let go, while its heartbeats go on."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let_go = asyncio.Event()

    async def on_partitions_revoked(self, revoked: object) -> None:
        if revoked:
            self.asked.set()
            await self.let_go.wait()

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Nothing."""


def member(bootstrap: str, prefix: str) -> AIOKafkaConsumer:
    """Another member of the worker's group; the coordinator would wait ten minutes for it."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=f"tocsin-{prefix}",
        partition_assignment_strategy=(StickyPartitionAssignor,),
        enable_auto_commit=False,
        session_timeout_ms=30_000,
        heartbeat_interval_ms=500,
        rebalance_timeout_ms=600_000,
        max_poll_interval_ms=600_000,
    )


@pytest.mark.slow
async def test_a_rebalance_that_never_ends_ends_in_a_restart(
    kafka_bootstrap: str, prefix: str, tmp_path: Path
) -> None:
    """A member that does not come back holds up the group; the worker says so and ends with 75."""
    await make_topics(kafka_bootstrap, prefix)
    process = await asyncio.create_subprocess_exec(
        *stalling(kafka_bootstrap, prefix, tmp_path, LIMIT_SECONDS),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    wanted = expected(values(0, 100))
    await produce(kafka_bootstrap, prefix, values(0, 100))
    await collect(kafka_bootstrap, prefix, set(wanted))
    deaf, third = Deaf(), member(kafka_bootstrap, prefix)
    second = member(kafka_bootstrap, prefix)
    second.subscribe([f"{prefix}-in"], listener=deaf)
    third.subscribe([f"{prefix}-in"])
    await second.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not second.assignment():
            await asyncio.sleep(0.05)
    joining = asyncio.create_task(third.start())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await deaf.asked.wait()
            _, said = await process.communicate()
    finally:
        deaf.let_go.set()
        await joining
        await second.stop()
        await third.stop()
    line = said.decode().splitlines()[-1]
    assert f"stage {prefix} has stalled (rebalancing) for more than 3 seconds: " in line
    assert " in select < " in line
    assert 75 == process.returncode


@pytest.mark.slow
async def test_neither_idleness_nor_a_long_catch_up_is_a_hang(
    kafka_bootstrap: str, prefix: str, tmp_path: Path
) -> None:
    """For several times the limit there is nothing to do, then more than can be done within it: nobody is ended."""
    await make_topics(kafka_bootstrap, prefix)
    process = await asyncio.create_subprocess_exec(
        *stalling(kafka_bootstrap, prefix, tmp_path, 2.0),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    wanted = expected(values(0, 100))
    await produce(kafka_bootstrap, prefix, values(0, 100))
    await collect(kafka_bootstrap, prefix, set(wanted))
    await asyncio.sleep(6)
    assert process.returncode is None
    wanted = expected(values(0, 40_000))
    await produce(kafka_bootstrap, prefix, values(100, 40_000))
    assert Counter(wanted) == await collect(kafka_bootstrap, prefix, set(wanted))
    process.terminate()
    await process.communicate()
    assert 0 == process.returncode
