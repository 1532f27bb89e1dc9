"""Makes prometheus.json: what the real Prometheus writes to two bridges, 1.0 and 2.0, and what it answers to queries.

`python -m tests.schemas.wire.remote_write.golden.record`; takes half a minute, and builds Prometheus if it must.
An exporter of ours serves counters, gauges with NaN and infinity, a classic histogram and a native one; half way it
leaves one series out, and before the end it goes away, so that its series get stale markers.
"""

import asyncio
import json
import math
import struct
import tempfile
import time
import urllib.parse
from base64 import b64encode
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.messages import EXPOSITION, make
from deploy.prometheus.build import FOLDER, PROMETHEUS
from examples.remote_write_bridge import app

GOLDEN = Path(__file__).parent / "prometheus.json"
SCRAPES = 14
EXPRESSIONS = (
    "histogram_quantile(0.9, rate(request_seconds[6s]))",
    "histogram_count(rate(request_seconds[6s]))",
    "histogram_sum(request_seconds)",
    "histogram_quantile(0.5, answer_seconds)",
    "histogram_fraction(0, 1, rate(answer_seconds[6s]))",
    "histogram_count(job:request_seconds:rate6s)",
    "rate(requests_total[6s])",
    "queue_ratio",
    "limit_bytes",
    "up",
)
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    scrape_native_histograms: true
    convert_classic_histograms_to_nhcb: true
    static_configs: [{{targets: ["127.0.0.1:{exporter}"], labels: {{service: cart}}}}]
    metric_relabel_configs: [{{source_labels: [__name__], regex: "scrape_.*", action: drop}}]
remote_write:
  - url: http://127.0.0.1:{bridge}/1/api/v1/write
    protobuf_message: prometheus.WriteRequest
    send_exemplars: true
    send_native_histograms: true
    queue_config: {{max_shards: 1, batch_send_deadline: 2s, max_samples_per_send: 20}}
  - url: http://127.0.0.1:{bridge}/2/api/v1/write
    protobuf_message: io.prometheus.write.v2.Request
    send_exemplars: true
    send_native_histograms: true
    queue_config: {{max_shards: 1, batch_send_deadline: 2s, max_samples_per_send: 20}}
"""
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - {record: "job:request_seconds:rate6s", expr: "sum by (job, service) (rate(request_seconds[6s]))"}
"""
COUNTER, GAUGE, HISTOGRAM = 0, 1, 4
KINDS = make(EXPOSITION)


def family(name: str, kind: int) -> Any:
    """A family of metrics of this kind."""
    return KINDS["MetricFamily"](name=name, help=f"Help of {name}.", type=kind)


def exposition(scrape: int) -> bytes:
    """What the exporter serves at its n-th scrape."""
    requests = family("requests_total", COUNTER)
    for number, status in enumerate(("200", "500", "404")):
        if status == "404" and scrape > SCRAPES // 2:
            continue
        metric = requests.metric.add()
        metric.label.add(name="status", value=status)
        metric.counter.value = scrape * number * 5
        metric.counter.exemplar.label.add(name="trace_id", value=f"{scrape:032x}")
        metric.counter.exemplar.value = 1
    ratios = family("queue_ratio", GAUGE)
    for name, value in (("nan", math.nan), ("half", 0.5), ("zero", 0.0), ("less", -1.25)):
        metric = ratios.metric.add()
        metric.label.add(name="queue", value=name)
        metric.gauge.value = value
    bounds = family("limit_bytes", GAUGE)
    for name, value in (("above", math.inf), ("below", -math.inf)):
        metric = bounds.metric.add()
        metric.label.add(name="side", value=name)
        metric.gauge.value = value
    return b"".join(
        struct.pack("B", len(text) & 0x7F | 0x80) + struct.pack("B", len(text) >> 7) + text
        for text in (
            each.SerializeToString()
            for each in (requests, ratios, bounds, _native(scrape), _classic(scrape))
        )
    )


