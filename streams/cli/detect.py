"""`tocsin detect`: a detector over files of series, every row judged by those before it."""

import sys
from pathlib import Path

import click
import orjson

from detectors import registry
from schemas.errors import ConfigError
from schemas.records import rfc3339
from streams.analyse.answer import Detected
from streams.analyse.ask import ask
from streams.analyse.detect import run, usual_step_ms
from streams.analyse.draw import NoBrowserError, render, to_png
from streams.analyse.read import Frame, read
from streams.analyse.watch import Watch
from streams.analyse.write import write_csv, write_json, write_parquet, write_text
from streams.cli.main import EXIT_USAGE, fail
from streams.cli.options import IN_FILE, OutFile
from streams.cli.progress import show_share
from streams.cli.tables import count, print_table
from streams.produce.refusal import ReplayError
from streams.rules.rule import DetectBlock
from streams.rules.rule_file import DetectSection, parse_duration

_WRITERS = {"text": write_text, "csv": write_csv, "json": write_json}


@click.command("detect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@click.option("--time", "time_column", metavar="COLUMN", help="Column with the time; guessed.")
@click.option(
    "--value", "values", metavar="COLUMN", multiple=True, help="Column with values; guessed; again."
)
@click.option("--detector", metavar="NAME", help="Default: auto where there is one, else robust.")
@click.option(
    "--set", "given", metavar="NAME=VALUE", multiple=True, help="A parameter of the detector; again."
)
@click.option("--false-alarms", metavar="BUDGET", default="1 per week", show_default=True)
@click.option(
    "--direction", type=click.Choice(["both", "up", "down"]), default="both", show_default=True
)
@click.option("--min-change", metavar="SHARE", type=float, default=0.0, help="Of the expected value.")
@click.option("--min-effect", metavar="SIZE", type=float, default=0.0, help="In its own unit.")
@click.option("--interval", metavar="SPAN", help="Usual step, such as 1m; measured by default.")
@click.option(
    "--warm-start", metavar="FILE", type=IN_FILE, help="History to learn before; not judged."
)
@click.option("--carry", is_flag=True, help="Go on from one file to the next.")
@click.option("--flagged", is_flag=True, help="Only rows that are flagged.")
@click.option(
    "--output",
    type=click.Choice(["text", "csv", "json", "parquet"]),
    default="text",
    show_default=True,
    help="Form of the rows.",
)
@click.option("--out", metavar="FILE", type=OutFile(), help="Write the rows there.")
@click.option("--plot", metavar="FILE.html|png", type=OutFile(), help="Draw series, band and flags.")
def command(
    *,
    files: tuple[Path, ...],
    time_column: str | None,
    values: tuple[str, ...],
    detector: str | None,
    given: tuple[str, ...],
    false_alarms: str,
    direction: str,
    min_change: float,
    min_effect: float,
    interval: str | None,
    warm_start: Path | None,
    carry: bool,
    flagged: bool,
    output: str,
    out: Path | None,
    plot: Path | None,
) -> None:
    """Run a detector over series in files, strictly online: a row is judged by those before it.

    FILE is CSV, JSON lines, Parquet or npz with a column of times and columns of numbers, each a series. Every row is
    printed with what was expected, its band, its calibrated score and a flag; then each series in short. Every file
    begins anew, unless --carry.
    """
    if output == "parquet" and out is None:
        raise click.UsageError("--output parquet needs --out FILE")
    if plot is not None and plot.suffix not in {".html", ".png"}:
        raise click.BadParameter("wanted is a file .html or .png", param_hint="--plot")
    block = ask(
        detector,
        false_alarms=false_alarms,
        direction=direction,
        min_change=min_change,
        min_effect=min_effect,
        parameters=dict(map(_parameter, given)),
    )
    step_ms = _span(interval)
    try:
        past = None if warm_start is None else read(warm_start, time_column, values, step_ms)
        found = []
        watch: Watch | None = None
        for path in files:
            frame = read(path, time_column, values, step_ms)
            _say(path, frame)
            if watch is None or not carry:
                watch = _watch(block, frame, past, step_ms)
            found.append((path, _pass(path, frame, watch)))
    except ReplayError as error:
        fail(str(error), EXIT_USAGE)
    _write(found, output, out, flagged=flagged)
    _summarise(found, err=out is None and output != "text")
    if plot is not None:
        _plot(found, block, plot)


def _parameter(given: str) -> tuple[str, object]:
    name, equals, value = given.partition("=")
    if not equals:
        raise click.BadParameter(f"{given!r} is not NAME=VALUE", param_hint="--set")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


def _span(given: str | None) -> int:
    if given is None:
        return 0
    span = parse_duration(given)
    if not span:
        raise click.BadParameter(f"{given!r} is no span such as 15s", param_hint="--interval")
    return span


def _say(path: Path, frame: Frame) -> None:
    """What was odd about the times of a file."""
    if frame.unsorted:
        click.echo(f"{path}: {count(frame.unsorted, 'row')} out of order, sorted by time", err=True)
    if frame.repeated:
        click.echo(f"{path}: {count(frame.repeated, 'row')} with the time of the one before", err=True)


def _watch(block: DetectBlock, frame: Frame, past: Frame | None, step_ms: int) -> Watch:
    watch = Watch(block, interval_ms=step_ms or usual_step_ms(frame))
    if past is not None:
        names = frame.names if len(frame.names) == len(past.names) == 1 else past.names
        watch.learn(watch.rows_of(names)[past.rows], past.times, past.values)
    return watch


def _pass(path: Path, frame: Frame, watch: Watch) -> Detected:
    with show_share() as progress:
        task = progress.add_task(path.name, total=len(frame.rows))
        return run(frame, watch, lambda done: progress.advance(task, done))


def _write(
    found: list[tuple[Path, Detected]], output: str, out: Path | None, *, flagged: bool
) -> None:
    if output == "parquet":
        write_parquet([answer for _, answer in found], out, flagged=flagged)
        return
    file = sys.stdout if out is None else out.open("w", encoding="utf-8", newline="")
    try:
        _WRITERS[output]([answer for _, answer in found], file, flagged=flagged)
    finally:
        if out is not None:
            file.close()


def _summarise(found: list[tuple[Path, Detected]], *, err: bool) -> None:
    ...
