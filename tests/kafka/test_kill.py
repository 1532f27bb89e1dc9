"""Workers killed with -9 at random instants: the incidents are those of a replay, and nobody is told twice."""

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import web

from schemas import topics
from schemas.config import load_document
from schemas.incidents import Incident
from schemas.records import decode_record
from streams.demo.run import demo_rules, demo_text
from streams.produce.shell import Sender, producing
from streams.produce.shop import Shop
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic

KILLS = 4
STORY_MS = 6_600_000


def write_config(folder: Path, url: str) -> Path:
    """The demo's configuration, quick to notice a dead worker, without playbooks."""
    text = demo_text("tocsin.yaml").replace("http://127.0.0.1:9/announce", url)
    text = text.split("# What may be done without asking")[0]
    text = text.replace("checkpoint_interval: 5s", "checkpoint_interval: 1s\n  session_timeout: 6s")
    (folder / "tocsin.yaml").write_text(text + f"\nrecord: {{path: {folder / 'history.db'}}}\n")
    (folder / "rules.yml").write_text(demo_text("rules.yml"))
    return folder / "tocsin.yaml"


async def start_worker(config: Path, broker: str, log: Path) -> asyncio.subprocess.Process:
    """One process with all stages."""
    with log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "streams.cli.main",
            "run",
            "--config",
            str(config),
            "--broker",
            broker,
            stdout=out,
            stderr=out,
            env=os.environ,
        )


@pytest.mark.slow
async def test_killed_workers_write_the_incidents_of_a_replay(
    own_kafka: str, tmp_path: Path
) -> None:
    """After kills at random instants the last record of each incident is, byte for byte, a replay's."""
    told: dict[str, set[str]] = {}

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        told.setdefault(request.headers["Idempotency-Key"], set()).add(body.decode())
        return web.Response()

    app = web.Application()
    app.router.add_post("/page", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    config = write_config(tmp_path, f"http://{host}:{port}/page")
    broker = Broker(own_kafka)
    await create_topics(broker, topics.all_topics())
    chance = random.Random(7)
    # not long ago: the broker deletes what is older than the topic's retention
    shop = Shop(7, (WallClock().now_ms() - STORY_MS) // 60_000 * 60_000)
    log = tmp_path / "worker.log"
    worker = await start_worker(config, own_kafka, log)

    async def story() -> None:
        async with producing(own_kafka) as producer:
            sender = Sender(producer, "telemetry")
            while not shop.done:
                for record in shop.messages():
                    await sender.send(record)
                await asyncio.sleep(0.08)
            await sender.drain()

    telling = asyncio.create_task(story())
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(5, 11))
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        worker = await start_worker(config, own_kafka, log)
    await telling

    document = load_document(config.read_text(), str(config))
    recording = [
        Recorded("telemetry", r.partition, r.offset, r.timestamp, r.value)
        for r in sorted(
            await read_topic(own_kafka, "telemetry"),
            key=lambda r: (r.timestamp, r.partition, r.offset),
        )
    ]
    outcome = Backtest(document.config, demo_rules()).run(recording, flush=False)
    expected = {i: max(r.revision for r in records) for i, records in outcome.records.items()}
    assert len(expected) >= 5

    async def live() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for record in await read_topic(own_kafka, topics.INCIDENTS):
            if not json.loads(record.value)["provisional"]:
                found[record.key.decode()] = record.value
        return found

    async with asyncio.timeout(60):
        while {
            i: decode_record(v, Incident).revision for i, v in (await live()).items()
        } != expected:
            await asyncio.sleep(1)
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    await runner.cleanup()

    replayed = {decode_record(v, Incident).id: v for v in outcome.values}
    assert await live() == replayed
    announced = sum(1 for records in outcome.records.values() for r in records if r.announce)
    assert len(told) == announced
    assert all(len(bodies) == 1 for bodies in told.values())
