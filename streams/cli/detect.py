"""`tocsin detect`: a detector over files of series, every row judged by those before it."""

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import click
import orjson

from schemas.config.near import nearest
from schemas.config.section import format_duration, parse_duration
from schemas.records import rfc3339
from streams.analyse.answer import Detected, join
from streams.analyse.ask import ask
from streams.analyse.detect import learn, run, usual_step_ms
from streams.analyse.draw import render, write_png
from streams.analyse.read import Frame, read
from streams.analyse.together import Together
from streams.analyse.watch import Watch
from streams.analyse.write import write_csv, write_json, write_parquet, write_text
from streams.cli.main import EXIT_USAGE, fail
from streams.cli.options import IN_FILE, OutFile
from streams.cli.progress import show_share
from streams.cli.tables import count, print_table
from streams.produce.refusal import ReplayError
from streams.rules.rule import DetectBlock

_SUMMARY = (
    "series",
    "rows",
    "missing",
    "flagged",
    "spans",
    "first",
    "last",
    "spans a week",
    "asked",
    "speaks after",
)
_WRITERS = {"text": write_text, "csv": write_csv, "json": write_json}


@click.command("detect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@click.option("--time", "time_column", metavar="COLUMN", help="Column with the time; guessed.")
@click.option(
    "--value", "values", metavar="COLUMN", multiple=True, help="Column with values; guessed; again."
)
@click.option("--detector", metavar="NAME", help="Default: auto where there is one, else robust.")
@click.option(
    "--set",
    "given",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of the detector; again.",
)
@click.option("--false-alarms", metavar="BUDGET", default="1 per week", show_default=True)
@click.option(
    "--direction", type=click.Choice(["both", "up", "down"]), default="both", show_default=True
)
@click.option(
    "--min-change", metavar="SHARE", type=float, default=0.0, help="Of the expected value."
)
@click.option("--min-effect", metavar="SIZE", type=float, default=0.0, help="In its own unit.")
@click.option("--interval", metavar="SPAN", help="Usual step, such as 1m; measured by default.")
@click.option(
    "--warm-start", metavar="FILE", type=IN_FILE, help="History to learn before; not judged."
)
@click.option("--group", is_flag=True, help="All series of a file are one group, judged together.")
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
@click.option(
    "--plot", metavar="FILE.html|png", type=OutFile(), help="Draw series, band and flags."
)
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
    group: bool,
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
        found: list[tuple[str, Detected]] = []
        watch: Watch | Together | None = None
        for path in files:
            frame = read(path, time_column, values, step_ms)
            _say(path, frame)
            if watch is None or not carry:
                watch = _watch(Together if group else Watch, block, frame, past, step_ms)
            found.append((path.stem, _pass(path, frame, watch)))
    except ReplayError as error:
        fail(str(error), EXIT_USAGE)
    answer = join(found)
    _write(answer, output, out, flagged=flagged)
    # where the rows are for a program, the summary is not to stand among them
    with redirect_stdout(sys.stdout if out or output == "text" else sys.stderr):
        _summarise(answer)
    if plot is not None:
        page = render(answer, f"{', '.join(path.name for path in files)}: {block.detector}")
        if plot.suffix == ".png":
            write_png(page, plot)
        else:
            plot.write_text(page, encoding="utf-8")


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
    try:
        return max(parse_duration(given), 1)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--interval") from error


def _say(path: Path, frame: Frame) -> None:
    """What was odd about the times of a file."""
    if frame.unsorted:
        click.echo(f"{path}: {count(frame.unsorted, 'row')} out of order, sorted by time", err=True)
    if frame.repeated:
        click.echo(
            f"{path}: {count(frame.repeated, 'row')} with the time of the one before", err=True
        )


def _watch(
    kind: type[Watch] | type[Together],
    block: DetectBlock,
    frame: Frame,
    past: Frame | None,
    step_ms: int,
) -> Watch | Together:
    watch = kind(block, interval_ms=step_ms or usual_step_ms(frame))
    if past is not None:
        if len(frame.names) == len(past.names) == 1:
            past = replace(past, names=frame.names)
        if set(past.names).isdisjoint(frame.names):
            hint = nearest(frame.names[0], past.names)
            fail(f"--warm-start: no series of that name: {frame.names[0]}; {hint}", EXIT_USAGE)
        learn(past, watch)
    return watch


def _pass(path: Path, frame: Frame, watch: Watch | Together) -> Detected:
    with show_share() as progress:
        task = progress.add_task(path.name, total=len(frame.rows))
        return run(frame, watch, lambda done: progress.advance(task, done))


def _write(found: Detected, output: str, out: Path | None, *, flagged: bool) -> None:
    if out is None:
        _WRITERS[output](found, sys.stdout, flagged=flagged)
    elif output == "parquet":
        write_parquet(found, out, flagged=flagged)
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            _WRITERS[output](found, file, flagged=flagged)


def _summarise(found: Detected) -> None:
    rows = [
        (
            s.series,
            str(s.samples),
            str(s.missing),
            str(s.flagged),
            str(s.spans),
            rfc3339(s.first_flag_ms) if s.first_flag_ms is not None else "",
            rfc3339(s.last_flag_ms) if s.last_flag_ms is not None else "",
            f"{s.spans_per_week:.2g}",
            f"{s.asked_per_week:.2g}",
            "never" if s.speaks_after_ms is None else format_duration(s.speaks_after_ms),
        )
        for s in found.summary()
    ]
    print_table(_SUMMARY, rows)
