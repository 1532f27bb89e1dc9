"""A sample's way from a topic to a pager, on a real Kafka, with everything that can be wrong beside it."""

import asyncio
import json
from pathlib import Path

from aiohttp import web
from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.config import Config
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.reasons import DeadLetterReason as Why
from schemas.reasons import IncidentState
from schemas.records import decode_record
from schemas.remediations import Remediation
from sinks.record import History
from streams.app import Setting, Workers
from streams.rules.load import parse_rules
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import read_topic, until

RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Down
        expr: up == 0
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.service }} is down"}
"""

GOOD = {"metric": "up", "labels": {"service": "cart"}}


def bad_records(now: int) -> list[tuple[bytes | None, Why]]:
    """Each kind of bad record and why it is refused."""

    def sample(**changes: object) -> bytes:
        return json.dumps({"ts": now, "value": 1, **GOOD} | changes).encode()

    return [
        (b"{nonsense", Why.NOT_JSON),
        (b'{"metric": "\xff"}', Why.NOT_UTF8),
        (sample(value="1"), Why.WRONG_TYPE),
        (b'{"ts":1,"metric":"m","value":NaN}', Why.NOT_FINITE),
        (json.dumps({"ts": now, "value": 1}).encode(), Why.MISSING_METRIC),
        (sample(ts=now + 10**9), Why.TOO_FAR_AHEAD),
        (sample(ts=now - 10**10), Why.TOO_OLD),
        (None, Why.TOMBSTONE),
        (b"", Why.EMPTY_VALUE),
        (b"\x00\xfegarbage" * 110_000, Why.NOT_UTF8),
        (sample(labels={f"l{i}": "x" for i in range(10_000)}), Why.TOO_MANY_LABELS),
        (sample(labels={"a": "x" * 1_000_000}), Why.LABEL_TOO_LONG),
        (json.dumps([1, {"ts": now}]).encode(), Why.WRONG_TYPE),
    ]


async def test_bad_records_are_dead_letters_and_the_good_ones_page(
    own_kafka: str, tmp_path: Path
) -> None:
    """Every bad record is one dead letter with reason and origin; what stood beside it becomes one page."""
    paged: list[tuple[str, dict]] = []

    async def take(request: web.Request) -> web.Response:
        paged.append((request.headers["Idempotency-Key"], await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/page", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    url = f"http://{host}:{port}/page"
    config = Config.model_validate(
        {
            "kafka": {"bootstrap": own_kafka, "checkpoint_interval": 500},
            "time": {"allowed_lateness": 0, "tick": 1_000, "idle_after": 2_000},
            "correlate": {"group_wait": 1_000, "resolve_delay": 1_000},
            "notify": {"receivers": [{"type": "webhook", "name": "pager", "url": url}]},
            "playbooks": [
                {
                    "name": "note",
                    "matchers": ['alertname="Down"'],
                    "action": {"type": "kafka", "topic": "ops", "value": "check {{ cause }}"},
                },
                {
                    "name": "restart",
                    "matchers": ['severity="critical"'],
                    "action": {"type": "kafka", "topic": "ops", "value": "restart {{ cause }}"},
                    "dry_run": False,
                },
            ],
            "record": {"path": str(tmp_path / "history.db")},
        }
    )
    broker = Broker(own_kafka)
    await create_topics(broker, [*topics.all_topics(), topics.Topic("ops", "none", "commands")])
    groups, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    clock = WallClock()
    producer = AIOKafkaProducer(bootstrap_servers=own_kafka, max_request_size=4_000_000)
    await producer.start()
    start = clock.now_ms() // 1_000 * 1_000 - 120_000
    bad = bad_records(start)
    async with Workers(Setting(config, groups, broker, clock)) as workers:
        for step in range(60):
            if step == 35:
                await until(lambda: bool(paged))
            now = start + step * 1_000
            value = json.dumps({"ts": now, "value": 0 if 20 <= step < 40 else 1, **GOOD}).encode()
            await producer.send("telemetry", value, partition=step % 4, timestamp_ms=now)
            if step < len(bad):
                await producer.send(
                    "telemetry", bad[step][0], b"key", partition=step % 4, timestamp_ms=now
                )
        await producer.flush()
        await until(lambda: any(body["status"] == "resolved" for _, body in paged))
        assert [r.error for r in workers.host.runners.values() if r.error] == []
        await asyncio.sleep(1)
    await producer.stop()
    await runner.cleanup()

    letters = [
        decode_record(r.value, DeadLetter) for r in await read_topic(own_kafka, topics.DEAD_LETTERS)
    ]
    by_place = {(x.partition, x.offset): x for x in letters if x.item < 0}
    assert sorted(x.reason for x in by_place.values()) == sorted([w for _, w in bad[:-1]])
    assert sorted(x.item for x in letters if x.item >= 0) == [0, 1]
    for letter in letters:
        raw = bad[(letter.offset // 2) * 4 + letter.partition][0] or b""
        assert (letter.topic, letter.head, letter.size_bytes) == ("telemetry", raw[:256], len(raw))

    statuses = [body["status"] for _, body in paged]
    assert statuses == ["firing", "resolved"]
    assert paged[0][1]["alerts"][0]["annotations"]["summary"] == "cart is down"
    (incident,) = {
        i.id: i
        for i in (
            decode_record(r.value, Incident) for r in await read_topic(own_kafka, topics.INCIDENTS)
        )
    }.values()
    assert incident.state is IncidentState.RESOLVED
    assert incident.opened_at == start + 20_000
    done = [
        decode_record(r.value, Remediation)
        for r in await read_topic(own_kafka, topics.REMEDIATIONS)
    ]
    assert [(r.state.value, r.playbook) for r in done] == [
        ("dry_run", "note"),
        ("intended", "restart"),
        ("succeeded", "restart"),
    ]
    assert [r.value for r in await read_topic(own_kafka, "ops")] == [b"restart cart"]
    with History(tmp_path / "history.db", read_only=True) as history:
        kept = history.get_incident(incident.id)
    assert kept is not None
    assert kept.incident == incident
    assert [n.reason.value for n in kept.notifications] == ["delivered", "delivered"]
