from collections.abc import Iterator
from pathlib import Path

from schemas.config import load_document
from schemas.config.notify import StdoutReceiver
from sinks.notify.receivers import find_kind
from streams.cli.options import open_rules
from streams.produce.host import Process, Reading, Usage, host_samples
from streams.produce.telemetry import record
from streams.replay.backtest import Backtest, Outcome
from streams.replay.pipeline import Recorded

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SECONDS = 180
BUSY = range(60, 120)


def reading(second: int) -> Reading:
    """A quiet machine on which one shell spins for a minute."""
    spun = float(sum(s in BUSY for s in range(second)))
    return Reading(
        at_ms=START_MS + second * 1000,
        cores=[(spun + 0.1 * second, 1.0 * second), (0.1 * second, 1.0 * second)],
        memory=Usage(4_000_000_000, 16_000_000_000),
        swap=Usage(0, 0),
        load=(0.5, 0.4, 0.3),
        file_systems={"/": Usage(10, 100)},
        totals={},
        processes=[
            Process(1, START_MS / 1000 - 9000, "init", 0.01 * second, 1_000_000),
            Process(4711, START_MS / 1000 - 60, "sh", 0.98 * spun, 2_000_000),
        ],
    )


def records() -> Iterator[Recorded]:
    """What `tocsin produce host` would send of it."""
    before = None
    for second in range(SECONDS):
        now = reading(second)
        sent = record(host_samples(before, now, "laptop"))
        yield Recorded("telemetry", 0, second, now.at_ms, sent.value)
        before = now


def watched(root: Path) -> Outcome:
    """What the example makes of it."""
    file = root / "examples/host/tocsin.yaml"
    document = load_document(file.read_text(), str(file))
    kafka = document.config.kafka.model_copy(update={"partitions": 1})
    config = document.config.model_copy(update={"kafka": kafka})
    return Backtest(config, open_rules(document)).run(records())


def test_a_busy_loop_becomes_one_incident(root: Path) -> None:
    """The host example makes one incident of a shell that spins, names its process, and ends it."""
    (incident,) = watched(root).incidents

    assert "sh" == incident.causes[0].entity
    assert {"sh"} == {a.alert.labels["process"] for a in incident.alerts}
    assert incident.resolved_at is not None


def test_the_readme_shows_what_the_receiver_prints(root: Path) -> None:
    """The block in the README is the first announcement, to the letter."""
    first = next(i for i in next(iter(watched(root).records.values())) if i.announce)
    section = StdoutReceiver(type="stdout", name="terminal")
    printed = find_kind("stdout").render(section, first, "").decode()

    assert printed in (root / "README.md").read_text()
