"""Workers killed with -9 at random instants, telemetry that comes late, twice and out of order: live equals replay.

What the live run left on the topic of telemetry goes through the pure stages, and their bytes are compared with what
stands on tocsin.incidents.
"""

import asyncio
import os
import random
import signal
import sys
from operator import itemgetter
from pathlib import Path

import pytest
from aiohttp import web
from aiokafka import ConsumerRecord

from schemas import topics
from schemas.config import load_document
from schemas.incidents import Incident
from schemas.reasons import Amendment, DeadLetterReason
from schemas.records import decode_record
from streams.demo.run import demo_text
from streams.produce.shell import Sender, producing
from streams.produce.shop import Shop
from streams.produce.telemetry import Record
from streams.replay.backtest import Backtest
from streams.replay.pipeline import Recorded
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import PATIENCE_SECONDS, read_topic

KILLS = 4
STORY_MS = 6_600_000
LATE_SHARE = 0.02
LATE_STEPS = 4
"""So many steps of fifteen seconds a late record may be late: some amend, and some are too late for that."""


def write_config(folder: Path, url: str) -> Path:
    """The demo's configuration, quick to notice a dead worker, without playbooks."""
    text = demo_text("tocsin.yaml").replace("http://127.0.0.1:9/announce", url)
    text = text.split("# What may be done without asking")[0]
    text = text.replace("checkpoint_interval: 5s", "checkpoint_interval: 1s\n  session_timeout: 6s")
    # how far time goes on in silence hangs on the wall clock, and so on how busy the machine is
    text = text.replace("idle_after: 2m", "idle_after: 1h")
    (folder / "tocsin.yaml").write_text(text + f"\nrecord: {{path: {folder / 'history.db'}}}\n")
    (folder / "rules.yml").write_text(RULES)
    return folder / "tocsin.yaml"


RULES = (
    demo_text("rules.yml")
    + """
      - alert: Gap
        expr: count_over_time(host_up[1m]) < 4
        labels: {severity: info, service: "{{ $labels.host }}"}
"""
)
"""The demo's, and one that late samples are bound to refute."""


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


async def tell(shop: Shop, bootstrap: str) -> None:
    """The story of the shop, of which some records come late, some twice, and some never."""
    chance = random.Random(8)
    waiting: list[tuple[int, Record]] = []
    step = 0
    async with producing(bootstrap) as producer:
        sender = Sender(producer, "telemetry")
        while not shop.done:
            step += 1
            for record in shop.messages():
                if chance.random() < LATE_SHARE:
                    waiting.append((step + chance.randint(1, LATE_STEPS), record))
                if chance.random() > LATE_SHARE:
                    await sender.send(record)
            for record in [record for due, record in waiting if due == step]:
                await sender.send(record)
            await asyncio.sleep(0.08)
        await sender.drain()


def in_order_of_the_logs(found: list[ConsumerRecord]) -> list[Recorded]:
    """A recording: partitions side by side, each in its own order, also where times go back."""
    newest: dict[int, int] = {}
    places = []
    for r in found:
        newest[r.partition] = max(newest.get(r.partition, 0), r.timestamp)
        places.append((newest[r.partition], r.partition, r.offset))
    recorded = [Recorded("telemetry", r.partition, r.offset, r.timestamp, r.value) for r in found]
    return [each for _, each in sorted(zip(places, recorded, strict=True), key=itemgetter(0))]


@pytest.mark.slow
async def test_killed_workers_write_the_incidents_of_a_replay(
    own_kafka: str, tmp_path: Path
) -> None:
    """After kills at random instants every record of every incident is, byte for byte, a replay's."""
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

    telling = asyncio.create_task(tell(shop, own_kafka))
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(5, 11))
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        worker = await start_worker(config, own_kafka, log)
    await telling

    document = load_document(config.read_text(), str(config))
    recording = in_order_of_the_logs(await read_topic(own_kafka, "telemetry"))
    groups, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    outcome = Backtest(document.config, groups).run(recording, flush=False)
    assert len(outcome.records) >= 5

    replayed = {(i.id, i.revision): v for v in outcome.values for i in [decode_record(v, Incident)]}
    amended = {r.amendment for records in outcome.records.values() for r in records}
    assert {Amendment.AMENDED, Amendment.WITHDRAWN} <= amended
    assert outcome.refused[DeadLetterReason.LATE] > 0

    async def live() -> dict[tuple[str, int], set[bytes]]:
        found: dict[tuple[str, int], set[bytes]] = {}
        for record in await read_topic(own_kafka, topics.INCIDENTS):
            incident = decode_record(record.value, Incident)
            if not incident.provisional:
                found.setdefault((incident.id, incident.revision), set()).add(record.value)
        return found

    announced = sum(1 for records in outcome.records.values() for r in records if r.announce)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(told) < announced or (await live()).keys() != replayed.keys():
            await asyncio.sleep(1)
    worker.send_signal(signal.SIGTERM)
    assert await worker.wait() == 0
    await runner.cleanup()

    assert {place: {value} for place, value in replayed.items()} == await live()
    assert len(told) == announced
    assert all(len(bodies) == 1 for bodies in told.values())
