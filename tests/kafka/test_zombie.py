"""A worker that is stopped for longer than its session: it writes nothing more, and the next one does the work."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import expected
from tests.transport.test_runner import collect, make_topics, produce, values

ROOT = Path(__file__).parents[2]


async def until_expelled(bootstrap: str, group: str) -> None:
    """Wait until the group has no member."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                (answer,) = await admin.describe_consumer_groups([group])
                if not answer.groups[0][-1 if len(answer.groups[0]) == 6 else 5]:
                    return
                await asyncio.sleep(0.2)
    finally:
        await admin.close()


@pytest.mark.slow
async def test_a_worker_that_was_stopped_past_its_session_ends_before_it_writes(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """It finds itself expelled, says so and ends; whoever comes next brings every output, and none is wrong."""
    prefix = f"zombie-{time.time_ns()}"
    await make_topics(kafka_bootstrap, prefix)
    command = ["-m", "tests.kafka.stalling", kafka_bootstrap, prefix, "600", os.fspath(tmp_path)]

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )

    zombie = await start()
    given = values(0, 400)
    wanted = expected(given)
    await produce(kafka_bootstrap, prefix, given[:200])
    await collect(kafka_bootstrap, prefix, set(wanted[:200]))

    zombie.send_signal(signal.SIGSTOP)
    await produce(kafka_bootstrap, prefix, given[200:])
    await until_expelled(kafka_bootstrap, f"tocsin-{prefix}")
    zombie.send_signal(signal.SIGCONT)
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, said = await zombie.communicate()
    assert 0 != zombie.returncode
    assert "the group does not know this worker any more" in said.decode()
    assert "others have its partitions" in said.decode()

    heir = await start()
    seen = await collect(kafka_bootstrap, prefix, set(wanted))
    assert Counter(wanted).keys() == seen.keys()
    heir.terminate()
    await heir.communicate()
    assert 0 == heir.returncode
