"""Other rules for a running `tocsin run`: by SIGHUP and by a changed file, in a process of its own."""

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.ports import free_port
from schemas.config import load_document
from streams.app import Setting, Workers
from streams.cli.options import open_rules
from streams.cli.reload import Reloader, stamps_of
from streams.time.clock import WallClock
from streams.transport.broker import Broker
from tests.cli.conftest import START_SECONDS, Cli, Running
from tests.cli.test_run import start_embedded

pytestmark = pytest.mark.embedded

Start = Callable[..., Running]

CONFIG = """\
rules: [r*.yml]
metrics: {{port: {port}}}
time: {{allowed_lateness: 0s, tick: 1s}}
correlate: {{group_wait: 1s, resolve_delay: 1s}}
"""
RULES = """\
groups:
  - name: g
    interval: 1s
    rules:
      - {{alert: {name}, expr: temperature > {limit}, labels: {{severity: critical}}}}
"""


@pytest.fixture
def port(folder: Path) -> int:
    """A folder with configuration, rules and a history that ends hot; the port of the metrics."""
    chosen = free_port()
    (folder / "tocsin.yaml").write_text(CONFIG.format(port=chosen))
    (folder / "r.yml").write_text(RULES.format(name="Hopeless", limit=1000))
    rows = (f"2024-01-01 00:00:{n:02d},{95 if n >= 5 else 60}" for n in range(20))
    (folder / "temperature.csv").write_text("\n".join(["timestamp,value", *rows, ""]))
    return chosen


def reload_failed(port: int) -> float:
    """The metric that says whether the rule files have faults."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    name = "tocsin_rules_reload_failed "
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def send_history(cli: Cli, address: str) -> None:
    """All of it, moved to the present."""
    words = ("--broker", address, "--speed", "1000")
    assert 0 == cli("produce", "replay", "temperature.csv", *words).exit_code


async def test_the_first_wide_rule_takes_a_restart(
    folder: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Stages that wait for alerts must know from the start of whom; where there is a second stage it is taken over."""
    document = load_document((folder / "tocsin.yaml").read_text(), str(folder / "tocsin.yaml"))
    assert port == document.config.metrics.port
    workers = Workers(Setting(document.config, open_rules(document), Broker("-"), WallClock()))
    reloader = Reloader(document, stamps_of(document), workers, asyncio.Event())

    (folder / "r.yml").write_text(RULES.format(name="Wide", limit="on () sum(temperature)"))
    await reloader.look()

    assert workers.reloads.failed
    assert "the first rule that is wider than the locality takes a restart" in caplog.text
    second = Workers(Setting(document.config, open_rules(document), Broker("-"), WallClock()))
    second.check(open_rules(document))


@pytest.mark.slow
def test_rules_change_while_the_workers_run(
    tocsin: Start, cli: Cli, folder: Path, port: int
) -> None:
    """A broken file is refused by line; a sound one is taken over; what it no longer has, ends with that reason."""
    running, address = start_embedded(tocsin)
    (folder / "r.yml").write_text("groups:\n  - name: g\n    rules: [{alert: A, expr: '1 +'}]\n")
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("rules not reloaded: r.yml:3:")
    assert 1 == reload_failed(port)

    (folder / "r.yml").write_text(RULES.format(name="Hot", limit=80))
    running.wait_for("rules reloaded: 1 rule")
    assert 0 == reload_failed(port)
    send_history(cli, address)
    running.wait_for("Hot (first notification)")

    (folder / "r.yml").unlink()
    (folder / "r2.yml").write_text(RULES.format(name="Hopeless", limit=1000))
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("rules reloaded: 1 rule", times=2)
    deadline = time.monotonic() + START_SECONDS
    # event time must go on: for the end of the alert, and for that of the incident
    while "[RESOLVED] " not in running.said:
        assert time.monotonic() < deadline, running.said
        time.sleep(2.1)
        send_history(cli, address)

    assert 0 == running.stop()
    (incident,) = json.loads(cli("incident", "list", "--output", "json").stdout)
    shown = cli("incident", "show", incident["id"], "--output", "json").stdout
    assert ("resolved", True) == (incident["state"], "rule_removed" in shown)
