"""`tocsin demo`: the main job in two minutes, and a verdict."""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.config.section import format_duration
from schemas.reasons import RemediationState
from streams.cli.main import EXIT_NO
from streams.cli.options import with_output
from streams.cli.tables import print_table
from streams.demo.page import render
from streams.demo.run import Demo, Options, Told
from streams.demo.verdict import Finding
from streams.time.clock import WallClock

EMBEDDED_NOTE = "embedded broker: it keeps about 5 MB of each partition and forgets all at exit"


@click.command("demo")
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Which story to tell."
)
@click.option(
    "--speed",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=1, max=1000),
    help="Sim seconds a second.",
)
@click.option(
    "--broker", default=None, help="HOST:PORT of a real Kafka; default is the embedded broker."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=None,
    help="Write one self-contained HTML page here.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=None,
    help="Write the telemetry as it stood on its topic here, for `tocsin backtest`.",
)
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Keep the incident history in this SQLite file, for `tocsin incident`.",
)
@click.option("--keep", is_flag=True, help="Leave the workers running until Ctrl-C.")
@with_output
def command(
    seed: int,
    speed: float,
    broker: str | None,
    report: Path | None,
    record: Path | None,
    database: Path | None,
    keep: bool,
    output: str,
) -> None:
    """Send a simulated shop with five planted faults through a broker and all workers, and judge what comes out.

    The exit code is 0 when every fault became one incident with the right cause first, and nothing else did.
    """
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with ExitStack() as stack:
        recording = stack.enter_context(record.open("wb")) if record else None
        kept = database or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "demo.db"
        if broker in (None, "embedded"):
            click.echo(EMBEDDED_NOTE, err=True)
        stack.enter_context(shown)
        task = shown.add_task("starting", total=None)
        demo = Demo(
            Options(seed, speed, broker, recording, kept, keep, keep_sent=report is not None),
            WallClock(),
            lambda done, total, text: shown.update(
                task, completed=done, total=total, description=text
            ),
        )
        told = asyncio.run(demo.run(lambda t: _tell(t, report, output, shown)))
    sys.exit(0 if told.verdict.good else EXIT_NO)


def _tell(told: Told, report: Path | None, output: str, shown: Progress) -> None:
    """Print the verdict; the workers still run."""
    shown.stop()
    if report is not None:
        report.write_text(render(told))
        click.echo(f"report: {report}", err=True)
    if output == "json":
        click.echo(orjson.dumps(as_json(told)))
        return
    print_table(
        (
            "planted fault",
            "tenant",
            "at",
            "found after",
            "cause",
            "named first",
            "alerts",
            "playbook",
            "",
        ),
        [_row(told, f) for f in told.verdict.findings],
    )
    verdict = told.verdict
    found = sum(f.found for f in verdict.findings)
    click.echo(
        f"{told.samples} samples in {told.messages} messages, {verdict.alerts} alerts fired, "
        f"{len(told.collector.incidents)} incidents, {len(told.server.announced)} announcements received"
    )
    for incident in verdict.false:
        click.echo(f"false incident {incident.id} of {incident.tenant}: {incident.title}")
    click.echo(
        f"{found} of {len(verdict.findings)} faults found, each as one incident with the right cause first; "
        f"{len(verdict.false)} false incidents; {told.wall_seconds:.0f} s"
    )


def _row(told: Told, finding: Finding) -> tuple[str, ...]:
    fault = finding.fault
    delay = finding.delay_ms
    alerts = sum(len(i.alerts) for i in finding.incidents)
    done = [r for r in finding.remediations if r.state is not RemediationState.INTENDED]
    return (
        fault.kind.value,
        fault.tenant,
        f"{(fault.start_ms - told.shop.start_ms) / 60_000:.0f} min",
        "-" if delay is None else format_duration(delay),
        fault.cause,
        finding.named or "-",
        str(alerts),
        ", ".join(f"{r.playbook}: {r.state.value}" for r in done) or "-",
        "found" if finding.found else f"{len(finding.incidents)} incidents",
    )


def as_json(told: Told) -> dict[str, object]:
    """The verdict for scripts."""
    return {
        "good": told.verdict.good,
        "seed": told.shop.seed,
        "samples": told.samples,
        "messages": told.messages,
        "alerts": told.verdict.alerts,
        "incidents": sorted(told.collector.incidents),
        "false": [i.id for i in told.verdict.false],
        "announced": len(told.server.announced),
        "dead_letters": len(told.collector.dead_letters),
        "findings": [
            {
                "kind": f.fault.kind.value,
                "tenant": f.fault.tenant,
                "cause": f.fault.cause,
                "named": f.named,
                "found": f.found,
                "delay_ms": f.delay_ms,
                "incidents": [i.id for i in f.incidents],
                "remediations": [r.state.value for r in f.remediations],
            }
            for f in told.verdict.findings
        ],
        "wall_seconds": told.wall_seconds,
    }