def _native(scrape: int) -> Any:
    found = family("request_seconds", HISTOGRAM)
    one = found.metric.add().histogram
    slow = max(0, scrape - SCRAPES // 2)
    one.schema, one.zero_threshold, one.zero_count = 3, 0.001, scrape
    one.positive_span.add(offset=-8, length=3)
    one.positive_span.add(offset=9, length=2)
    one.positive_delta.extend([scrape, scrape, -scrape, slow - scrape, scrape])
    one.negative_span.add(offset=2, length=1)
    one.negative_delta.append(2 * scrape)
    counts = [scrape, 2 * scrape, scrape, slow, slow + scrape]
    one.sample_count = sum(counts) + 3 * scrape
    one.sample_sum = 0.75 * one.sample_count
    return found


def _classic(scrape: int) -> Any:
    found = family("answer_seconds", HISTOGRAM)
    one = found.metric.add().histogram
    for bound, count in ((0.5, 2), (1.0, 5), (2.5, 6), (math.inf, 7)):
        one.bucket.add(upper_bound=bound, cumulative_count=count * scrape)
    one.sample_count, one.sample_sum = 7 * scrape, 6.5 * scrape
    return found


async def main() -> None:
    """Run it all."""
    scrapes = 0
    records: list[dict[str, Any]] = []

    async def scraped(_: web.Request) -> web.Response:
        nonlocal scrapes
        scrapes += 1
        kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        return web.Response(body=exposition(scrapes), headers={"content-type": kind})

    def recording(version: int) -> web.Application:
        async def send(body: bytes, headers: list[tuple[str, bytes]]) -> None:
            told = {key: value.decode() for key, value in headers}
            at = {"version": version, "time": time.time_ns() // 1_000_000}
            records.append({**at, "headers": told, "body": b64encode(body).decode()})

        return app(send)

    exporter = web.Application()
    exporter.router.add_get("/metrics", scraped)
    bridges = web.Application()
    bridges.add_subapp("/1", recording(1))
    bridges.add_subapp("/2", recording(2))
    runners = [web.AppRunner(each) for each in (exporter, bridges)]
    ports = [await _serve(each) for each in runners]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = CONFIG.format(exporter=ports[0], bridge=ports[1])
        (folder / "prometheus.yml").write_text(config)
        (folder / "rules.yml").write_text(RULES)
        server = web.AppRunner(web.Application())
        port = await _serve(server)
        await server.cleanup()
        process = await asyncio.create_subprocess_exec(
            PROMETHEUS.ensure(FOLDER),
            "--config.file=prometheus.yml",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.path=data",
            "--enable-feature=exemplar-storage,native-histograms,st-storage",
            cwd=folder,
            stderr=(folder / "log").open("w"),
        )
        try:
            while scrapes < SCRAPES:
                await asyncio.sleep(0.2)
            await runners[0].cleanup()
            await asyncio.sleep(6)
            answers = await _answers(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            await process.wait()
            print((folder / "log").read_text()[-3000:])  # noqa: T201  the terminal is its reader
    await runners[1].cleanup()
    golden = {"records": records, "answers": answers}
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


async def _serve(runner: web.AppRunner) -> int:
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


async def _answers(url: str) -> list[dict[str, Any]]:
    """What Prometheus says to the expressions at each of the last seconds."""
    found = []
    now = int(time.time())
    async with aiohttp.ClientSession() as session:
        for expression in EXPRESSIONS:
            for at in range(now - SCRAPES - 6, now, 2):
                asked = urllib.parse.urlencode({"query": expression, "time": at})
                async with session.get(f"{url}/api/v1/query?{asked}") as told:
                    answer = await told.json()
                series = sorted(
                    (sorted(each["metric"].items()), each["value"][1])
                    for each in answer["data"]["result"]
                    if "value" in each
                )
                found.append({"expr": expression, "time": at * 1000, "series": series})
    return found


if __name__ == "__main__":
    asyncio.run(main())
