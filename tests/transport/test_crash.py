"""A worker that is killed at any instant."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.transport.tally import expected
from tests.transport.test_runner import collect, make_topics, produce, values

ROOT = Path(__file__).parents[2]


def start_worker(bootstrap: str, prefix: str, instance: str = "") -> subprocess.Popen[bytes]:
    """The tally in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.transport.tally", bootstrap, prefix, instance],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
async def test_kills_leave_no_trace_in_the_state(bootstrap: str, prefix: str) -> None:
    """Killed twice at random instants and restarted, a worker loses nothing, invents nothing, and its state is exact.

    Outputs tell the whole history of their key, so one that is not expected would show a lost, a
    doubled or a reordered record. Outputs themselves may come twice.
    """
    await make_topics(bootstrap, prefix)
    wanted = expected(values(0, 6000))
    dice = random.Random(prefix)
    worker = start_worker(bootstrap, prefix)
    try:
        for part in range(3):
            at = part * 2000
            await produce(bootstrap, prefix, values(at, at + 1000))
            await collect(bootstrap, prefix, set(wanted[: at + 1000]))
            await produce(bootstrap, prefix, values(at + 1000, at + 2000))
            if part < 2:
                await asyncio.sleep(dice.uniform(0, 0.7))
                worker.kill()
                worker.wait()
                worker = start_worker(bootstrap, prefix)
        seen = await collect(bootstrap, prefix, set(wanted))
        worker.send_signal(signal.SIGTERM)
        assert 0 == worker.wait(timeout=120)
    finally:
        worker.kill()
        worker.wait()
    assert Counter(wanted).keys() == seen.keys()
