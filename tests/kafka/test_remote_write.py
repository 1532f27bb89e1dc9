"""The recipe for Prometheus: the real server scrapes, writes to the bridge and so to a real Kafka; its rules fire."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from deploy.prometheus.build import FOLDER, PROMETHEUS, VERSION
from examples.remote_write_bridge import to_kafka
from schemas import topics
from schemas.alerts import Alert, Tick
from schemas.config import load_document
from schemas.reasons import AlertState
from schemas.records import decode_record
from streams.app import Setting, Workers
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic
from tests.schemas.wire.remote_write.golden.record import exposition

RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "prometheus-remote-write.md"
SERVER, OURS, RULES = re.findall(
    r"^```yaml\n(.*?)^```$", RECIPE.read_text(), re.MULTILINE | re.DOTALL
)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A block of the recipe with what is different here."""
    for shown, ours in changes:
        assert shown in text
        text = text.replace(shown, ours)
    return text


async def serve(stack: AsyncExitStack, app: web.Application) -> int:
    """Port of a service that runs until the stack is left."""
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])


@pytest.mark.slow
async def test_the_recipe_runs_as_it_stands(own_kafka: str, tmp_path: Path) -> None:
    """From the exporter through Prometheus, bridge and Kafka to an alert on a native histogram."""
    program = PROMETHEUS.find(FOLDER)
    if program is None:
        pytest.skip(f"no Prometheus {VERSION} built: python -m deploy.prometheus prometheus")
    scrapes = 0

    async def scraped(_: web.Request) -> web.Response:
        nonlocal scrapes
        scrapes += 1
        kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        return web.Response(body=exposition(scrapes), headers={"content-type": kind})

    exporter = web.Application()
    exporter.router.add_get("/metrics", scraped)
    config = load_document(
        changed(
            OURS,
            ("kafka-1.example.com:9092", own_kafka),
            ("30s", "2s\n  idle_after: 3s"),
            ("rules: [rules.yml]", ""),
        ),
        "tocsin.yaml",
    ).config
    groups, faults = parse_rules(changed(RULES, ("15s", "1s"), ("[2m]", "[6s]")), "rules.yml")
    assert [] == faults
    broker, clock = Broker(own_kafka), WallClock()
    await create_topics(broker, topics.all_topics(("remote-write",)))
    async with AsyncExitStack() as stack:
        bridge = await serve(stack, to_kafka(own_kafka, "remote-write"))
        target = await serve(stack, exporter)
        (tmp_path / "prometheus.yml").write_text(
            changed(
                SERVER,
                ("15s", "1s"),
                ("cart-1.example.com:8080", f"127.0.0.1:{target}"),
                ("bridge.example.com:9201", f"127.0.0.1:{bridge}"),
            )
        )
        log = stack.enter_context((tmp_path / "log").open("w"))
        process = await asyncio.create_subprocess_exec(
            program,
            "--config.file=prometheus.yml",
            "--web.listen-address=127.0.0.1:0",
            "--storage.tsdb.path=data",
            cwd=tmp_path,
            stderr=log,
        )
        try:
            async with Workers(Setting(config, groups, broker, clock, ("ingest", "detect"))):
                async with asyncio.timeout(60):
                    while not (fired := await firing(own_kafka)):
                        await asyncio.sleep(0.5)
        finally:
            process.terminate()
            await process.wait()

    assert ["shop/Slow"] == sorted({alert.rule for alert in fired})
    assert {"cart"} == {dict(alert.labels)["service"] for alert in fired}
    assert [] == await read_topic(own_kafka, topics.DEAD_LETTERS)


async def firing(kafka: str) -> list[Alert]:
    """Alerts that have begun to fire."""
    records = await read_topic(kafka, topics.ALERTS)
    found = (decode_record(each.value, Alert | Tick) for each in records if each.key)
    return [each for each in found if isinstance(each, Alert) and each.state is AlertState.FIRING]
