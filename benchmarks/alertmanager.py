"""Alerts per second of processor time, beside a real Alertmanager in the same run.

20,000 alerts of 500 services, which fire for `HOLD_SECONDS`, in which each group is looked at every 5 seconds. Stories:
`plain`, without inhibition; `inhibits`, with the rule that a critical alert inhibits warnings of its service, which
stops 8,000 of the alerts; `stands`, where that rule finds nothing, since half of the services have critical alerts only
and the other half warnings.

Alertmanager gets them over its API in posts of 500 and tells a webhook; its processor time is that of its process from
the first post until `HOLD_SECONDS` after the last one, or later, until every service was told of; where it gives none
after `PATIENCE_SECONDS`, only the alerts of services that it did tell of count. We get the records of
tocsin.alerts as bytes, and give back the records of tocsin.notices as bytes; our processor time is that of this
process. `stage` is all that CORRELATE does, incidents with their causes included; `routes` is what does the same work
as Alertmanager.

Run with `python -m benchmarks.alertmanager`; Alertmanager is Debian's package prometheus-alertmanager.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.alerts import Alert, Tick, transition_id
from schemas.config import Config
from schemas.labels import content_id
from schemas.notices import Notice
from schemas.reasons import AlertReason, AlertState
from schemas.records import decode_record, encode_record
from schemas.topics import ALERTS as ALERTS_TOPIC
from schemas.topics import NOTICES
from streams.app import GC_THRESHOLDS
from streams.correlate import CorrelateStage
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.order import Order
from streams.correlate.stage import incident_record
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.correlate.differential import live

ALERTS, SERVICES = 20_000, 500
POST = 500
T0 = 1_767_600_000_000
HOLD_SECONDS = 20
PATIENCE_SECONDS = 180
RULE = {
    "source_matchers": ['severity="critical"'],
    "target_matchers": ['severity="warning"'],
    "equal": ["service"],
}
STORIES: dict[str, list[dict[str, Any]]] = {"plain": [], "inhibits": [RULE], "stands": [RULE]}
GOALS = {"plain": 1, "inhibits": 20, "stands": 20}
"""So many times as many as Alertmanager; without inhibition the whole stage too."""
ROUTE = {"receiver": "r", "group_by": ["service"], "group_wait": "1s", "group_interval": "5s"}


def labels(number: int, story: str) -> dict[str, str]:
    """Labels of one alert."""
    turn = 1 if story == "stands" else 5
    return {
        "alertname": f"Rule{number // SERVICES}",
        "service": f"service-{number % SERVICES}",
        "instance": f"10.0.{number // 256}.{number % 256}:9100",
        "severity": "critical" if number % 2 and number // SERVICES % turn == 0 else "warning",
    }


def ours(story: str, *, whole: bool) -> tuple[float, int]:
    """Alerts per second of processor time, and how many services were told of."""
    config = Config.model_validate(
        {
            "route": ROUTE,
            "inhibit_rules": STORIES[story],
            "correlate": {"group_by": ["service"]},
            "notify": {"receivers": [{"type": "stdout", "name": "r"}]},
        },
        context={"file": True},
    )
    values = [encode_record(_alert(n, story)) for n in range(ALERTS)]
    end = T0 + ALERTS // 20 + HOLD_SECONDS * 1000
    values.append(encode_record(Tick(source=0, time=end, record_time=end)))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    began = time.process_time()
    sent = _stage(config, values) if whole else _routes(config, values)
    spent = time.process_time() - began
    notices = (decode_record(r.value or b"", Notice) for r in sent if r.topic == NOTICES)
    return ALERTS / spent, len({notice.group_key for notice in notices})


def _alert(number: int, story: str) -> Alert:
    found, at = labels(number, story), T0 + number // 20
    fingerprint = content_id(*(f"{k}={v}" for k, v in found.items()))
    return Alert(
        id=transition_id(fingerprint, AlertState.FIRING, at),
        tenant="default",
        rule=f"g/{found['alertname']}",
        fingerprint=fingerprint,
        state=AlertState.FIRING,
        reason=AlertReason.HELD_FOR,
        time=at,
        active_at=at,
        labels=found,
    )


def _stage(config: Config, values: list[bytes]) -> list[Outgoing]:
    stage = CorrelateStage(config, sources=1)
    chunk = Chunk(
        ALERTS_TOPIC,
        0,
        fetch_offset=0,
        next_offset=len(values),
        values=values,
        timestamps=[T0] * len(values),
    )
    return stage.apply(chunk)


def _routes(config: Config, values: list[bytes]) -> list[Outgoing]:
    assert config.route is not None
    order, dispatcher = Order(1), Dispatcher(config, config.route)
    for value in values[:-1]:
        order.hold(decode_record(value, Alert))
    release = order.tick(decode_record(values[-1], Tick))
    assert release is not None, "the only source has ticked"
    return [incident_record(notice, 0) for notice in dispatcher.advance(release, [])]


def theirs(program: str, story: str) -> tuple[float, int]:
    """The same of Alertmanager; less than all services where it falls behind."""
    inbox = live.Inbox()
    port = inbox.server.server_address[1]
    hook = {"url": f"http://127.0.0.1:{port}/all/r", "send_resolved": True}
    config = {
        "route": ROUTE,
        "receivers": [{"name": "r", "webhook_configs": [hook]}],
        "inhibit_rules": STORIES[story],
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        live.running(program, Path(folder), config) as (address, process),
    ):
        before = _processor_seconds(process)
        for post in _posts(story):
            live.call("POST", f"{address}/api/v2/alerts", post)
        held, patience = time.monotonic() + HOLD_SECONDS, time.monotonic() + PATIENCE_SECONDS
        told = 0
        while time.monotonic() < held or (told < SERVICES and time.monotonic() < patience):
            time.sleep(0.5)
            told = len({row[2] for row in inbox.rows.get("all", [])})
        spent = _processor_seconds(process) - before
    inbox.close()
    return ALERTS * told / SERVICES / spent, told


def _posts(story: str) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, ALERTS, POST):
        # the webhook's reader wants an id
        yield [{"labels": labels(n, story) | {"id": str(n)}} for n in range(first, first + POST)]


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--story", choices=STORIES, action="append", help="only this one")
    given = parser.parse_args()
    program = live.find()
    found: dict[str, dict[str, float]] = {}
    for name in given.story or STORIES:
        row = found[name] = {}
        row["routes"], row["told"] = ours(name, whole=False)
        row["stage"], _ = ours(name, whole=True)
        if program is not None:
            row["alertmanager"], row["alertmanager_told"] = theirs(program, name)
    if given.output == "json":
        print(json.dumps(found))
    else:
        _print(found)
    if program is None:
        print("no Alertmanager is installed: nothing to compare with", file=sys.stderr)
        return 0
    times = {name: row["routes"] / row["alertmanager"] for name, row in found.items()}
    if "plain" in found:
        times["plain"] = min(
            times["plain"], found["plain"]["stage"] / found["plain"]["alertmanager"]
        )
    return 0 if all(times[name] >= GOALS[name] for name in times) else 1


def _print(found: dict[str, dict[str, float]]) -> None:
    print(f"{ALERTS} alerts of {SERVICES} services, alerts per second of processor time")
    for name, row in found.items():
        theirs_ = row.get("alertmanager")
        line = f"{name:<12} routes {row['routes']:>8.0f}  whole stage {row['stage']:>8.0f}"
        if theirs_ is not None:
            line += f"  Alertmanager {theirs_:>8.0f} ({row['alertmanager_told']:.0f} of {SERVICES} services told)"
            line += f"  routes / Alertmanager {row['routes'] / theirs_:.1f}"
            line += f"  whole stage / Alertmanager {row['stage'] / theirs_:.1f}"
        print(line)


if __name__ == "__main__":
    sys.exit(main())
