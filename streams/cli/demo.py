"""`tocsin demo`: the main job in two minutes, and a verdict."""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from schemas.config.section import format_duration
from schemas.reasons import RemediationState
from streams.cli.broker import EMBEDDED, asking, check_address
from streams.cli.main import EXIT_NO
from streams.cli.options import OutFile, with_output
from streams.cli.progress import show_share
from streams.cli.tables import count, print_json, print_table
from streams.demo.page import render
from streams.demo.run import Demo, Options, Told
from streams.demo.verdict import Finding
from streams.observe.logs import logging_to_stderr
from streams.time.clock import WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker

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
    help="Simulated seconds a second.",
)
@click.option(
    "--broker",
    metavar="HOST:PORT",
    default=EMBEDDED,
    show_default=True,
    help="Kafka broker, or 'embedded'.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=OutFile(),
    default=None,
    help="Write one self-contained HTML page here.",
)
@click.option(
    "--record",
    metavar="FILE",
    type=OutFile(),
    default=None,
    help="Write the telemetry as it stood on its topic here, for `tocsin backtest`.",
)
@click.option(
    "--database",
    metavar="FILE",
    type=OutFile(),
    default=None,
    help="Keep the incident history in this SQLite file, for `tocsin incident`.",
)
@click.option("--keep", is_flag=True, help="Leave the workers running until Ctrl-C.")
@with_output
def command(
    seed: int,
    speed: float,
    broker: str,
    report: Path | None,
    record: Path | None,
    database: Path | None,
    keep: bool,
    output: str,
) -> None:
    """A simulated shop with five planted faults, in two minutes.

    Its telemetry goes through a broker and all workers, and what comes out is judged: the exit code is 0 when every
    fault became one incident with the right cause first, and nothing else did.
    """
    shown = show_share()
    told: list[Told] = []

    def tell(found: Told) -> None:
        shown.stop()
        told.append(found)
        _tell(found, report, output)
        if keep:
            place = found.config.kafka.bootstrap
            click.echo(f"the workers still run on {place}; stop with Ctrl-C", err=True)

    with asking(broker), ExitStack() as stack:
        if broker == EMBEDDED:
            click.echo(EMBEDDED_NOTE, err=True)
        else:
            check_address(broker)
            asyncio.run(list_topics(Broker(broker)))
        recording = stack.enter_context(record.open("wb")) if record else None
        kept = database or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "demo.db"
        stack.enter_context(logging_to_stderr())
        stack.enter_context(shown)
        task = shown.add_task("starting", total=None)
        demo = Demo(
            Options(seed, speed, broker, recording, kept, keep, keep_sent=report is not None),
            WallClock(),
            lambda done, total, text: shown.update(
                task, completed=done, total=total, description=text
            ),
        )
        try:
            asyncio.run(demo.run(tell))
        except KeyboardInterrupt:
            if not told:  # before the end, and not the usual end of --keep
                raise
    sys.exit(0 if told[0].verdict.good else EXIT_NO)


def _tell(told: Told, report: Path | None, output: str) -> None:
    """Print the verdict; the workers still run."""
    if report is not None:
        report.write_text(render(told))
        click.echo(f"report: {report}", err=True)
    if output == "json":
        print_json(as_json(told))
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
        f"{count(len(told.collector.incidents), 'incident')}, {len(told.server.announced)} announcements received"
    )
    for incident in verdict.false:
        click.echo(f"false incident {incident.id} of {incident.tenant}: {incident.title}")
    click.echo(
        f"{found} of {len(verdict.findings)} faults found, each as one incident with the right cause first; "
        f"{count(len(verdict.false), 'false incident')}; {told.wall_seconds:.0f} s"
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
        "found" if finding.found else count(len(finding.incidents), "incident"),
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
