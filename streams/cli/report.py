"""`tocsin report` and `tocsin incident report`: how a while went, and what became of one incident."""

from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec

from schemas.config.section import format_duration
from schemas.records import rfc3339
from sinks.record import History
from streams.cli.broker import with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import (
    IN_FILE,
    OutFile,
    open_document,
    with_columns,
    with_config,
    with_output,
)
from streams.cli.reasoning import Knowledge, samples_of
from streams.cli.saying import time_of
from streams.cli.tables import print_json, print_table
from streams.produce.columns import Columns
from streams.replay.history import gather
from streams.report.figures import Figures, Means, figures_of
from streams.report.incident import report_on
from streams.report.paper import to_html, to_markdown
from streams.report.series import pictures_of
from streams.time.clock import WallClock

BEFORE_MS = 3_600_000
"""So much of the broker's samples before an incident is read."""

with_database = click.option(
    "--database",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="SQLite file of the recorder; default record.path of the configuration.",
)


@click.command("report")
@with_config
@with_database
@click.option("--since", metavar="TIME", required=True, help="Begin: seconds, ms or RFC 3339.")
@click.option("--until", metavar="TIME", default=None, help="End; default: now.")
@click.option("--timezone", default="UTC", show_default=True, help="For nights and weeks.")
@with_output
def command(
    config_path: Path | None,
    database: Path | None,
    since: str,
    until: str | None,
    timezone: str,
    output: str,
) -> None:
    """Say how a while went.

    Mean times to detect, acknowledge and resolve by week; pages by person and night; noise by rule. Whose a receiver
    is, its key `person` says; one without stands for itself.
    """
    begin = time_of(since, "--since")
    end = WallClock().now_ms() if until is None else time_of(until, "--until")
    config = open_document(config_path).config
    path = database or Path(config.record.path)
    with History(path, read_only=True) as history:
        incidents, notifications = history.list_since(begin)
    persons = {r.name: r.person for r in config.notify.receivers if r.person}
    zone = _zone(timezone)
    figures = figures_of(
        incidents, notifications, since=begin, until=end, zone=zone, persons=persons
    )
    if output == "json":
        print_json(msgspec.to_builtins(figures))
    else:
        _print(figures)


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(f"no time zone {name!r}", param_hint="--timezone") from error


def _print(figures: Figures) -> None:
    span = f"{rfc3339(figures.since)} to {rfc3339(figures.until)}"
    rows = [("all", *_cells(figures.whole))]
    rows += [(week, *_cells(means)) for week, means in figures.weeks.items()]
    heads = ("week", "incidents", "pages", "to detect", "to acknowledge", "to resolve")
    print_table(heads, rows, title=span)
    if figures.people:
        print_table(
            ("person", "pages", "at night", "nights"),
            [(p.name, str(p.pages), str(p.at_night), str(p.nights)) for p in figures.people],
        )
    if figures.rules:
        print_table(
            ("rule", "alerts", "incidents", "nobody needed", "noise"),
            [
                (n.rule, str(n.alerts), str(n.incidents), str(n.ignored), f"{n.share:.0%}")
                for n in figures.rules
            ],
        )


def _cells(means: Means) -> tuple[str, ...]:
    spans = (means.detect_ms, means.acknowledge_ms, means.resolve_ms)
    shown = ("-" if ms is None else format_duration(ms // 1000 * 1000) for ms in spans)
    return str(means.incidents), str(means.pages), *shown


@click.command("report")
@click.argument("incident")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=IN_FILE)
@with_config
@with_database
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html"]),
    default="markdown",
    show_default=True,
    help="Of the report.",
)
@click.option("--out", metavar="FILE", type=OutFile(), default=None, help="Default: print it.")
@with_columns
@with_broker
def of_incident(
    incident: str,
    files: tuple[Path, ...],
    config_path: Path | None,
    broker: str | None,
    database: Path | None,
    form: str,
    out: Path | None,
    time_column: str | None,
    value_column: str | None,
) -> None:
    """Write the report on one incident.

    With FILEs that hold its samples the HTML has charts of the series: CSV, JSON lines, a recorded topic or OpenMetrics
    text; with --broker and no FILE, those that are still there.
    """
    known = Knowledge(config_path)
    path = database or Path(known.document.config.record.path)
    with History(path, read_only=True) as history:
        found = history.get_incident(incident)
    if found is None:
        fail(f"no incident {incident!r}; `tocsin incident list` lists them", EXIT_NO)
    config, pictures = known.document.config, []
    if files or broker:
        samples = (
            gather(files, config, Columns(time_column, value_column))
            if files
            else samples_of(config, broker, found.incident.opened_at - BEFORE_MS)
        )
        rules = {rule.id: rule for group in known.groups for rule in group.rules}
        pictures = pictures_of(samples.store, found.incident, rules)
    paper = report_on(found, pictures)
    text = to_html(paper) if form == "html" else to_markdown(paper)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"written to {out}")
