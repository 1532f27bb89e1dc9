"""Makes the golden files of Telegraf, kcat and rsyslog: each sends to a real Kafka, kcat writes down what is there.

    python -m tests.schemas.wire.golden.make --telegraf PATH

Needs Java and Maven for Kafka, kcat, rsyslogd with omkafka (Debian: kcat, rsyslog, rsyslog-kafka), and Telegraf, which
`python -m deploy.telegraf` builds. Takes about a minute. The files hold what `kcat -J` prints, one record a line.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.go import UnavailableError
from deploy.kafka.broker import passing_node
from schemas.topics import Topic
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

HERE = Path(__file__).parent
LIBS = Path(".kafka") / "libs"
RECORDS = 60
TOPICS = ("telegraf-influx", "telegraf-json", "telegraf-json-ns", "kcat", "rsyslog")
TELEGRAF = (HERE / "telegraf.conf").read_text
RSYSLOG = (HERE / "rsyslog.conf").read_text
KCAT_SAMPLES = (
    '{"ts": 1767225600.5, "metric": "queue_length", "value": 7, "labels": {"service": "cart"}}',
    '[{"ts": 1767225601500, "metric": "queue_length", "value": 8, "labels": {"service": "cart"}}]',
    "queue,service=cart length=9i 1767225602500000000",
)


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--telegraf", type=Path, default=Path(".telegraf/telegraf"))
    given = parser.parse_args()
    if not given.telegraf.exists():
        raise UnavailableError("no Telegraf: python -m deploy.telegraf builds it")
    with passing_node(LIBS) as bootstrap, TemporaryDirectory() as work:
        home = Path(work)
        topics = [Topic(name, "", "", 1, {}) for name in TOPICS]
        asyncio.run(create_topics(Broker(bootstrap), topics))
        _telegraf(given.telegraf, home, bootstrap)
        _kcat(bootstrap)
        _rsyslog(home, bootstrap)


def _telegraf(program: Path, home: Path, bootstrap: str) -> None:
    config = home / "telegraf.conf"
    config.write_text(TELEGRAF().replace("KAFKA", bootstrap))
    running = subprocess.Popen([program, "--config", config])
    time.sleep(9)
    running.terminate()
    running.wait()
    for topic in TOPICS[:3]:
        _write_down(bootstrap, topic)


def _kcat(bootstrap: str) -> None:
    for sample in KCAT_SAMPLES:
        subprocess.run(
            ["kcat", "-P", "-b", bootstrap, "-t", "kcat"], input=sample.encode(), check=True
        )
    _write_down(bootstrap, "kcat")


def _rsyslog(home: Path, bootstrap: str) -> None:
    config = home / "rsyslog.conf"
    config.write_text(RSYSLOG().replace("KAFKA", bootstrap).replace("HOME", str(home)))
    running = subprocess.Popen(["rsyslogd", "-n", "-f", config, "-i", home / "rsyslog.pid"])
    time.sleep(2)
    for priority, message in (
        ("daemon.info", "cart: order 17 stored"),
        ("daemon.err", 'cart: payment "visa" failed'),
        ("daemon.warning", "cart: slow query\tof 3 s"),
    ):
        subprocess.run(
            ["logger", "--socket", home / "log", "--priority", priority, "--tag", "cart", message],
            check=True,
        )
    time.sleep(4)
    running.terminate()
    running.wait()
    _write_down(bootstrap, "rsyslog")


def _write_down(bootstrap: str, topic: str) -> None:
    found = subprocess.run(
        ["kcat", "-C", "-J", "-e", "-q", "-b", bootstrap, "-t", topic, "-o", "beginning"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.splitlines()
    kept = [json.dumps({key: json.loads(line)[key] for key in KEPT}) for line in found[-RECORDS:]]
    (HERE / f"{topic}.jsonl").write_text("\n".join(kept) + "\n")
    sys.stdout.write(f"{topic}: {len(found)} records\n")


KEPT = ("topic", "key", "payload", "ts")

if __name__ == "__main__":
    main()
