"""`tocsin run` on the embedded broker, in a process of its own, as a newcomer starts it."""

import json
import re
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.ports import free_port
from tests.cli.conftest import Cli, Running

pytestmark = pytest.mark.embedded

Start = Callable[..., Running]

CONFIG = """\
rules: [r.yml]
metrics: {{port: {port}}}
time: {{allowed_lateness: 0s}}
correlate: {{group_wait: 1s, resolve_delay: 1s}}
"""
RULES = """\
groups:
  - name: g
    interval: 1m
    rules:
      - alert: High
        expr: temperature > 80
        labels: {severity: critical}
"""


@pytest.fixture
def port(folder: Path) -> int:
    """A folder with configuration, rules and a history to replay; the port of the metrics."""
    chosen = free_port()
    (folder / "tocsin.yaml").write_text(CONFIG.format(port=chosen))
    (folder / "r.yml").write_text(RULES)
    rows = (f"2024-01-01 00:{n:02d}:00,{95 if 20 <= n < 40 else 60}" for n in range(60))
    (folder / "temperature.csv").write_text("\n".join(["timestamp,value", *rows, ""]))
    return chosen


def ingested(port: int) -> float:
    """Records that the worker with this port has ingested."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    name = 'tocsin_records_total{stage="ingest"} '
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def start_embedded(tocsin: Start) -> tuple[Running, str]:
    """A running `tocsin run --broker embedded`, and the address that it prints."""
    running = tocsin("run", "--broker", "embedded")
    said = running.wait_for("stop with Ctrl-C")
    found = re.search(r"embedded broker at (127\.0\.0\.1:\d+)", said)
    assert found is not None
    return running, found[1]


def test_a_newcomer_s_path(tocsin: Start, cli: Cli, folder: Path, port: int) -> None:
    """It says what it keeps and where it listens; what is sent there becomes an incident; SIGTERM ends it well."""
    running, address = start_embedded(tocsin)
    assert "forgets all at exit" in running.said

    listed = json.loads(cli("topics", "list", "--broker", address, "--output", "json").stdout)
    assert {4} == {topic["partitions"] for topic in listed}
    made = cli("topics", "create", "--broker", address, "--output", "json")
    assert (0, {False}) == (made.exit_code, {topic["created"] for topic in json.loads(made.stdout)})

    sent = cli(
        "produce",
        "replay",
        "temperature.csv",
        "--broker",
        address,
        "--speed",
        "1800",
        "--output",
        "json",
    )
    assert {"topic": "telemetry", "messages": 60} == {
        key: json.loads(sent.stdout)[key] for key in ("topic", "messages")
    }
    running.wait_for("[RESOLVED] ")

    deadline = time.monotonic() + 120
    while ingested(port) < 60 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert 60 == ingested(port)

    assert 0 == running.stop()
    (incident,) = json.loads(cli("incident", "list", "--output", "json").stdout)
    assert ("resolved", "critical") == (incident["state"], incident["severity"])
    # moved to the present, and not beyond it
    assert 0 <= time.time() * 1_000 - incident["updated_at"] <= 3_600_000


@pytest.mark.slow
def test_ctrl_c_is_the_usual_end(tocsin: Start, cli: Cli, port: int) -> None:
    """SIGINT ends the workers and a producer with 0; a topic that is not there is one line."""
    running, address = start_embedded(tocsin)
    producer = tocsin("produce", "simulate", "--broker", address, "--truth", "truth.json")
    deadline = time.monotonic() + 120
    while not Path("truth.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)  # it connects and sends; there is nothing that it says meanwhile

    assert 0 == producer.stop(signal.SIGINT)
    assert re.fullmatch(r"\d+ messages, \d+ bytes sent to telemetry\n", producer.said)
    assert 5 == len(json.loads(Path("truth.json").read_text())["faults"])

    missing = cli("produce", "host", "--broker", address, "--topic", "nosuch")
    line = f"tocsin: no topic 'nosuch' on {address}; `tocsin topics create` makes it\n"
    assert (3, line) == (missing.exit_code, missing.stderr)

    assert 0 == running.stop(signal.SIGINT)


@pytest.mark.slow
def test_a_fault_of_a_worker_is_seventy(tocsin: Start, cli: Cli, folder: Path, port: int) -> None:
    """A history that somebody else has locked stops the recorder: the last line says which stage and why."""
    running, address = start_embedded(tocsin)
    lock = sqlite3.connect(folder / "tocsin.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        cli("produce", "replay", "temperature.csv", "--broker", address, "--speed", "inf")
        code = running.process.wait(60)
    finally:
        lock.close()

    assert 70 == code
    last = running.said.splitlines()[-1]
    assert last.startswith("tocsin: stage record failed: HistoryError: ")
    assert "locked" in last


def test_a_taken_port_is_a_fault_of_the_configuration(
    cli: Cli, tocsin: Start, folder: Path, port: int
) -> None:
    """The metrics' port is somebody else's: exit code 2, and one line with the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        running = tocsin("run", "--broker", "embedded")
        code = running.process.wait(60)

    assert 2 == code
    line = f"tocsin: metrics: cannot listen on 127.0.0.1:{port}: Address already in use"
    assert line == running.said.splitlines()[-1]


def test_faults_of_the_configuration_come_before_the_broker(cli: Cli, folder: Path) -> None:
    """All of them are told, each a line, and nothing is started."""
    (folder / "tocsin.yaml").write_text("rules: [a.yml]\n")
    (folder / "a.yml").write_text(
        "groups:\n  - nme: g\n  - name: h\n    rules: [{alert: A, expr: '+'}]\n"
    )

    result = cli("run", "--broker", "embedded")

    assert 2 == result.exit_code
    places = [" ".join(line.split()[:2]) for line in result.stderr.splitlines()]
    assert {"tocsin: a.yml:2:", "tocsin: a.yml:4:32:"} == set(places)


def test_the_embedded_broker_serves_one_process(cli: Cli) -> None:
    """Its consumer groups can have one member only, so more processes are refused."""
    result = cli("run", "--broker", "embedded", "--processes", "2")

    line = "tocsin: the embedded broker can serve one process only; take a real Kafka\n"
    assert (2, line) == (result.exit_code, result.stderr)
