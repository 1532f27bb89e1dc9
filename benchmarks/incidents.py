"""Incidents: 10,000 alerts in one minute into incidents: latency that it adds, alerts per CPU second, memory.

One partition of the stage `correlate`, from bytes to bytes, in a process of its own. Alerts come spread over the minute
with a tick each second, as the workers' own are, each with the 32 values that its rule looked at before. The added
latency of a record is the CPU time from the begin of the chunk with the tick that made it certain until all records of
that chunk are bytes: an upper bound for each of them.
Stories: `services`, 500 services with 20 alerts each; `graph`, the same with a call graph that connects all of them;
`tenants`, 500 tenants; `once`, 10,000 services with one alert each, all of which fire in one second, not over a minute,
and are announced in one: of it there is no goal, since its last record waits for 9,999 others. Run as a module, it is
such a process.
"""

import argparse
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from benchmarks.measure import Measured, measured_in_process, report
from benchmarks.row import Goal, Row
from schemas import topics
from schemas.alerts import Alert, Tick, transition_id
from schemas.config import Config, TopologyConfig
from schemas.labels import content_id
from schemas.reasons import AlertReason, AlertState
from schemas.records import encode_record
from streams.app import GC_THRESHOLDS
from streams.correlate import CorrelateStage
from streams.transport.chunk import Chunk

Story = Literal["services", "graph", "once", "tenants"]

ALERTS = 10_000
SERVICES = 500
TENANTS = 500
MINUTE_MS = 60_000
QUIET_MS = 400_000
"""Ticks after the minute: the group interval, after which all that came late is announced."""
START_MS = 1_760_000_000_000
GOAL_LATENCY_MS = 50.0
GOAL_MEMORY_MB = 300.0


def measure(command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    for story in get_args(Story):
        found = measured_in_process("benchmarks.incidents", ["--story", story])
        notes = found.notes
        yield Row(f"incidents.{story}", found.per_core_second, "alerts/s/core", command)
        yield Row(
            f"incidents.{story}_latency_p99",
            notes["p99_us"] / 1e3,
            f"ms added to {notes['records']:,} records",
            command,
            goal=None if story == "once" else Goal("value", "<=", GOAL_LATENCY_MS),
        )
        yield Row(
            f"incidents.{story}_memory",
            notes["rss_bytes"] / 1e6,
            f"MB with {notes['incidents']:,} incidents",
            command,
            goal=Goal("value", "<=", GOAL_MEMORY_MB),
        )


def _alert(number: int, story: Story) -> Alert:
    at = START_MS + (500 if story == "once" else number * MINUTE_MS // ALERTS)
    services = ALERTS if story == "once" else SERVICES
    tenant = f"tenant-{number % TENANTS}" if story == "tenants" else "shop"
    labels = {
        "alertname": "LatencyHigh",
        "service": f"service-{number % services}",
        "instance": f"pod-{number // services}",
        "severity": "warning",
        "namespace": "production",
        "cluster": "eu-central-1",
    }
    fingerprint = content_id(tenant, *labels.values())
    return Alert(
        id=transition_id(fingerprint, AlertState.FIRING, at),
        tenant=tenant,
        rule="slo/LatencyHigh",
        fingerprint=fingerprint,
        state=AlertState.FIRING,
        reason=AlertReason.HELD_FOR,
        time=at,
        active_at=at,
        labels=labels,
        annotations={"summary": f"service-{number % services} answers slowly"},
        value=0.9,
        values=tuple([(7 * number + step) % 90 / 100 for step in range(32)]),
        values_step_ms=15_000,
    )


def _config(story: Story) -> Config:
    calls = {
        f"service-{n}": (f"service-{2 * n + 1}", f"service-{2 * n + 2}") for n in range(SERVICES)
    }
    return Config(topology=TopologyConfig(calls=calls if story == "graph" else {}))


def run(story: Story) -> Measured:
    """Put the alerts of a story through the stage."""
    stage = CorrelateStage(_config(story), sources=1)
    seconds: list[list[bytes]] = [[] for _ in range((MINUTE_MS + QUIET_MS) // 1000)]
    for alert in (_alert(number, story) for number in range(ALERTS)):
        seconds[(alert.time - START_MS) // 1000].append(encode_record(alert))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    waits: list[float] = []
    ids: set[bytes | None] = set()
    offset, began, spent = 0, time.perf_counter(), 0.0
    for number, values in enumerate(seconds):
        now = START_MS + (number + 1) * 1000
        tick = encode_record(Tick(source=0, time=now - 1, record_time=now))
        chunk = Chunk(
            topics.ALERTS,
            0,
            fetch_offset=offset,
            next_offset=offset + len(values) + 1,
            values=[*values, tick],
            timestamps=[now] * (len(values) + 1),
        )
        offset = chunk.next_offset
        before = time.process_time()
        sent = stage.apply(chunk)
        wait = time.process_time() - before
        spent += wait
        waits += [wait] * len(sent)
        ids.update(record.key for record in sent)
    waits.sort()
    return Measured(
        ALERTS,
        spent,
        time.perf_counter() - began,
        {
            "p99_us": int(waits[int(len(waits) * 0.99)] * 1e6),
            "records": len(waits),
            "incidents": len(ids),
            "rss_bytes": peak_bytes(),
        },
    )


def peak_bytes() -> int:
    """The most memory that this process had; `getrusage` would count that of the one which started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run one story and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--story", choices=get_args(Story), required=True)
    report(run(parser.parse_args().story))


if __name__ == "__main__":
    main()
