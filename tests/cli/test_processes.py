"""`tocsin run --processes 2` on a real Kafka, with topics and groups of its own."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import Result

from deploy.ports import free_ports
from tests.cli.conftest import START_SECONDS, Cli, Running
from tests.cli.test_run import ingested

CONFIG = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}, session_timeout: 6s}}
sources: [{{topic: {prefix}telemetry}}]
metrics: {{port: {port}}}
rules: [r.yml]
"""
RULES = "groups: [{name: g, rules: [{alert: A, expr: temperature > 80}]}]\n"


@pytest.mark.slow
def test_two_processes_share_the_work(
    kafka_bootstrap: str, tocsin: Callable[..., Running], cli: Cli, folder: Path
) -> None:
    """Partitions are shared; one that is killed is started again; a wrong configuration then ends all."""
    prefix = f"processes-{time.time_ns()}-"
    port = free_ports(2)[0]
    text = CONFIG.format(bootstrap=kafka_bootstrap, prefix=prefix, port=port)
    (folder / "tocsin.yaml").write_text(text)
    (folder / "r.yml").write_text(RULES)
    rows = (f"2024-01-01 00:{n // 60:02d}:{n % 60:02d},60" for n in range(400))
    (folder / "temperature.csv").write_text("\n".join(["timestamp,value", *rows, ""]))

    missing = cli("run")
    assert 3 == missing.exit_code
    assert f"topics are missing on {kafka_bootstrap}: {prefix}telemetry, " in missing.stderr
    made = json.loads(cli("topics", "create", "--output", "json").stdout)
    assert {(True, 4)} == {(topic["created"], topic["partitions"]) for topic in made}
    assert 1 == _with_partitions(cli, folder, text).exit_code

    running = tocsin("run", "--processes", "2")
    running.wait_for("stop with Ctrl-C", 3)
    deadline = time.monotonic() + START_SECONDS
    shares = [400.0, 0.0]
    # the group shares its partitions anew some time after the second worker has come
    while shares != [200.0, 200.0]:
        assert time.monotonic() < deadline, shares
        before = [ingested(port), ingested(port + 1)]
        assert 0 == cli("produce", "replay", "temperature.csv", "--speed", "inf").exit_code
        while sum(now := [ingested(port), ingested(port + 1)]) < sum(before) + 400:
            assert time.monotonic() < deadline, now
            time.sleep(0.2)
        shares = [after - earlier for after, earlier in zip(now, before, strict=True)]

    supervisor = psutil.Process(running.process.pid)
    os.kill(supervisor.children()[0].pid, signal.SIGKILL)
    running.wait_for("ended with -9; started again in 1 s")
    running.wait_for("stop with Ctrl-C", 4)
    children = supervisor.children()
    assert 2 == len(children)
    assert 0 == running.stop()
    assert [] == [child for child in children if child.is_running()]

    running = tocsin("run", "--processes", "2")
    running.wait_for("stop with Ctrl-C", 3)
    (folder / "r.yml").write_text("groups: 5\n")
    os.kill(psutil.Process(running.process.pid).children()[0].pid, signal.SIGKILL)
    assert 2 == running.process.wait(60)
    assert "cannot start: exit code 2; giving up" in running.said


def _with_partitions(cli: Cli, folder: Path, text: str) -> Result:
    """What `topics create` says where the configuration wants more partitions than there are."""
    (folder / "more.yaml").write_text(text.replace("{bootstrap", "{partitions: 8, bootstrap"))
    return cli("topics", "create", "--config", "more.yaml")
